"""Each operator of ATen with its options: the program that it is, written by hand, and its numbers beside torch's."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from cnndsl import loads
from cnndsl.importers.compared import difference
from cnndsl.importers.torch_export import read
from cnndsl.shape import Shape
from tests.importers.torch_export.beside import Written, error

MAP = Shape(8, (12, 10))


def plain(function: Any) -> nn.Module:
    """A module without parameters that is a function."""
    return Written(lambda _, x: function(x))


LAYERS: dict[str, nn.Module] = {
    "CONV3-4": nn.Conv2d(8, 4, 3, padding=1),
    "CONV3x5-4/2x1(pad=0x2, bias=no)": nn.Conv2d(8, 4, (3, 5), (2, 1), (0, 2), bias=False),
    "CONV3-4(pad=valid, dilation=2, groups=2)": nn.Conv2d(8, 4, 3, dilation=2, groups=2),
    "CONV4-4": nn.Conv2d(8, 4, 4, padding="same"),
    "CONV3-4(border=reflect)": nn.Conv2d(8, 4, 3, padding=1, padding_mode="reflect"),
    "CONV3-4(pad=2, border=circular)": nn.Conv2d(8, 4, 3, padding=2, padding_mode="circular"),
    "DWCONV3": nn.Conv2d(8, 8, 3, padding=1, groups=8),
    "DWCONV3-16/2": nn.Conv2d(8, 16, 3, 2, 1, groups=8),
    "CONVT2-4/2": nn.ConvTranspose2d(8, 4, 2, 2),
    "CONVT3-4/2(pad=1, out_pad=1, groups=2)": nn.ConvTranspose2d(8, 4, 3, 2, 1, 1, groups=2),
    "POOL3/2(pad=1)": nn.MaxPool2d(3, 2, 1),
    "POOL2(ceil=yes)": nn.MaxPool2d(2, ceil_mode=True),
    "POOL3/1(dilation=2)": nn.MaxPool2d(3, 1, dilation=2),
    "AVGPOOL3/2(pad=1)": nn.AvgPool2d(3, 2, 1),
    "AVGPOOL2": nn.AvgPool2d(2),
    "AVGPOOL3/1(pad=1, countpad=no)": nn.AvgPool2d(3, 1, 1, count_include_pad=False),
    "AVGPOOL(out=3x2)": nn.AdaptiveAvgPool2d((3, 2)),
    "POOL(out=3)": nn.AdaptiveMaxPool2d(3),
    "GAP": nn.AdaptiveAvgPool2d(1),
    "GMP": nn.AdaptiveMaxPool2d(1),
    "UPSAMPLE2": nn.Upsample(scale_factor=2),
    "UPSAMPLE(out=5x7, mode=bilinear)": nn.Upsample((5, 7), mode="bilinear"),
    "UPSAMPLE2x3(mode=bicubic, align=yes)": nn.Upsample(scale_factor=(2, 3), mode="bicubic", align_corners=True),
    "ZEROPAD(1x2)": nn.ZeroPad2d((2, 2, 1, 1)),
    "ZEROPAD(0, after=1)": nn.ZeroPad2d((0, 1, 0, 1)),
    "CROP(1, after=0) -> ZEROPAD(0, after=1)": nn.ZeroPad2d((-1, 1, -1, 1)),
    "REFLECTPAD(1, after=2)": nn.ReflectionPad2d((1, 2, 1, 2)),
    "REPLICATEPAD(1)": nn.ReplicationPad2d(1),
    "CIRCULARPAD(1)": nn.CircularPad2d(1),
    "BN(eps=0.001, momentum=0.01)": nn.BatchNorm2d(8, 0.001, 0.01),
    "BN(momentum=0.0003)": nn.BatchNorm2d(8, momentum=1 - 0.9997),
    "BN(affine=no)": nn.BatchNorm2d(8, affine=False),
    "GN4(eps=1e-6)": nn.GroupNorm(4, 8, 1e-6),
    "IN(affine=yes)": nn.InstanceNorm2d(8, affine=True),
    "LN": nn.LayerNorm((8, 12, 10)),
    "FC-5": nn.Sequential(nn.Flatten(), nn.Linear(960, 5)),
    "PIXELSHUFFLE2": nn.PixelShuffle(2),
    "PIXELUNSHUFFLE2": nn.PixelUnshuffle(2),
    "SHUFFLE4": nn.ChannelShuffle(4),
    "FLATTEN": nn.Flatten(),
    "RESHAPE(6x10x16)": nn.Sequential(nn.Flatten(), nn.Unflatten(1, (16, 6, 10))),
    "RELU": nn.ReLU(inplace=True),
    "RELU6": nn.ReLU6(),
    "LEAKYRELU(0.2)": nn.LeakyReLU(0.2),
    "PRELU": nn.PReLU(8),
    "PRELU(shared=yes, init=0.1)": nn.PReLU(init=0.1),
    "ELU(2)": nn.ELU(2),
    "CELU(2)": nn.CELU(2),
    "SELU": nn.SELU(),
    "GELU": nn.GELU(),
    "GELU(approximate=yes)": nn.GELU("tanh"),
    "SILU": nn.SiLU(),
    "MISH": nn.Mish(),
    "HSWISH": nn.Hardswish(),
    "HSIGMOID": nn.Hardsigmoid(),
    "SIGMOID": nn.Sigmoid(),
    "LOGSIGMOID": nn.LogSigmoid(),
    "TANH": nn.Tanh(),
    "HARDTANH": nn.Hardtanh(),
    "SOFTPLUS(beta=2)": nn.Softplus(2),
    "SOFTSIGN": nn.Softsign(),
    "SOFTMAX": nn.Softmax(1),
    "LOGSOFTMAX": nn.LogSoftmax(1),
    "DROPOUT(0.3)": nn.Dropout(0.3),
    "DROPOUT(0.2, channels=yes)": nn.Dropout2d(0.2),
}
"""By the program that they are, modules of torch."""

FUNCTIONS: dict[str, Any] = {
    "TIMES(0.5)": lambda x: x / 2,
    "TIMES(3)": lambda x: 3 * x,
    "TIMES(-1)": lambda x: -x,
    "RELU -> (ID + ID)": lambda x: (y := functional.relu(x)) + y,
    "(RELU + ID + TANH)": lambda x: functional.relu(x) + x + torch.tanh(x),
    "SUB(RELU, ID)": lambda x: functional.relu(x) - x,
    "MUL(ID, ID)": lambda x: x**2,
    "MAX(RELU, TANH)": lambda x: torch.maximum(functional.relu(x), torch.tanh(x)),
    "(RELU | ID)": lambda x: torch.cat([functional.relu(x), x], 1),
    "MUL(ID, GAP -> SIGMOID)": lambda x: x * x.mean((2, 3), keepdim=True).sigmoid(),
    "MUL(ID, CHANNELMEAN -> SIGMOID)": lambda x: x * x.mean(1, True).sigmoid().expand_as(x),
    "GAP -> MUL(RELU, TANH) -> FLATTEN": lambda x: functional.relu(y := x.mean((-1, -2))) * torch.tanh(y),
    "(CHANNELMAX | CHANNELMEAN)": lambda x: torch.cat([x.max(1, keepdim=True)[0], x.mean(1, keepdim=True)], 1),
    "GMP -> FLATTEN": lambda x: x.amax((2, 3)),
    "(SLICE(4, 8) -> RELU + SLICE(0, 4))": lambda x: (p := x.chunk(2, 1))[1].relu() + p[0],
    "SLICE(2, 5)": lambda x: x[:, 2:5],
    "(SLICE(0, 2) | SLICE(5, 8))": lambda x: torch.cat(x.split([2, 3, 3], 1)[0::2], 1),
    "CROP(1x0, after=0x2)": lambda x: x[:, :, 1:, :-2],
    "SHUFFLE2": lambda x: x.view(2, 2, 4, 12, 10).transpose(1, 2).reshape(2, 8, 12, 10),
    "PIXELUNSHUFFLE2(order=blocks)": lambda x: x.view(2, 8, 6, 2, 5, 2).permute(0, 3, 5, 1, 2, 4).reshape(2, 32, 6, 5),
    "PIXELSHUFFLE2(order=blocks)": lambda x: x.view(2, 2, 2, 2, 12, 10).permute(0, 3, 4, 1, 5, 2).reshape(2, 2, 24, 20),
    "PERMUTE(whc)": lambda x: x.transpose(2, 3),
    "FLATTEN(channels=last)": lambda x: x.permute(0, 2, 3, 1).flatten(1),
    "LN(over=channels, affine=no)": lambda x: functional.layer_norm(x.movedim(1, -1), (8,)).movedim(-1, 1),
    "RMSNORM(affine=no, eps=1e-5)": lambda x: x * torch.rsqrt(x.pow(2).mean(1, keepdim=True) + 1e-5),
    "RMSNORM(affine=no, by=deviation)": lambda x: x * torch.rsqrt(x.var(1, keepdim=True) + 1e-6),
    "L2NORM": lambda x: functional.normalize(x),
    "HSIGMOID": lambda x: functional.relu6(x + 3) / 6,
    "POOL3/2(pad=tfsame)": lambda x: functional.max_pool2d(
        functional.pad(x, _tensorflow(x, 3, 2), value=-float("inf")), 3, 2
    ),
    "AVGPOOL3/2(pad=tfsame)": lambda x: functional.avg_pool2d(functional.pad(x, _tensorflow(x, 3, 2)), 3, 2),
    "(POOL3/2(pad=tfsame) | AVGPOOL3/2(pad=tfsame))": lambda x: torch.cat(
        [
            functional.max_pool2d(functional.pad(x, _tensorflow(x, 3, 2), value=-float("inf")), 3, 2),
            functional.avg_pool2d(functional.pad(x, _tensorflow(x, 3, 2)), 3, 2),
        ],
        1,
    ),
    "p: POOL2 -> (UPSAMPLE(out=@x0) | @x0)": lambda x: torch.cat(
        [functional.interpolate(functional.max_pool2d(x, 2), x.shape[2:]), x], 1
    ),
    "GAP": lambda x: functional.avg_pool2d(x, x.shape[2:]),
    "GAP -> FLATTEN": lambda x: x.mean(3).mean(2),
    "GMP": lambda x: functional.max_pool2d(x, x.shape[2:]),
    "SHUFFLE2 -> GAP -> FLATTEN": lambda x: x.view(2, 2, 4, 12, 10).transpose(1, 2).reshape(2, 8, 12, 10).mean((2, 3)),
    "(GAP -> FLATTEN | FLATTEN)": lambda x: torch.cat([x.mean((2, 3)), x.flatten(1)], 1),
    "POOL1/2": lambda x: x[:, :, ::2, ::2],
    "CROP(1x0, after=0) -> POOL1/2x1": lambda x: x[:, :, 1::2],
    "PADCHANNELS-16/2(where=both)": lambda x: functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 4, 4)),
    "PADCHANNELS-12": lambda x: functional.pad(x, (0, 0, 0, 0, 0, 4)),
    "MUL(SLICE(0, 4), SLICE(4, 8) -> SIGMOID)": lambda x: functional.glu(x, 1),
    "MAX(ID, TIMES(-1))": lambda x: x.abs(),
    "TIMES(-1) -> SIGMOID": lambda x: 1 - x.sigmoid(),
    "SILU": lambda x: x * x.sigmoid(),
    "HSWISH": lambda x: x * functional.relu6(x + 3) / 6,
    "HSWISH -> ID": lambda x: x * (functional.relu6(x + 3) / 6),
    "MISH": lambda x: x * torch.tanh(functional.softplus(x)),
    "SOFTSIGN": lambda x: x / (1 + x.abs()),
    "LN(over=channels, affine=no, eps=1e-6)": lambda x: (
        (y := x - x.mean(1, keepdim=True)) / torch.sqrt(y.pow(2).mean(1, keepdim=True) + 1e-6)
    ),
    "(RELU | TANH) -> s: SOFTMAX(radix=2) -> (SLICE(0, 8) + SLICE(8, 16))": lambda x: (
        torch.cat([functional.relu(x).unsqueeze(1), torch.tanh(x).unsqueeze(1)], 1).softmax(1).sum(1)
    ),
    "(ID | ID)": lambda x: x.repeat(1, 2, 1, 1),
    "CHANNELMEAN -> (ID | ID | ID)": lambda x: x.mean(1, True).expand(-1, 3, -1, -1),
    "p: GAP -> (UPSAMPLE(out=@x0) + @x0)": lambda x: x.mean((2, 3), keepdim=True) + x,
    "(MUL(ID, TANH) + ID)": lambda x: x * (1 + torch.tanh(x)),
    "AVGPOOL12x10": lambda x: functional.avg_pool2d(x, (12, 10)),
}
"""By the program that they are, functions of torch."""


def _tensorflow(x: torch.Tensor, kernel: int, stride: int) -> list[int]:
    """TensorFlow's padding (tensorflow.org/api_docs/python/tf/nn), the last axis first."""
    pads: list[int] = []
    for size in (x.shape[3], x.shape[2]):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        pads += [total // 2, total - total // 2]
    return pads


def program(text: str) -> str:
    return f"INPUT 12x10x8 -> {text}".replace("INPUT 12x10x8 -> p:", "INPUT 12x10x8 -> x0: ID -> p:")


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("text", LAYERS)
def test_a_module_of_torch(text: str) -> None:
    _check(nn.Sequential(LAYERS[text]), text)


@pytest.mark.parametrize("text", FUNCTIONS)
def test_a_function(text: str) -> None:
    _check(plain(FUNCTIONS[text]), text)


def _check(module: nn.Module, text: str) -> None:
    made = read(module, [MAP]).graph
    assert difference(made, loads(program(text)).graph) == ""
    assert error(made, module, MAP) < 1e-12
