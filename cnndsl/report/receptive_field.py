"""Format receptive fields as text and data: `cnndsl rf`. `receptive_field_plot` draws them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from fractions import Fraction

from cnndsl.analysis.receptive_field import Disagreement, Field, Fields, disagreements, receptive_fields
from cnndsl.graph import Graph, Node, ancestors
from cnndsl.records import record
from cnndsl.report.columns import extents
from cnndsl.report.data_formats import Json
from cnndsl.report.summary import aligned, graph_title
from cnndsl.report.table import in_columns
from cnndsl.shape import axis_names

FORMATS = ("table", "json")
_MOST_MERGES = 4
"""The number of merges with unaligned branches to describe; for the others only their number is stated."""


@record
class FieldReport:
    """The receptive fields of all units of a network on the map of node `start`."""

    graph: Graph
    start: Node
    fields: Fields

    @property
    def axes(self) -> tuple[str, ...]:
        """Return the names of the map's axes; a single one is a length."""
        rank = self.start.shape.rank
        return axis_names(rank) if rank > 1 else ("length",)

    @property
    def plane(self) -> str:
        """Return the shape of the map on which the fields are measured."""
        what = "the input" if self.start == self.graph.inputs[0] == self.graph.inputs[-1] else self.start.path
        return f"{what}, {self.start.shape}"


@record
class UnitField:
    """One unit of a layer: its position on the layer's feature map, empty for a layer without one."""

    sight: FieldReport
    node: Node
    field: Field
    position: tuple[int, ...]

    @property
    def box(self) -> tuple[tuple[int, int], ...]:
        """Return the first and last position that the unit sees on each axis, without gates."""
        return _box(self.field.local, self.position)

    @property
    def name(self) -> str:
        """Return the unit's layer and position, as in tables."""
        return f"unit {','.join(map(str, self.position))} of {self.node.path}" if self.position else self.node.path


def sight(graph: Graph, start: int = 0) -> FieldReport:
    """Return the receptive fields of a network on the map of a node with spatial axes."""
    return FieldReport(graph, graph.nodes[start], receptive_fields(graph, start))


def central(node: Node) -> tuple[int, ...]:
    """Return the position in the middle of a map, the later one of two."""
    return tuple(extent // 2 for extent in node.shape.spatial)


def _box(field: Field, position: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    return field.box(position if len(position) == len(field.tracks) else (0,) * len(field.tracks))


def as_table(seen: FieldReport) -> str:
    """Return a line for each layer that depends on the map, and the merges with unaligned branches."""
    rows = [["name", "layer", "output", "field", "stride", "padding", ""]]
    for node in seen.graph.layers:
        field = seen.fields[node.index]
        if field is not None and node is not seen.start:
            figures = [extents(field.size), extents(field.stride), extents(field.padding)]
            rows.append([node.path or "-", node.text, str(node.shape), *figures, _remark(field)])
    lines = in_columns(rows, left={0, 1, 2, 6})
    title = f"{graph_title(seen.graph)}: what a unit sees of {seen.plane}"
    parted = _parted(seen, disagreements(seen.graph, seen.fields))
    return "\n".join([title, "", *lines, *([""] if parted else []), *parted])


def of_unit(unit: UnitField) -> str:
    """Return the values of one unit, axis by axis."""
    seen, field, local = unit.sight, unit.field, unit.field.local
    rows = [["", *seen.axes]]
    rows += [[name, *map(str, dims)] for name, dims in _figures(field)]
    if local != field:
        rows += [[f"local {name}", *map(str, dims)] for name, dims in _figures(local)]
    rows.append(["sees at most" if local.at_most else "sees", *[f"{first} to {last}" for first, last in unit.box]])
    rows.append(["of", *[f"0 to {extent - 1}" for extent in seen.start.shape.spatial]])
    ahead = ancestors(seen.graph.digraph, unit.node.index)
    parted = _parted(seen, (each for each in disagreements(seen.graph, seen.fields) if each.node in ahead))
    said = [*_whole(field), *_at_most(field)]
    head = f"{unit.name}, {unit.node.text} {unit.node.shape}, on {seen.plane}"
    return "\n".join([head, "", *in_columns(rows, left={0}), *([""] if parted or said else []), *said, *parted])


def _figures(field: Field) -> Iterable[tuple[str, Sequence[int | Fraction]]]:
    return (("size", field.size), ("stride", field.stride), ("padding", field.padding))


def _remark(field: Field) -> str:
    """Return remarks that the numbers alone do not show."""
    remarks: list[str] = []
    local = field.local
    if field.whole:
        remarks.append("whole")
    if field.at_most:
        remarks.append("at most")
    if local != field and not local.whole:
        figures = f"{extents(local.size)}, stride {extents(local.stride)}, padding {extents(local.padding)}"
        remarks.append(f"local {'at most ' if local.at_most else ''}{figures}")
    if not local.aligned:
        remarks.append("branches disagree")
    return "; ".join(remarks)


def _whole(field: Field) -> list[str]:
    if not field.whole:
        return []
    if field.local != field:
        return ["whole: a global operation lets every unit see the whole map; local is the field without it"]
    return ["whole: global pooling, FC or a normalisation sees the whole map, and so does every unit after it"]


def _at_most(field: Field) -> list[str]:
    if not field.at_most and not field.local.at_most:
        return []
    return ["at most: on a map as large as one here the units are not looked at one by one; the field may be smaller"]


def _parted(seen: FieldReport, found: Iterable[Disagreement]) -> list[str]:
    """Return a paragraph for each of the first merges with unaligned branches."""
    lines: list[str] = []
    merges = list(found)
    for each in merges[:_MOST_MERGES]:
        nodes = seen.graph.nodes
        lines.append(
            f"at {nodes[each.node].path} the branches disagree in alignment, along the {seen.axes[each.axis]}:"
        )
        pairs = [
            (nodes[at].path or "input", f"the first unit sees {first} to {last}, the next ones {stride} further on")
            for at, (first, last), stride in zip(each.operands, each.ranges, each.strides, strict=True)
        ]
        lines += [f"  {line}" for line in aligned(pairs)]
    further = len(merges) - _MOST_MERGES
    if further > 0:
        lines.append(f"at {further} more {'merge' if further == 1 else 'merges'} too, which --format json describes")
    return lines


def as_json(seen: FieldReport, unit: UnitField | None = None) -> str:
    """Return the report as JSON; see docs/json.md. With a unit, only its layer."""
    nodes = [unit.node] if unit else [node for node in seen.graph.layers if node is not seen.start]
    fields = ((node, seen.fields[node.index]) for node in nodes)
    layers: list[Json] = [_layer(node, field) for node, field in fields if field is not None]
    ahead = ancestors(seen.graph.digraph, unit.node.index) if unit else range(len(seen.graph))
    data: dict[str, Json] = {
        "net": seen.graph.title,
        "from": seen.start.path or "input",
        "plane": list(seen.start.shape.spatial),
        "layers": layers,
        "disagreements": [
            _disagreement(seen, each) for each in disagreements(seen.graph, seen.fields) if each.node in ahead
        ],
    }
    if unit:
        data["unit"] = list(unit.position)
        data["box"] = [[first, last] for first, last in unit.box]
    return json.dumps(data, indent=2)


def _layer(node: Node, field: Field) -> dict[str, Json]:
    return {
        "path": node.path,
        "kind": node.kind,
        "text": node.text,
        "output": list(node.shape.hwc),
        **_data(field),
        "whole": field.whole,
        "aligned": field.local.aligned,
        "local": _data(field.local),
    }


def _data(field: Field) -> dict[str, Json]:
    data: dict[str, Json] = {
        "size": list(field.size),
        "stride": [int(stride) if stride == int(stride) else float(stride) for stride in field.stride],
        "padding": list(field.padding),
    }
    return data | {"at_most": True} if field.at_most else data


def _disagreement(seen: FieldReport, each: Disagreement) -> dict[str, Json]:
    operands = zip(each.operands, each.ranges, each.strides, strict=True)
    return {
        "path": seen.graph.nodes[each.node].path,
        "axis": seen.axes[each.axis],
        "operands": [
            {"path": seen.graph.nodes[at].path, "first_unit": [first, last], "stride": float(stride)}
            for at, (first, last), stride in operands
        ],
    }
