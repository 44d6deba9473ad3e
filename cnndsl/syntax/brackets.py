"""Brackets and quotes that do not match: where the one stands that is wrong, and where its partner.

Only the text is looked at, not the grammar.
"""

from __future__ import annotations

import re

from cnndsl.errors import Annotation, Diagnostic, Span
from cnndsl.syntax.parse_failure import Stop

_PARTNER = {"(": ")", "[": "]", "{": "}"}
_TERMINAL = {")": "RPAR", "]": "RSQB", "}": "RBRACE"}


def unmatched(stop: Stop) -> Diagnostic | None:
    """What is wrong with the brackets in front of the place, or at it; None where nothing is."""
    if stop.found == '"':
        place = Span(stop.source, stop.offset, stop.offset + len(stop.after.rstrip()))
        return Diagnostic("E0108", "this quote is not closed on its line", place, help='as in: use "resnet.cnn": Block')
    opened = opened_at(stop)
    if stop.found in _TERMINAL:
        return _wrong_closer(stop, opened)
    if not opened:
        return None
    return _never_closed(stop, opened[-1])


def opened_at(stop: Stop) -> list[int]:
    """Return where the brackets stand that are open at the place, outermost first."""
    opened: list[int] = []
    quoted = False
    for at, char in enumerate(stop.before, stop.start):
        if char == '"' or (quoted and char == "\n"):
            quoted = char == '"' and not quoted
        elif quoted:
            continue
        elif char in _PARTNER:
            opened.append(at)
        elif opened and char in _TERMINAL:
            opened.pop()
    return opened


def _wrong_closer(stop: Stop, opened: list[int]) -> Diagnostic | None:
    closer = stop.found
    if not opened:
        return Diagnostic("E0108", f"there is no bracket that this `{closer}` closes", stop.span)
    opener = stop.source.text[opened[-1]]
    if _PARTNER[opener] == closer:
        return None
    others = (Annotation(Span(stop.source, opened[-1], opened[-1] + 1), "which is still open"),)
    message = f"`{closer}` does not close `{opener}`"
    return Diagnostic("E0108", message, stop.span, f"expected `{_PARTNER[opener]}`", others)


def _never_closed(stop: Stop, at: int) -> Diagnostic | None:
    """A bracket that could be closed at the place, where instead something stands that no bracket holds."""
    opener = stop.source.text[at]
    closer = _PARTNER[opener]
    stands_outside = stop.is_end or stop.begins_statement or (stop.found == "->" and not stop.takes("__ANON_0"))
    stands_outside = stands_outside or (stop.found == "output" and not _closes(stop))
    if not stands_outside or not stop.takes(_TERMINAL[closer]):
        return None
    others = () if stop.is_end else (Annotation(stop.span, f"expected `{closer}` before this"),)
    message = f"this `{opener}` is never closed"
    return Diagnostic("E0108", message, Span(stop.source, at, at + 1), "", others)


def _closes(stop: Stop) -> bool:
    """Whether a bracket is closed behind the place that is open at it."""
    depth = 0
    for char in re.sub(r'#[^\n]*|"[^"\n]*"', "", stop.source.text[stop.offset :]):
        depth += (char in _PARTNER) - (char in _TERMINAL)
        if depth < 0:
            return True
    return False
