"""Numbers in emitted code: small symbolic terms, their Python text and their value.

A term is what a number of the network is called in a class: `4 * c`, `in_channels // 2`. Every term that the emitter
uses was evaluated for every place at which its class is used, so nothing here needs to be a computer algebra system.
It does not read the language's expressions: `translate` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil, floor
from typing import TypeAlias, cast

from cnndsl.expr import divisible

Env: TypeAlias = Mapping[str, object]
"""Values by the Python names that hold them."""


@dataclass(frozen=True, slots=True)
class Code:
    """A constant that is a name of Python: `nn.ReLU`."""

    text: str

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Const:
    value: object


@dataclass(frozen=True, slots=True)
class Var:
    name: str


@dataclass(frozen=True, slots=True)
class Op:
    """An operator or a function on terms; `neg` is the minus sign in front."""

    operator: str
    operands: tuple[Term, ...]


Term: TypeAlias = Const | Var | Op

_BINDING: Mapping[str, int] = {
    "or": 1,
    "and": 2,
    "not": 3,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 4),
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "//": 6,
    "%": 6,
    "neg": 7,
}
_ATOM = 9


class Unknown(Exception):
    """A term that has no value here."""


def constant(term: Term) -> int | None:
    """The integer that a term is; None for any other."""
    if isinstance(term, Const) and isinstance(term.value, int) and not isinstance(term.value, bool):
        return term.value
    return None


def add(*terms: Term) -> Term:
    """A sum, with like terms put together.

    >>> text(add(Var("a"), mul(Const(2), Var("b")), Const(1), Var("a")))
    '2 * a + 2 * b + 1'
    """
    weights: dict[Term, int] = {}
    for term in terms:
        for atom, weight in _linear(term):
            weights[atom] = weights.get(atom, 0) + weight
    offset = weights.pop(Const(1), 0)
    summands = [_scaled(atom, weight) for atom, weight in weights.items() if weight]
    if offset or not summands:
        summands.append(Const(offset))
    return summands[0] if len(summands) == 1 else Op("+", tuple(summands))


def mul(left: Term, right: Term) -> Term:
    """A product, constants in front; a constant times a sum is multiplied out.

    >>> text(mul(add(Var("a"), Const(3)), Const(2)))
    '2 * a + 6'
    """
    a, b = constant(left), constant(right)
    if a is not None and b is not None:
        return Const(a * b)
    if b is not None:
        left, right, a = right, left, b
    if a is None:
        return Op("*", (left, right))
    return add(*(_scaled(atom, a * weight) for atom, weight in _linear(right)))


def floordiv(left: Term, right: Term) -> Term:
    """A quotient, rounded down.

    >>> text(floordiv(add(Var("a"), Const(3)), Const(2)))
    '(a + 3) // 2'
    """
    a, b = constant(left), constant(right)
    if b == 1:
        return left
    if a is not None and b:
        return Const(a // b)
    if b and all(weight % b == 0 for _, weight in _linear(left)):
        return add(*(_scaled(atom, weight // b) for atom, weight in _linear(left)))
    return Op("//", (left, right))


def _scaled(atom: Term, weight: int) -> Term:
    if atom == Const(1):
        return Const(weight)
    return atom if weight == 1 else Op("*", (Const(weight), atom))


def _linear(term: Term) -> Iterator[tuple[Term, int]]:
    """The summands of a term, each with its weight; Const(1) stands for the number."""
    number = constant(term)
    if number is not None:
        yield Const(1), number
    elif isinstance(term, Op) and term.operator == "+":
        for operand in term.operands:
            yield from _linear(operand)
    elif isinstance(term, Op) and term.operator == "*" and (weight := constant(term.operands[0])) is not None:
        yield term.operands[1], weight
    else:
        yield term, 1


def substitute(term: Term, values: Mapping[str, Term]) -> Term:
    """The term with terms in place of its names.

    >>> text(substitute(mul(Const(4), Var("c")), {"c": Const(64)}))
    '256'
    """
    if isinstance(term, Var):
        return values.get(term.name, term)
    if isinstance(term, Const):
        return term
    operands = tuple(substitute(operand, values) for operand in term.operands)
    if term.operator == "+":
        return add(*operands)
    if term.operator == "*":
        return mul(*operands)
    if term.operator == "//":
        return floordiv(*operands)
    folded = Op(term.operator, operands)
    if not all(isinstance(operand, Const) for operand in operands):
        return folded
    try:
        return Const(evaluate(folded, {}))
    except Unknown:
        return folded


def negated(term: Term) -> Term:
    """The opposite of a test."""
    opposite = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
    if isinstance(term, Op) and term.operator in opposite:
        return Op(opposite[term.operator], term.operands)
    if isinstance(term, Op) and term.operator == "not":
        return term.operands[0]
    return Op("not", (term,))


def names(term: Term) -> Iterator[str]:
    """Every name in a term, and every function as `divisible()`."""
    if isinstance(term, Var):
        yield term.name
    elif isinstance(term, Op):
        if term.operator == "divisible":
            yield "divisible()"
        for operand in term.operands:
            yield from names(operand)


def size(term: Term) -> int:
    """The number of operators."""
    return 0 if not isinstance(term, Op) else 1 + sum(map(size, term.operands))


def evaluate(term: Term, env: Env) -> object:
    """The value that Python gives it. Raises Unknown for a name without a value, or operands that do not fit."""
    if isinstance(term, Const):
        return term.value
    if isinstance(term, Var):
        if term.name not in env:
            raise Unknown(term.name)
        return env[term.name]
    return _apply(term.operator, [evaluate(operand, env) for operand in term.operands])


def _apply(operator: str, values: list[object]) -> object:
    if operator in ("==", "!="):
        return (values[0] == values[1]) == (operator == "==")
    if operator in ("and", "or", "not"):
        return _logic(operator, values)
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) < len(values):
        raise Unknown(operator)
    try:
        return _ARITHMETIC[operator](numbers)
    except (ArithmeticError, ValueError):
        raise Unknown(operator) from None


def _logic(operator: str, values: list[object]) -> bool:
    if not all(isinstance(value, bool) for value in values):
        raise Unknown(operator)
    if operator == "not":
        return not values[0]
    return all(values) if operator == "and" else any(values)


_Numbers = list[int | float]
_ARITHMETIC: Mapping[str, Callable[[_Numbers], object]] = {
    "+": sum,
    "-": lambda v: v[0] - v[1],
    "*": lambda v: v[0] * v[1],
    "/": lambda v: v[0] / v[1],
    "//": lambda v: v[0] // v[1],
    "%": lambda v: v[0] % v[1],
    "neg": lambda v: -v[0],
    "<": lambda v: v[0] < v[1],
    "<=": lambda v: v[0] <= v[1],
    ">": lambda v: v[0] > v[1],
    ">=": lambda v: v[0] >= v[1],
    "min": min,
    "max": max,
    "abs": lambda v: abs(v[0]),
    "ceil": lambda v: ceil(v[0]),
    "floor": lambda v: floor(v[0]),
    "divisible": lambda v: divisible(*v),  # pyright: ignore[reportArgumentType]
}


def text(term: Term) -> str:
    """The term in Python, as ruff spaces it.

    >>> text(Op("or", (Op("!=", (Var("s"), Const(1))), Op("not", (Var("b"),)))))
    's != 1 or not b'
    """
    return _text(term, 0)


def _opposite(term: Term) -> Term | None:
    """What a summand with a minus in front is without it; None for others."""
    number = constant(term)
    if number is not None:
        return Const(-number) if number < 0 else None
    if (
        isinstance(term, Op)
        and term.operator == "*"
        and (weight := constant(term.operands[0])) is not None
        and weight < 0
    ):
        return mul(Const(-weight), term.operands[1])
    return None


def _literal(value: object) -> str:
    """A constant with the quotes that ruff prefers."""
    if isinstance(value, tuple):
        elements = cast("tuple[object, ...]", value)
        return f"({', '.join(map(_literal, elements))}{',' if len(elements) == 1 else ''})"
    if isinstance(value, str):
        return repr(value) if '"' in value else f'"{repr(value)[1:-1]}"'
    return repr(value)


def _text(term: Term, outside: int) -> str:
    if isinstance(term, Const):
        return _literal(term.value)
    if isinstance(term, Var):
        return term.name
    operator, operands = term.operator, term.operands
    binding = _BINDING.get(operator, _ATOM)
    if binding == _ATOM:
        return f"{operator}({', '.join(map(text, operands))})"
    if operator in ("neg", "not"):
        sign = "-" if operator == "neg" else "not "
        written = sign + _text(operands[0], binding)
    else:
        # A right operand of the same strength needs brackets: a - (b - c), a // (b // c). So does a comparison's left.
        first = binding + 1 if binding == 4 else binding
        written = _text(operands[0], first)
        for each in operands[1:]:
            positive = _opposite(each) if operator == "+" else None
            written += f" {operator} {_text(each, binding + 1)}" if positive is None else f" - {_text(positive, 6)}"
    return f"({written})" if binding < outside else written
