"""Whether a network fits: the largest batch for so much memory, and the layer at which memory peaks."""

from __future__ import annotations

from cnndsl.analysis.lifetimes import Device, Dtype
from cnndsl.analysis.memory import Memory, Optimizer, inference, training
from cnndsl.analysis.memory_trace import MemorySample
from cnndsl.graph import Graph, Node
from cnndsl.records import record


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
) -> Fit:
    """The largest batch of a network whose use, or whose training, stays within so many bytes."""
    memory = training(graph, dtype, optimizer, device) if train else inference(graph, dtype, device)
    batch = memory.largest_batch(available)
    return Fit(graph, available, batch, memory.peak(max(batch, 1), rounded=True), memory)
