"""The built-in functions of the language."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction

from cnndsl.values import Number, Value


def divisible(value: Number, divisor: int = 8) -> int:
    """Return the multiple of `divisor` nearest to the value, at least 90% of the value and at least the divisor.

    Source: Howard et al. 2017, in the code that MobileNet was published with (`make_divisible`).

    >>> divisible(Fraction(33, 1)), divisible(Fraction(3, 1))
    (32, 8)
    """
    rounded = max(divisor, math.floor(value + Fraction(divisor, 2)) // divisor * divisor)
    return rounded + divisor if rounded < Fraction(9, 10) * value else rounded


def bits_of_power(base: Number, exponent: int) -> int:
    """Return a lower bound on the bits of a power's numerator or denominator: an n-bit number is at least 2 ** (n - 1).

    >>> bits_of_power(2, 64), bits_of_power(Fraction(9, 10), -5)
    (64, 15)
    """
    return (max(abs(base.numerator), base.denominator).bit_length() - 1) * abs(exponent)


def integer_power(base: object, exponent: object) -> int:
    """Return a power of integers with a non-negative exponent, which Python computes as the language does. Raises
    ArithmeticError for any other power, and for one that is far too large."""
    if isinstance(base, int) and isinstance(exponent, int) and exponent >= 0 and bits_of_power(base, exponent) < 200:
        return int(base**exponent)
    raise ArithmeticError


def _round(value: Number) -> int:
    """Round to the nearest integer, halves up."""
    return math.floor(value + Fraction(1, 2))


def _absolute(value: Number) -> Number:
    return -value if value < 0 else value


def _least(*numbers: Number) -> Number:
    return min(numbers)


def _greatest(*numbers: Number) -> Number:
    return max(numbers)


def _total(*numbers: Number) -> Number:
    return sum(numbers)


def _length(*elements: Value) -> int:
    return len(elements)


FUNCTIONS: Mapping[str, tuple[Callable[..., Number], int, int]] = {
    "min": (_least, 1, 16),
    "max": (_greatest, 1, 16),
    "ceil": (math.ceil, 1, 1),
    "floor": (math.floor, 1, 1),
    "round": (_round, 1, 1),
    "abs": (_absolute, 1, 1),
    "divisible": (divisible, 1, 2),
    "len": (_length, 1, 1),
    "sum": (_total, 1, 1),
}
"""Each function with its minimum and maximum number of arguments."""

OF_A_LIST = frozenset({"len", "sum"})
"""The functions that take a list."""
OF_NUMBERS_OR_A_LIST = frozenset({"min", "max"})
"""The functions that take numbers or a list."""
