"""Step 5: the statements of a `RepeatStep`, which fills a list with the outputs of the modules of a list.

    outputs = [a, b]
    for unit in self.m:
        outputs.append(unit(outputs[-1]))
    x = torch.cat(outputs, 1)

The list starts with the values that all merges of it start with. Names are bound here, as `forward_method` does for
single steps.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cnndsl.emit.torch.ir import Compute, RepeatStep, Step
from cnndsl.emit.torch.layout import CallDoc, Display, Doc, Item, Text, flat
from cnndsl.emit.torch.loop_statements import entered, module_name
from cnndsl.emit.torch.statements import Line, PythonStatement, Suite
from cnndsl.emit.torch.steps import made_by, used_by
from cnndsl.emit.torch.variables import Variables


def begins(steps: Sequence[Step], step: RepeatStep) -> tuple[int, ...]:
    """Return the values that the list starts with: they precede it in every concatenation, and exist by then."""
    listed = step.outputs[0]
    merges = [each for each in steps if listed in used_by(each)]
    found = {each.inputs[: each.inputs.index(listed)] for each in merges if isinstance(each, Compute)}
    if len(found) != 1 or not all(isinstance(each, Compute) and each.operation == "concat" for each in merges):
        return ()
    later = {value for each in steps[steps.index(step) :] for value in made_by(each)}
    before = found.pop()
    return () if later.intersection(before) or len({*before}) < len(before) else before


class RepeatStatements:
    """The statements of one `RepeatStep`. `lines` are those before it: the last of them are removed if only the list
    needs the names that they bind."""

    def __init__(self, names: Variables, steps: Sequence[Step], step: RepeatStep, lines: list[PythonStatement]) -> None:
        self.names, self.step = names, step
        self.before = begins(steps, step)
        self.reads = sum(step.outputs[0] in used_by(each) for each in steps)
        self.listed, self.last = step.outputs
        (value,) = step.inputs
        is_chained = self.before[-1:] == (value,) and not names.left[self.last]
        self.list = names.wished("outputs")
        self.module = module_name(names, f"{step.child}.0")
        self.opening: list[PythonStatement] = [self._opened(self._documents(lines))]
        names.lists[self.list] = (*self.before, self.listed)
        names.open.add(self.listed)
        names.left.subtract(used_by(step))
        self.carried = "" if is_chained else entered(names, self.opening, value, self.reads * self.before.count(value))

    def _opened(self, found: Sequence[Doc]) -> PythonStatement:
        if found:
            return Line(f"{self.list} = ", Display("[]", tuple(map(Item, found))))
        return Line(f"{self.list}: list[Tensor] = ", Text("[]"))

    def _documents(self, lines: list[PythonStatement]) -> list[Doc]:
        """Return the list's first items: names, or the expressions of the last lines that only the list needs."""
        names, count = self.names, len(self.before)
        called = [str(names.name(value)) for value in self.before]
        last = lines[len(lines) - count :] if 0 < count <= len(lines) else []
        documents = [each.doc for each in last if isinstance(each, Line) and not each.comment]
        if [each.lead for each in last] != [f"{name} = " for name in called] or len(documents) < count:
            return [Text(name) for name in called]
        used = {word for each in documents for word in re.findall(r"[\w.]+", flat(each))}
        reads = [self.reads + (value == self.step.inputs[0] == self.before[-1]) for value in self.before]
        is_needed = any(names.left[value] > count for value, count in zip(self.before, reads, strict=True))
        if is_needed or names.left[self.last] or used.intersection(called):
            return [Text(name) for name in called]
        del lines[len(lines) - count :]
        for name in called:
            names.drop(name)
        return documents

    def loop(self, over: str) -> PythonStatement:
        """Return the loop over the modules that `over` gives."""
        names, append = self.names, f"{self.list}.append"
        given = Text(self.carried or f"{self.list}[-1]")
        called = CallDoc(self.module, (Item(given),))
        if not self.carried:
            body = (Line("", CallDoc(append, (Item(called),))),)
        else:
            names.bind(self.last, self.carried, over=self.listed)
            body = (Line(f"{self.carried} = ", called), Line("", CallDoc(append, (Item(Text(self.carried)),))))
        return Suite(f"for {self.module} in ", Text(over), body)
