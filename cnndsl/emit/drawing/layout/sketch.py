"""Shapes on a plane that can be moved: the elements of every drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import hypot
from typing import Literal, TypeAlias

from cnndsl.emit.drawing.display import (
    Command,
    DisplayItem,
    GroupItem,
    PaintName,
    PathItem,
    RectangleItem,
    TextItem,
    Weight,
)
from cnndsl.emit.drawing.measure import shortened
from cnndsl.emit.drawing.shapes import circle

PlanePoint: TypeAlias = tuple[float, float]

BEND = 6.0
"""The radius of a bend."""
HEAD = 5.0
"""The length of an arrowhead."""
_CURVE = 0.5523
"""The distance of the control points of a quarter of a circle."""
SMALL = 8.5
"""The font size of shapes and notes; no text is smaller."""


@dataclass(eq=False)
class Sketch:
    """Items in the order in which they are drawn."""

    items: list[DisplayItem] = field(default_factory=list[DisplayItem])

    def box(
        self,
        x: float,
        y: float,
        across: float,
        height: float,
        fill: PaintName,
        stroke: PaintName = "",
        line: float = 0.9,
        radius: float = 3,
        dash: tuple[float, ...] = (),
        hatch: str = "",
        rounded: Literal["both", "left", "right"] = "both",
    ) -> None:
        """Draw a rectangle."""
        self.items.append(
            RectangleItem(x, y, across, height, fill, stroke, line if stroke else 0, radius, dash, hatch, rounded)
        )

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 9,
        weight: Weight = 400,
        paint: PaintName = "ink",
        anchor: str = "start",
        room: float = 0,
        turned: bool = False,
    ) -> None:
        """Draw a line of text; with `room` it is shortened to that width."""
        shown = shortened(text, size, room, weight) if room else text
        placed = "middle" if anchor == "middle" else "end" if anchor == "end" else "start"
        self.items.append(TextItem(x, y, shown, size, weight, paint, placed, room, turned))

    def line(
        self,
        points: Sequence[PlanePoint],
        *,
        paint: PaintName = "line",
        line: float = 1,
        dash: tuple[float, ...] = (),
        head: bool = False,
    ) -> None:
        """Draw lines through points with rounded bends, and an arrowhead at the end."""
        kept = _without_repeats(points)
        if len(kept) < 2:
            return
        if head:
            kept = [*kept[:-1], _before_end(kept, HEAD - 0.5)]
        self.items.append(PathItem(_rounded(kept), "", paint, line, dash))
        if head:
            self._head(points[-1], kept[-2], paint)

    def dot(self, x: float, y: float, paint: PaintName = "line") -> None:
        """Draw the dot at which lines part or join."""
        self.items.append(PathItem(circle(x, y, 2), paint, "", 0))

    def circle(self, x: float, y: float, radius: float, fill: PaintName, stroke: PaintName, line: float = 1) -> None:
        """Draw a circle."""
        self.items.append(RectangleItem(x - radius, y - radius, 2 * radius, 2 * radius, fill, stroke, line, radius))

    def place(self, other: Sketch, dx: float, dy: float) -> None:
        """Draw another sketch, moved."""
        self.items += [moved(item, dx, dy) for item in other.items]

    def grouped(self, id: str, title: str = "", link: str = "") -> Sketch:
        """Return the sketch as one group."""
        return Sketch([GroupItem(id, tuple(self.items), title, link)]) if id else self

    def _head(self, tip: PlanePoint, before: PlanePoint, paint: PaintName) -> None:
        length = hypot(tip[0] - before[0], tip[1] - before[1]) or 1
        ux, uy = (tip[0] - before[0]) / length, (tip[1] - before[1]) / length
        base = (tip[0] - HEAD * ux, tip[1] - HEAD * uy)
        left = (base[0] - 2.5 * uy, base[1] + 2.5 * ux)
        right = (base[0] + 2.5 * uy, base[1] - 2.5 * ux)
        self.items.append(PathItem((("M", left), ("L", tip), ("L", right), ("Z", ())), paint, "", 0))


def moved(item: DisplayItem, dx: float, dy: float) -> DisplayItem:
    """Return an item at another position."""
    match item:  # written out: there are many, and `replace` takes four times as long
        case GroupItem():
            return GroupItem(item.id, tuple([moved(each, dx, dy) for each in item.items]), item.title, item.link)
        case PathItem():
            commands: tuple[Command, ...] = tuple([(letter, _moved(at, dx, dy)) for letter, at in item.commands])
            return PathItem(commands, item.fill, item.stroke, item.line, item.dash)
        case RectangleItem():
            return RectangleItem(
                item.x + dx,
                item.y + dy,
                item.width,
                item.height,
                item.fill,
                item.stroke,
                item.line,
                item.radius,
                item.dash,
                item.hatch,
                item.rounded,
            )
        case TextItem():
            return TextItem(
                item.x + dx,
                item.y + dy,
                item.text,
                item.size,
                item.weight,
                item.paint,
                item.anchor,
                item.room,
                item.turned,
                item.mono,
            )


def scaled(item: DisplayItem, by: float) -> DisplayItem:
    """Return an item larger by a factor, with its texts and lines."""
    match item:
        case GroupItem():
            return replace(item, items=tuple(scaled(each, by) for each in item.items))
        case PathItem():
            commands: tuple[Command, ...] = tuple(
                (letter, tuple(by * each for each in at)) for letter, at in item.commands
            )
            return replace(item, commands=commands, line=item.line * by, dash=tuple(by * each for each in item.dash))
        case RectangleItem():
            return replace(
                item,
                x=item.x * by,
                y=item.y * by,
                width=item.width * by,
                height=item.height * by,
                line=item.line * by,
                radius=item.radius * by,
                dash=tuple(by * each for each in item.dash),
            )
        case TextItem():
            return replace(item, x=item.x * by, y=item.y * by, size=item.size * by, room=item.room * by)


def _moved(numbers: tuple[float, ...], dx: float, dy: float) -> tuple[float, ...]:
    return tuple([each + (dy if at % 2 else dx) for at, each in enumerate(numbers)])


def _without_repeats(points: Sequence[PlanePoint]) -> list[PlanePoint]:
    found = [points[0]]
    found += [each for before, each in pairwise(points) if each != before]
    return found


def _before_end(points: Sequence[PlanePoint], by: float) -> PlanePoint:
    (x0, y0), (x1, y1) = points[-2], points[-1]
    length = hypot(x1 - x0, y1 - y0) or 1
    by = min(by, length * 0.9)
    return (x1 - by * (x1 - x0) / length, y1 - by * (y1 - y0) / length)


def _rounded(points: Sequence[PlanePoint]) -> tuple[Command, ...]:
    """Return a path through points with rounded corners (quarters of circles)."""
    found: list[Command] = [("M", points[0])]
    for before, at, after in zip(points, points[1:], points[2:], strict=False):
        inward, onward = hypot(at[0] - before[0], at[1] - before[1]), hypot(after[0] - at[0], after[1] - at[1])
        radius = min(BEND, inward / 2, onward / 2)
        start, stop = _towards(at, before, radius), _towards(at, after, radius)
        first, second = _towards(at, before, radius * (1 - _CURVE)), _towards(at, after, radius * (1 - _CURVE))
        found.append(("L", start))
        found.append(("C", (*first, *second, *stop)))
    found.append(("L", points[-1]))
    return tuple(found)


def _towards(point: PlanePoint, other: PlanePoint, by: float) -> PlanePoint:
    length = hypot(other[0] - point[0], other[1] - point[1]) or 1
    return (point[0] + by * (other[0] - point[0]) / length, point[1] + by * (other[1] - point[1]) / length)
