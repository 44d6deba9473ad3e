"""Compute the receptive field by the lecture's recurrence, `r = r + (k - 1)*j` and `j = j*s`, with each layer's
numbers.

The values are those of `receptive_field`, which follows every unit exactly. A formula is shown only if it gives these
values; otherwise the size is computed from the first and the last position that the unit with the largest field sees.
From one unit to the next a field moves by j positions of the input.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from cnndsl.analysis.interval import Track
from cnndsl.analysis.receptive_field import Field, Fields
from cnndsl.graph import Graph, Node
from cnndsl.layers.base import Window
from cnndsl.records import record

FieldNumber = int | Fraction
WrittenNumber = tuple[FieldNumber, str]
"""A number, and the expression that gives it."""


@record(slots=True)
class FieldStep:
    """How the field of a layer follows from those of its inputs, along one axis: its size r, and its stride j.

    A formula is empty if there is no short one, or the number is the same as before. With `at_most` the size is a
    bound.
    """

    size: int
    stride: FieldNumber
    size_formula: str = ""
    stride_formula: str = ""
    at_most: bool = False


def recurrences(graph: Graph, fields: Fields) -> dict[int, tuple[FieldStep, ...]]:
    """Return for each node one step per axis; empty if its field has the same size and stride as those of its
    inputs."""
    return {node.index: _steps(graph, node, fields) for node in graph.layers}


def _steps(graph: Graph, node: Node, fields: Fields) -> tuple[FieldStep, ...]:
    after = fields[node.index]
    operands = [seen for at in node.value_inputs if (seen := fields[at]) is not None]
    if after is None or not operands or all(seen.size == after.size and _moves_like(seen, after) for seen in operands):
        return ()
    window = node.layer.window(*graph.shapes(node))
    positions = graph.nodes[node.value_inputs[0]].shape.spatial
    return tuple(
        _step(
            [seen.tracks[axis] for seen in operands if axis < len(seen.tracks)],
            after,
            axis,
            window if window is not None and axis < len(window.extent) else None,
            positions[axis] if axis < len(positions) else 1,
            graph.input.spatial[axis] if axis < graph.input.rank else 1,
        )
        for axis in range(len(after.tracks))
    )


def _moves_like(before: Field, after: Field) -> bool:
    return before.whole == after.whole and before.stride == after.stride


def _step(before: list[Track], after: Field, axis: int, window: Window | None, positions: int, plane: int) -> FieldStep:
    track = after.tracks[axis]
    sizes = _sizes(before, track, axis, window, positions, plane)
    size_formula = next((text for number, text in sizes if number == track.size), "")
    if after.whole:
        return FieldStep(track.size, track.stride, size_formula, at_most=track.bound)
    strides = _strides(before, axis, window)
    stride_formula = next((text for number, text in strides if number == track.stride), "")
    return FieldStep(track.size, track.stride, size_formula, stride_formula, track.bound)


def _sizes(
    before: list[Track], after: Track, axis: int, window: Window | None, positions: int, plane: int
) -> Iterator[WrittenNumber]:
    """Yield expressions that may give the size, the simplest first; the last one always does."""
    first = before[0]
    r, j = first.size, first.stride
    if len(before) > 1:
        sizes = sorted({track.size for track in before}, reverse=True)
        yield max(sizes), f"max({', '.join(map(str, sizes))})" if len(sizes) > 1 else str(sizes[0])
    elif window is None:
        everything = r + (positions - 1) * j
        yield everything, f"{r} + ({positions} - 1)*{factor(j)}"
        yield min(plane, everything), f"min({plane}, {r} + ({positions} - 1)*{factor(j)})"
    else:
        extent, grow = window.extent[axis], window.grow[axis] if window.grow else 1
        read = (extent - 1) // grow + 1
        yield r + (read - 1) * j, f"{r} + ({read} - 1)*{factor(j)}"
    low, high = max(after.ranges, key=lambda each: each[1] - each[0])
    yield high - low + 1, f"{high} - {low if low >= 0 else f'({low})'} + 1"


def _strides(before: list[Track], axis: int, window: Window | None) -> Iterator[WrittenNumber]:
    """Yield expressions that may give the stride."""
    if len(before) > 1 or window is None:
        return
    j, step, grow = before[0].stride, window.step[axis], window.grow[axis] if window.grow else 1
    if grow == 1:
        yield j * step, f"{factor(j)}*{step}"
    else:
        shared = f"{factor(j)}*{step}" if step > 1 else factor(j)
        yield Fraction(j) * step / grow, f"{shared}/{grow}"


def factor(number: FieldNumber) -> str:
    """Format a number as a factor of a product.

    >>> factor(4), factor(Fraction(1, 2))
    ('4', '(1/2)')
    """
    return str(number) if isinstance(number, int) or number.denominator == 1 else f"({number})"
