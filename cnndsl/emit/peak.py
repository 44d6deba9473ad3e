"""How much memory a `forward` needs at its most, so that shorter code never needs more.

The count is in values of one image, for each place of the class, as the steps stand: what is alive while a step runs,
and what the step makes. What enters is always alive, the caller holds it. Where it is not known what a child
allocates, its output stands for that, and nothing is held alive while it runs.

It is counted twice, without and with the workspace of convolutions, which moves the place of the peak: a library that
has its own layout (oneDNN's blocks of channels) keeps copies of what is read, of the weights and of what is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from cnndsl.emit.parts import elements
from cnndsl.emit.values import Apply, Compute, Program, Step, Value, inputs_of, outs_of
from cnndsl.graph import Called, Choice, Leaf, Loop, Named, Part

if TYPE_CHECKING:
    from cnndsl.emit.emission import Emission

Children = Mapping[str, Mapping[int, Part]]
"""What each child is in each place."""


class Peak:
    """The memory of one program."""

    def __init__(self, emission: Emission, program: Program, children: Children) -> None:
        self.emission, self.program, self.children = emission, program, children
        self.places = tuple(program.entry.nodes)
        self.needs = {workspace: dict(self._needs(workspace)) for workspace in (False, True)}
        self.peaks = {workspace: self._peaks(needs) for workspace, needs in self.needs.items()}

    def extra(self, at: int, workspace: bool) -> int:
        """What is allocated at the most in one place, beside the value that enters."""
        entering = self._total([self.program.entry, *self.program.reads], self.places[at])
        return max(0, self.peaks[workspace][at] - entering)

    def allows(self, step: Step, held: Sequence[Value]) -> bool:
        """Whether these values may stay alive while the step runs, without a higher peak in any place."""
        if id(step) not in self.needs[False] or not self._is_known(step):
            return False
        more = [self._total(held, place) for place in self.places]
        return all(
            need + size <= peak
            for workspace, peaks in self.peaks.items()
            for need, size, peak in zip(self.needs[workspace][id(step)], more, peaks, strict=True)
        )

    def _peaks(self, needs: Mapping[int, list[int]]) -> list[int]:
        return [max((need[at] for need in needs.values()), default=0) for at in range(len(self.places))]

    def _needs(self, workspace: bool) -> Iterator[tuple[int, list[int]]]:
        last: dict[int, int] = {id(value): len(self.program.steps) for value in self.program.outs}
        for at, step in enumerate(self.program.steps):
            for value in inputs_of(step):
                last[id(value)] = max(at, last.get(id(value), 0))
        held = [self._total([self.program.entry, *self.program.reads], place) for place in self.places]
        ends: dict[int, list[Value]] = {}
        for at, step in enumerate(self.program.steps):
            dead = ends.pop(at - 1, [])
            held = [size - self._total(dead, place) for size, place in zip(held, self.places, strict=True)]
            yield (
                id(step),
                [self._made(step, place, workspace) + size for size, place in zip(held, self.places, strict=True)],
            )
            made = outs_of(step)
            held = [size + self._total(made, place) for size, place in zip(held, self.places, strict=True)]
            for value in made:
                ends.setdefault(max(at, last.get(id(value), at)), []).append(value)

    def _total(self, values: Sequence[Value], place: int) -> int:
        return sum(self._size(value, place) for value in values)

    def _size(self, value: Value, place: int) -> int:
        node = value.nodes.get(place)
        if node is None:
            return 0
        # Indices are integers of eight bytes.
        return self.emission.graph.nodes[max(node, ~node)].shape.numel * (2 if node < 0 else 1)

    def _is_known(self, step: Step) -> bool:
        """Whether all that the step allocates is known."""
        if not isinstance(step, Apply):
            return isinstance(step, Compute)
        return all(part_extra(self.emission, part, False) is not None for part in self.children[step.child].values())

    def _made(self, step: Step, place: int, workspace: bool) -> int:
        """What a step allocates, or a lower bound."""
        if isinstance(step, Compute):
            return 0 if step.is_view or step.over >= 0 else self._size(step.out, place)
        if not isinstance(step, Apply) or not step.allocates or place not in self.children[step.child]:
            return 0
        extra = part_extra(self.emission, self.children[step.child][place], workspace)
        return max(self._size(step.outs[0], place), extra or 0)


def part_extra(emission: Emission, part: Part, workspace: bool) -> int | None:
    """What a module allocates at its most, beside the value that enters it; None where that is not known."""
    if isinstance(part, Leaf):
        return _layer_extra(emission, part.node, workspace)
    if isinstance(part, Called):
        return emission.inside(part, workspace)
    if isinstance(part, Named):
        return chain_extra(emission, part.part, workspace)
    return None


def _layer_extra(emission: Emission, at: int, workspace: bool) -> int:
    if at in emission.overwritten:
        return 0
    node = emission.graph.nodes[at]
    shapes = emission.graph.shapes(node)
    if not workspace or node.shape.rank == 0 or not node.layer.macs(*shapes):
        return node.shape.numel
    weights = sum(each.numel for each in node.layer.tensors(*shapes))
    return 2 * node.shape.numel + sum(shape.numel for shape in shapes) + weights


def chain_extra(emission: Emission, part: Part | None, workspace: bool) -> int | None:
    """The same for a chain: what one module reads lives on while it runs."""
    most, held = 0, 0
    for each in _modules(part):
        extra = part_extra(emission, each, workspace)
        if extra is None:
            return None
        most = max(most, held + extra)
        if extra or not isinstance(each, Leaf):
            held = emission.size_of(each)
    return most


def _modules(part: Part | None) -> Iterator[Part]:
    for each in elements(part):
        if isinstance(each, Loop):
            for turn in each.turns:
                yield from _modules(turn)
        elif isinstance(each, Choice) or (isinstance(each, Named) and not each.is_module):
            yield from _modules(each.part)
        else:
            yield each
