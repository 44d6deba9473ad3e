"""Assign the final names of parts, once the contents of each module are known.

In a module without labels the parts are numbered by position, as in `nn.Sequential`. In a module with labels the other
parts are named after their layer types, numbered if there are several. Merges take no number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from itertools import count

from cnndsl.elaborate.state import ModuleMember, ModuleScope, PendingNode
from cnndsl.graph.labels import why_not


def assign(root: ModuleScope, drafts: list[PendingNode]) -> Iterator[ModuleScope]:
    """Give every node and every module its path, and yield the modules, outer ones first."""
    stack = [root]
    while stack:
        scope = stack.pop()
        yield scope
        prefix = f"{scope.path}." if scope.path else ""
        inner: list[ModuleScope] = []
        for member, name in zip(scope.members, names(scope), strict=True):
            path = prefix + name
            if member.scope is not None:
                member.scope.path = path
                inner.append(member.scope)
            elif member.wire is not None:
                drafts[member.wire.node].path = path
        stack.extend(reversed(inner))


def names(scope: ModuleScope) -> list[str]:
    """Return the names of a module's members, in order; none equals a label in the module, which can name a value."""
    members = scope.members
    taken = scope.labels.keys() | {member.label for member in members if member.label}
    if scope.values or any(member.label for member in members):
        return _by_kind(members, taken)
    merges = iter(_by_kind([member for member in members if not member.counted], taken))
    numbers = (name for name in map(str, count()) if name not in taken)
    return [next(numbers) if member.counted else next(merges) for member in members]


def beside_labels(parts: Sequence[tuple[str, str]], taken: Set[str]) -> list[str]:
    """Return the names of the parts of a module in which some have labels.

    Args:
        parts: The label of each, empty if it has none, and its name without one: its layer type in lower case.
        taken: Names of values in the module.

    >>> beside_labels([("", "conv"), ("", "relu"), ("last", "conv"), ("", "relu")], {"relu1"})
    ['conv', 'relu2', 'last', 'relu3']
    """
    members = [ModuleMember(label or None, base, True) for label, base in parts]
    return _by_kind(members, {*taken, *(label for label, _ in parts if label)})


def _by_kind(members: list[ModuleMember], taken: set[str]) -> list[str]:
    bases = Counter(member.base for member in members if not member.label)
    # The sixth of several `relu` must not take the name of a lone `relu6`.
    alone = {base for base, number in bases.items() if number == 1 and _bearable(base) not in taken}
    given = taken | set(map(_bearable, alone))
    used: Counter[str] = Counter()
    given_names: list[str] = []
    for member in members:
        name = member.label or (_bearable(member.base) if member.base in alone else _free(member.base, used, given))
        given.add(name)
        given_names.append(name)
    return given_names


def _bearable(base: str) -> str:
    """Return a lone block's name without clashes with PyTorch module attributes (`half`), as for layers."""
    return f"{base}_" if why_not(base) else base


def _free(base: str, used: Counter[str], given: set[str]) -> str:
    while True:
        used[base] += 1
        name = f"{base}{used[base]}"
        if name not in given:
            return name
