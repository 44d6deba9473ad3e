"""Numbers in emitted code: small symbolic terms, their Python text and their value.

A term is an expression for a number of the network in a class: `4 * c`, `in_channels // 2`. Terms are folded as they
are built, so a constant is always a `Const`. All arithmetic uses integers; a fraction appears only as the last division
of an option that is a real number, which Python rounds correctly. This is not a computer algebra system, and it does
not read the language's expressions: `translate` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from math import gcd
from typing import TypeAlias, cast

from cnndsl.emit.torch.operators import UnknownName, applied
from cnndsl.records import record

Env: TypeAlias = Mapping[str, object]
"""Maps Python names to their values."""


@record(slots=True)
class CodeValue:
    """A constant that is a Python name: `nn.ReLU`."""

    text: str

    def __repr__(self) -> str:
        return self.text


@record(slots=True)
class Const:
    """A value that is known when the source is emitted."""

    value: object


@record(slots=True)
class Var:
    """A local name or an argument. `whole` is false if it may hold a fraction, as a float."""

    name: str
    whole: bool = True


@record(slots=True)
class Op:
    """An operator or a function on terms. `neg` is the minus sign, `if` has a test and the terms for true and false,
    `list` is a list of sizes, `star` unpacks its operand in a list, `tuple` is a tuple."""

    operator: str
    operands: tuple[Term, ...]


Term: TypeAlias = Const | Var | Op

_BINDING: Mapping[str, int] = {
    "if": 0,
    "or": 1,
    "and": 2,
    "not": 3,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 4),
    "+": 5,
    "*": 6,
    "/": 6,
    "//": 6,
    "%": 6,
    "neg": 7,
    "**": 8,
}
_ATOM = 9
_BRACKETS: Mapping[str, str] = {"list": "[]", "tuple": "()"}
_OPPOSITE: Mapping[str, str] = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def constant(term: Term) -> int | None:
    """Return the integer value of a term, None if it is not an integer constant."""
    if isinstance(term, Const) and isinstance(term.value, int) and not isinstance(term.value, bool):
        return term.value
    return None


def op(operator: str, *operands: Term) -> Term:
    """Apply an operator; constants are folded.

    >>> text(op("min", Const(10), Const(16))), text(op("not", op("==", Var("a"), Const(1))))
    ('10', 'a != 1')
    >>> text(op("!=", Var("a"), Var("a"))), text(op("if", Const(True), Var("a"), Var("b")))
    ('False', 'a')
    """
    if operator == "not":
        return negated(operands[0])
    if operator == "if" and isinstance(operands[0], Const):
        return operands[1] if operands[0].value else operands[2]
    if operator in _OPPOSITE and operands[0] == operands[1]:
        return Const(operator in ("==", "<=", ">="))
    made = Op(operator, operands)
    if operator != "list" and all(isinstance(operand, Const) for operand in operands):
        with suppress(UnknownName):
            return Const(evaluate(made, {}))
    return made


def add(*terms: Term) -> Term:
    """Add terms; like summands are combined, and products expanded if that leaves fewer summands.

    >>> text(add(Var("a"), mul(Const(2), Var("b")), Const(1), Var("a")))
    '2 * a + 2 * b + 1'
    >>> text(add(mul(Var("s"), Var("w")), mul(Const(-1), mul(add(Var("s"), Const(-1)), Var("w")))))
    'w'
    """
    weights = _weights(each for term in terms for each in summands(term))
    if any(isinstance(atom, Op) and atom.operator == "*" for atom in weights):
        expanded = _weights(
            (inner, weight * each) for atom, each in weights.items() for inner, weight in _expanded(atom)
        )
        weights = expanded if len(expanded) < len(weights) else weights
    offset = weights.pop(Const(1), 0)
    found = [_scaled(atom, weight) for atom, weight in weights.items()]
    if offset or not found:
        found.append(Const(offset))
    return found[0] if len(found) == 1 else Op("+", tuple(found))


def _weights(summed: Iterable[tuple[Term, int]]) -> dict[Term, int]:
    """Return how often each summand is added, without those that cancel out."""
    weights: dict[Term, int] = {}
    for atom, weight in summed:
        weights[atom] = weights.get(atom, 0) + weight
    return {atom: weight for atom, weight in weights.items() if weight}


def _expanded(atom: Term) -> Iterator[tuple[Term, int]]:
    """Yield the summands of a product of sums."""
    if not isinstance(atom, Op) or atom.operator != "*" or len(atom.operands) != 2:
        yield atom, 1
        return
    for left, times in summands(atom.operands[0]):
        for right, more in summands(atom.operands[1]):
            yield from ((each, weight * times * more) for each, weight in summands(mul(left, right)))


def mul(left: Term, right: Term) -> Term:
    """Multiply terms, constants first; a constant times a sum is expanded.

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
    return add(*(_scaled(atom, a * weight) for atom, weight in summands(right)))


def floordiv(left: Term, right: Term) -> Term:
    """Divide and round down.

    >>> text(floordiv(add(Var("a"), Const(3)), Const(2)))
    '(a + 3) // 2'
    """
    a, b = constant(left), constant(right)
    if b == 1:
        return left
    if a is not None and b:
        return Const(a // b)
    if b and divides(left, b):
        return add(*(_scaled(atom, weight // b) for atom, weight in summands(left)))
    return Op("//", (left, right))


def conditional(test: Term, chosen: Term, other: Term) -> Term:
    """Return one term if a test holds, else another; if the first only adds something to the second, add that
    conditionally.

    >>> text(conditional(Var("b"), add(Var("c"), Var("d")), Var("c"))), text(conditional(Var("b"), Var("c"), Const(3)))
    ('c + (d if b else 0)', 'c if b else 3')
    """
    kept, more = dict(summands(other)), dict(summands(add(chosen, mul(Const(-1), other))))
    if any(weight < 0 for weight in more.values()) or not kept.keys() <= dict(summands(chosen)).keys():
        return op("if", test, chosen, other)
    return add(other, op("if", test, add(*(_scaled(atom, weight) for atom, weight in more.items())), Const(0)))


def ceildiv(left: Term, right: Term) -> Term:
    """Divide and round up.

    >>> text(ceildiv(Var("c"), Const(2)))
    '(c + 1) // 2'
    """
    b = constant(right)
    if b is not None and b > 0:
        return floordiv(add(left, Const(b - 1)), right)
    return op("neg", floordiv(op("neg", left), right))


def divides(term: Term, number: int) -> bool:
    """Return whether a term is a multiple of a number for all values of its names."""
    return all(weight % number == 0 for _, weight in summands(term))


def _scaled(atom: Term, weight: int) -> Term:
    if atom == Const(1):
        return Const(weight)
    return atom if weight == 1 else Op("*", (Const(weight), atom))


def summands(term: Term) -> Iterator[tuple[Term, int]]:
    """Yield the summands of a term, each with its weight; Const(1) stands for the constant."""
    number = constant(term)
    if number is not None:
        yield Const(1), number
    elif isinstance(term, Op) and term.operator == "+":
        for operand in term.operands:
            yield from summands(operand)
    elif isinstance(term, Op) and term.operator == "*" and (weight := constant(term.operands[0])) is not None:
        yield term.operands[1], weight
    else:
        yield term, 1


def substitute(term: Term, values: Mapping[str, Term]) -> Term:
    """Substitute terms for names.

    >>> text(substitute(mul(Const(4), Var("c")), {"c": Const(64)}))
    '256'
    """
    if isinstance(term, Var):
        return values.get(term.name, term)
    if isinstance(term, Const):
        return term
    return built(term.operator, [substitute(operand, values) for operand in term.operands])


def built(operator: str, operands: Sequence[Term]) -> Term:
    """Apply an operator by its own rule: sums, products and quotients are combined, constants folded."""
    return _RULES[operator](*operands) if operator in _RULES else op(operator, *operands)


_RULES: Mapping[str, Callable[..., Term]] = {"+": add, "*": mul, "//": floordiv}


def negated(term: Term) -> Term:
    """Return the negation of a test."""
    if isinstance(term, Const):
        return Const(not term.value)
    if isinstance(term, Op) and term.operator in _OPPOSITE:
        return Op(_OPPOSITE[term.operator], term.operands)
    if isinstance(term, Op) and term.operator == "not":
        return term.operands[0]
    return Op("not", (term,))


def names(term: Term) -> Iterator[str]:
    """Yield every name in a term, and the functions of the emitted file, as `divisible()`."""
    if isinstance(term, Var):
        yield term.name
    elif isinstance(term, Op):
        if term.operator == "divisible":
            yield "divisible()"
        for operand in term.operands:
            yield from names(operand)


def evaluate(term: Term, env: Env) -> object:
    """Return the value that Python gives a term, with fractions in place of floats.

    The value is a term if a name has a term as its value: a number that follows a parameter of the network. Raises
    UnknownName for a name without a value, or for invalid operands.

    >>> text(evaluate(mul(Const(4), Var("c")), {"c": mul(Const(2), Var("w"))}))
    '8 * w'
    """
    if isinstance(term, Const):
        return term.value
    if isinstance(term, Var):
        if term.name not in env:
            raise UnknownName(term.name)
        return env[term.name]
    if term.operator == "if":
        test = evaluate(term.operands[0], env)
        if not isinstance(test, bool):
            raise UnknownName(term.operator)
        return evaluate(term.operands[1 if test else 2], env)
    values = [evaluate(operand, env) for operand in term.operands]
    if term.operator not in ("list", "tuple") and any(isinstance(value, Var | Op) for value in values):
        made = built(term.operator, [value if isinstance(value, Var | Op) else Const(value) for value in values])
        return made.value if isinstance(made, Const) else made
    return applied(term.operator, values)


def text(term: Term) -> str:
    """Return a term in Python, with ruff's spacing.

    >>> text(Op("or", (Op("!=", (Var("s"), Const(1))), Op("not", (Var("b"),)))))
    's != 1 or not b'
    >>> text(add(mul(Const(-1), Var("p")), Const(1)))
    '1 - p'
    """
    return _text(term, 0)


def literal(value: object) -> str:
    """Return a constant with the quotes that ruff prefers."""
    if isinstance(value, tuple):
        elements = cast("tuple[object, ...]", value)
        return f"({', '.join(map(literal, elements))}{',' if len(elements) == 1 else ''})"
    if isinstance(value, str):
        return repr(value) if '"' in value else f'"{repr(value)[1:-1]}"'
    if isinstance(value, Fraction):
        return literal(value.numerator if value.denominator == 1 else float(value))
    return repr(value)


def _text(term: Term, outside: int) -> str:
    if isinstance(term, Const):
        return literal(term.value)
    if isinstance(term, Var):
        return term.name
    operator, operands = term.operator, term.operands
    if operator in _BRACKETS:
        opening, closing = _BRACKETS[operator]
        return f"{opening}{', '.join(map(text, operands))}{closing}"
    if operator == "star":
        return f"*{_text(operands[0], _ATOM)}"
    if operator == "divisible":
        return _divisible(*operands)
    binding = _BINDING.get(operator, _ATOM)
    if binding == _ATOM:
        return f"{operator}({', '.join(map(text, operands))})"
    if operator in ("neg", "not"):
        written = ("-" if operator == "neg" else "not ") + _text(operands[0], binding)
    elif operator == "+":
        written = _sum(operands)
    elif operator == "if":
        test, chosen, other = operands
        written = f"{_text(chosen, 1)} if {_text(test, 1)} else {_text(other, 0)}"
    else:
        # A right operand of equal precedence needs parentheses: a // (b // c). So does the left one of `==` and `**`.
        first = binding + 1 if operator == "**" or binding == 4 else binding
        written = _text(operands[0], first)
        sign = operator if operator == "**" and not any(isinstance(each, Op) for each in operands) else f" {operator} "
        others = [_factored(each) for each in operands[1:]] if operator == "/" else operands[1:]
        written += "".join(f"{sign}{_text(each, binding + 1)}" for each in others)
    return f"({written})" if binding < outside else written


def _factored(term: Term) -> Term:
    """Return a sum as a product, if it has a common factor.

    >>> text(_factored(add(mul(Const(10), Var("n")), Const(-10))))
    '10 * (n - 1)'
    """
    factor = gcd(*(weight for _, weight in summands(term)))
    if factor < 2 or not isinstance(term, Op) or term.operator != "+":
        return term
    return Op("*", (Const(factor), floordiv(term, Const(factor))))


def _sum(operands: Iterable[Term]) -> str:
    """Write a sum, the added terms before the subtracted ones."""
    ordered = sorted(operands, key=lambda each: _opposite(each) is not None)
    written = _text(ordered[0], 5)
    for each in ordered[1:]:
        positive = _opposite(each)
        written += f" + {_text(each, 6)}" if positive is None else f" - {_text(positive, 6)}"
    return written


def _opposite(term: Term) -> Term | None:
    """Return a negative summand without its minus sign, None for others."""
    number = constant(term)
    if number is not None:
        return Const(-number) if number < 0 else None
    ((_, weight), *more) = summands(term)
    return mul(Const(-1), term) if weight < 0 and not more else None


def _divisible(over: Term, under: Term, divisor: Term) -> str:
    """Write `divisible(over / under, divisor)`. Powers of two divide exactly in floats; others become fractions."""
    number = constant(under)
    if number == 1:
        value = text(over)
    elif number is not None and number > 0 and number & (number - 1) == 0:
        value = f"{_text(over, 6)} / {number}"
    else:
        value = f"Fraction({text(over)}, {text(under)})"
    return f"divisible({value})" if divisor == Const(8) else f"divisible({value}, {text(divisor)})"
