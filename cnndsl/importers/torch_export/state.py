"""What a layer's options say of its parameters: that they are not trained, and what they start with."""

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
    """Return the layer with what its parameters in the module are known to be."""
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
    """The value of a tensor all of whose values are the same; None for others, and where they are not known."""
    if tensor.is_meta or hasattr(tensor, "fake_mode"):
        return None
    first = float(tensor.detach().flatten()[0])
    return float(f"{first:.6g}") if bool((tensor == first).all()) else None
