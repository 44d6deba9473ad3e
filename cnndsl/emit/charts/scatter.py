"""Networks as points with their names: one column on each axis.

An axis is logarithmic if its largest value is more than 20 times its smallest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import ceil, floor, log10

from cnndsl.emit.drawing.display import DisplayItem, GroupItem, PathItem, Picture, TextItem
from cnndsl.emit.drawing.measure import shortened, width
from cnndsl.emit.drawing.shapes import circle
from cnndsl.records import record

_PAGE, _BOTTOM = 680, 440
_LEFT, _RIGHT, _TOP, _LOW = 60, 664, 36, 392
_NAME, _NOTE = 9.0, 8.5
_RADIUS = 3.5
_DECADES = 20
"""The ratio of the largest value to the smallest above which an axis is logarithmic."""
_LONGEST_NAME = 160


@record
class PlotAxis:
    """An axis: its title, the values at its two ends, whether it is logarithmic, and how a value is written."""

    title: str
    first: float
    last: float
    is_log: bool
    label: Callable[[float], str] = str

    def part(self, value: float) -> float:
        """Return where a value lies, from 0 at the first end to 1 at the last.

        >>> PlotAxis("params", 1, 100, True).part(10), PlotAxis("depth", 0, 100, False).part(25)
        (0.5, 0.25)
        """
        if self.is_log:
            return (log10(value) - log10(self.first)) / (log10(self.last) - log10(self.first))
        return (value - self.first) / (self.last - self.first)

    def ticks(self) -> list[float]:
        """Return the values at which the axis has lines.

        >>> PlotAxis("params", 1e6, 1e8, True).ticks()[:4], PlotAxis("depth", 0, 100, False).ticks()
        ([1000000.0, 2000000.0, 5000000.0, 10000000.0], [0, 20, 40, 60, 80, 100])
        """
        if self.is_log:
            powers = range(floor(log10(self.first)), ceil(log10(self.last)) + 1)
            every = (1, 2, 5) if len(powers) <= 4 else (1,)
            found = [digit * 10.0**power for power in powers for digit in every]
            return [each for each in found if self.first <= each <= self.last]
        step = _step((self.last - self.first) / 5)
        return [step * at for at in range(ceil(self.first / step), floor(self.last / step) + 1)]


@record
class PlotPoint:
    """A point of a plot with its name."""

    name: str
    x: float
    y: float


def axis(title: str, values: Sequence[float], label: Callable[[float], str]) -> PlotAxis:
    """Return the axis on which all values lie, with some room at both ends."""
    least, most = min(values), max(values)
    if least > 0 and most / least > _DECADES:
        room = (most / least) ** 0.06
        return PlotAxis(title, least / room, most * room, True, label)
    room = (most - least) * 0.08 or abs(most) * 0.1 or 1
    return PlotAxis(title, least - room, most + room, False, label)


def _step(least: float) -> float:
    """Return the smallest of 1, 2 and 5 times a power of ten that is at least `least`.

    >>> _step(18), _step(0.3), _step(7)
    (20, 0.5, 10)
    """
    power = 10 ** floor(log10(least))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= least)


def picture(points: Sequence[PlotPoint], x: PlotAxis, y: PlotAxis, note: str) -> Picture:
    """Return the plot. `note` says what the values apply to."""
    plot, title = _Scatter(x, y), f"{y.title} and {x.title}"
    items = (*plot.head(title), *plot.grid(), *plot.points(points))
    return Picture("networks", _PAGE, _BOTTOM, items, title, note)


@record
class _Scatter:
    """A plot with two axes."""

    x: PlotAxis
    y: PlotAxis

    def head(self, title: str) -> Iterator[DisplayItem]:
        yield TextItem(0, 14, title, 11, 700)
        yield TextItem(_LEFT, 30, self.y.title, _NOTE, paint="mute")
        yield TextItem(_RIGHT, _BOTTOM - 16, self.x.title, _NOTE, paint="mute", anchor="end")

    def grid(self) -> Iterator[DisplayItem]:
        for value in self.y.ticks():
            _, y = self._at(self.x.first, value)
            yield PathItem((("M", (_LEFT, y)), ("L", (_RIGHT, y))), "", "hair", 0.8)
            yield TextItem(_LEFT - 6, y + 3, self.y.label(value), _NOTE, paint="mute", anchor="end", room=_LEFT - 6)
        for value in self.x.ticks():
            x, _ = self._at(value, self.y.first)
            yield PathItem((("M", (x, _TOP)), ("L", (x, _LOW))), "", "hair", 0.8)
            yield TextItem(x, _LOW + 14, self.x.label(value), _NOTE, paint="mute", anchor="middle")

    def points(self, points: Sequence[PlotPoint]) -> Iterator[DisplayItem]:
        """Yield each point with its name, placed beside, above or below it so that it covers no other name or point."""
        places = [self._at(each.x, each.y) for each in points]
        taken = [(x - _RADIUS, y - _RADIUS, x + _RADIUS, y + _RADIUS) for x, y in places]
        for point, (x, y) in zip(points, places, strict=True):
            text = shortened(point.name, _NAME, _LONGEST_NAME)
            box = _free(x, y, width(text, _NAME), taken)
            tooltip = f"{point.name}: {self.x.label(point.x)}, {self.y.label(point.y)}"
            yield GroupItem("", (PathItem(circle(x, y, _RADIUS), "conv", "conv-stroke", 1),), tooltip)
            if box is not None:
                taken.append(box)
                yield TextItem(box[0], box[3] - 2, text, _NAME)

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return _LEFT + (_RIGHT - _LEFT) * self.x.part(x), _LOW - (_LOW - _TOP) * self.y.part(y)


_Box = tuple[float, float, float, float]


def _free(x: float, y: float, wide: float, taken: Sequence[_Box]) -> _Box | None:
    """Return the first position for a name at a point that covers nothing; None if each covers something."""
    for left, middle in ((x + 6, y), (x - 6 - wide, y), (x - wide / 2, y - 11), (x - wide / 2, y + 11)):
        box = (left, middle - 6, left + wide, middle + 5)
        is_inside = box[0] >= _LEFT and box[2] <= _PAGE and box[1] >= _TOP and box[3] <= _LOW
        if is_inside and not any(_meet(box, other) for other in taken):
            return box
    return None


def _meet(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
