"""Whether a network fits: the largest batch for so much memory, and the layer at which memory peaks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from math import isqrt

from cnndsl.analysis.execution import Executions
from cnndsl.analysis.lifetimes import Device, Dtype
from cnndsl.analysis.memory import Memory, Optimizer, inference, training
from cnndsl.analysis.memory_trace import MemorySample, StepTrace, largest_batch, peak
from cnndsl.graph import Graph, Node
from cnndsl.records import record

_MOST_ROWS = 24
"""The power of two at which a table of batches ends."""


@record
class Fit:
    """The largest `batch` that fits into `available` bytes, and the `peak` with it; 0 for none, the peak then of one.

    `memory` is the step that was fitted. All is under the estimate for CUDA's allocator.
    """

    graph: Graph
    available: int
    batch: int
    peak: MemorySample
    memory: Memory

    @property
    def layer(self) -> Node:
        """The layer at which memory peaks."""
        return self.graph.nodes[self.peak.node]


def fit(
    graph: Graph,
    available: int,
    *,
    train: bool = False,
    dtype: Dtype = "fp32",
    optimizer: Optimizer = "sgd",
    device: Device = "cuda",
    executions: Executions | None = None,
) -> Fit:
    """The largest batch of a network whose use, or whose training, stays within so many bytes."""
    if train:
        memory = training(graph, dtype, optimizer, device, executions=executions)
    else:
        memory = inference(graph, dtype, device, executions=executions)
    batch = memory.largest_batch(available)
    return Fit(graph, available, batch, memory.peak(max(batch, 1), rounded=True), memory)


@record
class Accumulation:
    """A step of training on `batch` images that the network takes in `steps` micro-batches of `micro_batch` images at
    most, whose gradients add up; the last has `last`. `largest` is the largest micro-batch that fits, `peak` the peak
    with `micro_batch`. Where micro-batches of one size give the batch too, `equal` is the largest that fits, else 0.
    """

    batch: int
    largest: int
    steps: int
    micro_batch: int
    last: int
    equal: int
    peak: MemorySample


def accumulation(fitted: Fit, batch: int) -> Accumulation | None:
    """Return how a step on a batch that does not fit is taken in micro-batches; None where not even one image fits.

    Micro-batches are as few as possible, and as equal as that allows.
    """
    step = accumulating(fitted.graph, fitted.memory.step)
    largest = min(largest_batch(step, fitted.available, rounded=True), batch)
    if not largest:
        return None
    steps = -(-batch // largest)
    micro = -(-batch // steps)
    return Accumulation(
        batch=batch,
        largest=largest,
        steps=steps,
        micro_batch=micro,
        last=batch - micro * (steps - 1),
        equal=_largest_divisor(batch, largest),
        peak=peak(step, micro, rounded=True),
    )


def _largest_divisor(number: int, most: int) -> int:
    """The largest divisor that is at most so large; 0 where only 1 is.

    >>> _largest_divisor(256, 100), _largest_divisor(257, 100)
    (64, 0)
    """
    found = max(
        divisor
        for low in range(1, isqrt(number) + 1)
        if number % low == 0
        for divisor in (low, number // low)
        if divisor <= most
    )
    return found if found > 1 or number == 1 else 0


def accumulating(graph: Graph, step: StepTrace) -> StepTrace:
    """Return the step that a later micro-batch takes: the gradients of parameters are there from the start. Each new
    one is added to them and freed, of shared weights after the last of the applications
    (torch/csrc/autograd/functions/accumulate_grad.h)."""
    freed = {at for event in step.events for at in event.freed}
    storages = {at: each for at, each in enumerate(step.storages) if each.purpose == "weight gradients"}
    owners = {at: _owner(graph.nodes[each.node]) for at, each in storages.items()}
    last = {owners[at]: number for number, event in enumerate(step.events) for at in event.allocated if at in owners}
    made: dict[int, list[int]] = defaultdict(list)
    for at in sorted(owners.keys() - freed):
        made[last[owners[at]]].append(at)
    events = [replace(event, freed=[*event.freed, *made[number]]) for number, event in enumerate(step.events)]
    there = [storage for at, storage in storages.items() if at not in freed]
    start = len(step.storages)
    events[0] = replace(events[0], allocated=[*events[0].allocated, *range(start, start + len(there))])
    return StepTrace((*step.storages, *there), tuple(events))


def _owner(node: Node) -> int:
    """The node whose module a node applies."""
    return node.index if node.weights_of < 0 else node.weights_of


def batch_statistics(graph: Graph) -> int:
    """Return how many layers compute statistics over the batch in training, as batch normalisation does."""
    return sum(node.layer.SUBTRACTS_MEAN for node in graph.layers)


@record
class FitTable:
    """The peaks of several `batches` by type of values, in bytes, and the largest batch of each type."""

    batches: tuple[int, ...]
    fits: dict[Dtype, Fit]
    peaks: dict[Dtype, tuple[int, ...]]


def fit_table(fits: dict[Dtype, Fit], batches: Sequence[int] = ()) -> FitTable:
    """Return the peak of each batch for each type; without batches those of powers of two, up to the first that fits in
    no type."""
    largest = max(fitted.batch for fitted in fits.values())
    chosen = tuple(batches) or tuple(2**power for power in range(min(largest.bit_length(), _MOST_ROWS) + 1))
    peaks: dict[Dtype, tuple[int, ...]] = {
        dtype: tuple(fitted.memory.peak(batch, rounded=True).bytes for batch in chosen)
        for dtype, fitted in fits.items()
    }
    return FitTable(chosen, fits, peaks)
