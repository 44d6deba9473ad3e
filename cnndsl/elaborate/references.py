"""Which output an `@name` means: the labels of the module at hand, then of those around it."""

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
"""What the network's input is called unless it has a label."""


def interpolate(parts: Sequence[str | Expr], env: Environment) -> str:
    """A name with its holes filled: `denselayer{i}`."""
    return "".join(part if isinstance(part, str) else show(evaluate(part, env.values)) for part in parts)


def show_value(value: Value) -> str:
    """A value as it stands in a call; names between marks.

    >>> show_value(3), show_value(True), show_value(NameSymbol("RELU"))
    ('3', '`yes`', '`RELU`')
    """
    if isinstance(value, bool):
        return f"`{show(value)}`"
    if isinstance(value, NameSymbol):
        return f"`{value.name}`"
    return f"`@{value.name}`" if isinstance(value, OutputSymbol) else show(value)


def find_label(reference: ReferenceExpr | ast.Ref, env: Environment) -> NamedOutput:
    """What `@name` names. Raises CnnError where nothing does."""
    parts = reference.parts if isinstance(reference, ReferenceExpr) else reference.name
    return resolve(interpolate(parts, env), env, reference.span)


def called(item: ast.Ref, env: Environment) -> str:
    """What a reference is called: as it is written, but a name of a `for` stands for what its row gives."""
    name = interpolate(item.name, env)
    value = env.values.get(name)
    parameters = env.calls[-1].parameters or () if env.calls else ()
    is_given = any(each.name == name for each in parameters)
    return value.name if isinstance(value, OutputValue) and not is_given else name


def resolve(name: str, env: Environment, span: Span) -> NamedOutput:
    """What a name means at a place: a parameter that was given an output, else a label."""
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
    """What a name means that a path begins with, be it a module in pieces."""
    found = _search([name], env.scope, span) if name not in env.values else None
    is_in_pieces = found is not None and found.scope is not None and found.scope.is_scattered
    return found if found is not None and is_in_pieces else resolve(name, env, span)


def check_value(name: str, found: NamedOutput, span: Span) -> None:
    """Raises CnnError for a module in pieces, which gives no value."""
    if found.scope is not None and found.scope.is_scattered:
        inside = next(iter(found.scope.labels), "0")
        message = f"`{name}` is a module whose parts are used one by one, so it has no output of its own"
        raise CnnError(Diagnostic("E0232", message, span, help=f"refer to one of its parts: `@{name}.{inside}`"))


def _no_output(name: str, value: Value, env: Environment, span: Span) -> CnnError:
    """Return the error for a reference to a value that is no output: a parameter that was given none."""
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
    """Return the error for `@from.y0`, where `from` was given an output: that is one value, and has no parts."""
    first, _, rest = name.partition(".")
    value = env.values.get(first)
    if not rest or not isinstance(value, OutputValue | NameValue):
        return None
    message = f"`{first}` is an output here, and an output has no part called `{rest}`"
    help = f"pass that value to the block, `@{value.name}.{rest}`, as a parameter of its own"
    return error("E0232", message, span, help)


def alone(name: str, span: Span) -> CnnError:
    """Return the error for a star where one value is needed."""
    message = f"`@{name}` stands for several values, but only one is allowed here"
    help = f"merge them, `(+ @{name})` or `(| @{name})`: a star is a whole branch of a merge"
    return error("E0230", message, span, help)


def names_output(name: str, env: Environment) -> bool:
    """Return whether `@name` would be a reference to an earlier value at a place."""
    scope: ModuleScope | None = env.scope
    while scope is not None:
        found = scope.labels.get(name)
        if found is not None:
            return found.scope is None or not found.scope.is_scattered
        scope = scope.parent
    return isinstance(env.values.get(name), OutputValue)


def likely_output(name: str, env: Environment) -> str:
    """Return the name of a value that is nearly the given one; empty where there is none."""
    return closest(name, visible(env.scope))


def latest_output(env: Environment) -> str:
    """Return the name that a module, or the nearest around it that has names, gave last to a value; empty without."""
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
    """Return what a path names inside of a part, which is lost with a part that went wrong; None where there is
    nothing."""
    for name in names:
        if named.scope is None and named.wire is None:
            return named
        inner = named.scope.labels.get(name) or _unlabelled(named.scope, name, named.span) if named.scope else None
        if inner is None:
            return None
        named = inner
    return named


def _unlabelled(scope: ModuleScope, name: str, span: Span) -> NamedOutput | None:
    """The part that is called so without a label, by its number or its kind. What a part of a module is called is
    known when the module is complete."""
    if scope.wire is None:
        return None
    for member, given in zip(scope.members, naming.names(scope), strict=True):
        if given == name:
            return NamedOutput(member.scope.wire if member.scope else member.wire, member.scope, span)
    return None
