"""Forms at a known size: resolves paddings and rounding once the size of the input is known.

Two calls are the same computation if they apply the same windows to the same input, however they are written:
`padding=1` and `padding=(1, 2)` with a stride whose last window does not reach the last column, or a size and a factor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, cast

from cnndsl.emit.torch.verify.forms import SAME, Form
from cnndsl.emit.torch.verify.plain import items
from cnndsl.shape import Shape

Extents = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]


def settled(form: Form, shape: Shape) -> Form:
    """Return the form on an input of this shape; results are equal if the computations are.

    >>> same = ("maxpool", 2, (2, 2), (2, 2), ((0, 0), (0, 0)), True, (1, 1))
    >>> settled(same, Shape(8, (6, 6))) == settled((*same[:5], False, (1, 1)), Shape(8, (6, 6)))
    True
    """
    rule = _RULES.get(str(form[0]))
    return form if rule is None else rule(form, shape)


def rounded_up(extent: int, before: int, after: int, span: int, stride: int) -> int:
    """Return the windows along an axis if PyTorch rounds up: the last starts in the input or the padding before."""
    count = -(-(extent + before + after - span) // stride) + 1
    return count - 1 if (count - 1) * stride >= extent + before else count


def counts(extents: Extents, pads: Pads, spans: Extents, strides: Extents, ceil: object) -> Extents:
    """Return the number of windows along each axis; zero or negative if the input is too small."""
    found: list[int] = []
    for extent, (before, after), span, stride in zip(extents, pads, spans, strides, strict=True):
        if ceil:
            found.append(rounded_up(extent, before, after, span, stride))
        else:
            found.append((extent + before + after - span) // stride + 1)
    return tuple(found)


def spans(kernel: Extents, dilation: Extents) -> Extents:
    """Return the span of a dilated window along each axis."""
    return tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))


def extents(value: object) -> Extents:
    """Return a field of a form that is known to be a tuple of integers."""
    assert isinstance(value, tuple)
    return cast("Extents", value)


def pairs(value: object) -> Pads:
    """Return a field of a form that is known to be paddings by axis."""
    assert isinstance(value, tuple)
    return cast("Pads", value)


def pads_at(value: object, sizes: Extents, spans: Extents, strides: Extents) -> Pads:
    """Return a field of paddings by axis; TensorFlow's padding is resolved for an input of these sizes.

    >>> pads_at(SAME, (224, 225), (3, 3), (2, 2))
    ((0, 1), (1, 1))
    """
    if value != SAME:
        return pairs(value)
    found: list[tuple[int, int]] = []
    for size, span, stride in zip(sizes, spans, strides, strict=True):
        rest = size % stride or stride
        total = max(span - rest, 0)
        found.append((total // 2, total - total // 2))
    return tuple(found)


def _is_constant(pads: object, spans: Extents, strides: Extents) -> bool:
    """Return whether padding is the same for inputs of all sizes."""
    return pads != SAME or all(span == 1 or stride == 1 for span, stride in zip(spans, strides, strict=True))


def _dilation(kernel: Extents, dilation: Extents) -> Extents:
    """Return the dilation, with 1 for axes along which the window has a single position."""
    return tuple(1 if size == 1 else step for size, step in zip(kernel, dilation, strict=True))


def _befores(pads: Pads) -> Extents:
    return tuple(before for before, _ in pads)


def _conv(form: Form, shape: Shape) -> Form:
    kernel, stride, dilation = extents(form[4]), extents(form[5]), extents(form[7])
    if len(shape.spatial) != form[1]:
        return form
    spanned = spans(kernel, dilation)
    pads = pads_at(form[6], shape.spatial, spanned, stride)
    found = counts(shape.spatial, pads, spanned, stride, False)
    before = _befores(pads) if _is_constant(form[6], spanned, stride) else SAME
    axes = zip(shape.spatial, found, pads, spanned, stride, strict=True)
    reaches = any(first or (count - 1) * step + span > size + first for size, count, (first, _), span, step in axes)
    border = form[11] if reaches else "zeros"
    return (*form[:6], before, found, _dilation(kernel, dilation), *form[8:11], border, *form[12:])


def _local(form: Form, shape: Shape) -> Form:
    kernel, stride, pads = extents(form[4]), extents(form[6]), pairs(form[7])
    if len(shape.spatial) != form[1]:
        return form
    return (*form[:7], _befores(pads), counts(shape.spatial, pads, kernel, stride, False), form[8])


def _max_pool(form: Form, shape: Shape) -> Form:
    kernel, stride, dilation = extents(form[2]), extents(form[3]), extents(form[6])
    if len(shape.spatial) != form[1]:
        return form
    spanned = spans(kernel, dilation)
    pads = pads_at(form[4], shape.spatial, spanned, stride)
    found = counts(shape.spatial, pads, spanned, stride, form[5])
    before = _befores(pads) if _is_constant(form[4], spanned, stride) else SAME
    return (*form[:4], before, found, _dilation(kernel, dilation))


def _windows(form: Form, shape: Shape, at: int, what: Literal["all", "inside", "nothing"]) -> Form:
    """Return the form with each axis as its windows: each window's start and end in the input, and its divisor.

    The divisor counts all positions up to the end of the padding, only those inside the input, or is absent.
    """
    kernel, stride = extents(form[at]), extents(form[at + 1])
    if not _is_constant(form[at + 2], kernel, stride):
        return form
    pads = pads_at(form[at + 2], shape.spatial, kernel, stride)
    found = counts(shape.spatial, pads, kernel, stride, form[at + 3])
    axes: list[object] = []
    for extent, count, (before, after), size, step in zip(shape.spatial, found, pads, kernel, stride, strict=True):
        if count > 10_000:
            return form
        axis: list[object] = []
        for start in range(-before, count * step - before, step):
            stop = min(start + size, extent + after)
            first, last = max(start, 0), min(stop, extent)
            divisor = stop - start if what == "all" else last - first if what == "inside" else 1
            axis.append((first, last, divisor))
        axes.append(tuple(axis))
    return (*form[:at], tuple(axes))


def _avg_pool(form: Form, shape: Shape) -> Form:
    if len(shape.spatial) != form[1]:
        return form
    if form[6]:
        return _windows(form, shape, 2, "all")
    return _windows(form, shape, 2, "inside")


def _sum_pool(form: Form, shape: Shape) -> Form:
    if len(shape.spatial) != form[1]:
        return form
    return _windows(form, shape, 2, "nothing")


def _lp_pool(form: Form, shape: Shape) -> Form:
    """Return the form; PyTorch multiplies a mean by the window's size, which is too large for a truncated window."""
    if len(shape.spatial) != form[1]:
        return form
    return _windows(form, shape, 3, "all")


def _upsample(form: Form, shape: Shape) -> Form:
    size, scale = form[1], form[2]
    by = items(scale) or (scale,) * shape.rank
    if size is None and len(by) == shape.rank and all(type(each) is int for each in by):
        size = tuple(extent * each for extent, each in zip(shape.spatial, extents(by), strict=True))
    elif size is not None:
        size = items(size) or (size,) * shape.rank
    return (form[0], size, None if size is not None else scale, *form[3:])


def _softmax(form: Form, shape: Shape) -> Form:
    dim = form[1]
    return (form[0], dim + shape.rank + 2 if isinstance(dim, int) and dim < 0 else dim)


def _channel_norm(form: Form, shape: Shape) -> Form:
    """Return the form; on a vector both normalisations are the same, with weights of the same shape."""
    return form if shape.rank else ("ln", (form[1],), *form[2:])


_RULES: Mapping[str, Callable[[Form, Shape], Form]] = {
    "conv": _conv,
    "local": _local,
    "maxpool": _max_pool,
    "avgpool": _avg_pool,
    "sumpool": _sum_pool,
    "lppool": _lp_pool,
    "upsample": _upsample,
    "softmax": _softmax,
    "logsoftmax": _softmax,
    "channelnorm": _channel_norm,
}
