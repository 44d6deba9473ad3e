"""Remove the invalid parts from a source with syntax errors, so that the rest can be analysed.

Each part is replaced by `_` and spaces, so all offsets stay the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cnndsl.errors import CnnError, Source
from cnndsl.syntax import ast
from cnndsl.syntax.edits import code, statement_end
from cnndsl.syntax.parse import where_it_stops

_MOST_ROUNDS = 30
_OPENING, _CLOSING = "([{", ")]}"


def masked(text: str) -> tuple[ast.File, list[tuple[int, int]]] | None:
    """Return the tree of a text without its invalid parts, and the ranges of these; None if they are not found."""
    parts: list[tuple[int, int]] = []
    for _ in range(_MOST_ROUNDS):
        source = Source("", text)
        try:
            found = where_it_stops(source)
        except CnnError:
            return None
        if isinstance(found, ast.File):
            return found, parts
        first, last = _statement(source, found)
        if first and not text[first:found].strip():
            found = len(text[:first].rstrip())
            first, last = _statement(source, found - 1)
        part = _element(source, found, first, last)
        bracket = _never_closed(code(source, first, last), found - first)
        tries = (
            *([(first + bracket, first + bracket + 1, "")] if bracket >= 0 else []),
            part,
            (part[0], last, part[2]),
            (first, last, ""),
        )
        start, end, stand_in = next((each for each in tries if _is_new(each, parts, text)), (0, 0, ""))
        if start >= end:
            return None
        parts.append((start, end))
        blank = re.sub(r"[^\n]", " ", text[start:end])
        text = f"{text[:start]}{stand_in}{blank[len(stand_in) :]}{text[end:]}"
    return None


def _statement(source: Source, at: int) -> tuple[int, int]:
    """Return the range of the statement that contains an offset."""
    start = max((begin for begin in _beginnings(source) if begin <= at), default=0)
    return start, max(statement_end(source, max(at, start + 1)), start)


def _beginnings(source: Source) -> Iterator[int]:
    at = 0
    while at < len(source.text):
        yield at
        at = statement_end(source, at + 1)


def _is_new(part: tuple[int, int, str], parts: list[tuple[int, int]], text: str) -> bool:
    """Return whether there is still something to remove in a part."""
    start, end, _ = part
    return (start, end) not in parts and text[start:end].strip() not in ("", "_")


def _element(source: Source, at: int, first: int, last: int) -> tuple[int, int, str]:
    """Return the range of the chain element, branch or argument at an offset of a statement, and its replacement."""
    text = code(source, first, last)
    start, end = _begin(text, at - first), _end(text, at - first)
    inside = text[start:end]
    lead = len(inside) - len(inside.lstrip())
    if re.match(r"\s*(?i:input)\b", inside) and len(inside) - lead >= len("INPUT"):
        stand_in = "INPUT"
    else:
        stand_in = "_" if start else ""
    return first + start + lead, first + end, stand_in


def _begin(text: str, at: int) -> int:
    """Return where the element that contains or ends at `at` begins. A bracket that is never closed is part of it."""
    closed = {place for place, _ in _closed(text)}
    depth = 0
    for place in range(min(at, len(text)) - 1, -1, -1):
        char = text[place]
        if char in _OPENING and place not in closed:
            continue
        depth += (char in _CLOSING) - (char in _OPENING)
        if depth < 0 or (depth == 0 and (char in "+|," or text[place - 1 : place + 1] == "->")):
            return place + 1
        if depth == 0 and char == "=" and text[place - 1] not in "=!<>" and text[place + 1 : place + 2] != "=":
            return place + 1
    return 0


def _never_closed(text: str, at: int) -> int:
    """Return the offset of the last bracket before `at` that is never closed; -1 if there is none."""
    closed = {place for place, _ in _closed(text)}
    return max((place for place, char in enumerate(text[:at]) if char in _OPENING and place not in closed), default=-1)


def _closed(text: str) -> Iterator[tuple[int, int]]:
    """Yield the offsets of each opening bracket that is closed, and of its closing bracket."""
    opened: list[int] = []
    for place, char in enumerate(text):
        if char in _OPENING:
            opened.append(place)
        elif char in _CLOSING and opened:
            yield opened.pop(), place


def _end(text: str, at: int) -> int:
    depth = 0
    for place in range(at, len(text)):
        char = text[place]
        depth += (char in _OPENING) - (char in _CLOSING)
        if depth < 0 or (depth == 0 and place > at and (char in "+|," or text[place : place + 2] == "->")):
            return place
    return len(text.rstrip())
