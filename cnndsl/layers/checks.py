"""What several kinds ask of their inputs and options, with the same words where it does not hold."""

from __future__ import annotations

from math import gcd

from cnndsl.layers.base import Dims, LayerError
from cnndsl.shape import Shape


def each_axis(dims: Dims, rank: int, what: str) -> Dims:
    """One extent for each axis. Raises LayerError where their number does not fit the input's rank."""
    if len(dims) == rank:
        return dims
    if len(dims) == 1:
        return dims * rank
    written = "x".join(map(str, dims))
    message = f"the {what} {written} has {len(dims)} axes, and the input has {rank}"
    raise LayerError("E0303", message, f"a single number stands for every axis: {dims[0]}")


def need_spatial(kind: str, x: Shape) -> None:
    """Raises LayerError where the input is a vector without spatial axes."""
    if x.rank == 0:
        raise LayerError(
            "E0302",
            f"{kind} needs a spatial input, and this is a vector of {x.channels}",
            "place it before the first FC",
        )


def common_divisors(*numbers: int) -> str:
    """A hint that lists the numbers of groups that are possible.

    >>> common_divisors(6, 64)
    'possible are 1, 2'
    """
    common = gcd(*numbers)
    divisors = [each for each in range(1, min(common, 10_000) + 1) if common % each == 0]
    if len(divisors) > 8:
        divisors = [*divisors[:4], *divisors[-4:]]
    return f"possible are {', '.join(map(str, divisors))}" if common > 1 else "possible is 1 only"
