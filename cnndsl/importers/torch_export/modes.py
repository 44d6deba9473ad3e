"""Merge evaluation and training into one network, and find what training adds and where they disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cnndsl.importers.torch_export.origins import module_of
from cnndsl.importers.torch_export.steps import ReadStep
from cnndsl.layers.base import Layer
from cnndsl.records import record

NamedValues = Sequence[tuple[str, int]]


@record
class BothModes:
    """The steps of training, those that only training has, the outputs, and the faults that no network can express."""

    steps: tuple[ReadStep, ...]
    for_training: frozenset[int]
    outputs: tuple[tuple[str, int], ...]
    taps: tuple[tuple[str, int], ...]
    faults: tuple[str, ...]


def merged(used: tuple[Sequence[ReadStep], NamedValues], trained: tuple[Sequence[ReadStep], NamedValues]) -> BothModes:
    """Merge the steps of evaluation and training into one network.

    Each step of evaluation has a counterpart in training; any other step of training is stochastic depth, or computes
    an output that only training has.
    """
    counterpart: dict[int, int] = {}
    passed: dict[int, int] = {}
    faults: list[str] = []
    waiting = list(used[0])[::-1]
    extra: set[int] = set()
    for step in trained[0]:
        inputs = tuple([passed.get(at, at) for at in step.inputs])
        if waiting and _is_same(waiting[-1], replace(step, inputs=inputs), counterpart):
            found = waiting.pop()
            counterpart[found.number] = step.number
            faults += _statistics(found, step)
        elif isinstance(step.op, Layer) and step.op.passes(training=False):
            passed[step.number] = inputs[0]
        else:
            extra.add(step.number)
    faults += [f"{_named(each)} runs in evaluation, and not in training" for each in waiting[::-1]]
    if waiting:
        return BothModes(tuple(trained[0]), frozenset(), (), (), tuple(faults))
    given = {passed.get(at, at): at for _, at in trained[1]}
    outputs = [(name, given.get(counterpart[at], counterpart[at])) for name, at in used[1]]
    main = {at for _, at in outputs}
    taps = [(name, at) for name, at in trained[1] if at not in main]
    return BothModes(tuple(trained[0]), frozenset(extra), tuple(outputs), tuple(taps), tuple(faults))


def _is_same(one: ReadStep, other: ReadStep, counterpart: dict[int, int]) -> bool:
    inputs = tuple([counterpart.get(at, -1) for at in one.inputs])
    return one.op == other.op and dict(one.tensors) == dict(other.tensors) and inputs == other.inputs


def _statistics(used: ReadStep, trained: ReadStep) -> list[str]:
    modes = (used.facts.get("is_of_batch"), trained.facts.get("is_of_batch"))
    if modes in ((None, None), (False, True)):
        return []
    both = "the batch" if modes[0] else "its running statistics"
    return [f"{_named(used)} normalises by {both} in evaluation and in training"]


def _named(step: ReadStep) -> str:
    kind = step.op.kind() if isinstance(step.op, Layer) else step.op
    return f"{kind} of {module_of(step.origin)[0] or 'the network itself'}"
