"""Cards for a `for` that varies three or more names: a column for each name, a line for each row."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.emit.drawing.cards.items import UnitItem, nodes_in
from cnndsl.emit.drawing.cards.model import CardTable, ColumnKind
from cnndsl.emit.drawing.cards.raw import RawCard, value_text
from cnndsl.emit.drawing.cards.words import dims_text, stride_of, width_of, word_of
from cnndsl.graph.graph import Graph
from cnndsl.values import Value


def card_table(graph: Graph, card: RawCard) -> CardTable:
    """Return the table of a card: the names that vary, equal neighbours merged, sizes of the map where they change."""
    turns = [each for each in card.parts if isinstance(each, UnitItem)]
    shown = [at for at in range(len(card.names)) if len({str(row[at]) for row in card.rows}) > 1]
    kinds: tuple[ColumnKind, ...] = tuple(_kind(graph, turns, [row[at] for row in card.rows]) for at in shown)
    rows: list[tuple[str, ...]] = []
    sizes: list[str] = []
    times: list[int] = []
    before = ""
    for turn, values in zip(turns, card.rows, strict=True):
        cells = tuple(_cell(values[at], kind) for at, kind in zip(shown, kinds, strict=True))
        spatial = graph.nodes[nodes_in(turn.chain)[-1]].shape.spatial
        size = dims_text(spatial, len(spatial)) if spatial else "vector"
        if rows and rows[-1] == cells and size == before:
            times[-1] += 1
            continue
        rows.append(cells)
        sizes.append("" if size == before else size)
        times.append(1)
        before = size
    return CardTable(tuple(card.names[at] for at in shown), kinds, tuple(rows), tuple(sizes), tuple(times))


def _kind(graph: Graph, turns: Sequence[UnitItem], column: Sequence[Value]) -> ColumnKind:
    """Return how a column is drawn: widths as bars, yes and no as chips, strides left empty if they are 1."""
    if all(isinstance(each, bool) for each in column):
        return "flag"
    if not all(isinstance(each, int) for each in column):
        return "text"
    widths = [{width_of(graph.nodes[node].layer) for node in nodes_in(turn.chain)} for turn in turns]
    found = sum(value in each for value, each in zip(column, widths, strict=True))
    if found > len(turns) // 2:
        return "bar"
    strides = [{stride_of(graph.nodes[node].layer) or (1,) for node in nodes_in(turn.chain)} for turn in turns]
    if all(
        any(each and set(each) == {value} for each in several) for value, several in zip(column, strides, strict=True)
    ):
        return "stride" if 1 in column and all(isinstance(value, int) and value <= 4 for value in column) else "text"
    return "text"


def _cell(value: Value, kind: ColumnKind) -> str:
    if kind == "flag":
        return "yes" if value else ""
    if kind == "stride":
        return "" if value == 1 else f"/{value_text(value)}"
    text = word_of(value_text(value))
    return "" if text == "no" else text
