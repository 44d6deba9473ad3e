"""Memory over the course of a step: as bars of text, and as an SVG with the layers' names on the axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, groupby, pairwise

from cnndsl.analysis.fit import Fit
from cnndsl.analysis.memory_trace import MemorySample, Phase, Purpose
from cnndsl.records import record
from cnndsl.report import svg
from cnndsl.report.number_format import memory
from cnndsl.report.summary import graph_title
from cnndsl.report.table import in_columns

_MOST = 100
"""So many rows of bars, so many names on the axis."""
_PEAK = "  <- peak"
_EIGHTHS = " ▏▎▍▌▋▊▉"

_GROUPS: dict[str, tuple[Purpose, ...]] = {
    "parameters": ("parameters", "buffers"),
    "optimizer": ("optimizer",),
    "parameters' gradients": ("weight gradients",),
    "values": ("input", "activations", "extras"),
    "gradients": ("gradients",),
    "scratch": ("scratch",),
}
"""What is alive, by what it is for, in the order in which it is stacked."""

_COLOURS = (
    ("#5b7da8", "#6f93c2"),
    ("#8f6fb5", "#a98bd0"),
    ("#c58a3a", "#d9a45c"),
    ("#5aa469", "#6fbf80"),
    ("#d0605e", "#e47c78"),
    ("#9aa3af", "#7c8694"),
)


@record(slots=True)
class Section:
    """Consecutive events at one layer, or in one module: from event `start` to before `stop`."""

    phase: Phase
    name: str
    start: int
    stop: int


def sections(fitted: Fit, levels: Sequence[MemorySample], most: int) -> list[Section]:
    """The events of a step in at most so many sections: layer by layer where that is few enough, else by modules,
    else several of these together."""
    paths = [_name(fitted, level) for level in levels]
    deepest = max(path.count(".") for path in paths) + 1
    found = [_runs(levels, [".".join(path.split(".")[:depth]) for path in paths]) for depth in range(deepest, 0, -1)]
    fitting = next((runs for runs in found if len(runs) <= most), None)
    return fitting if fitting is not None else list(_merged(found[-1], most))


def _name(fitted: Fit, level: MemorySample) -> str:
    """What an event happens at."""
    return "optimizer" if level.phase == "update" else fitted.graph.nodes[level.node].path or "input"


def _runs(levels: Sequence[MemorySample], names: Sequence[str]) -> list[Section]:
    keys: list[tuple[Phase, str]] = [(level.phase, name) for level, name in zip(levels, names, strict=True)]
    starts = [at for at, key in enumerate(keys) if not at or keys[at - 1] != key]
    return [Section(*keys[start], start, stop) for start, stop in pairwise([*starts, len(keys)])]


def _merged(runs: Sequence[Section], most: int) -> Iterator[Section]:
    """Sections of one phase taken together, so that few enough are left."""
    size = -(-len(runs) // max(most - 4, 1))
    phases: dict[Phase, list[Section]] = {}
    for run in runs:
        phases.setdefault(run.phase, []).append(run)
    for phase, each in phases.items():
        for at in range(0, len(each), size):
            first, last = each[at], each[min(at + size, len(each)) - 1]
            name = first.name if first is last else f"{first.name} … {last.name}"
            yield Section(phase, name, first.start, last.stop)


def bars(fitted: Fit, width: int = 80) -> str:
    """A bar for each layer, in the order of the step; what is long is gathered by modules. A full bar is the memory
    that there is."""
    levels = fitted.memory.timeline(max(fitted.batch, 1), rounded=True)
    parts = sections(fitted, levels, _MOST)
    sizes = [max(level.bytes for level in levels[part.start : part.stop]) for part in parts]
    heads = [[part.phase, part.name, memory(size)] for part, size in zip(parts, sizes, strict=True)]
    texts = in_columns(heads, left={0, 1})
    room = max(width - max(map(len, texts)) - len(_PEAK) - 2, 10)
    highest = max(sizes)
    lines: list[str] = []
    for text, size in zip(texts, sizes, strict=True):
        mark = _PEAK if size == highest else ""
        lines.append(f"{text}  {_bar(size / max(fitted.available, highest), room)}{mark}".rstrip())
    return "\n".join(lines)


def _bar(part: float, room: int) -> str:
    """A bar to an eighth of a character.

    >>> _bar(0.5, 5)
    '██▌'
    """
    whole, rest = divmod(round(part * room * 8), 8)
    return ("█" * whole + _EIGHTHS[rest]).rstrip()


def picture(fitted: Fit) -> str:
    """An SVG: what is alive at each event, stacked by what it is for, under the memory that there is."""
    return _Picture(fitted).draw()


class _Picture:
    """The drawing of one step."""

    HEIGHT = 320
    LEFT = 64

    def __init__(self, fitted: Fit) -> None:
        self.fitted = fitted
        self.batch = max(fitted.batch, 1)
        self.levels = fitted.memory.timeline(self.batch, rounded=True)
        self.top = max(fitted.available, *(level.bytes for level in self.levels)) * 1.04
        self.labels = sections(fitted, self.levels, _MOST)
        self.width = max(560, 15 * len(self.labels), min(len(self.levels), 1100))
        self.step = self.width / len(self.levels)

    def draw(self) -> str:
        longest = max(len(each.name) for each in self.labels)
        body = [*self._grid(), *self._areas(), *self._phases(), *self._axis(), *self._peak(), *self._tips()]
        bottom = self.HEIGHT + 24 + min(longest, 40) * 5.4
        body += self._legend(bottom)
        course = "a step" if self.fitted.memory.gradients else "a forward pass"
        title = f"Memory of {graph_title(self.fitted.graph)} over {course}, batch of {self.batch}"
        body.append(svg.text(0, -48, title, "strong"))
        body = [f'<g transform="translate({self.LEFT} 58)">', *body, "</g>"]
        colours = {f"part{at}": pair for at, pair in enumerate(_COLOURS)}
        return svg.document(self.LEFT + self.width + 8, bottom + 78, title, body, _STYLE, colours)

    def _x(self, event: float) -> float:
        return event * self.step

    def _y(self, size: float) -> float:
        return self.HEIGHT * (1 - size / self.top)

    def _grid(self) -> Iterator[str]:
        tick = _tick(self.top)
        for at in range(int(self.top // tick) + 1):
            y = self._y(at * tick)
            yield svg.line(0, y, self.width, y, "grid")
            yield svg.text(-8, y + 4, memory(at * tick) if at else "0", "soft end")

    def _areas(self) -> Iterator[str]:
        """The groups, each drawn from the ground up to its own top, the highest first."""
        stacks = list(self._stacks())
        for group in reversed(range(len(_GROUPS))):
            points = [f"M0 {svg.number(self.HEIGHT)}"]
            for event, stack in enumerate(stacks):
                y = svg.number(self._y(stack[group]))
                points.append(f"L{svg.number(self._x(event))} {y}H{svg.number(self._x(event + 1))}")
            points.append(f"V{self.HEIGHT}Z")
            yield f'<path class="part{group}" d="{"".join(points)}"/>'

    def _stacks(self) -> Iterator[list[int]]:
        """For each event the bytes alive, summed up over the groups."""
        group_of = {purpose: at for at, purposes in enumerate(_GROUPS.values()) for purpose in purposes}
        step, alive = self.fitted.memory.step, [0] * len(_GROUPS)
        for event in step.events:
            for at in event.allocated:
                alive[group_of[step.storages[at].purpose]] += step.storages[at].bytes(self.batch, rounded=True)
            yield list(accumulate(alive))
            for at in event.freed:
                alive[group_of[step.storages[at].purpose]] -= step.storages[at].bytes(self.batch, rounded=True)

    def _phases(self) -> Iterator[str]:
        runs = [(phase, [at for at, _ in several]) for phase, several in groupby(enumerate(self.levels), _phase)]
        for phase, events in runs:
            if len(events) * self.step > 8 * len(phase):
                yield svg.text(self._x(events[0]) + 4, -8, phase, "soft")
        for _, (_, events) in pairwise(runs):
            yield svg.line(self._x(events[0]), -18, self._x(events[0]), self.HEIGHT, "cut")

    def _axis(self) -> Iterator[str]:
        """The names of the layers, as many as have room."""
        taken = -100.0
        for each in self.labels:
            middle = self._x((each.start + each.stop) / 2)
            if middle - taken >= 12:
                yield svg.line(middle, self.HEIGHT, middle, self.HEIGHT + 5, "tick")
                yield svg.text(middle + 4, self.HEIGHT + 14, each.name, "small", turn=-60)
                taken = middle

    def _peak(self) -> Iterator[str]:
        y = self._y(self.fitted.available)
        yield svg.line(0, y, self.width, y, "limit")
        yield svg.text(self.width, y - 5, f"{memory(self.fitted.available)} available", "alarm end")
        event = max(range(len(self.levels)), key=lambda at: self.levels[at].bytes)
        x, high = self._x(event + 0.5), self._y(self.levels[event].bytes)
        words = f"peak {memory(self.levels[event].bytes)}, {_name(self.fitted, self.levels[event])}"
        yield svg.line(x, -22, x, high, "mark")
        yield f'<circle class="dot" cx="{svg.number(x)}" cy="{svg.number(high)}" r="3.5"/>'
        yield svg.text(x, -26, words, "end" if x > self.width / 2 else "")

    def _tips(self) -> Iterator[str]:
        for event, level in enumerate(self.levels):
            tip = f"{level.phase}, {_name(self.fitted, level)}: {memory(level.bytes)}"
            yield svg.rect(self._x(event), 0, self.step, self.HEIGHT, "tip", tip)

    def _legend(self, top: float) -> Iterator[str]:
        x = 0.0
        there = {storage.purpose for storage in self.fitted.memory.step.storages}
        for at, (name, purposes) in enumerate(_GROUPS.items()):
            if there.isdisjoint(purposes):
                continue
            yield svg.rect(x, top, 12, 12, f"part{at}")
            yield svg.text(x + 18, top + 11, name, "soft")
            x += 34 + 7 * len(name)


def _phase(each: tuple[int, MemorySample]) -> Phase:
    return each[1].phase


def _tick(top: float) -> int:
    """A round distance of lines, of which there are four to ten.

    >>> _tick(24e9), _tick(1000)
    (5000000000, 100)
    """
    size = 1
    while top / size > 10:
        size *= 10
    return next((tick for tick in (size, size // 2) if top / tick >= 4), max(size // 5, 1))


_STYLE = """
.grid { stroke: $line; stroke-width: .6 } .cut { stroke: $soft; stroke-dasharray: 2 3 } .tick { stroke: $soft }
.limit { stroke: $alarm; stroke-width: 1.5; stroke-dasharray: 6 4 } .alarm { fill: $alarm }
.dot { fill: $ink } .tip { fill: transparent } .tip:hover { fill: $ink; fill-opacity: .12 }
.end { text-anchor: end } .small { font-size: 11px } .mark { stroke: $ink }
.part0 { fill: $part0 } .part1 { fill: $part1 } .part2 { fill: $part2 }
.part3 { fill: $part3 } .part4 { fill: $part4 } .part5 { fill: $part5 }
"""
