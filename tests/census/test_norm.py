"""Networks of timm with normalisations and activations that the language lacked, written by hand: names, values, and
gradients in training mode are those of timm at random weights."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnndsl.network import load, loads
from tests.oracle import torchvision

timm = importlib.import_module("timm")  # which imports torchvision, as `tests.oracle` made it possible
HERE = Path(__file__).parent


def _random(module: nn.Module) -> None:
    """Draw every parameter and statistic near what it starts with, so that none of them could be another."""
    generator = torch.Generator().manual_seed(1)
    for name, each in (*module.named_parameters(), *module.named_buffers()):
        if each.is_floating_point():
            noise = torch.rand(each.shape, generator=generator, dtype=each.dtype)
            each.data.mul_(0.9).add_(noise if name.endswith("running_var") else (noise - 0.5) / 5)


def _results(module: nn.Module, x: Tensor) -> dict[str, Tensor | None]:
    """The output, and the gradients of a weighted sum of its values."""
    x = x.clone().requires_grad_()
    output = module(x)
    (output * torch.linspace(-1, 1, output.numel(), dtype=x.dtype).reshape(output.shape)).sum().backward()
    gradients = {name: each.grad for name, each in module.named_parameters()}
    return {"output": output.detach(), "input": x.grad, **gradients, **dict(module.named_buffers())}


def _is_timms(name: str, size: int, file: str = "", **settings: Any) -> None:
    """Compare `name.cnn` with timm's network of that name on images of a size, in both modes, in double precision.

    `file` is the file of another name, `settings` its parameters.
    """
    theirs = timm.create_model(name).double()
    _random(theirs)
    ours = load(HERE / f"{file or name}.cnn", **settings).module().double()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = torch.randn(2, 3, size, size, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(ours.eval()(x), theirs.eval()(x), rtol=1e-9, atol=1e-9)
    found, wanted = _results(ours.train(), x), _results(theirs.train(), x)
    assert found.keys() == wanted.keys()
    largest = max(float(each.abs().max()) for each in wanted.values() if each is not None)
    for key, value in wanted.items():
        assert value is not None, key
        torch.testing.assert_close(found[key], value, rtol=1e-7, atol=1e-12 * largest, msg=lambda m, k=key: f"{k}: {m}")


@pytest.fixture
def _in_double_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep timm from computing statistics in single precision."""
    monkeypatch.setattr(torch.Tensor, "float", lambda x: x)


def test_global_response_normalisation() -> None:
    _is_timms("convnextv2_atto", 64)


def test_star_relu() -> None:
    _is_timms("convformer_s18", 64)


@pytest.mark.usefixtures("_in_double_precision")
def test_evonorm() -> None:
    _is_timms("test_efficientnet_evos", 64)


@pytest.mark.filterwarnings("ignore:Using padding='same'")  # kernels of 2 cost a copy
def test_scale_and_shift_of_one_number() -> None:
    _is_timms("hgnetv2_b0", 64)


@pytest.mark.parametrize(
    ("name", "settings"),
    [("convnext_atto_rms", {}), ("convnext_zepto_rms", {"by": "deviation", "widest": 256, "depth": 4})],
)
def test_root_mean_square_normalisation(name: str, settings: dict[str, Any]) -> None:
    _is_timms(name, 64, file="convnext_atto_rms", **settings)


@pytest.mark.usefixtures("_in_double_precision")
def test_filter_response_normalisation() -> None:
    _is_timms("resnetv2_50d_frn", 64)


def test_split_attention_of_radix_four() -> None:
    _is_timms("resnest50d_4s2x40d", 64)


SSD = """
INPUT 75x75x3
-> features: [
     [CONV3-64 -> RELU]*2 -> POOL2
     -> [CONV3-128 -> RELU]*2 -> POOL2
     -> [CONV3-256 -> RELU]*3 -> POOL2(ceil=yes)
     -> [CONV3-512 -> RELU]*3
   ]
-> L2NORM -> scale_weight: SCALE(bias=no, init=20, parameter=vector)
"""


def test_the_normalisation_of_ssd() -> None:
    """torchvision's SSD300 hands the fourth stage of VGG-16 on so (Liu et al. 2016)."""
    ssd = importlib.import_module("torchvision.models.detection.ssd")
    theirs = ssd.SSDFeatureExtractorVGG(torchvision.models.vgg16().features, highres=False).double()
    theirs.extra = nn.ModuleList()  # the stages after it, which take no images of this size
    assert set(theirs.scale_weight.tolist()) == {20.0}
    ours = loads(SSD).module().double()
    ours.load_state_dict({name: theirs.state_dict()[name] for name in ours.state_dict()}, strict=True)
    x = torch.randn(2, 3, 75, 75, dtype=torch.float64)
    torch.testing.assert_close(ours(x), theirs(x)["0"])
    inside = loads(
        SSD.replace("L2NORM -> scale_weight: SCALE(bias=no, init=20, parameter=vector)", "L2NORM(affine=yes, init=20)")
    )
    again = inside.module().double()
    again.load_state_dict(
        {name.replace("scale_weight", "l2norm.weight"): each for name, each in ours.state_dict().items()}
    )
    torch.testing.assert_close(again(x), ours(x))
