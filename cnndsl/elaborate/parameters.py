"""The parameters of a file: those that `net` declares, those that are merely used, and its choice points.

A file without values for all of them is a family. `sweeping/` walks over it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

from cnndsl import expr
from cnndsl.elaborate.references import show_value
from cnndsl.errors import Annotation, CnnError, Diagnostic, Span, nearest
from cnndsl.expr import Literal, Name, NameSymbol, Symbol, Unknown, Value, equal, error, evaluate, is_bounded, show
from cnndsl.layers import KINDS, find, known
from cnndsl.limits import current
from cnndsl.records import record
from cnndsl.syntax import ast
from cnndsl.syntax.words import name_and_size

_BUILT_IN = frozenset("iCHWD")
_MOST_NAMED = 12
"""So many parameters are named in a message."""


@record(slots=True)
class OpenParameter:
    """A parameter with its default and its domain; None where there is none. `span` is where it first stands."""

    name: str
    default: Value | None
    domain: Sequence[Value] | None
    span: Span
    is_choice: bool = False
    is_declared: bool = True


def parameters(file: ast.File) -> tuple[OpenParameter, ...]:
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
        OpenParameter(name, True, (True, False), span, is_choice=True)
        for name, span in spans.items()
        if name not in names
    )


def settle(
    file: ast.File, declared: tuple[OpenParameter, ...], given: Mapping[str, Value]
) -> tuple[dict[str, Value], list[Diagnostic]]:
    """The value of every parameter, and what is wrong: an unknown one, one without a value, one out of its domain.

    A parameter with which something is wrong is Unknown.
    """
    names = [each.name for each in declared]
    wrong = [_not_a_parameter(file, name, names) for name in given if name not in names]
    values: dict[str, Value] = {}
    missing: list[OpenParameter] = []
    for each in declared:
        value = given.get(each.name, each.default)
        values[each.name] = Unknown() if value is None else value
        if value is None:
            missing.append(each)
        elif not all(map(is_bounded, _numbers(value))):
            message = f"the value of `{each.name}` is beyond 10^{current().digits}, or has too many digits"
            wrong.append(Diagnostic("E0203", message, each.span))
            values[each.name] = Unknown()
        elif (outside := _outside(each, value)) is not None:
            wrong.append(outside)
            values[each.name] = Unknown()
    if missing:
        wrong.append(_missing(missing))
    return values, wrong


def _numbers(value: Value) -> tuple[int | Fraction, ...]:
    if isinstance(value, tuple):
        return value
    return (value,) if isinstance(value, int | Fraction) else ()


def _not_a_parameter(file: ast.File, name: str, names: list[str]) -> Diagnostic:
    listed = ", ".join(names[:_MOST_NAMED]) + (", …" if len(names) > _MOST_NAMED else "")
    help = nearest(name, names) or (f"its parameters are {listed}" if names else "it has none")
    return Diagnostic("E0211", f"the network has no parameter `{name}`", head_of(file), help=help)


def name_of(parameter: ast.Parameter) -> Span:
    """The place of a parameter's name."""
    span = parameter.span
    return Span(span.source, span.start, span.start + len(parameter.name))


def declared_names(file: ast.File) -> list[str]:
    """The parameters that `net` declares, whatever is wrong with them."""
    net = _net(file)
    return [each.name for each in net.parameters or ()] if net else []


def labels(file: ast.File) -> Mapping[str, Span]:
    """The labels of a file, each with the place where it first stands; those with holes are left out."""
    return _survey(file).labels


def choices(file: ast.File) -> dict[int, str]:
    """The name of the choice point at each offset where one stands.

    One without a name of its own is called by its label or kind, numbered when there are several.
    """
    survey = _survey(file)
    bases = [
        (item, survey.labelled.get(item.span.start) or _base(item)) for item in survey.optionals if item.name is None
    ]
    count = Counter(base for _, base in bases)
    used: Counter[str] = Counter()
    result: dict[int, str] = {}
    for item, base in bases:
        used[base] += 1
        result[item.span.start] = f"{base}{used[base]}" if count[base] > 1 else base
    return result


def _base(item: ast.Optional) -> str:
    body = _inmost(item.body)
    if not isinstance(body, ast.WrittenLayer):
        return "choice"
    return body.head.lower() if find(body.head) else name_and_size(body.head.lower())[0] or "choice"


def _net(file: ast.File) -> ast.Net | None:
    return next((each for each in file.statements if isinstance(each, ast.Net)), None)


def head_of(file: ast.File) -> Span:
    """The place to name when something is said of a file as a whole."""
    first = _net(file) or (file.statements[0] if file.statements else None)
    if isinstance(first, ast.Main):
        return first.chain.items[0].span
    return first.span if first else Span(file.source, 0, 0)


def _declared(file: ast.File) -> Iterator[OpenParameter]:
    net = _net(file)
    scope: dict[str, Value] = {}
    places: dict[str, Span] = {}
    for each in (net.parameters or ()) if net else ():
        if each.name in places:
            others = (Annotation(places[each.name], "the first"),)
            message = f"the name `{each.name}` is defined twice"
            raise CnnError(Diagnostic("E0245", message, name_of(each), "the second", others))
        places[each.name] = name_of(each)
        default = None if each.default is None else _value(each.default, scope)
        domain = None if each.domain is None else _domain(each.domain, scope)
        if default is not None:
            scope[each.name] = default
        parameter = OpenParameter(each.name, default, domain, each.span)
        if default is not None and (outside := _outside(parameter, default)) is not None:
            raise CnnError(outside)
        yield parameter


def _value(written: expr.Expr, scope: Mapping[str, Value]) -> Value:
    if isinstance(written, Name) and written.name not in scope:
        return NameSymbol(written.name)
    return evaluate(written, scope)


def _domain(domain: ast.Domain, scope: Mapping[str, Value]) -> Sequence[Value]:
    values = tuple(_value(each, scope) for each in domain.values)
    if not domain.is_range:
        return values
    first, last = values
    if not isinstance(first, int) or not isinstance(last, int) or last < first:
        message = f"{show(first)}..{show(last)} is no range: a range runs upwards, over integers"
        raise error("E0213", message, domain.span, "list other values: `N in {1, 2.5, 4}`")
    most = current().values
    if last - first >= most:
        raise error("E0213", f"this range has more than {most:,} values", domain.span)
    return range(first, last + 1)


def _outside(parameter: OpenParameter, value: Value) -> Diagnostic | None:
    """What to say of a value outside of the domain of its parameter; None for one inside."""
    domain = parameter.domain
    if domain is None or any(_same(value, each) for each in domain):
        return None
    several = domain if len(domain) <= 8 else (domain[0], domain[-1])
    values = [each.name if isinstance(each, NameSymbol) else show(each) for each in several]
    shown = (", " if several is domain else " to ").join(values)
    message = f"`{parameter.name}` is one of {shown}, and this is {show_value(value)}"
    return Diagnostic("E0212", message, parameter.span)


def _same(left: Value, right: Value) -> bool:
    if isinstance(left, Symbol) or isinstance(right, Symbol):
        return isinstance(left, NameSymbol) and isinstance(right, NameSymbol) and left.name == right.name
    return equal(left, right)


def _missing(missing: list[OpenParameter]) -> Diagnostic:
    shown, more = missing[:_MOST_NAMED], len(missing) - _MOST_NAMED
    names = [f"`{each.name}`" for each in shown] + ([f"{more:,} more"] if more > 0 else [])
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    verb, what = ("has", "it") if len(names) == 1 else ("have", "them")
    command = " ".join(
        f"--set {each.name}={show_value(each.domain[0]).strip('`') if each.domain else 2}" for each in shown
    )
    others = tuple(Annotation(each.span, "and this") for each in shown[1:])
    message = f"this is a family of networks: {listed} {verb} no value"
    help = f"{''.join(_slips(shown))}give {what} one: {command}"
    return Diagnostic("E0214", message, missing[0].span, "this is free", others, help=help)


def _slips(missing: Sequence[OpenParameter]) -> Iterator[str]:
    """A line for each free name that may be meant for the name of a kind."""
    for each in missing:
        hint = "" if each.is_declared or len(each.name) < 4 else nearest(each.name, known())
        if hint:
            yield f"`{each.name}`: {hint}\n"


def _free(file: ast.File) -> Iterator[OpenParameter]:
    """Names that stand where a number does and that nothing defines."""
    survey = _survey(file)
    bound = survey.bound | _BUILT_IN | _option_words()
    for name, span in survey.uses.items():
        if name not in bound and find(name) is None and not _is_sized_kind(name):
            yield OpenParameter(name, None, None, span, is_declared=False)


def _is_sized_kind(name: str) -> bool:
    """`POOL2`, in capitals: a kind as a value."""
    kind = find(name_and_size(name)[0]) if name.isupper() else None
    return kind is not None and bool(kind.SIZE)


@record(slots=True)
class _Survey:
    """What a look over the tree finds: the choice points, the first use of each name, the names that are defined, the
    labels."""

    optionals: tuple[ast.Optional, ...]
    uses: Mapping[str, Span]
    bound: frozenset[str]
    labels: Mapping[str, Span]
    labelled: Mapping[int, str]
    """The label of the choice point that begins at an offset."""


@lru_cache(maxsize=8)
def _survey(file: ast.File) -> _Survey:
    optionals: list[ast.Optional] = []
    uses: dict[str, Span] = {}
    bound: set[str] = set()
    named: dict[str, Span] = {}
    words: set[int] = set()
    labelled: dict[int, str] = {}
    for node in _walk(file.statements):
        if isinstance(node, ast.WrittenLayer):
            words.update(_words(node))
            continue
        bound.update(_binds(node))
        if isinstance(node, Name):
            if node.span.start not in words:
                uses.setdefault(node.name, node.span)
        elif isinstance(node, ast.Optional):
            optionals.append(node)
        elif isinstance(node, ast.Label | ast.Tap) and len(node.name) == 1 and isinstance(node.name[0], str):
            named.setdefault(node.name[0], node.name_span)
            labelled[_inmost(node.body).span.start] = node.name[0]
    return _Survey(tuple(optionals), uses, frozenset(bound), named, labelled)


def _inmost(body: ast.ChainItem) -> ast.ChainItem:
    """What is repeated."""
    while isinstance(body, ast.Repeat):
        body = body.body
    return body


_TRUTHS = frozenset({"true", "false", "True", "False", "on", "off"})


def _words(layer: ast.WrittenLayer) -> Iterator[int]:
    """Where names stand that can only be meant as words: values of options that take words, and other languages'
    `true`."""
    for argument in layer.arguments or ():
        value = argument.value
        if isinstance(value, Name) and (value.name in _TRUTHS or _takes_words(layer.head, argument.name)):
            yield value.span.start


def _takes_words(head: str, option: str | None) -> bool:
    if option is None:
        return False
    readings = head.upper(), name_and_size(head)[0].upper()
    # Ours first: a look at the plug-ins costs a start its time.
    kind = next((KINDS[each] for each in readings if each in KINDS), None) or find(head) or find(readings[1])
    rule = kind.options().get(option) if kind else None
    return rule is not None and bool(rule.words)


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
            child = getattr(node, name)
            if child:
                _gather(child, children)
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
    return tuple(field.name for field in fields(kind) if not field.name.endswith("span"))
