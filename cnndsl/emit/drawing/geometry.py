"""Checks the geometry of a picture: does a text overlap another, exceed its width, or lie on a line? Does anything
leave the picture, or an edge cross a box?

A text occupies the width reserved for it, whichever font a viewer has. If a text lies on a filled rectangle, items that
the rectangle covers cannot cross the text. An edge may run inside a box that holds others, such as a panel, but not
through its outline. The sign in a circle is not an edge.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Literal, TypeAlias

from cnndsl.emit.drawing.display import DisplayItem, GroupItem, PathItem, Picture, RectangleItem, TextItem
from cnndsl.emit.drawing.measure import width
from cnndsl.emit.drawing.shapes import outline
from cnndsl.records import record

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom."""
Place: TypeAlias = tuple[float, float]

ASCENT, DESCENT = 0.74, 0.2
"""The extent of letters above and below the baseline, relative to the text size: ascenders and descenders of Inter."""
_TOLERANCE = 0.3
"""The overlap in pixels that is invisible."""
_CELL = 48
_STEPS = 6
"""The number of straight pieces for a curve."""
_SMALLEST = 8.5
"""The size in pixels of the smallest text that is legible in print."""
_HOLDERS = frozenset({"card", "panel", "bg"})
_EDGES = frozenset({"line", "mute", "ghost", "error", "pool-stroke", "up-stroke"})
"""The fills of boxes that hold others, and the colours of edges."""
_NARROWEST = 5.0
"""The minimum width of a box; narrower ones are bars of others, or cells of one."""
_INSIDE, _SIGN = 0.9, 4.0
"""The lengths by which an edge may enter the box that it ends at, and a sign may leave its circle."""


@record(slots=True)
class GeometryFinding:
    """A problem with a text, a box (`text` is its fill) or an edge (its colour): the id of the group it is in, and
    the other text or the id of the item that lies on it."""

    problem: Literal[
        "is too small", "overlaps", "leaves its room", "leaves its box", "leaves the picture", "is crossed by"
    ]
    text: str
    id: str
    other: str = ""


@record(slots=True)
class _Placed:
    """An item with its number in drawing order, and the id of the innermost group that has one."""

    order: int
    item: RectangleItem | PathItem | TextItem
    id: str


def text_box(item: TextItem) -> Box:
    """Return the box that a text occupies.

    >>> text_box(TextItem(10, 20, "4", 10, anchor="end"))
    (3.58, 12.6, 10.0, 22.0)
    """
    across = width(item.text, item.size, item.weight, mono=item.mono)
    back = {"start": 0.0, "middle": across / 2, "end": across}[item.anchor]
    up, down = item.size * ASCENT, item.size * DESCENT
    if item.turned:
        return item.x - up, item.y + back - across, item.x + down, item.y + back
    return item.x - back, item.y - up, item.x - back + across, item.y + down


def bounds(item: DisplayItem) -> Box | None:
    """Return the bounding box of an item; None for an empty group."""
    if isinstance(item, TextItem):
        return text_box(item)
    if isinstance(item, RectangleItem):
        return item.x, item.y, item.x + item.width, item.y + item.height
    if isinstance(item, PathItem):
        return _around([(x, y, x, y) for line in _lines(item) for x, y in line])
    return _around([box for each in item.items if (box := bounds(each)) is not None])


def _around(boxes: Sequence[Box]) -> Box | None:
    if not boxes:
        return None
    lefts, tops, rights, lows = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(lows)


def findings(picture: Picture) -> list[GeometryFinding]:
    """Return the problems of a picture: first those of its texts in drawing order, then those of its boxes."""
    placed = [
        _Placed(order, item, name) for order, (item, name) in enumerate(_numbered(picture.items, "")) if _is_seen(item)
    ]
    return _Check(picture, placed).findings()


def _is_seen(item: DisplayItem) -> bool:
    return isinstance(item, TextItem | GroupItem) or bool(item.fill or item.stroke)


def _numbered(items: Iterable[DisplayItem], name: str) -> Iterator[tuple[RectangleItem | PathItem | TextItem, str]]:
    for item in items:
        if isinstance(item, GroupItem):
            yield from _numbered(item.items, item.id or name)
        else:
            yield item, name


class _Check:
    """The texts of a picture with their boxes, indexed by the cells of a grid to find neighbours quickly."""

    def __init__(self, picture: Picture, placed: Sequence[_Placed]) -> None:
        self._picture = picture
        self._placed = placed
        self._texts = [(each, each.item) for each in placed if isinstance(each.item, TextItem) and each.item.text]
        self._boxes = {each.order: text_box(item) for each, item in self._texts}
        self._filled = [
            (each, item)
            for each in placed
            if isinstance(item := each.item, RectangleItem) and item.fill and item.width > _NARROWEST
        ]
        self._grid: defaultdict[tuple[int, int], list[tuple[_Placed, RectangleItem]]] = defaultdict(list)
        for each, item in self._filled:
            for cell in _cells(_sides(item)):
                self._grid[cell].append((each, item))
        self._cells: defaultdict[tuple[int, int], list[_Placed]] = defaultdict(list)
        for each, _ in self._texts:
            for cell in _cells(self._boxes[each.order]):
                self._cells[cell].append(each)

    def findings(self) -> list[GeometryFinding]:
        """Return the problems."""
        found: list[tuple[int, GeometryFinding]] = []
        for each, item in self._texts:
            found += ((each.order, finding) for finding in self._of_one(each, item))
        found += self._crossings()
        of_texts = [finding for _, finding in sorted(found, key=lambda pair: pair[0])]
        return [*of_texts, *self._outside(), *self._crossed_boxes()]

    def _of_one(self, each: _Placed, item: TextItem) -> Iterator[GeometryFinding]:
        left, top, right, low = box = self._boxes[each.order]
        across = low - top if item.turned else right - left
        if item.room and across > item.room + _TOLERANCE:
            yield GeometryFinding("leaves its room", item.text, each.id)
        if item.size < _SMALLEST:
            yield GeometryFinding("is too small", item.text, each.id)
        if not _contains(_grown((0, 0, self._picture.width, self._picture.height), _TOLERANCE), box):
            yield GeometryFinding("leaves the picture", item.text, each.id)
        if not self._keeps_to_box(box):
            yield GeometryFinding("leaves its box", item.text, each.id)
        for other in self._near(box):
            if other.order > each.order and _meet(box, self._boxes[other.order]):
                assert isinstance(other.item, TextItem)
                yield GeometryFinding("overlaps", item.text, each.id, other.item.text)

    def _keeps_to_box(self, box: Box) -> bool:
        """Return whether a text stays inside the smallest box that contains its centre, if there is one."""
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        around = [
            sides
            for _, item in self._grid.get((int(x // _CELL), int(y // _CELL)), ())
            if _contains(sides := _sides(item), (x, y, x, y))
        ]
        smallest = min(around, key=lambda each: (each[2] - each[0]) * (each[3] - each[1]), default=None)
        return smallest is None or _contains(_grown(smallest, 4 * _TOLERANCE), box)

    def _outside(self) -> Iterator[GeometryFinding]:
        """Yield the boxes and edges that leave the picture."""
        page = _grown((0, 0, self._picture.width, self._picture.height), 1)
        for each in self._placed:
            item = each.item
            if not isinstance(item, TextItem) and (box := bounds(item)) is not None and not _contains(page, box):
                yield GeometryFinding("leaves the picture", item.fill or item.stroke, each.id)

    def _crossed_boxes(self) -> Iterator[GeometryFinding]:
        """Yield the boxes that an edge crosses."""
        for each in self._placed:
            edge = each.item
            if not isinstance(edge, PathItem) or edge.stroke not in _EDGES or (whole := bounds(edge)) is None:
                continue
            near = {other.order: (other, item) for cell in _cells(whole) for other, item in self._grid.get(cell, ())}
            for other, item in near.values():
                if _is_across(edge, whole, item):
                    yield GeometryFinding("is crossed by", item.fill, other.id, each.id)

    def _near(self, box: Box) -> list[_Placed]:
        """Return the texts in the cells of a box, each once, in order."""
        found = {each.order: each for cell in _cells(box) for each in self._cells.get(cell, ())}
        return [found[order] for order in sorted(found)]

    def _crossings(self) -> Iterator[tuple[int, GeometryFinding]]:
        """Yield the items that lie on a text, each once. Items covered by what the text lies on are ignored."""
        covers = self._covers()
        for each in self._placed:
            if isinstance(each.item, TextItem):
                continue
            for text in self._crossed(each.item):
                if each.order > covers.get(text.order, -1):
                    assert isinstance(text.item, TextItem)
                    yield text.order, GeometryFinding("is crossed by", text.item.text, text.id, each.id)

    def _covers(self) -> dict[int, int]:
        """Return for each text the number of the last filled rectangle below it that contains all of it."""
        found: dict[int, int] = {}
        for each in self._placed:
            if isinstance(each.item, RectangleItem) and each.item.fill and (box := bounds(each.item)):
                for text in self._near(box):
                    if each.order < text.order and _contains(box, self._boxes[text.order]):
                        found[text.order] = each.order - 1
        return found

    def _crossed(self, item: RectangleItem | PathItem) -> list[_Placed]:
        """Return the texts that an outline crosses."""
        found: dict[int, _Placed] = {}
        for line in _lines(item):
            for start, end in pairwise(line):
                reach = (min(start[0], end[0]), min(start[1], end[1]), max(start[0], end[0]), max(start[1], end[1]))
                for text in self._near(reach):
                    if _goes_through(start, end, self._boxes[text.order]):
                        found[text.order] = text
        return list(found.values())


def _is_across(edge: PathItem, whole: Box, item: RectangleItem) -> bool:
    """Return whether an edge crosses a box that it is not a part of."""
    box = _sides(item)
    is_circle = item.radius >= item.height / 2 and item.width == item.height
    if (item.fill in _HOLDERS and _contains(_grown(box, _TOLERANCE), whole)) or (
        is_circle and _contains(_grown(box, _SIGN), whole)
    ):
        return False
    inner = _grown(box, _TOLERANCE - _INSIDE)
    return any(_goes_through(start, end, inner) for line in _lines(edge) for start, end in pairwise(line))


def _sides(item: RectangleItem) -> Box:
    return item.x, item.y, item.x + item.width, item.y + item.height


def _grown(box: Box, by: float) -> Box:
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by


def _cells(box: Box) -> Iterator[tuple[int, int]]:
    left, top, right, low = (int(side // _CELL) for side in box)
    return ((x, y) for x in range(left, right + 1) for y in range(top, low + 1))


def _contains(outer: Box, inner: Box) -> bool:
    return outer[0] <= inner[0] and outer[1] <= inner[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


def _meet(one: Box, other: Box) -> bool:
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return across > _TOLERANCE and down > _TOLERANCE


def _lines(item: RectangleItem | PathItem) -> Iterator[list[Place]]:
    """Yield the lines of an outline, one for each move; curves are split into straight pieces."""
    line: list[Place] = []
    for letter, values in outline(item) if isinstance(item, RectangleItem) else item.commands:
        if letter == "M":
            if line:
                yield line
            line = [(values[0], values[1])]
        elif letter == "L":
            line.append((values[0], values[1]))
        elif letter == "C":
            line += _pieces(line[-1], values)
        else:
            line.append(line[0])
    if line:
        yield line


def _pieces(start: Place, values: Sequence[float]) -> Iterator[Place]:
    """Yield the points of a cubic curve after its start."""
    first, second, end = ((values[at], values[at + 1]) for at in (0, 2, 4))
    for step in range(1, _STEPS + 1):
        on = step / _STEPS
        back = 1 - on
        shares = (back**3, 3 * back * back * on, 3 * back * on * on, on**3)
        corners = (start, first, second, end)
        x, y = (sum(share * corner[axis] for share, corner in zip(shares, corners, strict=True)) for axis in (0, 1))
        yield x, y


def _goes_through(start: Place, end: Place, box: Box) -> bool:
    """Return whether a straight line meets the inside of a box (Liang and Barsky 1984)."""
    first, last = 0.0, 1.0
    for axis in (0, 1):
        delta = end[axis] - start[axis]
        low, high = box[axis] + _TOLERANCE - start[axis], box[axis + 2] - _TOLERANCE - start[axis]
        if not delta:
            if low > 0 or high < 0:
                return False
            continue
        near, far = sorted((low / delta, high / delta))
        first, last = max(first, near), min(last, far)
    return first <= last
