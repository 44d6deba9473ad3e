"""Merges that lack a branch at some call sites of a class: `(A | B | C if test)`.

Branches that exist at all call sites are walked over first. A flag of the module then says whether the others are
merged with them. Raises Differ if the call sites need more than two variants, or another order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cnndsl.emit.torch.choices import joined
from cnndsl.emit.torch.ir import Step
from cnndsl.emit.torch.part_queries import elements, left_of, of_type
from cnndsl.emit.torch.restart import Differ
from cnndsl.emit.torch.trace_records import Decision, Places, Walker
from cnndsl.graph import ChoicePart, IdentityPart, MergePart, Part, ReferencePart

_Position = tuple[int, int]
"""The position of a branch: the number of unconditional branches before it, and for a conditional one its location in
the program; an unconditional branch comes after these."""
_LAST = 1 << 62


def sometimes_merged(tracer: Walker, parts: Sequence[Part], places: Places, value: int) -> int:
    """Walk over a merge, of which a single branch may remain. Returns the value that leaves it."""
    if tracer.decision is not None:
        raise Differ
    return _PartialMerge(tracer, parts, places, value).walk()


class _PartialMerge:
    def __init__(self, tracer: Walker, parts: Sequence[Part], places: Places, value: int) -> None:
        self.tracer, self.parts, self.places, self.value = tracer, parts, places, value
        self.rows = [_branches(part) for part in parts]
        self.positions = sorted({position for row in self.rows for position in row})
        self.always = [position for position in self.positions if all(position in row for row in self.rows)]
        self.common: dict[_Position, int] = {}

    def walk(self) -> int:
        ways = sorted({tuple(row) for row in self.rows}, key=len, reverse=True)
        if len(ways) != 2 or not self._is_ordered():
            raise Differ
        for position in self.always:
            self.common[position] = self.tracer.walk([row[position] for row in self.rows], self.places, self.value)
        full, less = ([at for at, row in enumerate(self.rows) if tuple(row) == way] for way in ways)
        choice = self._choice(full[0], set(ways[0]) - set(ways[1]))
        decisions: list[Decision] = []
        made: list[tuple[list[Step], int]] = []
        for group in (full, less):
            decision = Decision(choice, tuple(self.places[at] for at in group), self.tracer.known, self.value)
            decisions.append(decision)
            made.append(self._way(group, decision))
        (steps, out), (others, other) = made
        return joined(self.tracer, decisions if others else decisions[:1], steps, others, out, other, _name(choice))

    def _is_ordered(self) -> bool:
        """Return whether branches that make values are in walking order: the unconditional ones first."""
        optional = [position for position in self.positions if position not in self.always]
        own = self.tracer.callees.borders.own
        making = {position for row in self.rows for position, part in row.items() if own(part)}
        return not any(
            late < early for early in making.intersection(self.always) for late in making.intersection(optional)
        )

    def _choice(self, at: int, positions: set[_Position]) -> ChoicePart:
        """Return the condition of a branch that exists only in the first variant."""
        for position in sorted(positions):
            part = self.rows[at][position]
            if isinstance(part, ChoicePart) and part.kind == "if" and part.taken == 0:
                return part
        raise Differ

    def _way(self, group: Sequence[int], decision: Decision) -> tuple[list[Step], int]:
        """Return the steps of one variant, and the value that leaves it."""

        def walk() -> int:
            operands = [
                self.common[position]
                if position in self.common
                else self.tracer.walk([self.rows[at][position] for at in group], decision.places, self.value)
                for position in self.rows[group[0]]
            ]
            if len(operands) == 1:
                return operands[0]
            merges = of_type([left_of(self.parts[at]) or IdentityPart() for at in group], MergePart)
            return self.tracer.function([merge.node for merge in merges], decision.places, operands)

        return self.tracer.apart(decision, walk)


def _branches(part: Part) -> Mapping[_Position, Part]:
    """Return the branches of a merge, or the one that remains of it, in their order."""
    left = left_of(part) or IdentityPart()
    branches = left.branches if isinstance(left, MergePart) else (left,)
    found: dict[_Position, Part] = {}
    always = 0
    for branch in branches:
        inner = elements(branch)
        only = inner[0] if len(inner) == 1 else None
        if isinstance(only, ChoicePart) and only.kind in ("if", "maybe"):
            found[always, only.span.start] = only
            continue
        found[always, _LAST] = branch
        always += 1
    if len(found) < len(branches):
        raise Differ
    return found


def _name(choice: ChoicePart) -> str:
    """Return the name of the flag: `with_x` for a branch that is the value `x`."""
    inner = elements(choice.part)
    name = inner[0].name.split(".")[-1] if len(inner) == 1 and isinstance(inner[0], ReferencePart) else ""
    return f"with_{name}" if name.isidentifier() else "variant"
