"""The parameters of a file: those that `net` declares, those that are merely used, and its choice points.

A file without values for all of them is a family. Walking a family is `cnndsl.sweep`'s, not this module's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any, TypeAlias

from cnndsl import expr
from cnndsl.elaborate.state import Word
from cnndsl.errors import CnnError, Diagnostic, Label, Span, nearest
from cnndsl.expr import Literal, Name, Symbol, Value, equal, error, evaluate, show
from cnndsl.layers import KINDS, find
from cnndsl.syntax import ast

Given: TypeAlias = Value | str | float
"""What a caller may set a parameter to; a text is a name: of a kind, a block, an output."""

_BUILT_IN = frozenset("iCHWD")
MOST_VALUES = 100_000
"""The most values a range may have."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter with its default and its domain; None where there is none. `span` is where it first stands."""

    name: str
    default: Value | None
    domain: tuple[Value, ...] | None
    span: Span
    is_choice: bool = False
    is_declared: bool = True


def parameters(file: ast.File) -> tuple[Parameter, ...]:
    """All parameters of a file, in the order in which they stand, choice points last.

    Raises CnnError where a default or a domain has no value.
    """
    found = tuple(_declared(file) if _net(file) else _free(file))
    names = {each.name for each in found}
    spans: dict[str, Span] = {}
    named = choices(file)
    for item in _survey(file).optionals:
        spans.setdefault(item.name or named[item.span.start], item.span)
    return found + tuple(
        Parameter(name, True, (True, False), span, is_choice=True) for name, span in spans.items() if name not in names
    )


def settle(file: ast.File, known: tuple[Parameter, ...], given: Mapping[str, Given]) -> dict[str, Value]:
    """The value of every parameter. Raises CnnError for an unknown one, one without a value, one out of its domain."""
    names = [each.name for each in known]
    for name in given:
        if name not in names:
            message = f"the network has no parameter `{name}`"
            help = nearest(name, names) or (f"its parameters are {', '.join(names)}" if names else "it has none")
            raise CnnError(Diagnostic("E0211", message, _head(file), help=help))
    values: dict[str, Value] = {}
    missing: list[Parameter] = []
    for each in known:
        value = as_value(given[each.name]) if each.name in given else each.default
        if value is None:
            missing.append(each)
            continue
        _check_domain(each, value)
        values[each.name] = value
    if missing:
        raise _missing(missing)
    return values


def as_value(given: Given) -> Value:
    """A value as the language has it: exact numbers, names as words."""
    if isinstance(given, str):
        return Word(given)
    if isinstance(given, float):
        exact = Fraction(str(given))
        return exact.numerator if exact.denominator == 1 else exact
    return given


def choices(file: ast.File) -> dict[int, str]:
    """The name of the choice point at each offset where one stands.

    One without a name of its own is called by its label or kind, numbered when there are several.
    """
    anonymous = [item for item in _survey(file).optionals if item.name is None]
    count = Counter(_base(item) for item in anonymous)
    used: Counter[str] = Counter()
    result: dict[int, str] = {}
    for item in anonymous:
        base = _base(item)
        used[base] += 1
        result[item.span.start] = f"{base}{used[base]}" if count[base] > 1 else base
    return result


def _base(item: ast.Optional) -> str:
    body = item.body
    while isinstance(body, ast.Repeat | ast.Label):
        if isinstance(body, ast.Label) and isinstance(body.name[0], str):
            return body.name[0]
        body = body.body
    if not isinstance(body, ast.Layer):
        return "choice"
    return body.head.lower() if find(body.head) else re.sub(r"[0-9x]+$", "", body.head.lower()) or "choice"


def _net(file: ast.File) -> ast.Net | None:
    return next((each for each in file.statements if isinstance(each, ast.Net)), None)


def _head(file: ast.File) -> Span:
    first = _net(file) or (file.statements[0] if file.statements else None)
    if isinstance(first, ast.Main):
        return first.chain.items[0].span
    return first.span if first else Span(file.source, 0, 0)


def _declared(file: ast.File) -> Iterator[Parameter]:
    net = _net(file)
    scope: dict[str, Value] = {}
    places: dict[str, Span] = {}
    for each in (net.parameters or ()) if net else ():
        if each.name in places:
            others = (Label(places[each.name], "the first"),)
            raise CnnError(
                Diagnostic("E0245", f"the name `{each.name}` is defined twice", each.span, "the second", others)
            )
        places[each.name] = each.span
        default = None if each.default is None else _value(each.default, scope)
        domain = None if each.domain is None else _domain(each.domain, scope)
        if default is not None:
            scope[each.name] = default
        parameter = Parameter(each.name, default, domain, each.span)
        if default is not None:
            _check_domain(parameter, default)
        yield parameter


def _value(written: expr.Expr, scope: Mapping[str, Value]) -> Value:
    if isinstance(written, Name) and written.name not in scope:
        return Word(written.name)
    return evaluate(written, scope)


def _domain(domain: ast.Domain, scope: Mapping[str, Value]) -> tuple[Value, ...]:
    values = tuple(_value(each, scope) for each in domain.values)
    if not domain.is_range:
        return values
    first, last = values
    if not isinstance(first, int) or not isinstance(last, int) or last < first:
        raise error("E0213", f"{show(first)}..{show(last)} is not a range of integers", domain.span)
    if last - first >= MOST_VALUES:
        raise error("E0213", f"this range has more than {MOST_VALUES:,} values", domain.span)
    return tuple(range(first, last + 1))


def _check_domain(parameter: Parameter, value: Value) -> None:
    if parameter.domain is None or any(_same(value, each) for each in parameter.domain):
        return
    numbers = [show(each) for each in parameter.domain]
    shown = ", ".join(numbers) if len(numbers) <= 8 else f"{numbers[0]}..{numbers[-1]}"
    raise error("E0212", f"`{parameter.name}` is one of {shown}, and this is {show(value)}", parameter.span)


def _same(left: Value, right: Value) -> bool:
    if isinstance(left, Symbol) or isinstance(right, Symbol):
        return isinstance(left, Word) and isinstance(right, Word) and left.name == right.name
    return equal(left, right)


def _missing(missing: list[Parameter]) -> CnnError:
    names = [f"`{each.name}`" for each in missing]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    verb, what = ("has", "it") if len(names) == 1 else ("have", "them")
    command = " ".join(f"--set {each.name}={show(each.domain[0]) if each.domain else 2}" for each in missing)
    others = tuple(Label(each.span, "and this") for each in missing[1:])
    message = f"this is a family of networks: {listed} {verb} no value"
    return CnnError(
        Diagnostic("E0214", message, missing[0].span, "this is free", others, help=f"give {what} one: {command}")
    )


def _free(file: ast.File) -> Iterator[Parameter]:
    """Names that stand where a number does and that nothing defines."""
    survey = _survey(file)
    bound = survey.bound | _BUILT_IN | _option_words()
    for name, span in survey.uses.items():
        if name not in bound and find(name) is None:
            yield Parameter(name, None, None, span, is_declared=False)


@dataclass(frozen=True, slots=True)
class _Survey:
    """What a look over the tree finds: the choice points, the first use of each name, the names that are defined."""

    optionals: tuple[ast.Optional, ...]
    uses: Mapping[str, Span]
    bound: frozenset[str]


@lru_cache(maxsize=8)
def _survey(file: ast.File) -> _Survey:
    optionals: list[ast.Optional] = []
    uses: dict[str, Span] = {}
    bound: set[str] = set()
    for node in _walk(file.statements):
        bound.update(_binds(node))
        if isinstance(node, Name):
            uses.setdefault(node.name, node.span)
        elif isinstance(node, ast.Optional):
            optionals.append(node)
    return _Survey(tuple(optionals), uses, frozenset(bound))


def _binds(node: Any) -> Iterator[str]:
    if isinstance(node, ast.Let | ast.Parameter | ast.Block):
        yield node.name
    elif isinstance(node, ast.For):
        yield from node.names
    elif isinstance(node, ast.Use):
        yield from (name for name, _ in node.names)
    elif isinstance(node, ast.Label | ast.Tap):
        yield from (part for part in node.name if isinstance(part, str))


@cache
def _option_words() -> frozenset[str]:
    return frozenset(word for kind in KINDS.values() for option in kind.options().values() for word in option.words)


def _walk(statements: tuple[ast.Statement, ...]) -> Iterator[Any]:
    """Every node of the tree that describes the network, in the order of the text; asserts are not part of it."""
    stack: list[Any] = [each for each in reversed(statements) if not isinstance(each, ast.Assert)]
    while stack:
        node = stack.pop()
        yield node
        children: list[Any] = []
        for name in _fields(node.__class__):
            _gather(getattr(node, name), children)
        stack.extend(reversed(children))


def _gather(child: Any, into: list[Any]) -> None:
    if child.__class__ is tuple:
        for each in child:
            _gather(each, into)
    elif child.__class__ in _INNER:
        into.append(child)


_INNER = frozenset(
    each for module in (ast, expr) for each in vars(module).values() if isinstance(each, type) and is_dataclass(each)
) - {Literal, Span}


@cache
def _fields(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))
