"""Each kind of layer: what it must become, and other ways to say the same."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnndsl.emit.torch.verify import verify
from cnndsl.emit.torch.verify.leaves import Forms
from cnndsl.emit.torch.verify.lower import lower
from cnndsl.emit.torch.verify.settle import settled
from cnndsl.emit.torch.verify.signatures import SIGNATURES, bind, parameters
from cnndsl.network import loads
from cnndsl.shape import Shape
from tests.emit.torch.verify.support import network, told

KINDS = {
    "convolutions": """
        INPUT 16x16x8 -> CONV3-8(init=kaiming) -> CONV4-8 -> CONV3-8(pad=full) -> CONV1x7-8(groups=2) -> DWCONV3
        -> DWCONV3-16(dilation=2) -> CONV4-8/2 -> CONVT2-8/2 -> CONVT4-8/2(init=xavier) -> CONVT3-8/2(pad=1, out_pad=1)
        -> LOCAL3-4/2 -> CONV3-8(pad=1x2) -> CONV{4x3}-8(bias=no)
    """,
    "fillings": """
        INPUT 17x15x8 -> CONV3-8/2(pad=tfsame) -> CONV3-8(pad=reflect) -> DWCONV3(pad=replicate, frozen=yes)
        -> CONV3-8/2(pad=circular) -> CONV3-8(pad=1, border=reflect) -> REFLECTPAD(1) -> REPLICATEPAD(1, after=2)
        -> CIRCULARPAD(1x2) -> POOL3/2(pad=tfsame) -> CONVT4-8/2(init=bilinear, bias=no, frozen=yes)
        -> AVGPOOL3/2(pad=tfsame) -> CONVT4-8/2(init=bilinear, groups=8) -> BLURPOOL -> CONVT4-8/2
        -> BLURPOOL4/1(border=zeros)
    """,
    "standardised": """
        INPUT 17x15x8 -> CONV3-8(standardise=weights) -> CONV3-8/2(standardise=scaled, gamma=1.7, pad=tfsame)
        -> DWCONV3(standardise=weights, eps=0.001, pad=tfsame) -> DWCONV3(standardise=scaled, pad=reflect, bias=no)
        -> MUL(ID, GAP -> CHANNELCONV3 -> SIGMOID) -> MUL(ID, GAP -> CHANNELCONV5(bias=yes, border=circular))
        -> CONV1-4(standardise=scaled, frozen=yes)
    """,
    "poolings": """
        INPUT 16x16x8 -> POOL -> POOL3/2(pad=1, ceil=yes) -> POOL2/1(pad=same) -> AVGPOOL2/1(pad=same)
        -> AVGPOOL2/1(pad=same, countpad=no) -> AVGPOOL3/1(pad=same, countpad=no) -> AVGPOOL2/1(pad=1, ceil=yes)
        -> SUMPOOL2/1 -> SUMPOOL3/1(pad=1) -> SUMPOOL2/1(pad=same) -> LPPOOL2/1 -> LPPOOL3/1(pad=same, p=3) -> UPSAMPLE2
        -> POOL3/1(pad=same, dilation=2) -> UPSAMPLE3(mode=bilinear) -> UPSAMPLE(out=20x21, mode=bicubic, align=yes)
        -> AVGPOOL(out=3x2) -> POOL(out=2) -> GMP -> GAP -> AVGPOOL(out=1)
    """,
    "rounding": """
        INPUT 17x15x8 -> POOL3/2(ceil=yes) -> AVGPOOL3/2(ceil=yes) -> UPSAMPLE4
        -> AVGPOOL3/2(pad=1, ceil=yes, countpad=no) -> LPPOOL3/2(ceil=yes) -> SUMPOOL2/1(ceil=yes, pad=1) -> CONV4-8/2
        -> CONV2-8/2(pad=same)
    """,
    "normalisations": """
        INPUT 16x16x32 -> BN(affine=no) -> BN(eps=0.001, momentum=0.01) -> LRN -> LRN(alpha=1, beta=0.5, k=2)
        -> LN(affine=no) -> LN(over=channels) -> GN -> GN8(affine=no) -> IN -> IN(affine=yes)
        -> SCALE(bias=no, init=0.5) -> GRN -> GRN(eps=0.001) -> EVONORM
        -> EVONORM8(eps=0.001, act=no) -> SCALE(shared=yes)
        -> RMSNORM -> RMSNORM(eps=0.001, affine=no) -> RMSNORM(by=deviation) -> FRN
        -> LRN3(over=positions) -> FRN(eps=0.001, tlu=no) -> L2NORM -> L2NORM(eps=0.001, affine=yes, init=20)
    """,
    "channels": """
        INPUT 8x6x4 -> MUL(ID, (CHANNELMAX | CHANNELMEAN) -> CONV7-1 -> SIGMOID) -> (CHANNELMEAN + CHANNELMAX)
        -> CHANNELMAX -> FC-4 -> CHANNELMEAN
    """,
    "pixels": """
        INPUT 12x12x4 -> PIXELUNSHUFFLE2 -> PIXELSHUFFLE2 -> PIXELUNSHUFFLE2(order=blocks)
        -> PIXELUNSHUFFLE2(order=darknet) -> PIXELSHUFFLE2(order=blocks) -> PIXELUNSHUFFLE1(order=blocks)
        -> PIXELSHUFFLE1(order=blocks) -> PIXELSHUFFLE2
    """,
    "shapes": """
        INPUT 6x4x8 -> RESHAPE(8x8x3) -> RESHAPE(4x4x12, channels=last) -> PERMUTE(whc) -> PERMUTE(cwh)
        -> FLATTEN(channels=last) -> FLATTEN(channels=last) -> RESHAPE(4x4x12) -> FLATTEN
        -> RESHAPE(6x4x8, channels=last)
        -> RESHAPE(192) -> RESHAPE(192, channels=last) -> RESHAPE(64x3, channels=last) -> PERMUTE(cw)
        -> RESHAPE(2x4x8x3) -> PERMUTE(cdwh) -> RESHAPE(1x1x192) -> FLATTEN(channels=last)
    """,
    "at each position": """
        INPUT 8x6x4 -> FC-9(over=channels) -> FC-5(over=channels, bias=no) -> FC-C(over=channels, init=xavier) -> GAP
        -> FC-3(over=channels) -> FLATTEN -> FC-C(over=channels, frozen=yes) -> RESHAPE(1x1x3)
        -> FC-3(over=channels, frozen=yes)
    """,
    "activations": """
        INPUT 8x8x8 -> RELU -> RELU6 -> LRELU(0.2) -> LRELU -> PRELU -> PRELU(shared=yes, init=0.1) -> STARRELU
        -> STARRELU(scale=1, bias=0) -> ELU -> ELU(2)
        -> CELU(0.5) -> SELU -> GELU -> GELU(approximate=yes) -> SILU -> MISH -> HSWISH -> SIGMOID -> HSIGMOID
        -> LOGSIGMOID -> TANH -> TANH(scale=1.7159, slope=0.6667) -> HARDTANH -> SOFTPLUS -> SOFTPLUS(beta=2)
        -> SOFTSIGN -> SOFTMAX -> SOFTMAX(radix=2) -> SOFTMAX(radix=2, groups=4)
        -> LOGSOFTMAX
    """,
    "rest": """
        INPUT 16x16x8 -> ID -> DROPOUT -> DROPOUT(channels=yes) -> DROPPATH -> ZEROPAD(1x2) -> ZEROPAD(1, after=2)
        -> CROP(2) -> CROP(1x0, after=0x1) -> PADCHANNELS-16/2 -> PADCHANNELS-20(where=both) -> SHUFFLE2 -> SLICE(0, 10)
        -> PICK(channels=3) -> TIMES(0.2) -> FLATTEN -> FC-10 -> RBF-4 -> SOFTMAX
    """,
    "signals": """
        INPUT 16x8 -> CONV4-8/2 -> BN -> RELU -> IN -> DROPOUT(channels=yes) -> UPSAMPLE2(mode=linear) -> SUMPOOL2
        -> LPPOOL2 -> AVGPOOL2/1(pad=same) -> SUMPOOL2/1(pad=same) -> CONVT2/2 -> ZEROPAD(1) -> LN(over=channels)
        -> SOFTMAX -> LOCAL3-4 -> LRN3 -> PADCHANNELS-9
    """,
    "volumes": """
        INPUT 8x8x8x8 -> CONV3-8 -> BN -> IN -> UPSAMPLE2(mode=trilinear) -> SUMPOOL2 -> LPPOOL2 -> AVGPOOL2/1(pad=same)
        -> SUMPOOL2/1(pad=same) -> CONVT2/2 -> ZEROPAD(1) -> SOFTMAX -> CROP(1) -> LOCAL3-4 -> PADCHANNELS-9
    """,
    "vectors": """
        INPUT 10 -> BN -> FC-10 -> SOFTMAX -> LN -> DROPOUT -> GN2 -> SCALE -> TIMES(2) -> PRELU -> (ID | FC-3)
        -> SLICE(0, 8) -> LN(over=channels)
    """,
    "merges": """
        INPUT 8x8x4 -> SUB(SUB(CONV1-4, (ID + RELU)), ID)
        -> MUL(ID, GAP, CONV1-1, FC-4) -> MAX(ID, RELU, CONV1-4) -> MEAN(ID, CONV1-4, CONV1-4)
        -> MEAN(ID, CONV1-4) -> (DROPOUT + DROPOUT) -> MUL(DROPOUT, DROPOUT, RELU, RELU) -> (ID + ID + ID) -> DROPOUT
        -> RELU -> FC-10
    """,
    "unpooling": """
        INPUT 16x16x8 -> p: POOL2 -> CONV3-8 -> q: POOL3/2(pad=1) -> UNPOOL3/2(@q) -> UNPOOL2(@p)
    """,
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_right(name: str) -> None:
    network = loads(KINDS[name])
    assert [str(each) for each in verify(network.source(), network.graph).differences] == []


FUNCTIONS = [
    ("UPSAMPLE2", "F.interpolate(x, scale_factor=2)", True),
    ("UPSAMPLE2", "F.interpolate(x, scale_factor=2.0)", True),
    ("UPSAMPLE2", "F.interpolate(x, size=(16, 12))", True),
    ("UPSAMPLE2", "F.interpolate(x, size=(16, 16))", False),
    ("UPSAMPLE2", "F.interpolate(x, scale_factor=2, mode='bilinear')", False),
    ("UPSAMPLE2(mode=bilinear)", "F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=False)", True),
    ("UPSAMPLE2(mode=bilinear)", "F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=True)", False),
    ("UPSAMPLE(out=8x6)", "F.interpolate(x, x.shape[2:])", True),
    ("UPSAMPLE(out=8x6)", "F.interpolate(x, x.shape[-2:])", True),
    ("UPSAMPLE(out=8x6)", "F.interpolate(x, list(x.shape[2:]))", True),
    ("UPSAMPLE(out=8x6)", "F.interpolate(x, x.size()[2:])", True),
    ("UPSAMPLE(out=8x6)", "F.interpolate(x, x.shape[1:])", False),
    ("ZEROPAD(1)", "F.pad(x, (1, 1, 1, 1))", True),
    ("ZEROPAD(1)", "F.pad(x, [1] * 4)", True),
    ("ZEROPAD(1)", "F.pad(x, (1, 1))", False),
    ("ZEROPAD(1)", "F.pad(x, (1, 1, 1, 1), value=1.0)", False),
    ("ZEROPAD(1)", "F.pad(x, (1, 1, 1, 1), mode='reflect')", False),
    ("ZEROPAD(1x2, after=0x1)", "F.pad(x, (2, 1, 1, 0))", True),
    ("ZEROPAD(1x2, after=0x1)", "F.pad(x, (1, 0, 2, 1))", False),
    ("CROP(1)", "F.pad(x, (-1, -1, -1, -1))", True),
    ("CROP(1)", "x[:, :, 1:-1, 1:-1]", True),
    ("CROP(1)", "x[:, :, 1:7, 1:5]", True),
    ("CROP(1)", "x[:, :, 1:-1][:, :, :, 1:-1]", False),
    ("CROP(1)", "x[:, :, 1:-1, 2:]", False),
    ("CROP(1)", "x[:, :, ::2, ::2]", False),
    ("SLICE(1, 3)", "x[:, 1:3]", True),
    ("SLICE(1, 3)", "x[:, 1:-1]", True),
    ("SLICE(1, 3)", "x[1:3]", False),
    ("SLICE(1, 3)", "x[:, 1:3:2]", False),
    ("SLICE(1, 3)", "x[0]", False),
    ("PICK(channels=2)", "torch.cat([x[:, 2:3]], 1)", True),
    ("PICK(channels=2)", "torch.cat([x[:, 1:2]], 1)", False),
    ("PADCHANNELS-8/2", "F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, 4))", True),
    ("PADCHANNELS-8/2", "F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 2, 2))", False),
    ("PADCHANNELS-8/2", "F.pad(x, (0, 0, 0, 0, 0, 4))", False),
    ("PADCHANNELS-8(where=both)", "F.pad(x, (0, 0, 0, 0, 2, 2))", True),
    ("PADCHANNELS-8(where=both)", "F.pad(x, (1, 0, 0, 0, 2, 2))", False),
    ("TIMES(0.2)", "x * 0.2", True),
    ("TIMES(0.2)", "0.2 * x", True),
    ("TIMES(0.2)", "x / 5", False),
    ("TIMES(0.2)", "x * 0.1 * 2", False),
    ("FLATTEN", "torch.flatten(x, 1)", True),
    ("FLATTEN", "x.flatten(start_dim=1)", True),
    ("FLATTEN", "x.flatten()", False),
    ("FLATTEN", "x", False),
    ("FLATTEN(channels=last)", "x.flatten(1)", False),
    ("RESHAPE(192)", "x.flatten(1)", True),
    ("RESHAPE(6x8x4)", "x", False),
    ("(ID + ID)", "x + x", True),
    ("(ID + ID)", "x * 2", False),
    ("SUB(ID, TIMES(2))", "x - x * 2", True),
    ("SUB(ID, TIMES(2))", "x * 2 - x", False),
    ("SUB(TIMES(2), ID)", "x * 2 - x", True),
    ("SUB(ID, ID)", "x - x", True),
    ("SUB(ID, TIMES(2))", "x + x * -2", False),
    ("MAX(ID, TIMES(2))", "torch.maximum(x * 2, x)", True),
    ("MAX(ID, TIMES(2))", "torch.maximum(x, other=x * 2)", True),
    ("MEAN(ID, TIMES(2))", "(x + x * 2) / 2", True),
    ("MEAN(ID, TIMES(2))", "x + x * 2 / 2", False),
    ("MEAN(ID, TIMES(2))", "2 / (x + x * 2)", False),
]


@pytest.mark.parametrize(("layer", "written", "right"), FUNCTIONS)
def test_layers_without_a_module(layer: str, written: str, right: bool) -> None:
    assert (told(f"INPUT 8x6x4 -> {layer}", network("pass", f"return {written}")) == []) is right


MODULES = [
    ("INPUT 8x6x4 -> a: AVGPOOL(out=3x2)", "nn.AdaptiveAvgPool2d((3, 2))", True),
    ("INPUT 8x6x4 -> a: AVGPOOL(out=3x2)", "nn.AdaptiveAvgPool2d((2, 3))", False),
    ("INPUT 8x6x4 -> a: RELU6", "nn.Hardtanh(0, 6)", True),
    ("INPUT 8x6x4 -> a: POOL2", "nn.MaxPool2d(2, 2, 0, 1, False, False)", True),
    ("INPUT 8x6x4 -> a: POOL2", "nn.MaxPool2d(2, ceil_mode=True)", True),
    ("INPUT 9x6x4 -> a: POOL2", "nn.MaxPool2d(2, ceil_mode=True)", False),
    ("INPUT 8x6x4 -> a: POOL2", "nn.MaxPool2d(2, padding=1)", False),
    ("INPUT 8x6x4 -> a: AVGPOOL3/1(pad=1)", "nn.AvgPool2d(3, stride=1, padding=1)", True),
    ("INPUT 8x6x4 -> a: AVGPOOL3/1(pad=1)", "nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)", False),
    ("INPUT 8x6x4 -> a: AVGPOOL3", "nn.AvgPool2d(3, count_include_pad=False)", True),
    ("INPUT 9x9x4 -> a: LPPOOL2(ceil=yes)", "nn.LPPool2d(2, 2, ceil_mode=True)", False),
    ("INPUT 8x8x4 -> a: LPPOOL2(ceil=yes)", "nn.LPPool2d(2, 2, ceil_mode=True)", True),
    ("INPUT 8x6x4 -> a: CONV4-8/2", "nn.Conv2d(4, 8, 4, stride=2, padding=1)", True),
    ("INPUT 9x9x4 -> a: CONV4-8/2", "nn.Conv2d(4, 8, 4, stride=2, padding=1)", False),
    ("INPUT 8x6x4 -> a: CONV1-8(dilation=2)", "nn.Conv2d(4, 8, 1)", True),
    ("INPUT 8x6x4 -> a: CONV3-8(dilation=2)", "nn.Conv2d(4, 8, 3, padding=2)", False),
    ("INPUT 8x6x4 -> a: CONV2-8", "nn.Conv2d(4, 8, 2, padding='same')", True),
    ("INPUT 8x6x4 -> a: CONV2-8(pad=valid)", "nn.Conv2d(4, 8, 2, padding='valid')", True),
    ("INPUT 8x6x4 -> a: UPSAMPLE2", "nn.Upsample(size=(16, 12))", True),
    ("INPUT 8x6x4 -> a: SOFTMAX", "nn.Softmax(-3)", True),
    ("INPUT 8x6x4 -> a: SOFTMAX", "nn.Softmax(-1)", False),
    ("INPUT 8x6x4 -> a: ZEROPAD(1)", "nn.ConstantPad2d(1, 0.0)", True),
    ("INPUT 8x6x4 -> a: ZEROPAD(1)", "nn.ConstantPad2d(1, 0.5)", False),
    ("INPUT 8x6x4 -> a: CROP(1)", "nn.ZeroPad2d(-1)", True),
    ("INPUT 4 -> a: LN(over=channels)", "nn.LayerNorm(4)", True),
    ("INPUT 1x1x4 -> a: LN(over=channels)", "nn.LayerNorm([4, 1, 1])", False),
    ("INPUT 8x6x4 -> a: GN2", "nn.GroupNorm(4, 4)", False),
    ("INPUT 8x6x4 -> a: IN", "nn.InstanceNorm2d(4, affine=True)", False),
    ("INPUT 8x6x4 -> a: PRELU", "nn.PReLU()", False),
    ("INPUT 8x6x4 -> a: GELU", "nn.GELU('tanh')", False),
    ("INPUT 8x6x4 -> a: LRN", "nn.LocalResponseNorm(5, k=2.0)", False),
    ("INPUT 8x6x4 -> a: SHUFFLE2", "nn.ChannelShuffle(4)", False),
    ("INPUT 48 -> a: RESHAPE(4x3x4)", "nn.Unflatten(1, (4, 4, 3))", True),
    ("INPUT 48 -> a: RESHAPE(4x3x4)", "nn.Unflatten(1, (4, 3, 4))", False),
    ("INPUT 48 -> a: RESHAPE(4x3x4)", "nn.Unflatten(dim=1, unflattened_size=[4, 4, 3])", True),
    ("INPUT 48 -> a: RESHAPE(4x3x4, channels=last)", "nn.Unflatten(1, (4, 4, 3))", False),
    ("INPUT 8x6x4 -> a: PIXELUNSHUFFLE2", "nn.PixelUnshuffle(2)", True),
    ("INPUT 8x6x4 -> a: PIXELUNSHUFFLE2(order=blocks)", "nn.PixelUnshuffle(2)", False),
    ("INPUT 8x6x4 -> a: PIXELUNSHUFFLE2(order=darknet)", "nn.PixelUnshuffle(2)", False),
    ("INPUT 8x6x4 -> a: PIXELUNSHUFFLE1(order=darknet)", "nn.PixelUnshuffle(1)", True),
    ("INPUT 8x6x4 -> a: PIXELSHUFFLE2(order=blocks)", "nn.PixelShuffle(2)", False),
    ("INPUT 8x6x4 -> a: CONV3-8(pad=reflect)", "nn.Conv2d(4, 8, 3, padding=1, padding_mode='reflect')", True),
    ("INPUT 8x6x4 -> a: CONV3-8(pad=reflect)", "nn.Conv2d(4, 8, 3, padding=1, padding_mode='replicate')", False),
    ("INPUT 8x6x4 -> a: CONV3-8(pad=reflect)", "nn.Conv2d(4, 8, 3, padding=1)", False),
    ("INPUT 12x4 -> a: CONV2-8/2(pad=reflect)", "nn.Conv1d(4, 8, 2, stride=2)", True),
    ("INPUT 12x4 -> a: CONV2-8/2(pad=reflect)", "nn.Conv1d(4, 8, 2, stride=2, padding=1)", False),
    ("INPUT 8x6x4 -> a: CONV1-8(border=circular)", "nn.Conv2d(4, 8, 1)", True),
    ("INPUT 8x6x4 -> a: CONV3-8(pad=tfsame)", "nn.Conv2d(4, 8, 3, padding=1)", True),
    # On 7x5 the padding is 1 on both sides, and on other sizes it is not.
    ("INPUT 7x5x4 -> a: CONV3-8/2(pad=tfsame)", "nn.Conv2d(4, 8, 3, stride=2, padding=1)", False),
    ("INPUT 7x5x4 -> a: POOL3/2(pad=tfsame)", "nn.MaxPool2d(3, 2, 1)", False),
    ("INPUT 8x6x4 -> a: POOL3/1(pad=tfsame)", "nn.MaxPool2d(3, 1, 1)", True),
    ("INPUT 8x6x4 -> a: AVGPOOL3/1(pad=tfsame, countpad=no)", "nn.AvgPool2d(3, 1, 1)", False),
    ("INPUT 8x6x4 -> a: CONV3-8(standardise=weights)", "nn.Conv2d(4, 8, 3, padding=1)", False),
    ("INPUT 8x6x4 -> a: CONV3-8(frozen=yes)", "nn.Conv2d(4, 8, 3, padding=1)", False),
    ("INPUT 8x6x4 -> a: REFLECTPAD(1)", "nn.ReflectionPad2d((1, 1, 1, 1))", True),
    ("INPUT 8x6x4 -> a: REFLECTPAD(1)", "nn.ReplicationPad2d(1)", False),
    ("INPUT 8x6x4 -> a: CIRCULARPAD(1x2, after=0x1)", "nn.CircularPad2d((2, 1, 1, 0))", True),
]


@pytest.mark.parametrize(("program", "written", "right"), MODULES)
def test_modules(program: str, written: str, right: bool) -> None:
    assert (told(program, network(f"self.a = {written}", "return self.a(x)")) == []) is right


SAME = [
    ("MaxPool2d", {"kernel_size": 2}, {"kernel_size": 2, "ceil_mode": True}),
    ("MaxPool2d", {"kernel_size": 3, "stride": 2, "padding": 1}, {"kernel_size": 3, "stride": 2, "padding": (1, 1)}),
    ("MaxPool2d", {"kernel_size": 3, "stride": 2}, {"kernel_size": 3, "stride": 2, "ceil_mode": True}),
    ("MaxPool2d", {"kernel_size": 1, "dilation": 3}, {"kernel_size": 1}),
    ("AvgPool2d", {"kernel_size": 2}, {"kernel_size": 2, "ceil_mode": True}),
    ("AvgPool2d", {"kernel_size": 3, "stride": 2}, {"kernel_size": 3, "stride": 2, "ceil_mode": True}),
    ("AvgPool2d", {"kernel_size": 3}, {"kernel_size": 3, "count_include_pad": False}),
    ("AvgPool2d", {"kernel_size": 3, "padding": 1}, {"kernel_size": 3, "padding": 1, "count_include_pad": False}),
    (
        "AvgPool2d",
        {"kernel_size": 3, "divisor_override": 1},
        {"kernel_size": 3, "divisor_override": 1, "ceil_mode": True},
    ),
    ("LPPool2d", {"norm_type": 2, "kernel_size": 3}, {"norm_type": 2, "kernel_size": 3, "ceil_mode": True}),
    ("Upsample", {"scale_factor": 2}, {"size": (16, 16)}),
    ("Upsample", {"scale_factor": 2}, {"size": (18, 18)}),
    ("Softmax", {"dim": 1}, {"dim": -3}),
    ("Softmax", {"dim": 1}, {"dim": -2}),
]


@pytest.mark.parametrize(("name", "one", "other"), SAME)
@pytest.mark.parametrize("extent", [6, 7, 8, 9])
def test_what_is_the_same_at_a_size_is_the_same_in_pytorch(
    name: str, one: dict[str, object], other: dict[str, object], extent: int
) -> None:
    """Settled forms are equal exactly where PyTorch computes the same."""
    params, star = parameters(SIGNATURES[name])
    forms = [lower(name, bind(name, params, star, [], each), Forms()).form for each in (one, other)]
    left, right = (settled(form, Shape(4, (extent, extent))) for form in forms)
    x = torch.rand(2, 4, extent, extent, dtype=torch.float64)
    a, b = (getattr(nn, name)(**each)(x) for each in (one, other))
    assert (left == right) is (a.shape == b.shape and torch.allclose(a, b, rtol=1e-12))


def test_a_pooling_of_one_position_is_left_out() -> None:
    """What is 1x1 whatever comes in is not pooled to 1x1 once more; what is 1x1 by chance is."""
    gap = network("self.a = nn.AdaptiveAvgPool2d(1)\nself.b = nn.Identity()", "return self.b(self.a(x))")
    assert told("INPUT 8x8x4 -> a: GAP -> b: GAP", gap) == []
    assert told("INPUT 8x8x4 -> a: GAP -> b: GMP", gap) == []
    written = gap.replace("nn.Identity()", "nn.AdaptiveAvgPool2d(1)")
    assert told("INPUT 8x8x4 -> a: GAP -> b: GAP", written) == []
    assert told("INPUT 1x1x4 -> a: GAP -> b: GAP", gap.replace("nn.AdaptiveAvgPool2d(1)", "nn.Identity()"))


def test_taps_of_one_name_are_numbered() -> None:
    program = "INPUT 8x8x4 -> g1: [tap t: CONV1-3 -> RELU] -> g2: [tap t: CONV1-3 -> RELU]"
    text = """from typing import NamedTuple

import torch
from torch import Tensor, nn


class Output(NamedTuple):
    output: Tensor
    t1: Tensor
    t2: Tensor


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.g1 = nn.ModuleDict()
        self.g1.add_module("t", nn.Conv2d(4, 3, 1))
        self.g2 = nn.ModuleDict()
        self.g2.add_module("t", nn.Conv2d(4, 3, 1))
        self.relu = nn.ReLU()
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Output:
        y = self.relu(x)
        return Output(self.relu2(y), self.g1.t(x), self.g2.t(y))
"""
    assert told(program, text) == []
    assert told(program, text.replace("t2", "u2"))
    assert told(program, text.replace("self.g1.t(x), self.g2.t(y)", "self.g2.t(y), self.g1.t(x)"))


def test_a_dictionary_of_modules() -> None:
    program = "INPUT 8x8x4 -> heads.a: CONV3-3 -> heads.b: CONV1-2"
    text = """import torch
from torch import Tensor, nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleDict({"a": nn.Conv2d(4, 3, 3, padding=1), "b": nn.Conv2d(3, 2, 1)})

    def forward(self, x: Tensor) -> Tensor:
        return self.heads["b"](self.heads["a"](x))
"""
    assert told(program, text) == []
    assert told(program, text.replace('"b": nn', '"c": nn'))
    assert told(program, text.replace('"b": nn', '"a": nn'))
    assert told(program, text.replace('"b": nn', "1: nn"))
    assert told(program, text.replace("nn.ModuleDict({", "nn.ModuleDict(*{"))
    assert told(program, text.replace("ModuleDict", "ModuleList"))
    assert told(program, text.replace("nn.ModuleDict(", "nn.ModuleDict([").replace("})", "}])"))


FREEZING = [
    ("for name in ('a',): self.get_submodule(name).requires_grad_(False)", True),
    ("self.a.requires_grad_(False)", True),
    ("self.a.requires_grad_(True)", False),
    ("for name in ('a', 'b'): self.get_submodule(name).requires_grad_(False)", False),
    ("for name in ('b',): self.get_submodule(name).requires_grad_(False)", False),
]


@pytest.mark.parametrize(("statement", "right"), FREEZING)
def test_what_is_not_trained(statement: str, right: bool) -> None:
    made = "self.a = nn.Conv2d(4, 8, 1); self.b = nn.Conv2d(8, 8, 1)"
    written = network(f"{made}\n{statement}", "return self.b(self.a(x))")
    assert (told("INPUT 8x6x4 -> a: CONV1-8(frozen=yes) -> b: CONV1-8", written) == []) is right


def test_a_matrix_at_each_position_is_not_trained() -> None:
    net = loads("INPUT 8x6x4 -> a: FC-8(over=channels, frozen=yes) -> b: FC-8(over=channels)")
    text = net.source()
    assert verify(text, net.graph).differences == ()
    assert verify(text.replace("requires_grad_(False)", "requires_grad_(True)"), net.graph).differences
    assert verify(text.replace('("a",)', '("b",)'), net.graph).differences
