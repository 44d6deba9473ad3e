"""Trace the loss and the backward pass as events. Autograd visits the layers in reverse order, creates gradients, and
releases what it saved. Gradients of parameters stay."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from cnndsl.analysis.execution import Passed, Ran
from cnndsl.analysis.forward import ForwardTrace
from cnndsl.analysis.lifetimes import WIDTHS, Lifetimes
from cnndsl.analysis.memory_trace import TraceBuilder
from cnndsl.graph import Node
from cnndsl.records import record

GradientKey: TypeAlias = tuple[int, int]
"""A node, and one of its values by number; `OUTPUT` for its output."""
OUTPUT = -1
PARAMETER = -1
"""Used instead of the number of a value: the shape is that of a parameter."""
TARGET_BYTES = 8
"""The bytes of a class index, an int64."""


@record(slots=True)
class Gradient:
    """The gradient of a node's output: its storage, and whether it fills it (a slice of a wider one does not)."""

    storage: int
    dense: bool


@record(slots=True)
class _Made:
    """A gradient as an operation creates it. `of` is the value of the layer whose shape it has."""

    storage: int
    dense: bool
    of: int
    width: int


@dataclass
class BackwardTrace:
    """The events of a forward pass, and the gradient of each node's output while the backward pass is traced."""

    forward: ForwardTrace
    gradients: dict[GradientKey, Gradient] = field(default_factory=dict[GradientKey, Gradient])
    weighted: set[tuple[int, str]] = field(default_factory=set[tuple[int, str]])
    """The tensors that have a gradient so far, by the node whose module they belong to and their name."""

    def is_first(self, node: Node, tensor: str) -> bool:
        """Record that a tensor gets a gradient; return whether it is the first."""
        key = (node.index if node.weights_of < 0 else node.weights_of, tensor)
        is_first = key not in self.weighted
        self.weighted.add(key)
        return is_first

    @property
    def values(self) -> Lifetimes:
        """Return the lifetimes of the values of the forward pass."""
        return self.forward.values

    @property
    def ledger(self) -> TraceBuilder:
        """Return the trace that allocations are noted in."""
        return self.forward.ledger


def targets(values: Lifetimes, ledger: TraceBuilder) -> list[int]:
    """Allocate the target classes of the outputs: one for each image, or for each pixel of an output map."""
    return [
        ledger.new(0, "input", 0, TARGET_BYTES * values.graph.nodes[output].shape.pixels) for output in values.learning
    ]


def loss(forward: ForwardTrace, wanted: list[int]) -> list[list[int]]:
    """Trace the cross-entropy of each output: log_softmax, whose result the loss saves, and the sum of weights."""
    values, ledger = forward.values, forward.ledger
    kept: list[list[int]] = []
    for output, target in zip(values.learning, wanted, strict=True):
        ledger.event("loss", output)
        numel = values.graph.nodes[output].shape.numel
        width = 4 if values.dtype == "amp" else values.width[output]
        probabilities = ledger.new(output, "extras", 0, numel * width)
        total_weight = ledger.new(output, "extras", width, 0)
        ledger.new(output, "scratch", width, 0)
        if values.width[output] != width:
            ledger.drop(ledger.new(output, "scratch", 0, numel * width))
        ledger.hold(target)
        kept.append([probabilities, total_weight, target])
    return kept


def run(forward: ForwardTrace, losses: list[list[int]]) -> None:
    """Write the backward pass into the ledger."""
    backward = BackwardTrace(forward)
    values, ledger = forward.values, forward.ledger
    ledger.event("backward", values.graph.output)
    seed = ledger.new(values.graph.output, "gradients", 4 if values.dtype == "amp" else WIDTHS[values.dtype], 0)
    for output, kept in reversed(list(zip(values.learning, losses, strict=True))):
        _through_loss(backward, output, kept)
    for event in reversed(values.execution):
        if isinstance(event, Passed) or (isinstance(event, Ran) and not values.steps[event.node]):
            _pass_through(backward, values.graph.nodes[event.node])
        elif isinstance(event, Ran) and values.runs[event.node]:
            _through(backward, event)
    ledger.drop(seed)


def _through_loss(backward: BackwardTrace, output: int, kept: list[int]) -> None:
    values, ledger = backward.values, backward.ledger
    numel = values.graph.nodes[output].shape.numel
    width = 4 if values.dtype == "amp" else values.width[output]
    probabilities, total_weight, target = kept
    ledger.event("backward", output)
    picked = ledger.new(output, "gradients", 0, numel * width)
    for storage in (total_weight, target):
        ledger.drop(storage)
    ledger.event("backward", output)
    gradient = ledger.new(output, "gradients", 0, numel * width)
    ledger.drop(picked)
    ledger.drop(probabilities)
    if width != values.width[output]:
        ledger.event("backward", output)
        cast = ledger.new(output, "gradients", 0, numel * values.width[output])
        ledger.drop(gradient)
        gradient = cast
    _arrive(backward, (output, OUTPUT), gradient, True)


def _pass_through(backward: BackwardTrace, node: Node) -> None:
    gradient = backward.gradients.pop((node.index, OUTPUT), None)
    if gradient is not None:
        _arrive(backward, _key(node, 0), gradient.storage, gradient.dense)


def _through(backward: BackwardTrace, event: Ran) -> None:
    """Trace the operations of one layer in reverse order, each as an event."""
    values, at = backward.values, event.node
    node, steps = values.graph.nodes[at], values.steps[at]
    first, count = len(node.value_inputs), len(steps)
    for k in reversed(range(event.step, count if event.is_last else min(event.step + 1, count))):
        own = backward.gradients.pop((at, OUTPUT if k == count - 1 else first + k), None)
        if own is not None:
            _through_step(backward, node, k, own)


def _key(node: Node, read: int) -> GradientKey:
    """Return the key of the value that a step reads: the output of another node, or the result of an earlier step."""
    return (node.value_inputs[read], OUTPUT) if read < len(node.value_inputs) else (node.index, read)


def _through_step(backward: BackwardTrace, node: Node, k: int, gradient: Gradient) -> None:
    """Trace one operation: allocate gradients of what it reads, then release what it saved and its own gradient."""
    values, ledger, at = backward.values, backward.ledger, node.index
    step, result = values.steps[at][k], len(node.value_inputs) + k
    ledger.event("backward", at)
    if step.gradient == "divided":
        gradient = _divided(backward, node, result, gradient)
    wanted = [read for read in step.reads if values.needs[at][read]]
    made = [(read, _passed(backward, node, k, read, gradient)) for read in wanted]
    weights = [(position, _weight_gradient(backward, node, k, position, gradient)) for position in step.tensors]
    bytes = _scratch(backward, node, k)
    if bytes:
        ledger.drop(ledger.new(at, "scratch", 0, bytes))
    if step.once:
        ledger.drop(ledger.new(at, "scratch", step.once * WIDTHS[values.dtype], 0))
    done = [*backward.forward.saved[at, k], gradient.storage]
    if step.gradient == "own":
        _drop(ledger, done)
    if step.tensors_first:
        weights = _finish_weights(backward, node, weights)
    if step.gradient == "own":
        for read, each in made:
            _arrive(backward, _key(node, read), *_fitted(backward, node, read, each))
    arriving = [(read, *_fitted(backward, node, read, each)) for read, each in made if step.gradient != "own"]
    _finish_weights(backward, node, weights)
    if step.gradient != "own":
        _drop(ledger, done)  # the engine sums and casts before it releases (torch/csrc/autograd/engine.cpp)
    for read, storage, dense in arriving:
        _arrive(backward, _key(node, read), storage, dense)


def _drop(ledger: TraceBuilder, storages: list[int]) -> None:
    for storage in storages:
        ledger.drop(storage)


def _scratch(backward: BackwardTrace, node: Node, k: int) -> int:
    """Return the bytes per image that a step allocates temporarily, besides the gradients."""
    values, at = backward.values, node.index
    step, result = values.steps[at][k], len(node.value_inputs) + k
    bytes = step.scratch[1] * values.widths[at][result] + step.flags
    if step.makes_all and not all(values.needs[at][read] for read in step.reads):
        bytes += step.values * values.widths[at][result]
    if k or at not in values.overwritten:
        return bytes
    before = values.steps[node.inputs[values.overwritten[at]]]
    return bytes + (2 * step.values * values.widths[at][result] if before and before[-1].viewed else 0)


def _divided(backward: BackwardTrace, node: Node, result: int, gradient: Gradient) -> Gradient:
    """Return the gradient of the sum that a mean divides."""
    quotient = _gradient(backward, node, result, backward.values.widths[node.index][result])
    backward.ledger.drop(gradient.storage)
    return Gradient(quotient, True)


def _gradient(backward: BackwardTrace, node: Node, value: int, width: int) -> int:
    return backward.ledger.new(node.index, "gradients", *backward.values.bytes(node.index, value, width))


def _passed(backward: BackwardTrace, node: Node, k: int, read: int, gradient: Gradient) -> _Made:
    """Return the gradient for one operand as the operation creates it: shared if it is only passed on, else new."""
    values, ledger = backward.values, backward.ledger
    step, result = values.steps[node.index][k], len(node.value_inputs) + k
    widths = values.widths[node.index]
    if step.gradient in ("handed on", "divided") or (step.gradient == "negated" and read == step.reads[0]):
        ledger.hold(gradient.storage)
        return _Made(gradient.storage, gradient.dense, result, widths[result])
    if step.gradient == "parts":
        ledger.hold(gradient.storage)
        return _Made(gradient.storage, False, read, widths[result])
    if step.gradient == "broadcast":
        return _Made(_gradient(backward, node, result, widths[result]), True, result, widths[result])
    width = values.computes(step, widths) or widths[read]
    return _Made(_gradient(backward, node, read, width), True, read, width)


def _fitted(backward: BackwardTrace, node: Node, read: int, made: _Made) -> tuple[int, bool]:
    """Reduce a gradient to the shape of its operand by summation, and cast it to the operand's type."""
    values, ledger = backward.values, backward.ledger
    storage, dense, of, width = made.storage, made.dense, made.of, made.width
    sizes, wanted = values.values[node.index], values.widths[node.index][read]
    if sizes[of] != sizes[read]:
        ledger.event("backward", node.index)
        summed = _gradient(backward, node, read, width)
        ledger.drop(storage)
        storage, dense = summed, True
    if width != wanted:
        ledger.event("backward", node.index)
        cast = _gradient(backward, node, read, wanted)
        ledger.drop(storage)
        storage, dense = cast, True
    return storage, dense


def _weight_gradient(backward: BackwardTrace, node: Node, k: int, position: int, gradient: Gradient) -> _Made | None:
    """Return the gradient of a parameter as the operation creates it: in the type that the operation computes in, and
    in the shape of the result if the parameter was broadcast. None for tensors that are not trained."""
    values, ledger = backward.values, backward.ledger
    step, result = values.steps[node.index][k], len(node.value_inputs) + k
    tensor, widths = values.tensors[node.index][position], values.widths[node.index]
    if not tensor.learns:
        return None
    if step.gradient == "handed on":
        ledger.hold(gradient.storage)
        return _Made(gradient.storage, False, result, widths[result])
    if step.gradient == "broadcast":
        return _Made(_gradient(backward, node, result, widths[result]), True, result, widths[result])
    width = values.computes(step, widths) or WIDTHS[values.dtype]
    return _Made(ledger.new(node.index, "weight gradients", tensor.numel * width, 0), True, PARAMETER, width)


def _finish_weights(
    backward: BackwardTrace, node: Node, weights: list[tuple[int, _Made | None]]
) -> list[tuple[int, _Made | None]]:
    """Finish the gradients of parameters; return those that are left, none."""
    for position, each in weights:
        if each is not None:
            _finish_weight(backward, node, position, each)
    return []


def _finish_weight(backward: BackwardTrace, node: Node, position: int, made: _Made) -> None:
    """Bring the gradient of a parameter to the parameter's own shape and type. It stays allocated. If there is one
    already, add the two, out of place if MemTracker holds both."""
    values, ledger = backward.values, backward.ledger
    tensor, storage = values.tensors[node.index][position], made.storage
    for differs, width in (
        (made.of != PARAMETER, made.width),
        (made.width != WIDTHS[values.dtype], WIDTHS[values.dtype]),
    ):
        if differs:
            ledger.event("backward", node.index)
            fitted = ledger.new(node.index, "weight gradients", tensor.numel * width, 0)
            ledger.drop(storage)
            storage = fitted
    if not backward.is_first(node, tensor.name):
        if values.tracked:
            ledger.event("backward", node.index)
            ledger.drop(ledger.new(node.index, "weight gradients", tensor.numel * WIDTHS[values.dtype], 0))
        ledger.drop(storage)


def _arrive(backward: BackwardTrace, value: GradientKey, storage: int, dense: bool) -> None:
    """Add up the gradients of a value that several layers read, as autograd does: in place if nobody else holds one of
    them (torch/csrc/autograd/input_buffer.cpp, `accumulate`)."""
    ledger, gradients, tracked = backward.ledger, backward.gradients, backward.values.tracked
    before = gradients.get(value)
    if before is None:
        gradients[value] = Gradient(storage, dense)
    elif not tracked and before.dense and ledger.holders(before.storage) == 1:
        ledger.drop(storage)
    elif not tracked and dense and ledger.holders(storage) == 1:
        ledger.drop(before.storage)
        gradients[value] = Gradient(storage, True)
    else:
        values, (node, number) = backward.values, value
        ledger.event("backward", node)
        bytes = values.values[node][number] * values.widths[node][number]
        gradients[value] = Gradient(ledger.new(node, "gradients", 0, bytes), True)
        ledger.drop(before.storage)
        ledger.drop(storage)
