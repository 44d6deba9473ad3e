"""Compute what a network costs: parameters, multiply-adds, elementwise operations, activations.

Values are exact and for one image. docs/figures.md describes what `macs` counts, and how other tools count. `memory`
computes what a network needs in memory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

from cnndsl.graph import Graph, Node
from cnndsl.layers.base import Layer
from cnndsl.records import record
from cnndsl.shape import Shape


@record(slots=True)
class Cost:
    """The metrics of a layer, or the sum over several.

    `weights`, `biases` and `buffers` are numbers of elements, `counters` how many of the buffers' elements count
    batches (`num_batches_tracked`); `macs` are multiply-adds of convolutions and matrix products, `operations`
    elementwise operations of everything else (the two are never mixed), `activations` the elements of the output,
    `frozen` the parameters that are not trained.
    """

    weights: int = 0
    biases: int = 0
    buffers: int = 0
    macs: int = 0
    operations: int = 0
    activations: int = 0
    counters: int = 0
    frozen: int = 0

    @property
    def trainable(self) -> int:
        """Return the number of parameters that training changes."""
        return self.params - self.frozen

    @property
    def params(self) -> int:
        """Return the number of weights and biases."""
        return self.weights + self.biases

    @property
    def buffer_values(self) -> int:
        """Return the number of buffer elements that are not counters, which published totals call statistics."""
        return self.buffers - self.counters

    @property
    def flops(self) -> int:
        """Return the floating-point operations of the multiply-adds, two each, as torch.utils.flop_counter does."""
        return 2 * self.macs


def costs(graph: Graph, unknown: Collection[int] = ()) -> dict[int, Cost]:
    """Return the cost of each node. A node that applies a module again has no parameters of its own, but costs its
    arithmetic once more. Nodes that are `unknown`, as in a network with errors, cost nothing."""
    nodes = graph.nodes
    found = {
        node.index: Cost()
        if node.index in unknown
        else layer_cost(node.layer, node.shape, *[nodes[at].shape for at in node.inputs])
        for node in nodes
    }
    for several in graph.applications.values():
        for at in several[1:]:
            found[at] = replace(found[at], weights=0, biases=0, buffers=0, counters=0, frozen=0)
    return found


def total(each: Iterable[Cost]) -> Cost:
    """Return the sum of several costs.

    >>> total([Cost(weights=4, biases=1, macs=8), Cost(weights=2)]).params
    7
    """
    several = list(each)
    return Cost(
        sum(cost.weights for cost in several),
        sum(cost.biases for cost in several),
        sum(cost.buffers for cost in several),
        sum(cost.macs for cost in several),
        sum(cost.operations for cost in several),
        sum(cost.activations for cost in several),
        sum(cost.counters for cost in several),
        sum(cost.frozen for cost in several),
    )


def network_total(nodes: Iterable[Node], each: Mapping[int, Cost], training: bool = False) -> Cost:
    """Return the sum over a network or some of its nodes: all parameters, and arithmetic and activations of a forward
    pass.

    An input has no activations. Parts that exist only in training have parameters, but take part in the forward pass
    only if `training`.
    """
    nodes = tuple(nodes)
    everything = total(each[node.index] for node in nodes)
    forward = total(each[node.index] for node in nodes if node.inputs and (training or not node.training_only))
    return replace(everything, macs=forward.macs, operations=forward.operations, activations=forward.activations)


@lru_cache(maxsize=4096)
def layer_cost(layer: Layer, output: Shape, *inputs: Shape) -> Cost:
    """Return the cost of a layer on inputs; equal layers on equal inputs are computed once."""
    sums, counters, frozen = {"weight": 0, "bias": 0, "buffer": 0}, 0, 0
    for tensor in layer.tensors(*inputs) if inputs else ():
        sums[tensor.role] += tensor.numel
        counters += tensor.numel if tensor.role == "buffer" and tensor.dtype == "int64" else 0
        frozen += tensor.numel if tensor.frozen else 0
    return Cost(
        weights=sums["weight"],
        biases=sums["bias"],
        buffers=sums["buffer"],
        macs=layer.macs(*inputs) if inputs else 0,
        operations=layer.operations(*inputs) if inputs else 0,
        activations=output.numel,
        counters=counters,
        frozen=frozen,
    )
