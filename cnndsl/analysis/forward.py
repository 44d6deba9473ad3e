"""The forward pass of the emitted module, as events: what each layer allocates, and what can go after it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from cnndsl.analysis.lifetimes import WIDTHS, Lifetimes, saved
from cnndsl.analysis.memory_trace import Purpose, TraceBuilder
from cnndsl.graph import Node

SWITCH_BYTES = 8
"""Where a maximum came from, an int64; kernels write it whether it is needed or not."""


@dataclass
class ForwardTrace:
    """What is alive behind the forward pass.

    `outputs` maps a node to the storage of its output, `saved` to those that autograd keeps for it. `casts` are the
    copies of weights that autocast made, by the node and the name of each, `switches` maps an UNPOOL to the indices
    that it takes.
    """

    values: Lifetimes
    ledger: TraceBuilder
    outputs: dict[int, int] = field(default_factory=dict[int, int])
    saved: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list[int]))
    casts: dict[tuple[int, str], int] = field(default_factory=dict[tuple[int, str], int])
    switches: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list[int]))

    @property
    def kept(self) -> set[int]:
        """The storages that autograd keeps, each once."""
        return {storage for several in self.saved.values() for storage in several}


def run(values: Lifetimes, ledger: TraceBuilder) -> ForwardTrace:
    """Writes the forward pass into the ledger. The network's inputs come into being in the event that is open."""
    forward = ForwardTrace(values, ledger)
    graph = values.graph
    for node in graph.inputs:
        at = node.index
        forward.outputs[at] = ledger.new(at, "input", 0, node.shape.numel * values.width[at])
    dying: dict[int, list[int]] = defaultdict(list)
    for at, last in values.last_use.items():
        dying[last].append(at)
    for node in values.order:
        if values.runs[node.index]:
            ledger.event("forward", node.index)
            _execute(forward, node)
            for storage in (*(forward.outputs[at] for at in dying[node.index]), *forward.switches[node.index]):
                ledger.drop(storage)
    for storage in forward.casts.values():
        ledger.drop(storage)
    return forward


def _execute(forward: ForwardTrace, node: Node) -> None:
    values, ledger, at = forward.values, forward.ledger, node.index
    operands = [_cast(forward, node, operand) for operand in node.value_inputs]
    shared = values.shared(node)
    if shared is None:
        forward.outputs[at] = ledger.new(at, "activations", 0, node.shape.numel * values.width[at])
    else:
        forward.outputs[at] = forward.outputs[shared]
        ledger.hold(forward.outputs[at])
    _cast_weights(forward, node)
    _save(forward, node, operands)
    scratch, _ = node.layer.scratch(*values.shapes[at])
    if scratch and not values.needs_gradient[at]:
        ledger.drop(ledger.new(at, "scratch", 0, scratch * values.width[at]))
    for operand in operands:
        ledger.drop(operand)


def _cast(forward: ForwardTrace, node: Node, operand: int) -> int:
    """The storage of an operand in the type in which the layer computes, held once more."""
    values, ledger = forward.values, forward.ledger
    width = values.computes(node)
    storage = forward.outputs[operand]
    if not width or width == values.width[operand]:
        ledger.hold(storage)
        return storage
    return ledger.new(node.index, "activations", 0, values.graph.nodes[operand].shape.numel * width)


def _cast_weights(forward: ForwardTrace, node: Node) -> None:
    """Autocast's copies of weights live until it is left, those that the backward pass wants until then."""
    values, ledger = forward.values, forward.ledger
    if values.computes(node) != 2:
        return
    for tensor in values.tensors[node.index]:
        if tensor.role == "buffer":
            continue
        cast = forward.casts.get((node.weights_of, tensor.name))
        if cast is None:
            cast = ledger.new(node.index, "extras", 2 * tensor.numel, 0)
            forward.casts[node.index, tensor.name] = cast
        if values.needs_gradient[node.index] and tensor.role == "weight":
            ledger.hold(cast)
            forward.saved[node.index].append(cast)


def _save(forward: ForwardTrace, node: Node, operands: list[int]) -> None:
    values, ledger, at = forward.values, forward.ledger, node.index
    kept = values.saved[at]
    for position in kept.inputs:
        if kept.copies and at in values.overwritten:
            bytes = node.shape.numel * values.width[at]
            forward.saved[at].append(ledger.new(at, "extras", 0, bytes))
        else:
            _keep(forward, at, operands[position])
    if kept.output:
        _keep(forward, at, forward.outputs[at])
    if values.is_left_out(node):
        return
    made = kept if values.training else saved(node.layer, *values.shapes[at])
    purpose: Purpose = "extras" if values.needs_gradient[at] else "scratch"
    for size, number, per_image in made.extra:
        if not values.training and size != SWITCH_BYTES:
            continue
        bytes = number * _extra_width(values, node, size, made.mask, per_image)
        storage = ledger.new(at, purpose, 0 if per_image else bytes, bytes if per_image else 0)
        if size == SWITCH_BYTES and at in values.unpooled:
            ledger.hold(storage)
            forward.switches[values.unpooled[at]].append(storage)
        if values.needs_gradient[at]:
            forward.saved[at].append(storage)
        else:
            ledger.drop(storage)


def _extra_width(values: Lifetimes, node: Node, size: int, mask: bool, per_image: bool) -> int:
    if mask and values.device == "cuda":
        return 1
    if size:
        return size
    return values.width[node.index] if per_image else WIDTHS[values.dtype]


def _keep(forward: ForwardTrace, node: int, storage: int) -> None:
    if storage not in forward.saved[node]:
        forward.ledger.hold(storage)
        forward.saved[node].append(storage)
