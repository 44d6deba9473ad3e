"""Families whose members are lists, held against torchvision, timm and a plain module."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnndsl.network import Network, load
from tests.oracle import torchvision

PROGRAMS = Path(__file__).parent / "published"


def alike(network: Network, theirs: nn.Module, x: Tensor) -> None:
    """Assert that both have the same state and give the same, and the same gradients in training."""
    ours = network.module()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x))
    inputs = [x.clone().requires_grad_(True) for _ in range(2)]
    for module, entering in zip((ours, theirs), inputs, strict=True):
        module.train()(entering).square().sum().backward()
    torch.testing.assert_close(inputs[0].grad, inputs[1].grad, rtol=1e-3, atol=1e-4)


# depth, w_0, w_a, w_m, group_width: torchvision's builders, after the paper's tables 1 and 2.
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("regnet_x_400mf", (22, 24, 24.48, 2.54, 16)),
        ("regnet_x_800mf", (16, 56, 35.73, 2.28, 16)),
        ("regnet_y_400mf", (16, 48, 27.89, 2.09, 8)),
    ],
)
def test_regnet(name: str, settings: tuple[float, ...]) -> None:
    parameters = importlib.import_module("torchvision.models.regnet").BlockParams.from_init_params(
        **dict(zip(("depth", "w_0", "w_a", "w_m", "group_width"), settings, strict=True))
    )
    network = load(
        PROGRAMS / "regnet.cnn",
        widths=parameters.widths,
        depths=tuple(parameters.depths),
        group=settings[-1],
        se="_y_" in name,
    )
    alike(network, torchvision.models.get_model(name), torch.randn(2, 3, 64, 64))


@pytest.mark.parametrize(
    ("depths", "widths"),
    [((2, 2, 6, 2), (40, 80, 160, 320)), ((1, 2, 0, 1), (8, 12, 16, 8)), ((3, 1, 1, 2), (4, 4, 8, 8))],
)
def test_convnext(depths: tuple[int, ...], widths: tuple[int, ...]) -> None:
    convnext = importlib.import_module("timm.models.convnext").ConvNeXt
    theirs = convnext(depths=depths, dims=widths, conv_mlp=True, norm_eps=1e-6)
    for name, parameter in theirs.named_parameters():
        if name.endswith("gamma"):
            nn.init.ones_(parameter)
    alike(load(PROGRAMS / "convnext.cnn", widths=widths, depths=depths), theirs, torch.randn(2, 3, 96, 64))


class Temporal(nn.Module):
    """A block of the paper's code, `TemporalBlock`, without weight normalisation and dropout."""

    def __init__(self, entering: int, c: int, k: int, d: int) -> None:
        super().__init__()
        self.pad = (k - 1) * d
        self.conv1 = nn.Conv1d(entering, c, k, padding=self.pad, dilation=d)
        self.conv2 = nn.Conv1d(c, c, k, padding=self.pad, dilation=d)
        if entering != c:
            self.downsample = nn.Conv1d(entering, c, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.conv1(x)[:, :, : -self.pad])
        y = functional.relu(self.conv2(y)[:, :, : -self.pad])
        return functional.relu(y + (self.downsample(x) if hasattr(self, "downsample") else x))


@pytest.mark.parametrize(("widths", "k"), [((25, 25, 25, 25), 3), ((6, 8, 8), 5), ((4,), 2)])
def test_tcn(widths: tuple[int, ...], k: int) -> None:
    theirs = nn.Module()
    theirs.network = nn.Sequential(
        *(Temporal(entering, c, k, 2**at) for at, (entering, c) in enumerate(zip((1, *widths), widths, strict=False)))
    )
    theirs.forward = theirs.network.forward  # type: ignore[method-assign]
    network = load(PROGRAMS / "tcn.cnn", widths=widths, k=k)
    alike(network, theirs, torch.randn(2, 1, 784))
