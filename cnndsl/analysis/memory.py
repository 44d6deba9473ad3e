"""What a network needs in memory: to use it, and to train it.

The figures follow the emitted module's own order of execution and PyTorch's rules of what is kept, storages counted
once. Not modelled: the workspaces of cuDNN and oneDNN, the fragmentation of the allocator, the CUDA context.
docs/figures.md defines each figure. The lecture's figure is in `lecture`.
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
"""How many values each optimizer remembers for each parameter."""

_MOMENTS = ("adam", "adamw")
"""The optimizers whose update makes a root of second moments: of all parameters together on a GPU (`foreach`), on the
CPU of one tensor at a time, and there a quotient beside it (torch/optim/adam.py)."""


@record
class Memory:
    """The memory of a step of a network, all figures in bytes; those of a batch are functions of it."""

    graph: Graph
    step: StepTrace
    parameters: int
    buffers: int
    gradients: int
    optimizer: int
    kept: frozenset[int]

    def saved(self, batch: int = 1) -> int:
        """What autograd keeps for the backward pass, the batch itself and the loss's share included; 0 in use."""
        return sum(self.step.storages[at].bytes(batch) for at in self.kept)

    def saved_by_node(self, batch: int = 1) -> dict[int, int]:
        """The same by the node to which each storage belongs; the input's and the loss's at node 0 and the outputs."""
        sizes = dict.fromkeys(range(len(self.graph)), 0)
        for at in self.kept:
            storage = self.step.storages[at]
            sizes[storage.node] += storage.bytes(batch)
        return sizes

    def peak(self, batch: int = 1, rounded: bool = False) -> MemorySample:
        """The event at which most is alive, with how much that is. `rounded` is the estimate for CUDA's allocator."""
        return peak(self.step, batch, rounded)

    def timeline(self, batch: int = 1, rounded: bool = False) -> tuple[MemorySample, ...]:
        """What is alive at each event of the step, for a plot."""
        return tuple(levels(self.step, batch, rounded))

    def largest_batch(self, available: int, rounded: bool = True) -> int:
        """The largest batch whose peak is within so many bytes; 0 where none is."""
        return largest_batch(self.step, available, rounded)

    @cached_property
    def fixed(self) -> int:
        """Parameters, buffers, gradients and optimizer state: what does not depend on the batch."""
        return self.parameters + self.buffers + self.gradients + self.optimizer


def inference(
    graph: Graph, dtype: Dtype = "fp32", device: Device = "cpu", *, executions: Executions | None = None
) -> Memory:
    """The memory of the emitted module in use: evaluation mode, no gradients."""
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
    """The memory of one step of training with a cross-entropy on every output.

    The optimizer's state exists from the start, gradients are freed ahead of the step (`zero_grad()`). The device
    matters for dropout's mask, 1 byte a value on a GPU, and for the optimizer's update, which goes over all parameters
    at once there. `tracked` is true for a step that PyTorch's MemTracker watches, in which gradients are added up out
    of place.
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
    """Writes the step into the ledger, and returns the storages that autograd keeps between forward and backward."""
    if optimizer is None:
        forward.run(values, ledger)
        return frozenset()
    wanted = backward.targets(values, ledger)
    done = forward.run(values, ledger)
    losses = backward.loss(done, wanted)
    kept = frozenset(done.kept.union(*losses))
    backward.run(done, losses)
    return kept
