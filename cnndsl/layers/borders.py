"""Padding beyond the border of an input: the words of `pad` and `border`, and PyTorch's padding modes."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TypeAlias

from cnndsl.layers.base import Dims, LayerError, Padding
from cnndsl.layers.steps import LayerStep, pad
from cnndsl.shape import Shape

FILLINGS = ("reflect", "replicate", "circular")
"""Borders that are mirrored, repeated, or continued at the other end (torch.nn.Conv2d, `padding_mode`)."""
BORDERS = ("zeros", *FILLINGS)
PAD_LAYERS: Mapping[str, str] = {
    "zeros": "ZEROPAD",
    "reflect": "REFLECTPAD",
    "replicate": "REPLICATEPAD",
    "circular": "CIRCULARPAD",
}
"""The layer type that only pads, in the same way."""
AS_SAME = ("same", *FILLINGS)
"""The words of `pad` that pad by half of the window's overlap."""

Sides: TypeAlias = tuple[tuple[int, int], ...]
"""For each axis the number of positions before and after."""

_MOST: Mapping[str, int] = {"reflect": 1, "circular": 0}
"""How much smaller than the map a padding must be."""


def times(extents: int | Dims) -> str:
    """Format a size as a program writes it.

    >>> times(2), times((1, 2))
    ('2', '1x2')
    """
    return "x".join(map(str, extents)) if isinstance(extents, tuple) else str(extents)


def amount(pad: Padding) -> Padding:
    """Return the amount of padding: a padding mode pads as much as `same` does.

    >>> amount("reflect"), amount((2,))
    ('same', (2,))
    """
    return "same" if pad in FILLINGS else pad


def border_of(pad: Padding, border: str) -> str:
    """Return the padding mode, which may come from `pad` as well.

    >>> border_of("circular", "zeros"), border_of((2,), "reflect")
    ('circular', 'reflect')
    """
    return str(pad) if pad in FILLINGS else border


def check_filling(kind: str, border: str, sides: Sides, x: Shape) -> None:
    """Raise LayerError if a map is too small to fill the padding before and after it."""
    if border not in _MOST:
        return
    for size, pads in zip(x.spatial, sides, strict=True):
        most = size - _MOST[border]
        if max(pads) > most:
            what = f"reflecting the map {x}" if border == "reflect" else f"wrapping the map {x} around"
            message = f"{kind} pads by {max(pads)}, but {what} allows at most {most}"
            raise LayerError("E0318", message, "pad less, or use `replicate`, which has no such limit")


def filled(border: str, sides: Sides, x: Shape, at: int = 1) -> tuple[LayerStep, ...]:
    """Return the padded copy of a map, as `F.pad` makes it; its result is the value `at` or the one after that.

    Mirroring and repeating save the map for the gradient; autocast on the CPU runs both in fp32, except mirroring along
    three axes (ATen/autocast_mode.cpp). Continuing copies the map, and then copies its ends within the copy; each such
    step makes a new gradient, and one of what was copied.
    """
    values = x.channels * prod(size + before + after for size, (before, after) in zip(x.spatial, sides, strict=True))
    if border == "circular":
        return pad(values), LayerStep((at,), values, view=True, scratch=(0, values))
    is_cast = border == "replicate" or x.rank < 3
    return (LayerStep((0,), values, keeps=(0,), autocast="full" if is_cast else "as is"),)
