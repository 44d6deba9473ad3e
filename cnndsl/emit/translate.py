"""The language's expressions as terms of Python.

The language counts in fractions, Python's widths are integers: what may be fractional on the way is kept as a
numerator over a denominator, so that `C/2` becomes `in_channels // 2` and `ceil(c/3)` becomes `-(-c // 3)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from cnndsl.emit.terms import Const, Op, Term, add, constant, floordiv, mul
from cnndsl.expr import COMPARISONS, Binary, Call, Expr, Literal, Name, Unary

Look = Callable[[str], Term | None]
"""What a name of the language is in Python; None for a name that Python does not have there."""


class Untranslatable(Exception):
    """An expression that has no counterpart in the emitted code."""


_ONE = Const(1)


@dataclass(frozen=True, slots=True)
class _Ratio:
    over: Term
    under: Term = _ONE


def translate(expr: Expr, look: Look) -> Term | None:
    """The term of an expression; None where there is none.

    A quotient that the language would find fractional is rounded down: whoever uses the term checks its value.
    """
    try:
        if _is_logical(expr):
            return _logical(expr, look)
        ratio = _ratio(expr, look)
    except Untranslatable:
        return None
    return floordiv(ratio.over, ratio.under)


def _is_logical(expr: Expr) -> bool:
    if isinstance(expr, Unary):
        return expr.operator == "not"
    return isinstance(expr, Binary) and (expr.operator in COMPARISONS or expr.operator in ("and", "or"))


def _logical(expr: Expr, look: Look) -> Term:
    if isinstance(expr, Unary) and expr.operator == "not":
        return Op("not", (_logical(expr.operand, look),))
    if isinstance(expr, Binary) and expr.operator in ("and", "or"):
        return Op(expr.operator, (_logical(expr.left, look), _logical(expr.right, look)))
    if isinstance(expr, Binary) and expr.operator in COMPARISONS:
        left, right = _ratio(expr.left, look), _ratio(expr.right, look)
        return Op(expr.operator, (mul(left.over, right.under), mul(right.over, left.under)))
    return _ratio(expr, look).over


def _ratio(expr: Expr, look: Look) -> _Ratio:
    if isinstance(expr, Literal):
        return _literal(expr)
    if isinstance(expr, Name):
        found = look(expr.name)
        if found is None:
            raise Untranslatable
        return _Ratio(found)
    if isinstance(expr, Unary) and expr.operator == "-":
        ratio = _ratio(expr.operand, look)
        return _Ratio(mul(Const(-1), ratio.over), ratio.under)
    if isinstance(expr, Binary):
        return _binary(expr.operator, _ratio(expr.left, look), _ratio(expr.right, look))
    if isinstance(expr, Call):
        return _call(expr.function, [_ratio(argument, look) for argument in expr.arguments])
    raise Untranslatable


def _literal(expr: Literal) -> _Ratio:
    if isinstance(expr.value, Fraction):
        return _Ratio(Const(expr.value.numerator), Const(expr.value.denominator))
    if isinstance(expr.value, bool | int):
        return _Ratio(Const(expr.value))
    raise Untranslatable


def _binary(operator: str, left: _Ratio, right: _Ratio) -> _Ratio:
    if operator in ("+", "-"):
        sign = Const(1 if operator == "+" else -1)
        if left.under == right.under:
            return _Ratio(add(left.over, mul(sign, right.over)), left.under)
        crossed = add(mul(left.over, right.under), mul(sign, mul(right.over, left.under)))
        return _Ratio(crossed, mul(left.under, right.under))
    if operator == "*":
        return _reduced(mul(left.over, right.over), mul(left.under, right.under))
    if operator == "/":
        return _reduced(mul(left.over, right.under), mul(left.under, right.over))
    over, under = mul(left.over, right.under), mul(left.under, right.over)
    if operator == "//":
        return _Ratio(floordiv(over, under))
    if operator == "%" and left.under == right.under == Const(1):
        return _Ratio(Op("%", (over, under)))
    raise Untranslatable


def _reduced(over: Term, under: Term) -> _Ratio:
    a, b = constant(over), constant(under)
    if a is None or not b:
        return _Ratio(over, under)
    fraction = Fraction(a, b)
    return _Ratio(Const(fraction.numerator), Const(fraction.denominator))


def _call(function: str, arguments: list[_Ratio]) -> _Ratio:
    first = arguments[0]
    if function == "floor":
        return _Ratio(floordiv(first.over, first.under))
    if function == "ceil":
        if first.under == Const(1):
            return first
        return _Ratio(Op("neg", (floordiv(Op("neg", (first.over,)), first.under),)))
    if function == "round":
        return _Ratio(floordiv(add(mul(Const(2), first.over), first.under), mul(Const(2), first.under)))
    if function == "divisible":
        value = first.over if first.under == Const(1) else Op("/", (first.over, first.under))
        return _Ratio(Op("divisible", (value, *(each.over for each in arguments[1:]))))
    if all(each.under == Const(1) for each in arguments):
        return _Ratio(Op(function, tuple(each.over for each in arguments)))
    raise Untranslatable
