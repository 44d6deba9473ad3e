"""The `forward` of a class whose inputs and results are lists of values, one for each stream of the network.

    xs = [branch(xs[i]) for i, branch in enumerate(self.branches)]
    return [total([fuse(xs[j]) for j, fuse in enumerate(row)]) for row in self.fuse_layers]

Lists are numbered: 0 is the argument, then each loop makes one. A loop runs over the modules of containers, `branches`,
whose names are numbers; an inner loop runs over a row of them, `fuse_layers[i]`. What a loop does in each iteration is
one expression.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from cnndsl.records import record


@record(slots=True)
class ListItem:
    """`xs[i]`: the value of a list at the number of the outer loop (depth 0) or of the inner one (depth 1)."""

    listed: int
    depth: int


@record(slots=True)
class ItemCall:
    """The call of a module: of the one that the loop at a depth has reached in a container, or with depth -1 of one
    that all iterations share."""

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
    """The sum or the concatenation of what an inner loop gives. `row` is the container whose rows it runs over, empty
    where it calls no module of its own."""

    operation: Literal["sum", "concat"]
    element: ListExpression
    row: str


ListExpression: TypeAlias = ListItem | ItemCall | Joined | InnerLoop


@record(slots=True)
class ListLoop:
    """A loop that makes a list: the expression of each iteration, and the containers that it runs over."""

    element: ListExpression
    containers: tuple[str, ...]


@record(slots=True)
class ListForward:
    """A `forward` with lists. `names` are those of the lists: of the argument, then of what each loop but the last one
    makes; the last one is returned. `lasting` says of values how long lists hold them: up to a step."""

    loops: tuple[ListLoop, ...]
    names: tuple[str, ...]
    lasting: tuple[tuple[int, int], ...]
