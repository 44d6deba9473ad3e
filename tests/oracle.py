"""torchvision, whose networks are what ours are compared with.

torchvision's wheel brings compiled operators for detection, made for one build of torch; with another one they do not
load, and then torchvision cannot be imported: it describes operators that nobody has declared. Its networks need none
of them. So they are declared here where they are missing.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

import torch
from torch import nn

_MISSING = torch.library.Library("torchvision", "FRAGMENT")
_BOXES = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def _torchvision() -> ModuleType:
    try:
        return importlib.import_module("torchvision")
    except RuntimeError:
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
    for operator in ("nms", "qnms"):
        _MISSING.define(operator + _BOXES)
    return importlib.import_module("torchvision")


torchvision = _torchvision()


_BLOCKS_OF_REGNET = torchvision.models.regnet.BlockParams.from_init_params


def _blocks_of_regnet(*numbers: Any, **named: Any) -> Any:
    """The widths of a RegNet, which torchvision computes with tensors: they have values on the CPU alone."""
    with torch.device("cpu"):
        return _BLOCKS_OF_REGNET(*numbers, **named)


torchvision.models.regnet.BlockParams.from_init_params = _blocks_of_regnet


def on_meta(name: str, **arguments: object) -> nn.Module:
    """A network of torchvision without storage: its weights are to be assigned.

    `resnet50_fpn` is the backbone of its detectors.
    """
    if name == "resnet50_fpn":
        backbones = importlib.import_module("torchvision.models.detection.backbone_utils")
        further = {"norm_layer": nn.BatchNorm2d, "trainable_layers": 5}
        with torch.device("meta"):
            return backbones.resnet_fpn_backbone(backbone_name="resnet50", weights=None, **further)
    undrawn = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    segmenting = {"weights_backbone": None} if name in dir(torchvision.models.segmentation) else {}
    with torch.device("meta"):
        return torchvision.models.get_model(name, **undrawn, **segmenting, **arguments)
