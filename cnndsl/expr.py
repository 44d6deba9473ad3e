"""Arithmetic of the language: the tree of an expression, and its value.

Expressions are evaluated here, exactly (integers and fractions), never by Python's `eval`. The tree travels into
the graph, so that the emitted source can say `4 * c` where the file does. Printing one is `syntax.format`'s.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import TypeAlias

from cnndsl.errors import Annotation, CnnError, Diagnostic, Span, nearest
from cnndsl.limits import current
from cnndsl.records import record


class Symbol:
    """A value that is not a number: a layer kind, a block, a name. Subclasses say which."""

    def __str__(self) -> str:
        return type(self).__name__


class Unknown(Symbol):
    """The value of what went wrong: that was reported where it did, and all that depends on it stays silent."""

    def __str__(self) -> str:
        return "…"


@record
class NameSymbol(Symbol):
    """A name as a value: of a layer type or a block."""

    name: str

    def __str__(self) -> str:
        return f"the name `{self.name}`"


@record
class OutputSymbol(Symbol):
    """An output as a value: `@enc1`."""

    name: str

    def __str__(self) -> str:
        return f"the output `@{self.name}`"


@record
class Later(Symbol):
    """The value of a `let` that stands only further down, at `span`."""

    span: Span


def plain_value(value: Value) -> Value:
    """Return a value without what an elaboration knows besides: of a name or an output its name alone."""
    if isinstance(value, NameSymbol):
        return NameSymbol(value.name)
    return OutputSymbol(value.name) if isinstance(value, OutputSymbol) else value


Number: TypeAlias = int | Fraction
Value: TypeAlias = int | Fraction | bool | tuple[int, ...] | Symbol


@record(slots=True)
class Literal:
    """A number, a truth value (`yes`, `no`) or a shape (`14x14x1024`), as written."""

    value: Value
    text: str
    span: Span


@record(slots=True)
class Name:
    """A name that stands for a value: `n`."""

    name: str
    span: Span


@record(slots=True)
class Path:
    """A fact of a part: `layer3.output`."""

    names: tuple[str, ...]
    span: Span


@record(slots=True)
class ReferenceExpr:
    """`@name`: an output, as the argument of a layer or as the start of a branch. Parts are texts and holes."""

    parts: tuple[str | Expr, ...]
    span: Span


@record(slots=True)
class Unary:
    """An operator before its operand: `-n`, `not a`."""

    operator: str
    operand: Expr
    span: Span


@record(slots=True)
class Binary:
    """An operator between two operands: `2*n`, `a < b`."""

    operator: str
    left: Expr
    right: Expr
    span: Span


@record(slots=True)
class Call:
    """A call of a built-in function: `max(a, b)`."""

    function: str
    arguments: tuple[Expr, ...]
    span: Span


Expr: TypeAlias = Literal | Name | Path | ReferenceExpr | Unary | Binary | Call
ValueScope: TypeAlias = Mapping[str, Value]


def divisible(value: Number, divisor: int = 8) -> int:
    """The multiple of `divisor` nearest to the value, never below 90% of it nor below the divisor.

    Source: Howard et al. 2017, in the code that MobileNet was published with (`make_divisible`).

    >>> divisible(Fraction(33, 1)), divisible(Fraction(3, 1))
    (32, 8)
    """
    rounded = max(divisor, math.floor(value + Fraction(divisor, 2)) // divisor * divisor)
    return rounded + divisor if rounded < Fraction(9, 10) * value else rounded


def _round(value: Number) -> int:
    """Halves are rounded up, as on paper."""
    return math.floor(value + Fraction(1, 2))


def _absolute(value: Number) -> Number:
    return -value if value < 0 else value


def _least(*numbers: Number) -> Number:
    return min(numbers)


def _greatest(*numbers: Number) -> Number:
    return max(numbers)


FUNCTIONS: Mapping[str, tuple[Callable[..., Number], int, int]] = {
    "min": (_least, 1, 16),
    "max": (_greatest, 1, 16),
    "ceil": (math.ceil, 1, 1),
    "floor": (math.floor, 1, 1),
    "round": (_round, 1, 1),
    "abs": (_absolute, 1, 1),
    "divisible": (divisible, 1, 2),
}
"""Each function with the fewest and the most arguments that it takes."""

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


_AXES = dict.fromkeys("CHWD", "C, H and W are known in the network and in blocks: what enters the part")
_HINTS: Mapping[str, str] = {
    "i": "`i` is the number of the turn, inside a repeat `[…]*n`",
    **_AXES,
    **dict.fromkeys(("true", "True", "on"), "write `yes`"),
    **dict.fromkeys(("false", "False", "off"), "write `no`"),
}
"""What to say of names that people take to be known."""


def error(code: str, message: str, span: Span, help: str = "", label: str = "") -> CnnError:
    """Return a CnnError with one diagnostic."""
    return CnnError(Diagnostic(code, message, span, label, help=help))


def show(value: Value) -> str:
    """A value as the language writes it.

    >>> show(True), show((14, 14, 8)), show(Fraction(1, 2)), show(Fraction(1, 3))
    ('yes', '14x14x8', '0.5', '1/3')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    if isinstance(value, Fraction):
        decimal = f"{float(value):.10g}"
        return decimal if Fraction(decimal) == value else f"{value.numerator}/{value.denominator}"
    return str(value)


def show_setting(value: Value) -> str:
    """A value as it is written behind `--set`.

    >>> show_setting(NameSymbol("RELU")), show_setting((14, 14, 8))
    ('RELU', '14x14x8')
    """
    return value.name if isinstance(value, NameSymbol) else show(value)


def evaluate(expr: Expr, scope: ValueScope) -> Value:
    """The value of an expression in a scope.

    Raises CnnError for an unknown name, a division by zero, operands of the wrong type, a number out of bounds.
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
        help = "the shape that enters a part is C, H and W"
        raise error("E0204", f"`{dotted}` can be asked in an `assert` only", expr.span, help)
    raise error("E0205", "a reference is not a number", expr.span)


def number(expr: Expr, scope: ValueScope) -> Number:
    """The value of an expression that must be a number. Raises CnnError where it is not."""
    return _number(evaluate(expr, scope), expr)


def truth(expr: Expr, scope: ValueScope) -> bool:
    """The value of an expression that must be yes or no. Raises CnnError where it is not."""
    value = evaluate(expr, scope)
    if not isinstance(value, bool):
        help = f"compare it, as in `{expr.span.text} == {show(value)}`" if not isinstance(value, Symbol) else ""
        if isinstance(value, OutputSymbol):
            help = f"ask whether there is one: `{expr.span.text} != no`"
        raise error("E0205", f"a test must be yes or no, and this is {show(value)}", expr.span, help)
    return value


def names(expr: Expr) -> Iterator[Name]:
    """Every name that an expression mentions, from left to right."""
    if isinstance(expr, Name):
        yield expr
    elif isinstance(expr, Unary):
        yield from names(expr.operand)
    elif isinstance(expr, Binary):
        yield from names(expr.left)
        yield from names(expr.right)
    elif isinstance(expr, Call):
        for argument in expr.arguments:
            yield from names(argument)
    elif isinstance(expr, ReferenceExpr):
        for part in expr.parts:
            if not isinstance(part, str):
                yield from names(part)


def _look_up(expr: Name, scope: ValueScope) -> Value:
    if expr.name in scope:
        value = scope[expr.name]
        if isinstance(value, Unknown):
            raise CnnError(())
        if isinstance(value, Later):
            message, others = f"`{expr.name}` has a value only further down", (Annotation(value.span, "from here on"),)
            raise CnnError(Diagnostic("E0201", message, expr.span, "", others, help="move the `let` up"))
        return value
    define = f"define it, `let {expr.name} = …`, or make it a parameter of the net"
    help = _HINTS.get(expr.name) or nearest(expr.name, [*scope, *FUNCTIONS]) or define
    raise error("E0201", f"there is no value called `{expr.name}` here", expr.span, help)


def _number(value: Value, expr: Expr) -> Number:
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise error("E0205", f"a number is needed here, and this is {show(value)}", expr.span)
    return value


def is_bounded(value: Number) -> bool:
    """Whether a number has no more digits than `limits` allow: a fraction above and below its line."""
    most = 10 ** current().digits
    return -most <= value <= most and value.denominator <= most


def _bounded(value: Number, span: Span) -> Number:
    if not is_bounded(value):
        raise error("E0203", f"this number is beyond 10^{current().digits}, or has too many digits", span)
    return value.numerator if value.denominator == 1 else value


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
    if b == 0 and op in ("/", "//", "%"):
        raise error("E0202", "division by zero", expr.right.span)
    return _bounded(_ARITHMETIC[op](a, b), expr.span)


def equal(left: Value, right: Value) -> bool:
    """Equality; a volume of one pixel equals its number of channels: 1x1x1000 is 1000.

    >>> equal((1, 1, 1000), 1000), equal((2, 1, 4), 8), equal(True, 1)
    (True, False, False)
    """
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    return _unpadded(left) == _unpadded(right)


def _unpadded(value: Value) -> Value:
    if isinstance(value, tuple) and all(extent == 1 for extent in value[:-1]):
        return value[-1]
    return value


def _call(expr: Call, scope: ValueScope) -> Number:
    if expr.function not in FUNCTIONS:
        help = nearest(expr.function, list(FUNCTIONS)) or f"there are {', '.join(FUNCTIONS)}"
        place = Span(expr.span.source, expr.span.start, expr.span.start + len(expr.function))
        raise error("E0201", f"there is no function `{expr.function}`", place, help)
    function, fewest, most = FUNCTIONS[expr.function]
    if not fewest <= len(expr.arguments) <= most:
        wanted = str(fewest) if fewest == most else f"{fewest} to {most}"
        noun = "argument" if wanted == "1" else "arguments"
        message = f"`{expr.function}` takes {wanted} {noun}, and this gives {len(expr.arguments)}"
        raise error("E0206", message, expr.span)
    arguments = [number(argument, scope) for argument in expr.arguments]
    if expr.function == "divisible" and len(arguments) == 2 and (arguments[1] < 1 or int(arguments[1]) != arguments[1]):
        raise error("E0206", f"the divisor must be a positive integer, and this is {show(arguments[1])}", expr.span)
    return _bounded(function(*arguments), expr.span)
