"""Write regions as chains: a module contains chains of its layers and of the modules in it, each in one piece.

A value that is read elsewhere is a `NameRef`. It has the name of the layer or module that returns it, if that has one,
or else a second name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import networkx as nx

from cnndsl.graph import Graph, Output
from cnndsl.importers.raising.again import applied_again
from cnndsl.importers.raising.chains import item
from cnndsl.importers.raising.nesting import NestedItem
from cnndsl.importers.raising.regions import ModuleRegion, bits
from cnndsl.importers.raising.scopes import in_order, name_values
from cnndsl.importers.raising.stars import DenseRun, dense_run
from cnndsl.importers.raising.statements import Statements, StatementWriter
from cnndsl.importers.raising.straight import straight
from cnndsl.importers.raising.terms import (
    AgainTerm,
    ChainsTerm,
    GroupTerm,
    Link,
    PlacedTerm,
    StartTerm,
    TapTerm,
    TermChain,
)


class ModuleChains:
    """The contents of one region, as chains. `exports` are the names, inside it, of values read from outside."""

    def __init__(self, graph: Graph, region: ModuleRegion) -> None:
        self.graph, self.region = graph, region
        self.nodes = graph.nodes
        self.inner: Sequence[ModuleChains] = [ModuleChains(graph, each) for each in region.children]
        self.place = {at: each for each in self.inner for at in bits(each.region.nodes)}
        self.taps = [] if region.path else [TapOfModule(self, each) for each in graph.taps if each.is_tap]
        self.tapped = {at for each in self.taps if each.head for at in bits(each.head.region.nodes)}
        """The nodes in the heads of auxiliary outputs."""
        self.outputs = frozenset((*graph.main_outputs, *(each.node for each in graph.taps)))
        self.results = self._results()
        """The values that are read outside the module."""
        self.ends = self._ends()
        """The results that nothing in the module reads; the last one is the main result."""
        self.read = self._read()
        """The values that the module reads from outside, its entry value first."""
        self.run: DenseRun | None = None
        """Modules that each merge those before them; this module is one of them or contains them."""
        if (run := self._run()) is not None:
            self._joins(run)
        self.exports: dict[int, str] = {}
        self.names: set[str] = set()
        """The names in the module, and in the modules in it."""

    def _run(self) -> DenseRun | None:
        names = {each.main: each.region.name for each in self.inner}
        found = dense_run(names, [self.nodes[at] for at in bits(self.region.nodes)])
        if found is None:
            return None
        wanted = [*(self.place[each] for each in found.outputs[1:]), None]
        places = {count: self.place.get(at) for at, count in found.joins.items()}
        return found if [places[at] for at in range(1, len(wanted) + 1)] == wanted else None

    def _joins(self, run: DenseRun) -> None:
        """Record a run of modules in each of them; each then follows the one before it."""
        self.run = run
        before = run.root
        for node in run.outputs:
            inner = self.place[node]
            inner.run = run
            inner.read = [before, *(each for each in inner.read if each != before)]
            before = node

    def is_input(self, at: int) -> bool:
        """Return whether a node is one of several inputs, which are separate chains."""
        return at < len(self.graph.inputs) > 1

    def _results(self) -> list[int]:
        readers = self.graph.readers
        return [
            at
            for at in bits(self.region.nodes)
            if at in self.outputs or at in self.region.shown or any(each not in self.region for each in readers[at])
        ]

    def _ends(self) -> list[int]:
        readers = self.graph.readers
        if not self.region.path:
            return sorted(self.graph.main_outputs, key=lambda at: (not any(readers[at]), self._is_main(at), at))
        found = [at for at in self.results if not any(each in self.region for each in readers[at])] or self.results
        return sorted(found, key=lambda at: (self._is_main(at), at))

    @property
    def main(self) -> int:
        """Return the main result."""
        return self.ends[-1]

    def _read(self) -> list[int]:
        found: dict[int, int] = {}
        for node in bits(self.region.nodes):
            for at in self.nodes[node].inputs:
                if at not in self.region:
                    found[at] = found.get(at, 0) | 1 << node
        return sorted(found, key=lambda at: (-self._reach(found[at]), -at))

    @property
    def height(self) -> int:
        """Return how deep modules in it nest."""
        return 1 + max((each.height for each in self.inner), default=-1)

    def body(self) -> TermChain:
        """Return its body."""
        items, placed = self._items()
        start = 0 if self.region.path else -1
        chains = self._statements(items, placed, start)
        if not in_order(chains, self):
            chains = straight(items, start, self.ends, placed)
        if self.run is not None and self.main == self.run.outputs[0]:
            chains[0] = (chains[0][0], (PlacedTerm(self.run.term(1), -1, -1), *chains[0][1]))
        chains[-1] = (chains[-1][0], with_taps(chains[-1][1], self.taps))
        named = name_values(chains, self)
        if len(named) == 1 and not named[0][0]:
            return named[0][1]
        return (PlacedTerm(ChainsTerm(named), self.main, -1),)

    def unit(self, at: int) -> ModuleChains | int:
        """Return the module in it that contains a node; the node itself if there is none."""
        return self.place.get(at, at)

    def _is_main(self, at: int) -> bool:
        inner = self.place.get(at)
        return inner is None or inner.main == at

    def _reach(self, readers: int) -> int:
        """Return how many nodes in it depend on some of its nodes."""
        reached = readers
        for at in bits(self.region.nodes):
            if any(reached >> each & 1 for each in self.nodes[at].inputs):
                reached |= 1 << at
        return reached.bit_count()

    def _statements(self, items: list[NestedItem], placed: list[int], start: int) -> Statements:
        writer = StatementWriter(items, placed, {each.main: each.results for each in self.inner})
        found = writer.main(self.main, start)
        taps = [each.tap.node for each in self.taps if each.head is None]
        for node in (*self.ends[:-1], *taps):
            further = writer.further(node)
            if further:
                found = writer.inserted(found, further)
        return found

    def _items(self) -> tuple[list[NestedItem], list[int]]:
        """Return its layers and modules in an executable order, after the values that they read from outside, and the
        numbers of the items that no chain contains."""
        items: list[NestedItem] = []
        numbers: dict[int, int] = {}

        def add(made: NestedItem) -> None:
            numbers[made.node] = len(items)
            items.append(made)

        for at in self.read:
            add(NestedItem(at, (), self.nodes[at].shape))
        placed = list(range(1, len(items)))
        for unit in self._ordered():
            if isinstance(unit, int) and self.run is not None and unit in self.run.joins:
                before = numbers.get(self.run.outputs[-1], 0)
                term = self.run.term(0 if self.run.outputs[-1] in self.place else 1)
                add(NestedItem(unit, (before,), self.nodes[unit].shape, term))
                continue
            if isinstance(unit, int):
                made = item(self.nodes[unit], self.region.layers.get(unit, ""))
                inputs = tuple([numbers[at] for at in made.inputs])
                first = applied_again(made.name)
                term, name = (AgainTerm(first), "") if first else (made.term, made.name)
                add(NestedItem(made.node, inputs, made.shape, term, made.operator, name))
                placed += [numbers[unit]] if self.is_input(unit) else []
                continue
            first = applied_again(unit.region.name)
            term = AgainTerm(first) if first else GroupTerm(unit.body(), unit.region.path)
            add(
                NestedItem(
                    unit.main,
                    tuple([numbers[at] for at in (unit.read[:1] if unit.run else unit.read)]),
                    self.nodes[unit.main].shape,
                    term,
                    name="" if first else unit.region.name,
                )
            )
            for at in unit.results:
                if at != unit.main:
                    add(NestedItem(at, (numbers[unit.main],), self.nodes[at].shape))
                    placed.append(numbers[at])
        return items, placed

    def _ordered(self) -> list[ModuleChains | int]:
        """Return its layers and modules, each after those that it reads."""
        joined: nx.DiGraph[ModuleChains | int] = nx.DiGraph()
        for node in bits(self.region.nodes):
            if node in self.tapped:
                continue
            here = self.unit(node)
            joined.add_node(here)
            for at in self.nodes[node].inputs:
                if at in self.region and (there := self.unit(at)) != here:
                    joined.add_edge(there, here)
        ordered = cast("Any", nx).lexicographical_topological_sort
        return list(ordered(joined, key=_first))


def _first(unit: ModuleChains | int) -> int:
    return unit if isinstance(unit, int) else next(bits(unit.region.nodes))


class TapOfModule:
    """An auxiliary output and the module that is its head, which nothing else reads; None if there is none."""

    def __init__(self, module: ModuleChains, tap: Output) -> None:
        self.tap, self.head = tap, None
        unit = module.unit(tap.node)
        if isinstance(unit, ModuleChains) and unit.results == [tap.node] and not module.graph.readers[tap.node]:
            self.head = unit

    @property
    def entry(self) -> int:
        """Return the value that its head reads; -1 if it has none."""
        return self.head.read[0] if self.head else -1

    def term(self, has_entry: bool) -> PlacedTerm:
        """Return it as a step that continues from the current value, or else begins with a reference."""
        node = self.tap.node
        if self.head is None:
            body = (PlacedTerm(StartTerm(Link(node)), node, -1),)
            return PlacedTerm(TapTerm(self.tap.name, self.tap.training_only, body), node, -1)
        entry = self.entry
        start = () if has_entry else (PlacedTerm(StartTerm(Link(entry)), entry, -1),)
        group = GroupTerm((*start, *self.head.body()), self.head.region.path)
        channels = self.head.nodes[entry].shape.channels if has_entry else -1
        body = (PlacedTerm(group, node, channels),)
        return PlacedTerm(TapTerm(self.head.region.name, self.tap.training_only, body), node, -1)


def with_taps(chain: TermChain, taps: Sequence[TapOfModule]) -> TermChain:
    """Return a chain with auxiliary outputs in order: after the values that their heads read, or all at its end."""
    places = [next((at for at, step in enumerate(chain) if step.node == each.entry), -1) for each in taps]
    is_there = min(places, default=-1) >= 0 and places == sorted(places)
    whole = len(chain)
    for at, each in reversed([*zip(places, taps, strict=True)]):
        place = at + 1 if is_there else whole
        chain = (*chain[:place], each.term(has_entry=is_there), *chain[place:])
    return chain
