"""Layers that timm's modules write out as several operators: the program that they are, and their numbers."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import torch
from torch import nn

from cnndsl import loads
from cnndsl.errors import CnnError
from cnndsl.importers.compared import difference
from cnndsl.importers.torch_export import read
from cnndsl.shape import Shape
from tests.importers.torch_export.beside import Written, error
from tests.oracle import torchvision

assert torchvision, "timm imports it, and cannot where it does not load by itself"
of_timm = importlib.import_module("timm.layers")
responses = importlib.import_module("timm.layers.grn")
pooling = importlib.import_module("timm.layers.pool2d_same")
LearnableAffineBlock = importlib.import_module("timm.models.hgnet").LearnableAffineBlock
StarReLU = importlib.import_module("timm.models.metaformer").StarReLU
GammaAct = importlib.import_module("timm.models.nfnet").GammaAct

MAP = Shape(8, (12, 12))

SPLITS = "(SLICE(0, 8) + SLICE(8, 16))"
ATTENTION = (
    "CONV3-16(groups=2) -> s: RELU -> {} -> GAP -> CONV1-32 -> RELU -> CONV1-16 -> SOFTMAX(radix=2) -> MUL(@s, ID)"
    " -> {}"
)

CASES: dict[str, tuple[Any, str]] = {
    "StdConv2d": (of_timm.StdConv2d(8, 4, 3, 1, 1, eps=1e-5), "CONV3-4(standardise=weights, bias=no, eps=1e-5)"),
    "ScaledStdConv2d": (
        of_timm.ScaledStdConv2d(8, 4, 3, padding=1, gamma=1.7, eps=1e-5),
        "CONV3-4(standardise=scaled, gamma=1.7, eps=1e-5)",
    ),
    "ScaledStdConv2dSame": (
        of_timm.ScaledStdConv2dSame(8, 4, 3, 2, "same", eps=1e-5),
        "CONV3-4/2(standardise=scaled, eps=1e-5, pad=tfsame)",
    ),
    "Conv2dSame": (of_timm.Conv2dSame(8, 4, 3, 2), "CONV3-4/2(pad=tfsame)"),
    "MaxPool2dSame": (pooling.MaxPool2dSame(3, 2), "POOL3/2(pad=tfsame)"),
    "AvgPool2dSame": (pooling.AvgPool2dSame(3, 2), "AVGPOOL3/2(pad=tfsame)"),
    "BlurPool2d": (of_timm.BlurPool2d(8), "BLURPOOL3"),
    "BlurPool2d of zeros": (of_timm.BlurPool2d(8, 5, 2, "constant"), "BLURPOOL5(border=zeros)"),
    "EcaModule": (of_timm.EcaModule(8), "MUL(ID, GAP -> CHANNELCONV3 -> SIGMOID)"),
    "CecaModule": (of_timm.CecaModule(8), "MUL(ID, GAP -> CHANNELCONV3(border=circular) -> SIGMOID)"),
    "SEModule": (of_timm.SEModule(8, rd_channels=4), "MUL(ID, GAP -> CONV1-4 -> RELU -> CONV1-8 -> SIGMOID)"),
    "EvoNorm2dS0": (of_timm.EvoNorm2dS0(8, 4), "EVONORM4"),
    "EvoNorm2dS0a": (of_timm.EvoNorm2dS0a(8, 4, apply_act=False, eps=1e-5), "EVONORM4(act=no)"),
    "EvoNorm2dS0 of groups of 8": (of_timm.EvoNorm2dS0(8, group_size=2), "EVONORM4"),
    "EvoNorm2dS0 of one group": (of_timm.EvoNorm2dS0(8, 1), "EVONORM1"),
    "FilterResponseNormTlu2d": (of_timm.FilterResponseNormTlu2d(8), "FRN(eps=1e-5)"),
    "FilterResponseNormAct2d": (of_timm.FilterResponseNormAct2d(8), "FRN(eps=1e-5, tlu=no) -> RELU"),
    "GlobalResponseNorm": (
        importlib.import_module("timm.layers.grn").GlobalResponseNorm(8, channels_last=False),
        "GRN",
    ),
    "LayerNorm2d": (of_timm.LayerNorm2d(8, 1e-6), "LN(over=channels, eps=1e-6)"),
    "RmsNorm2d": (of_timm.RmsNorm2d(8), "RMSNORM"),
    "SimpleNorm2d": (of_timm.SimpleNorm2d(8), "RMSNORM(by=deviation)"),
    "LayerScale2d": (of_timm.LayerScale2d(8, 0.5), "gamma: SCALE(bias=no, init=0.5, parameter=vector)"),
    "LearnableAffineBlock": (
        LearnableAffineBlock(2.0),
        "scale: SCALE(bias=no, init=2, parameter=singleton) -> bias: SCALE(weight=no, parameter=singleton)",
    ),
    "StarReLU": (StarReLU(), "STARRELU"),
    "GammaAct": (GammaAct("gelu", 1.5), "GELU -> TIMES(1.5)"),
    "SpaceToDepth": (of_timm.SpaceToDepth(4), "PIXELUNSHUFFLE4(order=blocks)"),
    "DepthToSpace": (of_timm.DepthToSpace(2), "PIXELSHUFFLE2(order=blocks)"),
    "SplitAttn": (of_timm.SplitAttn(8, rd_channels=16, bias=True), ATTENTION.format(SPLITS, SPLITS)),
    "ConvMlp": (of_timm.ConvMlp(8, 16, act_layer=nn.GELU), "CONV1-16 -> GELU -> CONV1-8"),
    "channels last": (
        nn.Sequential(Written(lambda _, x: x.permute(0, 2, 3, 1)), of_timm.Mlp(8, 16)),
        "FC-16(over=channels) -> GELU -> FC-8(over=channels) -> PERMUTE(wch)",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_module_writes_out(name: str) -> None:
    part, text = CASES[name]
    module = nn.Sequential(part)
    made = read(module, [MAP]).graph
    assert difference(made, loads(f"INPUT 12x12x8 -> {text}").graph) == ""
    # In float64 some of them compute their statistics in float32.
    assert error(made, module, MAP) < 1e-6


def test_the_filter_of_a_pooling_has_to_be_binomial() -> None:
    part = of_timm.BlurPool2d(8)
    part.filt[:] = torch.rand(3, 3)
    with pytest.raises(CnnError, match="DWCONV has tensors with other names"):
        read(nn.Sequential(part), [MAP])
