"""Values that depend on each other as chains: merges with their branches, references for what is read from elsewhere.

A merge stands on the nearest value through which everything goes that it joins, its immediate dominator; what lies
between the two are its branches. What does not nest is a reference.
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
"""How deep branches beside an untouched value may nest before references are clearer."""


@record(slots=True)
class NestedItem:
    """What a chain consists of: a layer, a merge by its sign, or a whole module.

    `inputs` are the numbers of the items that it reads, all before it; a term stands on the first of them. `node` is
    that of the graph whose value it gives.
    """

    node: int
    inputs: tuple[int, ...]
    shape: Shape
    term: RaisedTerm | None = None
    operator: str = ""
    name: str = ""


class ChainNester:
    """Makes chains of items, each item in one of them; those of `placed` are read by references alone."""

    def __init__(self, items: Sequence[NestedItem], placed: Iterable[int] = ()) -> None:
        self.items = items
        self.placed = set(placed)
        self.dominators = _dominators(items, self.placed)
        self.shapes = {each.node: each.shape for each in items}

    def chain(self, target: int, start: int) -> TermChain:
        """Return the steps from one value to another; where they begin elsewhere, a reference first."""
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
        """The nodes that every way passes, in order, and the value before them: -1 where an input begins."""
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
        """The value on which an item stands; -1 for a merge of which each branch begins elsewhere."""
        if not item.operator:
            return item.inputs[0]
        free = [each for each in item.inputs if each not in self.placed or each == start]
        if not free:
            return -1
        at = self._common(free)
        return at if self._follows(at, start) else start if any(self._follows(each, start) for each in free) else at

    def _common(self, several: Sequence[int]) -> int:
        """The nearest value through which all ways to these go."""
        at = set(several)
        while len(at) > 1:
            last = max(at)
            at.discard(last)
            at.add(self.dominators[last])
        return at.pop()

    def _follows(self, at: int, start: int) -> bool:
        """Whether every way to a value goes through `start`."""
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
        """The branch beside which the others are better read as references; it then stands in the chain itself.

        That is one that goes down to smaller maps and comes up again, as in a U-Net, and one in which further branches
        beside an untouched value nest.
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
        """Whether a branch goes through smaller maps than those at its ends."""
        if not branch:
            return False
        ends = (self.items[before].shape.spatial, self.shapes[branch[-1].node].spatial)
        sizes = [self.shapes[step.node].spatial for step in branch]
        return all(ends) and any(size < min(ends) and max(size, default=1) > 1 for size in sizes)


def _ordered(operator: str, branches: list[TermChain]) -> tuple[TermChain, ...]:
    """A sum of two has its longer branch first: the order does not matter to it."""
    if operator == "+" and len(branches) == 2 and _length(branches[1]) > _length(branches[0]):
        first, second = branches
        if not links(second) & {step.node for step in inner(first)}:
            return (second, first)
    return tuple(branches)


def _length(branch: TermChain) -> int:
    return sum(1 for _ in inner(branch))


def _depth(chain: TermChain) -> int:
    """How deep merges with an untouched value nest."""
    return max((_depth_of(step.term) for step in chain), default=0)


def _depth_of(term: RaisedTerm) -> int:
    if not isinstance(term, MergeTerm):
        return 0
    is_skip = term.operator in ("+", "|") and any(not each for each in term.branches)
    return max(map(_depth, term.branches), default=0) + is_skip


def _dominators(items: Sequence[NestedItem], apart: Set[int]) -> dict[int, int]:
    """The immediate dominator of each item, of those ways that begin with the first one where there are any; -1 where
    all begins. What is apart leads to nothing but by references."""
    whole: nx.DiGraph[int] = nx.DiGraph()
    leading: set[int] = set()
    for at, each in enumerate(items):
        before = {*each.inputs} & leading or {*each.inputs} - apart
        if at not in apart and (before & leading or not each.inputs):
            leading.add(at)
        whole.add_edges_from((other, at) for other in before or (-1,))
    found: dict[int, int] = dict(cast("Any", nx).immediate_dominators(whole, -1))
    return found
