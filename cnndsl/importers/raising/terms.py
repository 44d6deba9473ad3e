"""The tree between a graph and its text: chains of layers, merges, calls and repeats.

A number in a layer or a call may be a `Formula`, the text of an expression; `mapped` visits all numbers of a chain in
one order, `key` says which chains are equal, with their numbers or without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from cnndsl.layers.base import Layer
from cnndsl.records import record


class Formula(str):
    """An expression as text: `c`, `C/2`."""

    __slots__ = ()


@record(slots=True)
class Link:
    """A value of the graph, by its node: what a reference names."""

    node: int


Number: TypeAlias = int | float | Formula
Value: TypeAlias = Number | Link | str | bool | tuple[Number, ...] | None


@record(slots=True)
class Leaf:
    """A layer, its options by name, and the values that it takes beside the one before it."""

    kind: type[Layer]
    options: tuple[tuple[str, Value], ...]
    references: tuple[Value, ...] = ()


@record(slots=True)
class Merge:
    """Branches on one value. `is_optional` says that the last one is `ID` where that fits."""

    operator: str
    branches: tuple[Chain, ...]
    is_optional: bool = False


@record(slots=True)
class Start:
    """A reference, from which a chain starts."""

    value: Value


@record(slots=True)
class Call:
    """A block with its arguments by the names of its parameters, in their order."""

    block: str
    arguments: tuple[tuple[str, Value], ...]


@record(slots=True)
class Repeat:
    """A chain several times."""

    body: Chain
    count: Value


@record(slots=True)
class Table:
    """A chain for each row of numbers."""

    names: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    body: Chain


@record(slots=True)
class Tap:
    """A chain on the side, which gives an output of that name."""

    name: str
    is_for_training: bool
    body: Chain


Term: TypeAlias = Leaf | Merge | Start | Call | Repeat | Table | Tap


@record(slots=True)
class Step:
    """A term in its place: the node whose value it gives, and the channels that enter. In a block both may be unknown,
    -1."""

    term: Term
    node: int
    channels: int


Chain: TypeAlias = tuple[Step, ...]


@record(slots=True)
class Parameter:
    """A parameter of a block, with its default."""

    name: str
    default: Value = None


@record(slots=True)
class Block:
    """A block that was found."""

    name: str
    parameters: tuple[Parameter, ...]
    body: Chain


@record(slots=True)
class Program:
    """A network: its chains with the node that each names (-1 for the first one), and its blocks."""

    chains: tuple[tuple[int, Chain], ...]
    blocks: tuple[Block, ...] = ()


Visit: TypeAlias = Callable[[str, Value], Value]
"""What to put in place of a number, of which the first argument tells the role."""

_NUMBERS = frozenset(("int", "dims", "number", "padding"))


def mapped(chain: Chain, visit: Visit) -> Chain:
    """Return the chain with each of its numbers replaced.

    Args:
        chain: What to go through.
        visit: Takes the role of a number, the name of its option or its place in a call, and the number.
    """
    return tuple([Step(_mapped(step.term, visit), step.node, step.channels) for step in chain])


def _mapped(term: Term, visit: Visit) -> Term:
    match term:
        case Leaf():
            rules = term.kind.options()
            options = [
                (name, _visited(name, value, visit) if name in rules and rules[name].type in _NUMBERS else value)
                for name, value in term.options
            ]
            return Leaf(term.kind, tuple(options), tuple([visit("from", each) for each in term.references]))
        case Merge():
            return Merge(term.operator, tuple([mapped(each, visit) for each in term.branches]), term.is_optional)
        case Start():
            return Start(visit("from", term.value))
        case Call():
            found = [(name, visit(f"{term.block}.{name}", value)) for name, value in term.arguments]
            return Call(term.block, tuple(found))
        case Repeat():
            return Repeat(mapped(term.body, visit), visit("count", term.count))
        case Tap():
            return Tap(term.name, term.is_for_training, mapped(term.body, visit))
        case Table():
            return term


def _visited(name: str, value: Value, visit: Visit) -> Value:
    if isinstance(value, tuple):
        several = [visit(name, each) for each in value]
        return tuple([each for each in several if isinstance(each, int | float | Formula)])
    return value if value is None or (isinstance(value, str) and not isinstance(value, Formula)) else visit(name, value)


def numbers(chain: Chain) -> list[tuple[str, Value]]:
    """Return all numbers of a chain with their roles, in the order of `mapped`."""
    found: list[tuple[str, Value]] = []

    def note(role: str, value: Value) -> Value:
        found.append((role, value))
        return value

    mapped(chain, note)
    return found


Key: TypeAlias = tuple[object, ...]


def key(chain: Chain, with_numbers: bool = True) -> Key:
    """Return what equal chains have in common, or with_numbers=False those that differ in numbers alone."""
    plain = chain if with_numbers else mapped(chain, lambda _, value: 0 if not isinstance(value, Link) else Link(0))
    return tuple([_key(step.term) for step in plain])


def _key(term: Term) -> Key:
    match term:
        case Leaf():
            return (term.kind, term.options, term.references)
        case Merge():
            return (term.operator, term.is_optional, tuple([key(each) for each in term.branches]))
        case Start():
            return ("@", term.value)
        case Call():
            return (term.block, term.arguments)
        case Repeat():
            return ("*", term.count, key(term.body))
        case Tap():
            return ("tap", term.name, key(term.body))
        case Table():
            return ("for", term.names, term.rows, key(term.body))


def inner(chain: Chain) -> Iterator[Step]:
    """Yield all steps of a chain, and those inside of them."""
    for step in chain:
        yield step
        if isinstance(step.term, Merge):
            for branch in step.term.branches:
                yield from inner(branch)
        elif isinstance(step.term, Repeat | Table | Tap):
            yield from inner(step.term.body)


def reads(chain: Chain) -> list[int]:
    """Return the nodes that references in a chain name, each as often as it is named."""
    return [value.node for _, value in numbers(chain) if isinstance(value, Link)]


def links(chain: Chain) -> set[int]:
    """Return the nodes that references in a chain name."""
    return set(reads(chain))


def renamed(chain: Chain, known: Mapping[int, int]) -> Chain:
    """Return the chain with other numbers for some of its nodes."""
    if not known:
        return chain
    chain = mapped(
        chain, lambda _, value: Link(known.get(value.node, value.node)) if isinstance(value, Link) else value
    )
    return _with_nodes(chain, known)


def _with_nodes(chain: Chain, known: Mapping[int, int]) -> Chain:
    steps: list[Step] = []
    for step in chain:
        term = step.term
        if isinstance(term, Merge):
            branches = tuple([_with_nodes(each, known) for each in term.branches])
            term = Merge(term.operator, branches, term.is_optional)
        elif isinstance(term, Repeat):
            term = Repeat(_with_nodes(term.body, known), term.count)
        steps.append(Step(term, known.get(step.node, step.node), step.channels))
    return tuple(steps)
