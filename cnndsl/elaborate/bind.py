"""From a layer as written to a layer with its options set.

A kind states its options (`layers.base.Option`); here values are checked against them. Each mistake has its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias, TypeVar

from cnndsl.elaborate.lookup import find_label
from cnndsl.elaborate.state import Bound, Env, Given, Setting, Wire, Word
from cnndsl.errors import CnnError, Diagnostic, Label, Span, nearest
from cnndsl.expr import Expr, Literal, Name, Reference, Value, error, evaluate, show
from cnndsl.layers.base import Layer, Option
from cnndsl.syntax import ast

FieldValue: TypeAlias = int | float | bool | str | tuple[int, ...]
_Number = TypeVar("_Number", int, Fraction, int | Fraction)


@dataclass(frozen=True, slots=True)
class _Assignment:
    """An option that is set: by what, and where. Several expressions are the extents of a size, or a list."""

    option: str
    exprs: tuple[Expr, ...]
    span: Span


def bind(kind: type[Layer], written: ast.Layer, digits: Literal | None, name: str, env: Env) -> Bound:
    """The layer that is meant. `digits` is a size that stood in the head, `name` the kind as it was called.

    Raises CnnError for an option that the kind lacks, one given twice, a value that it cannot have.
    """
    chosen = settings(kind, written, digits, env)
    inherited = env.defaults.get(kind, {})
    merged = {**inherited, **chosen}
    fields: dict[str, FieldValue] = {}
    references: list[Wire | None] = []
    for option, rule in kind.options().items():
        if option not in merged:
            if rule.required:
                raise error("E0225", f"{name} needs its option `{option}`", written.span, _example(kind, option, rule))
            continue
        setting = merged[option]
        if rule.type == "reference":
            references.append(_wire(setting))
        else:
            fields[option] = convert(kind, option, rule, setting)
    layer = kind(**fields)
    exprs = tuple((option, each.expr) for option, each in merged.items() if not isinstance(each.expr, Literal))
    return Bound(layer, tuple(references), _text(name, written, chosen, kind, env), exprs)


def settings(kind: type[Layer], written: ast.Layer, digits: Literal | None, env: Env) -> dict[str, Setting]:
    """The options that a layer sets, by name. Raises CnnError for what the kind does not take."""
    result: dict[str, Setting] = {}
    places: dict[str, Span] = {}
    for each in _assignments(kind, written, digits):
        name = each.option
        if name in result:
            message = f"the option `{name}` of {kind.kind()} is given twice"
            raise CnnError(Diagnostic("E0222", message, each.span, "the second", (Label(places[name], "the first"),)))
        result[name], places[name] = _setting(each, kind.options()[name], env), each.span
    return result


def _setting(each: _Assignment, rule: Option, env: Env) -> Setting:
    if len(each.exprs) == 1 and rule.type != "ints":
        return Setting(_value(each.exprs[0], rule, env), each.exprs[0])
    numbers = tuple(_integer(evaluate(expr, env.values), "a number here", expr.span) for expr in each.exprs)
    return Setting(numbers, Literal(numbers, show(numbers), each.span))


def _assignments(kind: type[Layer], written: ast.Layer, digits: Literal | None) -> Iterator[_Assignment]:
    sizes = written.size or ((digits,) if digits else ())
    if sizes:
        span = sizes[0].span.to(sizes[-1].span)
        yield _Assignment(_suffix(kind, kind.SIZE, "size", span), sizes, span)
    if written.width is not None:
        yield _Assignment(_suffix(kind, kind.WIDTH, "width", written.width.span), (written.width,), written.width.span)
    if written.stride is not None:
        yield _Assignment(
            _suffix(kind, kind.STRIDE, "stride", written.stride.span), (written.stride,), written.stride.span
        )
    unnamed = [argument for argument in written.arguments or () if argument.name is None]
    if unnamed and kind.POSITIONAL and kind.options()[kind.POSITIONAL[-1]].type == "ints":
        span = unnamed[0].span.to(unnamed[-1].span)
        yield _Assignment(kind.POSITIONAL[-1], tuple(each.value for each in unnamed), span)
        unnamed = []
    for position, argument in enumerate(unnamed):
        yield _Assignment(_positional(kind, position, argument.span), (argument.value,), argument.span)
    for argument in written.arguments or ():
        if argument.name is not None:
            yield _Assignment(_option_name(kind, argument), (argument.value,), argument.span)


def _suffix(kind: type[Layer], option: str, what: str, span: Span) -> str:
    if option:
        return option
    raise error("E0223", f"{kind.kind()} takes no {what}", span, "leave it away")


def _option_name(kind: type[Layer], argument: ast.Argument) -> str:
    name = argument.name or ""
    for option, rule in kind.options().items():
        if name == option or name in rule.aliases:
            return option
    known = [*kind.options(), *(alias for rule in kind.options().values() for alias in rule.aliases)]
    place = Span(argument.span.source, argument.span.start, argument.span.start + len(name))
    help = nearest(name, known) or (f"its options are {', '.join(kind.options())}" if known else "it has none")
    raise error("E0221", f"{kind.kind()} has no option `{name}`", place, help)


def _positional(kind: type[Layer], position: int, span: Span) -> str:
    names = kind.POSITIONAL
    if position < len(names):
        return names[position]
    count = f"{len(names)} without a name ({', '.join(names)})" if names else "no argument without a name"
    hint = f"its options are {', '.join(kind.options())}" if kind.options() else ""
    raise error("E0224", f"{kind.kind()} takes {count}", span, hint)


def _value(expr: Expr, rule: Option, env: Env) -> Value:
    """The value given to an option: a name that no value has is a word, where the option takes words."""
    if isinstance(expr, Reference):
        return Given(expr.span.text[1:], find_label(expr, env).wire)
    if isinstance(expr, Name) and expr.name not in env.values and (rule.words or rule.type == "reference"):
        return Word(expr.name, env)
    return evaluate(expr, env.values)


def _wire(setting: Setting) -> Wire | None:
    if isinstance(setting.value, Given):
        return setting.value.wire
    raise error(
        "E0226", f"an output is needed here, and this is {show(setting.value)}", setting.expr.span, "write `@name`"
    )


def convert(kind: type[Layer], option: str, rule: Option, setting: Setting) -> FieldValue:
    """The value of an option as its field holds it. Raises CnnError where type or bounds are wrong."""
    value, span = setting.value, setting.expr.span
    what = f"`{option}` of {kind.kind()}"
    if isinstance(value, Word):
        return _word(value.name, rule, what, span)
    if rule.type == "flag":
        if isinstance(value, bool):
            return value
        raise error("E0226", f"{what} is yes or no, and this is {show(value)}", span)
    if rule.type in ("dims", "padding"):
        return _dims(value, rule, what, span)
    if rule.type == "ints" and isinstance(value, tuple):
        return tuple(_within(each, rule, what, span) for each in value)
    if rule.type == "int":
        return _within(_integer(value, what, span), rule, what, span)
    if rule.type == "number" and isinstance(value, int | Fraction) and not isinstance(value, bool):
        return float(_within(value, rule, what, span))
    wanted = f"one of {', '.join(rule.words)}" if rule.words else "a number"
    raise error("E0226", f"{what} is {wanted}, and this is {show(value)}", span)


def _word(word: str, rule: Option, what: str, span: Span) -> str:
    if word in rule.words:
        return word
    if not rule.words:
        wanted = "yes or no" if rule.type == "flag" else "a number"
        raise error("E0226", f"{what} is {wanted}, and this is the name `{word}`", span)
    wanted = " or ".join(rule.words)
    if rule.type == "padding":
        wanted = f"a number or {wanted}"
    raise error("E0226", f"{what} is {wanted}, and this is `{word}`", span, nearest(word, rule.words))


def _dims(value: Value, rule: Option, what: str, span: Span) -> tuple[int, ...]:
    extents = value if isinstance(value, tuple) else (_integer(value, what, span),)
    return tuple(_within(each, rule, what, span) for each in extents)


def _integer(value: Value, what: str, span: Span) -> int:
    if isinstance(value, Fraction):
        raise error(
            "E0208", f"{what} must be an integer, and this is {show(value)}", span, "round it: `floor`, `ceil`, `//`"
        )
    if isinstance(value, bool) or not isinstance(value, int):
        raise error("E0226", f"{what} must be an integer, and this is {show(value)}", span)
    return value


def _within(value: _Number, rule: Option, what: str, span: Span) -> _Number:
    if rule.minimum is not None and value < rule.minimum:
        raise error("E0227", f"{what} is at least {rule.minimum:g}, and this is {show(value)}", span)
    if rule.maximum is not None and value > rule.maximum:
        raise error("E0227", f"{what} is at most {rule.maximum:g}, and this is {show(value)}", span)
    return value


def _example(kind: type[Layer], option: str, rule: Option) -> str:
    name = kind.kind()
    if rule.type == "reference":
        return f"name an output: {name}2(@pool1)"
    if option == kind.WIDTH:
        return f"write {name}-64"
    return f"write {name}({option}=…)" if option not in kind.POSITIONAL else f"write {name}(…)"


def _text(name: str, written: ast.Layer, chosen: Mapping[str, Setting], kind: type[Layer], env: Env) -> str:
    """The layer as written, with the values of its names filled in."""
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


def _argument_text(argument: ast.Argument, env: Env) -> str:
    expr = argument.value
    is_word = isinstance(expr, Reference) or (isinstance(expr, Name) and expr.name not in env.values)
    value = expr.span.text if is_word or isinstance(expr, Literal) else show(evaluate(expr, env.values))
    return f"{argument.name}={value}" if argument.name else value
