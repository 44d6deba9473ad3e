"""Calls of blocks: bind the arguments and elaborate the body with its own names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from cnndsl.elaborate.expansion import Expander, Expansion, PendingLabel, axes_of
from cnndsl.elaborate.layer_count import least_of_call, too_many
from cnndsl.elaborate.layer_values import check_no_layer
from cnndsl.elaborate.outputs import NodeOutput
from cnndsl.elaborate.references import find_label, show_value
from cnndsl.elaborate.state import (
    Definition,
    Environment,
    ModuleMember,
    ModuleScope,
    NameValue,
    OutputValue,
    PendingNode,
)
from cnndsl.elaborate.survey import is_kind
from cnndsl.errors import (
    Annotation,
    CnnError,
    Diagnostic,
    Edit,
    Fix,
    Span,
    closest,
    enumerated,
    listed,
    meant,
    replacement,
)
from cnndsl.expr import error, evaluate, given
from cnndsl.expressions import Expr, Name, ReferenceExpr
from cnndsl.graph import CallPart
from cnndsl.limits import current
from cnndsl.syntax import ast
from cnndsl.values import ListValue, Unknown, Value, plain_value

_TWICE = "remove one of them"
_MOST_SHOWN = 20
"""Maximum number of list elements shown when a call is named."""


def call(
    walker: Expander,
    block: Definition,
    item: ast.WrittenLayer,
    wire: NodeOutput | None,
    env: Environment,
    tag: PendingLabel | None,
) -> Expansion:
    """Elaborate the body of a block on a value, as a module of its own. Raises CnnError if the arguments do not fit."""

    _check_form(block, item, env)
    if tag is not None:
        walker.check_free(tag, env)
    written = _assign(block, item)
    arguments = {name: _argument_or_unknown(expr, env) for name, expr in written.items()}
    scope = ModuleScope(env.scope, body=block.block.body.items)
    outer: dict[str, Value] = {**block.home.values, **axes_of(wire)}
    values = _with_defaults(block, item, arguments, Environment(outer, block.home, block.defaults, scope, True))
    number, most = least_of_call(block, values, walker.state.depth), walker.state.most_nodes
    if number > most:
        raise too_many(number, most, item.span)
    env.scope.members.append(ModuleMember(tag.name if tag else None, _base(block.block.name), True, scope=scope))
    inner = Environment({**outer, **values}, block.home, block.defaults, scope, True, (*env.calls, block.block))
    first, errors = len(walker.state.drafts), len(walker.state.errors)
    shown = f"({', '.join(_shortened(value) for value in values.values())})" if values else ""
    with walker.frame(f"in {block.block.name}{shown}, called at {item.span}"):
        made = walker.chain(block.block.body, wire, _with_lets(walker, block.block, inner))
    scope.wire = made.wire
    if len(walker.state.errors) > errors:
        walker.state.errors[errors:] = [
            _at_call(each, item, arguments, walker.state.drafts[first:]) for each in walker.state.errors[errors:]
        ]
    if made.part is None or wire is None:
        made = Expansion(made.wire, None)
        return made if tag is None else walker.name(tag, made, env, scope, is_module=False)
    part = CallPart(
        block.block.name,
        item.span,
        "",
        tuple(values),
        tuple(map(plain_value, values.values())),
        tuple(written.items()),
        wire.node,
        made.part,
        first,
        len(walker.state.drafts),
        block.block.span,
        tuple(_left_out(block, written)),
        tuple((each.name, each.value) for each in block.block.values),
    )
    walker.state.modules.append((part, scope))
    result = Expansion(made.wire, part)
    return result if tag is None else walker.name(tag, result, env, scope, is_module=False)


def _looks_swapped(numbers: Sequence[Span], drafts: Sequence[PendingNode]) -> bool:
    """Check whether one of two numbers became a small number of filters, and the other a large kernel or stride."""
    if len(numbers) != 2:
        return False
    small, large = sorted(int(each.text) for each in numbers)
    for layer in (draft.layer for draft in drafts):
        width, *others = (str(getattr(layer, name or "", "")) for name in (layer.WIDTH, layer.SIZE, layer.STRIDE))
        is_large = any(str(large) in re.findall("[0-9]+", each) for each in others)
        if width == str(small) and small <= _FEW < large and is_large:
            return True
    return False


_FEW = 11
"""At most this many filters are too few for a larger kernel or stride."""


def _at_call(
    found: Diagnostic, item: ast.WrittenLayer, arguments: Mapping[str, Value], drafts: Sequence[PendingNode]
) -> Diagnostic:
    """Return the same shape error, with the fix that swaps two arguments of the call and marks it."""
    numbers = [each.value.span for each in item.arguments or () if each.name is None and each.value.span.text.isdigit()]
    is_of_shape = found.code.startswith("E03") and (found.fix is None or _looks_swapped(numbers, drafts))
    if not is_of_shape or len(numbers) != 2 or numbers[0].text == numbers[1].text:
        return found
    given = ", ".join(f"{name}={show_argument(value)}" for name, value in arguments.items())
    edits = (Edit(numbers[0], numbers[1].text), Edit(numbers[1], numbers[0].text))
    marks = (Annotation(item.span, f"called with {given}"),)
    return found.advised(Fix(edits, "did you mean {}?", item.span, found.help, marks))


def inside(block: Definition, item: ast.WrittenLayer, env: Environment) -> Environment:
    """Return the names in scope in the body of a call before anything enters it; invalid values are Unknown. Raises
    CnnError if the arguments do not match the block's parameters."""
    outer = Environment(block.home.values, block.home, block.defaults, env.scope, True, (*env.calls, block.block))
    written, values = _assign(block, item), dict(block.home.values)
    for each in block.block.parameters or ():
        expr = written.get(each.name, each.default)
        with suppress(CnnError):
            values[each.name] = Unknown()
            if expr is not None:
                values[each.name] = argument(expr, env if each.name in written else replace(outer, values=values))
    for each in block.block.values:
        with suppress(CnnError):
            values[each.name] = Unknown()
            values[each.name] = named_value(each, replace(outer, values=values))
    return replace(outer, values=values)


def _with_lets(walker: Expander, block: ast.Block, env: Environment) -> Environment:
    """Return the names in scope after the values that a block names; errors in these are reported."""
    values = dict(env.values)
    inside = replace(env, values=values)
    for each in block.values:
        try:
            values[each.name] = named_value(each, inside)
        except CnnError as stop:
            walker.state.report(stop)
            values[each.name] = Unknown()
    return inside


def _base(block: str) -> str:
    """Return the base name of a call without a label. Names that start with two underscores are reserved by Python."""
    name = block.lower()
    return name if not name.startswith("__") else name.lstrip("_") or "block"


def _left_out(block: Definition, written: Mapping[str, Expr]) -> Iterator[tuple[str, Expr]]:
    """Yield the defaults of the parameters that a call omits."""
    for each in block.block.parameters or ():
        if each.name not in written and each.default is not None:
            yield each.name, each.default


def _argument_or_unknown(expr: Expr, env: Environment) -> Value:
    """Return the value of an argument; Unknown if its error was already reported."""
    try:
        return argument(expr, env)
    except CnnError as stop:
        if stop.diagnostics:
            raise
        return Unknown()


def show_argument(value: Value) -> str:
    """Format a value as it appears in a call."""
    return show_value(value).strip("`")


def _shortened(value: Value) -> str:
    """Format a value as it appears in a call; a long list shows its length."""
    is_long = isinstance(value, ListValue) and value.size > _MOST_SHOWN
    return f"a list of {len(value.items)}" if is_long and isinstance(value, ListValue) else show_argument(value)


def argument(expr: Expr, env: Environment) -> Value:
    """Return the value of an argument: a name without a value is a word, and `@name` is an output."""

    def word(written: Name | ReferenceExpr) -> Value:
        if isinstance(written, Name):
            return NameValue(written.name, env)
        return OutputValue(written.span.text[1:], find_label(written, env).wire)

    check_no_layer(expr, env)
    return given(expr, env.values, word)


def named_value(let: ast.Let, env: Environment) -> Value:
    """Return the value of a `let`: a name without a value is a layer type or a block. Raises CnnError if it is
    neither."""

    def word(written: Name | ReferenceExpr) -> Value:
        if isinstance(written, Name) and (written.name in env.home.names_of_blocks or is_kind(written.name)):
            return NameValue(written.name, env)
        return evaluate(written, env.values)

    check_no_layer(let.value, env, let.name)
    return given(let.value, env.values, word)


def _check_form(block: Definition, item: ast.WrittenLayer, env: Environment) -> None:
    name = block.block.name
    if item.size or item.width is not None or item.stride is not None:
        message = f"`{name}` is a block: its arguments go in parentheses"
        raise error("E0244", message, item.span, _in_parentheses(block, item) or _form(block))
    deepest = current().nesting
    if len(env.calls) >= deepest:
        raise error("E0103", f"calls nest deeper than {deepest}", item.span)
    if any(each is block.block for each in env.calls):
        others = (Annotation(block.block.name_span, "defined here"),)
        first = next(at for at, each in enumerate(env.calls) if each is block.block)
        through = [f"`{each.name}`" for each in env.calls[first + 1 :]]
        message = f"the block `{name}` calls itself" + (f" through {listed(through, 3)}" if through else "")
        help = "to apply a part several times, write `[…]*n`"
        raise CnnError(Diagnostic("E0243", message, item.span, "recursive call", others, help=help))


def _in_parentheses(block: Definition, item: ast.WrittenLayer) -> Fix | None:
    """Return the fix that writes `Unit(64, 2)` for `Unit-64/2`."""
    parameters = [each.name for each in block.block.parameters or ()]
    given = [each for each in (*item.size, item.width, item.stride) if each is not None]
    if not given or len(given) > len(parameters) or item.arguments or item.size:
        return None
    texts = [each.span.text for each in given]
    return replacement(item.span, f"{block.block.name}({', '.join(texts)})", "a block is called {}", _form(block))


def _assign(block: Definition, item: ast.WrittenLayer) -> dict[str, Expr]:
    """Map each parameter to the expression passed for it."""
    names = [parameter.name for parameter in block.block.parameters or ()]
    result: dict[str, Expr] = {}
    places: dict[str, Span] = {}
    for position, each in enumerate(item.arguments or ()):
        name = each.name or (names[position] if position < len(names) else "")
        if not name:
            noun = "argument" if len(names) == 1 else "arguments"
            takes = f"{len(names)} {noun}" if names else "no arguments"
            raise error("E0240", f"`{block.block.name}` takes {takes}; this is one too many", each.span, _form(block))
        if name not in names:
            place = Span(each.span.source, each.span.start, each.span.start + len(name))
            close = closest(name, names)
            help = meant(place, close) if close else _form(block)
            raise error("E0242", f"`{block.block.name}` has no parameter `{name}`", place, help)
        if name in result:
            others = (Annotation(places[name], "first set here"),)
            message = f"the parameter `{name}` is set more than once"
            raise CnnError(Diagnostic("E0222", message, each.span, "set again here", others, help=_TWICE))
        result[name], places[name] = each.value, each.span
    return result


def _form(block: Definition) -> str:
    """Return how the block is called."""
    names = ", ".join(parameter.name for parameter in block.block.parameters or ())
    return f"call it as `{block.block.name}({names})`" if names else f"call it as `{block.block.name}`"


def _with_arguments(block: Definition, item: ast.WrittenLayer, missing: Sequence[ast.Parameter]) -> str:
    """Return the call with an argument for each parameter that has none: `Pair(64, k)`."""
    names = [each.name for each in block.block.parameters or ()]
    texts = [each.span.text for each in item.arguments or ()]
    is_positional = all(each.name is None for each in item.arguments or ())
    for each in missing:
        is_positional = is_positional and names.index(each.name) == len(texts)
        texts.append(each.name if is_positional else f"{each.name}=…")
    return f"{block.block.name}({', '.join(texts)})"


def _with_defaults(
    block: Definition, item: ast.WrittenLayer, arguments: Mapping[str, Value], env: Environment
) -> dict[str, Value]:
    """Return the values of all parameters, in order. Raises CnnError if some have none."""
    parameters = block.block.parameters or ()
    missing = [each for each in parameters if each.name not in arguments and each.default is None]
    if missing:
        names, plural = enumerated([f"`{each.name}`" for each in missing]), "s" if len(missing) > 1 else ""
        place = (Annotation(missing[0].span.to(missing[-1].span), "required"),)
        message = f"missing argument{plural} for the parameter{plural} {names} of `{block.block.name}`"
        help = f"provide the argument{plural}: `{_with_arguments(block, item, missing)}`"
        raise CnnError(Diagnostic("E0241", message, item.span, "", place, help=help))
    values: dict[str, Value] = {}
    for each in parameters:
        if each.name in arguments:
            values[each.name] = arguments[each.name]
        elif each.default is not None:
            scope = Environment({**env.values, **values}, env.home, env.defaults, env.scope, True)
            values[each.name] = _default(block, each.default, scope, item.span)
    return values


def _default(block: Definition, written: Expr, env: Environment, call: Span) -> Value:
    """Return the value of a default, which is evaluated at each call in the scope of its block."""
    try:
        return argument(written, env)
    except CnnError as stop:
        frame = f"in a default of {block.block.name}, called at {call}"
        raise CnnError([each.within(frame) for each in stop.diagnostics]) from None
