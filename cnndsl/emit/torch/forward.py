"""Step 5: the statements of a `forward`, so that no name outlives its last use.

Before: steps over numbered values, in the order in which they run. After: statements that compute the same values in
the same order. A value that is read once is written inside the expression that reads it, unless a name would have to
live longer for that and the memory for it counts: `self.bn(self.conv(x))` keeps `x` alive while `bn` runs. What cannot
be freed by giving its name to something else is deleted.

Expressions that are not written yet wait on a stack. A statement is written only after all that waits below it, so the
order of the calls is that of the steps; and a name is free only when nothing that waits reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cnndsl.emit.torch.ir import Apply, Branch, Compute, Forward, Step, Training, key
from cnndsl.emit.torch.layout import Call, Display, Doc, Infix, Item, Text, flat
from cnndsl.emit.torch.memory import Memory
from cnndsl.emit.torch.merges import expression
from cnndsl.emit.torch.statements import Line, Statement, Suite
from cnndsl.emit.torch.steps import made_by, used_by
from cnndsl.emit.torch.variables import Variables
from cnndsl.records import record

_DEEPEST = 4
_LONGEST = 70


class Calls(Protocol):
    """How a class calls its children."""

    def text(self, child: str) -> str:
        """Return what is called: `self.conv1`."""
        ...

    def is_heavy(self, child: str) -> bool:
        """Whether a child is worth a line: it has matrices of weights, or parts of its own."""
        ...

    def is_stage(self, child: str) -> bool:
        """Whether a child has parts of its own."""
        ...


@record(slots=True)
class ForwardText:
    """The arguments with their types, the annotation of what is returned, the statements."""

    arguments: tuple[str, ...]
    returns: str
    body: tuple[Statement, ...]


@record(slots=True)
class _Waiting:
    """A value that has no name yet: its expression, how deep that nests, the named values that it reads, whether it
    shares the memory of `over`, the number of the step that made it in a row of stages."""

    value: int
    doc: Doc
    depth: int
    reads: tuple[int, ...]
    is_view: bool = False
    over: int | None = None
    stage: int = 0


def write(forward: Forward, memory: Memory, calls: Calls, record_name: str = "") -> ForwardText:
    """Write a `forward`. With `record_name` it returns that NamedTuple, as a network with several outputs does."""
    hints = {at: value.name for at, value in enumerate(forward.values)}
    writer = _Writer(Variables(hints), memory, calls)
    arguments = tuple(f"{writer.names.lend(value)}: {_type(forward, value)}" for value in forward.inputs)
    for step in forward.steps:
        if not _is_aside(step):
            writer.names.expect(used_by(step))
    writer.names.expect(forward.results)
    for step in forward.steps:
        if _is_aside(step):
            writer.names.expect(used_by(step), is_aside=True)
    writer.steps(forward.steps)
    writer.finish(forward, record_name)
    return ForwardText(arguments, _returned(forward, record_name), tuple(writer.lines))


def _is_aside(step: Step) -> bool:
    """Whether reading a value in a step gives no reason to name the value: only training needs it, or its size."""
    return isinstance(step, Training) or (isinstance(step, Compute) and ".shape[2:]" in step.template)


def _returned(forward: Forward, record_name: str) -> str:
    if record_name:
        return f"Tensor | {record_name}" if _is_plain_in_evaluation(forward) else record_name
    types = [f"{_type(forward, value)}{' | None' * (value in forward.training)}" for value in forward.results]
    return types[0] if len(types) == 1 else f"tuple[{', '.join(types)}]"


def _type(forward: Forward, value: int) -> str:
    keys = [each for each in forward.values[value].keys if each is not None]
    return "torch.Size" if keys and keys[0] == key(keys[0] // 3, "size") else "Tensor"


def _is_plain_in_evaluation(forward: Forward) -> bool:
    return len(forward.results) - len(forward.training) == 1


class _Writer:
    """Writes statements from one point of a `forward` on."""

    def __init__(self, names: Variables, memory: Memory, calls: Calls, is_nested: bool = False) -> None:
        self.names, self.memory, self.calls, self.is_nested = names, memory, calls, is_nested
        self.waiting: list[_Waiting] = []
        self.lines: list[Statement] = []

    def steps(self, steps: Sequence[Step]) -> None:
        """Write steps, the last values of which may still wait."""
        for step in steps:
            if isinstance(step, Apply):
                self._apply(step)
            elif isinstance(step, Compute) and self._is_in_place(step):
                self._add_over(step)
            elif isinstance(step, Compute):
                self._compute(step)
            elif isinstance(step, Branch):
                self._branch(step)
            else:
                self._training(step)

    def finish(self, forward: Forward, record_name: str) -> None:
        """Write what is returned."""
        results = forward.results
        if not record_name:
            self._settle(results, None, at_end=True)
            if len(results) > 1 and sum(len(flat(each.doc)) for each in self.waiting) > _LONGEST:
                self._flush(len(self.waiting))
            self.lines.append(Line("return ", _tuple(self._operands(results))))
            return
        is_plain = _is_plain_in_evaluation(forward)
        if is_plain:
            self._flush(len(self.waiting))
        else:
            self._settle(results, None, at_end=True)
        docs = self._operands(results)
        made = Call(record_name, tuple(map(Item, docs)))
        if is_plain:
            self.lines.append(Suite("if ", Text("self.training"), (Line("return ", made),)))
            self.lines.append(Line("return ", docs[0]))
        else:
            self.lines.append(Line("return ", made))

    # Steps

    def _apply(self, step: Apply) -> None:
        stage = self._stage(step)
        self._settle(step.inputs, step, stage=stage)
        self._delete(step)
        over = self._root(step.inputs[0]) if step.overwrites else None
        depth, inlined = self._depth(step.inputs)
        if len(step.outputs) > 1:
            self._flush(len(self.waiting) - inlined)
        reads = self._named(step.inputs)
        doc = Call(self.calls.text(step.child), tuple(map(Item, self._operands(step.inputs))))
        if len(step.outputs) == 1:
            self._push(_Waiting(step.outputs[0], doc, depth + 1, reads, over=over, stage=stage))
            return
        targets: list[str] = []
        for value in step.outputs:
            if not self.names.left[value]:
                targets.append("_")
                continue
            ended = [each for each in reads if not self.names.is_alive(each)] if not targets else []
            name = self.names.target(value, ended) if not targets else self.names.wished(self.names.hints[value] or "y")
            targets.append(name)
            self.names.bind(value, name)
        self.lines.append(Line(f"{', '.join(targets)} = ", doc))

    def _stage(self, step: Apply) -> int:
        """The number of a stage among those that follow one another; 0 for what is none."""
        if not self.calls.is_stage(step.child) or len(step.outputs) > 1:
            return 0
        before = self.waiting[-1] if self.waiting else None
        if before is None or step.inputs[0] != before.value:
            return 1
        return before.stage + 1

    def _compute(self, step: Compute) -> None:
        self._settle(step.inputs, None if step.is_view else step)
        if not step.template.startswith("torch.") and self._length(step.inputs) > _LONGEST - 10:
            self._flush(len(self.waiting))
        self._delete(step)
        over = self._root(step.inputs[0]) if step.is_view else None
        depth, _ = self._depth(step.inputs)
        reads = self._named(step.inputs)
        doc = expression(step.template, self._operands(step.inputs))
        self._push(_Waiting(step.output, doc, depth + 1, reads, step.is_view, over))

    def _length(self, inputs: Sequence[int]) -> int:
        """How long the operands of an operator are together, which is hard to read on several lines."""
        return sum(len(flat(each.doc)) + 3 for each in self.waiting if each.value in inputs)

    def _is_in_place(self, step: Compute) -> bool:
        """Whether a sum can be written over an operand: nothing else reads that one later."""
        if step.over < 0:
            return False
        target = step.inputs[step.over]
        return self.names.left[target] == 1 and not self.names.pinned[target]

    def _add_over(self, step: Compute) -> None:
        """Write `y += x`."""
        target = step.inputs[step.over]
        others = [value for at, value in enumerate(step.inputs) if at != step.over]
        place = next((at for at, each in enumerate(self.waiting) if each.value == target), -1)
        self._flush(place + 1)
        self._settle(others, None)
        self._delete(step)
        name = self._name(target)
        self.names.left[target] -= 1
        docs = self._operands(others)
        self.lines += [Line(f"{name} += ", doc) for doc in docs]
        self.names.bind(step.output, name, over=target)

    def _branch(self, step: Branch) -> None:
        """Write `if self.flag:`; both ways end with the value under one name."""
        self._flush(len(self.waiting))
        reads = used_by(step)
        self.names.left.subtract(reads)
        kept = step.other if not step.otherwise else step.chosen
        is_over = self.names.name(kept) is not None and not self.names.is_alive(kept)
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

    def _way(self, steps: Sequence[Step], end: int, name: str) -> list[Statement]:
        """The statements of one way, at the end of which the value has the given name."""
        inner = self._inner(steps, [end])
        inner.steps(steps)
        if inner.names.name(end) == name:
            return inner.lines
        inner._settle([end], None, at_end=True)
        (doc,) = inner._operands([end])
        return [*inner.lines, Line(f"{name} = ", doc)]

    def _inner(self, steps: Sequence[Step], ends: Sequence[int]) -> _Writer:
        """A writer for indented statements: it knows the names, and what is read later."""
        writer = _Writer(self.names.copy(), self.memory, self.calls, is_nested=True)
        for value in (value for step in steps for value in made_by(step)):
            writer.names.left[value] = 0
        for step in steps:
            writer.names.expect(used_by(step))
        writer.names.expect(ends)
        return writer

    def _training(self, step: Training) -> None:
        """Write steps that only training needs: without training their outputs are None."""
        self._flush(len(self.waiting))
        targets: list[str] = []
        for value in step.outputs:
            targets.append(self.names.wished(self.names.hints[value] or "aux"))
            self.names.reserve(targets[-1])
        self.names.left.subtract(used_by(step))
        inner = self._inner(step.steps, step.outputs)
        inner.steps(step.steps)
        if len(step.outputs) == 1:
            inner._settle(step.outputs, None, at_end=True)
        else:
            inner._flush(len(inner.waiting))
        results = inner._operands(step.outputs)
        for value, name in zip(step.outputs, targets, strict=True):
            self.names.bind(value, name)
        if not inner.lines and len(results) == 1 and len(flat(results[0])) <= _LONGEST:
            self.lines.append(Line(f"{targets[0]} = ", Text(f"{flat(results[0])} if self.training else None")))
            return
        ends = [Line(f"{name} = ", doc) for name, doc in zip(targets, results, strict=True) if flat(doc) != name]
        self.lines += [Line(f"{name}: Tensor | None = ", Text("None")) for name in targets]
        self.lines.append(Suite("if ", Text("self.training"), (*inner.lines, *ends)))

    # Expressions

    def _push(self, made: _Waiting) -> None:
        """Let a new value wait for its one reader, or give it a name."""
        if not self.names.left[made.value]:
            self._flush(len(self.waiting))
            self.lines.append(Line("" if isinstance(made.doc, Call) else "_ = ", made.doc))
            return
        self.waiting.append(made)
        for value in made.reads:
            self.names.pinned[value] += 1
        if self.names.left[made.value] != 1:
            self._flush(len(self.waiting))

    def _settle(self, inputs: Sequence[int], step: Step | None, at_end: bool = False, stage: int = 0) -> None:
        """Give names to what waits, unless it can stand inside the next expression, in its order.

        `step` is the one that comes next, if it allocates memory.
        """
        wanted = [value for value in inputs if self.names.name(value) is None]
        tail = self.waiting[len(self.waiting) - len(wanted) :] if wanted else []
        if [each.value for each in tail] != wanted:
            self._flush(len(self.waiting))
            return
        for at in range(len(tail) - 1, -1, -1):
            if self._must_end(tail[at], inputs, step, at_end, stage):
                self._flush(len(self.waiting) - len(tail) + at + 1)
                return

    def _must_end(self, each: _Waiting, inputs: Sequence[int], step: Step | None, at_end: bool, stage: int) -> bool:
        """Whether an expression is long enough, or would keep a value alive that costs memory."""
        if step is not None and self._costs(each, inputs, step):
            return True
        if at_end:
            return False
        if stage > 1 and stage % 2:
            return True
        is_group = isinstance(step, Apply) and self.calls.is_heavy(step.child) and each.depth > 1 and not each.is_view
        return is_group or each.depth >= _DEEPEST or len(flat(each.doc)) > _LONGEST

    def _costs(self, each: _Waiting, inputs: Sequence[int], step: Step) -> bool:
        """Whether nesting an expression keeps values alive, during a step, that would raise the peak of memory."""
        ends = [value for value in dict.fromkeys(each.reads) if self._ends(value, each, inputs)]
        ends += [value for _, value in self.names.stale()]
        if isinstance(step, Apply) and step.overwrites:
            return False
        return bool(ends) and not self.memory.allows(step, ends)

    def _ends(self, value: int, each: _Waiting, inputs: Sequence[int]) -> bool:
        """Whether an expression is the last that reads a value, which only its name keeps alive then."""
        if value in self.names.lent or value in inputs:
            return False
        return not self.names.left[value] and self.names.pinned[value] == each.reads.count(value)

    def _depth(self, inputs: Sequence[int]) -> tuple[int, int]:
        """How deep the operands nest, and how many of them wait."""
        inside = [each.depth for each in self.waiting if each.value in inputs]
        return max(inside, default=0), len(inside)

    def _named(self, inputs: Sequence[int]) -> tuple[int, ...]:
        """The named values that an expression of these inputs reads."""
        waiting = {each.value: each for each in self.waiting}
        found: list[int] = []
        for value in inputs:
            found += waiting[value].reads if value in waiting else (value,)
        return tuple(found)

    def _operands(self, values: Sequence[int]) -> list[Doc]:
        """The expressions of values, each read once; those that wait are used up."""
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
        """The named value in whose memory a value lives."""
        for each in self.waiting:
            if each.value == value:
                return value if each.over is None else each.over
        return value

    def _name(self, value: int) -> str:
        name = self.names.name(value)
        assert name is not None, "a value is read before it is made"
        return name

    def _flush(self, count: int) -> None:
        """Give names to the first values that wait."""
        for _ in range(count):
            each = self.waiting.pop(0)
            self.names.pinned.subtract(each.reads)
            ended = [value for value in each.reads if not self.names.is_alive(value)]
            name = self.names.target(each.value, ended)
            self.lines.append(Line(f"{name} = ", each.doc))
            self.names.bind(each.value, name, each.over)

    def _delete(self, step: Step) -> None:
        """Delete the names that would keep too much memory alive while a step runs, the largest first. What runs only
        sometimes deletes nothing: the names would be gone only sometimes."""
        allocates = not (step.is_view or self._is_in_place(step)) if isinstance(step, Compute) else True
        if self.is_nested or self.waiting or not allocates or (isinstance(step, Apply) and step.overwrites):
            return
        stale = sorted(self.names.stale(), key=lambda each: self.memory.size(each[1]))
        gone: list[str] = []
        while stale and not self.memory.allows(step, [value for _, value in stale]):
            gone.append(stale.pop()[0])
        if gone:
            self.lines.append(Line("del ", Text(", ".join(gone))))
        for name in gone:
            self.names.drop(name)


def _tuple(docs: Sequence[Doc]) -> Doc:
    """Several values; without parentheses where they fit into a line."""
    if len(docs) == 1:
        return docs[0]
    fits = sum(len(flat(doc)) + 2 for doc in docs) <= _LONGEST
    return Infix(",", tuple(docs)) if fits else Display("()", tuple(map(Item, docs)))
