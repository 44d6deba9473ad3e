"""Caffe's convolutions and fully connected layers."""

from __future__ import annotations

from math import prod

from cnndsl.importers.caffe.maker import Blob, LayerMaker
from cnndsl.importers.caffe.net import brief, extents
from cnndsl.layers.base import Padding
from cnndsl.layers.conv import Conv, DepthwiseConv
from cnndsl.layers.dense import Dense
from cnndsl.layers.transposed import ConvTranspose


def convolution(maker: LayerMaker) -> Blob:
    """Add a convolution with equal padding on both sides; a depthwise one if each channel is a group."""
    (at,) = maker.nodes(1)
    shape, said = maker.made.shape(at), _sliding(maker)
    kernel, stride, pad, dilation = (said[each] for each in ("kernel_size", "stride", "pad", "dilation"))
    spans = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    filters, groups, has_bias = _filters(maker)
    maker.params += prod(kernel) * shape.channels // groups * filters + filters * has_bias
    frozen = maker.is_frozen(1 + has_bias)
    words: Padding = brief(pad)
    if all(2 * p == span for p, span in zip(pad, spans, strict=True)):
        words = "same"
    elif not any(pad):
        words = "valid"
    if groups == shape.channels == filters > 1:
        layer = DepthwiseConv(brief(kernel), 0, brief(stride), words, brief(dilation), bias=has_bias, frozen=frozen)
    else:
        layer = Conv(brief(kernel), filters, brief(stride), words, brief(dilation), groups, has_bias, frozen=frozen)
    return maker.add(layer, at)


def deconvolution(maker: LayerMaker) -> Blob:
    """Add a transposed convolution; `pad` crops both sides. A bilinear filler is kept if each channel is a group."""
    (at,) = maker.nodes(1)
    shape, said = maker.made.shape(at), _sliding(maker)
    kernel, stride, pad, dilation = (said[each] for each in ("kernel_size", "stride", "pad", "dilation"))
    filters, groups, has_bias = _filters(maker)
    maker.params += prod(kernel) * shape.channels * filters // groups + filters * has_bias
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    is_same = all(2 * p == span - s for p, span, s in zip(pad, spans, stride, strict=True))
    words: Padding = "same" if is_same else brief(pad) if any(pad) else "valid"
    filler = maker.param("convolution").message("weight_filler")
    is_bilinear = filler.word("type") == "bilinear"
    if is_bilinear and not groups == shape.channels == filters:
        maker.note(f"the bilinear weights of `{maker.layer.name}` add up channels, and are drawn at random here")
        is_bilinear = False
    init = "bilinear" if is_bilinear else "default"
    frozen = maker.is_frozen(1 + has_bias)
    layer = ConvTranspose(
        brief(kernel), filters, brief(stride), words, (0,), brief(dilation), groups, has_bias, init, frozen
    )
    return maker.add(layer, at)


def _sliding(maker: LayerMaker) -> dict[str, tuple[int, ...]]:
    said = maker.param("convolution")
    said.known("weight_filler", "bias_filler", "force_nd_im2col")
    rank = len(maker.dims(maker.entering[0])) - 1
    if maker.axis(said) != 1 or not rank:
        raise maker.wrong("a convolution along axes other than the spatial ones has no counterpart")
    usual = {"kernel_size": None, "stride": 1, "pad": 0, "dilation": 1}
    return {key: extents(said, key, rank, default) for key, default in usual.items()}


def _filters(maker: LayerMaker) -> tuple[int, int, bool]:
    """Return the number of filters, the number of groups, and whether there is a bias."""
    said = maker.param("convolution")
    filters, groups = said.number("num_output"), said.number("group", 1)
    if filters < 1 or groups < 1:
        raise said.error("a convolution has a `num_output` and a `group` of at least 1", "num_output")
    return filters, groups, said.truth("bias_term", True)


def inner_product(maker: LayerMaker) -> Blob:
    """Add a fully connected layer for an input of any shape; the layout of the file's weights does not matter."""
    (at,) = maker.nodes(1)
    said = maker.param("inner_product")
    said.known("weight_filler", "bias_filler", "transpose")
    if maker.axis(said) != 1:
        raise said.error("a product along later axes has no counterpart", "axis")
    features, has_bias = said.number("num_output"), said.truth("bias_term", True)
    if features < 1:
        raise said.error("a fully connected layer has a `num_output`", "num_output")
    maker.params += maker.made.shape(at).numel * features + features * has_bias
    return maker.add(Dense(features, has_bias, frozen=maker.is_frozen(1 + has_bias)), at)
