"""The rows of a table: a layer, or a group of layers that can be opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Literal, TypeAlias

from cnndsl.analysis.cost import Cost, total
from cnndsl.analysis.groups import By, RowGroup, grouped
from cnndsl.analysis.layer_memory import LayerMemory, together
from cnndsl.analysis.layer_time import LayerTime, total_time
from cnndsl.analysis.receptive_field import Field
from cnndsl.records import record
from cnndsl.report.metrics import Metrics, Row

Runs: TypeAlias = Literal["always", "training", "mixed"]


@record(slots=True)
class TableRow:
    """A row of a table. `last` is the layer whose output is that of the row, None if there is none (for a layer type).
    `parts` are the rows shown when it is opened; `times` is 3 for a repeat of three iterations. A row without a `path`
    has a `span`: the paths of its first and its last part, `layer2.1 … 3`."""

    path: str
    text: str
    last: Row | None
    cost: Cost
    volume: int = 0
    load: LayerMemory = field(default_factory=LayerMemory)
    time: LayerTime = field(default_factory=LayerTime, kw_only=True)
    layers: int = 1
    times: int = 1
    parts: tuple[TableRow, ...] = ()
    span: str = field(default="", kw_only=True)

    @property
    def name(self) -> str:
        """Return the name of the row; every row has one."""
        return self.path or self.span

    @property
    def runs(self) -> Runs:
        """Return when its layers run; some layers of a `mixed` row exist in training only."""
        if not self.parts:
            return "training" if self.last and self.last.node.training_only else "always"
        first = self.parts[0].runs
        return first if all(part.runs == first for part in self.parts) else "mixed"

    @property
    def extents(self) -> tuple[int, ...]:
        """Return the output shape, H, W, C; empty for a layer type."""
        return self.last.node.shape.hwc if self.last else ()

    @property
    def field(self) -> Field | None:
        """Return the receptive field of the output; None for a layer type, and for layers that do not depend on the
        input."""
        return self.last.field if self.last else None


def of_inputs(stats: Metrics) -> tuple[TableRow, ...]:
    """Return the row of each input: its shape, and the memory of the batch. It has no cost and no field."""
    return tuple(_of_input(stats, row) for row in stats.inputs)


def _of_input(stats: Metrics, found: Row) -> TableRow:
    row = Row(found.node, Cost(), None)
    path = row.node.path or "input"
    return TableRow(path, row.node.kind, row, row.cost, found.volume, _load(stats, row.node.index), layers=0)


def of_layers(stats: Metrics) -> tuple[TableRow, ...]:
    """Return a row for each layer."""
    return tuple(_leaf(stats, row) for row in stats.layers)


def of_groups(stats: Metrics, by: By) -> tuple[TableRow, ...]:
    """Return the rows of blocks, stages or layer types."""
    return tuple(_entry(stats, group, by) for group in grouped(stats.graph, by))


def _leaf(stats: Metrics, row: Row) -> TableRow:
    node = row.node
    return TableRow(
        node.path, node.text, row, row.cost, row.volume, _load(stats, node.index), time=_time(stats, node.index)
    )


def _entry(stats: Metrics, group: RowGroup, by: By) -> TableRow:
    if not group.parts:
        return _leaf(stats, stats.layers[group.nodes[0] - len(stats.inputs)])
    parts = tuple(_entry(stats, part, by) for part in group.parts)
    path, text = (group.path, group.title) if by == "block" else (group.title, "")
    return TableRow(
        path,
        "" if text == path.rpartition(".")[2] else text,
        None if by == "kind" else stats.layers[max(group.nodes) - len(stats.inputs)],
        total(part.cost for part in parts),
        sum(part.volume for part in parts),
        together(part.load for part in parts),
        len(group.nodes),
        group.times,
        parts,
        time=total_time(part.time for part in parts),
        span="" if path else _span(parts),
    )


def _span(parts: Sequence[TableRow]) -> str:
    """Return a name from the first part to the last, with their common module written once."""
    first, last = parts[0], parts[-1]
    while not first.path and first.parts:
        first = first.parts[0]
    while not last.path and last.parts:
        last = last.parts[-1]
    if first.path == last.path:
        return first.path
    (before, _, _), (same, _, rest) = first.path.rpartition("."), last.path.rpartition(".")
    return f"{first.path} … {rest if before == same else last.path}"


def _load(stats: Metrics, node: int) -> LayerMemory:
    return stats.memory.loads[node] if stats.memory else LayerMemory()


def _time(stats: Metrics, node: int) -> LayerTime:
    return stats.roofline.times[node] if stats.roofline else LayerTime()


def opened(entries: Sequence[TableRow], depth: int | None, level: int = 0) -> list[tuple[int, TableRow]]:
    """Return the visible rows when groups are opened to a depth (1: none, None: all), each with its level."""
    rows: list[tuple[int, TableRow]] = []
    for entry in entries:
        rows.append((level, entry))
        if entry.parts and (depth is None or level + 1 < depth):
            rows += opened(entry.parts, depth, level + 1)
    return rows
