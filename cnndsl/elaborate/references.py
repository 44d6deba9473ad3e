"""Resolve `@name` to an output: search the labels of the current module, then of those around it."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.elaborate import naming
from cnndsl.elaborate.near_paths import help_for_path, visible
from cnndsl.elaborate.state import Environment, ModuleScope, NamedOutput, NameValue, OutputValue
from cnndsl.errors import Annotation, CnnError, Diagnostic, Span, closest
from cnndsl.expr import error, evaluate
from cnndsl.expressions import Expr, ReferenceExpr
from cnndsl.syntax import ast
from cnndsl.values import NameSymbol, OutputSymbol, Unknown, Value, show

INPUT = "input"
"""The name of the network's input if it has no label."""


def interpolate(parts: Sequence[str | Expr], env: Environment) -> str:
    """Return a name with its placeholders filled: `denselayer{i}`."""
    return "".join(part if isinstance(part, str) else show(evaluate(part, env.values)) for part in parts)


def show_value(value: Value) -> str:
    """Format a value as it appears in a call; names are in backticks.

    >>> show_value(3), show_value(True), show_value(NameSymbol("RELU"))
    ('3', '`yes`', '`RELU`')
    """
    if isinstance(value, bool):
        return f"`{show(value)}`"
    if isinstance(value, NameSymbol):
        return f"`{value.name}`"
    return f"`@{value.name}`" if isinstance(value, OutputSymbol) else show(value)


def find_label(reference: ReferenceExpr | ast.Ref, env: Environment) -> NamedOutput:
    """Return the output that `@name` names. Raises CnnError if there is none."""
    parts = reference.parts if isinstance(reference, ReferenceExpr) else reference.name
    return resolve(interpolate(parts, env), env, reference.span)


def called(item: ast.Ref, env: Environment) -> str:
    """Return the name of a reference as written, with the iteration variable of a `for` replaced by its row's value."""
    name = interpolate(item.name, env)
    value = env.values.get(name)
    parameters = env.calls[-1].parameters or () if env.calls else ()
    is_given = any(each.name == name for each in parameters)
    return value.name if isinstance(value, OutputValue) and not is_given else name


def resolve(name: str, env: Environment, span: Span) -> NamedOutput:
    """Return what a name refers to in a scope: a parameter that was given an output, else a label."""
    if "*" in name:
        raise alone(name, span)
    value = env.values.get(name)
    if isinstance(value, Unknown):
        raise CnnError(())
    if isinstance(value, OutputValue):
        return NamedOutput(value.wire, None, span)
    if isinstance(value, NameValue) and value.env is not None:
        return resolve(value.name, value.env, span)
    found = _search(name.split("."), env.scope, span)
    if found is None and value is not None:
        raise _no_output(name, value, env, span)
    if found is None:
        raise _of_output(name, env, span) or _unknown(name, env, span)
    check_value(name, found, span)
    return found


def resolve_module(name: str, env: Environment, span: Span) -> NamedOutput:
    """Return what the first name of a path refers to, including a module in pieces."""
    found = _search([name], env.scope, span) if name not in env.values else None
    is_in_pieces = found is not None and found.scope is not None and found.scope.is_scattered
    return found if found is not None and is_in_pieces else resolve(name, env, span)


def check_value(name: str, found: NamedOutput, span: Span) -> None:
    """Raise CnnError for a module in pieces, which has no value."""
    if found.scope is not None and found.scope.is_scattered:
        inside = next(iter(found.scope.labels), "0")
        message = f"`{name}` is a module whose parts are used one by one, so it has no output of its own"
        raise CnnError(Diagnostic("E0232", message, span, help=f"refer to one of its parts: `@{name}.{inside}`"))


def _no_output(name: str, value: Value, env: Environment, span: Span) -> CnnError:
    """Return the error for a reference to a parameter whose value is not an output."""
    message = f"`{name}` is {show_value(value)} here, but a reference needs an output"
    help = "pass one: `@a`" if env.calls else ""
    if env.calls and value is False:
        help = f"pass one, or leave out the part that needs it: `@{name} if {name} != no`"
    return error("E0232", message, span, help)


def _unknown(name: str, env: Environment, span: Span) -> CnnError:
    later = env.home.labels.get(name)
    if later is not None and later.start > span.start:
        message = f"`{name}` is only defined after this point"
        others = (Annotation(later, "defined here"),)
        help = "references can only refer to earlier parts"
        return CnnError(Diagnostic("E0232", message, span, "", others, help=help))
    message = f"cannot find `@{name}` before this point"
    sign = "@" if span.text.startswith("@") else ""
    return error("E0232", message, span, help_for_path(name, env.scope, sign, span))


def _of_output(name: str, env: Environment, span: Span) -> CnnError | None:
    """Return the error for `@from.y0` if `from` was given an output, which is a single value without parts."""
    first, _, rest = name.partition(".")
    value = env.values.get(first)
    if not rest or not isinstance(value, OutputValue | NameValue):
        return None
    message = f"`{first}` is an output here, and an output has no part called `{rest}`"
    help = f"pass that value to the block, `@{value.name}.{rest}`, as a parameter of its own"
    return error("E0232", message, span, help)


def alone(name: str, span: Span) -> CnnError:
    """Return the error for a star in a context that requires one value."""
    message = f"`@{name}` stands for several values, but only one is allowed here"
    help = f"merge them, `(+ @{name})` or `(| @{name})`: a star is a whole branch of a merge"
    return error("E0230", message, span, help)


def names_output(name: str, env: Environment) -> bool:
    """Return whether `@name` would refer to an earlier value in this scope."""
    scope: ModuleScope | None = env.scope
    while scope is not None:
        found = scope.labels.get(name)
        if found is not None:
            return found.scope is None or not found.scope.is_scattered
        scope = scope.parent
    return isinstance(env.values.get(name), OutputValue)


def likely_output(name: str, env: Environment) -> str:
    """Return the name of a value that is most similar to the given one; empty if there is none."""
    return closest(name, visible(env.scope))


def latest_output(env: Environment) -> str:
    """Return the last name given to a value in this module, or in the nearest one around it; empty if none."""
    scope: ModuleScope | None = env.scope
    while scope is not None:
        for name, named in reversed(scope.labels.items()):
            if named.wire is not None:
                return name
        scope = scope.parent
    return ""


def _search(names: list[str], scope: ModuleScope | None, span: Span) -> NamedOutput | None:
    while scope is not None:
        found = scope.labels.get(names[0])
        if found is not None:
            return descend(found, names[1:])
        outermost, scope = scope, scope.parent
        first = outermost.members[0] if scope is None and names == [INPUT] and outermost.members else None
        if first is not None and first.base == INPUT and first.label not in outermost.values:
            return NamedOutput(first.wire, None, span)
    return None


def descend(named: NamedOutput, names: Sequence[str]) -> NamedOutput | None:
    """Return what a path names inside a part. A failed part has no known parts, so it is returned itself; None if
    nothing has that name."""
    for name in names:
        if named.scope is None and named.wire is None:
            return named
        inner = named.scope.labels.get(name) or _unlabelled(named.scope, name, named.span) if named.scope else None
        if inner is None:
            return None
        named = inner
    return named


def _unlabelled(scope: ModuleScope, name: str, span: Span) -> NamedOutput | None:
    """Return the unlabelled part that is named by its number or layer type. The names of a module's parts are known
    when the module is complete."""
    if scope.wire is None:
        return None
    for member, given in zip(scope.members, naming.names(scope), strict=True):
        if given == name:
            return NamedOutput(member.scope.wire if member.scope else member.wire, member.scope, span)
    return None
