"""Decide which names must be written: those that the language would not assign by itself.

Up to this step each layer with tensors and each module has its full name in the enclosing module. A name that the
language assigns anyway, by position in a module without labels or by type in one with labels, needs no label.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Set

from cnndsl.elaborate.naming import beside_labels
from cnndsl.importers.raising.scopes import first_names
from cnndsl.importers.raising.terms import (
    IMPLICIT,
    AgainTerm,
    CallTerm,
    ChainsTerm,
    ChoiceTerm,
    GroupTerm,
    LayerTerm,
    MergeTerm,
    PlacedTerm,
    RaisedTerm,
    RepeatTerm,
    SameTerm,
    StartTerm,
    TableTerm,
    TapTerm,
    TermChain,
)
from cnndsl.layers.merge import MERGES
from cnndsl.records import record

NUMBERED = re.compile(r"(?s)(|.*[^0-9])(0|[1-9][0-9]{0,5})")
"""A label with a number at its end."""


@record(slots=True)
class _Named:
    """A layer, merge, module or auxiliary output in a module, whether its label must be written, and whether it is
    optional."""

    step: PlacedTerm
    needs_label: bool
    is_optional: bool


def with_labels(chain: TermChain, read: Set[str] = frozenset()) -> TermChain:
    """Return the body of a module with the labels that are needed, including those in the modules in it.

    Args:
        chain: The body of the module; each layer with tensors and each module has its full name.
        read: Names by which values of the module are read from outside.
    """
    chain = _each(chain, lambda step: _inside(step))
    members = list(_members(chain, is_optional=False))
    if any(isinstance(each.step.term, RepeatTerm | TableTerm) for each in members):
        return chain
    written = _numbered(members) if _may_be_numbered(chain, members, first_names(chain)) else None
    if written is None:
        written = _by_kind(members, first_names(chain) | read)
    labels = iter(written)
    is_numbered = not any(each not in ("", '""') for each in written)
    return _each(chain, lambda step: _labelled(step, next(labels), is_numbered) if _is_member(step) else step)


def implicit(chain: TermChain) -> TermChain:
    """Return the body of a module with `IMPLICIT` as the name of positional parts, also in the modules in it.

    A module with such a name is a call of a block; otherwise it would not be a module.
    """
    chain = _each(chain, _implicit_inside)
    members = list(_members(chain, is_optional=False))
    read = first_names(chain)
    is_plain = not any(isinstance(step.term, ChainsTerm) for step in chain) and not any(
        (each.step.name and not each.step.name.isdigit())
        or isinstance(each.step.term, TapTerm | RepeatTerm | TableTerm)
        for each in members
    )
    labels = _numbered(members) if is_plain and not any(name.isdigit() for name in read) else None
    if labels is None:
        return chain
    names = (label or (IMPLICIT if each.step.name else "") for each, label in zip(members, labels, strict=True))
    return _each(chain, lambda step: step.labelled(next(names)) if _is_member(step) else step)


def _implicit_inside(step: PlacedTerm) -> PlacedTerm:
    if isinstance(step.term, GroupTerm):
        return step.over(GroupTerm(implicit(step.term.body), step.term.path))
    return step


def _inside(step: PlacedTerm) -> PlacedTerm:
    if isinstance(step.term, GroupTerm):
        return step.over(GroupTerm(with_labels(step.term.body), step.term.path))
    if isinstance(step.term, TapTerm):
        inside = tuple([_inside(each) for each in step.term.body])
        return step.over(TapTerm(step.term.name, step.term.is_for_training, inside))
    return step


def _each(chain: TermChain, change: Callable[[PlacedTerm], PlacedTerm]) -> TermChain:
    """Return the chain with each step of this module changed, those in branches before their merge."""
    return tuple([change(step.over(_of(step.term, change))) for step in chain])


def _of(term: RaisedTerm, change: Callable[[PlacedTerm], PlacedTerm]) -> RaisedTerm:
    if isinstance(term, MergeTerm):
        return term.over(tuple([_each(each, change) for each in term.branches]))
    if isinstance(term, ChainsTerm):
        return ChainsTerm(tuple([(name, _each(chain, change)) for name, chain in term.chains]))
    return ChoiceTerm(term.test, _each(term.body, change)) if isinstance(term, ChoiceTerm) else term


def _is_member(step: PlacedTerm) -> bool:
    if isinstance(step.term, LayerTerm) and step.term.kind.ROLE == "input":
        return False
    return not isinstance(step.term, StartTerm | ChainsTerm | ChoiceTerm | SameTerm | AgainTerm)


def _members(chain: TermChain, is_optional: bool) -> Iterator[_Named]:
    """Yield the parts of a module, in the order of `_each`."""
    for step in chain:
        if isinstance(step.term, MergeTerm):
            last = len(step.term.branches) - 1
            for at, branch in enumerate(step.term.branches):
                yield from _members(branch, is_optional or (step.term.is_optional and at == last))
        elif isinstance(step.term, ChainsTerm):
            for _, each in step.term.chains:
                yield from _members(each, is_optional)
        elif isinstance(step.term, ChoiceTerm):
            yield from _members(step.term.body, is_optional=True)
        if _is_member(step):
            yield _Named(step, is_optional or isinstance(step.term, GroupTerm), is_optional)


def _may_be_numbered(chain: TermChain, members: list[_Named], read: Set[str]) -> bool:
    """Return whether no part needs more than a number as its label."""
    if any(isinstance(step.term, ChainsTerm) and any(name for name, _ in step.term.chains) for step in chain):
        return False
    wanted = [each.step for each in members if each.step.name]
    if any(each.name == IMPLICIT for each in wanted):
        return True
    return all(each.name.isdigit() and each.name not in read for each in wanted) and not any(
        (each.needs_label and each.step.name) or isinstance(each.step.term, TapTerm) for each in members
    )


def _numbered(members: list[_Named]) -> list[str] | None:
    """Return the labels of positional parts: none, but `""` for a part without a number. None if that is impossible."""
    labels = [""] * len(members)
    count = 0
    free: list[int] = []
    for at, each in enumerate(members):
        if each.step.name == '""':
            labels[at] = '""'
        elif not isinstance(each.step.term, MergeTerm):
            if each.step.name and each.step.name != IMPLICIT:
                for _ in range(count - int(each.step.name)):
                    if not free:
                        return None
                    labels[free.pop()] = '""'
                    count -= 1
                if count != int(each.step.name):
                    return None
                free = []
            elif isinstance(each.step.term, LayerTerm) and not each.step.name:
                free.append(at)
            count += 1
    return labels


def _by_kind(members: list[_Named], read: Set[str]) -> list[str]:
    """Return the labels in a module that has some: those that the parts' types would not give them."""
    wanted = [each.step.label for each in members]
    labels = [
        name if name and (each.needs_label or name in read or not name.isidentifier() or each.step.alias) else ""
        for name, each in zip(wanted, members, strict=True)
    ]
    while True:
        given = _given(members, labels)
        wrong = [at for at, name in enumerate(wanted) if name and name != given[at]]
        always = [at for at, each in enumerate(members) if wanted[at] and not each.is_optional]
        if not wrong and (any(labels[at] for at in always) or not always):
            return labels
        for at in wrong or always[:1]:
            labels[at] = wanted[at]


def _given(members: list[_Named], labels: list[str]) -> list[str]:
    """Return the names that the language gives the parts."""
    aliases = {each.step.alias for each in members if each.step.alias}
    parts = [(label, _kind(each.step.term)) for each, label in zip(members, labels, strict=True)]
    return beside_labels(parts, aliases)


def _kind(term: RaisedTerm) -> str:
    match term:
        case LayerTerm():
            return term.kind.NAMES[0].lower()
        case MergeTerm():
            return MERGES[term.operator].NAMES[0].lower()
        case CallTerm():
            return term.block.lower()
        case _:
            return "part"


def _labelled(step: PlacedTerm, label: str, is_numbered: bool) -> PlacedTerm:
    if not label and step.alias and isinstance(step.term, LayerTerm) and not step.name and not is_numbered:
        return step.labelled(step.alias).also("")
    found = NUMBERED.fullmatch(label)
    return step.labelled(found[1], int(found[2])) if found else step.labelled(label)
