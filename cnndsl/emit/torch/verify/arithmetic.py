"""Python's operators and functions on plain values: its own arithmetic, with its rounding and its errors."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from cnndsl.emit.torch.verify.plain import LentList, is_a, items
from cnndsl.emit.torch.verify.values import LeafClass, NotUnderstood, Trouble, describe

_BITS = 4096
"""The size of the largest integers that are computed, in bits."""


def _divide(left: Any, right: Any) -> object:
    return left / right


def _divide_down(left: Any, right: Any) -> object:
    return left // right


def _power(left: Any, right: Any) -> object:
    return left**right


_BINARY: Mapping[type[ast.operator], Callable[..., object]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: _divide,
    ast.FloorDiv: _divide_down,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}

_COMPARE: Mapping[type[ast.cmpop], Callable[..., object]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}


def is_number(value: object) -> bool:
    """Return whether a value is an int, a bool, a float or a Fraction."""
    return isinstance(value, int | float | Fraction)


def is_plain(value: object) -> bool:
    """Return whether a value is a number, a string, a tuple or a list that was not passed to a module."""
    if isinstance(value, LentList):
        return False
    return is_number(value) or isinstance(value, str) or items(value) is not None


def binary(kind: type[ast.operator], left: object, right: object, line: int) -> object:
    """Return the result of an operator on numbers; sequences only support concatenation and repetition."""
    rule = _BINARY.get(kind)
    if rule is None:
        raise NotUnderstood(f"the operator `{kind.__name__}`", line)
    lists = [items(each) for each in (left, right) if is_a(each, list) or is_a(each, LentList)]
    if kind is ast.Add and len(lists) == 2:
        return [part for each in lists for part in each or ()]
    if not _joins(kind, left, right) and not (is_number(left) and is_number(right)):
        raise Trouble(f"`{kind.__name__}` of {describe(left)} and {describe(right)}", line)
    if kind is ast.Pow and (not isinstance(left, int) or _bits(left, right) > _BITS):
        raise NotUnderstood("a power of that size", line)
    try:
        value = rule(left, right)
    except (ArithmeticError, TypeError, ValueError) as stop:
        raise Trouble(f"{type(stop).__name__}: {stop}", line) from None
    return _small(value, line)


def _bits(base: int, exponent: object) -> int:
    """Return the approximate number of bits of a power, so that huge powers are never computed."""
    return base.bit_length() * abs(exponent) if isinstance(exponent, int) else _BITS + 1


def _joins(kind: type[ast.operator], left: object, right: object) -> bool:
    if kind is ast.Add:
        return not is_number(left) and is_plain(left) and is_plain(right) and is_a(right, type(left))
    if kind is not ast.Mult:
        return False
    number, other = (left, right) if isinstance(left, int) else (right, left)
    several = items(other)
    if isinstance(other, LentList):
        return False
    return isinstance(number, int) and several is not None and number * (len(several) + 1) < 100_000


def _small(value: object, line: int) -> object:
    if isinstance(value, int) and value.bit_length() > _BITS:
        raise NotUnderstood("a number of that size", line)
    return value


def unary(kind: type[ast.unaryop], value: object, line: int) -> object:
    """Return the result of a unary operator on a number."""
    if isinstance(value, int | float | Fraction):
        if kind is ast.USub:
            return -value
        if kind is ast.UAdd:
            return +value
    raise NotUnderstood(f"`{kind.__name__}` of {describe(value)}", line)


def compare(kind: type[ast.cmpop], left: object, right: object, line: int) -> bool:
    """Return the comparison of numbers, strings or tuples; other values only support identity and `== None`."""
    if kind in (ast.In, ast.NotIn):
        if isinstance(right, range) and is_number(left):
            return (left in right) is (kind is ast.In)
        several = items(right)
        if several is None:
            raise NotUnderstood(f"`in` {describe(right)}", line)
        return (left in several) is (kind is ast.In)
    rule = _COMPARE[kind]
    if kind in (ast.Is, ast.IsNot):
        if isinstance(left, LeafClass) and isinstance(right, LeafClass):
            return bool(rule(left, right))
        if left is None or right is None or isinstance(left, bool) or isinstance(right, bool):
            return bool(rule(left, right))
        raise NotUnderstood(f"`is` of {describe(left)} and {describe(right)}", line)
    nothing = kind in (ast.Eq, ast.NotEq) and (left is None or right is None)
    if not nothing and not all(is_plain(each) for each in (left, right)):
        raise NotUnderstood(f"the comparison of {describe(left)} and {describe(right)}", line)
    try:
        return bool(rule(left, right))
    except TypeError as stop:
        raise Trouble(f"TypeError: {stop}", line) from None


def truth(value: object, line: int) -> bool:
    """Return the truth value of a plain value. Raises NotUnderstood for tensors and modules."""
    if value is None or is_plain(value):
        return bool(value)
    raise NotUnderstood(f"{describe(value)} as a truth", line)


def _divided(*given: Any) -> object:
    return Fraction(*given)


FUNCTIONS: Mapping[str, Callable[..., object]] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "min": min,
    "max": max,
    "abs": abs,
    "round": round,
    "sum": sum,
    "Fraction": _divided,
    "math.floor": math.floor,
    "math.ceil": math.ceil,
    "math.trunc": math.trunc,
    "math.prod": math.prod,
    "math.isclose": math.isclose,
}
"""Functions on plain values."""


def apply(name: str, given: Sequence[object], named: Mapping[str, object], line: int) -> object:
    """Return the result of a Python function on numbers and strings. Raises Trouble if Python would raise an error."""
    for each in given:
        parts = (each,) if items(each) is None else items(each) or ()
        if not all(is_number(part) or isinstance(part, str) for part in parts):
            raise NotUnderstood(f"`{name}` of {describe(each)}", line)
    if named:
        raise NotUnderstood(f"`{name}` with named arguments", line)
    try:
        return _small(FUNCTIONS[name](*given), line)
    except (ArithmeticError, TypeError, ValueError) as stop:
        raise Trouble(f"{type(stop).__name__}: {stop}", line) from None
