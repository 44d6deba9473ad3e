"""In which order the emitted module runs the operations of a network, and when it lets go of each value.

The text of the module says so, which `emit` reads; without it layers run in the graph's order, and a value is let go of
after the layer that reads it last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from cnndsl.graph import Graph
from cnndsl.records import record


@record(slots=True)
class Ran:
    """An operation of a layer: the one numbered `step`, and with `is_last` all that follow.

    `over` says that it writes over its first operand, a result of the layer's own.
    """

    node: int
    step: int = 0
    is_last: bool = True
    over: bool = False


@record(slots=True)
class Released:
    """No name or expression refers to the outputs of these nodes any more; below 0 the indices that a max-pooling
    gave, `-1 - node`. `parts` are results in the middle of a layer, by node and operation."""

    nodes: tuple[int, ...]
    parts: tuple[tuple[int, int], ...] = ()


@record(slots=True)
class Passed:
    """A layer for which the module has nothing: it gives what it reads."""

    node: int


ExecutionEvent: TypeAlias = Ran | Released | Passed
Execution: TypeAlias = tuple[ExecutionEvent, ...]


@record
class Executions:
    """How the module runs in training and in use."""

    training: Execution
    evaluation: Execution


ExecutionsOf: TypeAlias = Callable[[Graph], Executions | None]
"""How the module of a graph runs; None where it is not known."""


def unknown(_graph: Graph) -> None:
    """Say of no module how it runs."""
