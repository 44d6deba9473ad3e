"""What a batch needs in memory, by layer and in total, for using a network and for training it.

Definitions are those of `analysis.memory`; nothing is computed here but what belongs to a layer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import TYPE_CHECKING

from cnndsl.records import record

if TYPE_CHECKING:
    from cnndsl.analysis.lifetimes import Device, Dtype
    from cnndsl.analysis.memory import Optimizer
    from cnndsl.analysis.memory_trace import MemorySample
    from cnndsl.graph import Graph


@record(slots=True)
class BatchSetup:
    """The step that is reckoned with."""

    batch: int = 1
    dtype: Dtype = "fp32"
    optimizer: Optimizer = "sgd"
    device: Device = "cpu"


@record(slots=True)
class LayerMemory:
    """Bytes of a layer, or of several: `inference` and `training` are the most that is alive in the whole network
    while it runs, `saved` what autograd keeps of it for the backward pass."""

    inference: int = 0
    saved: int = 0
    training: int = 0


def together(loads: Iterable[LayerMemory]) -> LayerMemory:
    """The load of several layers: peaks do not add up, what is kept does.

    >>> together([LayerMemory(3, 1, 5), LayerMemory(2, 4, 9)])
    LayerMemory(inference=3, saved=5, training=9)
    """
    each = list(loads)
    return LayerMemory(
        max((load.inference for load in each), default=0),
        sum(load.saved for load in each),
        max((load.training for load in each), default=0),
    )


@record
class MemoryReport:
    """The memory of a step, in bytes. `parameters`, `buffers`, `gradients` and `optimizer` do not depend on the
    batch; `saved` is what autograd keeps for the backward pass; the estimates are the two peaks with each storage
    rounded as CUDA's caching allocator does, on a GPU whatever the plan says. `loads` are by node."""

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


def footprint(graph: Graph, plan: BatchSetup) -> MemoryReport:
    """The memory of a network."""
    from cnndsl.analysis.memory import inference, training

    use = inference(graph, plan.dtype)
    train = training(graph, plan.dtype, plan.optimizer, plan.device)
    on_gpu = train if plan.device == "cuda" else training(graph, plan.dtype, plan.optimizer, "cuda")
    used, trained = _highest(graph, use.timeline(plan.batch)), _highest(graph, train.timeline(plan.batch))
    saved = train.saved_by_node(plan.batch)
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
        tuple(LayerMemory(used[at], saved[at], trained[at]) for at in saved),
    )


def _highest(graph: Graph, timeline: Iterable[MemorySample]) -> dict[int, int]:
    """The most bytes alive while something happens at each node; 0 for one that does not run."""
    highest = dict.fromkeys(range(len(graph)), 0)
    for level in timeline:
        highest[level.node] = max(highest[level.node], level.bytes)
    return highest
