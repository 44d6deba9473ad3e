"""Plot memory over the course of a step: its sections, and bars as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from cnndsl.analysis.fit import Fit
from cnndsl.analysis.memory_trace import MemorySample, Phase
from cnndsl.records import record
from cnndsl.report.number_format import bar, sized
from cnndsl.report.table import in_columns

MOST_SECTIONS = 100
"""The number of rows of bars, and of names on the axis of a chart."""
_PEAK = "  <- peak"


@record(slots=True)
class Section:
    """Consecutive events at the same layer or in the same module, from event `start` to before event `stop`."""

    phase: Phase
    name: str
    start: int
    stop: int


def sections(fitted: Fit, levels: Sequence[MemorySample], most: int) -> list[Section]:
    """Divide the events of a step into at most `most` sections: by layer if these are few enough, otherwise by module,
    otherwise by several modules."""
    paths = [event_name(fitted, level) for level in levels]
    deepest = max(path.count(".") for path in paths) + 1
    found = [_runs(levels, [".".join(path.split(".")[:depth]) for path in paths]) for depth in range(deepest, 0, -1)]
    fitting = next((runs for runs in found if len(runs) <= most), None)
    return fitting if fitting is not None else list(_merged(found[-1], most))


def event_name(fitted: Fit, level: MemorySample) -> str:
    """Return the layer at which an event happens."""
    return "optimizer" if level.phase == "update" else fitted.graph.nodes[level.node].path or "input"


def _runs(levels: Sequence[MemorySample], names: Sequence[str]) -> list[Section]:
    keys: list[tuple[Phase, str]] = [(level.phase, name) for level, name in zip(levels, names, strict=True)]
    starts = [at for at, key in enumerate(keys) if not at or keys[at - 1] != key]
    return [Section(*keys[start], start, stop) for start, stop in pairwise([*starts, len(keys)])]


def _merged(runs: Sequence[Section], most: int) -> Iterator[Section]:
    """Combine sections of a phase until they are few enough."""
    size = -(-len(runs) // max(most - 4, 1))
    phases: dict[Phase, list[Section]] = {}
    for run in runs:
        phases.setdefault(run.phase, []).append(run)
    for phase, each in phases.items():
        for at in range(0, len(each), size):
            first, last = each[at], each[min(at + size, len(each)) - 1]
            name = first.name if first is last else f"{first.name} … {last.name}"
            yield Section(phase, name, first.start, last.stop)


def bars(fitted: Fit, width: int = 80, *, binary: bool = False) -> str:
    """Return a bar for each layer in the order of the step, or for each module if the step is long. A full bar is the
    available memory."""
    levels = fitted.memory.timeline(max(fitted.batch, 1), rounded=True)
    parts = sections(fitted, levels, MOST_SECTIONS)
    sizes = [max(level.bytes for level in levels[part.start : part.stop]) for part in parts]
    heads = [[part.phase, part.name, sized(size, binary)] for part, size in zip(parts, sizes, strict=True)]
    texts = in_columns(heads, left={0, 1})
    room = max(width - max(map(len, texts)) - len(_PEAK) - 2, 10)
    highest = max(sizes)
    lines: list[str] = []
    for text, size in zip(texts, sizes, strict=True):
        mark = _PEAK if size == highest else ""
        lines.append(f"{text}  {bar(size / max(fitted.available, highest), room)}{mark}".rstrip())
    return "\n".join(lines)
