"""Compute the memory of a batch, by layer and in total, at inference and in training.

Definitions are those of `analysis.memory`; this module only distributes the memory over layers.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from cnndsl.analysis.execution import ExecutionsOf
from cnndsl.analysis.layer_memory import LayerMemory, by_layer
from cnndsl.records import record

if TYPE_CHECKING:
    from cnndsl.analysis.lifetimes import Device, Dtype
    from cnndsl.analysis.memory import Optimizer
    from cnndsl.analysis.memory_trace import MemorySample
    from cnndsl.graph import Graph


@record(slots=True)
class BatchSetup:
    """A step: batch, type of values, optimizer and device."""

    batch: int = 1
    dtype: Dtype = "fp32"
    optimizer: Optimizer = "sgd"
    device: Device = "cpu"

    @property
    def is_measured(self) -> bool:
        """Return whether tests measure the bytes of such a step; those of a GPU, and of fp16, are derived."""
        return self.device == "cpu" and self.dtype != "fp16"

    def check(self) -> None:
        """Raise ValueError for a batch below 1, or an unknown type, optimizer or device."""
        from typing import get_args

        from cnndsl.analysis.lifetimes import Device, Dtype
        from cnndsl.analysis.memory import Optimizer

        if self.batch < 1:
            raise ValueError(f"a batch has at least one image, not {self.batch}")
        for what, value, known in (
            ("type", self.dtype, get_args(Dtype)),
            ("optimizer", self.optimizer, get_args(Optimizer)),
            ("device", self.device, get_args(Device)),
        ):
            if value not in known:
                raise ValueError(f"there is no {what} {value!r}; there are {', '.join(known)}")


@record
class MemoryReport:
    """The memory of a step, in bytes. `parameters`, `buffers`, `gradients` and `optimizer` do not depend on the batch.
    `saved` is saved by autograd for the backward pass. The estimates are the two peaks with each storage rounded as
    CUDA's caching allocator does, for a GPU on any device. `loads` are by node."""

    plan: BatchSetup
    parameters: int
    buffers: int
    gradients: int
    optimizer: int
    saved: int
    inference: MemorySample
    training: MemorySample
    inference_estimate: int
    training_estimate: int
    loads: tuple[LayerMemory, ...] = field(repr=False)


def footprint(graph: Graph, plan: BatchSetup, runs: ExecutionsOf) -> MemoryReport:
    """Return the memory of a network whose module runs as `runs` says."""
    from cnndsl.analysis.memory import inference, training

    found = runs(graph)
    use = inference(graph, plan.dtype, executions=found)
    train, on_gpu = (
        training(graph, plan.dtype, plan.optimizer, device, executions=found) for device in (plan.device, "cuda")
    )
    return MemoryReport(
        plan,
        train.parameters,
        train.buffers,
        train.gradients,
        train.optimizer,
        train.saved(plan.batch),
        use.peak(plan.batch),
        train.peak(plan.batch),
        use.peak(plan.batch, rounded=True).bytes,
        on_gpu.peak(plan.batch, rounded=True).bytes,
        by_layer(use, train, plan.batch),
    )
