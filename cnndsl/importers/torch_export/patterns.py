"""Steps that are one layer together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cnndsl.importers.torch_export.steps import Step


def simplified(steps: Sequence[Step], outputs: Iterable[int]) -> list[Step]:
    """Return the steps that the outputs need, with layers in place of the operations that make them."""
    return needed(steps, outputs)


def needed(steps: Sequence[Step], outputs: Iterable[int]) -> list[Step]:
    """Return the steps that the outputs depend on, and the inputs."""
    alive = set(outputs)
    for step in reversed(steps):
        if step.number in alive:
            alive.update(step.inputs)
    return [step for step in steps if step.number in alive or not step.inputs]
