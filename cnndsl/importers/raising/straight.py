"""Write items one after the other: the form of a module whose values do not nest.

A chain continues as long as each item reads the one before it; otherwise a new chain begins.
"""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.importers.raising.nesting import NestedItem
from cnndsl.importers.raising.terms import Link, MergeTerm, PlacedTerm, StartTerm, TermChain


def straight(
    items: Sequence[NestedItem], start: int, ends: Sequence[int], apart: Sequence[int]
) -> list[tuple[int, TermChain]]:
    """Return chains of items in their order, the main end last.

    Args:
        items: The items to write; an item without a term or an operator is a value from outside.
        start: The number of the entry item, -1 if the items begin with an input.
        ends: The nodes whose values no item reads, the main one last.
        apart: The numbers of items that no chain contains; several inputs are among them.
    """
    found: list[tuple[int, list[PlacedTerm]]] = []
    before = start
    for at, item in enumerate(items):
        if (item.term is None and not item.operator) or (at in apart and not item.inputs):
            continue
        if item.term is not None and not item.inputs and found:
            found.append((item.node, []))
        elif item.inputs and before not in item.inputs[: None if item.operator else 1]:
            begin = [] if item.operator else [_reference(items[item.inputs[0]])]
            found.append((item.node, begin))
            before = -1
        elif not found:
            found.append((item.node, []))
        entering = items[before].shape if before >= 0 else None
        channels = entering.channels if entering else -1
        step = PlacedTerm(item.term, item.node, channels, item.name) if item.term else _merge(item, items, before)
        found[-1] = (item.node, [*found[-1][1], step])
        before = at
    if found[-1][0] != ends[-1]:
        end = next(each for each in items if each.node == ends[-1])
        found.append((end.node, [_reference(end)]))
    return [(node, tuple(chain)) for node, chain in found]


def _merge(item: NestedItem, items: Sequence[NestedItem], before: int) -> PlacedTerm:
    branches: list[TermChain] = [() if at == before else (_reference(items[at]),) for at in item.inputs]
    channels = items[before].shape.channels if before >= 0 else -1
    return PlacedTerm(MergeTerm(item.operator, tuple(branches)), item.node, channels)


def _reference(item: NestedItem) -> PlacedTerm:
    return PlacedTerm(StartTerm(Link(item.node)), item.node, -1)
