"""What autograd keeps of each network of torchvision, beside what is predicted of ours: equal to the byte.

torchvision's own module is hooked, without storage (on PyTorch's meta device), at the full size of its input.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch

from cnndsl.analysis.memory import training
from cnndsl.emit.torch.execution import executions
from tests import oracle
from tests.analysis.measuring import saved_bytes
from tests.zoo import test_figures, test_residual
from tests.zoo.test_torchvision import TWINS, Twin

ALL = [
    *(Twin(name) for name in (*test_figures.IN_TORCHVISION, *test_residual.IN_TORCHVISION, "inception_v3")),
    Twin("googlenet", arguments={"aux_logits": True}),
    *TWINS,
]
FAST = {
    *("alexnet", "vgg11_bn", "resnet18", "squeezenet1_1", "mobilenet_v3_small", "googlenet", "shufflenet_v2_x1_0"),
    *("regnet_y_400mf", "convnext_tiny", "r3d_18"),
}
"""One of each kind that takes less than a second."""

IMAGES = 3


def cases() -> list[Any]:
    """All networks of torchvision that the zoo has, the larger ones as slow tests."""
    marks = [() if twin.published in FAST else (pytest.mark.slow,) for twin in ALL]
    return [pytest.param(twin, marks=mark, id=twin.id) for twin, mark in zip(ALL, marks, strict=True)]


def test_all_convolutional_networks_of_torchvision_are_here() -> None:
    """The 68 classifiers, and what it has for segmentation and video but for attention."""
    models, names = oracle.torchvision.models, {twin.published for twin in ALL}
    attention = ("maxvit", "swin", "vit")
    classifiers = {name for name in models.list_models(module=models) if not name.startswith(attention)}
    others = {*models.list_models(module=models.segmentation), *models.list_models(module=models.video)}
    assert len(classifiers) == 68
    assert names == {
        *classifiers,
        *(name for name in others if not name.startswith(("mvit", "swin"))),
        "resnet50_fpn",
    }


@pytest.mark.parametrize("twin", cases())
def test_bytes_kept_are_those_of_torchvisions_module(twin: Twin) -> None:
    graph = twin.network().graph
    images = torch.zeros(IMAGES, graph.input.channels, *graph.input.spatial, device="meta")
    kept = saved_bytes(oracle.on_meta(twin.published, **twin.arguments), images)
    assert training(graph, executions=executions(graph)).saved(IMAGES) == kept
