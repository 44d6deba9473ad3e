"""The term tree, between a graph and its text: chains of layers, merges, calls and repeats.

A number in a layer or a call may be a `Formula`, the text of an expression.
"""

from __future__ import annotations

from typing import TypeAlias

from cnndsl.layers.base import Layer
from cnndsl.records import record

IMPLICIT = "?"
"""The name of any part that is named by its position."""


class Formula(str):
    """An expression as text: `c`, `C/2`."""

    __slots__ = ()


@record(slots=True)
class Link:
    """A reference to a value of the graph, by its node."""

    node: int


@record(slots=True)
class NameRef:
    """A value by its name, `up` levels of modules further out. In a future block, values outside it have negative `up`:
    -1 is a name at the block's call site."""

    name: str
    up: int = 0


TermNumber: TypeAlias = int | float | Formula


@record(slots=True)
class Counting:
    """A number that increases with the iterations of a repeat: `before + step*i`; None if it does not matter."""

    before: TermNumber | None
    step: int


@record(slots=True)
class Share:
    """A number that is proportional to its position: `whole*number/parts`."""

    number: TermNumber | Counting
    whole: float
    parts: int


TermValue: TypeAlias = TermNumber | Link | NameRef | Counting | Share | str | bool | tuple[TermNumber, ...] | None


@record(slots=True)
class LayerTerm:
    """A layer, its options by name, and its operands other than the previous value."""

    kind: type[Layer]
    options: tuple[tuple[str, TermValue], ...]
    references: tuple[TermValue, ...] = ()


@record(slots=True)
class MergeTerm:
    """Branches that start from one value.

    `is_optional` means that the last branch is `ID` if the shapes match; `keeps_shape` means that they match here.
    """

    operator: str
    branches: tuple[TermChain, ...]
    is_optional: bool = False
    keeps_shape: bool = False

    def over(self, branches: tuple[TermChain, ...]) -> MergeTerm:
        """Return the same merge with other branches."""
        return MergeTerm(self.operator, branches, self.is_optional, self.keeps_shape)


@record(slots=True)
class StartTerm:
    """A reference at the start of a chain."""

    value: TermValue


@record(slots=True)
class CallTerm:
    """A call of a block, with its arguments by parameter name, in order."""

    block: str
    arguments: tuple[tuple[str, TermValue], ...]


@record(slots=True)
class RepeatTerm:
    """A chain that is repeated."""

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
    """An auxiliary output of that name, with its chain."""

    name: str
    is_for_training: bool
    body: TermChain


@record(slots=True)
class GroupTerm:
    """A module of its own, in square brackets; `path` is its path."""

    body: TermChain
    path: str


@record(slots=True)
class ChainsTerm:
    """Several chains in square brackets that are not a module: each but the last one may have a name."""

    chains: tuple[tuple[str, TermChain], ...]


@record(slots=True)
class SameTerm:
    """`ID`, used to give a value a name."""


@record(slots=True)
class ChoiceTerm:
    """An optional part, present if a test holds; an empty body means `ID`."""

    test: TermValue
    body: TermChain


@record(slots=True)
class AgainTerm:
    """Another application of a part of the same module, with shared weights."""

    name: str


@record(slots=True)
class KindTerm:
    """A layer whose type is a parameter, an activation."""

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
    """A term in its context: the node whose value it returns, and its input channels, in a block as an expression;
    both may be unknown (-1) there.

    `name` and the number after it are its label, `alias` is a second name for its value.
    """

    term: RaisedTerm
    node: int
    channels: TermNumber
    name: str = ""
    number: TermValue = None
    alias: str = ""

    def over(self, term: RaisedTerm) -> PlacedTerm:
        """Return another term in the same context."""
        return PlacedTerm(term, self.node, self.channels, self.name, self.number, self.alias)

    def labelled(self, name: str, number: TermValue = None) -> PlacedTerm:
        """Return the same term with another label."""
        return PlacedTerm(self.term, self.node, self.channels, name, number, self.alias)

    def also(self, alias: str) -> PlacedTerm:
        """Return the same term with a second name for its value."""
        return PlacedTerm(self.term, self.node, self.channels, self.name, self.number, alias)

    @property
    def label(self) -> str:
        """Return the label as it is written, with a placeholder for a number that is an expression."""
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
    """A network: its chains with the node that each one names (-1 for the first), and its blocks."""

    chains: tuple[tuple[int, TermChain], ...]
    blocks: tuple[TermBlock, ...] = ()
