"""Builds a configuration table from networks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from cnndsl.analysis.execution import unknown
from cnndsl.analysis.region import GraphFacts
from cnndsl.emit.configuration.alignment import aligned
from cnndsl.emit.configuration.model import ColumnTotals, ConfigurationRow, ConfigurationTable, StageBlock
from cnndsl.emit.configuration.stages import stages
from cnndsl.emit.configuration.titles import listed
from cnndsl.emit.drawing.cards.words import layer_text, word_of
from cnndsl.graph.graph import Graph
from cnndsl.graph.parts import AgainPart
from cnndsl.graph.traversal import walk
from cnndsl.values import show


def configuration(graphs: Sequence[Graph]) -> ConfigurationTable:
    """Return the table of some networks, one column for each in their order."""
    is_family = len({graph.source.name for graph in graphs}) == 1
    norms = [_kinds(graph, "normalisation") for graph in graphs]
    shown = set[str]().union(*norms) - set(norms[0]).intersection(*norms)
    rows = aligned([stages(graph, shown) for graph in graphs], by_name=is_family)
    return ConfigurationTable(
        graphs[0].title if is_family else "",
        _heads(graphs, is_family=is_family),
        rows,
        tuple(map(_totals, graphs)),
        tuple(_notes(graphs, rows, shown)),
    )


def _kinds(graph: Graph, role: str) -> dict[str, str]:
    """Return the layer types with a role, each with its name in the table."""
    return {node.kind: layer_text(node, 0) for node in graph.layers if role == node.layer.ROLE}


def _heads(graphs: Sequence[Graph], *, is_family: bool) -> tuple[str, ...]:
    """Return the column headings: the network, and the settings that differ if several come from one file."""
    texts = [_differing(graph, [each for each in graphs if each.source.name == graph.source.name]) for graph in graphs]
    if is_family and all(texts):
        return tuple(texts)
    both = zip(graphs, texts, strict=True)
    return tuple(f"{graph.title} ({text})" if text else graph.title for graph, text in both)


def _differing(graph: Graph, others: Sequence[Graph]) -> str:
    """Return the settings of a network in which others from its file differ; an unset input is the file's."""
    texts: list[str] = []
    for name in dict.fromkeys(name for other in others for name in other.settings):
        values = [other.settings.get(name, other.input.hwc) for other in others]
        if len(set(values)) > 1:
            texts.append(f"{name}={show(graph.settings.get(name, graph.input.hwc))}")
    return ", ".join(texts)


def _totals(graph: Graph) -> ColumnTotals:
    whole = GraphFacts(graph, unknown).whole()
    return ColumnTotals(whole.cost.params, whole.cost.macs, whole.receptive_field, whole.receptive_field_at_most)


def _notes(graphs: Sequence[Graph], rows: Sequence[ConfigurationRow], shown: set[str]) -> list[str]:
    """Return the notes that supplement the cells: which blocks start with a stride, and which layers have no line."""
    found: list[str] = []
    if strided := dict.fromkeys(name for name, _ in _first_strided(rows)):
        found.append(f"The first block of {listed(list(strided))} has a stride of {' or '.join(_strides(rows))}.")
    words: dict[str, str] = {}
    for graph in graphs:
        words |= {kind: word for kind, word in _kinds(graph, "normalisation").items() if kind not in shown}
        words |= _kinds(graph, "activation")
        arranged = (node.kind for node in graph.layers if node.layer.ROLE == "arrangement")
        words |= {kind: word_of(kind) if word_of(kind) != kind else kind.lower() for kind in arranged}
    if words:
        found.append(f"Not shown: {listed(list(dict.fromkeys(words.values())))}.")
    if again := dict.fromkeys(
        part.path for graph in graphs for part in walk(graph.tree) if isinstance(part, AgainPart)
    ):
        found.append(f"Listed once, but applied again with the same weights: {listed(list(again))}.")
    if any(map(_look_alike, (cell for row in rows for cell in row.cells))):
        found.append("Blocks that are listed apart with the same lines differ in layers that are not shown.")
    outputs = dict.fromkeys(each.name for graph in graphs for each in graph.taps if each.is_tap)
    if outputs:
        found.append(f"Auxiliary outputs have no row, but their parameters are counted: {listed(list(outputs))}.")
    return found


def _look_alike(cell: Sequence[StageBlock]) -> bool:
    """Return whether a cell has two consecutive blocks with the same lines."""
    return any(len(one.lines) > 1 and one.texts == other.texts for one, other in pairwise(cell))


def _first_strided(rows: Sequence[ConfigurationRow]) -> Iterator[tuple[str, StageBlock]]:
    """Yield the blocks with a stride that the equal blocks after them lack, each with the name of its row."""
    for row in rows:
        yield from ((row.name or row.output, block) for cell in row.cells for block in cell if block.is_first_strided)


def _strides(rows: Sequence[ConfigurationRow]) -> list[str]:
    """Return the strides of these blocks, each once."""
    every = (line.stride.removeprefix("/") for _, block in _first_strided(rows) for line in block.lines if line.stride)
    return list(dict.fromkeys(every))
