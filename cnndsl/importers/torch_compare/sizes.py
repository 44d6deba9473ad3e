"""Extents (sizes of dimensions) that depend on the input size, represented by their values at a few input sizes.

A static extent is a number. Any other is a tuple with a number for each input size that is tried: two formulas are
equal if they agree at all of them. Products and quotients are computed element by element.
"""

from __future__ import annotations

from typing import TypeAlias

TriedExtent: TypeAlias = "int | tuple[int, ...]"


class UnevenError(Exception):
    """An extent is not divisible by another at one of the input sizes."""


def extent(values: tuple[int, ...]) -> TriedExtent:
    """Return the extent with these values; a number if they are all equal.

    >>> extent((7, 7)), extent((7, 9))
    (7, (7, 9))
    """
    return values[0] if len(set(values)) == 1 else values


def plus(one: TriedExtent, other: TriedExtent) -> TriedExtent:
    """Return the sum.

    >>> plus(1, (7, 9))
    (8, 10)
    """
    return extent(tuple(a + b for a, b in tried(one, other)))


def times(one: TriedExtent, other: TriedExtent) -> TriedExtent:
    """Return the product.

    >>> times(3, (7, 9))
    (21, 27)
    """
    if isinstance(one, int) and isinstance(other, int):
        return one * other
    a, b = _alike(one, other)
    return extent(tuple(x * y for x, y in zip(a, b, strict=True)))


def over(one: TriedExtent, other: TriedExtent) -> TriedExtent | None:
    """Return the quotient; None if it is not an integer at every size.

    >>> over((21, 27), 3), over((21, 27), 7)
    ((7, 9), None)
    """
    a, b = _alike(one, other)
    if any(y == 0 or x % y for x, y in zip(a, b, strict=True)):
        return None
    return extent(tuple(x // y for x, y in zip(a, b, strict=True)))


def sized(one: TriedExtent, at: int) -> int:
    """Return the extent at one of the sizes."""
    return one if isinstance(one, int) else one[at]


def count(*extents: TriedExtent) -> int:
    """Return the number of input sizes, as far as these extents show it."""
    return max((len(each) for each in extents if isinstance(each, tuple)), default=1)


def _alike(one: TriedExtent, other: TriedExtent) -> tuple[tuple[int, ...], tuple[int, ...]]:
    length = count(one, other)
    return (
        one if isinstance(one, tuple) else (one,) * length,
        other if isinstance(other, tuple) else (other,) * length,
    )


def tried(one: TriedExtent, other: TriedExtent) -> list[tuple[int, int]]:
    """Return two extents at each size that is tried.

    >>> tried((7, 9), 2)
    [(7, 2), (9, 2)]
    """
    return list(zip(*_alike(one, other), strict=True))
