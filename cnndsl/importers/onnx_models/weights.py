"""ONNX's convolutions and matrix products."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.importers.onnx_models.maker import OnnxMaker
from cnndsl.importers.onnx_models.model import OnnxConstant
from cnndsl.importers.onnx_models.views import OnnxView, plainly, resized, whole
from cnndsl.importers.onnx_models.windows import brief, window, words
from cnndsl.layers.base import Layer, Padding
from cnndsl.layers.conv import Conv, DepthwiseConv
from cnndsl.layers.dense import Dense
from cnndsl.layers.margin import ZeroPad
from cnndsl.layers.transposed import ConvTranspose


def convolution(maker: OnnxMaker) -> None:
    """Add a convolution, depthwise if each channel is a group, or a fully connected layer if the weights are a matrix.

    Uneven padding becomes a layer of its own.
    """
    at = maker.plain()
    shape, weight = maker.shape(at), maker.weight(1)
    groups = maker.node.whole("group", 1)
    if len(weight.dims) != 2 + shape.rank or shape.channels != weight.dims[1] * groups:
        raise maker.wrong(f"weights of {weight.dims} in {groups} groups do not fit a map of {shape}")
    filters, _, *kernel = weight.dims
    has_bias = _bias(maker, 2, filters)
    found = window(maker, shape.spatial, tuple(kernel))
    if len(maker.model.constants[weight.root].dims) == 2 and {*kernel, *found.stride, groups} == {1}:
        maker.give(maker.add(Dense(filters, has_bias, over="channels"), at))
        return
    pad = words(found, "same")
    if pad is None:
        at = maker.add(ZeroPad(brief(found.before), brief(found.after)), at)
        pad = "valid"
    sizes = brief(found.kernel), brief(found.stride), brief(found.dilation)
    maker.give(maker.add(_convolution(sizes, filters, groups, shape.channels, pad, has_bias), at))


def _convolution(
    sizes: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]],
    filters: int,
    groups: int,
    channels: int,
    pad: Padding,
    has_bias: bool,
) -> Layer:
    kernel, stride, dilation = sizes
    if groups == channels == filters > 1:
        return DepthwiseConv(kernel, 0, stride, pad, dilation, bias=has_bias)
    return Conv(kernel, filters, stride, pad, dilation, groups, has_bias)


def transposed(maker: OnnxMaker) -> None:
    """Add a transposed convolution. Cropping more at the start than at the end becomes output padding."""
    at = maker.plain()
    shape, weight, node = maker.shape(at), maker.weight(1), maker.node
    groups = node.whole("group", 1)
    if len(weight.dims) != 2 + shape.rank or shape.channels != weight.dims[0]:
        raise maker.wrong(f"weights of {weight.dims} do not fit a map of {shape}")
    _, each, *kernel = weight.dims
    has_bias = _bias(maker, 2, each * groups)
    if node.several("output_shape") or node.word("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        raise maker.wrong("an output of a given size has no counterpart")
    found = window(maker, shape.spatial, tuple(kernel))
    extra = node.several("output_padding") or (0,) * shape.rank
    sides = list(zip(found.before, found.after, extra, strict=True))
    out_pad = tuple([front - back + more for front, back, more in sides])
    if any(not 0 <= more < max(step, 2) for more, step in zip(out_pad, found.stride, strict=True)):
        raise maker.wrong(f"a padding of {found.before} before and {found.after} after has no counterpart")
    is_same = not any(out_pad) and all(
        reach + 1 >= step and 2 * front == reach + 1 - step
        for reach, step, front in zip(found.reach, found.stride, found.before, strict=True)
    )
    pad: Padding = "same" if is_same else brief(found.before) if any(found.before) else "valid"
    layer = ConvTranspose(
        brief(found.kernel), each * groups, brief(found.stride), pad, brief(out_pad), brief(found.dilation), groups
    )
    maker.give(maker.add(layer if has_bias else _without_bias(layer), at))


def _without_bias(layer: ConvTranspose) -> ConvTranspose:
    return replace(layer, bias=False)


def _bias(maker: OnnxMaker, at: int, features: int) -> bool:
    """Return whether there is a bias of `features` values."""
    if not maker.node.reads(at) or maker.is_one_of(at, 0):
        return False
    bias = maker.weight(at, "bias")
    if bias.numel != features:
        raise maker.wrong(f"its bias has {bias.numel} values for {features}")
    return True


def gemm(maker: OnnxMaker) -> None:
    """Add a fully connected layer; a transposed weight matrix makes no difference."""
    node = maker.node
    if (node.number("alpha", 1.0), node.number("beta", 1.0), node.whole("transA", 0)) != (1, 1, 0):
        raise maker.wrong("a product with factors, or of a matrix that is turned, has no counterpart")
    weight = _matrix(maker)
    entering, features = weight.dims[::-1] if node.whole("transB", 0) else weight.dims
    _dense(maker, entering, features, _bias(maker, 2, features))


def matrix_product(maker: OnnxMaker) -> None:
    """Add a fully connected layer: of a vector, or along the last axis."""
    weight = _matrix(maker)
    entering, features = weight.dims
    _dense(maker, entering, features, _bias(maker, 2, features))


def _matrix(maker: OnnxMaker) -> OnnxConstant:
    if maker.constant(1) is None:
        raise maker.wrong("a product of two values, as of attention, has no counterpart")
    weight = maker.weight(1)
    if len(weight.dims) != 2:
        raise maker.wrong(f"weights of {weight.dims} have no counterpart")
    return weight


def _dense(maker: OnnxMaker, entering: int, features: int, has_bias: bool) -> None:
    view = maker.view()
    if view.dims[-1:] != (entering,):
        raise maker.wrong(f"weights for {entering} values do not fit {view.dims}")
    if len(view.groups) == 1:
        is_flat = view.atoms == plainly(view.node, maker.shape(view.node)).atoms
        at = view.node if is_flat else maker.settled(view)
        maker.give(maker.add(Dense(features, has_bias), at))
        return
    last = len(view.groups) - 1
    led = maker.led(view, last)
    over = "channels" if maker.shape(led.node).rank else "all"
    at = maker.add(Dense(features, has_bias, over=over), led.node)
    maker.give(_grown(resized(led, at, maker.shape(at)), last, features))


def _grown(view: OnnxView, axis: int, size: int) -> OnnxView:
    """Return the view with channels of this size along an axis, even if the axis had size 1."""
    return view.over(view.node, [whole(0, size) if at == axis else group for at, group in enumerate(view.groups)])
