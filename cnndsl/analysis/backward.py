"""Loss and backward pass, as events: autograd goes through the layers in the reverse of their order, makes gradients,
and lets go of what it kept. Gradients of parameters stay."""

from __future__ import annotations

from dataclasses import dataclass, field

from cnndsl.analysis.forward import ForwardTrace
from cnndsl.analysis.lifetimes import WIDTHS, Lifetimes
from cnndsl.analysis.memory_trace import TraceBuilder
from cnndsl.graph import Node
from cnndsl.records import record

TARGET_BYTES = 8
"""A class index, an int64."""


@record(slots=True)
class Gradient:
    """The gradient of a node's output: its storage, and whether it fills it (a part of a wider one does not)."""

    storage: int
    dense: bool


@dataclass
class BackwardTrace:
    """The events of a forward pass, and the gradient of each node's output while the backward pass is traced."""

    forward: ForwardTrace
    gradients: dict[int, Gradient] = field(default_factory=dict[int, Gradient])
    weighted: set[tuple[int, str]] = field(default_factory=set[tuple[int, str]])
    """The tensors that have a gradient so far, by the node whose module they belong to and their name."""

    def is_first(self, node: Node, tensor: str) -> bool:
        """Note that a tensor gets a gradient; return whether it is the first."""
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
    """The classes that the outputs are held against: one for each image, or for each pixel of an output map."""
    return [
        ledger.new(0, "input", 0, TARGET_BYTES * values.graph.nodes[output].shape.pixels) for output in values.learning
    ]


def loss(forward: ForwardTrace, wanted: list[int]) -> list[list[int]]:
    """The cross-entropy of each output: log_softmax, of which the loss keeps the result, and the sum of weights."""
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
    """Writes the backward pass into the ledger."""
    backward = BackwardTrace(forward)
    values, ledger = forward.values, forward.ledger
    ledger.event("backward", values.graph.output)
    seed = ledger.new(values.graph.output, "gradients", WIDTHS[values.dtype], 0)
    for output, kept in reversed(list(zip(values.learning, losses, strict=True))):
        _through_loss(backward, output, kept)
    for node in reversed(values.order):
        gradient = backward.gradients.pop(node.index, None)
        if gradient is not None and values.is_left_out(node):
            _arrive(backward, node.inputs[0], gradient.storage, gradient.dense)
        elif gradient is not None:
            _through(backward, node, gradient)
    ledger.drop(seed)


def _through_loss(backward: BackwardTrace, output: int, kept: list[int]) -> None:
    values, ledger = backward.values, backward.ledger
    numel = values.graph.nodes[output].shape.numel
    width = 4 if values.dtype == "amp" else values.width[output]
    ledger.event("backward", output)
    picked = ledger.new(output, "gradients", 0, numel * width)
    gradient = ledger.new(output, "gradients", 0, numel * width)
    ledger.drop(picked)
    for storage in kept:
        ledger.drop(storage)
    _arrive(backward, output, _cast(backward, output, gradient, width), True)


def _through(backward: BackwardTrace, node: Node, gradient: Gradient) -> None:
    """One layer: gradients of its parameters and inputs; then what it kept may go, and the gradient itself."""
    values, ledger = backward.values, backward.ledger
    ledger.event("backward", node.index)
    if node.layer.GRADIENT == "divided":
        gradient = _divided(backward, node, gradient)
    arriving = [
        (operand, *_passed(backward, node, operand, gradient))
        for operand in node.value_inputs
        if values.needs_gradient[operand]
    ]
    _weight_gradients(backward, node)
    _, scratch = node.layer.scratch(*values.shapes[node.index])
    if scratch:
        ledger.drop(ledger.new(node.index, "scratch", 0, scratch * values.width[node.index]))
    for storage in backward.forward.saved[node.index]:
        ledger.drop(storage)
    ledger.drop(gradient.storage)
    for operand, storage, dense in arriving:
        _arrive(backward, operand, storage, dense)


def _divided(backward: BackwardTrace, node: Node, gradient: Gradient) -> Gradient:
    """The gradient of a sum that a mean is the quotient of."""
    width = backward.values.width[node.index]
    quotient = backward.ledger.new(node.index, "gradients", 0, node.shape.numel * width)
    backward.ledger.drop(gradient.storage)
    return Gradient(quotient, True)


def _passed(backward: BackwardTrace, node: Node, operand: int, gradient: Gradient) -> tuple[int, bool]:
    """The gradient for one operand: the same memory where it is only handed on, else new."""
    values, ledger = backward.values, backward.ledger
    shape = values.graph.nodes[operand].shape
    handed_on = node.layer.GRADIENT in ("handed on", "divided") and shape.numel == node.shape.numel
    if handed_on or node.layer.GRADIENT == "parts":
        ledger.hold(gradient.storage)
        return gradient.storage, gradient.dense and handed_on
    width = values.computes(node) or values.width[operand]
    storage = ledger.new(node.index, "gradients", 0, shape.numel * width)
    if node.layer.GRADIENT == "broadcast" and shape.numel < node.shape.numel:
        ledger.drop(ledger.new(node.index, "scratch", 0, node.shape.numel * width))
    return _cast(backward, operand, storage, width), True


def _cast(backward: BackwardTrace, operand: int, storage: int, width: int) -> int:
    """The gradient in the type of the output that it is of."""
    values, ledger = backward.values, backward.ledger
    if width == values.width[operand]:
        return storage
    cast = ledger.new(operand, "gradients", 0, values.graph.nodes[operand].shape.numel * values.width[operand])
    ledger.drop(storage)
    return cast


def _weight_gradients(backward: BackwardTrace, node: Node) -> None:
    values, ledger = backward.values, backward.ledger
    width = WIDTHS[values.dtype]
    for tensor in values.tensors[node.index]:
        if tensor.role == "buffer":
            continue
        made = ledger.new(node.index, "weight gradients", tensor.numel * width, 0)
        if not backward.is_first(node, tensor.name):
            ledger.drop(made)  # added to the gradient that a later application gave
        if values.computes(node) not in (0, width):
            ledger.drop(ledger.new(node.index, "scratch", tensor.numel * values.computes(node), 0))


def _arrive(backward: BackwardTrace, operand: int, storage: int, dense: bool) -> None:
    """Autograd adds up the gradients of a value that several layers read, in place where nobody else holds one of
    them (torch/csrc/autograd/input_buffer.cpp, `accumulate`)."""
    ledger, gradients = backward.ledger, backward.gradients
    before = gradients.get(operand)
    if before is None:
        gradients[operand] = Gradient(storage, dense)
    elif before.dense and ledger.holders(before.storage) == 1:
        ledger.drop(storage)
    elif dense and ledger.holders(storage) == 1:
        ledger.drop(before.storage)
        gradients[operand] = Gradient(storage, True)
    else:
        values = backward.values
        bytes = values.graph.nodes[operand].shape.numel * values.width[operand]
        ledger.event("backward", operand)
        gradients[operand] = Gradient(ledger.new(operand, "gradients", 0, bytes), True)
        ledger.drop(before.storage)
        ledger.drop(storage)
