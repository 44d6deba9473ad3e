"""Compute the minimum time of each layer on a GPU by the roofline model: its arithmetic at the peak or its traffic at
full bandwidth, whichever takes longer. Source: Williams, Waterman, Patterson 2009 (doi 10.1145/1498765.1498785)."""

from __future__ import annotations

from functools import cached_property
from math import prod

from cnndsl.analysis.cards import Card
from cnndsl.analysis.layer_time import LayerTime, total_time
from cnndsl.analysis.lifetimes import WIDTHS, Dtype, Lifetimes
from cnndsl.graph import Graph, Node
from cnndsl.records import record
from cnndsl.shape import Shape

LARGEST_BATCH = 10**12
"""The most images in a batch: times are floating-point numbers."""


@record
class Roofline:
    """The minimum times of a forward pass in evaluation mode, by node."""

    card: Card
    batch: int
    dtype: Dtype
    times: tuple[LayerTime, ...]

    @cached_property
    def total(self) -> LayerTime:
        """Return the minimum time of the network, layer after layer."""
        return total_time(self.times)


def roofline(graph: Graph, card: Card, batch: int = 1, dtype: Dtype = "fp32") -> Roofline:
    """Return the minimum time of each layer for a batch.

    A multiply-add is two operations. `traffic` computes the bytes moved. Raises ValueError as `check_time` does.
    """
    check_time(card, batch, dtype)
    values = Lifetimes(graph, False, dtype, "cuda")
    moved = traffic(values, batch)
    return Roofline(
        card, batch, dtype, tuple(_time(values, node, moved[node.index], card, batch) for node in graph.nodes)
    )


def check_time(card: Card, batch: int, dtype: Dtype) -> None:
    """Raise ValueError if a card does not support a type, and for more than `LARGEST_BATCH` images."""
    if not card.peak(dtype):
        raise ValueError(f"{card.name} has no arithmetic in {dtype}; take fp16 or amp")
    if batch > LARGEST_BATCH:
        raise ValueError(f"least times are for at most {LARGEST_BATCH:,} images, not {batch}")


def _time(values: Lifetimes, node: Node, moved: int, card: Card, batch: int) -> LayerTime:
    if not node.inputs or not values.runs[node.index]:
        return LayerTime()
    arithmetic = 2 * node.layer.macs(*values.shapes[node.index]) * batch / card.peak(values.dtype)
    bandwidth = moved / card.bandwidth
    return LayerTime(arithmetic=arithmetic) if arithmetic > bandwidth else LayerTime(bandwidth=bandwidth)


def traffic(values: Lifetimes, batch: int) -> dict[int, int]:
    """Return the minimum number of bytes that each node moves between memory and GPU: it reads its inputs and its
    parameters and writes its output, each once. Of an input it reads the positions that its windows cover. Views,
    dropout in evaluation mode and layers that do not run move nothing."""
    return {node.index: _moved(values, node, batch) for node in values.graph.nodes}


def _moved(values: Lifetimes, node: Node, batch: int) -> int:
    layer = node.layer
    is_run = node.inputs and values.runs[node.index]
    if not is_run or layer.views(*values.shapes[node.index]):
        return 0
    if layer.passes(values.training) or values.is_left_out(node):
        return 0
    shapes = values.graph.nodes
    read = sum(_read(node, shapes[at].shape) * values.width[at] for at in dict.fromkeys(node.value_inputs))
    written = node.shape.numel * values.width[node.index]
    parameters = sum(each.numel for each in values.tensors[node.index] if each.role != "buffer")
    return batch * (read + written) + WIDTHS[values.dtype] * parameters


def _read(node: Node, x: Shape) -> int:
    """Return how many input values a layer's windows cover: a 1x1 convolution of stride 2 skips three in four."""
    window = node.layer.window(x) if len(node.inputs) == 1 else None
    if window is None or window.grow or len(window.extent) != x.rank or node.shape.rank != x.rank:
        return x.numel
    axes = zip(x.spatial, node.shape.spatial, window.extent, window.step, window.before, strict=True)
    return x.channels * prod(_covered(*axis) for axis in axes)


def _covered(size: int, out: int, extent: int, step: int, before: int) -> int:
    """Return the number of positions of an axis that some window covers.

    >>> _covered(8, 4, 1, 2, 0), _covered(8, 3, 3, 2, 0), _covered(8, 4, 3, 2, 1)
    (4, 7, 8)
    """
    starts = range(-before, out * step - before, step)
    if step <= extent:
        return max(min(starts[-1] + extent, size) - max(starts[0], 0), 0)
    return sum(max(min(start + extent, size) - max(start, 0), 0) for start in starts)
