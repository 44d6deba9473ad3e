"""Small queries on steps, and the order in which steps run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from cnndsl.emit.torch.ir import Apply, BranchStep, Compute, RepeatStep, Step, Training


def used_by(step: Step) -> tuple[int, ...]:
    """Return the values that a step reads, one entry per use, without those that it makes itself."""
    if isinstance(step, Apply | Compute | RepeatStep):
        return step.inputs
    steps = (*step.then, *step.otherwise) if isinstance(step, BranchStep) else step.steps
    ends = (step.chosen, step.other) if isinstance(step, BranchStep) else ()
    made = {value for each in steps for value in made_by(each)}
    return tuple(value for value in (*(value for each in steps for value in used_by(each)), *ends) if value not in made)


def made_by(step: Step) -> tuple[int, ...]:
    """Return the values that a step makes and that later steps may read."""
    if isinstance(step, Apply | Training | RepeatStep):
        return step.outputs
    return (step.output,)


def inside(step: Step) -> tuple[Step, ...]:
    """Return the steps that a step consists of; the step itself if it has none."""
    if isinstance(step, BranchStep):
        return (*(each for inner in (*step.then, *step.otherwise) for each in inside(inner)), step)
    if isinstance(step, Training):
        return (*(each for inner in step.steps for each in inside(inner)), step)
    return (step,)


def with_outputs(steps: Sequence[Step], results: Iterable[int]) -> list[Step]:
    """Set the outputs of training-only steps: the values that are read after them, or are results."""
    wanted = set(results)
    done: list[Step] = []
    for step in reversed(steps):
        if isinstance(step, Training):
            made = dict.fromkeys(value for each in step.steps for value in made_by(each))
            step = replace(step, outputs=tuple(value for value in made if value in wanted))
        wanted.update(used_by(step))
        done.append(step)
    return done[::-1]


def early(steps: Sequence[Step]) -> list[Step]:
    """Move training-only steps as early as possible, so that nothing is kept alive for them in evaluation."""
    result: list[Step] = [step for step in steps if not isinstance(step, Training)]
    for step in steps:
        if isinstance(step, Training):
            read = set(used_by(step))
            made = [at for at, each in enumerate(result) if read.intersection(made_by(each))]
            place = made[-1] + 1 if made else 0
            while place < len(result) and isinstance(result[place], Training):
                place += 1
            result.insert(place, step)
    return result


def with_values(step: Step, values: Mapping[int, int]) -> Step:
    """Return the step with other values in place of those that it reads."""

    def swap(inputs: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(values.get(value, value) for value in inputs)

    if isinstance(step, Apply | Compute):
        return replace(step, inputs=swap(step.inputs))
    if isinstance(step, RepeatStep):
        return replace(step, inputs=(values.get(step.inputs[0], step.inputs[0]),))
    if isinstance(step, Training):
        return replace(step, steps=tuple(with_values(each, values) for each in step.steps))
    return replace(
        step,
        then=tuple(with_values(each, values) for each in step.then),
        otherwise=tuple(with_values(each, values) for each in step.otherwise),
        chosen=values.get(step.chosen, step.chosen),
        other=values.get(step.other, step.other),
    )


def with_flags(step: Step, names: Mapping[str, str]) -> Step:
    """Return the step with other names of flags."""
    if isinstance(step, Training):
        return replace(step, steps=tuple(with_flags(each, names) for each in step.steps))
    if not isinstance(step, BranchStep):
        return step
    then, otherwise = (tuple(with_flags(each, names) for each in way) for way in (step.then, step.otherwise))
    return replace(step, flag=names.get(step.flag, step.flag), then=then, otherwise=otherwise)


def same_step(a: Step, b: Step) -> bool:
    """Return whether two steps do the same to the same values."""
    if isinstance(a, Apply) and isinstance(b, Apply):
        first = (a.child, a.inputs, a.overwrites, len(a.outputs), a.template)
        return first == (b.child, b.inputs, b.overwrites, len(b.outputs), b.template)
    return (
        isinstance(a, Compute)
        and isinstance(b, Compute)
        and (a.operation, a.template, a.inputs, a.over) == (b.operation, b.template, b.inputs, b.over)
    )


def is_aside(step: Step) -> bool:
    """Return whether reading a value in a step is no reason to name it: only training, or only its size, needs it."""
    return isinstance(step, Training) or (isinstance(step, Compute) and step.operation == "size")
