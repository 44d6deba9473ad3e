"""The peak memory of a `forward`, so that shorter code never needs more.

The unit is values of one image, at each call site of the class, as the steps run: the values alive during a step, and
those that the step allocates. The inputs are always alive, since the caller holds them. If a child's allocations are
unknown, its output stands for them, and nothing else is kept alive while it runs.

The count runs twice, without and with the workspace of convolutions, which moves the peak to another step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from cnndsl.emit.torch.ir import Apply, Compute, Forward, RepeatStep, Step
from cnndsl.emit.torch.steps import made_by, used_by


class Costs(Protocol):
    """The memory of values and children, in values of one image, at each call site of the class."""

    places: int

    def size(self, value: int) -> tuple[int, ...]:
        """Return the size of a value; 0 if it does not exist."""
        ...

    def extra(self, step: Apply | RepeatStep, workspace: bool) -> tuple[int, ...] | None:
        """Return the child's peak memory apart from its inputs, including its output; None if it is unknown."""
        ...


class ForwardMemory:
    """The memory of one `forward`."""

    def __init__(self, forward: Forward, costs: Costs) -> None:
        self.forward, self.costs = forward, costs
        self._places = range(costs.places)
        self._sizes: dict[int, tuple[int, ...]] = {}
        self._needs = {workspace: list(self._need(workspace)) for workspace in (False, True)}
        self._peaks = {
            workspace: [max((need[at] for need in needs), default=0) for at in self._places]
            for workspace, needs in self._needs.items()
        }
        self._at = {id(step): at for at, step in enumerate(forward.steps)}
        entering = self._total(forward.inputs)
        self._extra = {
            workspace: tuple(max(0, peak - held) for peak, held in zip(peaks, entering, strict=True))
            for workspace, peaks in self._peaks.items()
        }

    def extra(self, workspace: bool) -> tuple[int, ...]:
        """Return the peak of allocations at each call site, apart from the inputs."""
        return self._extra[workspace]

    def allows(self, step: Step, held: Sequence[int]) -> bool:
        """Return whether these values may stay alive while a step runs, without a higher peak at any call site."""
        at = self._at.get(id(step))
        if at is None or not self._is_known(step):
            return False
        more = self._total(held)
        return all(
            needs[at][place] + more[place] <= self._peaks[workspace][place]
            for workspace, needs in self._needs.items()
            for place in self._places
        )

    def gone(self, stale: Sequence[tuple[str, Sequence[int]]], steps: Sequence[Step], held: Sequence[int]) -> list[str]:
        """Return which of the given names must be deleted before these steps run: those that hold most. Each name comes
        with the values that it holds; `held` is alive in addition."""
        kept = sorted(stale, key=lambda each: sum(map(self.size, each[1])))
        gone: list[str] = []
        while kept and not all(self.allows(step, [*held, *distinct(kept)]) for step in steps):
            gone.append(kept.pop()[0])
        return gone

    def size(self, value: int) -> int:
        """Return the maximum size of a value over the call sites."""
        return max(self._size(value))

    def _need(self, workspace: bool) -> Iterator[list[int]]:
        """Yield the memory alive during each step, including its own allocations."""
        steps = self.forward.steps
        roots = self._roots()
        last = {roots.get(value, value): len(steps) for value in self.forward.results}
        for at, step in enumerate(steps):
            for value in used_by(step):
                root = roots.get(value, value)
                last[root] = max(at, last.get(root, 0))
        for value, at in () if self.forward.lists is None else self.forward.lists.lasting:
            last[value] = max(at, last.get(value, 0))
        held = self._total(self.forward.inputs)
        ends: dict[int, list[int]] = {}
        for at, step in enumerate(steps):
            held = [size - gone for size, gone in zip(held, self._total(ends.pop(at - 1, [])), strict=True)]
            made = self._made(step, workspace)
            yield [size + more for size, more in zip(held, made, strict=True)]
            fresh = [value for value in made_by(step) if value not in roots]
            held = [size + more for size, more in zip(held, self._total(fresh), strict=True)]
            for value in fresh:
                ends.setdefault(max(at, last.get(value, at)), []).append(value)

    def _roots(self) -> dict[int, int]:
        """Return the value in whose memory each view lives."""
        roots: dict[int, int] = {}
        for step in self.forward.steps:
            if isinstance(step, Compute) and step.is_view and any(self._size(step.output)):
                roots[step.output] = roots.get(step.inputs[0], step.inputs[0])
            elif isinstance(step, RepeatStep):
                roots[step.outputs[1]] = step.outputs[0]
        return roots

    def _total(self, values: Sequence[int]) -> list[int]:
        sizes = [self._size(value) for value in values]
        return [sum(size[at] for size in sizes) for at in self._places]

    def _size(self, value: int) -> tuple[int, ...]:
        if value not in self._sizes:
            self._sizes[value] = self.costs.size(value)
        return self._sizes[value]

    def _is_known(self, step: Step) -> bool:
        """Return whether all allocations of the step are known."""
        if isinstance(step, Apply | RepeatStep):
            return self.costs.extra(step, False) is not None
        return isinstance(step, Compute)

    def _made(self, step: Step, workspace: bool) -> list[int]:
        """Return the allocations of a step, or a lower bound."""
        if isinstance(step, Compute):
            is_over = step.over >= 0 and step.inputs[step.over] not in self.forward.inputs
            return [0] * len(self._places) if step.is_view or is_over else list(self._size(step.output))
        if not isinstance(step, Apply | RepeatStep) or (isinstance(step, Apply) and step.overwrites):
            return [0] * len(self._places)
        extra = self.costs.extra(step, workspace) or (0,) * len(self._places)
        output = self._size(step.outputs[0])
        return [max(size, more) if size else 0 for size, more in zip(output, extra, strict=True)]


def distinct(held: Sequence[tuple[str, Sequence[int]]]) -> list[int]:
    """Return the values that names hold, each once.

    >>> distinct([("x", (4,)), ("skips", (3, 4))])
    [4, 3]
    """
    return list(dict.fromkeys(value for _, values in held for value in values))
