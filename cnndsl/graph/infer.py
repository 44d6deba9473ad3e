"""The shape rule: what elaboration and everything else that builds a graph asks."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.layers.base import Layer
from cnndsl.shape import Shape


def infer(layer: Layer, shapes: Sequence[Shape]) -> Shape:
    """Return the shape that a layer gives for inputs of these shapes. Raises LayerError where it does not take them.

    >>> from cnndsl.layers.conv import Conv
    >>> infer(Conv((3,), 64, (2,)), [Shape(3, (224, 224))])
    112x112x64
    """
    return layer.output(*shapes)
