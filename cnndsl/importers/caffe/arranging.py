"""Caffe's layers that rearrange values."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from cnndsl.importers.caffe.maker import Blob, LayerMaker
from cnndsl.importers.caffe.net import brief
from cnndsl.layers.arrange import Flatten, Slice
from cnndsl.layers.margin import Crop
from cnndsl.layers.reshape import Reshape


def flatten(maker: LayerMaker) -> Blob:
    """Flatten everything to a vector."""
    said = maker.param("flatten")
    maker.need(1)
    (blob,) = maker.entering
    if maker.axis(said) != 1 or said.number("end_axis", -1) not in (-1, len(maker.dims(blob))):
        raise said.error("some axes as one have no counterpart", "axis")
    return vector(maker, blob)


def vector(maker: LayerMaker, blob: Blob) -> Blob:
    """Return all values as a vector in the file's order."""
    shape = maker.made.shape(blob.node)
    if not shape.spatial:
        return blob
    is_moved = blob.last and prod(shape.spatial) > 1 and shape.channels > 1
    return maker.add(Flatten("last" if is_moved else "first"), blob.node)


def permute(maker: LayerMaker) -> Blob:
    """Permute axes. Moving the channels to the end and back adds no layer: the value records their position."""
    said = maker.param("permute")
    maker.need(1)
    (blob,) = maker.entering
    axes = 1 + len(maker.dims(blob))
    order = said.numbers("order")
    order += [each for each in range(axes) if each not in order]
    if sorted(order) != [*range(axes)] or order[0] != 0:
        raise said.error(f"the order of {axes} axes begins with 0 and has each of them once", "order")
    if order == [*range(axes)]:
        return blob
    if not blob.last and order == [0, *range(2, axes), 1]:
        return Blob(blob.node, last=True)
    if blob.last and order == [0, axes - 1, *range(1, axes - 1)]:
        return Blob(blob.node)
    return maker.permuted(maker.plain(blob), order)


def reshape(maker: LayerMaker) -> Blob:
    """Reshape to a vector, a map, or rows of channels."""
    said = maker.param("reshape")
    maker.need(1)
    (blob,) = maker.entering
    dims = maker.dims(blob)
    wanted = said.message("shape").numbers("dim")
    start, count = maker.axis(said, default=0), said.number("num_axes", -1)
    end = 1 + len(dims) if count < 0 else start + count
    before = [0, *dims]
    if wanted.count(-1) > 1 or not 0 <= start <= end <= len(before):
        raise said.error("one extent at most follows from the others", "shape")
    filled = [before[start + at] if each == 0 and start + at < len(before) else each for at, each in enumerate(wanted)]
    sizes = [*before[:start], *filled, *before[end:]]
    if sizes[:1] == [-1]:
        sizes[0] = 0
    if sizes[:1] != [0] or min(sizes[1:], default=0) < -1 or 0 in sizes[1:]:
        raise said.error("an extent of the batch that is written has no counterpart: say 0", "shape")
    rest = prod(each for each in sizes[1:] if each > 0)
    sizes = [prod(dims) // rest if each < 0 else each for each in sizes[1:]]
    return _as(maker, tuple(sizes), blob)


def _as(maker: LayerMaker, sizes: tuple[int, ...], blob: Blob) -> Blob:
    """Return the values of a blob in another shape. Raises CnnError if the shape has no counterpart."""
    if sizes == maker.dims(blob):
        return blob
    if prod(sizes) != prod(maker.dims(blob)) or not 1 <= len(sizes) <= 4:
        raise maker.wrong(f"{maker.dims(blob)} as {sizes} has no counterpart", "reshape_param")
    source = vector(maker, blob) if blob.last else blob
    if len(sizes) == 1:
        return vector(maker, source)
    if len(sizes) == 2:
        return Blob(maker.add(Reshape(sizes, "last"), source.node).node, last=True)
    return maker.add(Reshape((*sizes[1:], sizes[0])), source.node)


def crop(maker: LayerMaker) -> Blob:
    """Crop a map to the size of another one, starting at an offset."""
    said = maker.param("crop")
    at, like = maker.nodes(2)
    before, after = maker.made.shape(at).spatial, maker.made.shape(like).spatial
    rank, axis, offsets = len(before), maker.axis(said, default=2), said.numbers("offset")
    if axis < 2 or axis > 1 + rank or len(after) != rank:
        raise said.error("a map is cropped along the axes after the channels", "axis")
    if not offsets:
        maker.note("a `Crop` without an offset takes the first positions, as Caffe 1.0 does")
    cropped = 2 + rank - axis
    if len(offsets) not in (0, 1, cropped):
        raise said.error(f"there is one offset, or one for each of {cropped} axes", "offset")
    offsets = offsets * cropped if len(offsets) == 1 else offsets or [0] * cropped
    margin = (*[0] * (axis - 2), *offsets)
    wanted = (*before[: axis - 2], *after[axis - 2 :])
    rest = tuple([size - less - new for size, less, new in zip(before, margin, wanted, strict=True)])
    if min(rest) < 0:
        raise said.error(f"a map of {before} has no {wanted} at {margin}", "offset")
    return maker.add(Crop(margin=brief(margin), after=brief(rest)), at) if any((*margin, *rest)) else Blob(at)


def slices(maker: LayerMaker) -> Sequence[Blob]:
    """Split into ranges of channels, of equal size if no points are given."""
    (at,) = maker.nodes(1)
    said = maker.param("slice")
    if maker.axis(said, "slice_dim") != 1:
        raise said.error("ranges along another axis than the channels have no counterpart", "axis")
    channels, count, points = maker.made.shape(at).channels, len(maker.layer.tops), said.numbers("slice_point")
    if (not points and channels % count) or (points and len(points) != count - 1):
        raise said.error(f"{channels} channels make no {count} parts", "slice_point")
    points = [0, *(points or range(channels // count, channels, channels // count)), channels]
    parts = list(zip(maker.layer.tops, pairwise(points), strict=True)) if count > 1 else []
    return [maker.add(Slice(*ends), at) if top in maker.net.live else Blob(at) for top, ends in parts] or [Blob(at)]


def split(maker: LayerMaker) -> Sequence[Blob]:
    """Return the same value under several names."""
    maker.need(1)
    (blob,) = maker.entering
    return [blob] * len(maker.layer.tops)
