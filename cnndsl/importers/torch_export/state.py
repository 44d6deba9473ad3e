"""Layer options that describe the state of parameters: whether they are trained, and their initial values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cnndsl.layers.activation import PRelu
from cnndsl.layers.base import Layer
from cnndsl.layers.scale import Scale

if TYPE_CHECKING:
    from torch import Tensor, nn


def with_state(layer: Layer, tensors: Mapping[str, str], parameters: Mapping[str, nn.Parameter]) -> Layer:
    """Return the layer with options for the known state of its parameters in the module."""
    own = {name: parameters[name] for name in tensors.values() if name in parameters}
    changed: dict[str, Any] = {}
    if "frozen" in layer.options() and own and not any(each.requires_grad for each in own.values()):
        changed["frozen"] = True
    if isinstance(layer, PRelu | Scale) and (isinstance(layer, PRelu) or layer.weight):
        start = [_constant(each) for each in own.values()]
        if len(start) == 1 and start[0] is not None:
            changed["init"] = start[0]
    return replace(layer, **changed) if changed else layer


def _constant(tensor: Tensor) -> float | None:
    """Return the value of a tensor whose values are all equal; None if they differ or are unknown."""
    if tensor.is_meta or hasattr(tensor, "fake_mode"):
        return None
    first = float(tensor.detach().flatten()[0])
    return float(f"{first:.6g}") if bool((tensor == first).all()) else None
