"""Render one line of a file with its underlines, which align under tabs, wide characters and escapes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnndsl.records import record
from cnndsl.terminal import Paint, clean, visible, width

LONGEST = 110
"""A line with more characters is cut around its marks."""
_LEAD = 16
"""The number of characters of a cut line that are kept before its first mark."""
_TAB = 4


@record(slots=True)
class Mark:
    """An underline from character `start` to before `end`, with its label."""

    start: int
    end: int
    text: str
    primary: bool


def excerpt(line: str, marks: Sequence[Mark], paint: Paint, tint: str, longest: int = LONGEST) -> Iterator[list[str]]:
    """Yield the line as printed and the lines below it; several times if its marks are too far apart for one excerpt.

    >>> for shown in excerpt("CONV3 -> ID", [Mark(9, 11, "56x56", True), Mark(0, 5, "28x28", False)], Paint(False), ""):
    ...     print(*shown, sep="\\n")
    CONV3 -> ID
    -----    ^^ 56x56
    |
    28x28
    """
    for start, stop, group in _windows(line, sorted(marks, key=lambda mark: mark.start), longest):
        text, columns = _print(line, start, stop)
        placed = [_place(mark, start, columns) for mark in group]
        yield [text, *_underline(placed, paint, tint)]


def _windows(line: str, marks: list[Mark], longest: int) -> Iterator[tuple[int, int, list[Mark]]]:
    """Yield the ranges of characters to show, each with the marks that begin in it. If `longest` is less than
    `LONGEST`, the labels of the marks have to fit as well."""
    texts = [mark.end + 1 + len(mark.text) for mark in marks] if longest < LONGEST else []
    needed = max(len(line), *texts, 0)
    if needed <= longest or not marks:
        yield 0, min(len(line), longest), marks
        return
    while marks:
        latest = max(0, needed - longest)
        start = min(max(0, marks[0].start - _LEAD), latest)
        stop = start + longest
        inside = [mark for mark in marks if mark.start < stop or start == latest]
        while texts and len(inside) > 1 and inside[-1].end + 1 + len(inside[-1].text) > stop:
            inside.pop()
        over = inside[-1].end + 1 + len(inside[-1].text) - stop if texts else 0
        by = min(max(over, 0), inside[0].start - start)
        yield start + by, stop + by, inside
        marks = marks[len(inside) :]


def _print(line: str, start: int, stop: int) -> tuple[str, list[int]]:
    """Return the characters of a range as printed, and the column of each and of the end."""
    printed = ["… "] if start else []
    columns: list[int] = []
    at = 2 if start else 0
    for char in line[start:stop]:
        columns.append(at)
        shown = " " * (_TAB - at % _TAB) if char == "\t" else visible(char)
        at += width(shown)
        printed.append(shown)
    columns.append(at)
    if stop < len(line):
        printed.append(" …")
    return "".join(printed), columns


def _place(mark: Mark, start: int, columns: list[int]) -> Mark:
    """Return a mark with columns in place of characters."""
    last = len(columns) - 1
    first = columns[min(mark.start - start, last)] + max(0, mark.start - start - last)
    end = columns[min(mark.end - start, last)]
    return Mark(first, max(end, first + 1), clean(mark.text), mark.primary)


def _underline(marks: list[Mark], paint: Paint, tint: str) -> list[str]:
    """Return the row of underlines with the last label, then the other labels, each below its mark."""
    if not marks:
        return []
    row: dict[int, tuple[str, bool]] = {}
    for mark in sorted(marks, key=lambda mark: mark.start - mark.end):
        row.update(dict.fromkeys(range(mark.start, mark.end), ("^" if mark.primary else "-", mark.primary)))
    last = max(marks, key=lambda mark: (mark.start, mark.end))
    beside = last.text and last.end == max(row) + 1
    lines = [_draw(row, paint, tint)]
    if beside:
        lines[0] += " " + paint(last.text, "bold", _tint(last.primary, tint))
    hanging = [mark for mark in marks if mark.text and not (beside and mark is last)]
    if hanging:
        lines.append(_draw({mark.start: ("|", mark.primary) for mark in hanging}, paint, tint))
    while hanging:
        mark = hanging.pop()
        stems = {other.start: ("|", other.primary) for other in hanging if other.start < mark.start}
        stem = _draw(stems, paint, tint)
        gap = " " * (mark.start - max(stems, default=-1) - 1)
        lines.append(stem + gap + paint(mark.text, "bold", _tint(mark.primary, tint)))
    return lines


def _tint(primary: bool, tint: str) -> str:
    return tint if primary and tint else "blue"


def _draw(row: dict[int, tuple[str, bool]], paint: Paint, tint: str) -> str:
    """Return the characters at their columns; runs of the same type share one colour."""
    drawn: list[str] = []
    at = 0
    run, kind = "", False
    for column in sorted(row):
        char, primary = row[column]
        if run and (column != at or primary != kind):
            drawn.append(paint(run, "bold", _tint(kind, tint)))
            run = ""
        drawn.append(" " * (column - at))
        run, kind, at = run + char, primary, column + 1
    drawn.append(paint(run, "bold", _tint(kind, tint)))
    return "".join(drawn)
