"""Choices that fall differently in the places of a class: modules that are there or not, steps that run or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnndsl.emit.parts import is_nothing, only
from cnndsl.emit.scope import Mismatch
from cnndsl.emit.terms import Term
from cnndsl.emit.values import Branch, Compute, Step, Value, is_same, outs_of, renamed
from cnndsl.graph import Choice, Join, Part

if TYPE_CHECKING:
    from cnndsl.emit.dataflow import Tracer

Places = tuple[int, ...]


@dataclass
class Decision:
    """A choice that differs between places: where it was made so, with which names, on which value, what came of it.

    `flag` is the attribute that says so in `forward`; empty where modules stand in for one another.
    """

    choice: Choice
    places: Places
    look: Mapping[str, Term]
    entering: Value
    leaving: Value | None = None
    flag: str = ""


def chosen(tracer: Tracer, choices: Sequence[Choice], places: Places, value: Value) -> Value:
    """What comes of a choice. Raises Mismatch where one class cannot say it."""
    if len({choice.taken for choice in choices}) == 1:
        return tracer.walk([choice.part for choice in choices], places, value)
    if len({choice.taken == 0 for choice in choices}) == 1 or len({choice.taken for choice in choices}) > 2:
        raise Mismatch
    groups = [[at for at, choice in enumerate(choices) if (choice.taken == 0) == first] for first in (True, False)]
    empty = [all(is_nothing(choices[at].part) for at in group) for group in groups]
    if any(empty) and tracer.decision is None:
        chosen, absent = (groups[0], groups[1]) if empty[1] else (groups[1], groups[0])
        if all(tracer.unit.structure.is_chain(choices[at].part, value.nodes[places[at]]) for at in chosen):
            return _optional(tracer, choices, places, value, chosen, absent)
    return _branch(tracer, choices, places, value, groups)


def _optional(
    tracer: Tracer, choices: Sequence[Choice], places: Places, value: Value, chosen: list[int], absent: list[int]
) -> Value:
    """Modules that are there in some places; an identity stands for them in the others."""
    there = tuple(places[at] for at in chosen)
    decision = Decision(choices[chosen[0]], there, tracer.look, value)
    tracer.decision = decision
    out = tracer.walk([choices[at].part for at in chosen], there, value)
    tracer.decision = None
    for at in absent:
        out.nodes[places[at]] = value.nodes[places[at]]
    decision.leaving = out.real
    tracer.decisions.append(decision)
    return out


def _branch(tracer: Tracer, choices: Sequence[Choice], places: Places, value: Value, groups: list[list[int]]) -> Value:
    """Different steps in different places: a flag of the module says which."""
    if tracer.decision is not None:
        raise Mismatch
    ends: list[tuple[list[Step], Value]] = []
    outer = tracer.steps
    decisions = [Decision(choices[group[0]], tuple(places[at] for at in group), tracer.look, value) for group in groups]
    for group, decision in zip(groups, decisions, strict=True):
        tracer.steps, tracer.decision = [], decision
        out = tracer.walk([choices[at].part for at in group], decision.places, value)
        ends.append((tracer.steps, out))
    tracer.steps, tracer.decision = outer, None
    (steps, chosen), (otherwise, other) = ends
    _hoist(tracer, steps, otherwise)
    chosen, other = chosen.real, other.real
    other = tracer.renamed.get(id(other), other)
    decisions[0].flag = _flag(tracer, (*steps, *otherwise))
    tracer.decisions += decisions
    nodes = {**chosen.nodes, **other.nodes}
    out = tracer.new(tuple(nodes), tuple(nodes.values()))
    decisions[0].leaving = decisions[1].leaving = out
    tracer.steps.append(Branch(decisions[0].flag, tuple(steps), tuple(otherwise), chosen, other, out))
    return out


def sometimes_joined(tracer: Tracer, parts: Sequence[Part | None], places: Places, value: Value) -> Value:
    """`(A + ID if test)`: where the test fails there is A alone."""
    joined = [at for at, part in enumerate(parts) if isinstance(part, Join)]
    joins = only([part for part in parts if isinstance(part, Join)], Join)
    if tracer.decision is not None or any(len(join.branches) != 2 for join in joins):
        raise Mismatch
    choices = only([join.branches[1] for join in joins], Choice)
    if any(choice.kind != "if" or choice.taken != 0 for choice in choices):
        raise Mismatch
    first = [part.branches[0] if isinstance(part, Join) else part for part in parts]
    common = tracer.walk(first, places, value)
    there = tuple(places[at] for at in joined)
    decision = Decision(choices[0], there, tracer.look, value)
    outer, tracer.steps, tracer.decision = tracer.steps, [], decision
    second = tracer.walk([choice.part for choice in choices], there, value)
    end = tracer.function([join.node for join in joins], there, (common, second))
    steps, tracer.steps, tracer.decision = tracer.steps, outer, None
    decision.flag = _flag(tracer, steps)
    tracer.decisions.append(decision)
    nodes = {**common.nodes, **end.nodes}
    out = tracer.new(tuple(nodes), tuple(nodes.values()))
    decision.leaving = out
    tracer.steps.append(Branch(decision.flag, tuple(steps), (), end.real, common.real, out))
    return out


def _hoist(tracer: Tracer, steps: list[Step], otherwise: list[Step]) -> None:
    """Takes the steps with which both branches begin out of them."""
    while steps and otherwise:
        first, second = steps[0], renamed(otherwise[0], tracer.renamed)
        if not is_same(first, second):
            return
        for a, b in zip(outs_of(first), outs_of(second), strict=True):
            a.nodes.update(b.nodes)
            tracer.renamed[id(b)] = a
        tracer.steps.append(steps.pop(0))
        otherwise.pop(0)
        otherwise[:] = [renamed(step, tracer.renamed) for step in otherwise]


def _flag(tracer: Tracer, steps: Sequence[Step]) -> str:
    sums = any(isinstance(step, Compute) and "+" in step.template for step in steps)
    base = "residual" if sums else "variant"
    taken = {decision.flag for decision in tracer.decisions} | set(tracer.children)
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}{number}"
    return name
