"""Computes the shapes in the source when there is no graph to compare with, and rejects what PyTorch would refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cnndsl.emit.torch.verify.forms import SAME, Form, at_size, describe_form
from cnndsl.emit.torch.verify.indexing import part_of, window_of
from cnndsl.emit.torch.verify.leaves import LeafModule
from cnndsl.emit.torch.verify.lower import of_flat
from cnndsl.emit.torch.verify.plain import items
from cnndsl.emit.torch.verify.replay import Size
from cnndsl.emit.torch.verify.settle import Extents, Pads, counts, extents, pads_at, pairs, settled, spans
from cnndsl.emit.torch.verify.simple import SIMPLE, SimpleLayer
from cnndsl.emit.torch.verify.values import Trouble
from cnndsl.shape import Shape


def shape_after(form: Form, x: Shape) -> Shape:
    """Return the output shape of a module. Raises Trouble if PyTorch does not accept the input.

    >>> shape_after(("linear", 8, 3, True, ""), Shape(8))
    3
    """
    rule = _RULES.get(str(form[0]))
    found = x if rule is None else rule(form, x)
    if found is None or found.channels < 1 or any(extent < 1 for extent in found.spatial):
        raise Trouble(f"{describe_form(form)} does not take {x}")
    return found


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value


def _sliding(form: Form, x: Shape, kernel: int, stride: int, pads: int, dilation: int, ceil: int) -> Extents | None:
    """Return the number of windows along each axis; None if the input has another number of axes."""
    if x.rank != form[1]:
        return None
    size = extents(form[kernel])
    spanned = spans(size, extents(form[dilation])) if dilation else size
    step = extents(form[stride])
    return counts(
        x.spatial, pads_at(form[pads], x.spatial, spanned, step), spanned, step, form[ceil] if ceil else False
    )


def _conv(form: Form, x: Shape) -> Shape | None:
    found = _sliding(form, x, 4, 5, 6, 7, 0)
    if found is None or x.channels != form[2] or (form[6] != SAME and not _can_fill(form[11], pairs(form[6]), x)):
        return None
    return Shape(_number(form[3]), found)


def _can_fill(border: object, pads: Pads, x: Shape) -> bool:
    """Return whether a map is large enough for reflecting or circular padding."""
    most = {"reflect": -1, "circular": 0}.get(str(border))
    return most is None or all(max(sides) <= size + most for size, sides in zip(x.spatial, pads, strict=True))


def _transposed(form: Form, x: Shape) -> Shape | None:
    if x.rank != form[1] or x.channels != form[2]:
        return None
    kernel, stride, pads, out_pad, dilation = (extents(form[at]) for at in range(4, 9))
    spanned = spans(kernel, dilation)
    parts = zip(x.spatial, stride, pads, spanned, out_pad, strict=True)
    return Shape(_number(form[3]), tuple((w - 1) * s - 2 * p + span + o for w, s, p, span, o in parts))


def _local(form: Form, x: Shape) -> Shape | None:
    found = _sliding(form, x, 4, 6, 7, 0, 0)
    return None if found != form[5] or x.channels != form[2] else Shape(_number(form[3]), found or ())


def _channel_conv(form: Form, x: Shape) -> Shape | None:
    return x if x.pixels == 1 and (form[3] == "zeros" or _number(form[1]) // 2 <= x.channels) else None


def _linear(form: Form, x: Shape) -> Shape | None:
    return None if x.rank or x.channels != form[1] else Shape(_number(form[2]))


def _pointwise(form: Form, x: Shape) -> Shape | None:
    return None if x.rank != form[1] or x.channels != form[2] else Shape(_number(form[3]), x.spatial)


def _max_pool(form: Form, x: Shape) -> Shape | None:
    found = _sliding(form, x, 2, 3, 4, 6, 5)
    return None if found is None else Shape(x.channels, found)


def _mean_pool(form: Form, x: Shape) -> Shape | None:
    found = _sliding(form, x, 2, 3, 4, 0, 5)
    return None if found is None else Shape(x.channels, found)


def _lp_pool(form: Form, x: Shape) -> Shape | None:
    found = _sliding(form, x, 3, 4, 5, 0, 6)
    return None if found is None else Shape(x.channels, found)


def _blur(form: Form, x: Shape) -> Shape | None:
    """Return the shape; padding is half of stride + kernel - 2 on each side and must be less than the map's size."""
    kernel, stride = _number(form[2]), _number(form[3])
    side = (stride - 1 + kernel - 1) // 2
    pads = ((side, side),) * x.rank
    if x.rank != form[1] or not _can_fill(form[4], pads, x):
        return None
    return Shape(x.channels, counts(x.spatial, pads, (kernel,) * x.rank, (stride,) * x.rank, False))


def _adaptive(form: Form, x: Shape) -> Shape | None:
    found = extents(form[2])
    return None if x.rank != form[1] or len(found) != x.rank else Shape(x.channels, found)


def _sized(form: Form, x: Shape) -> Shape | None:
    found = extents(form[1])
    return Shape(x.channels, found) if len(found) == x.rank else None


def _crop_to(form: Form, x: Shape) -> Shape | None:
    found = _sized(form, x)
    return None if found is None or not _covers(x, found) else found


def _pad_to(form: Form, x: Shape) -> Shape | None:
    found = _sized(form, x)
    return None if found is None or not _covers(found, x) else found


def _covers(x: Shape, other: Shape) -> bool:
    return all(more >= less for more, less in zip(x.spatial, other.spatial, strict=True))


def _upsample(form: Form, x: Shape) -> Shape | None:
    known = items(settled(form, x)[1])
    ranks = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}
    if known is None or len(known) != x.rank or ranks.get(str(form[3]), x.rank) != x.rank or not x.rank:
        return None
    return Shape(x.channels, extents(known))


def _batch_norm(form: Form, x: Shape) -> Shape | None:
    return None if max(x.rank, 1) != form[1] or x.channels != form[2] else x


def _instance_norm(form: Form, x: Shape) -> Shape | None:
    return None if x.rank != form[1] or x.channels != form[2] else x


def _layer_norm(form: Form, x: Shape) -> Shape | None:
    return None if (x.channels, *x.spatial) != form[1] else x


def _channels(at: int) -> Callable[[Form, Shape], Shape | None]:
    def rule(form: Form, x: Shape) -> Shape | None:
        return None if x.channels != form[at] else x

    return rule


def _channels_of_map(at: int) -> Callable[[Form, Shape], Shape | None]:
    def rule(form: Form, x: Shape) -> Shape | None:
        return x if x.rank and x.channels == form[at] else None

    return rule


def _prelu(form: Form, x: Shape) -> Shape | None:
    return x if form[1] in (1, x.channels) else None


def _radix_softmax(form: Form, x: Shape) -> Shape | None:
    return None if x.channels % (_number(form[1]) * _number(form[2])) else x


def _dropout(form: Form, x: Shape) -> Shape | None:
    return x if form[2] in (0, x.rank) else None


def _pad(form: Form, x: Shape) -> Shape | None:
    pads = pairs(form[1])
    if len(pads) != x.rank:
        return None
    return Shape(x.channels, tuple(extent + b + a for extent, (b, a) in zip(x.spatial, pads, strict=True)))


def _filled_pad(form: Form, x: Shape) -> Shape | None:
    found = _pad(form, x)
    return found if found is not None and _can_fill(form[0], pairs(form[1]), x) else None


def _pad_channels(form: Form, x: Shape) -> Shape | None:
    if x.rank != form[1] or x.channels != form[2]:
        return None
    return Shape(_number(form[3]), part_of(("steps", form[4]), x).spatial)


def _pixel_shuffle(form: Form, x: Shape) -> Shape | None:
    factor = _number(form[1])
    if x.rank != 2 or x.channels % factor**2:
        return None
    return Shape(x.channels // factor**2, tuple(extent * factor for extent in x.spatial))


def _pixel_unshuffle(form: Form, x: Shape) -> Shape | None:
    factor = _number(form[1])
    if x.rank != 2 or any(extent % factor for extent in x.spatial):
        return None
    if form[2] == "darknet" and x.channels % factor**2:
        return None
    return Shape(x.channels * factor**2, tuple(extent // factor for extent in x.spatial))


def _unflatten(form: Form, x: Shape) -> Shape | None:
    return None if x.rank else _reshape(form, x)


def _reshape(form: Form, x: Shape) -> Shape | None:
    channels, *spatial = extents(form[1])
    found = Shape(channels, tuple(spatial))
    return None if x.numel != found.numel else found


def _reshape_last(form: Form, x: Shape) -> Shape | None:
    found = Shape.of(extents(form[1]))
    return None if x.numel != found.numel else found


def _permute(form: Form, x: Shape) -> Shape | None:
    dims, sizes = extents(form[1]), (0, x.channels, *x.spatial)
    if len(dims) != len(sizes):
        return None
    return Shape(sizes[dims[1]], tuple(sizes[dim] for dim in dims[2:]))


def _rms_norm(form: Form, x: Shape) -> Shape | None:
    """Return the shape; a variance needs more than one value."""
    return x if x.channels == form[1] and not (form[4] and form[1] == 1) else None


def _scale(form: Form, x: Shape) -> Shape | None:
    return x if form[1] in (1, x.channels) else None


def _bare(form: Form, x: Shape) -> Shape | None:
    each = (x.channels, *(1,) * x.rank)
    return x if form[4] in ((), (1,), each, (1, *each)) else None


def _simple(layer: SimpleLayer) -> Callable[[Form, Shape], Shape | None]:
    """Return the rule of a row of `simple`."""
    rule, end = layer.shape, len(layer.fields) + 1
    return lambda form, x: x if rule is None else rule(x, *form[1:end])


_RULES: Mapping[str, Callable[[Form, Shape], Shape | None]] = {
    **{each.family: _simple(each) for each in SIMPLE},
    "conv": _conv,
    "convt": _transposed,
    "local": _local,
    "channelconv": _channel_conv,
    "linear": _linear,
    "pointwise": _pointwise,
    "rbf": _linear,
    "maxpool": _max_pool,
    "avgpool": _mean_pool,
    "sumpool": _mean_pool,
    "lppool": _lp_pool,
    "blur": _blur,
    "aavg": _adaptive,
    "amax": _adaptive,
    "upsample": _upsample,
    "bn": _batch_norm,
    "in": _instance_norm,
    "ln": _layer_norm,
    "channelnorm": _channels(1),
    "gn": _channels(2),
    "grn": _channels_of_map(1),
    "evonorm": _channels(1),
    "frn": _channels_of_map(1),
    "l2norm": _channels(1),
    "positionlrn": lambda form, x: x if x.rank == form[1] else None,
    "rmsnorm": _rms_norm,
    "scale": _scale,
    "bare": _bare,
    "prelu": _prelu,
    "radixsoftmax": _radix_softmax,
    "dropout": _dropout,
    "pad": _pad,
    "reflect": _filled_pad,
    "replicate": _filled_pad,
    "circular": _filled_pad,
    "cropto": _crop_to,
    "padto": _pad_to,
    "padchannels": _pad_channels,
    "flattenlast": lambda _, x: Shape(x.numel),
    "unflatten": _unflatten,
    "reshape": _reshape,
    "reshapelast": _reshape_last,
    "permute": _permute,
    "pixelshuffle": _pixel_shuffle,
    "pixelunshuffle": _pixel_unshuffle,
}


class Shapes:
    """A replay's values if only shapes are known. Errors raise Trouble."""

    __slots__ = ()

    def leaf(self, leaf: LeafModule, path: str, x: Shape, line: int, made: int) -> Shape:
        """Return the output shape of a module."""
        if leaf.form[0] == "flatten":
            return self.flatten(x, leaf.form[1], leaf.form[2], line)
        return shape_after(leaf.form, x)

    def pool(self, leaf: LeafModule, path: str, x: Shape, line: int, made: int) -> tuple[Shape, Shape]:
        """Return the shapes of a max pooling's output and indices."""
        found = shape_after(leaf.form, x)
        return found, found

    def unpool(self, leaf: LeafModule, path: str, given: tuple[Shape, Shape, object], line: int, made: int) -> Shape:
        """Return the shape of an unpooling."""
        x, indices, size = given
        if x != indices:
            raise Trouble(f"indices of {indices} do not fit {x}", line)
        if items(size):
            return Shape(x.channels, extents(size)[-x.rank :])
        kernel, stride, padding = (extents(leaf.form[at]) for at in (2, 3, 4))
        parts = zip(x.spatial, stride, padding, kernel, strict=True)
        return Shape(x.channels, tuple((w - 1) * s - 2 * p + k for w, s, p, k in parts))

    def pair(self, sign: str, a: Shape, b: Shape, inplace: bool, line: int) -> Shape:
        """Return the shape of an operator on two tensors, with broadcasting."""
        if a.rank != b.rank:
            raise Trouble(f"{a} {sign} {b}", line)
        found: list[int] = []
        for left, right in zip(a.hwc, b.hwc, strict=True):
            if left != right and 1 not in (left, right):
                raise Trouble(f"{a} {sign} {b}", line)
            found.append(max(left, right))
        return Shape.of(tuple(found))

    def scalar(self, sign: str, x: Shape, number: float, inplace: bool, line: int) -> Shape:
        """Return the shape of an operator on a tensor and a number."""
        return x

    def cat(self, parts: list[Shape], dim: int, line: int) -> Shape:
        """Return the shape of a concatenation."""
        if any(each.spatial != parts[0].spatial for each in parts):
            raise Trouble(f"a concatenation of {', '.join(map(str, parts))}", line)
        return Shape(sum(each.channels for each in parts), parts[0].spatial)

    def flatten(self, x: Shape, start: object, end: object, line: int) -> Shape:
        """Return the shape of a flattened tensor."""
        return Shape(x.numel)

    def index(self, x: Shape, items: tuple[object, ...], line: int) -> Shape:
        """Return the shape of `x[…]`."""
        found = window_of(items, x)
        if found is None:
            raise Trouble("an index that no layer stands for", line)
        if found == ():
            return x
        if found[0] == "expand":
            return Shape(x.channels, (1,) * _number(found[1]))
        return part_of(found, x)

    def size(self, x: Shape, line: int) -> Size:
        """Return `x.shape`."""
        return Size(("batch", x.channels, *x.spatial))

    def pad(self, x: Shape, pads: tuple[int, ...], line: int) -> Shape:
        """Return the shape of `F.pad`."""
        if len(pads) % 2 or len(pads) > 2 * x.rank + 2:
            raise Trouble(f"`F.pad` is given {len(pads)} numbers for {x.rank} axes", line)
        axes = of_flat(pads)
        every = ((0, 0),) * (x.rank + 1 - len(axes)) + axes
        grown = [extent + b + a for extent, (b, a) in zip((x.channels, *x.spatial), every, strict=True)]
        if any(extent < 1 for extent in grown):
            raise Trouble(f"`F.pad` leaves nothing of {x}", line)
        return Shape(grown[0], tuple(grown[1:]))

    def resize(self, x: Shape, form: Form, size: Size | None, line: int) -> Shape:
        """Return the shape of a resized map."""
        return shape_after(form if size is None else at_size(form, size.extents), x)
