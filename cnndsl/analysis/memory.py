"""Compute what a network needs in memory, at inference and in training.

The values follow the emitted module's own order of execution and PyTorch's rules for what is saved; each storage counts
once. Not modelled: the workspaces of cuDNN and oneDNN, the fragmentation of the allocator, the CUDA context.
docs/figures.md defines each metric. `lecture` computes the lecture's metric.
"""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from cnndsl.analysis import backward, forward
from cnndsl.analysis.execution import Executions
from cnndsl.analysis.lifetimes import WIDTHS, Device, Dtype, Lifetimes
from cnndsl.analysis.memory_trace import MemorySample, StepTrace, TraceBuilder, largest_batch, levels, peak
from cnndsl.graph import Graph
from cnndsl.records import record

Optimizer = Literal["sgd", "momentum", "adam", "adamw"]

STATES = {"sgd": 0, "momentum": 1, "adam": 2, "adamw": 2}
"""The number of values that each optimizer stores per parameter."""

_MOMENTS = ("adam", "adamw")
"""The optimizers whose update takes a root of second moments: of all parameters together on a GPU (`foreach`); on the
CPU of one tensor at a time, with a quotient of the same size (torch/optim/adam.py)."""


@record
class Memory:
    """The memory of a step of a network, in bytes; values for a batch are methods that take its size."""

    graph: Graph
    step: StepTrace
    parameters: int
    buffers: int
    gradients: int
    optimizer: int
    kept: frozenset[int]

    def saved(self, batch: int = 1) -> int:
        """Return what autograd saves for the backward pass, with the batch and the loss's share; 0 at inference."""
        return sum(self.step.storages[at].bytes(batch) for at in self.kept)

    def saved_by_node(self, batch: int = 1) -> dict[int, int]:
        """Return the same by the node that owns each storage; the input's is node 0, the loss's the outputs."""
        sizes = dict.fromkeys(range(len(self.graph)), 0)
        for at in self.kept:
            storage = self.step.storages[at]
            sizes[storage.node] += storage.bytes(batch)
        return sizes

    def peak(self, batch: int = 1, rounded: bool = False) -> MemorySample:
        """Return the event with the most bytes alive, and their number. `rounded` estimates CUDA's allocator."""
        return peak(self.step, batch, rounded)

    def timeline(self, batch: int = 1, rounded: bool = False) -> tuple[MemorySample, ...]:
        """Return what is alive at each event of the step, for a plot."""
        return tuple(levels(self.step, batch, rounded))

    def largest_batch(self, available: int, rounded: bool = True) -> int:
        """Return the largest batch whose peak is at most `available` bytes; 0 if none is."""
        return largest_batch(self.step, available, rounded)

    @cached_property
    def fixed(self) -> int:
        """Return the bytes that do not depend on the batch: parameters, buffers, gradients and optimizer state."""
        return self.parameters + self.buffers + self.gradients + self.optimizer


def inference(
    graph: Graph, dtype: Dtype = "fp32", device: Device = "cpu", *, executions: Executions | None = None
) -> Memory:
    """Return the memory of the emitted module at inference: evaluation mode, no gradients."""
    return _memory(Lifetimes(graph, False, dtype, device, executions=executions), None)


def training(
    graph: Graph,
    dtype: Dtype = "fp32",
    optimizer: Optimizer = "sgd",
    device: Device = "cpu",
    *,
    tracked: bool = False,
    executions: Executions | None = None,
) -> Memory:
    """Return the memory of one training step with a cross-entropy on every output.

    The optimizer's state exists from the start, and gradients are freed before the step (`zero_grad()`). The device
    matters for dropout's mask, 1 byte per value on a GPU, and for the optimizer's update, which processes all
    parameters at once there. `tracked` is true for a step that PyTorch's MemTracker watches, in which gradients are
    added up out of place.
    """
    return _memory(Lifetimes(graph, True, dtype, device, tracked, executions), optimizer)


def _memory(values: Lifetimes, optimizer: Optimizer | None) -> Memory:
    width = WIDTHS[values.dtype]
    tensors = [each for node in values.graph.nodes for each in values.own_tensors[node.index]]
    parameters = sum(width * each.numel for each in tensors if each.role != "buffer")
    buffers = sum(each.numel * (8 if each.dtype == "int64" else width) for each in tensors if each.role == "buffer")
    trained = sum(width * each.numel for each in tensors if each.learns)
    state = STATES[optimizer] * trained if optimizer else 0
    ledger = TraceBuilder()
    ledger.event("start", 0)
    for node in values.graph.nodes:
        for each in values.own_tensors[node.index]:
            wide = 8 if each.dtype == "int64" else width
            ledger.new(node.index, "buffers" if each.role == "buffer" else "parameters", wide * each.numel, 0)
            for _ in range(STATES[optimizer] if optimizer and each.learns else 0):
                ledger.new(node.index, "optimizer", wide * each.numel, 0)
    kept = _step(values, ledger, optimizer)
    if optimizer in _MOMENTS:
        ledger.event("update", values.graph.output)
        sizes = [width * each.numel for each in tensors if each.learns]
        ledger.drop(ledger.new(0, "scratch", sum(sizes) if values.device == "cuda" else 2 * max(sizes, default=0), 0))
    return Memory(values.graph, ledger.step(), parameters, buffers, trained if optimizer else 0, state, kept)


def _step(values: Lifetimes, ledger: TraceBuilder, optimizer: Optimizer | None) -> frozenset[int]:
    """Write the step into the ledger, and return the storages that autograd saves between forward and backward."""
    if optimizer is None:
        forward.run(values, ledger)
        return frozenset()
    wanted = backward.targets(values, ledger)
    done = forward.run(values, ledger)
    losses = backward.loss(done, wanted)
    kept = frozenset(done.kept.union(*losses))
    backward.run(done, losses)
    return kept
