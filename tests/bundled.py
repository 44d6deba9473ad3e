"""The bundled networks as tests go through them: those that are like another one are slow tests."""

from __future__ import annotations

from collections.abc import Iterable, Set

import pytest
from _pytest.mark import ParameterSet

import cnndsl

LIKE_OTHERS = {
    *(f"regnet_x_{size}" for size in ("800mf", "1_6gf", "3_2gf", "8gf", "16gf", "32gf")),
    *(f"regnet_y_{size}" for size in ("800mf", "1_6gf", "3_2gf", "8gf", "16gf", "32gf", "128gf")),
    *("shufflenet_v2_x0_5", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0"),
    *("fcn_resnet101", "deeplabv3_resnet101", "deeplabv3_mobilenet_v3_large", "mc3_18", "r2plus1d_18"),
    *(f"efficientnet_b{at}" for at in range(1, 8)),
    *("efficientnet_v2_m", "efficientnet_v2_l", "convnext_small", "convnext_base", "convnext_large"),
    *("alexnet_towers", "dcgan_discriminator", "resnext", "vnet", "yolov4"),
}
"""Built from the blocks of another network, with other numbers; or a network with such settings."""

HEAVY = {
    *("hrnet", "ssd300", "resnest50", "res2net50", "regnet_x_400mf", "efficientnet_v2_s", "repvgg", "ghostnet"),
    "resnet50_fpn",
    *("fcn_resnet50", "deeplabv3_resnet50", "lraspp_mobilenet_v3_large", "r3d_18", "s3d", "edsr", "openpose"),
    *("yolov3", "yolov5", "unet_plus_plus", "wavenet", "mnasnet"),
}
"""Large networks: fast tests hold their weights and figures against published ones, slow ones all the rest."""

LONGER = {
    *("inception_v4", "inception_resnet_v2", "googlenet_2014", "densenet161", "densenet169", "densenet201"),
    *("resnet101", "resnet152", "resnet200", "preact_resnet", "resnet_orders", "wide_resnet101_2", "se_resnet50"),
    *("resnext101_32x4d", "resnext101_32x8d", "resnext101_64x4d", "cifar_densenet", "wide_resnet50_2", "resnet34"),
    *("vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg19", "vgg19_bn", "vgg_c", "vgg_c_bn", "resnet_plain"),
    *("alexnet_2012", "alexnet_lecture", "zfnet", "mnist", "squeezenet1_0", "mobilenet_v3_small", "inception_v2"),
}
"""Like another network, only longer or shorter: what is emitted and drawn of them is tested slowly."""

SLOW = LIKE_OTHERS | HEAVY | LONGER


def marked(names: Iterable[str], further: Set[str] = frozenset()) -> list[str | ParameterSet]:
    """The names, those that are like others or large marked as slow; `further` ones as well."""
    slow = SLOW | further
    return [pytest.param(name, marks=pytest.mark.slow) if name in slow else name for name in names]


ZOO = marked(cnndsl.zoo())
