"""Layers that cannot take their input say which rule was broken, with its numbers."""

from __future__ import annotations

import pytest

from cnndsl.layers import (
    activation,
    along_channels,
    arrange,
    blur,
    conv,
    dense,
    dropout,
    evonorm,
    local,
    local_norm,
    margin,
    merge,
    norm,
    pool,
    resize,
    response,
    scale,
    softmax,
    transposed,
)
from cnndsl.layers.base import Layer, LayerError
from cnndsl.shape import Shape

MAP, VECTOR = Shape(6, (9, 8)), Shape(6)

WRONG: list[tuple[Layer, tuple[Shape, ...], str, str]] = [
    (conv.Conv((11,), pad="valid"), (MAP,), "E0301", "the window of CONV spans 11, and the input 9x8x6 has 9 there"),
    (conv.Conv(), (VECTOR,), "E0302", "CONV needs a spatial input, and this is a vector of 6"),
    (conv.Conv((3, 3, 3)), (MAP,), "E0303", "the kernel 3x3x3 has 3 axes, and the input has 2"),
    (conv.Conv(stride=(1, 2, 3)), (MAP,), "E0303", "the stride 1x2x3 has 3 axes"),
    (conv.Conv(pad=(1, 2, 3)), (MAP,), "E0303", "the padding 1x2x3 has 3 axes"),
    (conv.Conv(groups=4), (MAP,), "E0304", "4 groups must divide both the 6 channels of the input and the 64 filters"),
    (conv.Conv(filters=4, groups=3), (MAP,), "E0304", "3 groups must divide both the 6 channels"),
    (conv.DepthwiseConv(filters=9), (MAP,), "E0304", "6 groups must divide both"),
    (transposed.ConvTranspose(), (VECTOR,), "E0302", "CONVT needs a spatial input"),
    (transposed.ConvTranspose(groups=4), (MAP,), "E0304", "4 groups must divide"),
    (transposed.ConvTranspose((3,), stride=(2,)), (MAP,), "E0307", "`same` needs a kernel as large as the stride"),
    (transposed.ConvTranspose((2,), stride=(2,), out_pad=(2,)), (MAP,), "E0307", "2 must be smaller than the stride 2"),
    (transposed.ConvTranspose((1,), pad=(5,)), (MAP,), "E0301", "leaves nothing of its output"),
    (
        conv.Conv((9,), pad="reflect"),
        (Shape(6, (9, 4)),),
        "E0318",
        "CONV pads by 4, and 9x4x6 can be mirrored by 3 at most",
    ),
    (
        conv.Conv((3,), pad=(9,), border="circular"),
        (MAP,),
        "E0318",
        "CONV pads by 9, and 9x8x6 can be continued by 8 at most",
    ),
    (conv.Conv(pad="tfsame", border="reflect"), (MAP,), "E0318", "`pad=tfsame` says what is beyond the border"),
    (conv.Conv((4,), stride=(2,), pad="reflect"), (MAP,), "E0318", "CONV pads 1 before and 2 after a map, and takes a"),
    (
        conv.Conv((4,), stride=(2,), standardise="weights"),
        (MAP,),
        "E0318",
        "only if it adds zeros and has plain weights",
    ),
    (conv.DepthwiseConv((1,), standardise="scaled"), (MAP,), "E0309", "each filter of DWCONV has a single weight"),
    (margin.ReflectPad((0, 8)), (MAP,), "E0318", "REFLECTPAD pads by 8, and 9x8x6 can be mirrored by 7 at most"),
    (margin.CircularPad(), (VECTOR,), "E0302", "CIRCULARPAD needs a spatial input"),
    (margin.ReplicatePad((1, 2, 3)), (MAP,), "E0303", "the padding 1x2x3 has 3 axes"),
    (along_channels.ChannelConv(), (MAP,), "E0319", "CHANNELCONV slides over channels, and the input 9x8x6 has 72"),
    (along_channels.ChannelConv(4), (VECTOR,), "E0319", "the kernel 4 of CHANNELCONV has no centre"),
    (along_channels.ChannelConv(15, border="circular"), (VECTOR,), "E0319", "goes more than once around 6 channels"),
    (blur.BlurPool(7), (Shape(6, (9, 3)),), "E0318", "BLURPOOL pads by 3, and 9x3x6 can be mirrored by 2 at most"),
    (blur.BlurPool(), (VECTOR,), "E0302", "BLURPOOL needs a spatial input"),
    (pool.MaxPool(pad="tfsame", ceil=True), (MAP,), "E0305", "`pad=tfsame` rounds up by itself"),
    (transposed.ConvTranspose(filters=4, init="bilinear"), (MAP,), "E0320", "and CONVT makes 4 of 6"),
    (transposed.ConvTranspose(filters=6, groups=2, init="bilinear"), (MAP,), "E0320", "and there are 2 groups"),
    (local.LocallyConnected(), (VECTOR,), "E0302", "LOCAL needs a spatial input"),
    (pool.MaxPool((10,)), (MAP,), "E0301", "the window of POOL spans 10"),
    (pool.MaxPool((9,), pad=(1,)), (Shape(1, (4, 4)),), "E0301", "has 6 there, padding included"),
    (pool.MaxPool(), (VECTOR,), "E0302", "POOL needs a spatial input"),
    (pool.MaxPool((2,), pad=(2,)), (MAP,), "E0305", "a padding of 2 is as large as the window of POOL, which spans 2"),
    (pool.MaxPool((2,), (1,), pad="same", dilation=(9,)), (MAP,), "E0305", "a dilation of 9 on 8 positions"),
    (pool.MaxPool((2,), out=(3,)), (MAP,), "E0305", "POOL takes either `out`, or a size"),
    (pool.MaxPool(dilation=(2,), out=(3,)), (MAP,), "E0305", "POOL takes either `out`, or a size"),
    (pool.AvgPool(ceil=True, out=(3,)), (MAP,), "E0305", "AVGPOOL takes either `out`"),
    (pool.AvgPool(out=(3, 3, 3)), (MAP,), "E0303", "the output 3x3x3 has 3 axes"),
    (pool.GlobalAvgPool(), (VECTOR,), "E0302", "GAP needs a spatial input"),
    (resize.Upsample(), (VECTOR,), "E0302", "UPSAMPLE needs a spatial input"),
    (resize.Upsample(align=True), (MAP,), "E0310", "`align` has no meaning for mode=nearest"),
    (resize.Upsample((2,), out=(3,)), (MAP,), "E0310", "either a factor or `out`"),
    (resize.Upsample(mode="trilinear"), (MAP,), "E0310", "mode=trilinear is not for an input with 2 spatial axes"),
    (resize.Upsample(mode="bicubic"), (Shape(3, (9,)),), "E0310", "mode=bicubic is not for an input with 1 spatial"),
    (resize.Upsample(out=(3, 3, 3)), (MAP,), "E0303", "the output 3x3x3 has 3 axes, and the input has 2"),
    (transposed.ConvTranspose((3, 3, 3)), (MAP,), "E0303", "the kernel 3x3x3 has 3 axes"),
    (transposed.ConvTranspose(stride=(1, 2, 3)), (MAP,), "E0303", "the stride 1x2x3 has 3 axes"),
    (transposed.ConvTranspose(dilation=(1, 2, 3)), (MAP,), "E0303", "the dilation 1x2x3 has 3 axes"),
    (transposed.ConvTranspose(pad=(1, 2, 3)), (MAP,), "E0303", "the padding 1x2x3 has 3 axes"),
    (transposed.ConvTranspose(out_pad=(1, 2, 3)), (MAP,), "E0303", "the output padding 1x2x3 has 3 axes"),
    (conv.Conv(dilation=(1, 2, 3)), (MAP,), "E0303", "the dilation 1x2x3 has 3 axes"),
    (margin.Crop((1, 1, 1)), (MAP,), "E0303", "the margin 1x1x1 has 3 axes"),
    (arrange.PadChannels(8, (1, 1, 1)), (MAP,), "E0303", "the stride 1x1x1 has 3 axes"),
    (resize.Upsample((2, 2)), (Shape(3, (9,)),), "E0303", "the scale 2x2 has 2 axes, and the input has 1"),
    (
        resize.Unpool(),
        (MAP, Shape(6, (4, 4))),
        "E0306",
        "the switches belong to a map of 4x4x6, and the input is 9x8x6",
    ),
    (local_norm.LocalResponseNorm(), (VECTOR,), "E0302", "LRN needs a spatial input"),
    (norm.GroupNorm(), (MAP,), "E0304", "32 groups must divide the 6 channels"),
    (norm.InstanceNorm(), (VECTOR,), "E0302", "IN needs a spatial input"),
    (norm.InstanceNorm(), (Shape(6, (1, 1)),), "E0309", "IN needs more than one position, and the input is 1x1x6"),
    (response.RootMeanSquareNorm(by="deviation"), (Shape(1, (4, 4)),), "E0309", "needs more than one channel"),
    (evonorm.EvoNorm(groups=4), (MAP,), "E0304", "4 groups must divide the 6 channels"),
    (evonorm.EvoNorm(groups=6), (VECTOR,), "E0309", "EVONORM6 has one value in each group"),
    (response.FilterResponse(), (VECTOR,), "E0302", "FRN needs a spatial input"),
    (softmax.Softmax(radix=2, groups=2), (MAP,), "E0304", "2 groups of 2 splits must divide the 6 channels"),
    (softmax.Softmax(groups=2), (MAP,), "E0311", "SOFTMAX has 2 groups and no radix"),
    (local_norm.LocalResponseNorm(4, over="positions"), (MAP,), "E0227", "must be odd, not 4"),
    (response.GlobalResponse(), (VECTOR,), "E0302", "GRN needs a spatial input"),
    (scale.Scale(weight=False, bias=False), (MAP,), "E0311", "does nothing"),
    (scale.Scale(parameter="map"), (MAP,), "E0315", "makes one parameter"),
    (scale.Scale(bias=False, parameter="map", shared=True), (MAP,), "E0315", "`shared` is for a SCALE without"),
    (dropout.Dropout(channels=True), (VECTOR,), "E0302", "DROPOUT(channels=yes) needs a spatial input"),
    (margin.Crop(), (VECTOR,), "E0302", "CROP needs a spatial input"),
    (margin.Crop((2, 0)), (Shape(3, (4, 4)),), "E0301", "CROP leaves nothing of 4x4x3"),
    (margin.ZeroPad(), (VECTOR,), "E0302", "ZEROPAD needs a spatial input"),
    (margin.ZeroPad((1, 2, 3)), (MAP,), "E0303", "the padding 1x2x3 has 3 axes"),
    (arrange.PadChannels(5), (MAP,), "E0308", "PADCHANNELS-5 is too narrow for the 6 channels"),
    (arrange.PadChannels(8), (VECTOR,), "E0302", "PADCHANNELS needs a spatial input"),
    (resize.PixelShuffle(2), (MAP,), "E0304", "2*2 must divide the 6 channels"),
    (resize.PixelShuffle(2), (VECTOR,), "E0302", "PIXELSHUFFLE needs a spatial input"),
    (resize.PixelShuffle(2), (Shape(8, (4,)),), "E0303", "a map of two axes"),
    (arrange.Shuffle(4), (MAP,), "E0304", "4 groups must divide the 6 channels"),
    (arrange.Shuffle(2), (VECTOR,), "E0302", "SHUFFLE needs a spatial input"),
    (arrange.Slice(0, 7), (MAP,), "E0308", "SLICE(0, 7) is no range of the 6 channels"),
    (arrange.Slice(3, 3), (MAP,), "E0308", "SLICE(3, 3) is no range"),
    (arrange.Pick((0, 6)), (MAP,), "E0308", "there is no channel 6: the input has 6"),
    (merge.Add(), (MAP, Shape(6, (9, 9))), "E0312", "the branches of `+` have different shapes"),
    (merge.Add(), (Shape(6, (1, 1)), VECTOR), "E0312", "the branches of `+` have different shapes"),
    (merge.Max(), (MAP, VECTOR), "E0312", "the branches of `MAX` have different shapes"),
    (merge.Mean(), (MAP, VECTOR), "E0312", "the branches of `MEAN` have different shapes"),
    (merge.Concat(), (MAP, Shape(6, (9, 9))), "E0312", "the branches of `|` have different shapes"),
    (merge.Mul(), (MAP, Shape(5, (1, 1))), "E0312", "the branches of `MUL` have different shapes"),
    (merge.Mul(), (MAP, Shape(6, (9, 1))), "E0312", "the branches of `MUL` have different shapes"),
    (merge.Mul(), (MAP, Shape(6, (9,))), "E0312", "the branches of `MUL` have different shapes"),
    (merge.Mul(), (MAP, Shape(6, (1,))), "E0312", "the branches of `MUL` have different shapes"),
]


@pytest.mark.parametrize(("layer", "inputs", "code", "message"), WRONG, ids=[f"{w[0]!r} on {w[1]}" for w in WRONG])
def test_error(layer: Layer, inputs: tuple[Shape, ...], code: str, message: str) -> None:
    with pytest.raises(LayerError) as caught:
        layer.output(*inputs)
    assert caught.value.code == code
    assert message in caught.value.message


@pytest.mark.parametrize("layer", [dense.Dense(), activation.Relu(), norm.BatchNorm(), norm.LayerNorm()])
def test_vectors_are_welcome(layer: Layer) -> None:
    assert layer.output(VECTOR).rank == 0
