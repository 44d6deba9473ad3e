"""The values of Python's operators and functions, with fractions in place of floats."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias

from cnndsl.functions import divisible, integer_power


class UnknownName(Exception):
    """Raised for a term that has no value in this scope."""


def applied(operator: str, values: list[object]) -> object:
    """Return the value of an operator or a function. Raises UnknownName for invalid operands."""
    if operator in ("==", "!="):
        return (values[0] == values[1]) == (operator == "==")
    if operator in ("and", "or", "not"):
        return _logic(operator, values)
    if operator in ("list", "tuple"):
        return tuple(values)
    numbers = [value for value in values if isinstance(value, int | float | Fraction) and not isinstance(value, bool)]
    if len(numbers) < len(values):
        raise UnknownName(operator)
    try:
        return _ARITHMETIC[operator](numbers)
    except (ArithmeticError, ValueError):
        raise UnknownName(operator) from None


def _logic(operator: str, values: list[object]) -> bool:
    if not all(isinstance(value, bool) for value in values):
        raise UnknownName(operator)
    if operator == "not":
        return not values[0]
    return all(values) if operator == "and" else any(values)


def _quotient(a: int | float | Fraction, b: int | float | Fraction) -> float:
    return float(Fraction(a) / Fraction(b))


_Numbers: TypeAlias = Sequence[int | float | Fraction]
_ARITHMETIC: Mapping[str, Callable[[_Numbers], object]] = {
    "+": sum,
    "*": lambda v: v[0] * v[1],
    "/": lambda v: _quotient(v[0], v[1]),
    "//": lambda v: v[0] // v[1],
    "%": lambda v: v[0] % v[1],
    "**": lambda v: integer_power(v[0], v[1]),
    "neg": lambda v: -v[0],
    "<": lambda v: v[0] < v[1],
    "<=": lambda v: v[0] <= v[1],
    ">": lambda v: v[0] > v[1],
    ">=": lambda v: v[0] >= v[1],
    "min": min,
    "max": max,
    "abs": lambda v: abs(v[0]),
    "divisible": lambda v: divisible(Fraction(v[0]) / Fraction(v[1]), int(v[2])),
}
