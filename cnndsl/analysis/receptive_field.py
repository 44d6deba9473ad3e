"""Compute the receptive field of every node, on any graph.

Each axis is followed by exact interval arithmetic (`interval`) from a start node; joins take the union of the fields of
their branches. The field is the smallest box around the positions that can matter: with dilation it contains gaps.
Source of the definitions: Araujo, Norris and Sim 2019, "Computing Receptive Fields of Convolutional Neural Networks",
Distill, doi 10.23915/distill.00021. Nothing here draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from fractions import Fraction
from functools import lru_cache
from math import prod
from typing import TypeAlias

from cnndsl.analysis.interval import Track, clipped, everything, same_centres, slide, union
from cnndsl.graph import Graph, Node, ancestors
from cnndsl.layers.base import Layer, Window
from cnndsl.records import record
from cnndsl.shape import Shape


@record(slots=True)
class Field:
    """The receptive field of a node's units on the plane, the map of the start node; one entry per axis, H before W.

    `whole` says that there is a global operation (FC, global pooling, the gate of squeeze-and-excite) in between: every
    unit sees all that any does. `aligned` is false if branches with different centres were merged on the way.
    """

    tracks: tuple[Track, ...]
    whole: bool = False
    aligned: bool = True
    ungated: Field | None = field(default=None, repr=False)

    @property
    def size(self) -> tuple[int, ...]:
        """Return how many positions a unit sees, for the unit that sees most."""
        return tuple(track.size for track in self.tracks)

    @property
    def stride(self) -> tuple[int | Fraction, ...]:
        """Return the distance between the fields of neighbouring units; 0 if all see the same."""
        return tuple(track.stride for track in self.tracks)

    @property
    def padding(self) -> tuple[int, ...]:
        """Return how far the field of the first unit begins outside the plane."""
        return tuple(track.padding for track in self.tracks)

    @property
    def at_most(self) -> bool:
        """Return whether the ranges of some unit may be larger than what it sees."""
        return any(track.bound for track in self.tracks)

    @property
    def local(self) -> Field:
        """Return the field without global operations: without operands of a merge that see everything (gates), if other
        operands do not, and without what the statistics of a normalisation see."""
        return self.ungated or self

    def box(self, position: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
        """Return the first and last position on each axis that a unit sees; positions outside the plane are padding."""
        return tuple(track.at(at) for track, at in zip(self.tracks, position, strict=True))


Fields: TypeAlias = Mapping[int, Field | None]


def receptive_fields(graph: Graph, start: int | None = None) -> dict[int, Field | None]:
    """Return the field of each node on the plane of node `start`; None if the node does not depend on it.

    Without a start it is the field on the input. With several inputs a node has the largest of its fields, axis by
    axis; None if the inputs that it depends on have different numbers of axes. A vector has no spatial axes, and is
    ignored if another input has some.
    """
    if start is None:
        each = [_fields_from(graph, node.index) for node in graph.inputs]
        return each[0] if len(each) == 1 else {at: _largest([fields[at] for fields in each]) for at in each[0]}
    return _fields_from(graph, start)


def _fields_from(graph: Graph, start: int) -> dict[int, Field | None]:
    plane = graph.nodes[start].shape
    fields: dict[int, Field | None] = dict.fromkeys(range(start))
    fields[start] = Field((Track(),) * plane.rank)
    for node in graph.nodes[start + 1 :]:
        fields[node.index] = _field(graph, node, fields, plane)
    return fields


def _largest(fields: Iterable[Field | None]) -> Field | None:
    """Return the largest of the fields on several inputs, axis by axis."""
    known = [each for each in fields if each is not None]
    several = [each for each in known if each.tracks] or known[:1]
    if len(several) < 2 or len({len(each.tracks) for each in several}) > 1:
        return several[0] if len(several) == 1 else None
    full = _hull(several)
    local = _hull([each.local for each in several if not each.local.whole] or [each.local for each in several])
    return full if full == local else replace(full, ungated=local)


def _hull(fields: list[Field]) -> Field:
    tracks = zip(*(each.tracks for each in fields), strict=True)
    largest = tuple(max(axis, key=lambda track: track.size) for axis in tracks)
    return Field(largest, any(each.whole for each in fields), all(each.aligned for each in fields))


def last_map(graph: Graph, fields: Fields) -> int:
    """Return the node whose field is quoted for a whole network: the last before an output whose units do not yet see
    everything through global pooling or FC (gates aside). With several outputs, the one with the largest field. The
    input if there is none."""

    def seen(at: int) -> tuple[int, int]:
        found = fields[at]
        return prod(found.size) if found else 0, at

    return max({_last_before(graph, fields, output) for output in graph.main_outputs}, key=seen)


def _last_before(graph: Graph, fields: Fields, output: int) -> int:
    ahead = ancestors(graph.digraph, output)
    for at in reversed(range(len(graph))):
        seen = fields[at]
        if at in ahead and seen is not None and not seen.local.whole and graph.nodes[at].shape.rank:
            return at
    return 0


@record(slots=True)
class Disagreement:
    """A merge whose operands are not aligned: the range that each sees first, and how far it moves, on one axis."""

    node: int
    axis: int
    operands: tuple[int, ...]
    ranges: tuple[tuple[int, int], ...]
    strides: tuple[int | Fraction, ...]


def disagreements(graph: Graph, fields: Fields) -> Iterator[Disagreement]:
    """Yield, in order, the merges whose branches disagree in alignment or stride, on the first such axis."""
    for node in graph.nodes:
        if len(node.value_inputs) < 2:
            continue
        operands = tuple(at for at in node.value_inputs if (seen := fields[at]) is not None and not seen.local.whole)
        several = [seen.local.tracks for at in operands if (seen := fields[at]) is not None]
        for axis, tracks in enumerate(zip(*several, strict=True)):
            if not same_centres(_moving(tracks), _extent(node.shape, axis)):
                starts, strides = tuple(track.at(0) for track in tracks), tuple(track.stride for track in tracks)
                yield Disagreement(node.index, axis, operands, starts, strides)
                break


def _field(graph: Graph, node: Node, fields: Fields, plane: Shape) -> Field | None:
    seen = [(seen, graph.nodes[at].shape) for at in node.value_inputs if (seen := fields[at]) is not None]
    if not seen:
        return None
    window = _window(node.layer, *[graph.nodes[at].shape for at in node.inputs])
    if len(seen) == 1 and window is not None and _is_pointwise(window) and seen[0][1].spatial == node.shape.spatial:
        return seen[0][0]
    through = [_through(each, shape, node.shape, window, plane) for each, shape in seen]
    full = _union(through, node, plane)
    gated = len({each.whole for each in through}) > 1 or any(each.ungated is not None for each, _ in seen)
    keeps_size = seen[0][1].pixels > 1 and seen[0][1].spatial == node.shape.spatial
    normalises = window is None and keeps_size and not node.layer.SEES_ALL
    if not gated and not normalises:
        return full
    ungated = [
        each.local if normalises else _through(each.local, shape, node.shape, window, plane) for each, shape in seen
    ]
    local = _union([each for each in ungated if not each.whole] or ungated, node, plane)
    return full if full == local else replace(full, ungated=local)


@lru_cache(maxsize=4096)
def _window(layer: Layer, *inputs: Shape) -> Window | None:
    return layer.window(*inputs)


def _is_pointwise(window: Window) -> bool:
    """Return whether each position sees only the same position of the input."""
    return not window.grow and set(window.extent) | set(window.step) <= {1} and set(window.before) <= {0}


def _through(seen: Field, before: Shape, after: Shape, window: Window | None, plane: Shape) -> Field:
    """Return the field after one layer. If the layer expands one position to many, each of them sees what that one
    does; if a merge does so, the operand is a gate."""
    if seen.whole:
        return seen
    repeated = window is not None and _is_pointwise(window) and before.pixels == 1 < after.pixels
    if window is None or before.rank == 0 or repeated or before.rank != len(seen.tracks):
        return _everything(seen, before, plane)
    grow = window.grow or (1,) * before.rank
    numbers = zip(seen.tracks, window.extent, window.step, window.before, grow, after.spatial, strict=True)
    spread = [here == 1 < there for here, there in zip(before.spatial, after.spatial, strict=True)]
    tracks = (everything(each[0], 1) if one else slide(*each) for each, one in zip(numbers, spread, strict=True))
    gaps = zip(tracks, window.spacing or (1,) * before.rank, strict=True)
    return Field(tuple(_at_most(track) if gap > 1 else track for track, gap in gaps), False, seen.aligned)


def _at_most(track: Track) -> Track:
    """Return the track as a bound: weights with gaps may all miss the values at the ends of a range."""
    return replace(track, bound=True)


def _everything(seen: Field, before: Shape, plane: Shape) -> Field:
    tracks = tuple(
        clipped(everything(track, _extent(before, axis)), plane.spatial[axis]) for axis, track in enumerate(seen.tracks)
    )
    return Field(tracks, True, seen.aligned)


def _union(operands: list[Field], node: Node, plane: Shape) -> Field:
    if len(operands) == 1:
        return operands[0]
    aligned = all(operand.aligned for operand in operands)
    if any(operand.whole for operand in operands):
        each = [tuple(_whole(operand, node, axis, plane) for operand in operands) for axis in range(plane.rank)]
        return Field(tuple(union(tracks, 1) for tracks in each), True, aligned)
    tracks: list[Track] = []
    for axis in range(plane.rank):
        each_track = tuple(operand.tracks[axis] for operand in operands)
        positions = _extent(node.shape, axis)
        tracks.append(union(each_track, positions))
        aligned = aligned and same_centres(_moving(each_track), positions)
    return Field(tuple(tracks), False, aligned)


def _moving(tracks: tuple[Track, ...]) -> tuple[Track, ...]:
    """Return the tracks whose units have different centres: one that all units share is aligned with anything."""
    return tuple(track for track in tracks if track.stride) or tracks[:1]


def _whole(operand: Field, node: Node, axis: int, plane: Shape) -> Track:
    """Return the track of an operand of a merge in which some operand sees everything."""
    if operand.whole:
        return operand.tracks[axis]
    return clipped(everything(operand.tracks[axis], _extent(node.shape, axis)), plane.spatial[axis])


def _extent(shape: Shape, axis: int) -> int:
    return shape.spatial[axis] if axis < shape.rank else 1
