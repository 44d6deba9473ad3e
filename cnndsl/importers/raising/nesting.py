"""Write values that depend on each other as chains: merges with their branches, and references to values elsewhere.

A merge starts at its immediate dominator, the nearest value that all paths to its operands pass through. What lies
between the two are its branches. Anything that does not nest becomes a reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from typing import Any, cast

import networkx as nx

from cnndsl.importers.raising.terms import Link, MergeTerm, PlacedTerm, RaisedTerm, StartTerm, TermChain
from cnndsl.importers.raising.walks import inner, links
from cnndsl.records import record
from cnndsl.shape import Shape

_DEEPEST = 4
"""How deep branches next to an identity branch may nest before references are easier to read."""


@record(slots=True)
class NestedItem:
    """An element of a chain: a layer, a merge given by its operator, or a whole module.

    `inputs` are the numbers of the items that it reads, all before it; a term follows the first of them. `node` is the
    graph node whose value it returns.
    """

    node: int
    inputs: tuple[int, ...]
    shape: Shape
    term: RaisedTerm | None = None
    operator: str = ""
    name: str = ""


class ChainNester:
    """Builds chains of items, each item in one of them; the items in `placed` are only read by reference."""

    def __init__(self, items: Sequence[NestedItem], placed: Iterable[int] = ()) -> None:
        self.items = items
        self.placed = set(placed)
        self.dominators = _dominators(items, self.placed)
        self.shapes = {each.node: each.shape for each in items}

    def chain(self, target: int, start: int) -> TermChain:
        """Return the steps from one value to another; if they begin elsewhere, a reference comes first."""
        spine, begin = self._spine(target, start)
        self.placed.update(spine)
        steps: list[PlacedTerm] = []
        if begin != start and begin >= 0:
            steps.append(self._reference(begin))
        before = begin
        for at in spine:
            steps += self._steps(at, before)
            before = at
        return tuple(steps)

    def _spine(self, target: int, start: int) -> tuple[list[int], int]:
        """Return the nodes on every path, in order, and the value before them: -1 where an input begins."""
        spine: list[int] = []
        at = target
        while at != start and at not in self.placed:
            spine.append(at)
            if not self.items[at].inputs:
                return spine[::-1], -1
            at = self._before(self.items[at], start)
            if at < 0:
                break
        return spine[::-1], at

    def _reference(self, at: int) -> PlacedTerm:
        node = self.items[at].node
        return PlacedTerm(StartTerm(Link(node)), node, -1)

    def _before(self, item: NestedItem, start: int) -> int:
        """Return the value that an item follows; -1 for a merge whose branches all begin elsewhere."""
        if not item.operator:
            return item.inputs[0]
        free = [each for each in item.inputs if each not in self.placed or each == start]
        if not free:
            return -1
        at = self._common(free)
        return at if self._follows(at, start) else start if any(self._follows(each, start) for each in free) else at

    def _common(self, several: Sequence[int]) -> int:
        """Return the nearest value that all paths to these values pass through."""
        at = set(several)
        while len(at) > 1:
            last = max(at)
            at.discard(last)
            at.add(self.dominators[last])
        return at.pop()

    def _follows(self, at: int, start: int) -> bool:
        """Return whether every path to a value passes through `start`."""
        while at > start:
            at = self.dominators[at]
        return at == start

    def _steps(self, at: int, before: int) -> list[PlacedTerm]:
        item = self.items[at]
        entering = self.items[before].shape if before >= 0 else None
        channels = entering.channels if entering else -1
        if item.term is not None:
            return [PlacedTerm(item.term, item.node, channels, item.name)]
        branches = [self.chain(each, before) for each in item.inputs]
        moved = self._unnested(branches, before)
        term = MergeTerm(item.operator, _ordered(item.operator, branches), keeps_shape=entering == item.shape)
        return [*moved, PlacedTerm(term, item.node, channels)]

    def _unnested(self, branches: list[TermChain], before: int) -> TermChain:
        """Return the branch that should be the main chain, so that the others become references.

        This is a branch that goes down to smaller maps and up again, as in a U-Net, or one in which further branches
        next to an identity branch nest.
        """
        if before < 0 or any(branch and isinstance(branch[0].term, StartTerm) for branch in branches):
            return ()
        long = max(range(len(branches)), key=lambda at: _length(branches[at]))
        is_deep = len(branches) == 2 and not branches[1 - long] and _depth(branches[long]) >= _DEEPEST
        if not is_deep and not self._dips(branches[long], before):
            return ()
        moved = branches[long]
        start = self._reference(before)
        for at, branch in enumerate(branches):
            branches[at] = () if at == long else (start, *branch)
        return moved

    def _dips(self, branch: TermChain, before: int) -> bool:
        """Return whether a branch contains maps smaller than those at its ends."""
        if not branch:
            return False
        ends = (self.items[before].shape.spatial, self.shapes[branch[-1].node].spatial)
        sizes = [self.shapes[step.node].spatial for step in branch]
        return all(ends) and any(size < min(ends) and max(size, default=1) > 1 for size in sizes)


def _ordered(operator: str, branches: list[TermChain]) -> tuple[TermChain, ...]:
    """Put the longer branch of a sum of two first: the order does not change the sum."""
    if operator == "+" and len(branches) == 2 and _length(branches[1]) > _length(branches[0]):
        first, second = branches
        if not links(second) & {step.node for step in inner(first)}:
            return (second, first)
    return tuple(branches)


def _length(branch: TermChain) -> int:
    return sum(1 for _ in inner(branch))


def _depth(chain: TermChain) -> int:
    """Return how deep merges with an identity branch nest."""
    return max((_depth_of(step.term) for step in chain), default=0)


def _depth_of(term: RaisedTerm) -> int:
    if not isinstance(term, MergeTerm):
        return 0
    is_skip = term.operator in ("+", "|") and any(not each for each in term.branches)
    return max(map(_depth, term.branches), default=0) + is_skip


def _dominators(items: Sequence[NestedItem], apart: Set[int]) -> dict[int, int]:
    """Return the immediate dominator of each item, considering the paths from the first item if there are any; -1 at
    the root. Items in `apart` only lead to others by reference."""
    whole: nx.DiGraph[int] = nx.DiGraph()
    leading: set[int] = set()
    for at, each in enumerate(items):
        before = {*each.inputs} & leading or {*each.inputs} - apart
        if at not in apart and (before & leading or not each.inputs):
            leading.add(at)
        whole.add_edges_from((other, at) for other in before or (-1,))
    found: dict[int, int] = dict(cast("Any", nx).immediate_dominators(whole, -1))
    return found
