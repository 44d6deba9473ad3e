"""The layers that rearrange a value into the layout that a tensor of the program has."""

from __future__ import annotations

from math import isqrt

from cnndsl.importers.torch_export.views import (
    BATCH,
    CHANNELS,
    SPATIAL,
    SPREAD,
    Dimension,
    Stretch,
    View,
    ViewError,
    full,
    joined,
)
from cnndsl.layers.arrange import Flatten, Shuffle
from cnndsl.layers.base import Layer
from cnndsl.layers.pixel_shuffle import PixelShuffle, PixelUnshuffle
from cnndsl.layers.reshape import Permute, Reshape
from cnndsl.shape import Shape

_LETTERS = ("wc", "hwc", "dhwc")


def arrangement(view: View, shape: Shape, batch: int) -> tuple[Layer, ...]:
    """Return the layers that turn a value of this shape into the tensor: none if it is the tensor already.

    Raises:
        ViewError: if no layers do that.
    """
    first, *dims = view.dims
    if any(each.axis == SPREAD for dimension in view.dims for each in dimension):
        raise ViewError("a value is repeated along a dimension, and no layer does this")
    if first == full(BATCH, batch) and not dims:
        raise ViewError("a dimension of size 1 is gone, and a value of a program keeps its channels")
    if first != full(BATCH, batch):
        raise ViewError("the batch is not the first dimension, or is mixed with others")
    wanted = Shape(view.sizes[1], view.sizes[2:])
    order = [full(axis, size) for axis, size in enumerate((shape.channels, *shape.spatial), CHANNELS)]
    if wanted == shape and dims == order:
        return ()
    values = joined(each for dimension in dims for each in dimension)
    if values == joined(each for dimension in order for each in dimension):
        return (Flatten(),) if wanted.is_vector else (Reshape(wanted.hwc),)
    layer = (
        _shuffled(dims, order, shape)
        or _moved_to_positions(dims, shape)
        or _moved_to_channels(dims, shape)
        or _permuted(dims, order, shape)
    )
    if layer is not None:
        return (layer,)
    if wanted.is_vector and values == joined(each for dimension in (*order[1:], order[0]) for each in dimension):
        return (Flatten("last"),)
    return _behind_a_permutation(values, order, shape, wanted)


def _behind_a_permutation(values: Dimension, order: list[Dimension], shape: Shape, wanted: Shape) -> tuple[Layer, ...]:
    """Return the layers that permute whole axes and then reshape the result."""
    axes = [each.axis for each in values]
    known = [dimension for dimension in order if dimension]
    if sorted(axes) != sorted(each.axis for dimension in known for each in dimension) or (
        any((each,) not in known for each in values) or shape.rank == 0
    ):
        raise ViewError("its values are in an order that no layer makes")
    missing = [axis for axis in range(CHANNELS, SPATIAL + shape.rank) if axis not in axes]
    moved = _permutation([*missing, *axes] if CHANNELS in missing else [axes[0], *missing, *axes[1:]], shape)
    extents = (shape.channels, *shape.spatial)
    now = [extents[axis - 1] for axis in (missing + axes if CHANNELS in missing else [axes[0], *missing, *axes[1:]])]
    if Shape(now[0], tuple(now[1:])) == wanted:
        return (moved,)
    return (moved, Flatten() if wanted.is_vector else Reshape(wanted.hwc))


def _permutation(axes: list[int], shape: Shape) -> Permute:
    """Return the PERMUTE for axes in PyTorch's order, channels first."""
    letters = _LETTERS[shape.rank - 1]
    by_axis = {CHANNELS: letters[-1], **{SPATIAL + at: letters[at] for at in range(shape.rank)}}
    first, *others = axes
    return Permute("".join(by_axis[axis] for axis in (*others, first)))


def _permuted(dims: list[Dimension], order: list[Dimension], shape: Shape) -> Permute | None:
    """Return the layer that permutes whole axes; None if the dimensions aren't that."""
    if shape.rank == 0 or len(dims) != len(order) or () in order or sorted(dims, key=repr) != sorted(order, key=repr):
        return None
    return _permutation([dimension[0].axis for dimension in dims], shape)


def _shuffled(dims: list[Dimension], order: list[Dimension], shape: Shape) -> Shuffle | None:
    """Return the layer that shuffles channels (position within the group, then the group); None if it doesn't fit."""
    if shape.rank == 0 or len(dims) != len(order) or dims[1:] != order[1:] or len(dims[0]) != 2:
        return None
    place, group = dims[0]
    fits = place == Stretch(CHANNELS, 1, place.size) and group == Stretch(CHANNELS, place.size, group.size)
    return Shuffle(group.size) if fits and place.size * group.size == shape.channels else None


def _moved_to_positions(dims: list[Dimension], shape: Shape) -> PixelShuffle | None:
    """Return the layer that moves channels into blocks of positions; None if none does."""
    if shape.rank != 2 or len(dims) != 3 or not dims[0]:
        return None
    channels = dims[0][0].size
    factor = isqrt(shape.channels // channels)
    if factor < 2 or factor * factor * channels != shape.channels:
        return None
    height, width = (full(SPATIAL + at, size) for at, size in enumerate(shape.spatial))
    c, r = channels, factor
    ways = {
        "channels": ((CHANNELS, r * r, c), (CHANNELS, r, r), (CHANNELS, 1, r)),
        "blocks": ((CHANNELS, 1, c), (CHANNELS, r * c, r), (CHANNELS, c, r)),
    }
    for name, (depth, row, column) in ways.items():
        made = [(Stretch(*depth),), (*height, Stretch(*row)), (*width, Stretch(*column))]
        if dims == made:
            return PixelShuffle(factor, name)
    return None


def _moved_to_channels(dims: list[Dimension], shape: Shape) -> PixelUnshuffle | None:
    """Return the layer that moves blocks of positions into channels; None if none does."""
    if shape.rank != 2 or len(dims) != 3:
        return None
    blocks = shape.spatial[0] // max(_size(dims[1]), 1)
    if blocks < 2 or any(size % blocks for size in shape.spatial):
        return None
    channels = full(CHANNELS, shape.channels)
    row, column = Stretch(SPATIAL, 1, blocks), Stretch(SPATIAL + 1, 1, blocks)
    rest = [joined([Stretch(SPATIAL + at, blocks, size // blocks)]) for at, size in enumerate(shape.spatial)]
    for name, depth in (("channels", (*channels, row, column)), ("blocks", (row, column, *channels))):
        if dims == [depth, *rest]:
            return PixelUnshuffle(blocks, name)
    return None


def _size(dimension: Dimension) -> int:
    return dimension[0].size if dimension else 1
