"""Choose the value whose size a layer with `out=@x` takes: of several with that size, the one it is merged with.

If it is merged with none of them, choose the one that most layers read: that one has a name anyway.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from cnndsl.importers.torch_export.steps import ReadStep
from cnndsl.layers.base import Layer

_FARTHEST = 8
"""The number of layers after a layer in which its merge is searched for."""


def with_siblings(steps: Sequence[ReadStep], outputs: Iterable[int]) -> list[ReadStep]:
    """Return the steps with each size taken from the value that the result is merged with, if possible."""
    given = set(outputs)
    readers: dict[int, list[ReadStep]] = defaultdict(list)
    for step in steps:
        for at in step.inputs:
            readers[at].append(step)
    alive = {step.number for step in steps}
    return [step if step.number in given else _with_sibling(step, readers, alive) for step in steps]


def _with_sibling(step: ReadStep, readers: Mapping[int, list[ReadStep]], alive: set[int]) -> ReadStep:
    likes = set(cast("Sequence[int]", step.facts.get("likes", ()))) & alive
    at = step.number
    for _ in range(_FARTHEST if likes else 0):
        if len(readers.get(at, ())) != 1:
            break
        (reader,) = readers[at]
        if isinstance(reader.op, Layer) and reader.op.ROLE == "merge":
            found = [each for each in reader.inputs if each in likes and each < step.number]
            if found:
                return replace(step, inputs=(*step.inputs[:-1], found[0]))
            break
        at = reader.number
    if len(likes) < 2:
        return step
    best = max(sorted(likes), key=lambda each: sum(reader is not step for reader in readers[each]))
    return replace(step, inputs=(*step.inputs[:-1], best))
