"""The rules of `lint` about sizes: windows that do not fit the map, and an input size with which they would."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import prod

from cnndsl.analysis.findings import Finding, by, magnifies
from cnndsl.analysis.refit import overhang, sizes_that_fit, unread
from cnndsl.graph import Graph, Node
from cnndsl.shape import Shape


def odd_input(graph: Graph) -> Iterator[Finding]:
    """The input should be divisible by two as often as the network halves it.

    A size is right too where all windows fit, as 227 with 11x11 at stride 4. What is said here is that the last window
    of a pooling hangs over; where lines are left, stride-remainder says so. Source: CS231n, "Convolutional Networks",
    Layer Sizing Patterns.
    """
    for node in graph.layers:
        shapes = graph.shapes(node)
        if len(graph.inputs) == 1 and any(overhang(node.layer, shapes, node.shape)):
            message = f"the last window of {node.text} extends beyond its input, {shapes[0]}: an odd size is halved"
            yield Finding(graph.inputs[0].span, message, _take(graph))
            return


def stride_remainder(graph: Graph) -> Iterator[Finding]:
    """The windows should fit the input without a remainder: (W - F + 2P)/S + 1 should be an integer.

    Unless what is left over is padding alone, or no more than the stride skips between windows. Source: CS231n,
    "Convolutional Networks", Spatial arrangement ("constraints on strides").
    """
    advice = cache(lambda: _take(graph))
    for node in graph.layers:
        shapes = graph.shapes(node)
        left = unread(node.layer, shapes)
        if any(left):
            message = f"no window of {node.text} reaches the last {_lines(left)} of its input, {shapes[0]}"
            way_out = "say ceil=yes" if "ceil" in node.layer.options() else "change the padding"
            other = advice() or f"{way_out}, or enlarge the input"
            yield Finding(
                node.span, message, "patches need no padding: write pad=valid" if _are_patches(node, *shapes) else other
            )


def _are_patches(node: Node, *inputs: Shape) -> bool:
    """Return whether windows that do not overlap would cover the input if no padding shifted them."""
    window = node.layer.window(*inputs)
    if window is None or not any(window.before) or "pad" not in node.layer.options():
        return False
    axes = zip(inputs[0].spatial, window.extent, window.step, strict=True)
    return all(extent == step and size % step == 0 for size, extent, step in axes)


def _lines(left: tuple[int, ...]) -> str:
    """Format the lines that are left over, in words.

    >>> _lines((0, 1)), _lines((1, 1)), _lines((2, 0)), _lines((3,)), _lines((0, 0, 1))
    ('column', 'row and column', '2 rows', '3 positions', 'line along its third axis')
    """
    if len(left) > 2:
        axis, number = next((at, number) for at, number in enumerate(left) if number)
        return f"{'line' if number == 1 else f'{number} lines'} along its {('first', 'second', 'third')[axis]} axis"
    names = ("row", "column") if len(left) == 2 else ("position",)
    if set(left) == {1}:
        return " and ".join(names)
    return " and ".join(
        name if number == 1 else f"{number} {name}s" for name, number in zip(names, left, strict=True) if number
    )


def _take(graph: Graph) -> str:
    """Return the advice to use another input size; empty if no size is known for which everything fits."""
    sizes = sizes_that_fit(graph)
    return f"everything fits for an input of {' or '.join(map(by, sizes))}" if sizes else ""


def magnifying_pool(graph: Graph) -> Iterator[Finding]:
    """A pooling to more positions than it reads copies values: it adds weights behind it, and nothing to see.

    Source: the windows of torch.nn.AdaptiveAvgPool2d, from floor(i*W/out) to ceil((i + 1)*W/out).
    """
    for node in graph.layers:
        if not magnifies(graph, node):
            continue
        before = graph.shapes(node)[0]
        small, large = by(before.spatial), by(node.shape.spatial)
        message = f"{node.text} makes {large} of {small}: {_copies(before.spatial, node.shape.spatial)}"
        yield Finding(node.span, message, f"remove it, or enlarge the network's input until it reads {large}")


def _copies(before: tuple[int, ...], after: tuple[int, ...]) -> str:
    """Describe how values are copied.

    >>> _copies((1, 1), (7, 7)), _copies((5, 5), (7, 7))
    ('it copies each value 49 times', '49 values out of 25')
    """
    if any(large % small for small, large in zip(before, after, strict=True)):
        return f"{prod(after)} values out of {prod(before)}"
    return f"it copies each value {prod(after) // prod(before)} times"
