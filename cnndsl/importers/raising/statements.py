"""The chains of a module: the chain of its main value, split where another chain must come first."""

from __future__ import annotations

from cnndsl.importers.raising.nesting import ChainNester, NestedItem
from cnndsl.importers.raising.terms import Link, MergeTerm, PlacedTerm, StartTerm, TermChain
from cnndsl.importers.raising.walks import inner, links

Statements = list[tuple[int, TermChain]]
"""Chains, each with the node whose value it returns."""


class StatementWriter:
    """Writes the items of a module as chains.

    `holds` maps each node to the nodes that are available once it is written, namely those that a module returns.
    `inside` contains all nodes of the module.
    """

    def __init__(self, items: list[NestedItem], placed: list[int], holds: dict[int, list[int]]) -> None:
        self.items, self.holds = items, holds
        self.nester = ChainNester(items, placed)
        self.numbers = {each.node: at for at, each in enumerate(items)}
        self.units = {inside: unit for unit, several in holds.items() for inside in several}
        """The item that returns each value."""

    def main(self, node: int, start: int) -> Statements:
        """Return the chains of the main value, its own last."""
        return self._cut((node, self.nester.chain(self.numbers[node], start)), start)

    def further(self, node: int) -> Statements:
        """Return the chains of another value, which begin with references."""
        if self.numbers[node] in self.nester.placed:
            return []
        self.nester.placed.add(0)
        return self._cut((node, self.nester.chain(self.numbers[node], -1)), -1)

    def _cut(self, statement: tuple[int, TermChain], start: int) -> Statements:
        """Return the chain, split where a step reads a value that no chain has yet."""
        node, chain = statement
        found: Statements = []
        begun = 0
        for at, step in enumerate(chain):
            missing = [each for each in sorted(links((step,))) if self._is_missing(each)]
            before: Statements = []
            for each in missing:
                before += self.further(self.units.get(each, each))
            if not before:
                continue
            if at > begun:
                found.append((chain[at - 1].node, self._piece(chain, begun, at)))
                begun = at
            found += before
        last = self._piece(chain, begun, len(chain))
        is_late = found and not begun and start >= 0 and not isinstance(last[0].term, StartTerm)
        return [*found, (node, (self._reference(self.items[start].node), *last) if is_late else last)]

    def _piece(self, chain: TermChain, begin: int, end: int) -> TermChain:
        start = () if begin == 0 else (self._reference(chain[begin - 1].node),)
        return (*start, *chain[begin:end])

    def _reference(self, node: int) -> PlacedTerm:
        return PlacedTerm(StartTerm(Link(node)), node, -1)

    def _is_missing(self, node: int) -> bool:
        unit = self.units.get(node, node)
        is_here = unit in self.numbers and self._is_item(unit)
        return is_here and self.numbers[unit] not in self.nester.placed

    def inserted(self, statements: Statements, further: Statements) -> Statements:
        """Insert further chains as soon as all values that they read are available; the last chain stays last."""
        needed = {self.units.get(each, each) for _, chain in further for each in links(chain)} & self.numbers.keys()
        needed -= {step.node for _, chain in further for step in inner(chain) if not isinstance(step.term, StartTerm)}
        needed = {each for each in needed if self._is_item(each)}
        for at, (node, chain) in enumerate(statements):
            for number, step in enumerate(chain):
                needed.difference_update(_given(step))
                if needed:
                    continue
                if at + 1 < len(statements):
                    return [*statements[: at + 1], *further, *statements[at + 1 :]]
                if number + 1 < len(chain):
                    halves = (step.node, chain[: number + 1]), (node, self._piece(chain, number + 1, len(chain)))
                    return [*statements[:at], halves[0], *further, halves[1]]
        node = statements[-1][0]
        return [*statements, *further, (node, (self._reference(node),))]

    def _is_item(self, node: int) -> bool:
        item = self.items[self.numbers[node]]
        return item.term is not None or bool(item.operator)


def _given(step: PlacedTerm) -> set[int]:
    several = inner((step,)) if isinstance(step.term, MergeTerm) else (step,)
    return {each.node for each in several if not isinstance(each.term, StartTerm)}
