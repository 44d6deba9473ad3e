"""Choices that fall differently at the places of a class: modules that exist or not, steps that run or not.

Where one alternative is nothing and the other a chain, the modules are there at some places and identities stand for
them at the others. Else a flag of the module says which steps run. Both raise Differ where that cannot be said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from cnndsl.emit.torch.ir import BranchStep, Compute, Step, key
from cnndsl.emit.torch.names import numbered, word
from cnndsl.emit.torch.part_queries import elements, is_nothing
from cnndsl.emit.torch.restart import Differ
from cnndsl.emit.torch.steps import inside, made_by, same_step, with_values
from cnndsl.emit.torch.trace_records import Decision, Places, Walker
from cnndsl.graph import ChoicePart, Part, ReferencePart
from cnndsl.graph.traversal import output


def chosen(tracer: Walker, choices: Sequence[ChoicePart], places: Places, value: int) -> int:
    """Walk over a choice; returns the value that leaves it."""
    if len({choice.taken for choice in choices}) == 1:
        return tracer.walk([choice.part for choice in choices], places, value)
    if not any(tracer.callees.borders.own(choice.part) for choice in choices):
        return _referred(tracer, choices, places, value)
    if len({choice.taken == 0 for choice in choices}) == 1 or len({choice.taken for choice in choices}) > 2:
        raise Differ
    groups = [[at for at, choice in enumerate(choices) if (choice.taken == 0) == first] for first in (True, False)]
    empty = [all(is_nothing(choices[at].part) for at in group) for group in groups]
    if any(empty) and tracer.decision is None:
        there = groups[0] if empty[1] else groups[1]
        if all(tracer.callees.chains.is_chain(choices[at].part, tracer.node(value, places[at])) for at in there):
            return _optional(tracer, choices, places, value, there)
    return _branch(tracer, choices, places, value, groups)


def _referred(tracer: Walker, choices: Sequence[ChoicePart], places: Places, value: int) -> int:
    """A choice between values that exist: what it gives is one of these at each place, called as most of them are."""
    nodes = [output(choice.part, tracer.node(value, at)) for choice, at in zip(choices, places, strict=True)]
    ends = [elements(choice.part)[-1:] for choice in choices]
    called = Counter(word(end.name) for found in ends for end in found if isinstance(end, ReferencePart))
    return tracer.read(places, [key(node) for node in nodes], max(called, key=called.__getitem__, default=""))


def _optional(tracer: Walker, choices: Sequence[ChoicePart], places: Places, value: int, there: list[int]) -> int:
    """Modules that exist at some places; an identity stands for them at the others."""
    decision = Decision(choices[there[0]], tuple(places[at] for at in there), tracer.known, value)
    tracer.decision = decision
    out = tracer.walk([choices[at].part for at in there], decision.places, value)
    tracer.decision = None
    absent = tuple(at for at in places if at not in decision.places)
    tracer.enter(out, absent, [key(tracer.node(value, at)) for at in absent])
    decision.leaving = out
    tracer.decisions.append(decision)
    return out


def _branch(tracer: Walker, choices: Sequence[ChoicePart], places: Places, value: int, groups: list[list[int]]) -> int:
    """Different steps at different places: a flag of the module says which."""
    if tracer.decision is not None:
        raise Differ
    first, second = (
        Decision(choices[group[0]], tuple(places[at] for at in group), tracer.known, value) for group in groups
    )
    steps, out = _steps(tracer, first, [choices[at].part for at in groups[0]], value)
    others, other = _steps(tracer, second, [choices[at].part for at in groups[1]], value)
    others, other = _hoisted(tracer, steps, others, other)
    return joined(tracer, (first, second), steps, others, out, other)


def _steps(tracer: Walker, decision: Decision, parts: Sequence[Part | None], value: int) -> tuple[list[Step], int]:
    """The steps of one alternative, and the value that leaves it."""
    return tracer.apart(decision, lambda: tracer.walk(parts, decision.places, value))


def joined(
    tracer: Walker,
    decisions: Sequence[Decision],
    steps: Sequence[Step],
    others: Sequence[Step],
    out: int,
    other: int,
    wish: str = "variant",
) -> int:
    """Add the steps of two ways, the first of which is taken where the first decision falls so; return the value that
    leaves them. `wish` is what the flag is called, but for a sum."""
    made = [value for step in (*steps, *others) for value in made_by(step)]
    flag = _flag(tracer, (*steps, *others), wish)
    keys = {at: tracer.values[other][at] for at in tracer.values[other]} | dict(tracer.values[out])
    if out not in made and other not in made and not steps and not others:
        raise Differ
    leaving = tracer.new(tuple(keys), tuple(keys.values()))
    decisions[0].flag = flag
    for decision in decisions:
        decision.leaving = leaving
    tracer.decisions += decisions
    tracer.put(BranchStep(flag, tuple(steps), tuple(others), out, other, leaving))
    return leaving


def _hoisted(tracer: Walker, steps: list[Step], others: list[Step], other: int) -> tuple[list[Step], int]:
    """Take the steps with which both alternatives begin out of them, into those before; the rest of the second one."""
    renamed: dict[int, int] = {}
    while steps and others:
        first, second = steps[0], with_values(others[0], renamed)
        if not same_step(first, second):
            break
        for a, b in zip(made_by(first), made_by(second), strict=True):
            held = tracer.values[b]
            tracer.enter(a, tuple(held), tuple(held.values()))
            renamed[b] = a
        tracer.put(steps.pop(0))
        others = others[1:]
    tracer.same.update(renamed)
    return [with_values(step, renamed) for step in others], renamed.get(other, other)


def _flag(tracer: Walker, steps: Sequence[Step], wish: str) -> str:
    found = [each for step in steps for each in inside(step)]
    sums = any(isinstance(step, Compute) and step.operation == "sum" for step in found)
    base = "residual" if sums else wish
    taken = {decision.flag for decision in tracer.decisions} | set(tracer.children)
    return numbered(base, taken)
