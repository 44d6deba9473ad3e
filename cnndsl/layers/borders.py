"""What a window finds beyond the border of its input: the words of `pad` and `border`, and PyTorch's fillings."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TypeAlias

from cnndsl.layers.base import Dims, LayerError, Padding
from cnndsl.layers.steps import LayerStep, pad
from cnndsl.shape import Shape

FILLINGS = ("reflect", "replicate", "circular")
"""The border that is mirrored, repeated, or continued at the other end (torch.nn.Conv2d, `padding_mode`)."""
BORDERS = ("zeros", *FILLINGS)
PAD_LAYERS: Mapping[str, str] = {
    "zeros": "ZEROPAD",
    "reflect": "REFLECTPAD",
    "replicate": "REPLICATEPAD",
    "circular": "CIRCULARPAD",
}
"""The layer type that pads like this and does nothing else."""
AS_SAME = ("same", *FILLINGS)
"""The words of `pad` that pad by half of what a window overlaps."""

Sides: TypeAlias = tuple[tuple[int, int], ...]
"""For each axis the positions before and after."""

_MOST: Mapping[str, int] = {"reflect": 1, "circular": 0}
"""By how much a padding must be smaller than the map."""


def times(extents: int | Dims) -> str:
    """Return extents as a program writes them.

    >>> times(2), times((1, 2))
    ('2', '1x2')
    """
    return "x".join(map(str, extents)) if isinstance(extents, tuple) else str(extents)


def amount(pad: Padding) -> Padding:
    """Return how much is padded: a filling pads as `same` does.

    >>> amount("reflect"), amount((2,))
    ('same', (2,))
    """
    return "same" if pad in FILLINGS else pad


def border_of(pad: Padding, border: str) -> str:
    """Return what a padding is filled with, which `pad` may say as well.

    >>> border_of("circular", "zeros"), border_of((2,), "reflect")
    ('circular', 'reflect')
    """
    return str(pad) if pad in FILLINGS else border


def check_filling(kind: str, border: str, sides: Sides, x: Shape) -> None:
    """Raise LayerError where a map is too small for what lies before and after it to be made of it."""
    if border not in _MOST:
        return
    for size, pads in zip(x.spatial, sides, strict=True):
        most = size - _MOST[border]
        if max(pads) > most:
            what = f"reflecting the map {x}" if border == "reflect" else f"wrapping the map {x} around"
            message = f"{kind} pads by {max(pads)}, but {what} allows at most {most}"
            raise LayerError("E0318", message, "pad less, or use `replicate`, which has no such limit")


def filled(border: str, sides: Sides, x: Shape, at: int = 1) -> tuple[LayerStep, ...]:
    """The copy of a map with its padding, as `F.pad` makes it; its result is the value `at` or the one after that.

    Mirroring and repeating keep the map for the gradient; autocast on the CPU runs both in fp32, but for mirroring
    along three axes (ATen/autocast_mode.cpp). Continuing copies the map, and then copies its ends from one place of the
    copy to another; the gradient of each such step is a new one, and that of what was copied.
    """
    values = x.channels * prod(size + before + after for size, (before, after) in zip(x.spatial, sides, strict=True))
    if border == "circular":
        return pad(values), LayerStep((at,), values, view=True, scratch=(0, values))
    is_cast = border == "replicate" or x.rank < 3
    return (LayerStep((0,), values, keeps=(0,), autocast="full" if is_cast else "as is"),)
