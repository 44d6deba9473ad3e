"""Which output an `@name` means: the labels of the module at hand, then of those around it."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.elaborate.state import Env, Given, Named, Scope, Word
from cnndsl.errors import CnnError, Diagnostic, Span, nearest
from cnndsl.expr import Expr, Reference, evaluate, show
from cnndsl.syntax import ast


def interpolate(parts: Sequence[str | Expr], env: Env) -> str:
    """A name with its holes filled: `denselayer{i}`."""
    return "".join(part if isinstance(part, str) else show(evaluate(part, env.values)) for part in parts)


def find_label(reference: Reference | ast.Ref, env: Env) -> Named:
    """What `@name` names. Raises CnnError where nothing does."""
    parts = reference.parts if isinstance(reference, Reference) else reference.name
    return resolve(interpolate(parts, env), env, reference.span)


def resolve(name: str, env: Env, span: Span) -> Named:
    """What a name means at a place: a parameter that was given an output, else a label."""
    value = env.values.get(name)
    if isinstance(value, Given):
        return Named(value.wire, None, span)
    if isinstance(value, Word) and value.env is not None:
        return resolve(value.name, value.env, span)
    found = _search(name.split("."), env.scope)
    if found is not None:
        return found
    message = f"nothing before this place is called `{name}`"
    raise CnnError(Diagnostic("E0232", message, span, help=nearest(name, _visible(env.scope))))


def _search(names: Sequence[str], scope: Scope | None) -> Named | None:
    while scope is not None:
        found = scope.labels.get(names[0])
        if found is not None:
            return _descend(found, names[1:])
        scope = scope.parent
    return None


def _descend(named: Named, names: Sequence[str]) -> Named | None:
    for name in names:
        inner = named.scope.labels.get(name) if named.scope else None
        if inner is None:
            return None
        named = inner
    return named


def _visible(scope: Scope | None) -> list[str]:
    names: list[str] = []
    while scope is not None:
        names.extend(scope.labels)
        scope = scope.parent
    return names
