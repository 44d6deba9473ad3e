"""Trace the forward pass of the emitted module as events: what each layer allocates, and what can be freed after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from cnndsl.analysis.execution import Passed, Ran, Released
from cnndsl.analysis.lifetimes import WIDTHS, Lifetimes
from cnndsl.analysis.memory_trace import Purpose, TraceBuilder
from cnndsl.graph import Node
from cnndsl.layers.steps import CAST, PARAMETER, STATISTIC, SWITCH_BYTES, LayerStep


@dataclass
class ForwardTrace:
    """The storages that are alive after the forward pass.

    `outputs` maps a node to the storage of its output, `saved` a node and one of its steps to the storages that
    autograd saves for it. `parts` are the results of a layer's operations, `named` the nodes whose output the module
    still refers to, `named_parts` the results of operations that the module releases itself, `held` the operands of the
    operation that runs. `casts` are the copies of weights that autocast made, by node and name, `switches` maps an
    UNPOOL to the indices that it uses.
    """

    values: Lifetimes
    ledger: TraceBuilder
    outputs: dict[int, int] = field(default_factory=dict[int, int])
    saved: dict[tuple[int, int], list[int]] = field(default_factory=lambda: defaultdict(list[int]))
    parts: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list[int]))
    named: set[int] = field(default_factory=set[int])
    named_parts: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    _last_reads: dict[int, dict[int, int]] = field(default_factory=dict[int, dict[int, int]])
    held: list[int] = field(default_factory=list[int])
    casts: dict[tuple[int, str], int] = field(default_factory=dict[tuple[int, str], int])
    switches: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list[int]))

    def last_reads(self, at: int) -> Mapping[int, int]:
        """Return which operation of a layer reads each value last."""
        found = self._last_reads.get(at)
        if found is None:
            steps = self.values.steps[at]
            found = {read: k for k, step in enumerate(steps) for read in (*step.reads, *step.holds)}
            self._last_reads[at] = found
        return found

    def storage(self, node: Node, read: int) -> int:
        """Return the storage of a value that an operation reads: one that enters the layer, or its own result."""
        inputs = node.value_inputs
        return self.outputs[inputs[read]] if read < len(inputs) else self.parts[node.index][read - len(inputs)]

    @property
    def kept(self) -> set[int]:
        """Return the storages that autograd saves, each once."""
        return {storage for several in self.saved.values() for storage in several}


def run(values: Lifetimes, ledger: TraceBuilder) -> ForwardTrace:
    """Write the forward pass into the ledger. The network's inputs are allocated in the current event."""
    forward = ForwardTrace(values, ledger)
    graph = values.graph
    for node in graph.inputs:
        at = node.index
        forward.outputs[at] = ledger.new(at, "input", 0, node.shape.numel * values.width[at])
    for event in values.execution:
        if isinstance(event, Released):
            _release(forward, event)
        elif isinstance(event, Passed):
            forward.outputs[event.node] = forward.outputs[graph.nodes[event.node].value_inputs[0]]
        elif values.runs[event.node]:
            _execute(forward, event)
    for storage in forward.casts.values():
        ledger.drop(storage)
    return forward


def _release(forward: ForwardTrace, event: Released) -> None:
    """Drop outputs and indices that nothing refers to any more. Outputs of the network stay: the caller holds them."""
    values = forward.values
    for node, step in event.parts:
        forward.ledger.drop(forward.parts[node][step])
    for at in event.nodes:
        if at < 0:
            for storage in forward.switches[values.unpooled.get(-1 - at, 0)]:
                forward.ledger.drop(storage)
        elif at in forward.named and at not in values.outputs:
            forward.named.remove(at)
            forward.ledger.drop(forward.outputs[at])


def _execute(forward: ForwardTrace, event: Ran) -> None:
    """Run consecutive operations of a layer, each as an event of its own. An intermediate result is dropped after the
    operation that reads it last."""
    values, ledger, at = forward.values, forward.ledger, event.node
    node, steps = values.graph.nodes[at], values.steps[at]
    if not steps:
        ledger.event("forward", at)
        forward.outputs[at] = forward.outputs[node.value_inputs[0]]
        ledger.hold(forward.outputs[at])
        forward.named.add(at)
        return
    count = len(node.value_inputs)
    results, last = forward.parts[at], forward.last_reads(at)
    for k in range(event.step, len(steps) if event.is_last else min(event.step + 1, len(steps))):
        ledger.event("forward", at)
        results.append(_run_step(forward, node, k))
        for read in {*steps[k].reads, *steps[k].holds}:
            if read >= count and last[read] == k and (at, read - count) not in forward.named_parts:
                ledger.drop(results[read - count])
    if not event.is_last:
        forward.named_parts.add((at, event.step))
    if event.is_last:
        forward.outputs[at] = results[-1]
        forward.named.add(at)


def _run_step(forward: ForwardTrace, node: Node, k: int) -> int:
    """Run one operation: cast operands, allocate the result, save what autograd needs. Return its storage."""
    values, ledger, at = forward.values, forward.ledger, node.index
    step, first = values.steps[at][k], len(node.value_inputs)
    width, needs = values.widths[at][first + k], values.needs[at][first + k]
    computes = values.computes(step, values.widths[at])
    _cast_weights(forward, node, step, k)
    reads = [_cast(forward, node, read, forward.storage(node, read), computes) for read in step.reads]
    target = values.written_over(at, k)
    if target is not None or step.view:
        result = reads[0 if target is None else target]
        ledger.hold(result)
    else:
        result = ledger.new(at, "activations", *values.bytes(at, first + k, width))
    if needs:
        _save(forward, node, k, reads, result)
    _make_extras(forward, node, k)
    if step.scratch[0] and not needs:
        ledger.drop(ledger.new(at, "scratch", 0, step.scratch[0] * width))
    forward.held += reads
    if not step.inside:
        for storage in forward.held:
            ledger.drop(storage)
        forward.held.clear()
    return result


def _cast(forward: ForwardTrace, node: Node, read: int, storage: int, width: int) -> int:
    """Return the storage of an operand in the type that the step computes in, with one more holder."""
    values, ledger = forward.values, forward.ledger
    if not width or width == values.widths[node.index][read]:
        ledger.hold(storage)
        return storage
    return ledger.new(node.index, "activations", *values.bytes(node.index, read, width))


def _cast_weights(forward: ForwardTrace, node: Node, step: LayerStep, k: int) -> None:
    """Allocate autocast's copies of weights. They live until the autocast context ends, those that the backward pass
    needs until then. Copies of views of weights are not cached."""
    values, ledger = forward.values, forward.ledger
    if values.computes(step, values.widths[node.index]) != 2:
        return
    wanted = not step.product or any(values.needs[node.index][read] for read in step.reads)
    for position in step.tensors:
        tensor = values.tensors[node.index][position]
        if tensor.role == "buffer":
            continue
        cast = None if position in step.recast else forward.casts.get((node.weights_of, tensor.name))
        if cast is None:
            cast = ledger.new(node.index, "extras", 2 * tensor.numel, 0)
            if tensor.frozen or position in step.recast:  # autocast caches copies of trained parameters, not of views
                forward.held.append(cast)
            else:
                forward.casts[node.index, tensor.name] = cast
        if values.needs_gradient[node.index] and tensor.role == "weight" and wanted:
            ledger.hold(cast)
            forward.saved[node.index, k].append(cast)


def _save(forward: ForwardTrace, node: Node, k: int, reads: list[int], result: int) -> None:
    values, ledger, at = forward.values, forward.ledger, node.index
    step, needs = values.steps[at][k], values.needs[at]
    own = any(values.tensors[at][position].learns for position in step.tensors)
    for position in step.keeps:
        others = any(needs[read] for place, read in enumerate(step.reads) if place != position)
        if step.product and not own and not others:
            continue
        if step.copies and at in values.overwritten:
            read = step.reads[position]
            forward.saved[at, k].append(ledger.new(at, "extras", 0, values.values[at][read] * values.widths[at][read]))
        else:
            _keep(forward, (at, k), reads[position])
    if step.keeps_result:
        _keep(forward, (at, k), result)
    if step.switches:
        for storage in forward.switches[at]:
            _keep(forward, (at, k), storage)


def _make_extras(forward: ForwardTrace, node: Node, k: int) -> None:
    """Allocate what the step makes besides its result: statistics, masks, the indices of maxima."""
    values, ledger, at = forward.values, forward.ledger, node.index
    step, needs = values.steps[at][k], values.needs[at][len(node.value_inputs) + k]
    for size, number, per_image in step.extra:
        if not values.training and not step.in_use:
            continue
        bytes = number * _extra_width(values, node, k, size)
        purpose: Purpose = "extras" if needs else "scratch"
        storage = ledger.new(at, purpose, 0 if per_image else bytes, bytes if per_image else 0)
        if size == SWITCH_BYTES and at in values.unpooled:
            ledger.hold(storage)
            forward.switches[values.unpooled[at]].append(storage)
        if needs:
            forward.saved[at, k].append(storage)
        else:
            ledger.drop(storage)


def _extra_width(values: Lifetimes, node: Node, k: int, size: int) -> int:
    step, width = values.steps[node.index][k], WIDTHS[values.dtype]
    if step.mask and values.device == "cuda":
        return 1
    if size == STATISTIC:
        tensors = any(values.tensors[node.index][at].dtype == "float" for at in step.tensors)
        return 4 if values.device == "cuda" else width if tensors else values.widths[node.index][step.reads[0]]
    if size == PARAMETER:
        return width
    if size == CAST:
        return 2 if values.computes(step, values.widths[node.index]) == 2 else 0
    if size:
        return size
    return values.widths[node.index][len(node.value_inputs) + k]


def _keep(forward: ForwardTrace, step: tuple[int, int], storage: int) -> None:
    if storage not in forward.saved[step]:
        forward.ledger.hold(storage)
        forward.saved[step].append(storage)
