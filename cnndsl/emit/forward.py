"""The steps of a `forward` as statements, so that no name outlives its last use.

A value that is read once is written inside the expression that reads it, unless a name would have to live longer for
that and the memory for it counts: `self.bn(self.conv(x))` keeps `x` alive while `bn` works. What cannot be freed by
giving its name to something else is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cnndsl.emit.bindings import Bindings
from cnndsl.emit.layout import Call, Doc, Infix, Item, Text, flat
from cnndsl.emit.merges import expression
from cnndsl.emit.peak import Peak
from cnndsl.emit.plan import Line, Statement, Suite
from cnndsl.emit.values import Apply, Branch, Compute, Program, Step, Training, Value, inputs_of

_DEEPEST = 4
_LONGEST = 70


@dataclass(frozen=True, slots=True)
class _Pending:
    """A value that has no name yet: its expression, how deep it nests, the values that it reads, those of them that end
    with it, whether it is another view of one, the one that it is written over."""

    value: Value
    doc: Doc
    depth: int
    reads: tuple[Value, ...]
    frees: tuple[Value, ...]
    is_view: bool = False
    over: Value | None = None


class ForwardWriter:
    """Writes one `forward`. `is_dict` says that the children are reached by number."""

    def __init__(self, program: Program, is_dict: bool, peak: Peak | None = None) -> None:
        self.program, self.is_dict, self.peak = program, is_dict, peak
        self.names = Bindings()
        self.pending: list[_Pending] = []
        self.lines: list[Statement] = []

    def arguments(self) -> list[str]:
        """The names of the arguments of `forward`."""
        return [self.names.lend(value, value.hint) for value in (self.program.entry, *self.program.reads)]

    def returned(self) -> str:
        """The type that `forward` gives."""
        count, more = len(self.program.outs), len(self.program.training)
        plain = "Tensor" if count == 1 else _tuple_type(count)
        return f"{plain} | {_tuple_type(count, more)}" if more else plain

    def statements(self) -> list[Statement]:
        """The body of `forward`."""
        program = self.program
        in_training = [isinstance(step, Training) for step in program.steps]
        for step, only_then in sorted(zip(program.steps, in_training, strict=True), key=lambda pair: pair[1]):
            self.names.expect(inputs_of(step), only_then)
        self.names.expect(program.outs)
        self._steps(program.steps)
        self._return()
        return self.lines

    def _return(self) -> None:
        outs, more = self.program.outs, self.program.training
        if not more:
            self._settle(outs, at_end=True)
            self.lines.append(Line("return ", _tuple([self._operand(value) for value in outs])))
            return
        self._flush(len(self.pending))
        results = [self._operand(value) for value in outs]
        extra = [Text(self._name(value)) for value in more]
        both = Suite("if ", Text("self.training"), (Line("return ", _tuple([*results, *extra])),))
        self.lines += [both, Line("return ", _tuple(results))]

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
        self._settle(step.inputs, step if step.allocates else None)
        self._delete(step, step.allocates)
        over = None if step.allocates else self._over(step.inputs[0])
        reads, frees, depth = self._uses(step.inputs)
        operands = [Item(self._operand(value)) for value in step.inputs]
        if step.extra:
            operands.append(Item(Text(step.extra)))
        callee = f'self["{step.child}"]' if self.is_dict else f"self.{step.child}"
        doc = Call(callee, tuple(operands))
        if len(step.outs) == 1:
            self._push(_Pending(step.outs[0], doc, depth + 1, reads, frees, over=over))
            return
        self._flush(len(self.pending))
        targets: list[str] = []
        for value in step.outs:
            targets.append(self.names.target(value, frees) if not targets else self.names.fresh(value.hint or "y"))
            self.names.bind(value, targets[-1])
        self.lines.append(Line(f"{', '.join(targets)} = ", doc))

    def _compute(self, step: Compute) -> None:
        if step.over >= 0:
            self._add_over(step)
            return
        self._settle(step.inputs, None if step.is_view else step)
        self._delete(step, not step.is_view)
        over = self._over(step.inputs[0]) if step.is_view else None
        reads, frees, depth = self._uses(step.inputs)
        doc = expression(step.template, [self._operand(value) for value in step.inputs])
        self._push(_Pending(step.out, doc, depth + 1, reads, frees, step.is_view, over))

    def _over(self, value: Value) -> Value:
        """The value with a name whose memory this one is."""
        for each in self.pending:
            if each.value is value:
                return each.over or value
        return value

    def _add_over(self, step: Compute) -> None:
        """`y += x`."""
        target = step.inputs[step.over]
        others = [value for at, value in enumerate(step.inputs) if at != step.over]
        place = next((at for at, each in enumerate(self.pending) if each.value is target), -1)
        self._flush(place + 1)
        self._settle(others)
        self._delete(step, False)
        name = self._name(target)
        self._uses(step.inputs)
        for value in others:
            self.lines.append(Line(f"{name} += ", self._operand(value)))
        self.names.bind(step.out, name, over=target)

    def _branch(self, step: Branch) -> None:
        """`if self.flag:`; both ways end with the value under one name."""
        self._flush(len(self.pending))
        _, frees, _ = self._uses(inputs_of(step))
        kept = step.other if not step.otherwise else step.chosen
        is_over = self.names.name(kept) is not None and not self.names.is_alive(kept)
        name = self._name(kept) if is_over else self.names.target(step.out, frees)
        chosen = self._way(step.steps, step.chosen, name)
        other = self._way(step.otherwise, step.other, name)
        test = f"self.{step.flag}"
        if chosen:
            self.lines.append(Suite("if ", Text(test), tuple(chosen), tuple(other)))
        elif other:
            self.lines.append(Suite("if not ", Text(test), tuple(other)))
        self.names.bind(step.out, name)

    def _inner(self, steps: Sequence[Step], ends: Sequence[Value]) -> ForwardWriter:
        """A writer for indented statements: it knows the names, and what is read later."""
        writer = ForwardWriter(Program(self.program.entry), self.is_dict)
        writer.names = self.names.copy()
        for step in steps:
            writer.names.expect(inputs_of(step))
        writer.names.expect(ends)
        return writer

    def _way(self, steps: Sequence[Step], end: Value, name: str) -> list[Statement]:
        """The statements of one way, at the end of which the value has the given name."""
        writer = self._inner(steps, [end])
        writer._steps(steps)
        if writer.names.name(end) == name:
            return writer.lines
        writer._settle([end], at_end=True)
        writer.lines.append(Line(f"{name} = ", writer._operand(end)))
        return writer.lines

    def _training(self, step: Training) -> None:
        """Steps that only training needs: without training they give None."""
        self._flush(len(self.pending))
        self._uses(inputs_of(step))
        (out,) = step.outs
        name = self.names.fresh(out.hint)
        writer = self._inner(step.steps, step.outs)
        writer._steps(step.steps)
        writer._settle(step.outs, at_end=True)
        result = writer._operand(out)
        self.names.expect([out])
        self.names.bind(out, name)
        short = Text(f"{flat(result)} if self.training else None")
        if not writer.lines and len(flat(short)) <= _LONGEST:
            self.lines.append(Line(f"{name} = ", short))
            return
        inside = (*writer.lines, Line(f"{name} = ", result))
        self.lines += [Line(f"{name}: Tensor | None = ", Text("None")), Suite("if ", Text("self.training"), inside)]

    # Expressions

    def _push(self, made: _Pending) -> None:
        """A new value: it waits for its one reader, or gets a name."""
        self.pending.append(made)
        self.names.pin(made.reads)
        if self.names.left.get(id(made.value), 0) != 1:
            self._flush(len(self.pending))

    def _settle(self, inputs: Sequence[Value], step: Step | None = None, at_end: bool = False) -> None:
        """Gives names to pending values, unless they can stand inside the next expression, in their order.

        `step` is the one that comes next, if it allocates memory.
        """
        wanted = [value for value in inputs if self.names.name(value) is None]
        tail = self.pending[len(self.pending) - len(wanted) :] if wanted else []
        if [id(each.value) for each in tail] != [id(value) for value in wanted]:
            self._flush(len(self.pending))
            return
        for at in range(len(tail) - 1, -1, -1):
            if self._must_end(tail[at], step, at_end):
                self._flush(len(self.pending) - len(tail) + at + 1)
                return

    def _must_end(self, each: _Pending, step: Step | None, at_end: bool) -> bool:
        """Whether an expression is long enough, or would keep a value alive that costs memory."""
        ends = [value for value in each.frees if not self._is_lent(value)]
        ends += [value for _, value in self.names.stale()]
        if step is not None and ends and not (self.peak and self.peak.allows(step, ends)):
            return True
        if at_end:
            return False
        is_group = isinstance(step, Apply) and step.is_heavy and each.depth > 1 and not each.is_view
        return is_group or each.depth >= _DEEPEST or len(flat(each.doc)) > _LONGEST

    def _is_lent(self, value: Value) -> bool:
        return any(value is each for each in self.names.lent)

    def _uses(self, inputs: Sequence[Value]) -> tuple[tuple[Value, ...], tuple[Value, ...], int]:
        """Counts the reads; gives the values with names that are read, those that end here, and how deep the operands
        nest."""
        reads: list[Value] = []
        frees: list[Value] = []
        depth = 0
        inside = {id(each.value): each for each in self.pending}
        for value in inputs:
            was_last = self.names.read(value)
            if id(value) in inside:
                reads += inside[id(value)].reads
                frees += inside[id(value)].frees
                depth = max(depth, inside[id(value)].depth)
                continue
            reads.append(value)
            if was_last:
                frees.append(value)
        return tuple(reads), tuple(frees), depth

    def _operand(self, value: Value) -> Doc:
        for at, each in enumerate(self.pending):
            if each.value is value:
                self.names.pin(each.reads, -1)
                return self.pending.pop(at).doc
        return Text(self._name(value))

    def _name(self, value: Value) -> str:
        name = self.names.name(value)
        if name is None:
            raise AssertionError("a value is read before it is made")
        return name

    def _flush(self, count: int) -> None:
        """Gives names to the first pending values."""
        for _ in range(count):
            each = self.pending.pop(0)
            self.names.pin(each.reads, -1)
            name = self.names.target(each.value, each.frees)
            self.lines.append(Line(f"{name} = ", each.doc))
            self.names.bind(each.value, name, each.over)

    def _delete(self, step: Step, allocates: bool) -> None:
        """Deletes names that would keep memory alive while the step needs it."""
        if self.pending or self.peak is None or not allocates:
            return
        stale = self.names.stale()
        if stale and not self.peak.allows(step, [value for _, value in stale]):
            self.lines.append(Line("del ", Text(", ".join(name for name, _ in stale))))
            for name, _ in stale:
                self.names.drop(name)


def _tuple(docs: Sequence[Doc]) -> Doc:
    return docs[0] if len(docs) == 1 else Infix(",", tuple(docs))


def _tuple_type(count: int, more: int = 0) -> str:
    return f"tuple[{', '.join(['Tensor'] * count + ['Tensor | None'] * more)}]"
