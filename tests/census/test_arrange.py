"""Networks with layers at each position and with rearranged maps, which the language lacked."""

from __future__ import annotations

import importlib

import pytest
from torch import nn

from tests.census.matching import matches
from tests.oracle import torchvision

timm = importlib.import_module("timm")


def test_blocks_of_positions_as_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    """TResNet with fewer blocks, and a mean in place of its blurring."""
    tresnet = importlib.import_module("timm.models.tresnet")
    monkeypatch.setattr(tresnet, "BlurPool2d", lambda *_, stride, **__: nn.AvgPool2d(3, stride, 1))
    matches("tresnet", tresnet.TResNet([1, 2, 2, 1]), 64)


def test_attention_over_channels_and_positions() -> None:
    cbam = importlib.import_module("timm.layers.cbam")
    matches("cbam", cbam.CbamModule(3, rd_channels=4), 32)


def test_fully_connected_at_each_position() -> None:
    """torchvision's ConvNeXt, whose blocks have matrices for weights, without its stochastic depth."""
    matches("convnext_tiny", torchvision.models.convnext_tiny(stochastic_depth_prob=0.0), 64)


def test_fully_connected_at_each_position_among_slices() -> None:
    matches("mambaout_femto", timm.create_model("mambaout_femto"), 64)
