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


@record(slots=True)
class Ref:
    """A value by its name, `up` so many modules further out. In what is to be a block, those outside of it are
    negative: -1 is a name where the block is called."""

    name: str
    up: int = 0


TermNumber: TypeAlias = int | float | Formula
TermValue: TypeAlias = TermNumber | Link | Ref | str | bool | tuple[TermNumber, ...] | None


@record(slots=True)
class LayerTerm:
    """A layer, its options by name, and the values that it takes beside the one before it."""

    kind: type[Layer]
    options: tuple[tuple[str, TermValue], ...]
    references: tuple[TermValue, ...] = ()


@record(slots=True)
class MergeTerm:
    """Branches on one value.

    `is_optional` says that the last one is `ID` where that fits, `keeps_shape` that it fits here.
    """

    operator: str
    branches: tuple[TermChain, ...]
    is_optional: bool = False
    keeps_shape: bool = False

    def over(self, branches: tuple[TermChain, ...]) -> MergeTerm:
        """Return the same merge of other branches."""
        return MergeTerm(self.operator, branches, self.is_optional, self.keeps_shape)


@record(slots=True)
class StartTerm:
    """A reference, from which a chain starts."""

    value: TermValue


@record(slots=True)
class CallTerm:
    """A block with its arguments by the names of its parameters, in their order."""

    block: str
    arguments: tuple[tuple[str, TermValue], ...]


@record(slots=True)
class RepeatTerm:
    """A chain several times."""

    body: TermChain
    count: TermValue


@record(slots=True)
class TableTerm:
    """A chain for each row of numbers."""

    names: tuple[str, ...]
    rows: tuple[tuple[TermValue, ...], ...]
    body: TermChain


@record(slots=True)
class TapTerm:
    """A chain on the side, which gives an output of that name."""

    name: str
    is_for_training: bool
    body: TermChain


@record(slots=True)
class GroupTerm:
    """A module of its own, in brackets; `path` is its own."""

    body: TermChain
    path: str


@record(slots=True)
class ChainsTerm:
    """Several chains in brackets, which are no module: each but the last one has a name, perhaps."""

    chains: tuple[tuple[str, TermChain], ...]


@record(slots=True)
class SameTerm:
    """`ID`, which stands for a name."""


RaisedTerm: TypeAlias = (
    LayerTerm | MergeTerm | StartTerm | CallTerm | RepeatTerm | TableTerm | TapTerm | GroupTerm | ChainsTerm | SameTerm
)


@record(slots=True)
class PlacedTerm:
    """A term in its place: the node whose value it gives, and the channels that enter. In a block both may be unknown,
    -1. `name` and the number behind it are its label, `alias` is a second name for its value."""

    term: RaisedTerm
    node: int
    channels: int
    name: str = ""
    number: TermValue = None
    alias: str = ""

    def over(self, term: RaisedTerm) -> PlacedTerm:
        """Return another term in the same place."""
        return PlacedTerm(term, self.node, self.channels, self.name, self.number, self.alias)

    def labelled(self, name: str, number: TermValue = None) -> PlacedTerm:
        """Return the same term with another label."""
        return PlacedTerm(self.term, self.node, self.channels, name, number, self.alias)

    def also(self, alias: str) -> PlacedTerm:
        """Return the same term with a second name for its value."""
        return PlacedTerm(self.term, self.node, self.channels, self.name, self.number, alias)

    @property
    def label(self) -> str:
        """Its label as it is written, with a hole for a number that is an expression."""
        if self.number is None:
            return self.name
        return f"{self.name}{{{self.number}}}" if isinstance(self.number, Formula) else f"{self.name}{self.number}"


TermChain: TypeAlias = tuple[PlacedTerm, ...]


@record(slots=True)
class BlockParameter:
    """A parameter of a block, with its default."""

    name: str
    default: TermValue = None


@record(slots=True)
class TermBlock:
    """A block that was found."""

    name: str
    parameters: tuple[BlockParameter, ...]
    body: TermChain


@record(slots=True)
class TermProgram:
    """A network: its chains with the node that each names (-1 for the first one), and its blocks."""

    chains: tuple[tuple[int, TermChain], ...]
    blocks: tuple[TermBlock, ...] = ()


NumberVisit: TypeAlias = Callable[[str, TermValue], TermValue]
"""What to put in place of a number, of which the first argument tells the role."""

_NUMBERS = frozenset(("int", "dims", "number", "padding"))


def mapped(chain: TermChain, visit: NumberVisit) -> TermChain:
    """Return the chain with each of its numbers replaced.

    Args:
        chain: What to go through.
        visit: Takes the role of a number, the name of its option or its place in a call, and the number.
    """
    return tuple([_placed(step, visit) for step in chain])


def _placed(step: PlacedTerm, visit: NumberVisit) -> PlacedTerm:
    if step.number is not None:
        step = step.labelled(step.name, visit("label", step.number))
    return step.over(_mapped(step.term, visit))


def _mapped(term: RaisedTerm, visit: NumberVisit) -> RaisedTerm:
    match term:
        case LayerTerm():
            rules = term.kind.options()
            options = [
                (name, _visited(name, value, visit) if name in rules and rules[name].type in _NUMBERS else value)
                for name, value in term.options
            ]
            return LayerTerm(term.kind, tuple(options), tuple([visit("from", each) for each in term.references]))
        case MergeTerm():
            return term.over(tuple([mapped(each, visit) for each in term.branches]))
        case StartTerm():
            return StartTerm(visit("from", term.value))
        case CallTerm():
            found = [(name, visit(f"{term.block}.{name}", value)) for name, value in term.arguments]
            return CallTerm(term.block, tuple(found))
        case RepeatTerm():
            return RepeatTerm(mapped(term.body, visit), visit("count", term.count))
        case TapTerm():
            return TapTerm(term.name, term.is_for_training, mapped(term.body, visit))
        case GroupTerm():
            return GroupTerm(mapped(term.body, visit), term.path)
        case ChainsTerm():
            return ChainsTerm(tuple([(name, mapped(chain, visit)) for name, chain in term.chains]))
        case TableTerm() | SameTerm():
            return term


def _visited(name: str, value: TermValue, visit: NumberVisit) -> TermValue:
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


TermKey: TypeAlias = tuple[object, ...]


def key(chain: TermChain, with_numbers: bool = True) -> TermKey:
    """Return what equal chains have in common, or with_numbers=False those that differ in numbers alone; the numbers of
    labels count."""
    return tuple([_key_of(step) for step in (chain if with_numbers else mapped(chain, _plain))])


def _plain(role: str, value: TermValue) -> TermValue:
    if isinstance(value, Ref):
        return value if value.up >= 0 else Ref("", -1)
    return value if role == "label" else Link(0) if isinstance(value, Link) else 0


def unnumbered(step: PlacedTerm) -> PlacedTerm:
    """Return the step without the numbers of labels, its own and those of parts of the same module in it."""
    if isinstance(step.term, MergeTerm):
        branches = [tuple([unnumbered(each) for each in branch]) for branch in step.term.branches]
        step = step.over(step.term.over(tuple(branches)))
    return step.labelled(step.name, 0) if step.number is not None else step


def label_numbers(chain: TermChain) -> list[TermValue]:
    """Return the numbers of labels, those of parts in branches too, but not those in modules in it."""
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
    match term:
        case LayerTerm():
            return (term.kind, term.options, term.references)
        case MergeTerm():
            return (term.operator, term.is_optional, tuple([key(each) for each in term.branches]))
        case StartTerm():
            return ("@", term.value)
        case CallTerm():
            return (term.block, term.arguments)
        case RepeatTerm():
            return ("*", term.count, key(term.body))
        case TapTerm():
            return ("tap", term.name, key(term.body))
        case TableTerm():
            return ("for", term.names, term.rows, key(term.body))
        case GroupTerm():
            return ("[", key(term.body))
        case ChainsTerm():
            return ("=", tuple([(name, key(chain)) for name, chain in term.chains]))
        case SameTerm():
            return ("ID",)


def inner(chain: TermChain) -> Iterator[PlacedTerm]:
    """Yield all steps of a chain, and those inside of them."""
    for step in chain:
        yield step
        if isinstance(step.term, MergeTerm):
            for branch in step.term.branches:
                yield from inner(branch)
        elif isinstance(step.term, RepeatTerm | TableTerm | TapTerm | GroupTerm):
            yield from inner(step.term.body)
        elif isinstance(step.term, ChainsTerm):
            for _, each in step.term.chains:
                yield from inner(each)


def reads(chain: TermChain) -> list[int]:
    """Return the nodes that references in a chain name, each as often as it is named."""
    return [value.node for _, value in numbers(chain) if isinstance(value, Link)]


def links(chain: TermChain) -> set[int]:
    """Return the nodes that references in a chain name."""
    return set(reads(chain))


def renamed(chain: TermChain, known: Mapping[int, int]) -> TermChain:
    """Return the chain with other numbers for some of its nodes."""
    if not known:
        return chain
    chain = mapped(
        chain, lambda _, value: Link(known.get(value.node, value.node)) if isinstance(value, Link) else value
    )
    return _with_nodes(chain, known)


def _with_nodes(chain: TermChain, known: Mapping[int, int]) -> TermChain:
    steps: list[PlacedTerm] = []
    for step in chain:
        term = step.term
        if isinstance(term, MergeTerm):
            branches = tuple([_with_nodes(each, known) for each in term.branches])
            term = term.over(branches)
        elif isinstance(term, RepeatTerm):
            term = RepeatTerm(_with_nodes(term.body, known), term.count)
        node = known.get(step.node, step.node)
        steps.append(PlacedTerm(term, node, step.channels, step.name, step.number, step.alias))
    return tuple(steps)
