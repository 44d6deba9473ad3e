"""Published networks that were written by hand, held against the module of the library that they are from."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from cnndsl.network import load

HERE = Path(__file__).parent


def matches(name: str, theirs: nn.Module, size: int) -> None:
    """Compare `name.cnn` with a module of a library, at random weights and on images of a size.

    The names and shapes of the state are equal, the outputs in evaluation, and all gradients in training mode.
    """
    theirs = theirs.double()
    _randomise(theirs)
    ours = load(HERE / f"{name}.cnn").module().double()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 3, size, size, dtype=torch.float64, generator=generator)
    with torch.no_grad():
        torch.testing.assert_close(ours.eval()(x), theirs.eval()(x), rtol=1e-9, atol=1e-9)
    found, wanted = _trained(ours.train(), x), _trained(theirs.train(), x)
    assert found.keys() == wanted.keys()
    largest = max(float(each.abs().max()) for each in wanted.values())
    for key, gradient in wanted.items():
        # Below that a gradient is what rounding leaves of zero, as for a bias before a batch normalisation.
        near = 1e-7 * float(gradient.abs().max()) + 1e-13 * largest
        assert float((found[key] - gradient).abs().max()) <= near, key


def _randomise(module: nn.Module) -> None:
    """Draw every parameter and statistic near what it starts with, so that none of them could be another."""
    generator = torch.Generator().manual_seed(1)
    for name, each in module.state_dict(keep_vars=True).items():
        if each.is_floating_point():
            noise = torch.rand(each.shape, generator=generator, dtype=each.dtype)
            each.data.mul_(0.9).add_(noise if name.endswith("running_var") else (noise - 0.5) / 5)


def _trained(module: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """The output and, of a weighted sum of it, the gradients of the images and of all parameters."""
    x = x.clone().requires_grad_()
    output = module(x)
    weights = torch.linspace(-1, 1, output.numel(), dtype=x.dtype).reshape(output.shape)
    (output * weights).sum().backward()
    gradients = {name: each.grad for name, each in module.named_parameters()}
    return {"output": output.detach(), "input": x.grad, **gradients}
