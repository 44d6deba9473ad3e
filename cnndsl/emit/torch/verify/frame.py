"""The state of a function that is being followed: its names, and what `forward` has recorded so far."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from cnndsl.emit.torch.verify.text import PLAIN_NAMES, Program
from cnndsl.emit.torch.verify.values import Builtin, Function, Member, NotUnderstood, Register, Trouble

STEPS = 2_000_000
"""The limit on loop iterations and calls; a source that exceeds it counts as not understood."""


class Engine:
    """The interpreter of a verification: `run` executes a function's statements, `left` counts the remaining steps.

    Statements contain expressions, and calls in them run statements: passing the function down breaks this cycle.
    """

    __slots__ = ("left", "run")

    def __init__(self, run: Callable[[Sequence[ast.stmt], Frame], object]) -> None:
        self.run = run
        self.left = STEPS

    def spend(self, steps: int = 1) -> None:
        """Spend some steps. Raises NotUnderstood if none are left."""
        self.left -= steps
        if self.left < 0:
            raise NotUnderstood(f"more than {STEPS:,} iterations and calls")


class Recorder(Protocol):
    """Records what a `forward` does with tensors while it is followed."""

    def mode(self) -> bool:
        """Return whether the network is in training; calling this makes the trace specific to the mode."""
        ...

    def call(
        self, member: Member, given: Sequence[object], named: Mapping[str, object], frame: Frame, line: int
    ) -> object:
        """Record the call of a module."""
        ...

    def operate(
        self, operator: type[ast.operator], left: object, right: object, line: int, inplace: bool = False
    ) -> Register:
        """Record an operator."""
        ...

    def shape(self, x: Register, line: int) -> Register:
        """Record reading a tensor's shape."""
        ...

    def index(self, x: Register, index: object, line: int) -> object:
        """Record an index or a slice."""
        ...

    def function(self, name: str, given: Sequence[object], named: Mapping[str, object], line: int) -> object:
        """Record a call of a function of `torch` or `F`."""
        ...


class Frame:
    """A function call: its local names, and the recorder of the trace if it is part of a `forward`."""

    __slots__ = ("engine", "function", "names", "program", "recorder")

    def __init__(
        self,
        program: Program,
        function: Function,
        names: dict[str, object],
        recorder: Recorder | None,
        engine: Engine,
    ) -> None:
        self.program, self.function, self.names, self.recorder, self.engine = program, function, names, recorder, engine

    def look_up(self, name: str, line: int) -> object:
        """Return the value of a name, looked up as Python does. Raises Trouble if the name is not defined."""
        if name in self.names:
            return self.names[name]
        if name in self.function.locals:
            raise Trouble(f"`{name}` is read where it has no value", line)
        if name in self.program.names:
            return self.program.names[name]
        if name in PLAIN_NAMES:
            return Builtin(name)
        raise Trouble(f"`{name}` is not defined", line)
