"""The shape rule that every builder of graphs applies to a layer."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.layers.base import Layer, LayerError
from cnndsl.limits import current
from cnndsl.shape import Shape


def infer(layer: Layer, shapes: Sequence[Shape]) -> Shape:
    """Return the output shape of a layer for inputs of these shapes, in the order of its operands.

    Raises LayerError if there are too few or too many inputs (E0504), if the layer rejects them, and if the output
    would exceed the current limits (E0203).

    >>> from cnndsl.layers.conv import Conv
    >>> infer(Conv((3,), 64, (2,)), [Shape(3, (224, 224))])
    112x112x64
    >>> infer(Conv((3,), 64), [])
    Traceback (most recent call last):
    cnndsl.layers.base.LayerError: CONV reads 1 value, but 0 are given
    """
    fewest, most = layer.INPUTS
    if not fewest <= len(shapes) <= most:
        wanted = "nothing" if not most else f"{fewest} value{'s' * (fewest > 1)}{' or more' * (most > fewest)}"
        raise LayerError("E0504", f"{layer.kind()} reads {wanted}, but {len(shapes)} {_verb(len(shapes))} given")
    shape = layer.output(*shapes)
    digits = current().digits
    if shape.numel > 10**digits:
        raise LayerError("E0203", f"the output would have more than 10^{digits} values")
    return shape


def fits(merge: Layer, shape: Shape, target: Shape) -> bool:
    """Return whether a merge accepts a value together with another one, and outputs the shape of the other one.

    The channels of branches that are concatenated may differ.
    """
    try:
        return infer(merge, [shape, target]) == target or merge.JOINS_CHANNELS
    except LayerError:
        return False


def _verb(number: int) -> str:
    return "is" if number == 1 else "are"
