"""Runs the steps of a `forward` on the tensors of `following`, to compare its text with them."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence

from cnndsl.emit.torch.ir import Apply, BranchStep, Compute, Forward, Step, Training
from tests.emit.torch.following import Machine, Run, Tensor


class StepRun:
    """Runs the steps of a `forward` as they stand; with `is_over` a sum that may be is written over its operand."""

    def __init__(self, forward: Forward, inputs: Sequence[Tensor], machine: Machine, is_over: bool) -> None:
        self.run, self.forward, self.is_over = Run(machine), forward, is_over
        self.left = Counter((*forward.results, *(value for step in forward.steps for value in all_reads(step))))
        self.run.stack = [*inputs]
        self.values: dict[int, Tensor | None] = dict(zip(forward.inputs, inputs, strict=True))
        for step in forward.steps:
            self.step(step)
        self.results = [self.values[value] for value in forward.results]
        for each in self.results:
            if each is not None:
                self.run.touch(each)

    def step(self, step: Step) -> None:
        if isinstance(step, Apply | Compute):
            self.left.subtract(step.inputs)
        if isinstance(step, Apply):
            self.simple(
                step.outputs, f"self.{step.child}({', '.join(f'v{value}' for value in step.inputs)})", step.inputs
            )
        elif isinstance(step, Compute):
            self.compute(step)
        elif isinstance(step, BranchStep):
            holds = self.run.machine.flags[step.flag]
            self.left.subtract(value for each in (step.otherwise if holds else step.then) for value in all_reads(each))
            self.left.subtract([step.other if holds else step.chosen])
            for each in step.then if holds else step.otherwise:
                self.step(each)
            self.left.subtract([step.chosen if holds else step.other])
            self.values[step.output] = self.values[step.chosen if holds else step.other]
        elif self.run.machine.is_training:
            for each in step.steps:
                self.step(each)
            self.left.subtract(step.outputs)
        else:
            self.left.subtract(all_reads(step))
            self.values.update(dict.fromkeys(step.outputs))

    def compute(self, step: Compute) -> None:
        target = step.inputs[step.over] if step.over >= 0 else -1
        others = [value for at, value in enumerate(step.inputs) if at != step.over]
        lent = self.forward.inputs
        if self.is_over and step.over >= 0 and not self.left[target] and target not in lent:
            made = self.values[target]
            for value in others:
                self.run.names = {"t": made, "v": self.values[value]}
                self.run.add_over("t", ast.Name("v"))
                made = self.run.names["t"]
            self.values[step.output] = made
            return
        if step.over >= 0:
            given = [target, *others]
            self.simple((step.output,), " + ".join(f"v{value}" for value in given), given)
            return
        self.simple((step.output,), written(step.template, [f"v{value}" for value in step.inputs]), step.inputs)

    def simple(self, outputs: Sequence[int], text: str, used: Sequence[int]) -> None:
        alive = {value for value in self.values if self.left[value] > 0}
        self.run.names = {f"v{value}": self.values[value] for value in (*used, *alive)}
        node = ast.parse(text, mode="eval").body
        if text.startswith("self."):
            assert isinstance(node, ast.Call)
            self.values.update(zip(outputs, self.run.call(node), strict=True))
        else:
            self.values[outputs[0]] = self.run.tensor(node)


def all_reads(step: Step) -> tuple[int, ...]:
    """The values that a step and all steps inside it read, one entry a use."""
    if isinstance(step, Apply | Compute):
        return step.inputs
    steps, ends = (
        (step.steps, step.outputs)
        if isinstance(step, Training)
        else ((*step.then, *step.otherwise), (step.chosen, step.other))
    )
    return (*(value for each in steps for value in all_reads(each)), *ends)


def written(template: str, operands: Sequence[str]) -> str:
    """A template with its operands."""
    return template.replace("{inputs}", ", ".join(operands)).format(*operands)
