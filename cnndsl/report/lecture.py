"""The table of the CS231n notes, line for line.

Rows are the input and the layers that change the volume: no activation functions, dropout or flattening. Each volume is
rounded to two significant digits, totals to three; K and M are powers of 1000, and so are MB. The table in circulation
states 24M values and 93MB; its own rows sum to 15.2M values, which are 61MB. Source:
cs231n.github.io/convolutional-networks, "VGGNet in detail".
"""

from __future__ import annotations

from math import prod

from cnndsl.analysis.depth import is_dense
from cnndsl.analysis.lecture import BYTES_A_VALUE, is_volume
from cnndsl.report import number_format
from cnndsl.report.metrics import Metrics, Row, Totals


def lecture(stats: Metrics) -> str:
    """Return the network as the table on the lecturer's slide."""
    graph = stats.graph
    rows = [_cells(stats, row) for row in (*stats.inputs, *stats.layers) if is_volume(graph, row.node)]
    label, volume, memory = (max(len(row[at]) for row in rows) for at in range(3))
    lines = [f"{row[0]:<{label + 1}}{row[1]:<{volume + 2}}{row[2]:<{memory + 2}}{row[3]}" for row in rows]
    lines.append(f"TOTAL memory: {_total(stats.totals)} / image (only forward! ~*2 for bwd)")
    if stats.has_training_only:
        lines.append(
            f"TOTAL memory in training: {_total(stats.totals_in_training)} / image (only forward! ~*2 for bwd)"
        )
    lines.append(f"TOTAL params: {number_format.human(stats.totals.params)} parameters")
    return "\n".join(lines)


def _total(totals: Totals) -> str:
    size = totals.memory
    return f"{number_format.human(size // BYTES_A_VALUE)} * {BYTES_A_VALUE} bytes ~= {number_format.memory(size)}"


def _cells(stats: Metrics, row: Row) -> tuple[str, str, str, str]:
    rank = max(row.node.shape.rank for row in stats.inputs)
    shape = row.node.shape
    extents = ("1",) * (rank - shape.rank) + tuple(map(str, shape.hwc))
    return (
        f"{_label(stats, row)}:",
        f"[{'x'.join(extents)}]",
        f"memory: {_memory(shape.hwc)}",
        f"weights: {_weights(stats, row)}{'  (in training only)' * row.node.training_only}",
    )


def _label(stats: Metrics, row: Row) -> str:
    """Return the layer without its options; a dense layer also without its width, which the shape shows."""
    text = row.node.text.partition("(")[0].strip() or row.node.kind
    if not row.node.inputs and len(stats.inputs) > 1:
        return f"{row.node.kind} {row.node.path}"
    return row.node.kind if not row.node.inputs or is_dense(stats.graph, row.node) else text


def _memory(extents: tuple[int, ...]) -> str:
    if prod(extents[:-1]) == 1:
        return str(extents[-1])
    return f"{'*'.join(map(str, extents))}={number_format.lecture(prod(extents))}"


def _weights(stats: Metrics, row: Row) -> str:
    if not row.cost.weights:
        return "0"
    formula = row.node.layer.formula(*stats.graph.shapes(row.node))
    number = number_format.exact(row.cost.weights)
    return f"{formula} = {number}" if formula and formula != number else number
