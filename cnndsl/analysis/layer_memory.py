"""Compute the memory of a step by layer: which layer has the peak, and what each layer saves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from cnndsl.records import record

if TYPE_CHECKING:
    from cnndsl.analysis.memory import Memory
    from cnndsl.analysis.memory_trace import MemorySample


@record(slots=True)
class LayerMemory:
    """Bytes of a layer, or of several: `inference` and `training` are the largest total alive in the whole network
    while it runs, `saved` what autograd saves of it for the backward pass."""

    inference: int = 0
    saved: int = 0
    training: int = 0


def together(loads: Iterable[LayerMemory]) -> LayerMemory:
    """Return the memory of several layers: the maximum of the peaks, the sum of what is saved.

    >>> together([LayerMemory(3, 1, 5), LayerMemory(2, 4, 9)])
    LayerMemory(inference=3, saved=5, training=9)
    """
    each = list(loads)
    return LayerMemory(
        max((load.inference for load in each), default=0),
        sum(load.saved for load in each),
        max((load.training for load in each), default=0),
    )


def by_layer(use: Memory, train: Memory, batch: int = 1) -> tuple[LayerMemory, ...]:
    """Return the memory of each node, from the memory of a network at inference and of a training step."""
    size = len(use.graph)
    used, trained = _highest(size, use.timeline(batch)), _highest(size, train.timeline(batch))
    saved = train.saved_by_node(batch)
    return tuple(LayerMemory(used[at], saved[at], trained[at]) for at in range(size))


def _highest(size: int, timeline: Iterable[MemorySample]) -> Sequence[int]:
    """Return the most bytes alive during any event of each node; 0 for a node that does not run."""
    highest = [0] * size
    for level in timeline:
        highest[level.node] = max(highest[level.node], level.bytes)
    return highest
