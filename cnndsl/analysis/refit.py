"""Find input sizes at which every window of a network fits: `lint` suggests them if windows leave lines unread.

The shape rules of the layers are evaluated again for sizes near the given one, so the advice holds for the whole
network, for any sequence of strides and paddings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

from cnndsl.graph import Graph, Node
from cnndsl.layers.base import Layer, LayerError
from cnndsl.shape import Shape

FARTHEST = 64
"""How far from the given size a better one is searched for: strides of 2 agree on every 2^6."""
_MOST_WORK = 400_000
"""The most layers to evaluate in total; a network that would need more gets no advice."""


def unread(layer: Layer, inputs: Sequence[Shape]) -> tuple[int, ...]:
    """Return how many lines of the input, on each axis, no window of a layer covers."""
    return layer.unread(*inputs) or (0,) * inputs[0].rank


def overhang(layer: Layer, inputs: Sequence[Shape], output: Shape) -> tuple[int, ...]:
    """Return how far a pooling's last window extends beyond a map that its stride does not divide.

    If it extends no further than the first window does, the windows are spread evenly, and the result is 0.

    >>> from cnndsl.layers.pool import MaxPool
    >>> overhang(MaxPool((2,), ceil=True), [Shape(8, (9, 8))], Shape(8, (5, 4)))
    (1, 0)
    """
    (x, *_), window = inputs, layer.window(*inputs)
    if layer.ROLE != "pooling" or window is None or window.grow:
        return (0,) * x.rank
    axes = zip(x.spatial, output.spatial, window.extent, window.step, window.before, strict=True)
    beyond = (
        ((out - 1) * step + extent - before - size, before, size % step) for size, out, extent, step, before in axes
    )
    return tuple(over if over > before and odd else 0 for over, before, odd in beyond)


def sizes_that_fit(graph: Graph) -> list[tuple[int, ...]]:
    """Return the input sizes, next to the given one, at which no window leaves lines or extends beyond the map.

    The nearest smaller size comes first, then the nearest larger one; either or both may be missing. A network with
    several inputs has none.
    """
    if len(graph.inputs) != 1 or len(graph) * 2 * FARTHEST * graph.input.rank > _MOST_WORK:
        return []
    written = graph.input.spatial
    found: list[tuple[int, ...]] = []
    for steps in (range(-1, -FARTHEST - 1, -1), range(1, FARTHEST + 1)):
        extents = tuple(_nearest(graph, axis, steps) for axis in range(len(written)))
        if prod(extents) and extents != written and _is_clean(graph, extents):
            found.append(extents)
    return found


def _nearest(graph: Graph, axis: int, steps: Iterable[int]) -> int:
    """Return the input size along an axis at which all windows fit: the given one if it does; 0 if there is none."""
    written = graph.input.spatial
    for step in (0, *steps):
        extent = written[axis] + step
        if extent > 0 and _is_clean(graph, (*written[:axis], extent, *written[axis + 1 :]), axis):
            return extent
    return 0


def _is_clean(graph: Graph, extents: tuple[int, ...], axis: int | None = None) -> bool:
    """Return whether all windows fit for an input of this size: along one axis, or along each."""
    shapes: list[Shape] = []
    for node in graph.nodes:
        inputs = [shapes[at] for at in node.inputs]
        try:
            shapes.append(node.layer.output(*inputs) if inputs else Shape(node.shape.channels, extents))
        except LayerError:
            return False
        if inputs and any(_misfits(node, inputs, shapes[-1])[slice(axis, None if axis is None else axis + 1)]):
            return False
    return True


def _misfits(node: Node, inputs: Sequence[Shape], output: Shape) -> tuple[int, ...]:
    lost, over = unread(node.layer, inputs), overhang(node.layer, inputs, output)
    return tuple(max(each) for each in zip(lost, over, strict=True))
