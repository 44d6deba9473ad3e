"""A flat graph as chains: merges with their branches, and references for what is read from elsewhere.

A merge stands on the nearest value through which everything goes that it joins, its immediate dominator; what lies
between the two are its branches. What does not nest is a reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from typing import Any, cast

import networkx as nx

from cnndsl.graph import Graph, Node, Output
from cnndsl.importers.raising.terms import (
    LayerTerm,
    Link,
    MergeTerm,
    PlacedTerm,
    RaisedTerm,
    StartTerm,
    TapTerm,
    TermChain,
    TermProgram,
    inner,
    links,
)
from cnndsl.layers.base import Layer
from cnndsl.layers.merge import MERGES

SIGNS: Mapping[type[Layer], str] = {kind: sign for sign, kind in MERGES.items()}
"""How each merge is written."""
_DEEPEST = 4
"""How deep branches beside an untouched value may nest before references are clearer."""


def chains(graph: Graph) -> TermProgram:
    """Return the chains of a graph: that of the first output, and one for each further output that is in none."""
    return _ChainWriter(graph).program()


class _ChainWriter:
    def __init__(self, graph: Graph) -> None:
        self.nodes = graph.nodes
        self.graph = graph
        self.placed: set[int] = set()
        self.dominators = _dominators(graph)

    def program(self) -> TermProgram:
        found: list[tuple[int, TermChain]] = []
        several = [each.index for each in self.graph.inputs[1:] and self.graph.inputs]
        self.placed.update(several)
        for at, node in enumerate(self.graph.main_outputs):
            if node not in self.placed:
                found.append((node if at or several else -1, self.chain(node, -1)))
        names = _unique([each.name for each in self.graph.taps if each.is_tap], set(output_names(self.graph)))
        for name, each in zip(names, (each for each in self.graph.taps if each.is_tap), strict=True):
            found[0] = (-1, _tapped(found[0][1], each, name, self.chain(each.node, -1)))
        return TermProgram(tuple(found))

    def chain(self, target: int, start: int) -> TermChain:
        """The steps from one value to another; where they begin elsewhere, a reference first."""
        spine, begin = self._spine(target, start)
        self.placed.update(spine)
        steps: list[PlacedTerm] = []
        if begin != start and begin >= 0:
            steps.append(PlacedTerm(StartTerm(Link(begin)), begin, -1))
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
            node = self.nodes[at]
            if not node.inputs:
                return spine[::-1], -1
            at = self._before(node, start)
            if at < 0:
                break
        return spine[::-1], at

    def _before(self, node: Node, start: int) -> int:
        """The value on which a layer or merge stands; -1 for a merge of which each branch begins elsewhere."""
        if not _is_merge(node.layer):
            return node.inputs[0]
        free = [each for each in node.inputs if each not in self.placed or each == start]
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
        node = self.nodes[at]
        channels = self.nodes[before].shape.channels if before >= 0 else -1
        if not _is_merge(node.layer):
            return [PlacedTerm(leaf(node), at, channels)]
        branches = [self.chain(each, before) for each in node.inputs]
        operator = SIGNS[type(node.layer)]
        moved = self._unnested(branches, before)
        keeps = before >= 0 and self.nodes[before].shape == node.shape
        return [*moved, PlacedTerm(MergeTerm(operator, _ordered(operator, branches), keeps_shape=keeps), at, channels)]

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
        start = PlacedTerm(StartTerm(Link(before)), before, -1)
        for at, branch in enumerate(branches):
            branches[at] = () if at == long else (start, *branch)
        return moved

    def _dips(self, branch: TermChain, before: int) -> bool:
        """Whether a branch goes through smaller maps than those at its ends."""
        if not branch:
            return False
        ends = (self.nodes[before], self.nodes[branch[-1].node])
        if not all(each.shape.spatial for each in ends):
            return False
        least = min(each.shape.spatial for each in ends)
        return any(self.nodes[step.node].shape.spatial < least for step in branch)


def output_names(graph: Graph) -> list[str]:
    """Return names for the outputs that are no taps: theirs, as far as they are names and unlike."""
    first = graph.output_name or "y"
    return _unique([first, *(each.name for each in graph.taps if not each.is_tap)], set())


def _unique(names: Sequence[str], taken: Set[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        plain = re.sub(r"\W", "_", name, flags=re.ASCII).lstrip("_0123456789") or "y"
        numbered = (plain, *(f"{plain}_{number}" for number in range(2, len(names) + len(taken) + 3)))
        found.append(next(each for each in numbered if each not in taken and each not in found))
    return found


def _tapped(chain: TermChain, output: Output, name: str, body: TermChain) -> TermChain:
    """The chain with a tap behind the value from which it starts, or at the end where that is none of its steps."""
    start = body[0].node if body else output.node
    at = next((at for at, step in enumerate(chain) if step.node == start), len(chain) - 1)
    is_here = chain[at].node == start and len(body) > 1
    body = body[1:] if is_here else body or (PlacedTerm(StartTerm(Link(output.node)), output.node, -1),)
    tap = PlacedTerm(TapTerm(name, output.training_only, body), chain[at].node, chain[at].channels)
    return (*chain[: at + 1], tap, *chain[at + 1 :])


def leaf(node: Node) -> LayerTerm:
    """Return a layer as a term."""
    if not node.inputs:
        return LayerTerm(type(node.layer), (("volume", str(node.shape)),))
    options = tuple([(name, getattr(node.layer, name)) for name in _options(node.layer)])
    return LayerTerm(type(node.layer), options, tuple([Link(each) for each in node.inputs[1:]]))


def _options(layer: Layer) -> list[str]:
    return [name for name, rule in layer.options().items() if rule.type != "reference"] + [
        rule.like for rule in layer.options().values() if rule.like
    ]


def _is_merge(layer: Layer) -> bool:
    return layer.ROLE == "merge"


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


def _dominators(graph: Graph) -> dict[int, int]:
    """The immediate dominator of each node; of the inputs -1, where all begins."""
    whole = graph.digraph.copy()
    whole.add_node(-1)
    whole.add_edges_from((-1, node.index) for node in graph.nodes if not node.inputs)
    found: dict[int, int] = dict(cast("Any", nx).immediate_dominators(whole, -1))
    return found
