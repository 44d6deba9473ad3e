"""Geometry that all writers share: rectangles as paths, the bars of a theme without colours, the start of a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from cnndsl.emit.drawing.display import Command, DisplayItem, GroupItem, PathItem, RectangleItem, TextItem
from cnndsl.emit.drawing.themes import Hatching, Theme
from cnndsl.emit.drawing.truetype import face_name, text_width

BAR = 6
"""The width of a hatched bar."""
_CIRCLE = 0.5523
"""The distance of the control points of a quarter circle from its ends, relative to the radius."""
_SPACING = 4
_HATCH_LINE = 0.7
_Segment: TypeAlias = tuple[float, float, float, float]
_SHARE = {"start": 0.0, "middle": 0.5, "end": 1.0}


def outline(item: RectangleItem) -> tuple[Command, ...]:
    """Return a rectangle as a path, clockwise from its upper left corner."""
    x, y, right, low = item.x, item.y, item.x + item.width, item.y + item.height
    radius = min(item.radius, item.height / 2, item.width if item.rounded != "both" else item.width / 2)
    left_radius, right_radius = (radius if item.rounded in ("both", side) else 0 for side in ("left", "right"))
    commands: list[Command] = [("M", (x + left_radius, y)), ("L", (right - right_radius, y))]
    commands += _corner((right, y), (-1, 0), (0, 1), right_radius)
    commands.append(("L", (right, low - right_radius)))
    commands += _corner((right, low), (0, -1), (-1, 0), right_radius)
    commands.append(("L", (x + left_radius, low)))
    commands += _corner((x, low), (1, 0), (0, -1), left_radius)
    commands.append(("L", (x, y + left_radius)))
    commands += _corner((x, y), (0, 1), (1, 0), left_radius)
    return (*commands, ("Z", ()))


def _corner(
    corner: tuple[float, float], back: tuple[int, int], on: tuple[int, int], radius: float
) -> Iterator[Command]:
    """Yield the quarter circle at a corner, from one radius before it to one radius after it."""
    if not radius:
        return
    x, y = corner
    near, far = radius * (1 - _CIRCLE), radius
    yield (
        "C",
        (x + back[0] * near, y + back[1] * near, x + on[0] * near, y + on[1] * near, x + on[0] * far, y + on[1] * far),
    )


def circle(x: float, y: float, radius: float) -> tuple[Command, ...]:
    """Return a circle as a path.

    >>> circle(0, 0, 2)[0]
    ('M', (0, -2))
    """
    return outline(RectangleItem(x - radius, y - radius, 2 * radius, 2 * radius, radius=radius))


def flat(items: Iterable[DisplayItem]) -> Iterator[RectangleItem | PathItem | TextItem]:
    """Yield the items of all groups in drawing order."""
    for item in items:
        if isinstance(item, GroupItem):
            yield from flat(item.items)
        else:
            yield item


def is_invisible(item: RectangleItem) -> bool:
    """Return whether a rectangle only serves as the area of a tooltip."""
    return not item.fill and not item.stroke


def start_of(item: TextItem) -> tuple[float, float]:
    """Return the start of the baseline of a text that is set in the bundled fonts."""
    back = _SHARE[item.anchor] * text_width(item.text, item.size, face_name(item.weight, item.mono))
    return (item.x, item.y + back) if item.turned else (item.x - back, item.y)


def drawn(item: RectangleItem, theme: Theme) -> Iterator[RectangleItem | PathItem]:
    """Yield a rectangle as a theme draws it: itself, or its pattern."""
    if not item.hatch or theme.name != "mono" or item.width > BAR:
        yield item
    elif pattern := theme.hatches.get(item.hatch, ""):
        right, low = item.x + BAR, item.y + item.height
        lines = _hatching(pattern, (item.x + 0.5, item.y + 0.5, right - 0.4, low - 0.5))
        commands: list[Command] = []
        for x, y, across, down in (*lines, (right, item.y, right, low)):
            commands.append(("M", (x, y)))
            commands.append(("L", (across, down)))
        yield PathItem(tuple(commands), stroke="ink", line=_HATCH_LINE)


def _hatching(pattern: Hatching, box: _Segment) -> Iterator[_Segment]:
    """Yield the lines of a pattern within a box: left, top, right, bottom."""
    left, top, right, low = box
    if pattern == "upright":
        yield from ((x, top, x, low) for x in (left + 1.6, left + 3.6))
    if pattern == "across":
        steps = range(1, int((low - top) / _SPACING) + 1)
        yield from ((left, top + at * _SPACING, right, top + at * _SPACING) for at in steps)
    if pattern in ("down", "crossed"):
        yield from _slanted(box)
    if pattern in ("up", "crossed"):
        yield from ((x, top + low - y, across, top + low - down) for x, y, across, down in _slanted(box))


def _slanted(box: _Segment) -> Iterator[_Segment]:
    """Yield lines that fall to the right at 45 degrees."""
    left, top, right, low = box
    wide = right - left
    start = top - wide + _SPACING / 2
    while start < low:
        first, last = max(start, top), min(start + wide, low)
        yield left + first - start, first, left + last - start, last
        start += _SPACING
