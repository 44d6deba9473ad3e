"""Traversals of the tree of terms.

`mapped` visits all numbers of a chain in a fixed order. `key` determines which chains are equal, with or without their
numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from cnndsl.importers.raising.terms import (
    AgainTerm,
    CallTerm,
    ChainsTerm,
    ChoiceTerm,
    Counting,
    Formula,
    GroupTerm,
    KindTerm,
    LayerTerm,
    Link,
    MergeTerm,
    NameRef,
    PlacedTerm,
    RaisedTerm,
    RepeatTerm,
    Share,
    StartTerm,
    TableTerm,
    TapTerm,
    TermChain,
    TermValue,
)

NumberVisit: TypeAlias = Callable[[str, TermValue], TermValue]
"""Returns the replacement of a number; its first argument is the number's role."""
TermKey: TypeAlias = tuple[object, ...]

_NUMBERS = frozenset(("int", "dims", "number", "padding"))


def parts(term: RaisedTerm) -> tuple[TermChain, ...]:
    """Return the chains in a term."""
    match term:
        case MergeTerm():
            return term.branches
        case RepeatTerm() | TapTerm() | GroupTerm() | TableTerm() | ChoiceTerm():
            return (term.body,)
        case ChainsTerm():
            return tuple([chain for _, chain in term.chains])
        case _:
            return ()


def with_parts(term: RaisedTerm, change: Callable[[TermChain], TermChain]) -> RaisedTerm:
    """Return the term with each chain in it changed."""
    match term:
        case MergeTerm():
            return term.over(tuple([change(each) for each in term.branches]))
        case ChainsTerm():
            return ChainsTerm(tuple([(name, change(chain)) for name, chain in term.chains]))
        case RepeatTerm():
            return RepeatTerm(change(term.body), term.count)
        case TapTerm():
            return TapTerm(term.name, term.is_for_training, change(term.body))
        case GroupTerm():
            return GroupTerm(change(term.body), term.path)
        case TableTerm():
            return TableTerm(term.names, term.rows, change(term.body))
        case ChoiceTerm():
            return ChoiceTerm(term.test, change(term.body))
        case _:
            return term


def mapped(chain: TermChain, visit: NumberVisit) -> TermChain:
    """Return the chain with each of its numbers replaced; the numbers of tables stay.

    Args:
        chain: The chain to traverse.
        visit: Takes the role of a number (the name of its option or its position in a call) and the number.
    """
    return tuple([_placed(step, visit) for step in chain])


def _placed(step: PlacedTerm, visit: NumberVisit) -> PlacedTerm:
    if step.number is not None:
        step = step.labelled(step.name, visit("label", step.number))
    if isinstance(step.term, TableTerm):
        return step
    return step.over(_with_numbers(with_parts(step.term, lambda chain: mapped(chain, visit)), visit))


def _with_numbers(term: RaisedTerm, visit: NumberVisit) -> RaisedTerm:
    match term:
        case LayerTerm():
            rules = term.kind.options()
            options = [
                (name, _visited(name, value, visit) if name in rules and rules[name].type in _NUMBERS else value)
                for name, value in term.options
            ]
            return LayerTerm(term.kind, tuple(options), tuple([visit("from", each) for each in term.references]))
        case StartTerm():
            return StartTerm(visit("from", term.value))
        case CallTerm():
            found = [(name, _argument(f"{term.block}.{name}", value, visit)) for name, value in term.arguments]
            return CallTerm(term.block, tuple(found))
        case RepeatTerm():
            return RepeatTerm(term.body, visit("count", term.count))
        case ChoiceTerm():
            return ChoiceTerm(visit("test", term.test), term.body)
        case KindTerm():
            return KindTerm(visit("kind", term.kind))
        case _:
            return term


def _argument(role: str, value: TermValue, visit: NumberVisit) -> TermValue:
    if not isinstance(value, Counting):
        return visit(role, value)
    before = visit(role, value.before)
    return Counting(before, value.step) if before is None or isinstance(before, int | Formula) else before


def _visited(name: str, value: TermValue, visit: NumberVisit) -> TermValue:
    if isinstance(value, Share):
        number = _argument("place", value.number, visit)
        return Share(number, value.whole, value.parts) if isinstance(number, int | Formula | Counting) else number
    if isinstance(value, tuple):
        several = [visit(name, each) for each in value]
        return tuple([each for each in several if isinstance(each, int | float | Formula)])
    return value if value is None or (isinstance(value, str) and not isinstance(value, Formula)) else visit(name, value)


def numbers(chain: TermChain) -> list[tuple[str, TermValue]]:
    """Return all numbers of a chain with their roles, in the order of `mapped`."""
    found: list[tuple[str, TermValue]] = []

    def note(role: str, value: TermValue) -> TermValue:
        found.append((role, value))
        return value

    mapped(chain, note)
    return found


def key(chain: TermChain, with_numbers: bool = True) -> TermKey:
    """Return a key that equal chains share; with_numbers=False ignores numbers, except those of labels."""
    return tuple([_key_of(step) for step in (chain if with_numbers else mapped(chain, _plain))])


def _plain(role: str, value: TermValue) -> TermValue:
    if isinstance(value, NameRef):
        return value if value.up >= 0 else NameRef("", -1)
    return value if role == "label" else Link(0) if isinstance(value, Link) else 0


def unnumbered(step: PlacedTerm) -> PlacedTerm:
    """Return the step without the numbers of labels, its own and those of parts of the same module in it."""
    if isinstance(step.term, MergeTerm):
        branches = [tuple([unnumbered(each) for each in branch]) for branch in step.term.branches]
        step = step.over(step.term.over(tuple(branches)))
    return step.labelled(step.name, 0) if step.number is not None else step


def label_numbers(chain: TermChain) -> list[TermValue]:
    """Return the numbers of labels, including those in branches, but not those inside nested modules."""
    found: list[TermValue] = []
    for step in chain:
        if isinstance(step.term, MergeTerm):
            found += [each for branch in step.term.branches for each in label_numbers(branch)]
        found += [step.number] if step.number is not None else []
    return found


def _key_of(step: PlacedTerm) -> object:
    if step.name or step.number is not None or step.alias:
        return (step.name, step.number, step.alias, _key(step.term))
    return _key(step.term)


def _key(term: RaisedTerm) -> TermKey:
    return (*_own(term), *[key(each) for each in parts(term)])


def _own(term: RaisedTerm) -> TermKey:
    """Return the key of a term without the chains in it."""
    match term:
        case LayerTerm():
            return (term.kind, term.options, term.references)
        case MergeTerm():
            return (term.operator, term.is_optional)
        case CallTerm():
            return (term.block, term.arguments)
        case TapTerm():
            return ("tap", term.name)
        case TableTerm():
            return ("for", term.names, term.rows)
        case ChainsTerm():
            return ("=", tuple([name for name, _ in term.chains]))
        case _:
            return (type(term), *_values(term))


def _values(term: RaisedTerm) -> TermKey:
    match term:
        case StartTerm():
            return (term.value,)
        case RepeatTerm():
            return (term.count,)
        case ChoiceTerm():
            return (term.test,)
        case KindTerm():
            return (term.kind,)
        case AgainTerm():
            return (term.name,)
        case _:
            return ()


def inner(chain: TermChain) -> Iterator[PlacedTerm]:
    """Yield all steps of a chain, including nested ones."""
    for step in chain:
        yield step
        for each in parts(step.term):
            yield from inner(each)


def reads(chain: TermChain) -> list[int]:
    """Return the nodes that references in a chain name, once per reference."""
    return [value.node for _, value in numbers(chain) if isinstance(value, Link)]


def links(chain: TermChain) -> set[int]:
    """Return the set of nodes that references in a chain name."""
    return set(reads(chain))


def renamed(chain: TermChain, known: Mapping[int, int]) -> TermChain:
    """Return the chain with some of its nodes renumbered."""
    if not known:
        return chain
    chain = mapped(
        chain, lambda _, value: Link(known.get(value.node, value.node)) if isinstance(value, Link) else value
    )
    return _with_nodes(chain, known)


def _with_nodes(chain: TermChain, known: Mapping[int, int]) -> TermChain:
    steps: list[PlacedTerm] = []
    for step in chain:
        term = with_parts(step.term, lambda each: _with_nodes(each, known))
        node = known.get(step.node, step.node)
        steps.append(PlacedTerm(term, node, step.channels, step.name, step.number, step.alias))
    return tuple(steps)
