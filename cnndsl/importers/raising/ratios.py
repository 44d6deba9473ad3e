"""Numbers as multiples of other numbers: `2*c`, `C*3/4`, `divisible(c/4)`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from cnndsl.functions import divisible
from cnndsl.importers.raising.terms import Formula, TermValue

RATIOS = tuple(map(Fraction, (1, 2, 4, "1/2", "1/4", 3, 6, 8, "3/4", "1/8", "1/3", "1/6", 16, "1/16", 5)))
"""The multiples to try, the most common ones first."""
_ROUNDED = (8, 4)
"""The divisors of rounded numbers."""
_FEWEST_ROUNDED = 3
"""The minimum number of distinct values needed to detect rounded fractions of others."""


def ratio_of(values: Sequence[TermValue], of: Sequence[TermValue]) -> Fraction | None:
    """Return the factor between other numbers and these, if it is the same everywhere; else None."""
    pairs = [(value, other) for value, other in zip(values, of, strict=True) if value is not None]
    found = {quotient(value, other) for value, other in pairs}
    return found.pop() if len(found) == 1 and found <= set(RATIOS) else None


_PRODUCT = re.compile(r"(?:(\d+)\*)?([A-Za-z_]\w*(?:\*[A-Za-z_]\w*)*)(?:\*(\d+))?(?:/(\d+))?")
"""A multiple of names: `2*c`, `C*3/4`."""


def quotient(value: TermValue, other: TermValue) -> Fraction | None:
    """Return the quotient of two numbers, or of multiples of the same name; None if it is not known."""
    one, two = _factors(value), _factors(other)
    return one[1] / two[1] if one and two and one[0] == two[0] and two[1] else None


def _factors(value: TermValue) -> tuple[str, Fraction] | None:
    if type(value) is int:
        return "", Fraction(value)
    found = _PRODUCT.fullmatch(value) if isinstance(value, Formula) else None
    if found is None:
        return None
    more, name, times, by = found.groups()
    return name, Fraction(int(more or 1) * int(times or 1), int(by or 1))


def times(name: str, ratio: Fraction) -> Formula:
    """Return a multiple of a name as it is written."""
    if ratio == 1:
        return Formula(name)
    if ratio.denominator == 1:
        return Formula(f"{ratio.numerator}*{name}")
    return Formula(
        f"{name}/{ratio.denominator}" if ratio.numerator == 1 else f"{name}*{ratio.numerator}/{ratio.denominator}"
    )


def rounded_part(values: Sequence[TermValue], of: Sequence[TermValue]) -> tuple[Fraction, str] | None:
    """Return the fraction of other numbers that gives these, rounded to multiples of 8, or of 4 with the suffix for it.

    >>> rounded_part([24, 32, 120, 168], [72, 120, 480, 672]), rounded_part([20, 32, 120], [72, 120, 480])
    ((Fraction(1, 4), ''), (Fraction(1, 4), ', 4'))
    """
    pairs = {(value, other) for value, other in zip(values, of, strict=True) if value is not None}
    known = [(value, other) for value, other in pairs if type(value) is int and type(other) is int]
    if len(known) < len(pairs) or len({value for value, _ in known}) < _FEWEST_ROUNDED:
        return None
    for divisor in _ROUNDED:
        for ratio in RATIOS:
            if ratio < 1 and all(value == divisible(other * ratio, divisor) for value, other in known):
                return ratio, "" if divisor == _ROUNDED[0] else f", {divisor}"
    return None
