"""Step 5: the statements of a `forward`, so that no name outlives its last use.

Before: steps over numbered values, in the order in which they run. After: statements that compute the same values in
the same order. A value that is read once is written inside the expression that reads it, unless that would keep a name
alive for longer and raise the peak of memory: `self.bn(self.conv(x))` keeps `x` alive while `bn` runs. A value is
deleted if its name cannot be reused for another value.

Expressions that are not written yet wait on a stack. A statement is written only after all expressions below it on the
stack, so the calls keep the order of the steps. A name is free only if no waiting expression reads it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from cnndsl.emit.torch.child_calls import Calls
from cnndsl.emit.torch.collecting import Collected, ListCalls, WrittenStep, collected
from cnndsl.emit.torch.ir import Apply, BranchStep, Compute, Forward, RepeatStep, Step, Training
from cnndsl.emit.torch.layout import CallDoc, Doc, Item, Text, flat
from cnndsl.emit.torch.list_statements import ListStatements
from cnndsl.emit.torch.loop_statements import LoopStatements, has_list, joined, summed
from cnndsl.emit.torch.memory import ForwardMemory, distinct
from cnndsl.emit.torch.merges import application, expression
from cnndsl.emit.torch.pending import CALLED, LONGEST, Waiting, depth_of, in_lines, length, named, together
from cnndsl.emit.torch.repeat_statements import RepeatStatements
from cnndsl.emit.torch.return_types import is_plain_in_evaluation, returned, type_of
from cnndsl.emit.torch.statements import Line, PythonStatement, Suite
from cnndsl.emit.torch.steps import made_by, used_by
from cnndsl.emit.torch.variables import Variables, variables_of
from cnndsl.records import record

_DEEPEST = 4


@record(slots=True)
class ForwardText:
    """The arguments with their types, the return annotation, and the statements."""

    arguments: tuple[str, ...]
    returns: str
    body: tuple[PythonStatement, ...]


def write(
    forward: Forward, memory: ForwardMemory, calls: Calls, record_name: str = "", inputs: Sequence[str] = ()
) -> ForwardText:
    """Write a `forward`. With `record_name` it returns that NamedTuple, as a network with several outputs does.
    `inputs` are the names of its arguments, if the program has them."""
    writer = _ForwardWriter(variables_of(forward), memory, calls)
    names = writer.names.lend(forward.inputs, inputs)
    arguments = tuple(f"{name}: {type_of(forward, at)}" for name, at in zip(names, forward.inputs, strict=True))
    writer.steps(collected(forward.steps, forward.results, calls))
    writer.finish(forward, record_name)
    return ForwardText(arguments, returned(forward, record_name), tuple(writer.lines))


class _ForwardWriter:
    """Writes the statements of a `forward` from one point on."""

    def __init__(self, names: Variables, memory: ForwardMemory, calls: Calls, is_nested: bool = False) -> None:
        self.names, self.memory, self.calls, self.is_nested = names, memory, calls, is_nested
        self.waiting: list[Waiting] = []
        self.lines: list[PythonStatement] = []

    def steps(self, steps: Sequence[WrittenStep]) -> None:
        """Write steps; the last values may still wait."""
        for step in steps:
            if isinstance(step, Collected | RepeatStep):
                self._loop(step)
            elif isinstance(step, ListCalls):
                self._listed(step)
            elif isinstance(step, Apply) and self.calls.takes_list(step.child):
                self._listed(ListCalls((step,)))
            elif isinstance(step, Compute) and step.operation == "sum" and has_list(self.names, step):
                self._sum(step)
            elif isinstance(step, Apply):
                self._apply(step)
            elif isinstance(step, Compute) and self._is_in_place(step):
                self._add_over(step)
            elif isinstance(step, Compute):
                self._compute(step)
            elif isinstance(step, BranchStep):
                self._branch(step)
            else:
                self._training(step)

    def finish(self, forward: Forward, record_name: str) -> None:
        """Write the return statement."""
        results = forward.results
        if not record_name:
            self._settle(results, None, at_end=True)
            if len(results) > 1 and sum(len(flat(each.doc)) for each in self.waiting) > LONGEST:
                self._flush(len(self.waiting))
            self.lines.append(Line("return ", together(self._operands(results))))
            return
        is_plain = is_plain_in_evaluation(forward)
        if is_plain:
            self._flush(len(self.waiting))
        else:
            self._settle(results, None, at_end=True)
        docs = self._operands(results)
        made = CallDoc(record_name, tuple(map(Item, docs)))
        if is_plain:
            self.lines.append(Suite("if ", Text("self.training"), (Line("return ", made),)))
            self.lines.append(Line("return ", docs[0]))
        else:
            self.lines.append(Line("return ", made))

    # Steps

    def _apply(self, step: Apply) -> None:
        stage = self._stage(step)
        self._settle(step.inputs, step, stage=stage)
        if step.template and length(self.waiting, step.inputs) > LONGEST - 10:
            self._flush(len(self.waiting))
        self._delete(step)
        over = self._root(step.inputs[0]) if step.overwrites else None
        depth, inlined = depth_of(self.waiting, step.inputs)
        if len(step.outputs) > 1:
            self._flush(len(self.waiting) - inlined)
        reads = named(self.waiting, step.inputs)
        doc = application(self.calls.text(step.child), self._operands(step.inputs), step.template)
        if len(step.outputs) == 1:
            self._push(Waiting(step.outputs[0], doc, depth + 1, reads, over=over, stage=stage))
            return
        targets: list[str] = []
        for value in step.outputs:
            if not self.names.left[value]:
                targets.append("_")
                continue
            ended = [each for each in reads if not self.names.is_alive(each)]
            is_first = not targets and not self.calls.is_stage(step.child)
            name = self.names.target(value, ended) if is_first else self.names.own(value)
            targets.append(name)
            self.names.bind(value, name)
        self.lines.append(Line(f"{', '.join(targets)} = ", doc))

    def _loop(self, found: Collected | RepeatStep) -> None:
        """Write a loop that collects values; the values that it reads get names first."""
        self._flush(len(self.waiting))
        if isinstance(found, RepeatStep):
            loop = RepeatStatements(self.names, self.memory.forward.steps, found, self.lines)
        else:
            loop = LoopStatements(self.names, found)
        self.lines += loop.opening
        self._free((found,) if isinstance(found, RepeatStep) else found.steps)
        over = self.calls.text(found.child) if isinstance(found, RepeatStep) else self.calls.over(found.calls[0].child)
        self.lines.append(loop.loop(over))

    def _listed(self, found: ListCalls) -> None:
        """Write calls that take and give a list."""
        first = found.calls[0]
        self._settle(first.inputs, first)
        self._delete(first)
        self._flush(len(self.waiting) - depth_of(self.waiting, first.inputs)[1])
        calls = ListStatements(self.names, found)
        self.lines += calls.written(self._operands(first.inputs), self.calls)

    def _sum(self, step: Compute) -> None:
        """Write a sum of a list's values."""
        self._flush(len(self.waiting))
        is_in_place = self._is_in_place(step)
        self._delete(step)
        self.lines += summed(self.names, step, is_in_place)

    def _stage(self, step: Apply) -> int:
        """Return the number of a stage among consecutive stages; 0 if the step is not a stage."""
        if not self.calls.is_stage(step.child) or len(step.outputs) > 1:
            return 0
        before = self.waiting[-1] if self.waiting else None
        if before is None or step.inputs[0] != before.value:
            return 1
        return before.stage + 1

    def _compute(self, step: Compute) -> None:
        self._settle(step.inputs, None if step.is_view else step)
        if step.operation not in CALLED and length(self.waiting, step.inputs) > LONGEST - 10:
            self._flush(len(self.waiting))
        self._delete(step)
        over = self._root(step.inputs[0]) if step.is_view and step.operation != "size" else None
        depth, _ = depth_of(self.waiting, step.inputs)
        reads = named(self.waiting, step.inputs)
        operands = self._operands(step.inputs)
        doc = joined(self.names, step, operands) or expression(step.template, operands)
        self._push(Waiting(step.output, doc, depth + 1, reads, step.is_view, over))

    def _is_in_place(self, step: Compute) -> bool:
        """Return whether a sum can overwrite an operand: it is not read later, and not held by the caller."""
        if step.over < 0:
            return False
        target = step.inputs[step.over]
        is_lent = self.names.root(self._root(target)) in self.names.lent
        inside = [each for each in self.waiting if target in each.reads]
        is_read = len(inside) > 1 or any(each.is_view or each.value not in step.inputs for each in inside)
        return self.names.left[target] == 1 and not is_read and not is_lent and not self.names.is_listed(target)

    def _add_over(self, step: Compute) -> None:
        """Write `y += x`. Only expressions in this line may still wait, since others would run after it. If there are
        several lines, none may call a module that reads the memory that the previous line overwrote."""
        target = step.inputs[step.over]
        others = [value for at, value in enumerate(step.inputs) if at != step.over]
        place = next((at for at, each in enumerate(self.waiting) if each.value == target), -1)
        self._flush(place + 1)
        self._settle(others, None)
        self._flush(len(self.waiting) - depth_of(self.waiting, others)[1])
        root = self.names.root(target)
        if len(others) > 1 and any(self.names.root(read) == root for each in self.waiting for read in each.reads):
            self._flush(len(self.waiting))
        name = self._name(target)
        self.names.left[target] -= 1
        docs = self._operands(others)
        self.lines += [Line(f"{name} += ", doc) for doc in docs]
        self.names.bind(step.output, name, over=target)

    def _branch(self, step: BranchStep) -> None:
        """Write `if self.flag:`; both branches end with the value under one name."""
        self._flush(len(self.waiting))
        reads = used_by(step)
        self.names.left.subtract(reads)
        kept = step.other if not step.otherwise else step.chosen
        is_over = self.names.name(kept) is not None and not self.names.is_alive(kept)
        is_over = is_over and not self.names.is_listed(kept)
        ended = [value for value in reads if not self.names.is_alive(value)]
        name = self._name(kept) if is_over else self.names.target(step.output, ended)
        chosen = self._way(step.then, step.chosen, name)
        other = self._way(step.otherwise, step.other, name)
        test = f"self.{step.flag}"
        if chosen:
            self.lines.append(Suite("if ", Text(test), tuple(chosen), tuple(other)))
        elif other:
            self.lines.append(Suite("if not ", Text(test), tuple(other)))
        self.names.bind(step.output, name)

    def _way(self, steps: Sequence[Step], end: int, name: str) -> list[PythonStatement]:
        """Return the statements of one branch, at the end of which the value has the given name."""
        inner = self._inner(steps, [end])
        inner.steps(steps)
        if inner.names.name(end) == name:
            return inner.lines
        inner._settle([end], None, at_end=True)
        (doc,) = inner._operands([end])
        return [*inner.lines, Line(f"{name} = ", doc)]

    def _inner(self, steps: Sequence[Step], ends: Sequence[int]) -> _ForwardWriter:
        """Return a writer for indented statements, which knows the names and the later reads."""
        writer = _ForwardWriter(self.names.copy(), self.memory, self.calls, is_nested=True)
        for value in (value for step in steps for value in made_by(step)):
            writer.names.left[value] = 0
        for step in steps:
            writer.names.expect(used_by(step))
        writer.names.expect(ends)
        return writer

    def _training(self, step: Training) -> None:
        """Write steps that only training needs; in evaluation their outputs are None."""
        self._flush(len(self.waiting))
        targets: list[str] = []
        for value in step.outputs:
            targets.append(self.names.wished(self.names.hints[value] or "aux"))
            self.names.reserve(targets[-1])
        self.names.left.subtract(used_by(step))
        inner = self._inner(step.steps, step.outputs)
        if len(step.outputs) > 1:
            inner.names.given = dict(zip(step.outputs, targets, strict=True))
        inner.steps(step.steps)
        if len(step.outputs) == 1:
            inner._settle(step.outputs, None, at_end=True)
        else:
            inner._flush(len(inner.waiting))
        results = inner._operands(step.outputs)
        for value, name in zip(step.outputs, targets, strict=True):
            self.names.bind(value, name)
        if not inner.lines and len(results) == 1 and len(flat(results[0])) <= LONGEST:
            self.lines.append(Line(f"{targets[0]} = ", Text(f"{flat(results[0])} if self.training else None")))
            return
        ends = [Line(f"{name} = ", doc) for name, doc in zip(targets, results, strict=True) if flat(doc) != name]
        self.lines += [Line(f"{name}: Tensor | None = ", Text("None")) for name in targets]
        if inner.lines or ends:
            self.lines.append(Suite("if ", Text("self.training"), (*inner.lines, *ends)))

    # Expressions

    def _push(self, made: Waiting) -> None:
        """Let a new value wait for its only reader, or give it a name."""
        if not self.names.left[made.value]:
            self.names.pinned.update(made.reads)
            self._flush(len(self.waiting))
            self.names.pinned.subtract(made.reads)
            self.lines.append(Line("" if isinstance(made.doc, CallDoc) else "_ = ", made.doc))
            return
        self.waiting.append(made)
        for value in made.reads:
            self.names.pinned[value] += 1
        if self.names.left[made.value] != 1:
            self._flush(len(self.waiting))

    def _settle(self, inputs: Sequence[int], step: Step | None, at_end: bool = False, stage: int = 0) -> None:
        """Name the waiting values that cannot be nested in the next expression in the same order.

        `step` is the next step, if it allocates memory.
        """
        wanted = [value for value in inputs if self.names.name(value) is None]
        tail = self.waiting[len(self.waiting) - len(wanted) :] if wanted else []
        if [each.value for each in tail] != wanted:
            self._flush(len(self.waiting))
            return
        before = len(self.waiting) - len(tail)
        if before and step is not None and not self.is_nested and self._costs(self.waiting, inputs, step):
            self._flush(before, is_costly=True)
        if tail and step is not None and not self._costs(tail, inputs, step, with_stale=False):
            self._delete(step, self._ending(tail, inputs))
        at = len(tail) - 1
        while at >= 0:
            costs = step is not None and self._costs(tail[at:], inputs, step)
            if costs or self._must_end(tail[at], step, at_end, stage):
                self._flush(len(self.waiting) - len(tail) + at + 1, costs)
                tail = tail[at + 1 :]
                at = len(tail)
            at -= 1

    def _must_end(self, each: Waiting, step: Step | None, at_end: bool, stage: int) -> bool:
        """Return whether an expression is long enough to get a line of its own."""
        if at_end:
            return False
        if stage > 1 and stage % 2:
            return True
        is_group = isinstance(step, Apply) and self.calls.is_heavy(step.child) and each.depth > 1 and not each.is_view
        return is_group or each.depth >= _DEEPEST or len(flat(each.doc)) > LONGEST

    def _costs(self, waiting: Sequence[Waiting], inputs: Sequence[int], step: Step, with_stale: bool = True) -> bool:
        """Return whether waiting expressions keep values alive during a step and so raise the peak of memory."""
        if isinstance(step, Apply) and step.overwrites:
            return False
        ends = self._ending(waiting, inputs)
        if with_stale:
            ends += distinct(self.names.stale())
        return bool(ends) and not self.memory.allows(step, ends)

    def _ending(self, waiting: Sequence[Waiting], inputs: Sequence[int]) -> list[int]:
        """Return the values that only these expressions still read, and that only their names keep alive then."""
        reads = Counter(value for each in waiting for value in each.reads)
        return [
            value
            for value, count in reads.items()
            if not self.names.left[value] and self.names.pinned[value] == count
            if value not in self.names.lent and value not in inputs
        ]

    def _operands(self, values: Sequence[int]) -> list[Doc]:
        """Return the expressions of values, each of which is read once; waiting ones leave the stack."""
        docs: list[Doc] = []
        for value in values:
            self.names.left[value] -= 1
            waiting = next((each for each in self.waiting if each.value == value), None)
            if waiting is None:
                docs.append(Text(self._name(value)))
                continue
            self.waiting.remove(waiting)
            self.names.pinned.subtract(waiting.reads)
            docs.append(waiting.doc)
        return docs

    def _root(self, value: int) -> int:
        """Return the named value in whose memory a value lives."""
        for each in self.waiting:
            if each.value == value:
                return value if each.over is None else each.over
        return value

    def _name(self, value: int) -> str:
        name = self.names.name(value)
        assert name is not None, "a value is read before it is made"
        return name

    def _flush(self, count: int, is_costly: bool = False) -> None:
        """Name the first waiting values; if memory counts, reuse the names of values that end with them."""
        for _ in range(count):
            each = self.waiting.pop(0)
            self.names.pinned.subtract(each.reads)
            ended = [value for value in each.reads if not self.names.is_alive(value)]
            name = self.names.target(each.value, ended, is_costly)
            self.lines.append(Line(f"{name} = ", each.doc))
            self.names.bind(each.value, name, each.over)

    def _delete(self, step: Step, held: Sequence[int] = ()) -> None:
        """Delete the names that would keep too much memory alive while a step runs, in addition to the held values, the
        largest first. Conditional statements delete nothing, since the names would be deleted only sometimes."""
        allocates = not (step.is_view or self._is_in_place(step)) if isinstance(step, Compute) else True
        if self.is_nested or not allocates or (isinstance(step, Apply) and step.overwrites):
            return
        self._free((step,), held)

    def _free(self, steps: Sequence[Step], held: Sequence[int] = ()) -> None:
        gone = self.memory.gone(self.names.stale(), steps, held)
        self.lines += [Line("del ", Text(each)) for each in in_lines(gone)]
        for name in gone:
            self.names.drop(name)
