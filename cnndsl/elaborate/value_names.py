"""Names in a program that do not belong to a part: chains with names, and second names of values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cnndsl.elaborate.state import ModuleScope, NamedOutput, PendingNode
from cnndsl.graph import ValueName


def value_names(modules: Iterable[ModuleScope], drafts: Sequence[PendingNode]) -> dict[str, ValueName]:
    """Return the value names among the labels of all modules, by path. Parts must already have their paths."""
    found: dict[str, ValueName] = {}
    for module in modules:
        prefix = f"{module.path}." if module.path else ""
        for name, named in module.labels.items():
            value = _value(named, drafts)
            if value is not None and value.path != prefix + name:
                found[prefix + name] = value
    return found


def _value(named: NamedOutput, drafts: Sequence[PendingNode]) -> ValueName | None:
    if named.wire is None:
        return None
    at = named.wire.node
    if named.scope is not None:
        return ValueName(named.scope.path, at, named.nodes)
    return ValueName(drafts[at].path, at, range(0) if named.nodes is None else named.nodes)
