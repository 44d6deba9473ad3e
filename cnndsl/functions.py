"""The functions of the language."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction

from cnndsl.values import Number, Value


def divisible(value: Number, divisor: int = 8) -> int:
    """The multiple of `divisor` nearest to the value, never below 90% of it nor below the divisor.

    Source: Howard et al. 2017, in the code that MobileNet was published with (`make_divisible`).

    >>> divisible(Fraction(33, 1)), divisible(Fraction(3, 1))
    (32, 8)
    """
    rounded = max(divisor, math.floor(value + Fraction(divisor, 2)) // divisor * divisor)
    return rounded + divisor if rounded < Fraction(9, 10) * value else rounded


def bits_of_power(base: Number, exponent: int) -> int:
    """So many bits a power has at least, above or below its line: a number of n bits is at least 2 ** (n - 1).

    >>> bits_of_power(2, 64), bits_of_power(Fraction(9, 10), -5)
    (64, 15)
    """
    return (max(abs(base.numerator), base.denominator).bit_length() - 1) * abs(exponent)


def integer_power(base: object, exponent: object) -> int:
    """A power that Python computes as the language does: of integers, and not negative. Raises ArithmeticError for any
    other, and for one beyond all bounds."""
    if isinstance(base, int) and isinstance(exponent, int) and exponent >= 0 and bits_of_power(base, exponent) < 200:
        return int(base**exponent)
    raise ArithmeticError


def _round(value: Number) -> int:
    """Halves are rounded up, as on paper."""
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
"""Each function with the fewest and the most arguments that it takes."""

OF_A_LIST = frozenset({"len", "sum"})
"""The functions whose argument is a list."""
OF_NUMBERS_OR_A_LIST = frozenset({"min", "max"})
"""Those that take a list in place of numbers."""
