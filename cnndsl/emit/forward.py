"""The steps of a `forward` as statements, so that no name outlives its last use.

A value that is read once is written inside the expression that reads it, unless a name would have to live longer for
that: `self.bn(self.conv(x))` keeps `x` alive while `bn` works, which costs memory if nobody needs `x` any more. The
argument of `forward` itself is free: the caller holds it anyway.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from cnndsl.emit.layout import Call, Display, Doc, Infix, Item, Text, flat
from cnndsl.emit.names import variable
from cnndsl.emit.plan import Line, Statement, Suite
from cnndsl.emit.values import Apply, Branch, Compute, Program, Step, Training, Value, inputs_of, outs_of

_DEEPEST = 3
_SPARE = ("y", "z", "u", "v", "w")


@dataclass
class _Pending:
    """A value that has no name yet: its expression, how deep it nests, the values that die with it."""

    value: Value
    doc: Doc
    depth: int
    frees: list[Value] = field(default_factory=list[Value])


class ForwardWriter:
    """Writes one `forward`. `is_dict` says that the children are reached by number."""

    def __init__(self, program: Program, is_dict: bool) -> None:
        self.program, self.is_dict = program, is_dict
        self.names: dict[int, str] = {}
        self.pending: list[_Pending] = []
        self.lines: list[Statement] = []
        self.left: dict[int, int] = {}
        self.kept = program.entry
        self.collected = "extra"

    # The whole

    def arguments(self) -> list[str]:
        """The names of the arguments of `forward`."""
        self._bind(self.program.entry, "x")
        for value in self.program.reads:
            self._bind(value, self._fresh(value))
        return [self.names[id(value)] for value in (self.program.entry, *self.program.reads)]

    def statements(self) -> list[Statement]:
        """The body of `forward`."""
        program = self.program
        for step in program.steps:
            for value in inputs_of(step):
                self.left[id(value)] = self.left.get(id(value), 0) + 1
        for value in program.outs:
            self.left[id(value)] = self.left.get(id(value), 0) + 1
        if program.training:
            self.lines.append(Line(f"{self.collected}: list[Tensor] = ", Display("[]", ())))
        self._steps(program.steps)
        self._return()
        return self.lines

    def returned(self) -> str:
        """The type that `forward` gives."""
        count, more = len(self.program.outs), len(self.program.training)
        plain = "Tensor" if count == 1 else _tuple_type(count)
        return f"{plain} | {_tuple_type(count + more)}" if more else plain

    def _return(self) -> None:
        outs, more = self.program.outs, self.program.training
        if more:
            self._flush(len(self.pending))
            results = [Text(self.names[id(value)]) for value in outs]
            extra = [Text(f"{self.collected}[{at}]") for at in range(len(more))]
            both = Suite("if ", Text("self.training"), (Line("return ", _tuple([*results, *extra])),))
            self.lines += [both, Line("return ", _tuple(results))]
            return
        self._settle(outs)
        self.lines.append(Line("return ", _tuple([self._operand(value) for value in outs])))

    # Steps

    def _steps(self, steps: Iterable[Step]) -> None:
        for step in steps:
            if isinstance(step, Apply):
                self._apply(step)
            elif isinstance(step, Compute):
                self._compute(step)
            elif isinstance(step, Branch):
                self._branch(step)
            else:
                self._training(step)

    def _apply(self, step: Apply) -> None:
        self._settle(step.inputs, allocates=step.allocates)
        frees, depth = self._uses(step.inputs)
        operands = [Item(self._operand(value)) for value in step.inputs]
        if step.extra:
            operands.append(Item(Text(step.extra)))
        callee = f'self["{step.child}"]' if self.is_dict else f"self.{step.child}"
        doc = Call(callee, tuple(operands))
        if len(step.outs) == 1:
            self._push(step.outs[0], doc, depth, frees)
            return
        self._flush(len(self.pending))
        targets = [self._target(step.outs[0], frees), *(self._fresh(value) for value in step.outs[1:])]
        for value, name in zip(step.outs, targets, strict=True):
            self._bind(value, name)
        self.lines.append(Line(f"{', '.join(targets)} = ", doc))

    def _compute(self, step: Compute) -> None:
        if step.over >= 0:
            self._add_over(step)
            return
        self._settle(step.inputs, allocates=not step.is_view)
        frees, depth = self._uses(step.inputs)
        operands = [self._operand(value) for value in step.inputs]
        self._push(step.out, _expression(step.template, operands), depth, frees)

    def _add_over(self, step: Compute) -> None:
        """`y += x`."""
        target = step.inputs[step.over]
        others = [value for at, value in enumerate(step.inputs) if at != step.over]
        place = next((at for at, each in enumerate(self.pending) if each.value is target), None)
        if place is not None:
            self._flush(place + 1)
        name = self.names[id(target)]
        self._settle(others, allocates=False)
        self._uses(step.inputs)
        for value in others:
            self.lines.append(Line(f"{name} += ", self._operand(value)))
        self._bind(step.out, name)

    def _branch(self, step: Branch) -> None:
        """`if self.flag:`; both ways end with the value under one name."""
        self._flush(len(self.pending))
        frees, _ = self._uses(inputs_of(step))
        used = (*inputs_of(step), step.chosen, step.other)
        kept = step.other if not step.otherwise else step.chosen if not step.steps else None
        name = self.names[id(kept)] if kept is not None and self._is_dead(kept) else self._target(step.out, frees)
        chosen = self._block(step.steps, step.chosen, name, used)
        other = self._block(step.otherwise, step.other, name, used)
        test = f"self.{step.flag}"
        if chosen:
            self.lines.append(Suite("if ", Text(test), tuple(chosen), tuple(other)))
        elif other:
            self.lines.append(Suite("if not ", Text(test), tuple(other)))
        self._bind(step.out, name)

    def _is_dead(self, value: Value) -> bool:
        return self.left.get(id(value), 0) <= 0

    def _block(self, steps: Sequence[Step], end: Value, name: str, used: Sequence[Value]) -> list[Statement]:
        """The statements of one way; at their end the value has the given name."""
        inner = ForwardWriter(Program(self.program.entry), self.is_dict)
        inner.names, inner.kept = dict(self.names), self.kept
        for step in steps:
            for value in inputs_of(step):
                inner.left[id(value)] = inner.left.get(id(value), 0) + 1
        inner.left[id(end)] = inner.left.get(id(end), 0) + 1
        alive = {self.names[id(value)] for value in used if id(value) in self.names and not self._is_dead(value)}
        inner.reserved = alive | {held for at, held in self.names.items() if self.left.get(at, 0) > 0}
        inner._steps(steps)
        place = next((at for at, each in enumerate(inner.pending) if each.value is end), None)
        if place is not None:
            last = inner.pending.pop(place)
            inner._flush(len(inner.pending))
            inner.lines.append(Line(f"{name} = ", last.doc))
        elif inner.names[id(end)] != name:
            inner.lines.append(Line(f"{name} = ", Text(inner.names[id(end)])))
        return inner.lines

    reserved: set[str] = set()

    def _training(self, step: Training) -> None:
        """Steps that only training needs; what they give is collected in a list."""
        self._flush(len(self.pending))
        self._uses(inputs_of(step))
        inner = ForwardWriter(Program(self.program.entry), self.is_dict)
        inner.names, inner.kept = dict(self.names), self.kept
        inner.reserved = {held for at, held in self.names.items() if self.left.get(at, 0) > 0}
        for each in step.steps:
            for value in inputs_of(each):
                inner.left[id(value)] = inner.left.get(id(value), 0) + 1
        for value in step.outs:
            inner.left[id(value)] = inner.left.get(id(value), 0) + 1
        for value in inputs_of(step):
            if self.left.get(id(value), 0) > 0:
                inner.left[id(value)] += 1
        inner._steps(step.steps)
        inner._settle(step.outs)
        for value in step.outs:
            collected = Call(f"{self.collected}.append", (Item(inner._operand(value)),))
            inner.lines.append(Line("", collected))
        self.lines.append(Suite("if ", Text("self.training"), tuple(inner.lines)))

    # Expressions

    def _push(self, value: Value, doc: Doc, depth: int, frees: list[Value]) -> None:
        """A new value: it waits for its one reader, or gets a name."""
        self.pending.append(_Pending(value, doc, depth + 1, frees))
        if self.left.get(id(value), 0) != 1:
            self._flush(len(self.pending))

    def _settle(self, inputs: Sequence[Value], allocates: bool = True) -> None:
        """Gives names to pending values, unless they can stand inside the next expression, in their order."""
        wanted = [value for value in inputs if id(value) not in self.names]
        tail = self.pending[len(self.pending) - len(wanted) :] if wanted else []
        fits = [each.value for each in tail] == wanted and len(wanted) == len({id(value) for value in wanted})
        if not fits:
            self._flush(len(self.pending))
            return
        for at in range(len(tail) - 1, -1, -1):
            each = tail[at]
            dies = [value for value in each.frees if value is not self.kept]
            if (allocates and dies) or each.depth >= _DEEPEST or len(flat(each.doc)) > 70:
                self._flush(len(self.pending) - len(tail) + at + 1)
                return

    def _uses(self, inputs: Sequence[Value]) -> tuple[list[Value], int]:
        """Counts the uses; gives the values that die here, and how deep the operands nest."""
        frees: list[Value] = []
        depth = 0
        inside = {id(each.value): each for each in self.pending}
        for value in inputs:
            self.left[id(value)] = self.left.get(id(value), 0) - 1
            if id(value) in inside:
                frees += inside[id(value)].frees
                depth = max(depth, inside[id(value)].depth)
            elif self.left[id(value)] <= 0:
                frees.append(value)
        return frees, depth

    def _operand(self, value: Value) -> Doc:
        for at, each in enumerate(self.pending):
            if each.value is value:
                return self.pending.pop(at).doc
        return Text(self.names[id(value)])

    def _flush(self, count: int) -> None:
        """Gives names to the first pending values."""
        for _ in range(count):
            each = self.pending.pop(0)
            name = self._target(each.value, each.frees)
            self.lines.append(Line(f"{name} = ", each.doc))
            self._bind(each.value, name)

    # Names

    def _bind(self, value: Value, name: str) -> None:
        self.names[id(value)] = name

    def _target(self, value: Value, frees: Sequence[Value]) -> str:
        """The name of a value that dies here, or a new one."""
        for dead in frees:
            name = self.names.get(id(dead))
            if name is not None and not self._is_taken(name):
                return name
        return self._fresh(value)

    def _is_taken(self, name: str) -> bool:
        held = any(self.left.get(at, 0) > 0 for at, other in self.names.items() if other == name)
        return held or name in self.reserved

    def _fresh(self, value: Value) -> str:
        several = self.left.get(id(value), 0) > 1 or value.hint in ("indices",)
        for name in self._wishes(value, several):
            if not self._is_taken(name) and (name != "x" or not self.names):
                return name
        raise AssertionError("names do not run out")

    def _wishes(self, value: Value, several: bool) -> Iterator[str]:
        hint = re.sub(r"\W", "_", value.hint)
        if hint and hint != "x" and not hint.isdigit() and (several or len(self.names) > 3):
            yield variable(hint)
        yield from _SPARE
        number = 2
        while True:
            yield f"y{number}"
            number += 1


def _expression(template: str, operands: Sequence[Doc]) -> Doc:
    """The operands in the template of a merge, laid out so that long ones can be broken."""
    if template == "torch.cat([{inputs}], 1)":
        return Call("torch.cat", (Item(Display("[]", tuple(map(Item, operands)))), Item(Text("1"))))
    for operator in ("+", "*"):
        pieces = template.split(f" {operator} ")
        if len(pieces) == len(operands) > 1 and all(re.fullmatch(r"\{\d+\}(\[[^\]]*\])?", piece) for piece in pieces):
            docs = [_indexed(operand, piece) for operand, piece in zip(operands, pieces, strict=True)]
            return Infix(operator, tuple(docs))
    written = [flat(doc) if not isinstance(doc, Infix) else f"({flat(doc)})" for doc in operands]
    return _call_or_text(template.format(*written, inputs=", ".join(written)))


def _indexed(operand: Doc, piece: str) -> Doc:
    index = piece[piece.index("}") + 1 :]
    written = f"({flat(operand)})" if isinstance(operand, Infix) else flat(operand)
    return Text(written + index) if index or isinstance(operand, Infix) else operand


def _call_or_text(written: str) -> Doc:
    match = re.fullmatch(r"(torch\.[a-z_]+)\((.*), (\d+)\)", written)
    if match and written.count("(") == written.count(")"):
        return Call(match[1], (Item(Text(match[2])), Item(Text(match[3]))))
    return Text(written)


def _tuple(docs: Sequence[Doc]) -> Doc:
    return docs[0] if len(docs) == 1 else Infix(",", tuple(docs))


def _tuple_type(count: int) -> str:
    return f"tuple[{', '.join(['Tensor'] * count)}]"


__all__ = ["ForwardWriter", "outs_of"]
