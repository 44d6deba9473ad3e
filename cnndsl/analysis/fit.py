"""Compute whether a network fits: the largest batch for an amount of memory, and the layer at which memory peaks."""

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
    """The largest `batch` that fits into `available` bytes, and the `peak` with it. If not even one image fits, `batch`
    is 0 and `peak` is that of one image.

    `memory` is the step that was fitted. All values are estimates for CUDA's allocator.
    """

    graph: Graph
    available: int
    batch: int
    peak: MemorySample
    memory: Memory

    @property
    def layer(self) -> Node:
        """Return the layer at which memory peaks."""
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
    """Return the largest batch of a network whose inference or training stays within `available` bytes."""
    if train:
        memory = training(graph, dtype, optimizer, device, executions=executions)
    else:
        memory = inference(graph, dtype, device, executions=executions)
    batch = memory.largest_batch(available)
    return Fit(graph, available, batch, memory.peak(max(batch, 1), rounded=True), memory)


@record
class Accumulation:
    """A training step on `batch` images split into `steps` micro-batches of at most `micro_batch` images, whose
    gradients add up; the last one has `last` images. `largest` is the largest micro-batch that fits, `peak` the peak
    with `micro_batch`. `equal` is the largest size that fits and divides the batch into equal micro-batches, 0 if there
    is none."""

    batch: int
    largest: int
    steps: int
    micro_batch: int
    last: int
    equal: int
    peak: MemorySample


def accumulation(fitted: Fit, batch: int) -> Accumulation | None:
    """Return how to split a step on a batch that does not fit into micro-batches; None if not even one image fits.

    There are as few micro-batches as possible, of sizes as equal as that allows.
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
    """Return the largest divisor that is at most `most`; 0 if that is only 1.

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
    """Return the step of a later micro-batch, in which the gradients of parameters exist from the start. Each new
    gradient is added to the existing one and freed; for shared weights this happens after their last application
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
    """Return the node whose module a node applies."""
    return node.index if node.weights_of < 0 else node.weights_of


def batch_statistics(graph: Graph) -> int:
    """Return how many layers compute statistics over the batch in training, as batch normalisation does."""
    return sum(node.layer.SUBTRACTS_MEAN for node in graph.layers)


@record
class FitTable:
    """The peaks of several `batches` for each data type, in bytes, and the largest batch of each type."""

    batches: tuple[int, ...]
    fits: dict[Dtype, Fit]
    peaks: dict[Dtype, tuple[int, ...]]


def fit_table(fits: dict[Dtype, Fit], batches: Sequence[int] = ()) -> FitTable:
    """Return the peak of each batch for each type. Without `batches`, use the powers of two, up to the first that fits
    in no type."""
    largest = max(fitted.batch for fitted in fits.values())
    chosen = tuple(batches) or tuple(2**power for power in range(min(largest.bit_length(), _MOST_ROWS) + 1))
    peaks: dict[Dtype, tuple[int, ...]] = {
        dtype: tuple(fitted.memory.peak(batch, rounded=True).bytes for batch in chosen)
        for dtype, fitted in fits.items()
    }
    return FitTable(chosen, fits, peaks)
