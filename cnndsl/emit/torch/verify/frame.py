"""Where a function of the text stands while it is followed: its names, and what `forward` has recorded so far."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from cnndsl.emit.torch.verify.text import PLAIN_NAMES, Program
from cnndsl.emit.torch.verify.values import Builtin, Function, Member, NotUnderstood, Register, Trouble

STEPS = 2_000_000
"""Turns of loops and calls that are followed before a text counts as not understood."""


class Engine:
    """What a verification runs on: `run` follows the statements of a function, `left` steps are left for it.

    Statements hold expressions, and calls in them run statements: the function is handed down to break the circle.
    """

    __slots__ = ("left", "run")

    def __init__(self, run: Callable[[Sequence[ast.stmt], Frame], object]) -> None:
        self.run = run
        self.left = STEPS

    def spend(self, steps: int = 1) -> None:
        """Raises NotUnderstood when nothing is left."""
        self.left -= steps
        if self.left < 0:
            raise NotUnderstood(f"more than {STEPS:,} iterations and calls")


class Recorder(Protocol):
    """What a `forward` does with tensors while it is followed."""

    def mode(self) -> bool:
        """Whether it runs in training; asking makes the trace one of this mode."""
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
        """Record a look at a tensor's shape."""
        ...

    def index(self, x: Register, index: object, line: int) -> object:
        """Record slicing."""
        ...

    def function(self, name: str, given: Sequence[object], named: Mapping[str, object], line: int) -> object:
        """Record a function of `torch` or `F`."""
        ...


class Frame:
    """The call of a function: its local names, and the recorder of the trace where it is part of a `forward`."""

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
        """The value of a name, looked up as Python does. Raises Trouble for one that has none here."""
        if name in self.names:
            return self.names[name]
        if name in self.function.locals:
            raise Trouble(f"`{name}` is read where it has no value", line)
        if name in self.program.names:
            return self.program.names[name]
        if name in PLAIN_NAMES:
            return Builtin(name)
        raise Trouble(f"`{name}` is not defined", line)
