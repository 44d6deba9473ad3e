"""Format metrics for programs and documents: JSON, CSV, Markdown. All digits are kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from cnndsl.analysis.metric_table import METRICS
from cnndsl.report.columns import COLUMNS, MEMORY, TIMES, Cell, Column
from cnndsl.report.metrics import Totals
from cnndsl.report.number_format import duration, exact
from cnndsl.report.rows import TableRow, of_layers
from cnndsl.report.summary import terms, title
from cnndsl.report.table_model import TableModel

if TYPE_CHECKING:
    from cnndsl.analysis.memory_trace import MemorySample
    from cnndsl.analysis.roofline import Roofline
    from cnndsl.graph import Graph
    from cnndsl.report.memory import MemoryReport

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

_ALWAYS = ("params", "weights", "macs", "activations", "receptive_field", "stride")
"""The metrics of a layer or group that the JSON always contains; chosen columns are added."""
_FIXED = frozenset(("path", "kind", "text", "layers", "output", *_ALWAYS))
_FORWARD = tuple(metric.name for metric in METRICS.values() if metric.forward)
"""The metrics that differ in training, if some layers exist in training only."""


def as_dict(view: TableModel) -> dict[str, Json]:
    """Return the metrics as plain data. Shapes are lists H, W, C. A receptive field or stride is a number if all axes
    agree, otherwise a list, and None for a network without spatial axes. Chosen columns are added to those that are
    always there; groups come beside the layers."""
    stats = view.stats
    extra = [column for column in view.columns if view.is_chosen or column.key in (*MEMORY, *TIMES)]
    data: dict[str, Json] = {
        "net": stats.graph.title,
        "input": list(stats.graph.input.hwc),
        "totals": _totals(stats.totals) | {name: getattr(stats.step, name) for name in MEMORY},
        "totals_in_training": {name: getattr(stats.totals_in_training, name) for name in _FORWARD},
        "layers": [layer_data(stats.graph, entry, extra) for entry in (of_layers(stats) if view.by else view.entries)],
    }
    if len(stats.inputs) > 1:
        data["inputs"] = [{"path": row.node.path, "shape": list(row.node.shape.hwc)} for row in stats.inputs]
    if stats.memory:
        data["memory"] = _memory(stats.graph, stats.memory)
    if stats.roofline:
        data["roofline"] = _roofline(stats.roofline)
    if view.by:
        data["groups"] = [_group(entry, extra, 1, view.depth) for entry in view.entries]
    return data


def _totals(totals: Totals) -> dict[str, Json]:
    """Return the metrics of a network by their names; `memory_bytes` is the older name of `memory`."""
    found: dict[str, Json] = {each.name: getattr(totals, each.name) for each in fields(totals)}
    if not totals.receptive_field_at_most:
        del found["receptive_field_at_most"]
    return found | {"memory_bytes": totals.memory_bytes, "receptive_field": plain(totals.receptive_field)}


def as_json(view: TableModel) -> str:
    """Return the metrics as JSON; see docs/json.md."""
    return json.dumps(as_dict(view), indent=2)


def as_csv(view: TableModel) -> str:
    """Return a line of names and a line for each row, without totals, so that columns can be summed. If groups are
    open, the first column is the level of the row. A name that begins with `-` has an apostrophe before it; to a
    spreadsheet it would be a formula."""
    import csv
    from io import StringIO

    rows = view.rows
    levels = any(level for level, _ in rows)
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*["level"] * levels, *(column.key for column in view.columns)])
    cells = ((level, [_cell(column.value(entry)) for column in view.columns]) for level, entry in rows)
    writer.writerows([*[level] * levels, *row] for level, row in cells)
    return text.getvalue().rstrip("\n")


def _cell(value: Json) -> Json:
    """Return a cell; a name such as `-a` gets an apostrophe."""
    return f"'{value}" if isinstance(value, str) and len(value) > 1 and value.startswith("-") else value


def as_markdown(view: TableModel) -> str:
    """Return a table that GitHub renders, below the network's name."""
    ruler = ["---:" if column.is_number else "---" for column in view.columns]
    rows = [[column.title for column in view.columns], ruler]
    for level, entry in view.rows:
        row = [_markdown(column.value(entry)) for column in view.columns]
        rows.append(["&nbsp;&nbsp;" * level + row[0], *row[1:]])
    table = [f"| {' | '.join(row)} |" for row in rows]
    totals = [f"- {name}: {markdown(text)}" for name, text in terms(view.stats)]
    return "\n".join([f"## {markdown(title(view.stats))}", "", *table, "", *totals])


def layer_data(graph: Graph, entry: TableRow, extra: Sequence[Column]) -> dict[str, Json]:
    """Return the metrics of a layer: those that are always there, and the chosen columns."""
    assert entry.last is not None
    node = entry.last.node
    data: dict[str, Json] = {"path": node.path, "kind": node.kind, "text": node.text, **_metrics(entry)}
    if node.training_only:
        data["training_only"] = True
    if node.weights_of >= 0:
        data["weights_of"] = graph.nodes[node.weights_of].path
    if entry.field is not None and entry.field.at_most:
        data["receptive_field_at_most"] = True
    return data | _extra(entry, extra)


def _group(entry: TableRow, extra: list[Column], level: int, depth: int | None) -> dict[str, Json]:
    data: dict[str, Json] = {
        "path": entry.path,
        "text": entry.text,
        "times": entry.times,
        "layers": entry.layers,
        **_metrics(entry),
    }
    if entry.runs == "training":
        data["training_only"] = True
    if entry.field is not None and entry.field.at_most:
        data["receptive_field_at_most"] = True
    data |= _extra(entry, extra)
    if entry.parts and (depth is None or level < depth):
        data["parts"] = [_group(part, extra, level + 1, depth) for part in entry.parts]
    return data


def _metrics(entry: TableRow) -> dict[str, Json]:
    """Return the output shape, None for a row without one, and the metrics that the JSON always contains."""
    output: dict[str, Json] = {"output": list(entry.extents) or None}
    return output | {name: _json(COLUMNS[name].raw(entry)) for name in _ALWAYS}


def _extra(entry: TableRow, columns: Sequence[Column]) -> dict[str, Json]:
    """Return the chosen columns; a value that is a bound has a flag."""
    data: dict[str, Json] = {}
    for column in columns:
        if column.key not in _FIXED:
            data[column.key] = _json(column.raw(entry))
            data |= {f"{column.key}_at_most": True} if column.at_most(entry) else {}
    return data


def _json(raw: str | float | tuple[int | Fraction, ...]) -> Json:
    return plain(raw) if isinstance(raw, tuple) else raw


def _memory(graph: Graph, needed: MemoryReport) -> dict[str, Json]:
    def peak(level: MemorySample) -> dict[str, Json]:
        return {"bytes": level.bytes, "phase": level.phase, "path": graph.nodes[level.node].path}

    return {
        "batch": needed.plan.batch,
        "dtype": needed.plan.dtype,
        "optimizer": needed.plan.optimizer,
        "device": needed.plan.device,
        "measured": needed.plan.is_measured,
        "parameters": needed.parameters,
        "buffers": needed.buffers,
        "gradients": needed.gradients,
        "optimizer_state": needed.optimizer,
        "saved": needed.saved,
        "inference_peak": peak(needed.inference),
        "training_peak": peak(needed.training),
        "cuda_allocator_estimate": {
            "inference_peak": needed.inference_estimate,
            "training_peak": needed.training_estimate,
            "measured": False,
        },
    }


def _roofline(found: Roofline) -> dict[str, Json]:
    return {
        "gpu": found.card.name,
        "source": found.card.source,
        "batch": found.batch,
        "dtype": found.dtype,
        "measured": False,
        "peak_flops_per_second": found.card.peak(found.dtype),
        "peak_bytes_per_second": found.card.bandwidth,
        "seconds": found.total.seconds,
        "seconds_bound_by_arithmetic": found.total.arithmetic,
        "seconds_bound_by_bandwidth": found.total.bandwidth,
    }


def plain(extents: tuple[int | Fraction, ...]) -> Json:
    """Return numbers for JSON: one if all axes agree. The stride of a network that magnifies can be a fraction."""
    numbers: list[Json] = [int(extent) if extent.denominator == 1 else float(extent) for extent in extents]
    if len({str(each) for each in numbers}) > 1:
        return numbers
    return numbers[0] if numbers else None


def _markdown(cell: Cell) -> str:
    if isinstance(cell, float):
        return duration(cell) if cell else ""
    return exact(cell) if isinstance(cell, int) else markdown(cell)


def markdown(text: str) -> str:
    r"""Escape a text for Markdown.

    >>> markdown("a_b|c")
    'a\\_b\\|c'
    """
    return "".join(f"\\{char}" if char in "\\`*_{}[]<>#|&" else char for char in text).replace("\n", " ")
