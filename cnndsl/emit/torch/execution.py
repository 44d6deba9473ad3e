"""The execution of the emitted module: the order of its operations, and when it releases each value.

The emitted code is traced as the verifier traces it. As in CPython, a value is released when no name, no unfinished
expression and no caller refers to it any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cnndsl.analysis.execution import Execution, Executions, Ran, Released
from cnndsl.emit.torch.part_queries import Borders
from cnndsl.emit.torch.source import source
from cnndsl.emit.torch.verified import is_verified
from cnndsl.emit.torch.verify.check import RunningText, quietly
from cnndsl.emit.torch.verify.differences import Findings
from cnndsl.emit.torch.verify.expected import Expected
from cnndsl.emit.torch.verify.foreign import Plugins
from cnndsl.emit.torch.verify.match import Match, TracedStorage, TracedTensor
from cnndsl.emit.torch.verify.replay import Replay
from cnndsl.emit.torch.verify.text import Program
from cnndsl.emit.torch.verify.trace import (
    CALL,
    CAT,
    INDEX,
    LEAF,
    PAD,
    PAIR,
    POOL,
    RESIZE,
    SCALAR,
    UNPOOL,
    VIEW,
    Trace,
)
from cnndsl.emit.torch.verify.values import Refused, Trouble
from cnndsl.errors import CnnError
from cnndsl.graph import Graph


def executions(graph: Graph) -> Executions | None:
    """Return how the module of a graph runs; None if none can be emitted, or if it is too large to trace.

    >>> from cnndsl.network import loads
    >>> found = executions(loads("INPUT 8x8x3 -> (CONV3-4 + CONV1-4) -> TANH").graph)
    >>> for each in found.evaluation: print(each)
    Ran(node=1, step=0, is_last=True, over=False)
    Ran(node=2, step=0, is_last=True, over=False)
    Ran(node=3, step=0, is_last=True, over=False)
    Released(nodes=(1, 2), parts=())
    Ran(node=4, step=0, is_last=True, over=False)
    Released(nodes=(3,), parts=())
    """
    if not is_verified(graph):
        return None
    try:
        with quietly():
            program = Program(source(graph), Borders(graph).helpers())
            running = RunningText(program, {})
            expected = Expected(graph, program.forms, Plugins(program), False)
            training = _followed(running, expected, True)
            if not _depends_on_mode(running, graph):
                return Executions(training, training)
            return Executions(training, _followed(running, expected, False))
    except (CnnError, Trouble, Refused, RecursionError):
        return None


def _depends_on_mode(running: RunningText, graph: Graph) -> bool:
    """Return whether training runs other operations than inference."""
    count = len(graph.inputs)
    return running.trace(True, count) is not running.trace(False, count) or any(
        node.training_only for node in graph.nodes
    )


def _followed(running: RunningText, expected: Expected, training: bool) -> Execution:
    graph = expected.graph
    match = Match(expected, running.program.forms, Findings(), training)
    given = [TracedTensor(node.index, TracedStorage(is_input=True)) for node in graph.inputs]
    recorder = _Recorder(match, training)
    recorder.run(running.trace(training, len(graph.inputs)), given, "")
    return recorder.execution


class _Reference:
    """The number of registers that refer to a value. If `node` is negative, the value is the indices of a max-pooling,
    else the output of a node; in the middle of a layer, it is the result of the event `made`."""

    __slots__ = ("holders", "made", "node")

    def __init__(self, node: int = 0, made: int = -1) -> None:
        self.holders, self.node, self.made = 0, node, made


class _Recorder(Replay[TracedTensor]):
    """Replays a trace, and records what runs and what is released."""

    def __init__(self, match: Match, training: bool) -> None:
        super().__init__(match)
        self._events: list[Ran | Released] = []
        self._gone: dict[int, list[int]] = {}
        self._references: dict[TracedTensor, _Reference] = {}
        self._parts: dict[TracedTensor, list[int]] = {}
        self._waiting: dict[int, list[int]] = {}
        self._repeated: dict[int, list[int]] = {}
        self._expected = expected = match.expected
        for node in reversed(expected.graph.layers):
            if training or not node.training_only:
                waiting = self._repeated if expected.skipped[node.index] else self._waiting
                waiting.setdefault(expected.values[node.index], []).append(node.index)

    @property
    def execution(self) -> Execution:
        """Return the recorded execution."""
        for at, made in self._gone.items():
            before = self._events[at]
            results = [each for each in map(self._events.__getitem__, made) if isinstance(each, Ran) and each.node >= 0]
            if isinstance(before, Released):
                self._events[at] = Released(before.nodes, tuple([(each.node, each.step) for each in results]))
        return tuple([each for each in self._events if isinstance(each, Released) or each.node >= 0])

    def run(self, trace: Trace, given: list[Any], prefix: str) -> list[Any]:
        """Run a trace. Returns the registers still held after the last step: those of arguments and results."""
        registers: list[Any] = given + [None] * (trace.registers - trace.inputs)
        for each in given:
            self._hold(each)
        step: Any
        for step, released in zip(trace.steps, trace.released, strict=False):
            self._let_go(registers, released)
            if step[0] == CALL:
                self._call(step, registers, prefix)
            else:
                self._step(step, registers, prefix)
        self._let_go(registers, trace.released[-1])
        return registers

    def _call(self, step: Any, registers: list[Any], prefix: str) -> None:
        _, _, outs, inner, path, into = step
        after = self.run(inner, [registers[each] for each in into], f"{prefix}{path}.")
        for out, each in zip(outs, inner.results, strict=True):
            registers[out] = after[each]
            self._hold(after[each])
        self._let_go(after, range(len(after)))

    def _step(self, step: Any, registers: list[Any], prefix: str) -> None:
        code, out = step[0], step[2]
        if code == LEAF:
            registers[out] = self._values.leaf(step[3], prefix + step[4], registers[step[5]], step[1], step[6])
        else:
            self._other(code, step, registers, prefix)
        made, operands = registers[out], _operands(step, registers)
        if operands and not any(made is each for each in operands):
            self._note(code, operands, made, code in (PAIR, SCALAR) and step[6])
        self._hold(made)
        if code == POOL:
            indices: TracedTensor = registers[step[6]]
            self._references[indices] = _Reference(indices.value)
            self._hold(indices)

    def _note(self, code: int, operands: list[TracedTensor], made: TracedTensor, over: bool) -> None:
        """Record an operation: a part of a layer, whose last operation identifies the layer, or a whole layer. A step
        that is not an operation gives another view of its operand."""
        node = -1 if code == VIEW else self._next(made.value, code == LEAF and made.value == operands[0].value)
        if node < 0 and code in (LEAF, VIEW, INDEX):
            self._references[made] = self._at(operands[0])
            return
        parts = [at for each in operands for at in self._parts.get(each, ())]
        if node < 0:
            self._references[made] = _Reference(made=len(self._events))
            self._parts[made] = [*parts, len(self._events)]
        else:
            self._references[made] = _Reference(node)
            for number, at in enumerate(parts):
                before = self._events[at]
                self._events[at] = Ran(node, number, False, isinstance(before, Ran) and before.over)
        self._events.append(Ran(node, len(parts), True, over and bool(parts)))

    def _next(self, value: int, is_repeated: bool) -> int:
        """Return the next layer that gives a value, or that gives it before it was flattened; -1 if there is none.
        `is_repeated` selects layers that give what they take."""
        waiting = self._repeated if is_repeated else self._waiting
        found = waiting.get(value)
        if not found:
            found = waiting.get(self._expected.unflattened(value) or -1)
        return found.pop() if found else -1

    def _at(self, tensor: TracedTensor) -> _Reference:
        found = self._references.get(tensor)
        if found is None:
            found = self._references[tensor] = _Reference(tensor.value)
        return found

    def _hold(self, value: object) -> None:
        if isinstance(value, TracedTensor):
            self._at(value).holders += 1

    def _let_go(self, registers: list[Any], numbers: Iterable[int]) -> None:
        gone: list[int] = []
        parts: list[int] = []
        for number in numbers:
            value = registers[number]
            if isinstance(value, TracedTensor):
                registers[number] = None
                reference = self._at(value)
                reference.holders -= 1
                if not reference.holders and reference.made < 0:
                    gone.append(reference.node)
                elif not reference.holders:
                    parts.append(reference.made)
        if parts:
            self._gone[len(self._events)] = parts
        if gone or parts:
            self._events.append(Released(tuple(gone)))


_READS = {LEAF: 5, POOL: 5, UNPOOL: 5, SCALAR: 4, INDEX: 3, VIEW: 3, PAD: 3, RESIZE: 3}
"""The index of the input register in the tuple of each step that reads one tensor."""


def _operands(step: Any, registers: list[Any]) -> list[TracedTensor]:
    """Return the tensors that an operation reads."""
    code = step[0]
    if code == CAT:
        return [registers[each] for each in step[3]]
    if code == PAIR:
        return [registers[step[4]], registers[step[5]]]
    return [registers[step[_READS[code]]]] if code in _READS else []
