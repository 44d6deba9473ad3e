"""How the dimensions of a tensor map to a value of the graph: `view` and `permute` without computation.

A value has a batch, channels and positions along its axes. A tensor of the program is such a value with its
dimensions split, joined and reordered. Views track this, dimension by dimension, until a layer needs the value itself;
so a norm between two `permute` is one over channels, and `view`, `transpose`, `view` is a shuffle.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import prod
from typing import TypeAlias

from cnndsl.records import record
from cnndsl.shape import Shape

BATCH, CHANNELS, SPATIAL = 0, 1, 2
"""Axes of a value: the batch, the channels, then the positions."""
SPREAD = -1
"""Not an axis of the value: the value is repeated along this dimension."""


@record(slots=True)
class Stretch:
    """A part of an axis: `size` positions, each `stride` after the previous one."""

    axis: int
    stride: int
    size: int


Dimension: TypeAlias = tuple[Stretch, ...]
"""The parts of axes that a dimension of a tensor covers, outermost first; empty for a dimension of size 1."""


class ViewError(Exception):
    """The layout of a tensor's dimensions cannot be represented."""


@record(slots=True)
class View:
    """A tensor that holds the value `at` with these dimensions."""

    at: int
    dims: tuple[Dimension, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """The shape of the tensor."""
        return tuple([extent(each) for each in self.dims])

    def of(self, at: int) -> View:
        """Return the same view of another value of the same shape."""
        return replace(self, at=at)

    def dim(self, number: int) -> int:
        """Return the index of a dimension, counted from 0 if it was counted from the end."""
        return number % len(self.dims)


def extent(dimension: Dimension) -> int:
    """Return the size of a dimension."""
    return prod(each.size for each in dimension)


def whole(at: int, shape: Shape, batch: int) -> View:
    """Return the view of a whole value: batch, channels, axes."""
    return View(at, tuple([full(axis, size) for axis, size in enumerate((batch, shape.channels, *shape.spatial))]))


def full(axis: int, size: int) -> Dimension:
    """Return the dimension that covers a whole axis."""
    return (Stretch(axis, 1, size),) if size > 1 else ()


def joined(stretches: Iterable[Stretch]) -> Dimension:
    """Return a dimension with contiguous neighbours joined.

    >>> joined([Stretch(1, 4, 3), Stretch(1, 1, 4)])
    (Stretch(axis=1, stride=1, size=12),)
    """
    found: list[Stretch] = []
    for each in stretches:
        before = found[-1] if found else None
        if before is not None and before.axis == each.axis and before.stride == each.stride * each.size:
            found[-1] = Stretch(each.axis, each.stride, before.size * each.size)
        elif each.size > 1:
            found.append(each)
    return tuple(found)


def reshaped(view: View, sizes: Sequence[int]) -> View:
    """Return the tensor reshaped, read in the same order. Raises ViewError if a dimension is not divided evenly.

    >>> shuffled = reshaped(whole(0, Shape(6, (4,)), 2), (2, 2, 3, 4))
    >>> [extent(each) for each in permuted(shuffled, (0, 2, 1, 3)).dims]
    [2, 3, 2, 4]
    """
    if -1 in sizes:
        rest = -prod(sizes)
        sizes = [prod(view.sizes) // rest if size == -1 else size for size in sizes]
    if prod(sizes) != prod(view.sizes):
        raise ViewError("the new dimensions hold another number of values")
    left = [each for dimension in view.dims for each in dimension][::-1]
    dims: list[Dimension] = []
    for size in sizes:
        taken: list[Stretch] = []
        while size > 1:
            each = left.pop()
            if size % each.size == 0:
                taken.append(each)
                size //= each.size
                continue
            if each.size % size:
                raise ViewError("an axis is cut into uneven parts")
            inner = each.size // size
            taken.append(Stretch(each.axis, each.stride * inner, size))
            left.append(Stretch(each.axis, each.stride, inner))
            size = 1
        dims.append(joined(taken))
    return View(view.at, tuple(dims))


def permuted(view: View, order: Sequence[int]) -> View:
    """Return the tensor with its dimensions in another order."""
    return View(view.at, tuple([view.dims[view.dim(each)] for each in order]))


def expanded(view: View, sizes: Sequence[int]) -> View:
    """Return the tensor repeated along dimensions of size 1 and along new leading ones."""
    dims = ((),) * (len(sizes) - len(view.dims)) + view.dims
    spread = [
        (Stretch(SPREAD, 0, size),) if not dimension and size > 1 else dimension
        for dimension, size in zip(dims, sizes, strict=True)
    ]
    return View(view.at, tuple(spread))


def narrow(view: View) -> View:
    """Undo `expanded`: return the tensor with the repeated dimensions reduced to size 1."""
    dims = [tuple([each for each in dimension if each.axis != SPREAD]) for dimension in view.dims]
    return View(view.at, tuple(dims))


def aligned(first: View, second: View) -> tuple[Dimension, ...] | None:
    """Return the dimensions of the result of combining two tensors if they have the same layout, else None.

    As in PyTorch's broadcasting, the last dimensions are matched, and those of size 1 are repeated.
    """
    length = max(len(first.dims), len(second.dims))
    pairs = zip(_filled(first, length), _filled(second, length), strict=True)
    if any(a and b and a != b for a, b in pairs):
        return None
    found = tuple([a or b for a, b in zip(_filled(first, length), _filled(second, length), strict=True)])
    stretches = [each for dimension in found for each in dimension]
    return found if len(stretches) == len(set(stretches)) else None


def _filled(view: View, length: int) -> tuple[Dimension, ...]:
    return ((),) * (length - len(view.dims)) + view.dims
