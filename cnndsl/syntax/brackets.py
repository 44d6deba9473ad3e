"""Find mismatched brackets and unclosed quotes.

This works on the source text alone, without the grammar. "Bracket" means any of `()`, `[]` and `{}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cnndsl.errors import Annotation, Diagnostic, Span, replacement
from cnndsl.syntax.parse_failure import QUOTE_OR_COMMENT, Stop

_PARTNER = {"(": ")", "[": "]", "{": "}"}
_OPENER = {closer: opener for opener, closer in _PARTNER.items()}
_TERMINAL = {")": "RPAR", "]": "RSQB", "}": "RBRACE"}

_BRACKET = re.compile(rf"{QUOTE_OR_COMMENT}|(?P<bracket>[()\[\]{{}}])")


def unmatched(stop: Stop) -> Diagnostic | None:
    """Return the error for a mismatched bracket or quotation mark before or at the stop; None if there is none."""
    if stop.found == '"':
        place = Span(stop.source, stop.offset, stop.offset + len(stop.after.rstrip()))
        return Diagnostic("E0108", "unclosed quotation mark", place, help='for example, `use "resnet.cnn": Block`')
    open_here = opened_at(stop)
    if stop.found in _TERMINAL:
        return _wrong_closer(stop, open_here)
    if not open_here or closed(stop) >= 0:
        return None
    return _never_closed(stop, open_here[-1])


def brackets(text: str, start: int, end: int | None = None) -> Iterator[tuple[int, str]]:
    """Yield the offset and character of each bracket in a range of a text, except in quotes and comments.

    The range must begin outside both. A quote that is not closed ends with its line.

    >>> list(brackets('a (b "[" # ]', 0))
    [(2, '(')]
    """
    for match in _BRACKET.finditer(text, start, len(text) if end is None else end):
        if match["bracket"]:
            yield match.start(), match[0]


def partner(text: str, at: int) -> int:
    """Return the offset of the bracket that closes the one at an offset; -1 if it is not closed.

    >>> partner("a (b [c]) d", 2)
    8
    """
    depth = 0
    for place, char in brackets(text, at):
        depth += 1 if char in _PARTNER else -1
        if depth == 0:
            return place if _PARTNER[text[at]] == char else -1
    return -1


def split(text: str, separator: str) -> list[str]:
    """Split a text at the separators outside brackets. A `-` separates only between spaces, so an arrow does not.

    >>> split("A(b, c), D", ",")
    ['A(b, c)', ' D']
    """
    pieces, depth, start = list[str](), 0, 0
    for at, char in enumerate(text):
        depth += (char in _PARTNER) - (char in _TERMINAL)
        is_sign = separator != "-" or (text[at + 1 : at + 2].isspace() and text[at - 1 : at].isspace())
        if char == separator and depth == 0 and is_sign:
            pieces.append(text[start:at])
            start = at + 1
    return [*pieces, text[start:]]


def opened_at(stop: Stop) -> list[int]:
    """Return the offsets of the brackets that are open at the stop, outermost first."""
    return opened_in(stop.source.text, stop.start, stop.offset)


def opened_in(text: str, start: int, at: int) -> list[int]:
    """Return the offsets of the brackets that are open at `at`, outermost first; none may be open at `start`.

    >>> opened_in("a (b [c]) (d [e", 0, 14)
    [10, 13]
    """
    found: list[int] = []
    for place, char in brackets(text, start, at):
        if char in _PARTNER:
            found.append(place)
        elif found:
            found.pop()
    return found


def closed(stop: Stop) -> int:
    """Return the offset at which the last bracket open at the stop is closed; -1 if they are not all closed."""
    expected = [_PARTNER[stop.source.text[at]] for at in opened_at(stop)]
    if not expected:
        return -1
    for at, char in _behind(stop):
        if char in _PARTNER:
            expected.append(_PARTNER[char])
        elif expected.pop() != char:
            return -1
        if not expected:
            return at
    return -1


def _behind(stop: Stop) -> Iterator[tuple[int, str]]:
    """Yield the brackets from the stop on; the stop itself may be inside quotes."""
    return ((at, char) for at, char in brackets(stop.source.text, stop.start) if at >= stop.offset)


def _wrong_closer(stop: Stop, open_here: list[int]) -> Diagnostic | None:
    closer = stop.found
    if not open_here:
        message = f"unmatched `{closer}`"
        return Diagnostic(
            "E0108", message, stop.span, help=f"remove it, or add the matching `{_OPENER[closer]}` before it"
        )
    opener = stop.source.text[open_here[-1]]
    if _PARTNER[opener] == closer:
        return None
    others = (Annotation(Span(stop.source, open_here[-1], open_here[-1] + 1), "this is still open"),)
    message = f"`{closer}` does not close `{opener}`"
    found = Diagnostic("E0108", message, stop.span, f"expected `{_PARTNER[opener]}`", others)
    return found.advised(replacement(stop.span, _PARTNER[opener]))


def _never_closed(stop: Stop, at: int) -> Diagnostic | None:
    """Return the error for a bracket that could be closed at the stop, if what was found there cannot be inside it."""
    opener = stop.source.text[at]
    closer = _PARTNER[opener]
    stands_outside = stop.is_end or stop.begins_statement or (stop.found == "->" and not stop.takes("ARROW"))
    stands_outside = stands_outside or (stop.found == "output" and not _closes(stop))
    if not stands_outside or not stop.takes(_TERMINAL[closer]):
        return None
    others = () if stop.is_end else (Annotation(stop.span, f"expected `{closer}` before this"),)
    message = f"unclosed `{opener}`"
    head = re.search(r"(?:\b(?:net|block)\s+)?[\w./-]+$", stop.source.text[max(0, at - 80) : at])
    inside = stop.source.text[at : stop.offset].rstrip()
    is_shown = head is not None and opener == "(" and "\n" not in inside and len(inside) <= 40
    shown = f": `{head[0]}{inside}{closer}`" if head is not None and is_shown else ""
    help = f"add the missing `{closer}`{shown}"
    return Diagnostic("E0108", message, Span(stop.source, at, at + 1), "", others, help=help)


def _closes(stop: Stop) -> bool:
    """Return whether a bracket that is open at the stop is closed after it."""
    depth = 0
    for _, char in _behind(stop):
        depth += 1 if char in _PARTNER else -1
        if depth < 0:
            return True
    return False
