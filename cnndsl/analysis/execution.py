"""The order in which the emitted module runs the operations of a network, and when it releases each value.

`emit` reads it from the source of the module. Without that, layers run in the graph's order, and a value is released
after the last layer that reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from cnndsl.graph import Graph
from cnndsl.records import record


@record(slots=True)
class Ran:
    """An operation of a layer: the one numbered `step`, and if `is_last` also all that follow.

    `over` says that it overwrites its first operand, a result of the same layer.
    """

    node: int
    step: int = 0
    is_last: bool = True
    over: bool = False


@record(slots=True)
class Released:
    """An event after which no name or expression refers to the outputs of these `nodes`; numbers below 0 are the
    indices of a max-pooling, `-1 - node`. `parts` are intermediate results of a layer, by node and operation."""

    nodes: tuple[int, ...]
    parts: tuple[tuple[int, int], ...] = ()


@record(slots=True)
class Passed:
    """A layer that the module omits: its output is its input."""

    node: int


ExecutionEvent: TypeAlias = Ran | Released | Passed
Execution: TypeAlias = tuple[ExecutionEvent, ...]


@record
class Executions:
    """The execution of a module in training and at inference."""

    training: Execution
    evaluation: Execution


ExecutionsOf: TypeAlias = Callable[[Graph], Executions | None]
"""A function that returns the executions of a graph's module; None if they are not known."""


def unknown(_graph: Graph) -> None:
    """Return None: the execution of no module is known."""
