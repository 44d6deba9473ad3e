"""The rules of `lint` about the receptive field of the last map: too small, or far larger than the input."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TypeAlias

from cnndsl.analysis.findings import Finding, by, reads_map
from cnndsl.analysis.receptive_field import Field, last_map, receptive_fields
from cnndsl.graph import Graph, Node, descendants
from cnndsl.records import record

FAR_LARGER = 4
"""A field is far too large if it is this many times the input."""
FAR_SMALLER = 2
"""A field is far too small if the input is this many times the field: an object need not fill the image."""


def narrow_field(graph: Graph) -> Iterator[Finding]:
    """A unit of the last map should see the object: what is averaged of units that see less than half of the input.

    Where FC layers or a recurrence read that map they see the rest, and where it is the output, each unit may answer
    for its place. Source: Araujo et al. 2019, Distill, doi 10.23915/distill.00021; Luo et al. 2016, arXiv:1701.04128.
    """
    for start, node, field in _last_maps(graph):
        size, plane = field.local.size, start.shape.spatial
        after = [graph.nodes[at] for at in descendants(graph.digraph, node.index)]
        answers = graph.nodes[graph.output].shape.pixels > 1
        if not node.inputs or answers or any(each.layer.SEES_ALL or reads_map(graph, each) for each in after):
            continue
        if any(FAR_SMALLER * seen < extent for seen, extent in zip(size, plane, strict=True)):
            whose = f"{_input(graph, start)}'s {by(plane)}"
            most = "at most " if field.local.at_most else ""
            message = f"the receptive field of the last map, {node.path}, is {most}{by(size)} of {whose}"
            yield Finding(node.span, message, "make it deeper, or use strides or dilation")
            return


def wide_field(graph: Graph) -> Iterator[Finding]:
    """Convolutions add little once the field is far larger than the input: they see padding most of all.

    What counts is the narrowest way to the last map: around residual units and through 1x1 branches it is short. Where
    the last map is larger than the input, as in a generator, each unit sees all there is, and nothing is said.
    Source: Richter et al. 2021, arXiv:2106.12307, "Should You Go Deeper?".
    """
    for start, node, _ in _last_maps(graph):
        plane, size = start.shape.spatial, _narrowest(graph, start, node)
        enlarges = node.shape.pixels > start.shape.pixels
        if (
            node.inputs
            and size
            and not enlarges
            and all(seen > FAR_LARGER * extent for seen, extent in zip(size, plane, strict=True))
        ):
            which = _input(graph, start)
            field = f"the smallest receptive field of the last map, {node.path}, is {by(size)}"
            message = f"{field}, but {which} has only {by(plane)}"
            yield Finding(node.span, message, "use a larger input or fewer layers")
            return


def _last_maps(graph: Graph) -> Iterator[tuple[Node, Node, Field]]:
    """Yield each input that has spatial axes, with the last map that depends on it and that map's field."""
    for start in graph.inputs:
        fields = receptive_fields(graph, start.index)
        last = last_map(graph, fields)
        field = fields[last]
        if start.shape.rank and field is not None:
            yield start, graph.nodes[last], field


def _input(graph: Graph, start: Node) -> str:
    return "the input" if len(graph.inputs) == 1 else start.path


@record(slots=True)
class _Way:
    """The field of a unit along one axis of a path, and the distance between the fields of neighbouring units."""

    size: Fraction = Fraction(1)
    step: Fraction = Fraction(1)


_Ways: TypeAlias = tuple[_Way, ...]


def _narrowest(graph: Graph, start: Node, end: Node) -> tuple[int, ...]:
    """Return the field along the narrowest path between two nodes, for each axis; empty if it is global."""
    ways: dict[int, _Ways] = {start.index: (_Way(),) * start.shape.rank}
    for node in graph.nodes[start.index + 1 : end.index + 1]:
        found = [on for at in node.value_inputs if at in ways and (on := _through(graph, node, ways[at]))]
        if found:
            ways[node.index] = tuple(min(axis, key=lambda way: way.size) for axis in zip(*found, strict=True))
    return tuple(int(way.size) for way in ways.get(end.index, ()))


def _through(graph: Graph, node: Node, before: _Ways) -> _Ways:
    """Return the paths after a layer; empty after one that sees everything."""
    window = node.layer.window(*graph.shapes(node))
    if window is None or len(window.extent) != len(before):
        return ()
    grow = window.grow or (1,) * len(before)
    return tuple(
        _Way(way.size + (extent - 1) * way.step / larger, way.step * step / larger)
        for way, extent, step, larger in zip(before, window.extent, window.step, grow, strict=True)
    )
