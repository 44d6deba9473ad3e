"""What an `assert` may call by a name that is no part's: chains with names, and second names of values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cnndsl.elaborate.state import ModuleScope, NamedOutput, PendingNode
from cnndsl.expr import Expr, Path
from cnndsl.graph import ValueName
from cnndsl.syntax import ast


def value_names(
    contracts: Sequence[Expr], root: ModuleScope, modules: Mapping[str, ModuleScope], drafts: Sequence[PendingNode]
) -> dict[str, ValueName]:
    """Return those of the chains of the network, and what the contracts mention besides, each by its path. The parts of
    the network have their paths by now; `modules` are those that are modules."""
    found = {name: _value(name, named, drafts) for name, named in root.labels.items() if named.nodes is not None}
    for path in _mentioned(contracts):
        if path not in found and (value := _found(path.split("."), root, modules, drafts)) is not None:
            found[path] = value
    return {path: value for path, value in found.items() if value is not None}


def _mentioned(contracts: Sequence[Expr]) -> Iterator[str]:
    for each in ast.walk(contracts):
        if isinstance(each, Path):
            yield ".".join(each.names[:-1])


def _found(
    names: list[str], root: ModuleScope, modules: Mapping[str, ModuleScope], drafts: Sequence[PendingNode]
) -> ValueName | None:
    """What a path leads to: by labels, where there are some, else by the names that parts have without one."""
    scope = root
    for at, name in enumerate(names):
        named = scope.labels.get(name)
        if named is not None and at == len(names) - 1:
            return _value(name, named, drafts)
        inner = modules.get(f"{scope.path}.{name}" if scope.path else name) if named is None else named.scope
        if inner is None:
            return ValueName(".".join((scope.path, *names[at:])), -1, range(0)) if scope is not root else None
        scope = inner
    return None


def _value(name: str, named: NamedOutput, drafts: Sequence[PendingNode]) -> ValueName | None:
    if named.wire is None:
        return None
    at = named.wire.node
    if named.nodes is not None:
        return ValueName("", at, named.nodes)
    if named.scope is not None:
        return ValueName(named.scope.path, at, range(0))
    is_layer = drafts[at].path.rpartition(".")[2] == name
    return ValueName("", at, range(at, at + 1) if is_layer else range(0))
