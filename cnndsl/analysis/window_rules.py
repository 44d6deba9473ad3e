"""The rules of `lint` about windows: the sizes of filters and poolings, and their strides.

An image has two axes, and the lectures are about images. Along a single axis a stride of 4 keeps as much of a map as a
stride of 2 does of an image, so the rules about large windows and strides apply only if two axes are large.
"""

from __future__ import annotations

from collections.abc import Iterator

from cnndsl.analysis.findings import Finding, by, convolutions
from cnndsl.graph import Graph, Node

LARGEST_KERNEL = 5
"""The largest size of a small filter: "3x3 or at most 5x5"."""
LARGEST_FIRST = 7
"""The largest size for the first convolution: "7x7 or so"."""
LARGEST_POOL = 3
LARGEST_STRIDE = 2


def large_kernel(graph: Graph) -> Iterator[Finding]:
    """A stack of 3x3 convolutions sees as much as a large kernel, with fewer parameters and more nonlinearities.

    Source: CS231n, "Convolutional Networks", Layer Patterns and Layer Sizing Patterns ("3x3 or at most 5x5"); Simonyan
    and Zisserman 2014, arXiv:1409.1556, Section 2.3.
    """
    for node, kernel, window in convolutions(graph):
        if not node.layer.SHARES_WEIGHTS:
            continue
        (x, *_) = graph.shapes(node)
        size, filters, rank = kernel[0], node.shape.channels, x.rank
        one = size**rank * x.channels * filters
        weights = sum(tensor.numel for tensor in node.layer.tensors(*graph.shapes(node)) if tensor.role == "weight")
        dilated = window.extent != kernel
        small = size <= LARGEST_KERNEL or size % 2 == 0
        if small or set(window.step) != {1} or dilated or len(set(kernel)) > 1 or weights != one:
            continue
        turns = (size - 1) // 2
        stack = 3**rank * filters * (x.channels + (turns - 1) * filters)
        if stack < one:
            threes, large = by((3,) * rank), by(kernel)
            message = f"{turns} layers of {threes} see as much as one of {large}: {stack:,} weights instead of {one:,}"
            yield Finding(node.span, message, f"[CONV3-{filters} -> RELU]*{turns}")


def large_first_kernel(graph: Graph) -> Iterator[Finding]:
    """The first convolution may have 7x7 filters; larger ones learn few middle frequencies.

    Patches that don't overlap are another matter. Source: CS231n, "Convolutional Networks", Layer Sizing Patterns
    ("7x7 or so"); Zeiler and Fergus 2014, arXiv:1311.2901, Section 4.1.
    """
    first = _first_convolutions(graph)
    for node, kernel, window in convolutions(graph):
        overlaps = any(size > step for size, step in zip(kernel, window.step, strict=True))
        if node.index in first and overlaps and _large_axes(kernel, LARGEST_FIRST) > 1:
            seven = by(tuple(min(size, LARGEST_FIRST) for size in kernel))
            yield Finding(
                node.span, f"the first convolution, {node.text}, has filters of {by(kernel)}", f"take {seven}"
            )


def even_kernel(graph: Graph) -> Iterator[Finding]:
    """An even kernel has no centre: the map is shifted by half a pixel, or padded unevenly.

    At an even stride it has one between the pixels, as 2x2 pooling has; one as large as the map shifts nothing; and a
    causal one is meant to end at its position. Source: Wu et al. 2019, arXiv:1903.08385, "Convolution with even-sized
    kernels and symmetric padding", Section 3.
    """
    for node, kernel, window in convolutions(graph):
        axes = enumerate(zip(kernel, window.step, node.shape.spatial, strict=True))
        shifted = (at for at, (size, step, out) in axes if size % 2 == 0 and step % 2 == 1 and out > 1)
        if not all(_is_causal(graph, node, at) for at in shifted):
            message = f"the kernel {by(kernel)} of {node.text} has no centre"
            yield Finding(node.span, message, f"take {by(tuple(size + 1 - size % 2 for size in kernel))}")


def _is_causal(graph: Graph, node: Node, axis: int) -> bool:
    """Return whether a convolution sees nothing after its position along an axis: the layer before it pads only at the
    beginning, or it pads both sides and the layer after it cuts the end off (Bai et al. 2018, arXiv:1803.01271, Section
    3.1, and its code)."""
    window, readers = node.layer.window(*graph.shapes(node)), graph.readers[node.index]
    extent = window.extent[axis] if window is not None else 0
    front, end = _margins(graph, node, axis, extent)
    more_front, more_end = _margins(graph, graph.nodes[node.inputs[0]], axis, 1)
    less_front, less_end = _margins(graph, graph.nodes[readers[0]], axis, 1) if len(readers) == 1 else (0, 0)
    front, end = front + max(more_front, 0) + min(less_front, 0), end + max(more_end, 0) + min(less_end, 0)
    return (front, end) == (extent - 1, 0)


def _margins(graph: Graph, node: Node, axis: int, extent: int) -> tuple[int, int]:
    """Return how many positions a layer whose windows span `extent` adds before a map along an axis, and after it; less
    than 0 if it cuts some off. Any other layer adds none."""
    window = node.layer.window(*graph.shapes(node)) if node.inputs else None
    sizes = (window.extent[axis : axis + 1], window.step[axis : axis + 1]) if window is not None else ()
    if window is None or window.grow or sizes != ((extent,), (1,)):
        return 0, 0
    (x, *_), before = graph.shapes(node), window.before[axis]
    return before, node.shape.spatial[axis] + extent - 1 - before - x.spatial[axis]


def large_pool(graph: Graph) -> Iterator[Finding]:
    """A maximum over more than 3x3 is too lossy where the map becomes smaller.

    Means, maxima at stride 1 and those over the whole map are other matters. Source: CS231n, "Convolutional Networks",
    Layer Sizing Patterns ("too lossy and aggressive").
    """
    for node in graph.layers:
        window = node.layer.window(*graph.shapes(node)) if node.layer.KEEPS_ONE else None
        if window is None or window.grow or node.shape.pixels == 1:
            continue
        if _large_axes(window.extent, LARGEST_POOL) > 1 and _large_axes(window.step, 1) > 1:
            message = f"{node.text} keeps one of {by(window.extent)} values"
            yield Finding(node.span, message, "use POOL2 or POOL3/2, twice if necessary, with a convolution in between")


def large_stride(graph: Graph) -> Iterator[Finding]:
    """Behind the first convolution a stride of 2 is the largest that is common.

    Source: CS231n, "Convolutional Networks", Spatial arrangement ("3 or more, though this is rare in practice") and
    Layer Sizing Patterns ("the compromise at only the first CONV layer").
    """
    first = _first_convolutions(graph)
    for node, _, window in convolutions(graph):
        if node.index not in first and _large_axes(window.step, LARGEST_STRIDE) > 1:
            message = f"{node.text} has a stride of {by(window.step)}, but it is not the first convolution"
            yield Finding(node.span, message, "use a stride of 2, or two layers with a stride of 2")


def _large_axes(extents: tuple[int, ...], most: int) -> int:
    return sum(extent > most for extent in extents)


def _first_convolutions(graph: Graph) -> set[int]:
    """Return the convolutions that have no other convolution before them."""
    behind: set[int] = set()
    first: set[int] = set()
    for node in graph.layers:
        convolves = node.layer.ROLE == "convolution"
        if behind.intersection(node.inputs) or first.intersection(node.inputs):
            behind.add(node.index)
        elif convolves:
            first.add(node.index)
    return first
