"""Convolutions, poolings and resizing.

Zero padding before a convolution becomes the convolution's own. A max pooling is identified by the start and number of
its windows, so the last ones may come from `ceil_mode` or from a padding with minus infinity. A pooling to one position
is a mean, and a 1x1 convolution a matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from cnndsl.importers.torch_compare.call import AtenCall, Result, operator, rounded
from cnndsl.importers.torch_compare.padding import PadPair, without_pads
from cnndsl.importers.torch_compare.parts import part
from cnndsl.importers.torch_compare.sizes import TriedExtent, tried
from cnndsl.importers.torch_compare.table import ValueTable
from cnndsl.importers.torch_compare.views import TensorView, expanded


def _spread(given: Any, rank: int) -> tuple[TriedExtent, ...]:
    """Return one number for each axis."""
    numbers = cast("list[TriedExtent]", given if isinstance(given, list) else [given])
    return tuple(numbers) if len(numbers) == rank else tuple(numbers[:1] * rank)


def _unpadded(
    table: ValueTable, x: TensorView, value: float, pads: Sequence[PadPair]
) -> tuple[TensorView, list[PadPair]]:
    """Return the tensor inside a constant pad, and the sum of the pads; channels must not be padded."""
    around: list[PadPair] = [(0, 0)] * (len(x.dims) - len(pads))
    found, pairs = without_pads(table, x, [*around, *pads], value)
    return (x, [*pads]) if pairs[: len(around)] != around else (found, pairs[len(around) :])


@operator("conv1d", "conv2d", "conv3d", "convolution", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def _conv(call: AtenCall) -> Result:
    weight, bias = call["weight"], call.get("bias")
    rank = len(weight.dims) - 2
    transposed = call.get("transposed", call.operator.startswith("conv_transpose"))
    x, dilation = call.x, _spread(call["dilation"], rank)
    extents = weight.shape[2:]
    pads = _pads(call["padding"], rank, extents, dilation)
    attributes: dict[str, Any] = {"stride": _spread(call["stride"], rank), "dilation": dilation}
    if transposed:
        attributes |= {"output_padding": _spread(call["output_padding"], rank)}
    else:
        x, pads = _unpadded(call.table, x, 0.0, pads)
    name = "conv_transpose" if transposed else "conv"
    views = [x, weight, *([] if bias is None else [bias])]
    if not transposed and _is_matrix(call, extents, pads):
        views[1] = TensorView(weight.value, weight.dims[:2])
        return call.table.contracted(x, views[1:], weight.shape[0], dim=1)
    return call.table.made(name, views, call.shape, padding=tuple(pads), groups=call["groups"], **attributes)


def _is_matrix(call: AtenCall, extents: Sequence[TriedExtent], pads: Sequence[PadPair]) -> bool:
    """Return whether this is a 1x1 convolution that is a matrix product at each position."""
    strides = _spread(call["stride"], len(extents))
    return call["groups"] == 1 and {*extents, *strides} == {1} and all(each == (0, 0) for each in pads)


def _pads(given: Any, rank: int, extents: Sequence[TriedExtent], dilation: Sequence[TriedExtent]) -> list[PadPair]:
    if given == "valid":
        return [(0, 0)] * rank
    if given == "same":
        totals = [int(str(d)) * (int(str(k)) - 1) for d, k in zip(dilation, extents, strict=True)]
        return [(each // 2, each - each // 2) for each in totals]
    return [(each, each) for each in _spread(given, rank)]


@operator("linear")
def _linear(call: AtenCall) -> Result:
    weight, bias = call["weight"], call.get("bias")
    return call.table.contracted(call.x, [weight, *([] if bias is None else [bias])], call.shape[-1])


@operator("max_pool1d", "max_pool2d", "max_pool3d")
def _max_pool(call: AtenCall) -> Result:
    rank = int(call.operator[-2])
    kernel = _spread(call["kernel_size"], rank)
    stride = _spread(call.get("stride") or call["kernel_size"], rank)
    own: list[PadPair] = [(each, each) for each in _spread(call["padding"], rank)]
    x, pads = _unpadded(call.table, call.x, float("-inf"), own)
    attributes: dict[str, Any] = {"kernel_size": kernel, "stride": stride}
    if all(pair == (0, 0) for pair in pads):
        if all(each == 1 for each in kernel):
            return _every(call, x, stride)
        if kernel == x.shape[-rank:]:
            return call.table.reduced("maximum", x, range(len(x.dims) - rank, len(x.dims)), keep=True)
    attributes |= {"dilation": _spread(call["dilation"], rank), "output": call.shape[-rank:]}
    before = tuple(each[0] for each in pads)
    return call.table.made("max_pool", [x], call.shape, padding=before, **attributes)


def _every(call: AtenCall, x: TensorView, stride: Sequence[TriedExtent]) -> TensorView:
    """Return every n-th position of each axis."""
    rank = len(stride)
    for dim, step in enumerate(stride, len(x.dims) - rank):
        x = part(call.table, x, dim, 0, call.shape[dim], int(str(step)))
    return x


@operator("max_pool1d_with_indices", "max_pool2d_with_indices", "max_pool3d_with_indices")
def _max_pool_with_indices(call: AtenCall) -> Result:
    call.operator = call.operator.partition("_with")[0]
    found = _max_pool(call)
    assert isinstance(found, TensorView)
    return found, call.table.made("indices", [found], call.shape)


@operator("avg_pool1d", "avg_pool2d", "avg_pool3d")
def _avg_pool(call: AtenCall) -> Result:
    rank = int(call.operator[-2])
    kernel, pads = _spread(call["kernel_size"], rank), _spread(call["padding"], rank)
    stride = _spread(call.get("stride") or call["kernel_size"], rank)
    is_padded = any(each != 0 for each in pads)
    if not is_padded and call.get("divisor_override") is None:
        if kernel == call.x.shape[-rank:]:
            return _mean(call, rank)
        if all(each == 1 for each in (*kernel, *stride)):
            return call.x
    further = {"count_include_pad": call["count_include_pad"]} if is_padded else {}
    return call.table.made(
        "avg_pool",
        [call.x],
        call.shape,
        kernel_size=kernel,
        stride=stride,
        padding=pads,
        output=call.shape[-rank:],
        divisor=call.get("divisor_override"),
        **further,
    )


def _mean(call: AtenCall, rank: int) -> TensorView:
    return call.table.reduced("mean", call.x, range(len(call.x.dims) - rank, len(call.x.dims)), keep=True)


@operator("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d")
def _adaptive_avg_pool(call: AtenCall) -> Result:
    rank = int(call.operator[-2])
    if call.shape == call.x.shape:
        return call.x
    if all(each == 1 for each in call.shape[-rank:]):
        return _mean(call, rank)
    return call.table.made("adaptive_avg_pool", [call.x], call.shape, output=call.shape[-rank:])


@operator("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d")
def _adaptive_max_pool(call: AtenCall) -> Result:
    rank = int(call.operator[-2])
    dims = range(len(call.x.dims) - rank, len(call.x.dims))
    if call.shape == call.x.shape:
        found = call.x
    elif all(each == 1 for each in call.shape[-rank:]):
        found = call.table.reduced("maximum", call.x, dims, keep=True)
    else:
        found = call.table.made("adaptive_max_pool", [call.x], call.shape, output=call.shape[-rank:])
    return found, call.table.made("indices", [found], call.shape)


@operator(
    *(f"upsample_{kind}" for kind in ("nearest1d", "nearest2d", "nearest3d", "linear1d", "bilinear2d", "bicubic2d")),
    *("upsample_trilinear3d", "_upsample_nearest_exact2d", "_upsample_bilinear2d_aa", "_upsample_bicubic2d_aa"),
)
def _upsample(call: AtenCall) -> Result:
    if call.shape == call.x.shape and not call.operator.endswith("aa"):
        return call.x
    align = bool(call.get("align_corners"))
    rank = len(call.shape) - 2
    if "nearest" in call.operator and all(size == 1 for size in call.x.shape[2:]):
        return expanded(call.x, call.shape)
    factors = call.get("scale_factors")
    return call.table.made(
        call.operator, [call.x], call.shape, align=align, output=call.shape[-rank:], scale=_inexact(call, factors)
    )


def _inexact(call: AtenCall, factors: Any) -> tuple[float, ...] | None:
    """Return the factors of a resizing; None if they are the ratios of the sizes."""
    if not factors:
        return None
    pairs = zip(call.x.shape[-len(factors) :], call.shape[-len(factors) :], factors, strict=True)
    if all(a * factor == b for size, made, factor in pairs for a, b in tried(size, made)):
        return None
    return tuple(rounded(each) for each in factors)
