"""Suggest the nearest known path for one that names nothing, part by part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from cnndsl.elaborate import naming
from cnndsl.elaborate.state import ModuleScope, NamedOutput
from cnndsl.errors import Help, Span, closest, listed, meant

_MOST_LOOKED_AT = 2000


def help_for_path(name: str, scope: ModuleScope | None, sign: str, span: Span) -> Help:
    """Return what to write in place of a path that names nothing: the nearest path, else the names known where it ends.

    `sign` is the prefix of a path: `@`, or empty in an `output`.
    """
    known = visible(scope)
    ending = f".{name}"
    likely = next((each for each in known if each.endswith(ending)), "")
    likely = likely or next((each for each in islice(_inner(scope), _MOST_LOOKED_AT) if each.endswith(ending)), "")
    if likely or "." not in name:
        likely = likely or closest(name, known)
        return meant(span, f"{sign}{likely}") if likely else _all_known(known, sign)
    found, inside = _followed(name.split("."), scope)
    if found and inside is None:
        return meant(span, f"{sign}{found}")
    if inside:
        return f"known in `{found}`: {listed([f'{sign}{found}.{each}' for each in inside])}"
    if found:
        return f"`{found}` has no parts; its output is `{sign}{found}`"
    likely = closest(name, known)
    return meant(span, f"{sign}{likely}") if likely else _all_known(known, sign)


def visible(scope: ModuleScope | None) -> list[str]:
    """Return the names that a reference can use in a scope, nearest first; names inside parts have their path."""
    names: list[str] = []
    while scope is not None:
        for name, named in scope.labels.items():
            if named.scope is None or not named.scope.is_scattered:
                names.append(name)
            names.extend(f"{name}.{inner}" for inner in (named.scope.labels if named.scope else ()))
        scope = scope.parent
    return names


def _all_known(known: Sequence[str], sign: str) -> str:
    return f"available here: {listed([f'`{sign}{each}`' for each in known])}" if known else "nothing has a name so far"


def _parts(named: NamedOutput) -> list[str]:
    """Return the names of the parts of a part: labels, and for a complete module also numbers and types."""
    if named.scope is None:
        return []
    found = list(named.scope.labels)
    if named.scope.wire is not None:
        found += [each for each in naming.names(named.scope) if each not in named.scope.labels]
    return found


def _part(named: NamedOutput, name: str) -> NamedOutput | None:
    if named.scope is None:
        return None
    if name in named.scope.labels:
        return named.scope.labels[name]
    for member, given in zip(named.scope.members, naming.names(named.scope), strict=True):
        if given == name:
            return NamedOutput(member.scope.wire if member.scope else member.wire, member.scope, named.span)
    return None


def _followed(names: Sequence[str], scope: ModuleScope | None) -> tuple[str, list[str] | None]:
    """Return the nearest path and None; or the longest prefix that exists, and the parts that exist there."""
    while scope is not None:
        first = names[0] if names[0] in scope.labels else closest(names[0], list(scope.labels))
        if not first:
            scope = scope.parent
            continue
        path, named = first, scope.labels[first]
        for name in names[1:]:
            known = _parts(named)
            likely = name if name in known else closest(name, known)
            inner = _part(named, likely) if likely else None
            if inner is None:
                return path, known
            path, named = f"{path}.{likely}", inner
        return path, None
    return "", None


def _inner(scope: ModuleScope | None) -> Iterator[str]:
    """Yield the paths of parts within parts, nearest first."""
    while scope is not None:
        for name, named in scope.labels.items():
            yield from (f"{name}.{each}" for each in _below(named, 3))
        scope = scope.parent


def _below(named: NamedOutput, depth: int) -> Iterator[str]:
    for name in _parts(named) if depth else ():
        yield name
        inner = _part(named, name)
        yield from (f"{name}.{each}" for each in (_below(inner, depth - 1) if inner is not None else ()))
