"""Edits for merges that mix operators: `(A + B | C)`."""

from __future__ import annotations

from cnndsl.errors import Fix, Span
from cnndsl.syntax.brackets import opened_at, partner, split
from cnndsl.syntax.edits import code, fix
from cnndsl.syntax.parse_failure import Stop


def mixed(stop: Stop) -> Fix | None:
    """Fix `(A + B | C)`: the sum is the inner merge, as `+` binds tighter than `|` elsewhere. The help shows both."""
    opened = opened_at(stop)
    text = stop.source.text
    if stop.found not in ("+", "|") or not stop.takes("PLUS", "VBAR") or not opened or text[opened[-1]] != "(":
        return None
    start, end = opened[-1] + 1, partner(text, opened[-1])
    if end < 0:
        return None
    inside = code(stop.source, start, end)
    edits, others = _grouped(inside, "|", "+", start), _grouped(inside, "+", "|", start)
    if not edits or not others:
        return None
    place = Span(stop.source, opened[-1], end + 1)
    sum_first, other = (fix(stop.source, each, "{}", place) for each in (edits, others))
    help = f"a pair of parentheses has one operator: {sum_first}, or {other}".replace("( ", "(").replace(" )", ")")
    return Fix(sum_first.edits, help, None, help)


def _grouped(text: str, outer: str, inner: str, start: int) -> list[tuple[int, int, str]]:
    """Return edits that put pieces between `outer` that contain `inner` in parentheses. The text begins at `start`."""
    edits: list[tuple[int, int, str]] = []
    at = start
    for piece in split(text, outer):
        if len(split(piece, inner)) > 1:
            first, last = at + len(piece) - len(piece.lstrip()), at + len(piece.rstrip())
            edits += [(first, first, "("), (last, last, ")")]
        at += len(piece) + 1
    return edits
