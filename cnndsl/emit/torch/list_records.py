"""The `forward` of a class whose inputs and results are lists of values, one for each stream of the network.

    xs = [branch(xs[i]) for i, branch in enumerate(self.branches)]
    return [total([fuse(xs[j]) for j, fuse in enumerate(row)]) for row in self.fuse_layers]

Lists are numbered: 0 is the argument, then each loop builds one. A loop iterates over the modules of containers,
`branches`, whose names are numbers; an inner loop iterates over a row of them, `fuse_layers[i]`. The body of a loop is
one expression.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from cnndsl.records import record


@record(slots=True)
class ListItem:
    """`xs[i]`: the item of a list at the index of the outer loop (depth 0) or of the inner one (depth 1)."""

    listed: int
    depth: int


@record(slots=True)
class ItemCall:
    """The call of a module: the current one in a container of the loop at a depth, or with depth -1 one that all
    iterations share."""

    child: str
    depth: int
    operand: ListExpression


@record(slots=True)
class Joined:
    """An operator on values of one iteration, `{0} + {1}`."""

    template: str
    operands: tuple[ListExpression, ...]


@record(slots=True)
class InnerLoop:
    """The sum or the concatenation of an inner loop's values. `row` is the container whose rows it iterates over, empty
    if it calls no module of its own."""

    operation: Literal["sum", "concat"]
    element: ListExpression
    row: str


ListExpression: TypeAlias = ListItem | ItemCall | Joined | InnerLoop


@record(slots=True)
class ListLoop:
    """A loop that builds a list: the expression of each iteration, and the containers that it iterates over."""

    element: ListExpression
    containers: tuple[str, ...]


@record(slots=True)
class ListForward:
    """A `forward` with lists. `names` are those of the argument and of the lists that each loop but the last builds;
    the last list is returned. `lasting` pairs values with the step until which lists hold them."""

    loops: tuple[ListLoop, ...]
    names: tuple[str, ...]
    lasting: tuple[tuple[int, int], ...]
