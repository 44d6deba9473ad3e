"""The language's expressions as Python terms, which agree for all values of their names.

The language computes with fractions; emitted code computes with integers. Intermediate fractions are kept as a
numerator over a denominator: `C/2` is `in_channels // 2` if an integer is required (and the remainder is checked),
`ceil(c/3)` is `(c + 2) // 3`, and a rate `i/20` is one division of integers, which Python rounds as the compiler does.
A name that may hold a fraction is a float in Python; it can be passed on and compared, but not used in arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import cast

from cnndsl.emit.torch.terms import Const, Op, Term, Var, add, ceildiv, constant, divides, floordiv, mul, op, summands
from cnndsl.expr import COMPARISONS
from cnndsl.expressions import Binary, Call, ChoiceExpr, Expr, IndexExpr, Literal, Name, Unary
from cnndsl.records import record

Look = Callable[[str], Term | None]
"""Maps a name of the language to a Python term; None for a name that Python does not have there."""


class _Untranslatable(Exception):
    """Raised for an expression that has no exact counterpart in the emitted code."""


@record(slots=True)
class Ratio:
    """A numerator over a denominator."""

    over: Term
    under: Term = Const(1)


@record(slots=True)
class Whole:
    """A term that is an integer, if `divisor` divides `dividend`; without a dividend it always is."""

    term: Term
    dividend: Term | None = None
    divisor: Term | None = None


def whole(expr: Expr, look: Look) -> Whole | None:
    """Translate the expression of an integer option; None if there is no exact translation."""
    if isinstance(expr, ChoiceExpr):
        return _whole_choice(expr, look)
    try:
        ratio = _ratio(expr, look)
    except _Untranslatable:
        return None
    if isinstance(ratio.over, Var) and not ratio.over.whole:
        return None
    if isinstance(ratio.over, Const) and isinstance(ratio.under, Const):
        return _constant(ratio)
    by = constant(ratio.under)
    if by is not None and by and divides(ratio.over, by):
        return Whole(floordiv(ratio.over, ratio.under))
    return Whole(floordiv(ratio.over, ratio.under), ratio.over, ratio.under)


def _whole_choice(expr: ChoiceExpr, look: Look) -> Whole | None:
    """Translate `c // 4 if wide else c // 16`: each branch divides separately."""
    holds, chosen, other = test(expr.test, look), whole(expr.chosen, look), whole(expr.other, look)
    if holds is None or chosen is None or other is None:
        return None
    term = _either(holds, chosen.term, other.term)
    if chosen.dividend is None and other.dividend is None:
        return Whole(term)
    dividends = (chosen.dividend or chosen.term, other.dividend or other.term)
    divisors = (chosen.divisor or Const(1), other.divisor or Const(1))
    return Whole(term, _either(holds, *dividends), _either(holds, *divisors))


def _either(holds: Term, chosen: Term, other: Term) -> Term:
    return chosen if chosen == other else op("if", holds, chosen, other)


def is_followed(term: Term) -> bool:
    """Return whether Python computes a term as the compiler does for all values of its names: not a power, whose
    exponent may be negative, nor a choice, of which the compiler computes one branch only."""
    if not isinstance(term, Op):
        return True
    return term.operator not in ("**", "if") and all(map(is_followed, term.operands))


def wants_integers(found: Whole) -> bool:
    """Return whether a width is an integer only if the name in it is one: `n`, `n + 1`, `n/2`, but not `2*n` or
    `ceil(n)`.

    The language allows fractions for a parameter without a domain, and `2*n` is a valid width if `n` is 10.5. A class
    that is given a float could not follow it.
    """
    dividend, divisor = found.dividend or found.term, constant(found.divisor or Const(1))
    weights = dict(summands(dividend))
    offset = weights.pop(Const(1), 0)
    return (
        divisor is not None
        and offset % divisor == 0
        and len(weights) == 1
        and all(isinstance(atom, Var) and abs(weight) == 1 for atom, weight in weights.items())
    )


def _constant(ratio: Ratio) -> Whole | None:
    over, under = constant(ratio.over), constant(ratio.under)
    if over is None or not under:
        return Whole(ratio.over) if ratio.under == Const(1) else None
    return Whole(Const(over // under)) if over % under == 0 else None


def real(expr: Expr, look: Look) -> Term | None:
    """Translate the expression of an option of real numbers; None if there is no exact translation."""
    try:
        ratio = _ratio(expr, look)
    except _Untranslatable:
        return None
    over, under = constant(ratio.over), constant(ratio.under)
    if over is not None and under:
        fraction = Fraction(over, under)
        return Const(fraction.numerator if fraction.denominator == 1 else float(fraction))
    return ratio.over if ratio.under == Const(1) else Op("/", (ratio.over, ratio.under))


def test(expr: Expr, look: Look) -> Term | None:
    """Translate a condition; None if there is no exact translation."""
    try:
        return _logical(expr, look)
    except _Untranslatable:
        return None


def _logical(expr: Expr, look: Look) -> Term:
    if isinstance(expr, Unary) and expr.operator == "not":
        return op("not", _logical(expr.operand, look))
    if isinstance(expr, Binary) and expr.operator in ("and", "or"):
        return _both(expr.operator, _logical(expr.left, look), _logical(expr.right, look))
    if isinstance(expr, Binary) and expr.operator in COMPARISONS:
        return _compared(expr.operator, _ratio(expr.left, look), _ratio(expr.right, look))
    ratio = _ratio(expr, look)
    if ratio.under != Const(1):
        raise _Untranslatable
    return ratio.over


def _both(operator: str, left: Term, right: Term) -> Term:
    """Combine two conditions; one that is constant decides, or is omitted."""
    for known, other in ((left, right), (right, left)):
        if isinstance(known, Const) and isinstance(known.value, bool):
            return known if known.value == (operator == "or") else other
    return op(operator, left, right)


def _compared(operator: str, left: Ratio, right: Ratio) -> Term:
    for name, other in ((left, right), (right, left)):
        if isinstance(name.over, Var) and not name.over.whole and constant(other.over) is not None:
            term = Const(float(Fraction(_integer(other.over), _integer(other.under))))
            return op(operator, *((name.over, term) if name is left else (term, name.over)))
    for ratio in (left, right):
        if (constant(ratio.under) or 0) < 1:
            raise _Untranslatable
    return op(operator, mul(left.over, right.under), mul(right.over, left.under))


def _integer(term: Term) -> int:
    number = constant(term)
    if number is None:
        raise _Untranslatable
    return number


def _ratio(expr: Expr, look: Look) -> Ratio:
    if isinstance(expr, Literal):
        return of_value(expr.value)
    if isinstance(expr, Name | IndexExpr):
        return _split(_known(expr, look))
    if isinstance(expr, Unary) and expr.operator == "-":
        ratio = _counted(_ratio(expr.operand, look))
        return Ratio(mul(Const(-1), ratio.over), ratio.under)
    if isinstance(expr, Binary):
        left, right = _counted(_ratio(expr.left, look)), _counted(_ratio(expr.right, look))
        return _reduced(_binary(expr.operator, left, right))
    if isinstance(expr, ChoiceExpr):
        return _choice(_logical(expr.test, look), _ratio(expr.chosen, look), _ratio(expr.other, look))
    if isinstance(expr, Call) and expr.function == "default":
        return _ratio(expr.arguments[0], lambda name: look(f"::{name}"))
    if isinstance(expr, Call):
        return _reduced(_call(expr.function, [_counted(_ratio(argument, look)) for argument in expr.arguments]))
    raise _Untranslatable


def _known(expr: Name | IndexExpr, look: Look) -> Term:
    """Return the term of a name, or of the item of a list that a name indexes."""
    found = look(expr.name) if isinstance(expr, Name) else _item(expr, look)
    if found is None:
        raise _Untranslatable
    return found


def _item(expr: IndexExpr, look: Look) -> Term | None:
    """Return the item of a list: one that a name indexes, or one of a list of numbers."""
    if not isinstance(expr.base, Name):
        return None
    counted = look(f"{expr.base.name}[{expr.index.name}]") if isinstance(expr.index, Name) else None
    listed = look(f"{expr.base.name}[]")
    items = listed.value if isinstance(listed, Const) else None
    if counted is not None or not isinstance(items, tuple):
        return counted
    at, known = constant(_ratio(expr.index, look).over), cast("tuple[object, ...]", items)
    return Const(known[at - 1]) if at is not None and 0 < at <= len(known) else None


def of_value(value: object) -> Ratio:
    """Return a number as a numerator over a denominator."""
    if isinstance(value, float):
        value = Fraction(repr(value))
    if isinstance(value, Fraction):
        return Ratio(Const(value.numerator), Const(value.denominator))
    if isinstance(value, bool | int):
        return Ratio(Const(value))
    if isinstance(value, tuple):
        return Ratio(Const(cast("tuple[int, ...]", value)))
    raise _Untranslatable


def _split(term: Term) -> Ratio:
    if isinstance(term, Const) and isinstance(term.value, float | Fraction):
        return of_value(term.value)
    if isinstance(term, Op) and term.operator == "/":
        return Ratio(*term.operands)
    return Ratio(term)


def _counted(ratio: Ratio) -> Ratio:
    """Return a ratio, if it consists of integers and so can be computed with."""
    for term in (ratio.over, ratio.under):
        if isinstance(term, Var) and not term.whole:
            raise _Untranslatable
        if isinstance(term, Const) and constant(term) is None:
            raise _Untranslatable
    return ratio


def _binary(operator: str, left: Ratio, right: Ratio) -> Ratio:
    if operator in ("+", "-"):
        sign = Const(1 if operator == "+" else -1)
        if left.under == right.under:
            return Ratio(add(left.over, mul(sign, right.over)), left.under)
        crossed = add(mul(left.over, right.under), mul(sign, mul(right.over, left.under)))
        return Ratio(crossed, mul(left.under, right.under))
    if operator == "*":
        return Ratio(mul(left.over, right.over), mul(left.under, right.under))
    if operator == "/":
        return Ratio(mul(left.over, right.under), mul(left.under, right.over))
    over, under = mul(left.over, right.under), mul(left.under, right.over)
    if operator == "//":
        return Ratio(floordiv(over, under))
    if operator == "%":
        return Ratio(op("%", over, under), mul(left.under, right.under))
    if operator == "**":
        return _power(left, right)
    raise _Untranslatable


def _power(base: Ratio, exponent: Ratio) -> Ratio:
    """Return a power; a base with a negative exponent moves to the denominator."""
    if exponent.under != Const(1):
        raise _Untranslatable
    over, under, power = base.over, base.under, exponent.over
    if all(weight < 0 for _, weight in summands(power)):
        over, under, power = under, over, mul(Const(-1), power)
    return Ratio(_raised(over, power), _raised(under, power))


def _raised(base: Term, power: Term) -> Term:
    return base if power == Const(1) or base == Const(1) else op("**", base, power)


def _choice(holds: Term, chosen: Ratio, other: Ratio) -> Ratio:
    if chosen.under == other.under:
        return Ratio(_either(holds, chosen.over, other.over), chosen.under)
    crossed = (mul(chosen.over, other.under), mul(other.over, chosen.under))
    return Ratio(_either(holds, *crossed), mul(chosen.under, other.under))


def _reduced(ratio: Ratio) -> Ratio:
    """Cancel common factors of numerator and denominator."""
    a, b = constant(ratio.over), constant(ratio.under)
    if b is None or b == 0:
        return ratio
    if a is not None:
        fraction = Fraction(a, b)
        return Ratio(Const(fraction.numerator), Const(fraction.denominator))
    if b < 0:
        return _reduced(Ratio(mul(Const(-1), ratio.over), Const(-b)))
    for factor in range(b, 1, -1) if b < 1000 else (b,):
        if b % factor == 0 and divides(ratio.over, factor):
            return Ratio(floordiv(ratio.over, Const(factor)), Const(b // factor))
    return ratio


def _call(function: str, arguments: list[Ratio]) -> Ratio:
    first = arguments[0]
    if function == "floor":
        return Ratio(floordiv(first.over, first.under))
    if function == "ceil":
        return Ratio(ceildiv(first.over, first.under))
    if function == "round":
        return Ratio(floordiv(add(mul(Const(2), first.over), first.under), mul(Const(2), first.under)))
    if function == "divisible":
        divisor = arguments[1].over if len(arguments) > 1 else Const(8)
        return Ratio(op("divisible", first.over, first.under, divisor))
    if function not in ("min", "max", "abs") or any((constant(each.under) or 0) < 1 for each in arguments):
        raise _Untranslatable
    if len(arguments) == 1 and function != "abs":
        return first
    under = Const(1)
    for each in arguments:
        under = each.under if under == Const(1) else under if under == each.under else mul(under, each.under)
    scaled = [floordiv(mul(each.over, under), each.under) for each in arguments]
    return Ratio(op(function, *scaled), under)
