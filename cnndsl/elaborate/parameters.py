"""The parameters of a file: those that `net` declares, those that are merely used, and its optional parts.

A file that does not set all of them is a family; `sweeping/` enumerates it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import islice

from cnndsl.elaborate.references import show_value
from cnndsl.elaborate.survey import choices, free_names, survey
from cnndsl.errors import (
    Annotation,
    CnnError,
    Diagnostic,
    Fix,
    Span,
    enumerated,
    listed,
    meant,
    nearest,
    replacement,
    unmistakable,
)
from cnndsl.expr import TRUTHS, error
from cnndsl.expr import given as given_value
from cnndsl.expressions import Expr, Name, ReferenceExpr
from cnndsl.layers import known
from cnndsl.limits import current
from cnndsl.records import record
from cnndsl.syntax import ast
from cnndsl.values import (
    ListValue,
    NameSymbol,
    Symbol,
    Unknown,
    Value,
    as_shape,
    equal,
    excess,
    is_bounded,
    items_of,
    numbers_in,
    plain_value,
    show,
    show_setting,
)

_WORDS = frozenset(("if", "else", "for", "in", "or", "and", "not", "each", "again", "tap"))
_MOST_NAMED = 12
"""Maximum number of parameters in a message."""


@record(slots=True)
class OpenParameter:
    """A parameter with its default and its domain, each None if there is none. `span` is its first location."""

    name: str
    default: Value | None
    domain: Sequence[Value] | None
    span: Span
    is_choice: bool = False
    is_declared: bool = True


def parameters(file: ast.File) -> tuple[OpenParameter, ...]:
    """Return all parameters of a file, in source order, optional parts last.

    Raises CnnError if a default or a domain has no value.
    """
    found = tuple(_declared(file)) if _net(file) else _free(file)
    names = {each.name for each in found}
    spans: dict[str, Span] = {}
    named = choices(file)
    for item in survey(file).optionals:
        spans.setdefault(item.name or named[item.span.start], item.span)
    return found + tuple(
        OpenParameter(name, True, (True, False), span, is_choice=True)
        for name, span in spans.items()
        if name not in names
    )


def settle(
    file: ast.File, declared: tuple[OpenParameter, ...], given: Mapping[str, Value]
) -> tuple[dict[str, Value], list[Diagnostic]]:
    """Return the value of every parameter, and the errors: one that is unknown, not set, or outside its domain.

    An invalid parameter has the value Unknown.
    """
    names = [each.name for each in declared]
    wrong = [_not_a_parameter(file, name, names) for name in given if name not in names]
    values: dict[str, Value] = {}
    missing: list[OpenParameter] = []
    for each in declared:
        value = _like(given.get(each.name, each.default), each)
        values[each.name] = Unknown() if value is None else value
        if value is None:
            missing.append(each)
        elif isinstance(value, ListValue) and value.size > current().elements:
            message = f"the list `{each.name}` has more than {current().elements:,} elements"
            wrong.append(Diagnostic("E0203", message, each.span))
            values[each.name] = Unknown()
        elif not all(map(is_bounded, numbers_in(value))):
            beyond = next(number for number in numbers_in(value) if not is_bounded(number))
            message = f"the value of `{each.name}` {excess(beyond)}"
            wrong.append(Diagnostic("E0203", message, each.span))
            values[each.name] = Unknown()
        elif (outside := _outside(each, value)) is not None:
            wrong.append(outside)
            values[each.name] = Unknown()
    if missing:
        wrong.append(_missing(missing))
    return values, wrong


def _like(value: Value | None, parameter: OpenParameter) -> Value | None:
    """Return an external value as its parameter has it: Python tuples and lists become shapes or list values."""
    known = [each for each in (parameter.default, *islice(parameter.domain or (), 1)) if each is not None]
    return value if value is None or not known else _as(value, known[0])


def _as(value: Value, example: Value) -> Value:
    if isinstance(example, tuple):
        return as_shape(value)
    items = items_of(value)
    if not isinstance(example, ListValue) or items is None:
        return value
    return ListValue(tuple(_as(each, example.items[0]) for each in items) if example.items else items)


def _not_a_parameter(file: ast.File, name: str, names: list[str]) -> Diagnostic:
    help = nearest(name, names) or (f"its parameters are {listed(names, _MOST_NAMED)}" if names else "it has none")
    return Diagnostic("E0211", f"the network has no parameter called `{name}`", head_of(file), help=help)


def name_of(parameter: ast.Parameter) -> Span:
    """Return the location of a parameter's name."""
    span = parameter.span
    return Span(span.source, span.start, span.start + len(parameter.name))


def declared_names(file: ast.File) -> list[str]:
    """Return the parameters that `net` declares, even if they are invalid."""
    net = _net(file)
    return [each.name for each in net.parameters or ()] if net else []


def _net(file: ast.File) -> ast.Net | None:
    return next((each for each in file.statements if isinstance(each, ast.Net)), None)


def head_of(file: ast.File) -> Span:
    """Return the location for a message about a file as a whole."""
    first = _net(file) or (file.statements[0] if file.statements else None)
    if isinstance(first, ast.Main):
        return first.chain.items[0].span
    return first.span if first else Span(file.source, 0, 0)


def defined_twice(message: str, span: Span, first: Span) -> CnnError:
    """Return the error for a name that is defined at `span` and was defined before."""
    others = (Annotation(first, "first defined here"),)
    help = "use different names, or remove one of them"
    return CnnError(Diagnostic("E0245", message, span, "defined again here", others, help=help))


def _declared(file: ast.File) -> Iterator[OpenParameter]:
    net = _net(file)
    scope: dict[str, Value] = {}
    places: dict[str, Span] = {}
    for each in (net.parameters or ()) if net else ():
        if each.name in places:
            raise defined_twice(f"the name `{each.name}` is defined twice", name_of(each), places[each.name])
        places[each.name] = name_of(each)
        default = None if each.default is None else _value(each.default, scope)
        domain = None if each.domain is None else _domain(each.domain, scope)
        if default is not None:
            scope[each.name] = default
        parameter = OpenParameter(each.name, default, domain, each.span)
        if default is not None and (outside := _outside(parameter, default)) is not None:
            raise CnnError(outside)
        yield parameter


def _value(written: Expr, scope: Mapping[str, Value]) -> Value:
    return given_value(written, scope, _word)


def _word(written: Name | ReferenceExpr) -> Value:
    if isinstance(written, Name):
        if written.name in TRUTHS:
            message = f"no value is called `{written.name}` here"
            raise error("E0201", message, written.span, replacement(written.span, TRUTHS[written.name]))
        return NameSymbol(written.name)
    raise error("E0205", "a parameter of `net` cannot be an output: it is set before there are any", written.span)


_ANY = "use a smaller range, or no domain at all: the parameter then accepts any value"


def _domain(domain: ast.Domain, scope: Mapping[str, Value]) -> Sequence[Value]:
    values = tuple(_value(each, scope) for each in domain.values)
    if not domain.is_range:
        return values
    first, last = values
    if not isinstance(first, int) or not isinstance(last, int) or last < first:
        message = f"the range {show(first)}..{show(last)} is invalid: a range runs upwards over integers"
        swapped = isinstance(first, int) and isinstance(last, int)
        upwards = replacement(domain.span, f"{show(last)}..{show(first)}")
        advice = upwards if swapped else "list the values: `{1, 2.5, 4}`"
        raise error("E0213", message, domain.span, advice)
    most = current().values
    if last - first >= most:
        raise error("E0213", f"this range has more than {most:,} values", domain.span, _ANY)
    return range(first, last + 1)


def _outside(parameter: OpenParameter, value: Value) -> Diagnostic | None:
    """Return the error for a value outside the domain of its parameter; None for a value inside it."""
    domain = parameter.domain
    if domain is None or any(_same(value, each) for each in domain):
        return None
    several = domain if len(domain) <= 8 else (domain[0], domain[-1])
    values = [show_setting(each) for each in several]
    shown = enumerated(values, "or") if several is domain else f"from {values[0]} to {values[1]}"
    if several is not domain and not isinstance(domain, range):
        shown = f"one of {values[0]}, …, {values[1]}"
    is_default = parameter.default is not None and _same(value, parameter.default)
    subject, chosen = f"`{parameter.name}`", "choose one of these values"
    if is_default:
        subject, chosen = f"the default of {subject}", "choose one of these as the default"
    message = f"{subject} must be {shown}, not {show_value(value)}"
    help = f"{chosen}, or widen the domain"
    if isinstance(domain, tuple) and several is domain:
        numbers = [each for each in (*domain, value) if isinstance(each, int | Fraction)]
        wider = ", ".join(map(show_setting, sorted(numbers) if len(numbers) > len(domain) else (*domain, value)))
        help = f"{chosen}, or add {show_value(value)} to the domain: `{parameter.name} in {{{wider}}}`"
    return Diagnostic("E0212", message, parameter.span, help=help)


def _same(left: Value, right: Value) -> bool:
    if isinstance(left, ListValue) and isinstance(right, ListValue):
        return plain_value(left) == plain_value(right) or equal(left, right)
    if isinstance(left, Symbol) or isinstance(right, Symbol):
        return isinstance(left, NameSymbol) and isinstance(right, NameSymbol) and left.name == right.name
    return equal(left, right)


def _missing(missing: list[OpenParameter]) -> Diagnostic:
    shown, more = missing[:_MOST_NAMED], len(missing) - _MOST_NAMED
    names = [f"`{each.name}`" for each in shown] + ([f"{more:,} more"] if more > 0 else [])
    is_one = len(missing) == 1
    command = " ".join(
        f"--set {each.name}={show_value(each.domain[0]).strip('`') if each.domain else 2}" for each in shown
    )
    others = tuple(Annotation(each.span, "required") for each in shown[1:])
    verb = "parameter {} has no value" if is_one else "parameters {} have no value"
    message = f"the {verb.format(enumerated(names))}"
    words = [each.name for each in missing if each.name in _WORDS]
    help = f"set {'it' if is_one else 'them'} on the command line: `{command}`"
    if words:
        help = f"`{words[0]}` is a keyword: write the value you mean"
    found = Diagnostic("E0214", message, missing[0].span, "required", others, help=help)
    slips = list(_slips(missing))
    if len(missing) == len(slips) == 1:
        found = replace(found, message=f"no value is called {names[0]} here", label="")
    return found.advised(_together(slips, help)) if slips else found


_LOOK_ALIKE = str.maketrans("lIOo", "1100")
"""Letters that are mistaken for digits."""


def _slips(missing: Sequence[OpenParameter]) -> Iterator[Fix]:
    """Yield a fix for each undefined name that can only be meant as a layer type or a number: `l28`, but not if names
    are numbered, `l1` and `l2`."""
    for each in missing:
        digits = each.name.translate(_LOOK_ALIKE)
        if len(missing) == 1 and not each.is_declared and digits.isdigit() and re.search("[0-9].*[0-9]", each.name):
            letter = next(char for char in each.name if not char.isdigit())
            yield replacement(each.span, digits, f"it has the letter {letter}: did you mean {{}}?")
            continue
        close = "" if each.is_declared or len(each.name) < 4 else unmistakable(each.name, known())
        if close:
            yield meant(each.span, close)


def _together(fixes: Sequence[Fix], otherwise: str) -> Fix:
    """Combine several fixes into one."""
    edits = tuple(edit for each in fixes for edit in each.edits)
    first = fixes[0]
    if len(fixes) == 1:
        return Fix(edits, first.advice, first.place, otherwise)
    return Fix(edits, f"did you mean {' and '.join(f'`{each.text}`' for each in edits)}?", None, otherwise)


def _free(file: ast.File) -> tuple[OpenParameter, ...]:
    return tuple(OpenParameter(name, None, None, span, is_declared=False) for name, span in free_names(file).items())
