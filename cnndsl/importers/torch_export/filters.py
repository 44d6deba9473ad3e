"""Buffers with fixed filters."""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn

_BINOMIAL = {("timm.layers.blur_pool", "BlurPool2d")}
"""Classes whose filter is binomial by definition, for modules whose values are unknown."""


def binomial_filters(module: nn.Module) -> frozenset[str]:
    """Return the names of buffers that hold a binomial filter and are not saved in weight files.

    On the meta device their values are unknown; then known classes are recognised by name.
    """
    kept = set(module.state_dict(keep_vars=True))
    found = [(name, each) for name, each in module.named_buffers() if name not in kept]
    return frozenset(name for name, each in found if _is_filter(each) and _is_binomial(module, name, each))


def _is_filter(buffer: Tensor) -> bool:
    extents = tuple(buffer.shape)
    return len(extents) > 2 and extents[1] == 1 and len(set(extents[2:])) == 1


def _is_binomial(module: nn.Module, name: str, buffer: Tensor) -> bool:
    import torch

    if buffer.is_meta or hasattr(buffer, "fake_mode"):
        kind = type(module.get_submodule(name.rpartition(".")[0]))
        return (kind.__module__, kind.__name__) in _BINOMIAL
    order = buffer.shape[2] - 1
    row = torch.tensor([comb(order, at) / 2**order for at in range(order + 1)], dtype=buffer.dtype)
    taps = row
    for _ in range(buffer.dim() - 3):
        taps = taps.unsqueeze(-1) * row
    return bool(torch.allclose(buffer, taps.expand_as(buffer), rtol=1e-6))
