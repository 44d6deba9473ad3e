"""Assign nodes to modules: a tree of regions, built from the paths of the nodes.

The path of a layer with tensors determines its module. For other layers the path is only a hint: a layer between two
layers of a module belongs to that module, whatever its path says. A region is convex: no path leaves and re-enters it.
A module that is not convex is dissolved, and its parts belong to the enclosing module under their paths, `convs.0`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

import networkx as nx

from cnndsl.graph import Graph
from cnndsl.importers.raising.again import applications, applied_again, are_alike, read_in_any


@dataclass(slots=True)
class ModuleRegion:
    """A module: its nodes as a bit set, its layers with tensors by their names in it, and the modules in it. `name` is
    its name in the enclosing module."""

    path: str
    name: str
    nodes: int
    layers: dict[int, str] = field(default_factory=dict[int, str])
    children: list[ModuleRegion] = field(default_factory=list["ModuleRegion"])
    shown: dict[int, int] = field(default_factory=dict[int, int])
    """Nodes that are read outside some application of the module, each with its number in the first application."""

    def __contains__(self, node: int) -> bool:
        return bool(self.nodes >> node & 1)


def regions(graph: Graph, lists: Set[str] = frozenset()) -> ModuleRegion:
    """Return the tree of modules of a graph; its root is the whole network.

    Args:
        graph: The graph.
        lists: The paths of modules that are never called themselves, only their children. A list that is not a chain is
            omitted.
    """
    return _RegionFinder(graph, lists).root()


def without_modules(graph: Graph) -> ModuleRegion:
    """Return a root without modules, in which each layer with tensors has its full path as its name."""
    named = [node.index for node in graph.nodes if has_name(graph, node.index)]
    return ModuleRegion("", "", (1 << len(graph.nodes)) - 1, {at: graph.nodes[at].path for at in named})


def has_name(graph: Graph, node: int) -> bool:
    """Return whether a node has an entry in a weights file."""
    found = graph.nodes[node]
    return found.weights_of >= 0 or any(each.persistent for each in graph.tensors(found))


def bits(nodes: int) -> Iterator[int]:
    """Yield the node numbers in a bit set."""
    while nodes:
        low = nodes & -nodes
        yield low.bit_length() - 1
        nodes ^= low


def _joined(several: Iterable[int]) -> int:
    found = 0
    for each in several:
        found |= each
    return found


class _RegionFinder:
    def __init__(self, graph: Graph, lists: Set[str]) -> None:
        self.graph, self.lists = graph, lists
        self.below, self.above = _ways(graph)
        self.named = [node.index for node in graph.nodes if has_name(graph, node.index)]
        self.modules: dict[str, set[str]] = defaultdict(set)
        """The child modules of each module, by path."""
        self.own: dict[str, list[int]] = defaultdict(list)
        """The layers with tensors that belong directly to each module."""
        self.weights: dict[str, int] = defaultdict(int)
        """All layers with tensors in a module, including those in its child modules."""
        for at in self.named:
            self._note(at)
        self.hints = self._hints()

    def root(self) -> ModuleRegion:
        """Return the region of the whole network."""
        whole = (1 << len(self.graph.nodes)) - 1
        return self._region("", "", whole)

    def _note(self, at: int) -> None:
        module = self.graph.nodes[at].path.rpartition(".")[0]
        self.own[module].append(at)
        self.weights[module] |= 1 << at
        while module:
            outer = module.rpartition(".")[0]
            self.modules[outer].add(module)
            self.weights[outer] |= 1 << at
            module = outer

    def _hints(self) -> Mapping[str, int]:
        """Return the layers without tensors that may belong to a module, or to a module in it."""
        found: dict[str, int] = defaultdict(int)
        inputs = {each.index for each in self.graph.inputs}
        for node in self.graph.nodes:
            if node.index in self.named or node.index in inputs:
                continue
            module = node.path.rpartition(".")[0]
            while module:
                if module in self.weights:
                    found[module] |= 1 << node.index
                module = module.rpartition(".")[0]
        return found

    def _region(self, path: str, name: str, nodes: int) -> ModuleRegion:
        made = ModuleRegion(path, name, nodes, {at: _last(self.graph.nodes[at].path, path) for at in self.own[path]})
        inside = {each: each for each in sorted(self.modules[path])}
        while True:
            found = self._pieces(inside, nodes)
            broken = self._broken(found, nodes) or self._unlike(found, path)
            if not broken:
                break
            for module in broken:
                del inside[module]
                inside |= {each: each for each in self.modules[module]}
                made.layers |= {at: _last(self.graph.nodes[at].path, path) for at in self.own[module]}
        for module, piece in found.items():
            made.children.append(self._region(module, _last(module, path), piece))
        outputs = {*self.graph.main_outputs, *(each.node for each in self.graph.taps)}
        for several in applications({each.name: [*bits(each.nodes)] for each in made.children}):
            _show(made, read_in_any(self.graph, several, outputs))
        return made

    def _unlike(self, pieces: Mapping[str, int], around: str) -> list[str]:
        """Return the modules that are applied several times with different layers."""
        listed = {_last(module, around): [*bits(piece)] for module, piece in pieces.items()}
        found: list[str] = []
        for name, nodes in listed.items():
            first = applied_again(name)
            if first and not (first in listed and are_alike(self.graph, listed[first], nodes)):
                found += [each for each in (name, first) if each in listed]
        return [f"{around}.{name}" if around else name for name in dict.fromkeys(found)]

    def _pieces(self, modules: Iterable[str], around: int) -> dict[str, int]:
        """Return the nodes of each module: the hull of its layers with tensors, and others that may belong to it."""
        found = {each: self._hull(self.weights[each]) for each in modules}
        taken = _joined(found.values())
        foreign = _joined(1 << at for at in self.named)
        for module, hull in found.items():
            others = (taken & ~hull) | (foreign & ~self.weights[module]) | ~around
            found[module] = self._with_hints(hull, self.hints.get(module, 0) & around & ~taken, others)
            taken |= found[module]
        return found

    def _with_hints(self, hull: int, hinted: int, others: int) -> int:
        whole = self._hull(hull | hinted)
        if not whole & others:
            return whole
        waiting = list(bits(hinted))
        is_new = True
        while is_new:
            is_new = False
            for at in waiting:
                wider = self._hull(hull | 1 << at) if not hull >> at & 1 and self._touches(hull, at) else 0
                if wider and not wider & others:
                    hull, is_new = wider, True
        return hull

    def _touches(self, hull: int, at: int) -> bool:
        around = (*self.graph.nodes[at].inputs, *self.graph.readers[at])
        return any(hull >> each & 1 for each in around)

    def _hull(self, nodes: int) -> int:
        """Return the smallest convex set that contains these nodes."""
        found = list(bits(nodes))
        return _joined(self.below[at] for at in found) & _joined(self.above[at] for at in found)

    def _broken(self, pieces: Mapping[str, int], around: int) -> list[str]:
        """Return the modules that are not convex, or that depend on each other."""
        foreign = _joined(1 << at for at in self.named)
        torn = [each for each, piece in pieces.items() if piece & foreign & ~self.weights[each]]
        if torn:
            return torn
        both = [
            min(one, other, key=lambda each: pieces[each].bit_count())
            for at, one in enumerate(pieces)
            for other in list(pieces)[at + 1 :]
            if pieces[one] & pieces[other]
        ]
        return (
            both[:1]
            or self._in_circles(pieces, around)
            or [each for each in pieces if self._is_scattered(pieces[each]) or self._is_loose(each, pieces[each])]
        )

    def _is_loose(self, module: str, piece: int) -> bool:
        """Return whether a list of modules reads several values, or several of its values are read."""
        if module not in self.lists:
            return False
        read = {at for node in bits(piece) for at in self.graph.nodes[node].inputs if not piece >> at & 1}
        return len(read) > 1 or len(self._results(piece)) > 1

    def _results(self, piece: int) -> list[int]:
        """Return the values of a module that are read outside it."""
        outputs = {*self.graph.main_outputs, *(each.node for each in self.graph.taps)}
        readers = self.graph.readers
        return [at for at in bits(piece) if at in outputs or any(not piece >> each & 1 for each in readers[at])]

    def _in_circles(self, pieces: Mapping[str, int], around: int) -> list[str]:
        """Return the smallest of the modules that read each other's values."""
        place = {at: module for module, piece in pieces.items() for at in bits(piece)}
        joined: nx.DiGraph[object] = nx.DiGraph()
        for number in bits(around):
            here = place.get(number, number)
            inputs = self.graph.nodes[number].inputs
            joined.add_edges_from((there, here) for at in inputs if (there := place.get(at, at)) != here)
        for circle in nx.strongly_connected_components(joined):
            modules = [each for each in circle if isinstance(each, str)]
            if len(circle) > 1:
                return [min(modules, key=lambda each: pieces[each].bit_count())]
        return []

    def _is_scattered(self, piece: int) -> bool:
        """Return whether a module has several results that come from unrelated parts."""
        nodes = self.graph.nodes
        results = self._results(piece)
        if len(results) < 2:
            return False
        reached = todo = piece & -piece
        while todo:
            at = next(bits(todo))
            todo &= ~(1 << at)
            around = _joined(1 << each for each in (*nodes[at].inputs, *self.graph.readers[at])) & piece & ~reached
            reached |= around
            todo |= around
        return reached != piece


def _show(region: ModuleRegion, shown: Mapping[int, int]) -> None:
    """Record in the modules of a region the values that are read outside another application of them."""
    for each in region.children:
        each.shown.update({at: first for at, first in shown.items() if at in each})
        _show(each, shown)


def _ways(graph: Graph) -> tuple[Sequence[int], Sequence[int]]:
    """Return for each node its descendants and its ancestors, each set including the node itself."""
    above: list[int] = []
    for node in graph.nodes:
        above.append(_joined(above[at] for at in node.inputs) | 1 << node.index)
    below = [1 << node.index for node in graph.nodes]
    for node in reversed(graph.nodes):
        for at in node.inputs:
            below[at] |= below[node.index]
    return below, above


def _last(path: str, around: str) -> str:
    """Return a path relative to that of the enclosing module."""
    return path[len(around) + 1 :] if around else path
