"""Plots memory over the course of a step: the bytes alive at each event, stacked by purpose, and the peak.

The chart is as wide as a page. The names of the layers are below it, as many as fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, groupby, pairwise

from cnndsl.analysis.fit import Fit
from cnndsl.analysis.memory_trace import MemorySample, Phase, Purpose
from cnndsl.emit.drawing.display import Command, DisplayItem, GroupItem, PathItem, Picture, RectangleItem, TextItem
from cnndsl.emit.drawing.measure import shortened, width
from cnndsl.emit.drawing.shapes import circle
from cnndsl.emit.drawing.themes import PaletteRole
from cnndsl.report.memory_plot import MOST_SECTIONS, event_name, sections
from cnndsl.report.number_format import sized
from cnndsl.report.summary import graph_title

_GROUPS: Mapping[str, tuple[PaletteRole, tuple[Purpose, ...]]] = {
    "parameters": ("fc", ("parameters", "buffers")),
    "optimizer": ("gate", ("optimizer",)),
    "parameters' gradients": ("pool", ("weight gradients",)),
    "values": ("conv", ("input", "activations", "extras")),
    "gradients": ("act", ("gradients",)),
    "scratch": ("io", ("scratch",)),
}
"""The groups of memory that is alive, with their colours and purposes, in stacking order."""

_PAGE = 680
_LEFT, _RIGHT, _TOP, _HEIGHT = 52, 672, 62, 220
"""The plot's sides and its height, in pixels."""
_NOTE = 8.5
_LONGEST_NAME = 140
_BETWEEN_NAMES = 11
_LEGEND_LINE = 16


def picture(fitted: Fit, *, binary: bool = False) -> Picture:
    """Return the chart of a step, or of a forward pass; sizes are in powers of 1024 if `binary` is set."""
    return _Chart(fitted, binary).draw()


class _Chart:
    """The chart of one step."""

    def __init__(self, fitted: Fit, binary: bool) -> None:
        self._fitted, self._binary = fitted, binary
        self._batch = max(fitted.batch, 1)
        self._levels = fitted.memory.timeline(self._batch, rounded=True)
        self._highest = max(fitted.available, *(level.bytes for level in self._levels)) * 1.04
        self._step = (_RIGHT - _LEFT) / len(self._levels)
        self._peak = max(range(len(self._levels)), key=lambda at: self._levels[at].bytes)

    def draw(self) -> Picture:
        """Return the chart."""
        course = "a step" if self._fitted.memory.gradients else "a forward pass"
        title = f"Memory of {graph_title(self._fitted.graph)} over {course}, batch of {self._batch}"
        names = list(self._names())
        low = _TOP + _HEIGHT + 12 + max((width(each.text, _NOTE) for each in names), default=0)
        legend = list(self._legend(low + 8))
        items = [
            *(*self._head(title), *self._grid(), *self._areas(), *self._phases(), *self._ticks(names), *names),
            *(*self._limit(), *self._peak_mark(), *self._tooltips(), *legend),
        ]
        bottom = max(each.y for each in legend if isinstance(each, TextItem)) + 6
        return Picture(self._fitted.graph.title, _PAGE, bottom, tuple(items), title, f"{self._peak_text()}.")

    def _x(self, event: float) -> float:
        return _LEFT + event * self._step

    def _y(self, size: float) -> float:
        return _TOP + _HEIGHT * (1 - size / self._highest)

    def _size(self, size: int) -> str:
        return sized(size, self._binary)

    def _head(self, title: str) -> Iterator[DisplayItem]:
        note = f"dashed: {self._size(self._fitted.available)} available"
        room = _PAGE - width(note, _NOTE) - 16
        yield TextItem(0, 14, shortened(title, 11, room, 700), 11, 700, room=room)
        yield TextItem(_PAGE, 14, note, _NOTE, paint="mute", anchor="end")
        yield _line((0, 22), (_PAGE, 22), "hair", 0.8)

    def _grid(self) -> Iterator[DisplayItem]:
        tick = _tick(self._highest, self._binary)
        for at in range(int(self._highest // tick) + 1):
            y = self._y(at * tick)
            yield _line((_LEFT, y), (_RIGHT, y), "hair", 0.8)
            text = self._size(at * tick) if at else "0"
            yield TextItem(_LEFT - 6, y + 3, text, _NOTE, paint="mute", anchor="end", room=_LEFT - 6)

    def _areas(self) -> Iterator[DisplayItem]:
        """Yield the groups, each filled from the baseline to its own top, the highest first."""
        stacks = list(self._stacks())
        there = {storage.purpose for storage in self._fitted.memory.step.storages}
        for group, (name, (role, purposes)) in reversed(list(enumerate(_GROUPS.items()))):
            if there.isdisjoint(purposes):
                continue
            commands: list[Command] = [("M", (self._x(0), self._y(0)))]
            for event, stack in enumerate(stacks):
                y = self._y(stack[group])
                commands.append(("L", (self._x(event), y)))
                commands.append(("L", (self._x(event + 1), y)))
            commands.append(("L", (self._x(len(stacks)), self._y(0))))
            area = PathItem((*commands, ("Z", ())), role, f"{role}-stroke", 0.6)
            yield GroupItem(name, (area,))

    def _stacks(self) -> Iterator[list[int]]:
        """Yield for each event the bytes alive, cumulated over the groups."""
        group_of = {purpose: at for at, (_, purposes) in enumerate(_GROUPS.values()) for purpose in purposes}
        step, alive = self._fitted.memory.step, [0] * len(_GROUPS)
        for event in step.events:
            for at in event.allocated:
                alive[group_of[step.storages[at].purpose]] += step.storages[at].bytes(self._batch, rounded=True)
            yield list(accumulate(alive))
            for at in event.freed:
                alive[group_of[step.storages[at].purpose]] -= step.storages[at].bytes(self._batch, rounded=True)

    def _phases(self) -> Iterator[DisplayItem]:
        runs = [(phase, [at for at, _ in several]) for phase, several in groupby(enumerate(self._levels), _phase)]
        for phase, events in runs:
            room = len(events) * self._step - 6
            if width(phase, _NOTE) <= room:
                yield TextItem(self._x(events[0]) + 3, 36, phase, _NOTE, paint="mute", room=room)
        for _, (_, events) in pairwise(runs):
            x = self._x(events[0])
            yield _line((x, _TOP), (x, _TOP + _HEIGHT), "mute", 0.8, (2, 3))

    def _names(self) -> Iterator[TextItem]:
        """Yield the names of the layers, as many as fit."""
        taken = -float(_BETWEEN_NAMES)
        for each in sections(self._fitted, self._levels, MOST_SECTIONS):
            middle = self._x((each.start + each.stop) / 2)
            if middle - taken >= _BETWEEN_NAMES:
                text = shortened(each.name, _NOTE, _LONGEST_NAME)
                yield TextItem(middle + 3, _TOP + _HEIGHT + 8, text, _NOTE, paint="mute", anchor="end", turned=True)
                taken = middle

    def _ticks(self, names: Sequence[TextItem]) -> Iterator[DisplayItem]:
        low = _TOP + _HEIGHT
        return (_line((each.x - 3, low), (each.x - 3, low + 4), "mute", 0.8) for each in names)

    def _limit(self) -> Iterator[DisplayItem]:
        y = self._y(self._fitted.available)
        yield _line((_LEFT, y), (_RIGHT, y), "error", 1.3, (6, 4))

    def _peak_text(self) -> str:
        level = self._levels[self._peak]
        return f"peak {self._size(level.bytes)}, {event_name(self._fitted, level)}"

    def _peak_mark(self) -> Iterator[DisplayItem]:
        x, high = self._x(self._peak + 0.5), self._y(self._levels[self._peak].bytes)
        to_the_left = x > (_LEFT + _RIGHT) / 2
        text = shortened(self._peak_text(), 9, max(x, _PAGE - x), 600)
        yield _line((x, 54), (x, high), "error", 1)
        yield PathItem(circle(x, high, 3), "error")
        yield TextItem(x, 51, text, 9, 600, paint="error", anchor="end" if to_the_left else "start")

    def _tooltips(self) -> Iterator[DisplayItem]:
        for event, level in enumerate(self._levels):
            tooltip = f"{level.phase}, {event_name(self._fitted, level)}: {self._size(level.bytes)}"
            yield GroupItem("", (RectangleItem(self._x(event), _TOP, self._step, _HEIGHT),), tooltip)

    def _legend(self, top: float) -> Iterator[DisplayItem]:
        x, y = float(_LEFT), top
        there = {storage.purpose for storage in self._fitted.memory.step.storages}
        for name, (role, purposes) in _GROUPS.items():
            if there.isdisjoint(purposes):
                continue
            across = 16 + width(name, _NOTE)
            if x + across > _RIGHT:
                x, y = float(_LEFT), y + _LEGEND_LINE
            yield RectangleItem(x, y, 10, 10, role, f"{role}-stroke", 0.6)
            yield TextItem(x + 16, y + 8.5, name, _NOTE, paint="mute")
            x += across + 16


def _phase(each: tuple[int, MemorySample]) -> Phase:
    return each[1].phase


def _line(
    start: tuple[float, float], end: tuple[float, float], paint: str, line: float, dash: tuple[float, ...] = ()
) -> PathItem:
    return PathItem((("M", start), ("L", end)), stroke=paint, line=line, dash=dash)


def _tick(top: float, binary: bool = False) -> int:
    """Return a round spacing for four to ten grid lines; times a power of 1024 if `binary` is set.

    >>> _tick(24e9), _tick(1000), _tick(24 * 2**30, binary=True) // 2**30
    (5000000000, 100, 5)
    """
    size = 1
    while binary and top / size > 1024:
        size *= 1024
    while top / size > 10:
        size *= 10
    return next((tick for tick in (size, size // 2) if top / tick >= 4), max(size // 5, 1))
