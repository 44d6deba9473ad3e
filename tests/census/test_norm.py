"""Networks of timm with normalisations and activations that the language lacked, written by hand: names, values, and
gradients in training mode are those of timm at random weights."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cnndsl.network import load
from tests.oracle import torchvision

timm = importlib.import_module("timm")
assert timm and torchvision  # which timm imports, after `tests.oracle` made that possible
HERE = Path(__file__).parent


def _random(module: nn.Module) -> None:
    """Draw every parameter and statistic near what it starts with, so that none of them could be another."""
    generator = torch.Generator().manual_seed(1)
    for name, each in (*module.named_parameters(), *module.named_buffers()):
        if each.is_floating_point():
            noise = torch.rand(each.shape, generator=generator, dtype=each.dtype)
            each.data.mul_(0.9).add_(noise if name.endswith("running_var") else (noise - 0.5) / 5)


def _gradients(module: nn.Module, x: Tensor) -> dict[str, Tensor | None]:
    """Go back from a weighted sum of the outputs."""
    x = x.clone().requires_grad_()
    output = module(x)
    (output * torch.linspace(-1, 1, output.numel(), dtype=x.dtype).reshape(output.shape)).sum().backward()
    return {"output": output.detach(), "input": x.grad, **{name: each.grad for name, each in module.named_parameters()}}


def _is_timms(name: str, size: int, **settings: Any) -> None:
    """Compare `name.cnn` with timm's network of that name, made with these settings, on images of a size."""
    theirs = timm.create_model(name, **settings).double()
    _random(theirs)
    ours = load(HERE / f"{name}.cnn").module().double()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = torch.randn(2, 3, size, size, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(ours.eval()(x), theirs.eval()(x), rtol=1e-9, atol=1e-9)
    found, wanted = _gradients(ours.train(), x), _gradients(theirs.train(), x)
    assert found.keys() == wanted.keys()
    largest = max(float(each.abs().max()) for each in wanted.values() if each is not None)
    for key, gradient in wanted.items():
        torch.testing.assert_close(
            found[key], gradient, rtol=1e-7, atol=1e-12 * largest, msg=lambda m, k=key: f"{k}: {m}"
        )


def test_global_response_normalisation() -> None:
    _is_timms("convnextv2_atto", 64)
