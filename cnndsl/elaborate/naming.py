"""The final names of parts, once it is known what a module holds.

In a module of which no part is labelled the parts are numbered by their place, as `nn.Sequential` does; in one where
some are, the others are called by their kind, numbered when there are several. Merges take no number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cnndsl.elaborate.state import Draft, Member, Scope


def assign(root: Scope, drafts: list[Draft]) -> Iterator[Scope]:
    """Gives every node and every module its path, and yields the modules, outer ones first."""
    stack = [root]
    while stack:
        scope = stack.pop()
        yield scope
        prefix = f"{scope.path}." if scope.path else ""
        inner: list[Scope] = []
        for member, name in zip(scope.members, _names(scope.members), strict=True):
            path = prefix + name
            if member.scope is not None:
                member.scope.path = path
                inner.append(member.scope)
            else:
                drafts[member.node].path = path
        stack.extend(reversed(inner))


def _names(members: list[Member]) -> list[str]:
    if any(member.label for member in members):
        return _by_kind(members, {member.label for member in members if member.label})
    merges = iter(_by_kind([member for member in members if not member.counted], set()))
    numbers = iter(range(len(members)))
    return [str(next(numbers)) if member.counted else next(merges) for member in members]


def _by_kind(members: list[Member], taken: set[str]) -> list[str]:
    count = Counter(member.base for member in members if not member.label)
    used: Counter[str] = Counter()
    names: list[str] = []
    for member in members:
        if member.label:
            names.append(member.label)
            continue
        names.append(_free(member.base, count[member.base] > 1, used, taken))
    return names


def _free(base: str, several: bool, used: Counter[str], taken: set[str]) -> str:
    if not several and base not in taken:
        return base
    while True:
        used[base] += 1
        name = f"{base}{used[base]}"
        if name not in taken:
            return name
