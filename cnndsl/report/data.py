"""Figures for programs and documents: JSON, CSV, Markdown. All digits are kept."""

from __future__ import annotations

import json
from dataclasses import asdict
from fractions import Fraction
from typing import TypeAlias

from cnndsl.report.columns import COLUMNS, Cell
from cnndsl.report.facts import Row, Stats, squeeze
from cnndsl.report.table import summary, title
from cnndsl.report.units import exact

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"


def as_dict(stats: Stats) -> dict[str, Json]:
    """The figures as plain data. Shapes are lists H, W, C; a receptive field or stride is a number where all axes
    agree, else a list; they are None for a network without spatial axes."""
    totals: dict[str, Json] = {**asdict(stats.totals), "receptive_field": _plain(stats.totals.receptive_field)}
    return {
        "net": stats.graph.title,
        "input": list(stats.graph.input.hwc),
        "totals": totals,
        "layers": [_layer(row) for row in stats.layers],
    }


def as_json(stats: Stats) -> str:
    """The figures as JSON; see docs/json.md."""
    return json.dumps(as_dict(stats), indent=2)


def as_csv(stats: Stats) -> str:
    """A line for each layer under a line of names; no totals, so that columns can be summed."""
    import csv
    from io import StringIO

    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.key for column in COLUMNS])
    writer.writerows([column.value(row) for column in COLUMNS] for row in stats.layers)
    return text.getvalue().rstrip("\n")


def as_markdown(stats: Stats) -> str:
    """A table that GitHub renders, under the network's name."""
    ruler = ["---:" if isinstance(column.value(stats.input), int) else "---" for column in COLUMNS]
    rows = [[column.title for column in COLUMNS], ruler]
    rows += [[_markdown(column.value(row)) for column in COLUMNS] for row in stats.layers]
    table = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([f"## {_markdown(title(stats))}", "", *table, "", *[f"- {line}" for line in _summary(stats)]])


def _summary(stats: Stats) -> list[str]:
    return [" ".join(line.split()) for line in summary(stats)]


def _layer(row: Row) -> dict[str, Json]:
    return {
        "path": row.node.path,
        "kind": row.node.kind,
        "text": row.node.text,
        "output": list(row.node.shape.hwc),
        "params": row.cost.params,
        "weights": row.cost.weights,
        "macs": row.cost.macs,
        "activations": row.cost.activations,
        "receptive_field": _plain(row.receptive_field),
        "stride": _plain(row.stride),
    }


def _plain(extents: tuple[int | Fraction, ...]) -> Json:
    """Numbers as JSON has them; a magnifying network's stride can be a fraction."""
    if all(isinstance(extent, int) for extent in extents):
        return squeeze(tuple(map(int, extents)))  # pyright: ignore[reportReturnType]
    numbers: list[Json] = [int(extent) if extent.denominator == 1 else float(extent) for extent in extents]
    return numbers[0] if len({str(each) for each in numbers}) == 1 else numbers


def _markdown(cell: Cell) -> str:
    if isinstance(cell, int):
        return exact(cell)
    escaped = "".join(f"\\{char}" if char in "\\`*_{}[]<>#|&" else char for char in cell)
    return escaped.replace("\n", " ")
