"""Determine the storage of each node's output, the width of its values, whether a gradient flows to it, and what runs
when. The memory metrics build on this; it is independent of the batch size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Literal

from cnndsl.analysis.execution import Execution, ExecutionEvent, Executions, Passed, Ran, Released
from cnndsl.analysis.inplace import overwritten
from cnndsl.graph import Graph, Node
from cnndsl.layers.base import Cut, Layer, Tensor
from cnndsl.layers.steps import LayerStep, behind_copy
from cnndsl.records import record
from cnndsl.shape import Shape

Dtype = Literal["fp32", "fp16", "bf16", "amp"]
Device = Literal["cpu", "cuda"]

WIDTHS = {"fp32": 4, "fp16": 2, "bf16": 2, "amp": 4}
"""The bytes of a parameter."""


@record
class Lifetimes:
    """The lifetimes of one network, in one mode and one data type."""

    graph: Graph
    training: bool
    dtype: Dtype = "fp32"
    device: Device = "cpu"
    tracked: bool = False
    """True if a tracker holds each storage, so that autograd adds gradients up out of place."""
    executions: Executions | None = None
    """How the emitted module runs, if known."""

    @cached_property
    def runs(self) -> Mapping[int, bool]:
        """Return whether each node is executed at all."""
        return {node.index: self.training or not node.training_only for node in self.graph.nodes}

    @cached_property
    def outputs(self) -> tuple[int, ...]:
        """Return the nodes whose values the module returns."""
        taps = (tap.node for tap in self.graph.taps if self.training or not tap.training_only)
        return (self.graph.output, *taps)

    @cached_property
    def overwritten(self) -> Mapping[int, int]:
        """Return the nodes that overwrite an input, each with the position of that input."""
        return overwritten(self.graph)

    @cached_property
    def shapes(self) -> Mapping[int, tuple[Shape, ...]]:
        """Return the shapes of each node's inputs."""
        return {node.index: self.graph.shapes(node) for node in self.graph.nodes}

    def is_left_out(self, node: Node) -> bool:
        """Return whether the emitted module omits a layer because it does nothing."""
        return bool(node.inputs) and node.layer.is_identity(*self.shapes[node.index])

    @cached_property
    def tensors(self) -> Mapping[int, tuple[Tensor, ...]]:
        """Return each node's parameters and buffers; a repeated application has those of the module."""
        return {
            node.index: _tensors(node.layer, *self.shapes[node.index]) if node.inputs else ()
            for node in self.graph.nodes
        }

    @cached_property
    def own_tensors(self) -> Mapping[int, tuple[Tensor, ...]]:
        """Return the same, but the tensors of a module only at its first application."""
        return {node.index: self.tensors[node.index] if node.weights_of < 0 else () for node in self.graph.nodes}

    @cached_property
    def needs_gradient(self) -> Mapping[int, bool]:
        """Return whether the backward pass goes through each node: the node, or one before it, has parameters."""
        return {at: each[-1] for at, each in self.needs.items()}

    @cached_property
    def needs(self) -> Mapping[int, tuple[bool, ...]]:
        """Return the same for each value that a node reads and each result of its steps, the output last."""
        needs: dict[int, tuple[bool, ...]] = {}
        for node in self.graph.nodes:
            each = [needs[at][-1] for at in node.value_inputs] or [False]
            for step in self.steps[node.index]:
                own = any(self.tensors[node.index][at].learns for at in step.tensors)
                each.append(self.training and (own or any(each[at] for at in step.reads)))
            needs[node.index] = tuple(each)
        return needs

    @cached_property
    def values(self) -> Mapping[int, tuple[int, ...]]:
        """Return the number of elements per image of each value that a node reads and of each result."""
        return {
            node.index: (
                *(self.graph.nodes[at].shape.numel for at in node.value_inputs or (node.index,)),
                *(step.values for step in self.steps[node.index]),
            )
            for node in self.graph.nodes
        }

    def bytes(self, at: int, value: int, width: int) -> tuple[int, int]:
        """Return the bytes of a value of a node, by its number, with `width` bytes per element: the bytes for the whole
        batch, and the bytes per image."""
        size = self.values[at][value] * width
        step = value - len(self.graph.nodes[at].value_inputs)
        return (size, 0) if step >= 0 and self.steps[at][step].fixed else (0, size)

    @cached_property
    def learning(self) -> tuple[int, ...]:
        """Return the outputs whose loss has a gradient: those with parameters before them."""
        return tuple(output for output in self.outputs if self.needs_gradient[output])

    @cached_property
    def unpooled(self) -> Mapping[int, int]:
        """Return the max-poolings whose indices an UNPOOL uses, each with the last such UNPOOL."""
        return {node.inputs[node.layer.INDICES_OF]: node.index for node in self.graph if node.layer.INDICES_OF}

    def shared(self, node: Node) -> int | None:
        """Return the input whose memory a node's output shares (view, overwritten, dropout at inference), or None."""
        if node.inputs and (
            node.layer.views(*self.shapes[node.index]) or node.layer.passes(self.training) or self.is_left_out(node)
        ):
            return node.inputs[0]
        return node.inputs[self.overwritten[node.index]] if node.index in self.overwritten else None

    @cached_property
    def steps(self) -> Mapping[int, tuple[LayerStep, ...]]:
        """Return the operations of each node; none for a node that the emitted module omits."""
        steps: dict[int, tuple[LayerStep, ...]] = {}
        for node in self.graph.nodes:
            at, layer = node.index, node.layer
            does = bool(node.inputs) and not self.is_left_out(node) and not layer.passes(self.training)
            steps[at] = _steps(layer, *self.shapes[at]) if does else ()
            if does and self.cuts[node.inputs[0]] in layer.copied(*self.shapes[at]):
                steps[at] = behind_copy(steps[at], self.shapes[at][0].numel)
        return steps

    @cached_property
    def cuts(self) -> Mapping[int, Cut]:
        """Return for each node whether its output is a view that is not contiguous."""
        cuts: dict[int, Cut] = {}
        for node in self.graph.nodes:
            before = self.shared(node)
            copied = node.layer.copied(*self.shapes[node.index]) if node.inputs else ()
            kept = "" if before is None or cuts[before] in copied else cuts[before]
            own = node.layer.cut(*self.shapes[node.index]) if node.inputs and not self.is_left_out(node) else ""
            cuts[node.index] = max(own, kept)  # positions take precedence over channels
        return cuts

    def written_over(self, at: int, k: int) -> int | None:
        """Return which of the values that an operation of a node reads is overwritten by its result, which keeps that
        value's type. None if the result has memory of its own."""
        if at in self.overwritten:
            return self.overwritten[at] if k == 0 else 0
        return 0 if (at, k) in self._over else None

    @cached_property
    def _over(self) -> frozenset[tuple[int, int]]:
        """Return the intermediate operations of layers that overwrite their first operand."""
        return frozenset((event.node, event.step) for event in self.execution if isinstance(event, Ran) and event.over)

    @cached_property
    def width(self) -> Mapping[int, int]:
        """Return the bytes per element of each node's output."""
        return {at: each[-1] for at, each in self.widths.items()}

    @cached_property
    def widths(self) -> Mapping[int, tuple[int, ...]]:
        """Return the bytes per element of each value that a node reads and each step's result, output last."""
        widths: dict[int, tuple[int, ...]] = {}
        for node in self.graph.nodes:
            each = [widths[at][-1] for at in node.value_inputs] or [WIDTHS[self.dtype]]
            for k, step in enumerate(self.steps[node.index]):
                over = self.written_over(node.index, k)
                each.append(self.result_width(node, step, each) if over is None else each[step.reads[over]])
            widths[node.index] = tuple(each)
        return widths

    def computes(self, step: LayerStep, widths: Sequence[int]) -> int:
        """Return the bytes per element that autocast casts the operands of a step to; 0 if it does not cast them."""
        if self.dtype != "amp":
            return 0
        rule = step.autocast if self.device == "cpu" else step.on_cuda
        return {"as is": 0, "half": 2, "full": 4, "widest": max((widths[at] for at in step.reads), default=0)}[rule]

    def result_width(self, node: Node, step: LayerStep, widths: Sequence[int]) -> int:
        """Return the bytes per element of a step's result."""
        own = WIDTHS[self.dtype] if step.promotes and any(self.tensors[node.index][at] for at in step.tensors) else 0
        return self.computes(step, widths) or max((own, *(widths[at] for at in step.reads)))

    @cached_property
    def execution(self) -> Execution:
        """Return what the module runs, in order, and when it releases each value."""
        if self.executions is not None:
            return self._complete(self.executions.training if self.training else self.executions.evaluation)
        running = [node for node in self.graph.layers if self.runs[node.index]]
        last = {at: node.index for node in running for at in node.value_inputs}
        gone: dict[int, list[int]] = defaultdict(list)
        for at, reader in last.items():
            gone[reader].append(at)
        execution: list[ExecutionEvent] = []
        for node in running:
            indices = [-1 - node.inputs[node.layer.INDICES_OF]] if node.layer.INDICES_OF else []
            execution += [Ran(node.index), Released((*gone[node.index], *indices))]
        return tuple(execution)

    def _complete(self, execution: Execution) -> Execution:
        """Add the layers that the module omits, each after what it reads."""
        place = {event.node: at for at, event in enumerate(execution) if isinstance(event, Ran)}
        following: dict[int, list[ExecutionEvent]] = defaultdict(list)
        for node in self.graph.layers:
            if node.index not in place and self.runs[node.index]:
                place[node.index] = max(place.get(at, -1) for at in node.inputs)
                following[place[node.index]].append(Passed(node.index))
        return (*following[-1], *(each for at, event in enumerate(execution) for each in (event, *following[at])))


@lru_cache(maxsize=4096)
def _steps(layer: Layer, *inputs: Shape) -> tuple[LayerStep, ...]:
    """Return the operations of a layer; results for equal layers on equal inputs are cached."""
    return layer.steps(*inputs)


@lru_cache(maxsize=4096)
def _tensors(layer: Layer, *inputs: Shape) -> tuple[Tensor, ...]:
    return layer.tensors(*inputs)
