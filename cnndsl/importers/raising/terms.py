"""The tree between a graph and its text: chains of layers, merges, calls and repeats.

A number in a layer or a call may be a `Formula`, the text of an expression.
"""

from __future__ import annotations

from typing import TypeAlias

from cnndsl.layers.base import Layer
from cnndsl.records import record

IMPLICIT = "?"
"""The name of what is called by its place, whatever number that is."""


class Formula(str):
    """An expression as text: `c`, `C/2`."""

    __slots__ = ()


@record(slots=True)
class Link:
    """A value of the graph, by its node: what a reference names."""

    node: int


@record(slots=True)
class NameRef:
    """A value by its name, `up` so many modules further out. In what is to be a block, those outside of it are
    negative: -1 is a name where the block is called."""

    name: str
    up: int = 0


TermNumber: TypeAlias = int | float | Formula


@record(slots=True)
class Counting:
    """A number that goes up in each turn of a repeat: `before + step*i`; None where it does not matter."""

    before: TermNumber | None
    step: int


@record(slots=True)
class Share:
    """A number that grows with its place: `whole*number/parts`."""

    number: TermNumber | Counting
    whole: float
    parts: int


TermValue: TypeAlias = TermNumber | Link | NameRef | Counting | Share | str | bool | tuple[TermNumber, ...] | None


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


@record(slots=True)
class ChoiceTerm:
    """What is there if a test holds; `ID` where its body is empty."""

    test: TermValue
    body: TermChain


@record(slots=True)
class AgainTerm:
    """A part of the same module once more, with its weights."""

    name: str


@record(slots=True)
class KindTerm:
    """A layer of which the kind is a value, an activation."""

    kind: TermValue


RaisedTerm: TypeAlias = (
    LayerTerm
    | MergeTerm
    | StartTerm
    | CallTerm
    | RepeatTerm
    | TableTerm
    | TapTerm
    | GroupTerm
    | ChainsTerm
    | SameTerm
    | ChoiceTerm
    | KindTerm
    | AgainTerm
)


@record(slots=True)
class PlacedTerm:
    """A term in its place: the node whose value it gives, and the channels that enter, in a block as an expression;
    there both may be unknown, -1.

    `name` and the number after it are its label, `alias` is a second name for its value.
    """

    term: RaisedTerm
    node: int
    channels: TermNumber
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
