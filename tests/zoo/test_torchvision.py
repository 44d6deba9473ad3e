"""Networks of torchvision: the names and shapes of its weights, its published figures, its outputs and gradients."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import cnndsl
from cnndsl.values import Value
from tests import oracle
from tests.bundled import LIKE_OTHERS
from tests.zoo.test_torch import drawn


@dataclass(frozen=True)
class Twin:
    """A bundled network with these settings, and torchvision's with its arguments."""

    ours: str
    theirs: str = ""
    settings: Mapping[str, Value] = field(default_factory=dict)
    arguments: Mapping[str, object] = field(default_factory=dict)
    side: int = 64
    frames: int = 4
    is_slow: bool = False
    is_equal: bool = True
    """Whether outputs agree to the last bit; those of ConvNeXt do not, whose matrix product is a convolution here."""

    @property
    def published(self) -> str:
        """Its name in torchvision."""
        return self.theirs or self.ours

    def network(self) -> cnndsl.Network:
        """The bundled one."""
        return cnndsl.load(self.ours, **self.settings)

    @property
    def id(self) -> str:
        """The name of its tests."""
        return self.published


X, Y = ("400mf", "800mf", "1_6gf", "3_2gf", "8gf", "16gf", "32gf"), ("128gf",)
AUXILIARY: Mapping[str, object] = {"aux_loss": True}
_WIDTHS, _DEPTHS = (1, 1, 1.1, 1.2, 1.4, 1.6, 1.8, 2), (1, 1.1, 1.2, 1.4, 1.8, 2.2, 2.6, 3.1)
_SIZES, _DROPOUTS = (224, 240, 288, 300, 380, 456, 528, 600), (0.2, 0.2, 0.3, 0.3, 0.4, 0.4, 0.5, 0.5)
EFFICIENT: list[dict[str, Value]] = [
    {"width": width, "depth": depth, "size": size, "dropout": dropout}
    for width, depth, size, dropout in zip(_WIDTHS, _DEPTHS, _SIZES, _DROPOUTS, strict=True)
]
"""B0 to B7, with the sizes and rates of torchvision."""
for _settings in EFFICIENT[5:]:
    _settings |= {"eps": 0.001, "momentum": 0.01}

TWINS = [
    *(Twin(f"regnet_x_{size}") for size in X),
    *(Twin(f"regnet_y_{size}") for size in (*X, *Y)),
    *(Twin(f"shufflenet_v2_x{width}") for width in ("0_5", "1_0", "1_5", "2_0")),
    Twin("mnasnet", "mnasnet0_5", {"width": 0.5}),
    Twin("mnasnet", "mnasnet0_75", {"width": 0.75}),
    Twin("mnasnet", "mnasnet1_0"),
    Twin("mnasnet", "mnasnet1_3", {"width": 1.3}),
    Twin("fcn_resnet50", arguments=AUXILIARY, is_slow=True),
    Twin("deeplabv3_resnet50", arguments=AUXILIARY),
    *(Twin(f"deeplabv3_{backbone}", arguments=AUXILIARY) for backbone in ("resnet101", "mobilenet_v3_large")),
    Twin("fcn_resnet101", arguments=AUXILIARY),
    Twin("lraspp_mobilenet_v3_large"),
    *(Twin(name, side=32) for name in ("r3d_18", "mc3_18", "r2plus1d_18")),
    Twin("s3d", side=224, frames=16, is_slow=True),
    *(Twin("efficientnet", f"efficientnet_b{at}", settings) for at, settings in enumerate(EFFICIENT)),
    *(Twin(f"efficientnet_v2_{size}") for size in "sml"),
    *(Twin(f"convnext_{size}", is_equal=False) for size in ("tiny", "small", "base", "large")),
    Twin("resnet50_fpn", side=75),
]


def cases(*, runs: bool) -> list[Any]:
    """The twins; those that are like others are slow where they run."""
    slow = [runs and (twin.is_slow or not LIKE_OTHERS.isdisjoint({twin.ours, twin.published})) for twin in TWINS]
    marks = [[pytest.mark.slow] if each else [] for each in slow]
    return [pytest.param(twin, marks=mark, id=twin.id) for twin, mark in zip(TWINS, marks, strict=True)]


@cache
def modules(published: str) -> tuple[nn.Module, nn.Module]:
    """Ours and torchvision's without storage, in evaluation."""
    (twin,) = (twin for twin in TWINS if twin.published == published)
    with torch.device("meta"):
        ours = twin.network().module()
    return ours.eval(), oracle.on_meta(twin.published, **twin.arguments).eval()


@pytest.mark.parametrize("twin", cases(runs=False))
def test_state_is_named_as_in_torchvision(twin: Twin) -> None:
    ours, theirs = (each.state_dict() for each in modules(twin.published))
    assert [(key, each.shape) for key, each in ours.items()] == [(key, each.shape) for key, each in theirs.items()]


@pytest.mark.parametrize("twin", cases(runs=False))
def test_figures_are_those_that_torchvision_publishes(twin: Twin) -> None:
    """Parameters as published with its weights; multiply-adds as PyTorch counts them of its module."""
    network, (_, theirs) = twin.network(), modules(twin.published)
    totals = network.stats().totals
    if twin.published in oracle.torchvision.models.list_models():
        weights = oracle.torchvision.models.get_model_weights(twin.published)
        assert totals.params == next(iter(weights)).meta["num_params"]
    assert totals.params == sum(each.numel() for each in theirs.parameters())
    entering = network.graph.input
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        theirs(torch.zeros(1, entering.channels, *entering.spatial, device="meta"))
    assert 2 * totals.macs == counter.get_total_flops()


@pytest.mark.parametrize("name", ["fcn_resnet50", "deeplabv3_resnet50", "deeplabv3_mobilenet_v3_large"])
def test_segmentation_without_its_auxiliary_head(name: str) -> None:
    network, theirs = cnndsl.load(name, aux=False), oracle.on_meta(name)
    with torch.device("meta"):
        ours = network.module().eval()
        images = torch.zeros(1, 3, 65, 65)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert network.stats().totals.params == sum(each.numel() for each in theirs.parameters())
    assert [each.shape for each in outputs(ours, images)] == [each.shape for each in outputs(theirs.eval(), images)]


def outputs(module: nn.Module, x: Tensor) -> list[Tensor]:
    """What a module gives, in order."""
    given = module(x)
    if isinstance(given, Tensor):
        return [given]
    return list(given.values()) if isinstance(given, dict) else list(given)


@pytest.mark.parametrize("twin", cases(runs=True))
def test_outputs_and_gradients_are_torchvisions(twin: Twin) -> None:
    """Bit by bit forward; gradients of all weights, in training, as far as the order of their sums allows."""
    theirs = oracle.on_meta(twin.published, **twin.arguments)
    with torch.device("meta"):
        ours = twin.network().module()
    state = OrderedDict(drawn(theirs.state_dict(), seed=1))
    state._metadata = theirs.state_dict()._metadata  # MNASNet asks for its version
    theirs.load_state_dict(state, strict=True, assign=True)
    ours.load_state_dict({key: each.clone() for key, each in state.items()}, strict=True, assign=True)
    rank = len(twin.network().graph.input.spatial)
    x = torch.randn(
        2, 3, *[twin.frames] * (rank == 3), twin.side, twin.side, generator=torch.Generator().manual_seed(2)
    )
    with torch.no_grad():
        compare(outputs(ours.eval(), x), outputs(theirs.eval(), x), twin.is_equal)
    for module in (*ours.modules(), *theirs.modules()):
        if hasattr(module, "p"):  # of dropout and of stochastic depth, ours and torchvision's
            module.p = 0.0
    found, expected = outputs(ours.train(), x), outputs(theirs.train(), x)
    compare(found, expected, twin.is_equal)
    for given in (found, expected):
        sum(((each * each).mean() for each in given), torch.zeros(())).backward()
    for (key, mine), (_, other) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert mine.grad is not None
        assert other.grad is not None
        scale = float(other.grad.abs().max())
        torch.testing.assert_close(mine.grad, other.grad, rtol=1e-3, atol=1e-5 * scale, msg=f"{key} of {scale}")


def compare(found: list[Tensor], expected: list[Tensor], is_equal: bool) -> None:
    """Asserts that outputs are equal, bit by bit or nearly, and not all alike."""
    for mine, other in zip(found, expected, strict=True):
        assert other.std() > 1e-3
        if is_equal:
            assert torch.equal(mine, other)
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)
