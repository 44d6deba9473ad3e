"""Where each node's output lies in memory, how wide its values are, whether a gradient flows to it, how long a
name in the emitted module refers to it. The groundwork of the memory figures; independent of the batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Literal

from cnndsl.analysis.inplace import overwritten
from cnndsl.graph import (
    CallPart,
    Graph,
    LayerPart,
    MergePart,
    NamedPart,
    Node,
    Part,
    inner_parts,
)
from cnndsl.layers.base import Layer, Saved, Tensor
from cnndsl.records import record
from cnndsl.shape import Shape

Dtype = Literal["fp32", "fp16", "bf16", "amp"]
Device = Literal["cpu", "cuda"]

WIDTHS = {"fp32": 4, "fp16": 2, "bf16": 2, "amp": 4}
"""Bytes of a parameter."""


@record
class Lifetimes:
    """The facts of one network, in one mode and one type."""

    graph: Graph
    training: bool
    dtype: Dtype = "fp32"
    device: Device = "cpu"

    @cached_property
    def runs(self) -> Mapping[int, bool]:
        """Whether each node is executed at all."""
        return {node.index: self.training or not node.training_only for node in self.graph.nodes}

    @cached_property
    def outputs(self) -> tuple[int, ...]:
        """The nodes whose values the module gives back."""
        taps = (tap.node for tap in self.graph.taps if self.training or not tap.training_only)
        return (self.graph.output, *taps)

    @cached_property
    def overwritten(self) -> Mapping[int, int]:
        """The nodes that write over an input, each with the position of that input."""
        return overwritten(self.graph)

    @cached_property
    def shapes(self) -> Mapping[int, tuple[Shape, ...]]:
        """The shapes of each node's inputs."""
        return {node.index: self.graph.shapes(node) for node in self.graph.nodes}

    @cached_property
    def saved(self) -> Mapping[int, Saved]:
        """What autograd keeps of each node; nothing where no gradient flows."""
        return {
            node.index: saved(node.layer, *self.shapes[node.index]) if self._keeps(node) else Saved()
            for node in self.graph.nodes
        }

    def _keeps(self, node: Node) -> bool:
        return bool(node.inputs) and self.needs_gradient[node.index] and not self.is_left_out(node)

    def is_left_out(self, node: Node) -> bool:
        """True where the emitted module has nothing for a layer: it does nothing."""
        return bool(node.inputs) and node.layer.is_identity(*self.shapes[node.index])

    @cached_property
    def tensors(self) -> Mapping[int, tuple[Tensor, ...]]:
        """Parameters and buffers of each node; of one that is applied again those of its module."""
        return {
            node.index: _tensors(node.layer, *self.shapes[node.index]) if node.inputs else ()
            for node in self.graph.nodes
        }

    @cached_property
    def own_tensors(self) -> Mapping[int, tuple[Tensor, ...]]:
        """The same, those of a module with its first application alone."""
        return {node.index: self.tensors[node.index] if node.weights_of < 0 else () for node in self.graph.nodes}

    @cached_property
    def needs_gradient(self) -> Mapping[int, bool]:
        """Whether the backward pass goes through each node: it, or something before it, has parameters."""
        needs: dict[int, bool] = {}
        for node in self.graph.nodes:
            own = any(tensor.role != "buffer" for tensor in self.tensors[node.index])
            needs[node.index] = self.training and (own or any(needs[at] for at in node.value_inputs))
        return needs

    @cached_property
    def learning(self) -> tuple[int, ...]:
        """The outputs whose loss has a gradient: those with parameters before them."""
        return tuple(output for output in self.outputs if self.needs_gradient[output])

    @cached_property
    def unpooled(self) -> Mapping[int, int]:
        """The max-poolings whose switches an UNPOOL takes, each with the last such."""
        return {node.inputs[node.layer.INDICES_OF]: node.index for node in self.graph if node.layer.INDICES_OF}

    def shared(self, node: Node) -> int | None:
        """The input in whose memory a node's output lies: a view, a result written over it, dropout in use."""
        if node.inputs and (node.layer.VIEW or node.layer.passes(self.training) or self.is_left_out(node)):
            return node.inputs[0]
        return node.inputs[self.overwritten[node.index]] if node.index in self.overwritten else None

    @cached_property
    def width(self) -> Mapping[int, int]:
        """Bytes of each value of a node's output."""
        if self.dtype != "amp":
            return dict.fromkeys(range(len(self.graph)), WIDTHS[self.dtype])
        widths: dict[int, int] = {}
        for node in self.graph.nodes:
            widens = 4 if node.layer.WIDENS else self.computes(node)
            widths[node.index] = widens or max((widths[at] for at in node.value_inputs), default=4)
        return widths

    def computes(self, node: Node) -> int:
        """The bytes a value that autocast casts a node's inputs to; 0 for none: it takes them as they are."""
        if self.dtype != "amp" or not node.inputs:
            return 0
        if self.device in node.layer.FULL_PRECISION:
            return 4
        return 2 if node.layer.macs(*self.shapes[node.index]) else 0

    @cached_property
    def order(self) -> tuple[Node, ...]:
        """The layers in the emitted module's order: what only training needs runs as soon as its inputs are there."""
        order = [node for node in self.graph.layers if not node.training_only]
        places = {node.index: at for at, node in enumerate(order)}
        ahead: dict[int, list[Node]] = defaultdict(list)
        after: dict[int, int] = {}
        for node in self.graph.layers:
            if node.training_only:
                after[node.index] = max((after.get(at, places.get(at, -1)) for at in node.inputs), default=-1)
                ahead[after[node.index]].append(node)
        moved = [*ahead[-1]]
        for at, node in enumerate(order):
            moved += [node, *ahead[at]]
        return tuple(moved)

    @cached_property
    def last_use(self) -> Mapping[int, int]:
        """The node after which no name refers to each node's output any more; the number of nodes for the net's
        inputs and outputs, which whoever calls it holds.

        The emitted code rebinds names and keeps none past its last use. A module's input is held by its caller
        until the module is done.
        """
        graph = self.graph
        inputs = [node.index for node in graph.inputs]
        place = {**dict.fromkeys(inputs, -1), **{node.index: at for at, node in enumerate(self.order)}}
        last = {
            at: max((reader for reader in readers if self.runs[reader]), default=at, key=place.__getitem__)
            for at, readers in enumerate(graph.readers)
        }
        for entry, stop in held_inputs(graph):
            last[entry] = max(last[entry], stop - 1, key=place.__getitem__)
        for at in (*inputs, *self.outputs):
            last[at] = len(graph)
        return last


@lru_cache(maxsize=4096)
def saved(layer: Layer, *inputs: Shape) -> Saved:
    """What autograd keeps of a layer; equal layers on equal inputs are asked once."""
    return layer.saved(*inputs)


@lru_cache(maxsize=4096)
def _tensors(layer: Layer, *inputs: Shape) -> tuple[Tensor, ...]:
    return layer.tensors(*inputs)


def held_inputs(graph: Graph) -> list[tuple[int, int]]:
    """For each module inside the net the nodes that it reads, each with the end of the module's range of nodes."""
    held: list[tuple[int, int]] = []
    _walk(graph, graph.tree, held)
    return held


def _walk(graph: Graph, part: Part, held: list[tuple[int, int]]) -> range:
    """The range of a part's nodes, after noting what the modules in it read."""
    if isinstance(part, LayerPart):
        return range(part.node, part.node + 1)
    ranges = [each for inner in inner_parts(part) if (each := _walk(graph, inner, held))]
    if isinstance(part, MergePart):
        ranges.append(range(part.node, part.node + 1))
    if not ranges:
        return range(0)
    inside = range(min(each.start for each in ranges), max(each.stop for each in ranges))
    if isinstance(part, CallPart) or (isinstance(part, NamedPart) and part.is_module):
        read = {at for node in graph.nodes[inside.start : inside.stop] for at in node.inputs if at < inside.start}
        held.extend((at, inside.stop) for at in sorted(read))
    return inside
