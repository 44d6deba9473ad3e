"""Networks of timm with convolutions and poolings that the language lacked."""

from __future__ import annotations

import importlib
from functools import partial

import pytest

from tests.census.matching import matches
from tests.oracle import torchvision

timm = importlib.import_module("timm")  # which imports torchvision, as `tests.oracle` made it possible
layers = importlib.import_module("timm.layers")
assert torchvision


def test_scaled_weight_standardisation() -> None:
    """NFNet-F0, whose 71M parameters would take long, with four units and less than a quarter of the channels."""
    small = {"depths": (1, 2, 1, 0), "channels": (64, 128, 192, 192), "stem_chs": 64, "group_size": 16}
    matches("nfnet_small", timm.create_model("dm_nfnet_f0", num_features=384, num_classes=10, **small), 64)


def test_weight_standardisation() -> None:
    """BiT-R50x1, with two stages of two units each."""
    weights = {"conv_layer": partial(layers.StdConv2d, eps=1e-8), "norm_layer": layers.GroupNormAct}
    network = timm.models.resnetv2.ResNetV2([2, 2], [128, 256], 10, stem_type="fixed", **weights)
    matches("resnetv2_bit_small", network, 64)


def test_channel_convolution() -> None:
    matches("ecaresnet26t", timm.create_model("ecaresnet26t"), 64)


def test_blur_pooling() -> None:
    matches("resnetblur18", timm.create_model("resnetblur18"), 64)


def test_padding_that_follows_the_size() -> None:
    """The text is of images of 65x65; on 64x64 the padding is another one, in both modules."""
    matches("tf_efficientnet_lite0", timm.create_model("tf_efficientnet_lite0"), 64)


def test_pooling_and_standardised_weights_with_padding_that_follows_the_size() -> None:
    weights = {"conv_layer": partial(layers.StdConv2dSame, eps=1e-8), "norm_layer": layers.GroupNormAct}
    network = timm.models.resnetv2.ResNetV2([2, 2], [128, 256], 10, stem_type="same", preact=False, **weights)
    matches("resnetv2_same_small", network, 61)


@pytest.mark.slow
def test_convolutions_of_several_kernels() -> None:
    matches("tf_mixnet_s", timm.create_model("tf_mixnet_s"), 64)
