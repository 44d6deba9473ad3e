"""References with a star: `@unit*.skip`, the value `skip` of each part that is labelled `unit{…}`.

The parts that a star stands for follow from labels as written. A module that contains a label `unit{i}: …` has the
parts `unit…`, even before the first of them is made. So `@unit*` in the first iteration of a repeat matches nothing
there, and never the parts of a module around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cnndsl.elaborate.expansion import PendingLabel
from cnndsl.elaborate.references import check_value, descend, interpolate, resolve_module
from cnndsl.elaborate.state import Environment, ModuleScope, NamedOutput, State, WrittenLabel
from cnndsl.errors import Annotation, CnnError, Diagnostic, Span, closest, did_you_mean, listed
from cnndsl.expressions import Expr
from cnndsl.syntax import ast

_HOLE = "{…}"
"""Replaces a placeholder whose value is not known from the source."""

StarMatch = tuple[str, NamedOutput]
"""A part that a star stands for: its path and its output."""


def family(template: Sequence[str | Expr], env: Environment) -> str | None:
    """Return the text before the last placeholders of a label that ends with one, with its other placeholders filled;
    None for any other label: `conv{r}_{j}` is of the family `conv0_` if `r` is 0."""
    stem = _stem(template)
    return None if stem is None else interpolate(stem, env)


def label(item: ast.Label | ast.Tap | ast.Equation, env: Environment) -> PendingLabel:
    """Return the label that is written at an item, with its placeholders filled."""
    return PendingLabel(interpolate(item.name, env), item.name, item.name_span, family(item.name, env))


def _stem(template: Sequence[str | Expr]) -> tuple[str | Expr, ...] | None:
    """Return the text of a label that a star repeats, all but its final placeholders; None if it ends with none.

    >>> from cnndsl.values import Unknown
    >>> hole = Unknown()
    >>> _stem(("unit", hole)), _stem((hole,)), _stem(("unit1",)), _stem(("unit", hole, "b"))
    (('unit',), (), None, None)
    >>> _stem(("conv", hole, "_", hole)) == ("conv", hole, "_")
    True
    """
    length = len(template)
    while length and not isinstance(template[length - 1], str):
        length -= 1
    return tuple(template[:length]) if length < len(template) else None


def families(template: Sequence[str | Expr]) -> list[str]:
    """Return the text before each placeholder that ends a label, or that ends the name of one of the modules in it.

    >>> from cnndsl.values import Unknown
    >>> families(("convs.", Unknown(), ".skip")), families(("unit", Unknown()))
    (['convs.'], ['unit'])
    """
    dots = sum(part.count(".") for part in template if isinstance(part, str))
    found = (_stem(up_to(template, number)) for number in range(dots + 1))
    return ["".join(part if isinstance(part, str) else _HOLE for part in stem) for stem in found if stem is not None]


def up_to(template: Sequence[str | Expr], dots: int) -> tuple[str | Expr, ...]:
    """Return the beginning of a label up to that many dots: it names a module, or the part itself."""
    parts: list[str | Expr] = []
    for part in template:
        names = part.split(".") if isinstance(part, str) else []
        if len(names) - 1 > dots:
            parts.append(".".join(names[: dots + 1]))
            break
        dots -= max(len(names) - 1, 0)
        parts.append(part)
    return tuple(part for part in parts if part != "")


def starred(chain: ast.Chain) -> ast.Ref | None:
    """Return the reference with a star that a branch consists of; None for any other branch."""
    only = chain.items[0] if len(chain.items) == 1 else None
    return only if isinstance(only, ast.Ref) and only.is_starred else None


def matches(item: ast.Ref, env: Environment, state: State) -> list[StarMatch]:
    """Return the parts that a reference with a star stands for, in order. Raises CnnError if it cannot stand for
    any."""
    path = interpolate(item.name, env)
    first, *rest = path.split(".")
    prefix, _, after = path.partition("*")
    if first.endswith("*") or _is_written(prefix, env.scope):
        found, rest = _labelled(prefix, env, item.span, state), after.split(".")[1:]
    else:
        found = [(first, resolve_module(first, env, item.span))]
    for name in rest:
        found = _members(name, found, item.span, state)
    for name, named in found:
        check_value(name, named, item.span)
    return found


def _labelled(prefix: str, env: Environment, span: Span, state: State) -> list[StarMatch]:
    """Return the parts `prefix{…}` of the current module, or of the nearest around it that can have earlier ones."""
    scope: ModuleScope | None = env.scope
    later: WrittenLabel | None = None
    while scope is not None:
        labels = _with_prefix(prefix, scope)
        if any(_can_precede(each, span, scope) for each in labels):
            return _of(scope, prefix, state, span)
        later = later or next(iter(labels), None)
        scope = scope.parent
    if later is not None:
        message = f"`{prefix}{{…}}` is only defined after this point"
        help = "a star can only refer to earlier parts"
        raise CnnError(Diagnostic("E0232", message, span, "", (Annotation(later.span, "defined here"),), help=help))
    raise _unknown(f"cannot find a label `{prefix}{{…}}` before this point", prefix, _around(env.scope), span)


def _is_written(prefix: str, scope: ModuleScope | None) -> bool:
    """Check whether labels of this form are written: `convs.c{i}`, whose parts are in the module in pieces `convs`."""
    while scope is not None:
        if _with_prefix(prefix, scope):
            return True
        scope = scope.parent
    return False


def _with_prefix(prefix: str, scope: ModuleScope) -> list[WrittenLabel]:
    """Return the labels written in a module that a star after a prefix can match."""
    exact = written(scope).get(prefix, [])
    filled = (labels for stem, labels in written(scope).items() if _HOLE in stem and _fills(stem, prefix))
    return [*exact, *(each for labels in filled for each in labels)]


def _fills(stem: str, prefix: str) -> bool:
    """Check whether values in the placeholders of a stem can turn it into a prefix."""
    pattern = "[A-Za-z0-9_]+".join(map(re.escape, stem.split(_HOLE)))
    return re.fullmatch(pattern, prefix) is not None


def _of(scope: ModuleScope, prefix: str, state: State, span: Span) -> list[StarMatch]:
    outer = prefix.split(".")[:-1]
    for name in outer:
        found = scope.labels.get(name)
        if found is None or found.scope is None:
            return []
        scope = found.scope
    state.look(len(scope.labels), span)
    before = "".join(f"{name}." for name in outer)
    return [(before + name, named) for name, named in scope.labels.items() if named.family == prefix]


def _can_precede(label: WrittenLabel, span: Span, scope: ModuleScope) -> bool:
    """Check whether a part with this label can be complete before a reference: the label is written earlier, or a
    repeat around both iterates. A reference in a called block counts as written at the call site."""
    is_here = any(_contains(each.span, span) for each in scope.body)
    return not is_here or label.span.start < span.start or any(_contains(each, span) for each in label.repeats)


def _contains(outer: Span, inner: Span) -> bool:
    return outer.source is inner.source and outer.start <= inner.start < outer.end


def _members(name: str, found: list[StarMatch], span: Span, state: State) -> list[StarMatch]:
    """Return the part with that name in each of the parts. Raises CnnError if one lacks it, or none has such labels."""
    inner: list[StarMatch] = []
    if not name.endswith("*"):
        for path, named in found:
            member = descend(named, name.split("."))
            if member is None:
                raise _lacking(path, name, named, span)
            inner.append((f"{path}.{name}", member))
        return inner
    prefix, is_known = name[:-1], not found
    for path, named in found:
        if named.wire is None and (named.scope is None or not named.scope.is_scattered):
            raise CnnError(())
        if named.scope is not None and named.scope.is_scattered:
            several = _pieces(named.scope, prefix)
        elif named.scope is not None and _with_prefix(prefix, named.scope):
            several = _of(named.scope, prefix, state, span)
        else:
            continue
        is_known = is_known or bool(several) or not named.scope.is_scattered
        inner += ((f"{path}.{each}", member) for each, member in several)
    if not is_known:
        path, named = found[0]
        raise _unknown(
            f"nothing in `{path}` is labelled `{prefix}{{…}}`", prefix, _around(named.scope, is_open=False), span
        )
    return inner


def _pieces(scope: ModuleScope, prefix: str) -> list[StarMatch]:
    """Return the parts of a module in pieces with that label, which includes the names of the modules before it."""
    return [
        (name, named)
        for name, named in scope.labels.items()
        if named.family is not None and named.family.rpartition(".")[2] == prefix
    ]


def _lacking(path: str, name: str, named: NamedOutput, span: Span) -> CnnError:
    if named.wire is None and (named.scope is None or not named.scope.is_scattered):
        return CnnError(())
    known = list(named.scope.labels) if named.scope else []
    close = closest(name, known)
    help = f"it has {listed([f'`{each}`' for each in known])}" if known else "nothing in it has a name"
    help = did_you_mean(f"{path}.{close}") if close else help
    others = (Annotation(named.span, "this part"),)
    return CnnError(Diagnostic("E0232", f"`{path}` has no part called `{name}`", span, "", others, help=help))


def _unknown(message: str, prefix: str, known: dict[str, None], span: Span) -> CnnError:
    plain = [each for each in known if _HOLE not in each]
    close = closest(prefix, plain)
    help = did_you_mean(f"@{close}*") if close else ""
    if not help and known:
        help = f"available here: {listed([f'`@{each}*`' for each in known])}"
    if not help:
        help = f"a star stands for parts whose label has a placeholder: `{prefix}{{i}}: …`"
    return CnnError(Diagnostic("E0232", message, span, help=help))


def _around(scope: ModuleScope | None, *, is_open: bool = True) -> dict[str, None]:
    """Return the prefixes of labels with a placeholder in a module and, if `is_open`, in those around it."""
    found: dict[str, None] = {}
    while scope is not None:
        found |= dict.fromkeys(written(scope))
        scope = scope.parent if is_open else None
    return found


def written(scope: ModuleScope) -> dict[str, list[WrittenLabel]]:
    """Return the labels in a module that end with a placeholder, by the text before it."""
    if scope.written is None:
        scope.written = {}
        for prefix, label in _labels(scope.body, ()):
            scope.written.setdefault(prefix, []).append(label)
    return scope.written


def _labels(items: Sequence[ast.ChainItem], repeats: tuple[Span, ...]) -> Iterator[tuple[str, WrittenLabel]]:
    """Yield the labels among items, except those inside other labels, which are in modules of their own."""
    for item in items:
        if isinstance(item, ast.Label | ast.Tap | ast.Equation):
            yield from ((prefix, WrittenLabel(item.name_span, repeats)) for prefix in families(item.name))
        if isinstance(item, ast.Group | ast.Equation):
            yield from _labels(item.body.items, repeats)
        elif isinstance(item, ast.For):
            yield from _labels(item.body.items, (*repeats, item.span))
        elif isinstance(item, ast.Repeat):
            yield from _labels((item.body,), (*repeats, item.span))
        elif isinstance(item, ast.Optional | ast.Each):
            yield from _labels((item.body if isinstance(item, ast.Optional) else item.table,), repeats)
        elif isinstance(item, ast.Merge):
            yield from _labels([each for branch in item.branches for each in branch.items], repeats)
        elif isinstance(item, ast.Either):
            yield from _labels(item.choices, repeats)
        elif isinstance(item, ast.Conditional):
            yield from _labels([each for each in (item.body, item.otherwise) if each is not None], repeats)
