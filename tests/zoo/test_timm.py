"""Networks of timm: names of weights, parameters, outputs, and gradients in training."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor, nn

import cnndsl
from tests.oracle import torchvision
from tests.zoo.test_torch import drawn

assert torchvision  # which timm imports, as `tests.oracle` made it possible
timm = importlib.import_module("timm")


@dataclass(frozen=True)
class Twin:
    """A bundled network with these settings, and timm's."""

    ours: str
    theirs: str
    settings: Mapping[str, object] = field(default_factory=dict)


def repvgg(*widths: float, depths: tuple[int, ...] = (2, 4, 14, 1)) -> dict[str, object]:
    return {"widths": widths, "depths": depths}


DEEP = (4, 6, 16, 1)
TWINS = [
    Twin("repvgg", "repvgg_a0"),
    Twin("repvgg", "repvgg_a1", repvgg(1, 1, 1, 2.5)),
    Twin("repvgg", "repvgg_a2", repvgg(1.5, 1.5, 1.5, 2.75)),
    Twin("repvgg", "repvgg_b0", repvgg(1, 1, 1, 2.5, depths=DEEP)),
    Twin("repvgg", "repvgg_b3", repvgg(3, 3, 3, 5, depths=DEEP)),
    Twin("ghostnet", "ghostnet_050", {"width": 0.5}),
    Twin("ghostnet", "ghostnet_100"),
    Twin("ghostnet", "ghostnet_130", {"width": 1.3}),
    Twin("res2net50", "res2net50_26w_4s"),
    Twin("resnest50", "resnest50d"),
    Twin("hrnet", "hrnet_w18"),
]
CASES = pytest.mark.parametrize("twin", [pytest.param(twin, id=twin.theirs) for twin in TWINS])
RUN = {"repvgg_a0", "ghostnet_100", "res2net50_26w_4s", "resnest50d", "hrnet_w18"}


@CASES
def test_weights_are_named_as_in_timm(twin: Twin) -> None:
    with torch.device("meta"):
        theirs, ours = timm.create_model(twin.theirs), cnndsl.load(twin.ours, **twin.settings)
        found, expected = ours.module().state_dict(), theirs.state_dict()
    assert {key: each.shape for key, each in found.items()} == {key: each.shape for key, each in expected.items()}
    assert ours.stats().totals.params == sum(each.numel() for each in theirs.parameters())


def results(module: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """The output in evaluation and in training without dropout, and the gradients of its mean square."""
    evaluated = module.eval()(x)
    for each in module.modules():
        if isinstance(each, nn.Dropout):
            each.p = 0.0
    trained = module.train()(x)
    (trained * trained).mean().backward()
    gradients = {key: each.grad for key, each in module.named_parameters() if each.grad is not None}
    return {"evaluated": evaluated.detach(), "trained": trained.detach(), **gradients}


@pytest.mark.parametrize("twin", [pytest.param(twin, id=twin.theirs) for twin in TWINS if twin.theirs in RUN])
def test_outputs_and_gradients_are_timms(twin: Twin) -> None:
    """In double precision, as far as the order of sums allows."""
    with torch.device("meta"):
        theirs, ours = timm.create_model(twin.theirs, drop_rate=0), cnndsl.load(twin.ours).module()
    state = {key: each.double() for key, each in drawn(theirs.state_dict(), seed=1)}
    theirs.load_state_dict(state, strict=True, assign=True)
    ours.load_state_dict({key: each.clone() for key, each in state.items()}, strict=True, assign=True)
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    found, expected = results(ours, x), results(theirs, x)
    assert found.keys() == expected.keys()
    assert expected["evaluated"].std() > 1e-3
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value, rtol=1e-6, atol=1e-9 * float(value.abs().max()), msg=key)
