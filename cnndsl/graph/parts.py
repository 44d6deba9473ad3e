"""The tree of parts: the structure of the program, and the nodes that each part of it became.

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
    """`ID`: passes its input on unchanged, without a node."""


@record(slots=True)
class ReferencePart:
    """`@name`: the chain starts at an earlier node."""

    node: int
    name: str


@record(slots=True)
class SequencePart:
    """Parts in sequence."""

    parts: tuple[Part, ...]


@record(slots=True)
class LoopPart:
    """A repeat or a `for`: its iterations in order.

    `names` are the variables that change with each iteration (`i`, or those of the `for`), `rows` their values. `count`
    is the expression of a repeat, None for a `for`. `cells` are the expressions of a table's rows: for a range one row
    with its two ends, for a list without elements one row with the list.
    """

    turns: tuple[Part, ...]
    names: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    count: Expr | None
    span: Span
    cells: tuple[tuple[Expr, ...], ...] = ()

    @property
    def is_range(self) -> bool:
        """Return whether this is a `for` over a range."""
        return self.count is None and len(self.names) == 1 and [len(row) for row in self.cells] == [2]


@record(slots=True)
class MergePart:
    """Parallel branches with the same input, and the node that merges them."""

    branches: tuple[Part, ...]
    node: int


@record(slots=True)
class ChoicePart:
    """A choice that was made at compile time.

    `kind` is `either` (`ID or X`), `if`, `maybe` (`A?`), or `absent`: a merge that lacks a branch because a `test`
    fails. `taken` is the number of the chosen alternative, -1 for none. `test` is the condition of an `if`, or the name
    of an `A?`. `skips` is true for an `either` whose rejected alternative passes its input on, as `ID` does.
    """

    kind: Literal["either", "if", "maybe", "absent"]
    taken: int
    part: Part | None
    test: Expr | str | None
    span: Span
    skips: bool = False


@record(slots=True)
class NamedPart:
    """A label and the part that it names. `name` is final, `template` as written (`denselayer{i}`).

    `path` is the full path. `is_module` is false for the label of a single layer or of a block call, which uses it as
    its own path; such a label wraps the `LayerPart` or `CallPart`. `template` may be a path, `convs.1`, whose last name
    is `name`.
    """

    name: str
    template: tuple[str | Expr, ...]
    path: str
    part: Part
    is_module: bool

    @property
    def is_scattered(self) -> bool:
        """Return whether it belongs to a module whose parts need not be consecutive, such as `convs.1`."""
        return any(isinstance(text, str) and "." in text for text in self.template)


@record(slots=True)
class CallPart:
    """The call of a block.

    `arguments` are the values of its parameters in order, `written` the expressions that the call gives them,
    `defaults` the block's expressions for parameters that the call omits. `entry` is the node that it reads, `first`
    and `stop` are the range of its nodes, `lets` the values that the block names.
    """

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
    """An extra, named output that branches off the main chain and leaves it unchanged."""

    name: str
    path: str
    part: Part
    output: int
    training_only: bool


@record(slots=True)
class AgainPart:
    """`again name`: a part that is applied again, with the weights of its first application.

    `path` is the path of the first application. `part` is this application: a label whose name has the number of the
    application, `tower@2`, around the part. `entry` is the node that it reads.
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
