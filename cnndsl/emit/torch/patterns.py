"""The names of parts in a loop, as an f-string over the loop's variables."""

from __future__ import annotations

from itertools import pairwise

from cnndsl.emit.torch.cursor import Cursor
from cnndsl.emit.torch.operators import UnknownName
from cnndsl.emit.torch.restart import Differ
from cnndsl.emit.torch.terms import Const, Term, Var, add, evaluate, text
from cnndsl.expressions import Expr

NameTemplate = tuple[str | Expr, ...]


def pattern(template: NameTemplate, found: list[str], cursor: Cursor) -> str:
    """Return the text of an f-string that gives each frame's name. Raises Differ if there is none."""
    pieces: list[str | Term] = []
    for piece in template or ():
        term = piece if isinstance(piece, str) else getattr(cursor.scope.whole([piece]), "term", None)
        if term is None:
            raise Differ
        pieces.append(term)
    pieces = pieces or _counted(found)
    for frame, name in zip(cursor.scope.frames, found, strict=True):
        try:
            made = "".join(each if isinstance(each, str) else str(evaluate(each, frame)) for each in pieces)
        except UnknownName:
            raise Differ from None
        if made != name:
            raise Differ
    return "".join(_shown_piece(each) for each in pieces)


def _shown_piece(piece: str | Term) -> str:
    if isinstance(piece, str):
        return piece
    return str(piece.value) if isinstance(piece, Const) else f"{{{text(piece)}}}"


def _counted(found: list[str]) -> list[str | Term]:
    """Return `conv1`, `conv2` as a pattern over the iteration `i`."""
    first = found[0].rstrip("0123456789")
    number = found[0][len(first) :]
    counts = [each[len(first) :] or "0" for each in found]
    if not number or not all(map(str.isdigit, counts)) or any(int(b) - int(a) != 1 for a, b in pairwise(counts)):
        raise Differ
    return [first, add(Var("i"), Const(int(number) - 1))]
