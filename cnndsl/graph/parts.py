"""The tree of parts: what the program wrote, and which nodes each piece of it became.

A table groups by this tree, a diagram folds it, and the emitted source has a class for a block and a loop for a repeat.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from cnndsl.errors import Span
from cnndsl.expressions import Expr
from cnndsl.records import record
from cnndsl.values import Value


@record(slots=True)
class LayerPart:
    """A layer."""

    node: int


@record(slots=True)
class IdentityPart:
    """`ID`: the value goes on as it is, without a node."""


@record(slots=True)
class ReferencePart:
    """`@name`: the chain starts at an earlier node."""

    node: int
    name: str


@record(slots=True)
class SequencePart:
    """Parts one after the other."""

    parts: tuple[Part, ...]


@record(slots=True)
class LoopPart:
    """A repeat or a `for`: its turns in order.

    `names` are the variables that change from turn to turn (`i`, or those of the `for`), `rows` their values.
    `count` is the expression of a repeat, None for a `for`, `cells` the expressions of a table's rows: for a range
    one row of its two ends, for a list without elements one of the list.
    """

    turns: tuple[Part, ...]
    names: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    count: Expr | None
    span: Span
    cells: tuple[tuple[Expr, ...], ...] = ()

    @property
    def is_range(self) -> bool:
        """Return whether it is a `for` over a range."""
        return self.count is None and len(self.names) == 1 and [len(row) for row in self.cells] == [2]


@record(slots=True)
class MergePart:
    """Parallel branches on one input, and the node that merges them."""

    branches: tuple[Part, ...]
    node: int


@record(slots=True)
class ChoicePart:
    """A part that was decided upon when compiled.

    `kind` is `either` (`ID or X`), `if`, `maybe` (`A?`), or `absent`: a merge that lacks a branch since a `test` fails.
    `taken` is the number of the alternative that holds here, -1 for none; `test` the condition of an `if`, or the name
    of an `A?`. `skips` says of an `either` that what did not fit passes on what enters, as `ID` does.
    """

    kind: Literal["either", "if", "maybe", "absent"]
    taken: int
    part: Part | None
    test: Expr | str | None
    span: Span
    skips: bool = False


@record(slots=True)
class NamedPart:
    """A label and what it names. `name` is final, `template` as written (`denselayer{i}`).

    `path` is the full path. `is_module` is false for the label of a single layer or of a block call, whose own
    path it becomes; such a label wraps the `LayerPart` or `CallPart`. `template` may be a path, `convs.1`, of which
    `name` is the last one.
    """

    name: str
    template: tuple[str | Expr, ...]
    path: str
    part: Part
    is_module: bool

    @property
    def is_scattered(self) -> bool:
        """Return whether it belongs to a module of which the parts need not follow one another, as `convs.1` does."""
        return any(isinstance(text, str) and "." in text for text in self.template)


@record(slots=True)
class CallPart:
    """The call of a block. `arguments` are its parameters' values in order, `written` the expressions that the
    call gave them, `defaults` those of the block for parameters that the call leaves out, `entry` the node that it
    reads, `first` and `stop` the range of its nodes, `lets` the values that the block names."""

    block: str
    span: Span
    path: str
    parameters: tuple[str, ...]
    arguments: tuple[Value, ...]
    written: tuple[tuple[str, Expr], ...]
    entry: int
    body: Part
    first: int
    stop: int
    definition: Span
    defaults: tuple[tuple[str, Expr], ...] = ()
    lets: tuple[tuple[str, Expr], ...] = ()


@record(slots=True)
class TapPart:
    """An extra, named output that starts from the main line and leaves it unchanged."""

    name: str
    path: str
    part: Part
    output: int
    training_only: bool


@record(slots=True)
class AgainPart:
    """`again name`: a part that is applied once more, with the weights of its first application.

    `path` is that of the first application, `part` what it became here: a label around it of a name with the number of
    the application, `tower@2`. `entry` is the node that it reads.
    """

    path: str
    part: Part
    entry: int


Part: TypeAlias = (
    LayerPart
    | IdentityPart
    | ReferencePart
    | SequencePart
    | LoopPart
    | MergePart
    | ChoicePart
    | NamedPart
    | CallPart
    | TapPart
    | AgainPart
)
