"""The content beneath a drawing: symbols and their meanings, metrics, and a list in columns, as far as there is
room."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.emit.drawing.cards.model import FootLine
from cnndsl.emit.drawing.layout.sketch import SMALL, Sketch
from cnndsl.emit.drawing.measure import width, wrapped

_LINE = 13.0
_FURTHER = 11.0
"""The height of a further line of a text."""
_SIGN = 14.0
_ABOVE = 10.0
_BETWEEN = 16.0
"""The gap between columns."""
_MOST_COLUMNS = 3
_LEAST_ROWS = 12
"""The least number of entries of a list that are shown in any case."""


def foot_width(lines: Sequence[FootLine], most: float) -> float:
    """Return the width of the widest line, `most` if it needs more."""
    return min(max([0.0, *(_natural(line) for line in lines)]), most)


def foot_height(lines: Sequence[FootLine], across: float) -> float:
    """Return the height of lines with all of their list."""
    return foot(Sketch(), lines, 0, across, float("inf"))


def foot(sketch: Sketch, lines: Sequence[FootLine], y: float, across: float, lowest: float = 0) -> float:
    """Draw lines beneath a drawing that ends at `y`, and return where they end. A list may extend down to `lowest`;
    entries that don't fit are counted."""
    if not lines:
        return y
    y += _ABOVE
    sketch.line([(0, y), (across, y)], paint="hair", line=0.8)
    for line in lines:
        if not line.is_listed:
            y = _line(sketch, line, 0, y, across)
    return _list(sketch, [line for line in lines if line.is_listed], y, across, lowest) + 5


def _list(sketch: Sketch, lines: Sequence[FootLine], y: float, across: float, lowest: float) -> float:
    if not lines:
        return y
    widest = max(map(_natural, lines))
    count = max(min(int((across + _BETWEEN) / (widest + _BETWEEN)), _MOST_COLUMNS), 1)
    own = (across - _BETWEEN * (count - 1)) / count
    heights = [_height(line, own) for line in lines]
    room = max(_LEAST_ROWS * _LINE, lowest - y - 5)
    shown = _fitting(heights, room, count)
    if shown < len(lines):
        shown = _fitting(heights, room - _LINE, count)
    top = low = y
    column, used, tallest = 0, 0.0, _share(heights[:shown], count)
    for line, height in zip(lines[:shown], heights, strict=False):
        if used and used + height > tallest + 0.1 and column < count - 1:
            column, used = column + 1, 0.0
        _line(sketch, line, column * (own + _BETWEEN), top + used, own)
        used += height
        low = max(low, top + used)
    if shown < len(lines):
        low = _line(sketch, FootLine(f"and {len(lines) - shown} more"), 0, low, across)
    return low


def _fitting(heights: Sequence[float], room: float, count: int) -> int:
    """Return how many lines fit into `count` columns of a height."""
    shown = len(heights)
    while shown > 1 and _share(heights[:shown], count) > room:
        shown -= 1
    return shown


def _share(heights: Sequence[float], count: int) -> float:
    """Return the least height in which lines fit into `count` columns, filled in order."""
    least = max(max(heights, default=0.0), sum(heights) / count)
    while True:
        columns, used = 1, 0.0
        for height in heights:
            if used and used + height > least + 0.1:
                columns, used = columns + 1, 0.0
            used += height
        if columns <= count:
            return least
        least += _FURTHER / 4


def _line(sketch: Sketch, line: FootLine, x: float, y: float, across: float) -> float:
    """Draw a text in as many lines as necessary beneath `y`, and return where it ends."""
    y += _LINE
    if line.sign:
        sketch.text(x + _SIGN / 2, y + 0.6, line.sign, 10, 700, line.paint, "middle")
    paint = "ink" if line.sign else line.paint
    room = across - _start(line)
    for number, text in enumerate(_wrapped(line, across)):
        y += _FURTHER if number else 0
        sketch.text(x + _start(line), y, text, SMALL, 400, paint, room=room)
    return y


def _height(line: FootLine, across: float) -> float:
    return _LINE + _FURTHER * (len(_wrapped(line, across)) - 1)


def _wrapped(line: FootLine, across: float) -> list[str]:
    return wrapped(line.text, SMALL, across - _start(line))


def _natural(line: FootLine) -> float:
    return _start(line) + width(line.text, SMALL) + 2


def _start(line: FootLine) -> float:
    return _SIGN + 2 if line.sign else 2
