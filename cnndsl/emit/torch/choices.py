"""Choices that differ between the call sites of a class: modules that may be absent, steps that may be skipped.

If one alternative is empty and the other is a chain, the modules exist at some call sites and identities replace them
at the others. Otherwise a flag of the module chooses the steps. Both raise Differ if no condition expresses the choice.
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
    """Walk over a choice. Returns the value that leaves it."""
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
    """Return the value of a choice between existing values, under the name that most of them have."""
    nodes = [output(choice.part, tracer.node(value, at)) for choice, at in zip(choices, places, strict=True)]
    ends = [elements(choice.part)[-1:] for choice in choices]
    called = Counter(word(end.name) for found in ends for end in found if isinstance(end, ReferencePart))
    return tracer.read(places, [key(node) for node in nodes], max(called, key=called.__getitem__, default=""))


def _optional(tracer: Walker, choices: Sequence[ChoicePart], places: Places, value: int, there: list[int]) -> int:
    """Walk over modules that exist at some call sites only; an identity replaces them at the others."""
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
    """Walk over steps that differ between call sites; a flag of the module chooses between them."""
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
    """Return the steps of one alternative, and the value that leaves it."""
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
    """Add the steps of two branches, the first of which runs if the first decision holds. Returns the value that leaves
    them. `wish` is the preferred name of the flag, except for a sum."""
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
    """Move the steps that both alternatives begin with before them. Returns the rest of the second alternative."""
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
