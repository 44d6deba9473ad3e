"""How other tools count, as docs/figures.md says: each cell of its table is measured where the tool is installed.

`pip install -e '.[bench]'` brings the tools along; FlopCounterMode is PyTorch's own.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from tests import oracle  # noqa: F401  (ptflops imports torchvision, which may not load by itself)

FIGURES = (Path(__file__).parents[1] / "docs" / "figures.md").read_text(encoding="utf-8")
HEAD = re.search(r"^\| \| cnndsl `macs` \| (.+) \|$", FIGURES, re.MULTILINE)
assert HEAD is not None
TOOLS = HEAD[1].split(" | ")


class Sum(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + x


class Product(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * x


class Bare(nn.Module):
    """A convolution that no module does."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.ones(8, 4, 3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return functional.conv2d(x, self.weight, padding=1)


MAP, VECTOR = (4, 10, 10), (400,)
MODULES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "convolution": (lambda: nn.Conv2d(4, 8, 3, padding=1, bias=False), MAP),
    "FC": (lambda: nn.Linear(400, 10, bias=False), VECTOR),
    "transposed convolution 2x2/2": (lambda: nn.ConvTranspose2d(4, 4, 2, 2, bias=False), MAP),
    "BN at inference": (lambda: nn.BatchNorm2d(4), MAP),
    "LN": (lambda: nn.LayerNorm(MAP), MAP),
    "ReLU": (nn.ReLU, MAP),
    "max pooling 2x2": (lambda: nn.MaxPool2d(2), MAP),
    "average pooling 2x2": (lambda: nn.AvgPool2d(2), MAP),
    "global average pooling": (lambda: nn.AdaptiveAvgPool2d(1), MAP),
    "softmax": (lambda: nn.Softmax(1), MAP),
    "upsampling, nearest": (lambda: nn.Upsample(scale_factor=2), MAP),
    "sum, product of branches": (Sum, MAP),
    "`F.conv2d`, without a module": (Bare, MAP),
}
MULTIPLY_ADDS = {
    "convolution": 100 * 9 * 4 * 8,
    "FC": 400 * 10,
    "transposed convolution 2x2/2": 100 * 4 * 4 * 4,
    "`F.conv2d`, without a module": 100 * 9 * 4 * 8,
}


def counted(tool: str, module: nn.Module, shape: tuple[int, ...]) -> int:
    """What a tool counts for one image."""
    module.eval()
    x = torch.ones(1, *shape)
    if tool == "FlopCounterMode":
        with FlopCounterMode(display=False) as counter:
            module(x)
        return counter.get_total_flops()
    other: Any = pytest.importorskip({"fvcore": "fvcore.nn"}.get(tool, tool))
    if tool == "fvcore":
        logging.getLogger("fvcore").setLevel(logging.ERROR)
        return int(other.FlopCountAnalysis(module, x).total())
    if tool == "torchinfo":
        return int(other.summary(module, input_data=[x], verbose=0).total_mult_adds)
    if tool == "ptflops":
        options = {"as_strings": False, "print_per_layer_stat": False, "backend": "pytorch"}
        return int(other.get_model_complexity_info(module, shape, **options)[0])
    return int(other.profile(module, inputs=(x,), verbose=False)[0])


def stated(cell: str, row: str, module: nn.Module, shape: tuple[int, ...]) -> int:
    """The number that a cell states: `2M`, `N + O`, `about 3N`."""
    if cell == "its parameters":
        return sum(each.numel() for each in module.parameters())
    sizes = {"M": MULTIPLY_ADDS.get(row, 0), "N": 400, "O": module(torch.ones(1, *shape)).numel()}
    terms = re.findall(r"(\d*) ?([MNO])", cell)
    assert terms or cell == "0", cell
    return sum(int(times or 1) * sizes[letter] for times, letter in terms)


def cells(row: str) -> dict[str, str]:
    (found,) = re.findall(rf"^\| {re.escape(row)} \| .+? \| (.+) \|$", FIGURES, re.MULTILINE)
    return dict(zip(TOOLS, found.split(" | "), strict=True))


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("row", MODULES)
def test_what_a_tool_counts(row: str, tool: str) -> None:
    make, shape = MODULES[row]
    cell, found = cells(row)[tool], counted(tool, make(), shape)
    assert found == pytest.approx(stated(cell, row, make(), shape), rel=0.1 if "about" in cell else 0)


@pytest.mark.parametrize("tool", TOOLS)
def test_what_a_tool_counts_for_a_bias(tool: str) -> None:
    with_bias, without = (counted(tool, nn.Conv2d(4, 8, 3, padding=1, bias=bias), MAP) for bias in (True, False))
    assert with_bias - without == {"0": 0, "O": 800}[cells("bias")[tool]]


@pytest.mark.parametrize("tool", TOOLS)
def test_the_product_of_branches_counts_like_their_sum(tool: str) -> None:
    assert counted(tool, Product(), MAP) == 0


def test_every_row_is_measured() -> None:
    start = FIGURES.index("| unit | multiply-add")
    rows = [
        line.split(" | ")[0].removeprefix("| ") for line in FIGURES[start : FIGURES.index("\n\n", start)].splitlines()
    ]
    assert set(rows) - {"unit", "bias"} == set(MODULES)
