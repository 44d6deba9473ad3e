"""When the dashed parts of a block are there whose instances are the rows of a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnndsl.emit.drawing.cards.blocks import matched
from cnndsl.emit.drawing.cards.items import UnitItem, nodes_in
from cnndsl.emit.drawing.cards.model import Branching, FusedRow, InsetBox, PanelElement, RepeatFrame
from cnndsl.emit.drawing.cards.raw import value_text
from cnndsl.graph.graph import Graph
from cnndsl.values import Value


def conditions(
    graph: Graph,
    whole: UnitItem,
    several: Sequence[tuple[UnitItem, Sequence[Value]]],
    names: Sequence[str],
    elements: Sequence[PanelElement],
) -> tuple[str, ...]:
    """Return a note for each dashed part of an opened block: `identity where the shape stays`."""
    turns = [turn for turn, _ in several]
    pairs = matched(graph, whole, turns)
    found: dict[str, None] = {}
    for label, node in _dashed(elements):
        there = set(pairs[node])
        rule = _rule(there, [row for _, row in several], names)
        if not rule and there == {at for at, turn in enumerate(turns) if _keeps(graph, turn)}:
            rule = "where the shape stays"
        found[f"{label} {rule or 'not in every block'}"] = None
    return tuple(found)


def _dashed(elements: Sequence[PanelElement]) -> Iterator[tuple[str, int]]:
    """The dashed parts: what they are called, and one of their nodes."""
    for each in elements:
        match each:
            case FusedRow():
                if optional := [cell for cell in each.cells if cell.is_optional]:
                    yield optional[0].text.partition(",")[0], optional[0].node
            case InsetBox():
                if each.is_optional:
                    yield each.title, each.nodes[0]
            case RepeatFrame():
                yield from _dashed(each.elements)
            case Branching():
                for branch in each.branches:
                    yield from _dashed(branch)
                if any(each.optional):
                    yield "identity", each.node


def _rule(there: set[int], rows: Sequence[Sequence[Value]], names: Sequence[str]) -> str:
    """The column of the table that tells the instances that have a part from those that lack it."""
    for place, name in enumerate(names):
        having = {row[place] for at, row in enumerate(rows) if at in there}
        lacking = {row[place] for at, row in enumerate(rows) if at not in there}
        if having & lacking:
            continue
        if all(isinstance(each, bool) for each in having | lacking):
            return f"where {name}" if True in having else f"where not {name}"
        if len(lacking) == 1:
            return f"not where {name} = {value_text(min(lacking, key=str))}"
        if len(having) == 1:
            return f"where {name} = {value_text(min(having, key=str))}"
    return ""


def _keeps(graph: Graph, turn: UnitItem) -> bool:
    nodes = nodes_in(turn.chain)
    first = graph.nodes[nodes[0]]
    return bool(first.inputs) and graph.shapes(first)[0] == graph.nodes[nodes[-1]].shape
