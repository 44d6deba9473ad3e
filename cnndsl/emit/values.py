"""The steps of a `forward`: values, and what makes one from others.

A value stands for a node in each of the places that a class is for; `indices` of a max-pool stand as the complement
`~node`. Steps are in the order in which they run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from cnndsl.emit.terms import Term


@dataclass(eq=False)
class Value:
    """`nodes` is the node in each place where the value exists, `hint` a good name for it.

    A node that becomes nothing gives the value that it reads once more: `source` is that one.
    """

    nodes: dict[int, int]
    hint: str = ""
    term: Term | None = None
    source: Value | None = None

    @property
    def real(self) -> Value:
        """The value that a step made."""
        return self if self.source is None else self.source.real


@dataclass(frozen=True, slots=True)
class Apply:
    """The call of a child. `outs` are what it gives: its output, then what else is read of it. `allocates` is false
    where it writes over its input, `extra` is an argument in text, `is_heavy` tells layers with matrices of weights."""

    child: str
    inputs: tuple[Value, ...]
    outs: tuple[Value, ...]
    allocates: bool = True
    extra: str = ""
    is_heavy: bool = False


@dataclass(frozen=True, slots=True)
class Compute:
    """An expression of values. `over` is the position of the operand that a sum may overwrite, or -1."""

    template: str
    inputs: tuple[Value, ...]
    out: Value
    over: int = -1
    is_view: bool = False


@dataclass(frozen=True, slots=True)
class Branch:
    """What differs between the places of a class: steps that run if `flag` holds, and those that do otherwise."""

    flag: str
    steps: tuple[Step, ...]
    otherwise: tuple[Step, ...]
    chosen: Value
    other: Value
    out: Value


@dataclass(frozen=True, slots=True)
class Training:
    """Steps that run in training only, and the outputs that they give."""

    steps: tuple[Step, ...]
    outs: tuple[Value, ...]


Step: TypeAlias = Apply | Compute | Branch | Training


@dataclass
class Program:
    """A whole `forward`: the value that enters, those that are read beside it, its steps, what it gives."""

    entry: Value
    reads: list[Value] = field(default_factory=list[Value])
    steps: list[Step] = field(default_factory=list["Step"])
    outs: list[Value] = field(default_factory=list[Value])
    training: list[Value] = field(default_factory=list[Value])


def inputs_of(step: Step) -> tuple[Value, ...]:
    """The values that a step reads, one entry a use; those that it makes itself are left out."""
    if isinstance(step, Apply | Compute):
        return step.inputs
    steps = (*step.steps, *step.otherwise) if isinstance(step, Branch) else step.steps
    ends = (step.chosen, step.other) if isinstance(step, Branch) else ()
    made = {id(out) for each in steps for out in outs_of(each)}
    used = [value for each in steps for value in inputs_of(each)] + list(ends)
    return tuple(value for value in used if id(value) not in made)


def outs_of(step: Step) -> tuple[Value, ...]:
    """The values that a step makes."""
    if isinstance(step, Apply | Training):
        return step.outs
    return (step.out,)


def early(steps: Sequence[Step]) -> list[Step]:
    """The steps that only training needs as early as can be: nothing is kept for them when there is no training."""
    result: list[Step] = [step for step in steps if not isinstance(step, Training)]
    for step in steps:
        if isinstance(step, Training):
            read = {id(value) for value in inputs_of(step)}
            made = [at for at, each in enumerate(result) if read & {id(out) for out in outs_of(each)}]
            place = made[-1] + 1 if made else 0
            while place < len(result) and isinstance(result[place], Training):
                place += 1
            result.insert(place, step)
    return result


def renamed(step: Step, names: Mapping[int, Value]) -> Step:
    """The step with other values in place of its inputs, by their identity."""

    def swap(values: tuple[Value, ...]) -> tuple[Value, ...]:
        return tuple(names.get(id(value), value) for value in values)

    if isinstance(step, Apply):
        return replace(step, inputs=swap(step.inputs))
    if isinstance(step, Compute):
        return replace(step, inputs=swap(step.inputs))
    return step


def is_same(a: Step, b: Step) -> bool:
    """Whether two steps do the same to the same values."""
    if [id(value) for value in inputs_of(a)] != [id(value) for value in inputs_of(b)]:
        return False
    if isinstance(a, Apply) and isinstance(b, Apply):
        return (a.child, a.allocates, a.extra, len(a.outs)) == (b.child, b.allocates, b.extra, len(b.outs))
    return isinstance(a, Compute) and isinstance(b, Compute) and (a.template, a.over) == (b.template, b.over)
