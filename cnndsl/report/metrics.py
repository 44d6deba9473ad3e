"""The metrics of a network: a row for each layer, and totals.

Definitions are those of `analysis`; this module neither computes nor formats.
"""

from __future__ import annotations

from dataclasses import field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from cnndsl.analysis.cost import Cost
from cnndsl.analysis.execution import ExecutionsOf
from cnndsl.analysis.layer_memory import LayerMemory
from cnndsl.analysis.receptive_field import Field
from cnndsl.analysis.region import GraphFacts, Region
from cnndsl.graph import Graph, Node
from cnndsl.records import record

if TYPE_CHECKING:
    from cnndsl.analysis.roofline import Roofline
    from cnndsl.report.memory import MemoryReport

Extent: TypeAlias = "int | list[int] | None"
"""A number for each axis, or one for all of them."""


@record(slots=True)
class Row:
    """The metrics of a layer, for one image. `field` is None if the layer does not depend on the input; `volume` is the
    CS231n memory in bytes, 0 for a layer that has none there."""

    node: Node
    cost: Cost
    field: Field | None
    volume: int = 0

    @property
    def receptive_field(self) -> tuple[int, ...]:
        """Return the size of the receptive field, for each axis."""
        return self.field.size if self.field else ()

    @property
    def stride(self) -> tuple[int | Fraction, ...]:
        """Return the effective stride, for each axis; 0 if all units see everything."""
        return self.field.stride if self.field else ()


@record(slots=True)
class Totals:
    """The metrics of a network, for one image, by their names in `metric_table`, which defines them.

    Parameters and buffers are those of all layers. `macs`, `flops`, `operations`, `activations` and `memory` are those
    of a forward pass; at inference they exclude layers that exist in training only. `receptive_field` is a bound if
    `receptive_field_at_most`.
    """

    params: int
    weights: int
    macs: int
    flops: int
    operations: int
    activations: int
    memory: int
    biases: int
    trainable: int
    buffers: int
    buffer_values: int
    depth: int
    receptive_field: tuple[int, ...]
    receptive_field_at_most: bool

    @property
    def memory_bytes(self) -> int:
        """Return `memory`, under its first name."""
        return self.memory


@record
class Metrics:
    """The metrics of a network: `totals`, and `layers` in the order of execution.

    `totals_in_training` has the sums over all layers, including those that exist in training only. `memory` is the
    memory for a batch, None if no batch was named; `roofline` is the least time on a GPU, None if none was named.
    `further_inputs` are the inputs after the first; `runs` says how the module runs.
    """

    graph: Graph = field(repr=False)
    input: Row
    layers: tuple[Row, ...]
    totals: Totals
    totals_in_training: Totals
    runs: ExecutionsOf = field(repr=False)
    memory: MemoryReport | None = None
    further_inputs: tuple[Row, ...] = ()
    roofline: Roofline | None = None

    @property
    def inputs(self) -> tuple[Row, ...]:
        """Return all inputs, in their order."""
        return (self.input, *self.further_inputs)

    @cached_property
    def step(self) -> LayerMemory:
        """Return the peaks and the bytes saved for the backward pass: for the batch that was named, otherwise for one
        image in fp32 on a CPU, trained with SGD."""
        if self.memory is None:
            return GraphFacts(self.graph, self.runs).whole().load
        return LayerMemory(self.memory.inference.bytes, self.memory.saved, self.memory.training.bytes)

    @cached_property
    def has_training_only(self) -> bool:
        """Return whether some layers exist in training only, so that a forward pass costs less at inference."""
        return any(row.node.training_only for row in self.layers)


def metrics(graph: Graph, runs: ExecutionsOf) -> Metrics:
    """Return the metrics of a network whose module runs as `runs` says."""
    facts = GraphFacts(graph, runs)
    rows = [Row(node, facts.costs[at], facts.fields[at], facts.volumes[at]) for at, node in enumerate(graph.nodes)]
    count = len(graph.inputs)
    return Metrics(
        graph,
        rows[0],
        tuple(rows[count:]),
        _totals(facts.whole()),
        _totals(facts.whole(in_training=True)),
        runs,
        further_inputs=tuple(rows[1:count]),
    )


def _totals(whole: Region) -> Totals:
    cost = whole.cost
    return Totals(
        params=cost.params,
        weights=cost.weights,
        macs=cost.macs,
        flops=cost.flops,
        operations=cost.operations,
        activations=cost.activations,
        memory=whole.volume,
        biases=cost.biases,
        trainable=cost.trainable,
        buffers=cost.buffers,
        buffer_values=cost.buffer_values,
        depth=whole.depth,
        receptive_field=whole.receptive_field,
        receptive_field_at_most=whole.receptive_field_at_most,
    )


def squeeze(extents: tuple[int, ...]) -> Extent:
    """Return one number if all axes agree, otherwise one for each; None without axes.

    >>> squeeze((3, 3)), squeeze((1, 7)), squeeze(())
    (3, [1, 7], None)
    """
    if len(set(extents)) > 1:
        return list(extents)
    return extents[0] if extents else None
