"""Evaluate expressions of the language.

Arithmetic is exact (integers and fractions); Python's `eval` is never used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import TypeAlias

from cnndsl.errors import Annotation, CnnError, Diagnostic, Help, Span, closest, meant, replacement, unmistakable
from cnndsl.expressions import (
    Binary,
    Call,
    ChoiceExpr,
    Expr,
    IndexExpr,
    ListExpr,
    Literal,
    Name,
    Path,
    ReferenceExpr,
    ShapeExpr,
    SliceExpr,
    Unary,
)
from cnndsl.functions import FUNCTIONS, OF_A_LIST, OF_NUMBERS_OR_A_LIST, bits_of_power
from cnndsl.limits import current
from cnndsl.range_fixes import counted_from_one, elements_downwards, python_range, python_reversed
from cnndsl.values import (
    Later,
    ListValue,
    Number,
    OutputSymbol,
    Symbol,
    Unknown,
    Value,
    equal,
    excess,
    is_bounded,
    items_of,
    show,
)

ValueScope: TypeAlias = Mapping[str, Value]


_ARITHMETIC: Mapping[str, Callable[[Number, Number], Number]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: Fraction(a) / Fraction(b),
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
}
_ORDER: Mapping[str, Callable[[Number, Number], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
COMPARISONS = frozenset(_ORDER) | {"==", "!="}


_AXES = dict.fromkeys("CHWD", "C, H and W, the input shape of a part, exist only in the network and in blocks")
_HINTS: Mapping[str, str] = {
    "i": "`i` is the number of the iteration, known only inside a repeat `[…]*n`",
    **_AXES,
}
"""The help for names that are often assumed to be defined."""
TRUTHS = {
    **dict.fromkeys(("true", "True", "TRUE", "on", "Yes", "YES"), "yes"),
    **dict.fromkeys(("false", "False", "FALSE", "off", "No", "NO", "None", "none"), "no"),
}
_FUNCTIONS_ELSEWHERE = {"int": "floor", "trunc": "floor", "ceiling": "ceil", "size": "len", "length": "len"}
"""Booleans and functions under the names that other languages use."""


def error(code: str, message: str, span: Span, help: Help = "", label: str = "") -> CnnError:
    """Return a CnnError with one diagnostic."""
    return CnnError(Diagnostic(code, message, span, label).advised(help))


def evaluate(expr: Expr, scope: ValueScope) -> Value:
    """Return the value of an expression in a scope.

    Raises CnnError for an unknown name, a division by zero, operands of the wrong type, a number out of bounds, or an
    index out of range.
    """
    if isinstance(expr, Literal):
        return expr.value
    if isinstance(expr, Name):
        return _look_up(expr, scope)
    if isinstance(expr, Unary):
        return _unary(expr, scope)
    if isinstance(expr, Binary):
        return _binary(expr, scope)
    if isinstance(expr, Call):
        return _call(expr, scope)
    if isinstance(expr, Path):
        dotted = ".".join(expr.names)
        help = "C, H and W are the input shape of a part"
        raise error("E0204", f"`{dotted}` is only allowed in an `assert`", expr.span, help)
    if isinstance(expr, ReferenceExpr):
        raise error("E0205", "a reference is not a number", expr.span)
    return _composed(expr, scope)


def _composed(expr: ListExpr | ShapeExpr | IndexExpr | SliceExpr | ChoiceExpr, scope: ValueScope) -> Value:
    if isinstance(expr, ListExpr):
        return _list(tuple(evaluate(each, scope) for each in expr.items), expr.span)
    if isinstance(expr, ShapeExpr):
        return tuple(_whole(each, scope, "an extent") for each in expr.extents)
    if isinstance(expr, ChoiceExpr):
        return evaluate(expr.chosen if truth(expr.test, scope) else expr.other, scope)
    return element(expr, evaluate(expr.base, scope), scope)


def given(expr: Expr, scope: ValueScope, word: Callable[[Name | ReferenceExpr], Value]) -> Value:
    """Return the value of an expression that may have undefined names and references: `word` returns their values.

    They are also allowed as elements of a list literal and as branches of an `if`.

    >>> from cnndsl.errors import Source
    >>> from cnndsl.values import NameSymbol
    >>> here = Span(Source("", ""), 0, 0)
    >>> row = ListExpr((Name("RELU", here), Name("n", here)), here)
    >>> given(row, {"n": 2}, lambda word: NameSymbol("…"))
    ListValue(items=(NameSymbol(name='…'), 2))
    """
    if isinstance(expr, ReferenceExpr) or (isinstance(expr, Name) and expr.name not in scope):
        return word(expr)
    if isinstance(expr, ListExpr):
        return _list(tuple(given(each, scope, word) for each in expr.items), expr.span)
    if isinstance(expr, ChoiceExpr):
        return given(expr.chosen if truth(expr.test, scope) else expr.other, scope, word)
    if isinstance(expr, IndexExpr | SliceExpr):
        return element(expr, given(expr.base, scope, word), scope)
    return evaluate(expr, scope)


def _list(items: tuple[Value, ...], span: Span) -> ListValue:
    made, most = ListValue(items), current().elements
    if made.size > most:
        raise error("E0203", f"a list may have at most {most:,} elements; this one has {made.size:,}", span)
    return made


def element(expr: IndexExpr | SliceExpr, base: Value, scope: ValueScope) -> Value:
    """Return the element of a list at an index, or the elements of a slice. Raises CnnError if they don't exist."""
    items = items_of(base)
    if items is None:
        message = f"only a list has elements, but this is {described(base)}"
        raise error("E0205", message, expr.base.span, "a list is written `(32, 64, 128)`")
    if isinstance(expr, IndexExpr):
        at = _whole(expr.index, scope, "an index")
        if not 1 <= at <= len(items):
            raise _beyond(expr.base, items, at, expr.index.span)
        return items[at - 1]
    first, last = (_whole(each, scope, "an index") for each in (expr.first, expr.last))
    if last < first - 1:
        message = f"the range {first}..{last} is invalid: a range runs upwards"
        place = expr.first.span.to(expr.last.span)
        raise error("E0213", message, place, elements_downwards(expr.span, expr.base.span.text, first, last))
    if first <= last and not 1 <= first <= len(items):
        raise _beyond(expr.base, items, first, expr.first.span)
    if first <= last and last > len(items):
        raise _beyond(expr.base, items, last, expr.last.span)
    return ListValue(items[max(first - 1, 0) : last])


def _beyond(base: Expr, items: tuple[Value, ...], at: int, span: Span) -> CnnError:
    name = f"`{base.span.text}`"
    if not items:
        return error("E0210", f"{name} is empty, so it has no element {at}", span)
    has = "the elements 1 to" if len(items) > 1 else "only element"
    message = f"index {at} is out of range: {name} has {has} {len(items)}"
    help = "lists are indexed from 1" if at == 0 else f"the last one is `{base.span.text}[{len(items)}]`"
    if at == 0:
        counted = counted_from_one(span, len(items))
        if counted is not None:
            return error("E0210", message, span, replace(counted, otherwise=help))
    return error("E0210", message, span, help if "\n" not in help else "")


def _whole(expr: Expr, scope: ValueScope, what: str) -> int:
    value = number(expr, scope)
    if isinstance(value, Fraction):
        raise error("E0208", f"{what} must be an integer, not {show(value)}", expr.span)
    return value


def described(value: Value) -> str:
    """Describe a value in a message; for a long list, give its length."""
    text = show(value)
    if isinstance(value, ListValue):
        return f"the list {text}" if len(text) <= 30 else f"a list of {len(value.items)} elements"
    return f"`{text}`" if isinstance(value, bool) else text


def number(expr: Expr, scope: ValueScope) -> Number:
    """Return the value of an expression that must be a number. Raises CnnError if it is not."""
    return _number(evaluate(expr, scope), expr)


def truth(expr: Expr, scope: ValueScope) -> bool:
    """Return the value of an expression that must be yes or no. Raises CnnError if it is not."""
    value = evaluate(expr, scope)
    if not isinstance(value, bool):
        is_number = isinstance(value, int | Fraction)
        test = f"{expr.span.text} > 0" if is_number else f"{expr.span.text} == {show(value)}"
        help = f"compare it with something: `{test}`" if not isinstance(value, Symbol) else ""
        if isinstance(value, OutputSymbol):
            help = f"test whether there is one: `{expr.span.text} != no`"
        found = f"the number {show(value)}" if is_number else described(value)
        raise error("E0205", f"expected `yes` or `no` as the condition, found {found}", expr.span, help)
    return value


def _look_up(expr: Name, scope: ValueScope) -> Value:
    if expr.name in scope:
        value = scope[expr.name]
        if isinstance(value, Unknown):
            raise CnnError(())
        if isinstance(value, Later):
            message, others = f"`{expr.name}` is used before it is defined", (Annotation(value.span, "defined here"),)
            raise CnnError(Diagnostic("E0201", message, expr.span, "", others, help=f"move `let {expr.name}` up"))
        return value
    define = f"define it, `let {expr.name} = …`, or make it a parameter of the net"
    close = closest(expr.name, [*scope, *FUNCTIONS])
    help: Help = _HINTS.get(expr.name) or (meant(expr.span, close) if close else define)
    if expr.name in TRUTHS:
        help = replacement(expr.span, TRUTHS[expr.name])
    message = f"`{expr.name}` is not known here" if expr.name in _HINTS else f"no value is called `{expr.name}` here"
    raise error("E0201", message, expr.span, help)


def _number(value: Value, expr: Expr) -> Number:
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        help = f"an element of it is `{expr.span.text}[1]`" if _is_indexable(value, expr) else ""
        if isinstance(value, bool):
            help = f"a number that depends on a test is `1 if {expr.span.text} else 0`"
        raise error("E0205", f"expected a number, found {described(value)}", expr.span, help)
    return value


def _is_indexable(value: Value, expr: Expr) -> bool:
    return isinstance(value, ListValue) and bool(value.items) and isinstance(expr, Name | IndexExpr)


def _bounded(value: Number, span: Span) -> Number:
    if not is_bounded(value):
        raise _too_large(excess(value), span)
    return value.numerator if value.denominator == 1 else value


def _too_large(how: str, span: Span) -> CnnError:
    is_fraction = "denominator" in how
    return error("E0203", f"this number {how}", span, "round it" if is_fraction else "use a smaller number")


def _unary(expr: Unary, scope: ValueScope) -> Value:
    if expr.operator == "not":
        return not truth(expr.operand, scope)
    return -number(expr.operand, scope)


def _binary(expr: Binary, scope: ValueScope) -> Value:
    op = expr.operator
    if op == "and":
        return truth(expr.left, scope) and truth(expr.right, scope)
    if op == "or":
        return truth(expr.left, scope) or truth(expr.right, scope)
    left, right = evaluate(expr.left, scope), evaluate(expr.right, scope)
    if op in ("==", "!="):
        return equal(left, right) == (op == "==")
    a, b = _number(left, expr.left), _number(right, expr.right)
    if op in _ORDER:
        return _ORDER[op](a, b)
    if op == "**":
        return _power(a, b, expr)
    if b == 0 and op in ("/", "//", "%"):
        raise error("E0202", "division by zero", expr.right.span, f"`{expr.right.span.text}` is 0 here")
    return _bounded(_ARITHMETIC[op](a, b), expr.span)


def _power(base: Number, exponent: Number, expr: Binary) -> Number:
    """Return an exact power. One that is certainly too large is not computed."""
    if isinstance(exponent, Fraction):
        message = f"an exponent must be an integer, not {show(exponent)}"
        raise error("E0208", message, expr.right.span, "roots are not supported, since all numbers are exact")
    if base == 0 and exponent < 0:
        raise error("E0202", f"division by zero: 0 ** {exponent} is 1/0", expr.span)
    if bits_of_power(base, exponent) > 4 * current().digits:
        grows = abs(base) > 1 if exponent > 0 else abs(base) < 1
        beyond = Fraction(10) ** (current().digits + 1)
        raise _too_large(excess(beyond if grows else 1 / beyond), expr.span)
    return _bounded(Fraction(base) ** exponent, expr.span)


def _call(expr: Call, scope: ValueScope) -> Number:
    if expr.function not in FUNCTIONS:
        place = Span(expr.span.source, expr.span.start, expr.span.start + len(expr.function))
        close = _FUNCTIONS_ELSEWHERE.get(expr.function) or unmistakable(expr.function, list(FUNCTIONS))
        help = meant(place, close) if close else f"there are {', '.join(FUNCTIONS)}"
        if expr.function == "range":
            help = python_range(expr) or help
        elif expr.function == "reversed":
            name = expr.arguments[0] if expr.arguments else None
            items = items_of(scope[name.name]) if isinstance(name, Name) and name.name in scope else None
            help = python_reversed(expr, items) or help
        raise error("E0201", f"no function is called `{expr.function}`", place, help)
    function, fewest, most = FUNCTIONS[expr.function]
    if not fewest <= len(expr.arguments) <= most:
        wanted = str(fewest) if fewest == most else f"{fewest} to {most}"
        noun = "argument" if wanted == "1" else "arguments"
        given = f"{len(expr.arguments)} {'was' if len(expr.arguments) == 1 else 'were'} given"
        message = f"`{expr.function}` takes {wanted} {noun}, but {given}"
        list_or_number = "widths" if expr.function in ("len", "sum") else "7/2"
        advice = f"for example, `{expr.function}({list_or_number})`" if most == 1 else ""
        raise error("E0206", message, expr.span, advice)
    arguments = _arguments(expr, scope)
    if expr.function == "divisible" and len(arguments) == 2 and not _is_positive_integer(arguments[1]):
        raise error("E0206", f"the divisor must be a positive integer, not {show(arguments[1])}", expr.span)
    return _bounded(function(*arguments), expr.span)


def _is_positive_integer(value: Value) -> bool:
    return isinstance(value, int) and value > 0


def _arguments(expr: Call, scope: ValueScope) -> tuple[Value, ...]:
    """Return the arguments of a function; for one that takes a list, the list's elements."""
    values = [evaluate(argument, scope) for argument in expr.arguments]
    elements = items_of(values[0]) if len(values) == 1 else None
    if expr.function in OF_A_LIST:
        return _elements(expr, values[0], elements)
    if expr.function in OF_NUMBERS_OR_A_LIST and elements is not None:
        if not elements:
            raise error("E0206", f"an empty list has no `{expr.function}`", expr.span)
        return _numbers(expr, elements)
    return tuple(map(_number, values, expr.arguments))


def _elements(expr: Call, value: Value, elements: tuple[Value, ...] | None) -> tuple[Value, ...]:
    if elements is None:
        message = f"`{expr.function}` takes a list, not {described(value)}"
        is_number = isinstance(value, int | Fraction) and not isinstance(value, bool)
        help = f"a list of this one number is `({show(value)},)`" if is_number else ""
        raise error("E0206", message, expr.arguments[0].span, help)
    return elements if expr.function == "len" else _numbers(expr, elements)


def _numbers(expr: Call, elements: tuple[Value, ...]) -> tuple[Number, ...]:
    for at, each in enumerate(elements, 1):
        if isinstance(each, bool) or not isinstance(each, int | Fraction):
            message = f"`{expr.function}` takes a list of numbers, but element {at} is {described(each)}"
            raise error("E0205", message, expr.arguments[0].span)
    return tuple(each for each in elements if isinstance(each, int | Fraction))
