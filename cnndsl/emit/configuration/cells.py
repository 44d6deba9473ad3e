"""Draws the cells of a configuration table: boxes for layers, square brackets for blocks, badges for repeats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnndsl.emit.configuration.lines import broken
from cnndsl.emit.configuration.model import StageBlock
from cnndsl.emit.drawing.cards.words import TIMES
from cnndsl.emit.drawing.display import Command, DisplayItem, PathItem, RectangleItem, TextItem
from cnndsl.emit.drawing.measure import width
from cnndsl.records import record

SIZE = 9.0
_LINE = 12.0
_BAR = 3.5
"""The width of the bar at the left of a box, in the stroke of its role."""
_SIDE = 7.0
"""The space on both sides of a text in a box or in square brackets."""
_TICK = 3.5
"""The length of the horizontal ends of a square bracket."""
_GAP = 4.0
_BADGE = 13.0


@record(slots=True)
class CellBlock:
    """A block with the lines in which it is drawn, its width and its height."""

    block: StageBlock
    lines: tuple[str, ...]
    width: float
    height: float


def laid_out(block: StageBlock, room: float) -> CellBlock:
    """Return a block with its layout. Branches that are wider than `room` are broken at their arrows."""
    beside = 2 * _SIDE + (_GAP + _badge_width(block.times) if block.times > 1 else 0)
    lines = [line for text in block.texts for line in broken(text, room - beside, _width)]
    return CellBlock(block, tuple(lines), max(map(_width, lines)) + beside, len(lines) * _LINE + 5)


def stacked_height(cell: Sequence[CellBlock]) -> float:
    """Return the height of the blocks of a cell, one below the other."""
    return sum(each.height for each in cell) + _GAP * max(len(cell) - 1, 0)


def drawn(cell: Sequence[CellBlock], left: float, right: float, top: float, *, is_wide: bool) -> Iterator[DisplayItem]:
    """Yield the items of a cell; if it `is_wide`, boxes of layers fill its width."""
    for each in cell:
        start = (left + right - each.width) / 2
        if each.block.has_brackets:
            yield from _bracketed(each, start, top)
        elif is_wide:
            yield from _boxed(each, left, right - left, top)
        else:
            yield from _boxed(each, start, each.width, top)
        top += each.height + _GAP


def _boxed(cell: CellBlock, x: float, wide: float, y: float) -> Iterator[DisplayItem]:
    role = cell.block.lines[0].role
    yield RectangleItem(x, y, wide, cell.height, fill=role, stroke=f"{role}-stroke", line=0.9, radius=3)
    yield RectangleItem(x, y, _BAR, cell.height, fill=f"{role}-stroke", radius=3, hatch=role, rounded="left")
    for at, line in enumerate(cell.lines):
        middle, room = x + wide / 2, wide - 2 * _BAR
        yield TextItem(middle, y + 2.5 + _baseline(at), line, SIZE, 500, anchor="middle", room=room)


def _bracketed(cell: CellBlock, x: float, y: float) -> Iterator[DisplayItem]:
    times = cell.block.times
    badge = _GAP + _badge_width(times) if times > 1 else 0
    end, bottom, room = x + cell.width - badge, y + cell.height, cell.width - badge - 2 * _TICK
    for edge, inwards in ((x, _TICK), (end, -_TICK)):
        tip = edge + inwards
        lines: tuple[Command, ...] = (("L", (edge, y)), ("L", (edge, bottom)), ("L", (tip, bottom)))
        yield PathItem((("M", (tip, y)), *lines), stroke="line", line=1)
    for at, line in enumerate(cell.lines):
        yield TextItem(x + _SIDE, y + 2.5 + _baseline(at), line, SIZE, 500, room=room - _SIDE + _TICK)
    if times > 1:
        wide, middle = _badge_width(times), (y + bottom) / 2
        yield RectangleItem(end + _GAP, middle - _BADGE / 2, wide, _BADGE, fill="ink", radius=_BADGE / 2)
        place = end + _GAP + wide / 2
        yield TextItem(place, middle + 3.2, f"{TIMES}{times}", SIZE, 700, "bg", "middle", wide - 4)


def _badge_width(times: int) -> float:
    return width(f"{TIMES}{times}", SIZE, 700) + 10


def _baseline(at: int) -> float:
    return at * _LINE + 9.2


def _width(text: str) -> float:
    return width(text, SIZE, 500)
