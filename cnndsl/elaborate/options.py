"""Turn a layer as written into a layer with its options set.

A layer type declares its options (`layers.base.Option`), and values are checked here. Each error has its location.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from inspect import getdoc
from typing import TypeAlias, TypeVar

from cnndsl.elaborate.calls import show_argument
from cnndsl.elaborate.foreign_heads import head_of
from cnndsl.elaborate.option_fixes import for_option, in_the_head, rounded, share, truth_of
from cnndsl.elaborate.outputs import Bound, NodeOutput
from cnndsl.elaborate.references import find_label, names_output, show_value
from cnndsl.elaborate.state import Environment, NameValue, OutputValue, Setting
from cnndsl.elaborate.survey import is_kind
from cnndsl.errors import Annotation, CnnError, Diagnostic, Edit, Fix, Span, closest, meant, replacement
from cnndsl.expr import described, error, evaluate, given
from cnndsl.expressions import Call, Expr, ListExpr, Literal, Name, ReferenceExpr, ShapeExpr, names
from cnndsl.layers.base import Layer, Option
from cnndsl.records import record
from cnndsl.syntax import ast
from cnndsl.values import ListValue, NameSymbol, Value, as_shape, show

_TWICE = "remove one of them"
MOST_WORDS = 12
"""Maximum number of an option's words in a message."""
FieldValue: TypeAlias = int | float | bool | str | tuple[int, ...]
_Number = TypeVar("_Number", int, Fraction, int | Fraction)


@record(slots=True)
class _Assignment:
    """An option that is set: its expressions and location. Several are the sizes per axis, or a list."""

    option: str
    exprs: tuple[Expr, ...]
    span: Span


def bind(kind: type[Layer], written: ast.WrittenLayer, digits: Literal | None, name: str, env: Environment) -> Bound:
    """Return the layer that is meant. `digits` is a size in the head, `name` the layer type as it was called.

    Raises CnnError for an option that the layer type lacks, one given twice, or an invalid value.
    """
    chosen = settings(kind, written, digits, env)
    inherited = env.defaults.get(kind, {})
    merged = {**inherited, **chosen}
    fields: dict[str, FieldValue] = {}
    references: list[NodeOutput | None] = []
    for option, rule in kind.options().items():
        if option not in merged:
            if rule.required and rule.instead not in merged:
                raise _missing(kind, name, {each for each in kind.options() if each not in merged}, written.span)
            continue
        setting = merged[option]
        if rule.type == "reference":
            references.append(_wire(setting))
        elif rule.like and isinstance(setting.value, OutputValue):
            references.append(setting.value.wire)
            fields[rule.like] = True
        else:
            fields[option] = _explained(setting, env, kind, option, rule)
    layer = kind(**fields)
    exprs = tuple((option, expr) for option, each in merged.items() if (expr := _origin(each, option in chosen)))
    return Bound(layer, tuple(references), _text(name, written, chosen, kind, env), exprs)


def _origin(setting: Setting, is_own: bool) -> Expr | None:
    """Return the expression of an option; None for a literal. One from a `default` is marked, since its names are those
    of the file."""
    expr = setting.extents or setting.expr
    if isinstance(expr, Literal):
        return None
    return expr if is_own else Call("default", (expr,), expr.span)


def settings(
    kind: type[Layer], written: ast.WrittenLayer, digits: Literal | None, env: Environment
) -> dict[str, Setting]:
    """Return the options that a layer sets, by name. Raises CnnError for those that the layer type does not accept."""
    result: dict[str, Setting] = {}
    places: dict[str, Span] = {}
    for each in tuple(_assignments(kind, written, digits)):
        name = each.option
        if name in result:
            message = f"the option `{name}` of {kind.kind()} is set more than once"
            others = (Annotation(places[name], "first set here"),)
            raise CnnError(Diagnostic("E0222", message, each.span, "set again here", others, help=_TWICE))
        result[name], places[name] = _setting(each, kind.options()[name], env, kind), each.span
    return result


def _explained(setting: Setting, env: Environment, kind: type[Layer], option: str, rule: Option) -> FieldValue:
    """Return the value of an option; an error mentions the values of the names in it."""
    try:
        return convert(kind, option, rule, setting)
    except CnnError as stop:
        values = {each.name: env.values[each.name] for each in names(setting.expr) if each.name in env.values}
        if isinstance(setting.expr, Name):
            raise
        label = ", ".join(f"{name} is {show_value(value)}" for name, value in values.items())
        raise CnnError([replace(each, label=label) for each in stop.diagnostics]) from None


def _setting(each: _Assignment, rule: Option, env: Environment, kind: type[Layer]) -> Setting:
    first = each.exprs[0]
    if len(each.exprs) == 1 and rule.type != "ints":
        if not isinstance(first, ShapeExpr):
            return Setting(_value(first, rule, env, kind), first)
        return _extents(first.extents, env, first.span)
    if len(each.exprs) == 1 and isinstance(first, ListExpr):
        return _extents(first.items, env, first.span)
    if len(each.exprs) == 1 and isinstance(numbers := evaluate(first, env.values), ListValue):
        return Setting(tuple(_integer(number, "a number here", first.span) for number in numbers.items), first)
    return _extents(each.exprs, env, each.span)


def _extents(exprs: tuple[Expr, ...], env: Environment, span: Span) -> Setting:
    """Return several numbers, with their expressions if they are more than literals."""
    numbers = tuple(_integer(evaluate(expr, env.values), "a number here", expr.span) for expr in exprs)
    is_literal = all(isinstance(expr, Literal) for expr in exprs)
    extents = None if is_literal else Call("extents", exprs, span)
    return Setting(numbers, Literal(numbers, show(numbers), span), extents)


def _assignments(kind: type[Layer], written: ast.WrittenLayer, digits: Literal | None) -> Iterator[_Assignment]:
    sizes = written.size or ((digits,) if digits else ())
    if sizes:
        span = sizes[0].span.to(sizes[-1].span)
        yield _Assignment(_suffix(kind, kind.SIZE, "size", span, written), sizes, span)
    if written.width is not None:
        yield _Assignment(
            _suffix(kind, kind.WIDTH, "width", written.width.span, written), (written.width,), written.width.span
        )
    if written.stride is not None:
        yield _Assignment(
            _suffix(kind, kind.STRIDE, "stride", written.stride.span, written), (written.stride,), written.stride.span
        )
    unnamed = [argument for argument in written.arguments or () if argument.name is None]
    if unnamed and kind.POSITIONAL and kind.options()[kind.POSITIONAL[-1]].type == "ints":
        span = unnamed[0].span.to(unnamed[-1].span)
        yield _Assignment(kind.POSITIONAL[-1], tuple(each.value for each in unnamed), span)
        unnamed = []
    for position, argument in enumerate(unnamed):
        yield _Assignment(_positional(kind, position, argument.span, written), (argument.value,), argument.span)
    for argument in written.arguments or ():
        if argument.name is not None:
            yield _Assignment(_option_name(kind, argument, written), (argument.value,), argument.span)


_MOST_STRIDE, _MOST_SIZE = 4, 32
"""Up to this number, the width of a layer type without one is assumed to be a stride, `POOL3-2`, or a size, `GN-32`."""


def _suffix(kind: type[Layer], option: str, what: str, span: Span, written: ast.WrittenLayer) -> str:
    if option:
        return option
    name, head = kind.kind(), head_of(written)
    rule = kind.options()[kind.POSITIONAL[0]] if kind.POSITIONAL else None
    sign = Span(span.source, span.start - (what != "size"), span.end)
    if what == "size" and kind.WIDTH:
        edit, advice = Edit(sign, f"-{span.text}"), "the width follows a dash: {}"
    elif rule is not None and rule.type == "number":
        number = share(span.text) if rule.maximum == 1 else span.text
        edit, advice = Edit(Span(span.source, sign.start, head.end), f"({number})"), "its number is an option: {}"
        if not number or written.arguments is not None:
            raise error("E0223", f"{name} takes no {what}", span, f"its number is an option: {name}({number})")
    elif what == "width" and not re.fullmatch("[0-9]+", span.text):
        is_layer = is_kind(span.text)
        edit, advice = Edit(sign, f" -> {span.text}"), "an arrow is missing: {}"
        if not is_layer:
            raise error("E0223", f"{name} takes no {what}", span, f"write {name}")
    elif what == "stride" and written.width is not None:
        place = Span(span.source, written.width.span.start, span.end)
        edit, advice = Edit(place, f"{{{place.text}}}"), "a quotient goes in braces: {}"
    else:
        edit, advice = _plain_number(kind, what, sign, written)
    raise error("E0223", f"{name} takes no {what}", span, Fix((edit,), advice, head))


def _plain_number(kind: type[Layer], what: str, sign: Span, written: ast.WrittenLayer) -> tuple[Edit, str]:
    """Return the edit and the help for an integer that a layer type has no use for; `sign` includes its `-` or `/`."""
    number = sign.text.lstrip("-/")
    if what == "width" and kind.SIZE and kind.STRIDE and int(number) <= _MOST_STRIDE and written.stride is None:
        return Edit(sign, f"/{number}"), "a stride follows `/`: {}"
    has_no_size = written.head.upper() in kind.NAMES and not written.size
    if what == "width" and kind.SIZE and not kind.STRIDE and has_no_size and int(number) <= _MOST_SIZE:
        return Edit(sign, number), "its number comes right after the name: {}"
    if what != "stride" and (kind.SIZE or kind.ROLE == "normalisation"):
        return Edit(sign, ""), "its output has as many channels as its input: {}"
    return Edit(sign, ""), "write {}"


def _option_name(kind: type[Layer], argument: ast.Argument, written: ast.WrittenLayer) -> str:
    name = argument.name or ""
    for option, rule in kind.options().items():
        if name == option or name in rule.aliases:
            return option
    place = Span(argument.span.source, argument.span.start, argument.span.start + len(name))
    help = for_option(kind, written, argument, _options(kind))
    raise error("E0221", f"{kind.kind()} has no option `{name}`", place, help)


def _options(kind: type[Layer]) -> str:
    options = kind.options()
    return f"its options are {', '.join(f'`{each}`' for each in options)}" if options else "remove the parentheses"


def _positional(kind: type[Layer], position: int, span: Span, written: ast.WrittenLayer) -> str:
    known = kind.POSITIONAL
    if position < len(known):
        return known[position]
    message = f"{kind.kind()} {f'takes {_takes(known)}' if kind.options() else 'has no options'}"
    raise error("E0224", message, span, in_the_head(kind, written) or _named(kind))


def _named(kind: type[Layer]) -> str:
    return f"{_options(kind)}; name the one you mean" if kind.options() else _options(kind)


def _takes(known: tuple[str, ...]) -> str:
    if not known:
        return "no positional arguments"
    listed = ", ".join(f"`{each}`" for each in known)
    return f"{len(known)} positional argument{'s' if len(known) > 1 else ''}: {listed}"


def _value(expr: Expr, rule: Option, env: Environment, kind: type[Layer]) -> Value:
    """Return the value given to an option: a name without a value is a word, if the option accepts words."""

    def word(written: Name | ReferenceExpr) -> Value:
        if isinstance(written, ReferenceExpr):
            return OutputValue(written.span.text[1:], find_label(written, env).wire)
        if rule.words or rule.type == "reference":
            return NameValue(written.name, env)
        option = _taking_outputs(kind)
        if option and names_output(written.name, env):
            help = f"write `{option}=@{written.name}`" + ("" if rule.like else " to make it as large as that")
            raise error("E0226", f"`{written.name}` is an output; a reference begins with `@`", written.span, help)
        return evaluate(written, env.values)

    return given(expr, env.values, word)


def _taking_outputs(kind: type[Layer]) -> str:
    """Return the option that takes a size or another map, `out=@x`; empty for a layer type without one."""
    return next((option for option, rule in kind.options().items() if rule.like), "")


def _wire(setting: Setting) -> NodeOutput | None:
    value, span = setting.value, setting.expr.span
    if isinstance(value, OutputValue):
        return value.wire
    help = (
        f"write `@{value.name}`"
        if isinstance(value, NameSymbol)
        else "name a layer, `pool1: POOL2`, and write `@pool1`"
    )
    raise error("E0226", f"expected an output, found {show_value(value)}", span, help)


def convert(kind: type[Layer], option: str, rule: Option, setting: Setting) -> FieldValue:
    """Return the value of an option as its field stores it. Raises CnnError if its type or bounds are wrong."""
    value, span = setting.value, setting.expr.span
    what = f"`{option}` of {kind.kind()}"
    if isinstance(value, NameSymbol):
        return _word(value.name, rule, what, span)
    if isinstance(value, OutputValue) and (other := _taking_outputs(kind)):
        help = f"write `{other}=@{value.name}` to make it as large as that"
        raise error("E0226", f"{what} must be a number, not the output `@{value.name}`", span, help)
    if rule.type == "flag":
        if isinstance(value, bool):
            return value
        word = truth_of(span.text)
        help = replacement(span, word) if word else f"write `{option}=yes` or `{option}=no`"
        raise error("E0226", f"{what} must be yes or no, not {show_value(value)}", span, help)
    if rule.type in ("dims", "padding"):
        return _dims(value, rule, what, span)
    if rule.type == "ints" and isinstance(value, tuple):
        return tuple(_within(each, rule, what, span) for each in value)
    if rule.type == "int":
        return _within(_integer(value, what, span), rule, what, span)
    if rule.type == "number" and isinstance(value, int | Fraction) and not isinstance(value, bool):
        return float(_within(value, rule, what, span))
    wanted = f"one of {_listed(rule.words)}" if rule.words else "a number"
    help = f"for example, `{option}={rule.words[0]}`" if rule.words else f"write a number{_bounds(rule)}"
    raise error("E0226", f"{what} must be {wanted}, not {show_value(value)}", span, help)


def _bounds(rule: Option) -> str:
    """Return the bounds of an option in words; empty if it has none."""
    least = "" if rule.minimum is None else f" of at least {rule.minimum:g}"
    return f" from {rule.minimum or 0:g} to {rule.maximum:g}" if rule.maximum is not None else least


def _listed(words: tuple[str, ...]) -> str:
    """Return the words of an option; if there are many, only the first ones."""
    return ", ".join(words if len(words) <= MOST_WORDS else (*words[: MOST_WORDS - 1], "…"))


def _word(word: str, rule: Option, what: str, span: Span) -> str:
    if word in rule.words:
        return word
    if not rule.words:
        wanted = "yes or no" if rule.type == "flag" else "a number"
        truth = truth_of(word) if rule.type == "flag" else ""
        help = replacement(span, truth) if truth else ""
        raise error("E0226", f"{what} must be {wanted}, not the name `{word}`", span, help)
    wanted = f"{'a number or ' if rule.type == 'padding' else ''}one of {_listed(rule.words)}"
    close = closest(word, rule.words)
    help = meant(span, close) if close else f"to set it from outside, declare it: `net Net({word}={rule.words[0]})`"
    raise error("E0226", f"{what} must be {wanted}, not `{word}`", span, help)


def _dims(value: Value, rule: Option, what: str, span: Span) -> tuple[int, ...]:
    value = as_shape(value)
    extents = value if isinstance(value, tuple) else (_integer(value, what, span),)
    return tuple(_within(each, rule, what, span) for each in extents)


def _integer(value: Value, what: str, span: Span) -> int:
    if isinstance(value, Fraction):
        raise error("E0208", f"{what} must be an integer, not {show(value)}", span, rounded(span))
    if isinstance(value, bool) or not isinstance(value, int):
        is_list = isinstance(value, ListValue)
        help = f"an element of it is `{span.text}[1]`" if is_list and value.items else ""
        shown = described(value) if is_list else show_value(value)
        raise error("E0226", f"{what} must be an integer, not {shown}", span, help)
    return value


def _within(value: _Number, rule: Option, what: str, span: Span) -> _Number:
    if rule.minimum is not None and value < rule.minimum:
        raise error(
            "E0227",
            f"{what} must be at least {rule.minimum:g}, not {show(value)}",
            span,
            f"use a value{_bounds(rule)}",
        )
    if rule.maximum is not None and value > rule.maximum:
        decimal = share(span.text) if rule.maximum == 1 else ""
        help = replacement(span, decimal, "write it as a decimal: {}") if decimal else f"use a value{_bounds(rule)}"
        raise error("E0227", f"{what} must be at most {rule.maximum:g}, not {show(value)}", span, help)
    return value


def _missing(kind: type[Layer], name: str, absent: set[str], span: Span) -> CnnError:
    """Return the error for required options that are missing."""
    required = [option for option, rule in kind.options().items() if rule.required and option in absent]
    noun = "option" if len(required) == 1 else "options"
    listed = " and ".join(f"`{option}`" for option in required)
    example = re.match(r"`([^`]+)`", getdoc(kind) or "")
    help = f"for example, `{example[1]}`" if example else ""
    only = re.fullmatch(r"\w+\(([^(),=]+)\)", span.text)
    if kind.RANGE and only and only[1] != "0":
        help = f"the channels before that are `{name}(0, {only[1]})`, and the rest `{name}({only[1]}, C)`"
    return error("E0225", f"missing {noun} {listed} of {name}", span, help)


def _text(
    name: str, written: ast.WrittenLayer, chosen: Mapping[str, Setting], kind: type[Layer], env: Environment
) -> str:
    """Return the layer as written, with the values of its names filled in."""
    text = name
    if kind.SIZE in chosen and (written.size or name.upper() != written.head.upper()):
        text += show(chosen[kind.SIZE].value)
    if written.width is not None:
        text += f"-{show(chosen[kind.WIDTH].value)}"
    if written.stride is not None:
        text += f"/{show(chosen[kind.STRIDE].value)}"
    if not written.arguments:
        return text
    return f"{text}({', '.join(_argument_text(argument, env) for argument in written.arguments)})"


def _argument_text(argument: ast.Argument, env: Environment) -> str:
    expr = argument.value
    is_word = isinstance(expr, ReferenceExpr) or (isinstance(expr, Name) and expr.name not in env.values)
    is_written = is_word or isinstance(expr, Literal)
    value = expr.span.text if is_written else show_argument(given(expr, env.values, _as_written))
    return f"{argument.name}={value}" if argument.name else value


def _as_written(word: Name | ReferenceExpr) -> Value:
    return NameSymbol(word.span.text)
