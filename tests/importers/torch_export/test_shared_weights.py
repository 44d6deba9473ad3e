"""Modules that are called several times: each text has `again`, and both modules are compared as programs."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import cnndsl
from cnndsl.errors import CnnError
from cnndsl.importers.torch_export import read
from cnndsl.shape import Shape
from tests.importers.torch_export.beside import Written

RGB = (3, 16, 16)


def conv(c: int, k: int, size: int = 3, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(c, k, size, stride, size // 2)


class Features(nn.Module):
    """Two maps of an image."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = conv(3, 8, stride=2), conv(8, 16, stride=2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        a = functional.relu(self.a(x))
        return a, functional.relu(self.b(a))


class Flagged(nn.Module):
    """Each call has another first layer."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = conv(8, 8), conv(8, 8), conv(8, 8)

    def forward(self, x: Tensor, flag: bool) -> Tensor:
        return self.c(self.b(x) if flag else self.a(x))


class Cell(nn.Module):
    """A module that calls one of its own parts twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Sequential(conv(8, 8), nn.ReLU(), conv(8, 8))

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.conv(self.conv(x)) + x)


class Attention(nn.Module):
    """The channel attention of CBAM (Woo et al. 2018): one MLP on the means and on the largest values."""

    def __init__(self) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Conv2d(8, 2, 1), nn.ReLU(), nn.Conv2d(2, 8, 1))

    def forward(self, x: Tensor) -> Tensor:
        means, largest = functional.adaptive_avg_pool2d(x, 1), functional.adaptive_max_pool2d(x, 1)
        return x * torch.sigmoid(self.mlp(means) + self.mlp(largest))


def _tower() -> nn.Module:
    return nn.Sequential(conv(3, 8), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def _of_features(self: Any, x: Tensor, y: Tensor) -> Tensor:
    (a, b), (c, d) = self.f(x), self.f(y)
    return self.last(torch.cat([a - c, functional.interpolate(b - d, a.shape[2:])], 1))


CASES: dict[str, tuple[nn.Module, int, tuple[str, ...]]] = {
    "two images": (
        Written(lambda self, x, y: self.fc(self.tower(x) - self.tower(y)), tower=_tower(), fc=nn.Linear(8, 1)),
        2,
        ("tower: [CONV3-8 -> BN -> RELU -> GAP]", "again tower) -> FC-1"),
    ),
    "three outputs": (
        Written(
            lambda self, x, y, z: (self.tower(x), self.tower(y), self.tower(z)),
            tower=nn.Sequential(_tower(), nn.Linear(8, 4)),
        ),
        3,
        ("out2 = @", "-> again tower\nout3 = @"),
    ),
    "several results": (
        Written(_of_features, f=Features(), last=conv(24, 2)),
        2,
        ("-> again f", "SUB(@f.y1, @"),
    ),
    "several times in sequence": (
        Written(lambda self, x: self.cell(self.cell(self.cell(self.stem(x)))), stem=conv(3, 8), cell=Cell()),
        1,
        ("cell: [(conv: [CONV3-8 -> RELU -> CONV3-8] -> again conv + ID) -> RELU]", "[again cell]*2"),
    ),
    "a layer": (
        Written(
            lambda self, x: self.norm(self.two(functional.relu(self.norm(self.one(x))))),
            one=conv(3, 8),
            two=conv(8, 8),
            norm=nn.BatchNorm2d(8),
        ),
        1,
        ("norm: BN -> RELU", "again norm"),
    ),
    "a parameter": (
        Written(lambda self, x: self.g * self.conv(x) + self.g * x, conv=conv(3, 3), g=nn.Parameter(torch.tensor(0.3))),
        1,
        ("g: SCALE(bias=no, init=0.3, parameter=number)", "again g"),
    ),
    "in a module": (
        Written(lambda self, x: self.att(self.stem(x)), stem=conv(3, 8), att=Attention()),
        1,
        ("mlp: [CONV1-2 -> RELU -> CONV1-8]", "GMP -> again mlp"),
    ),
    "another way through it": (
        Written(lambda self, x: self.f(self.f(self.stem(x), True), False), stem=conv(3, 8), f=Flagged()),
        1,
        ("f: [b: CONV3-8 -> c: CONV3-8 -> a: CONV3-8 -> again c]",),
    ),
    "from outside of it": (
        Written(lambda self, x: self.cell.conv(self.cell(self.stem(x))), stem=conv(3, 8), cell=Cell()),
        1,
        ("cell.conv.0: CONV3-8", "again cell.conv.2"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_called_again_is_written_so(name: str) -> None:
    module, images, wanted = CASES[name]
    graph = cnndsl.from_module(module, *[RGB] * images).graph
    text = graph.source.text
    for each in wanted:
        assert each in text
    assert sum(each.numel for node in graph.layers for each in graph.tensors(node) if each.learns) == sum(
        each.numel() for each in module.parameters()
    )


def test_inputs_are_called_as_in_forward() -> None:
    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = conv(3, 4)

        def forward(self, left: Tensor, right: Tensor) -> Tensor:
            return self.conv(left) + self.conv(right)

    assert read(Pair(), [Shape(3, (8, 8))] * 2).graph.input_names == ("left", "right")


def test_a_weight_of_two_unlike_layers_is_told() -> None:
    module = Written(lambda self, x: functional.conv2d(self.conv(x), self.conv.weight, stride=2), conv=conv(3, 3))
    with pytest.raises(CnnError, match=r"conv\.weight is used by two layers, CONV and CONV, that differ in more"):
        read(module, [Shape(3, (8, 8))])
