"""Runs a trace step by step on values: those of the graph (`match`), or shapes alone (`shapes`)."""

from __future__ import annotations

from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from cnndsl.emit.torch.verify.forms import Form
from cnndsl.emit.torch.verify.leaves import LeafModule
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
    SHAPE,
    TAKE,
    UNPOOL,
    VIEW,
    Trace,
)
from cnndsl.emit.torch.verify.values import Register

V = TypeVar("V")


class Size(NamedTuple):
    """The size of a tensor, or a part of it, and the number of the value it belongs to (-1 if irrelevant)."""

    extents: tuple[object, ...]
    """The size along each axis; a string represents the batch."""
    of: int = -1


class ReplayedValues(Protocol[V]):
    """The operations on the values of a replay."""

    def leaf(self, leaf: LeafModule, path: str, x: V, line: int, made: int, /) -> V:
        """Return the output of a module."""
        ...

    def pool(self, leaf: LeafModule, path: str, x: V, line: int, made: int, /) -> tuple[V, V]:
        """Return the output and the indices of a max pooling."""
        ...

    def unpool(self, leaf: LeafModule, path: str, given: tuple[V, V, object], line: int, made: int, /) -> V:
        """Return the output of an unpooling."""
        ...

    def pair(self, sign: str, a: V, b: V, inplace: bool, line: int, /) -> V:
        """Return the value of an operator between two tensors."""
        ...

    def scalar(self, sign: str, x: V, number: float, inplace: bool, line: int, /) -> V:
        """Return the value of an operator between a tensor and a number."""
        ...

    def cat(self, parts: list[V], dim: int, line: int, /) -> V:
        """Return the value of a concatenation."""
        ...

    def flatten(self, x: V, start: object, end: object, line: int, /) -> V:
        """Return a value flattened to vectors."""
        ...

    def index(self, x: V, items: tuple[object, ...], line: int, /) -> V:
        """Return the value of `x[…]`."""
        ...

    def size(self, x: V, line: int, /) -> Size:
        """Return the shape of a value."""
        ...

    def pad(self, x: V, pads: tuple[int, ...], line: int, /) -> V:
        """Return the value of `F.pad`."""
        ...

    def resize(self, x: V, form: Form, size: Size | None, line: int, /) -> V:
        """Return the value of `F.interpolate`."""
        ...


class Replay(Generic[V]):
    """Replays traces on values of one type."""

    __slots__ = ("_values",)

    def __init__(self, values: ReplayedValues[V]) -> None:
        self._values = values

    def run(self, trace: Trace, given: list[Any], prefix: str) -> list[Any]:
        """Return the registers after the last step; `prefix` is the path of the module with a trailing dot."""
        registers: list[Any] = given + [None] * (trace.registers - trace.inputs)
        leaf = self._values.leaf
        step: Any
        for step in trace.steps:
            code = step[0]
            if code == LEAF:
                _, line, out, module, path, x, made = step
                registers[out] = leaf(module, prefix + path, registers[x], line, made)
            elif code == CALL:
                _, _, outs, inner, path, into = step
                after = self.run(inner, [registers[each] for each in into], f"{prefix}{path}.")
                for out, each in zip(outs, inner.results, strict=True):
                    registers[out] = after[each]
            else:
                self._other(code, step, registers, prefix)
        return registers

    def _other(self, code: int, step: Any, registers: list[Any], prefix: str) -> None:
        values = self._values
        line, out = step[1], step[2]
        if code == PAIR:
            _, _, _, sign, a, b, inplace = step
            registers[out] = values.pair(sign, registers[a], registers[b], inplace, line)
        elif code == SCALAR:
            _, _, _, sign, x, number, inplace = step
            registers[out] = values.scalar(sign, registers[x], number, inplace, line)
        elif code == CAT:
            registers[out] = values.cat([registers[each] for each in step[3]], step[4], line)
        elif code == VIEW:
            registers[out] = values.flatten(registers[step[3]], step[4], step[5], line)
        elif code == INDEX:
            registers[out] = values.index(registers[step[3]], step[4], line)
        elif code == PAD:
            registers[out] = values.pad(registers[step[3]], step[4], line)
        else:
            self._sized(code, step, registers, prefix)

    def _sized(self, code: int, step: Any, registers: list[Any], prefix: str) -> None:
        """Run a step that returns or takes a size, or indices."""
        values = self._values
        line, out = step[1], step[2]
        if code == POOL:
            _, _, _, leaf, path, x, indices, made = step
            registers[out], registers[indices] = values.pool(leaf, prefix + path, registers[x], line, made)
        elif code == UNPOOL:
            _, _, _, leaf, path, x, indices, size, made = step
            wanted = registers[size.index].extents if isinstance(size, Register) else size
            registers[out] = values.unpool(leaf, prefix + path, (registers[x], registers[indices], wanted), line, made)
        elif code == SHAPE:
            registers[out] = values.size(registers[step[3]], line)
        elif code == TAKE:
            whole: Size = registers[step[3]]
            part: slice = step[4]
            registers[out] = Size(whole.extents[part], whole.of)
        elif code == RESIZE:
            size = step[5]
            registers[out] = values.resize(
                registers[step[3]], step[4], None if size is None else registers[size.index], line
            )
