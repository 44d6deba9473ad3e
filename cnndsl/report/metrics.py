"""The figures of a network side by side: a row for each layer, and totals.

Definitions are those of `analysis`; nothing is computed here, and nothing is laid out.
"""

from __future__ import annotations

from dataclasses import field
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from cnndsl.analysis.cost import Cost, costs, network_total
from cnndsl.analysis.depth import depth
from cnndsl.analysis.lecture import lecture_volumes
from cnndsl.analysis.receptive_field import Field, last_map, receptive_fields
from cnndsl.graph import Graph, Node
from cnndsl.records import record

if TYPE_CHECKING:
    from cnndsl.analysis.roofline import Roofline
    from cnndsl.report.memory import MemoryReport

Extent: TypeAlias = "int | list[int] | None"
"""A number for each axis, or one that holds for all of them."""


@record(slots=True)
class Row:
    """The figures of a layer, of one image. `field` is None where the layer does not depend on the input; `volume`
    is the lecture's figure, in bytes, 0 for a layer that has none there."""

    node: Node
    cost: Cost
    field: Field | None
    volume: int = 0

    @property
    def receptive_field(self) -> tuple[int, ...]:
        """How many positions of the input a unit sees, for each axis."""
        return self.field.size if self.field else ()

    @property
    def stride(self) -> tuple[int | Fraction, ...]:
        """How far apart on the input neighbouring units look, for each axis; 0 where all see everything."""
        return self.field.stride if self.field else ()


@record(slots=True)
class Totals:
    """The figures of a network, of one image, without what exists in training only.

    `weights` are without biases; `macs` multiply-adds; `flops` twice as many; `activations` the values that all
    layers give; `memory_bytes` the lecture's figure, 4 bytes for each value of input, convolutions, poolings and FC;
    `receptive_field` that of the last map before everything is seen at once, at most that if `receptive_field_at_most`;
    `depth` the most weight layers in a row.
    """

    params: int
    weights: int
    macs: int
    flops: int
    activations: int
    memory_bytes: int
    receptive_field: tuple[int, ...]
    depth: int
    receptive_field_at_most: bool = False


@record
class Metrics:
    """The metrics of a network: `totals`, and `layers` in the order of execution.

    `memory` is what a batch needs, None where no batch was named, `roofline` the least time on a GPU, None
    where none was named. `further_inputs` are the inputs after the first.
    """

    graph: Graph = field(repr=False)
    input: Row
    layers: tuple[Row, ...]
    totals: Totals
    memory: MemoryReport | None = None
    further_inputs: tuple[Row, ...] = ()
    roofline: Roofline | None = None

    @property
    def inputs(self) -> tuple[Row, ...]:
        """All inputs, in their order."""
        return (self.input, *self.further_inputs)


def metrics(graph: Graph) -> Metrics:
    """Return the metrics of a network."""
    each, fields, volumes = costs(graph), receptive_fields(graph), lecture_volumes(graph)
    rows = [Row(node, each[at], fields[at], volumes[at]) for at, node in enumerate(graph.nodes)]
    sums = network_total(graph, each)
    seen = fields[last_map(graph, fields)]
    totals = Totals(
        params=sums.params,
        weights=sums.weights,
        macs=sums.macs,
        flops=sums.flops,
        activations=sums.activations - sum(node.shape.numel for node in graph.inputs),
        memory_bytes=sum(row.volume for row in rows),
        receptive_field=seen.local.size if seen else (),
        depth=depth(graph),
        receptive_field_at_most=seen is not None and seen.local.at_most,
    )
    count = len(graph.inputs)
    return Metrics(graph, rows[0], tuple(rows[count:]), totals, further_inputs=tuple(rows[1:count]))


def squeeze(extents: tuple[int, ...]) -> Extent:
    """One number where all axes agree, else one for each; None for no axes.

    >>> squeeze((3, 3)), squeeze((1, 7)), squeeze(())
    (3, [1, 7], None)
    """
    if len(set(extents)) > 1:
        return list(extents)
    return extents[0] if extents else None
