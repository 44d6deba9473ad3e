"""The model of a drawing of every layer, as Graphviz would lay it out: rows and merges with all their edges."""

from __future__ import annotations

from collections.abc import Iterator

from cnndsl.analysis.cost import costs
from cnndsl.emit.drawing.cards.ends import ends_of
from cnndsl.emit.drawing.cards.fold import step_edges, totals
from cnndsl.emit.drawing.cards.items import ForkItem, Signatures
from cnndsl.emit.drawing.cards.model import DrawingModel, SpineBranching, SpineRow
from cnndsl.emit.drawing.cards.opened import Opener
from cnndsl.emit.drawing.cards.rows import fused
from cnndsl.emit.drawing.cards.tags import LinkOf, Tagger, no_link
from cnndsl.emit.drawing.cards.words import shape_text
from cnndsl.graph.graph import Graph


def every_layer(graph: Graph, link: LinkOf = no_link) -> DrawingModel:
    """Return the model of a drawing of every layer. `link` returns the address of a location in the program."""
    given = frozenset([each.node for each in graph.taps] + ([graph.output] if graph.output_name else []))
    opener = Opener(Signatures(graph), given)
    rows = list(_rows(graph, given))
    steps = tuple(_step(graph, opener, row) for row in rows)
    homes = {node: at for at, row in enumerate(rows) for node in row}
    joined, links = step_edges(graph, homes, steps)
    figures = costs(graph)
    whole, training = totals(graph, figures)
    tagger = Tagger(graph, figures, link)
    return DrawingModel(
        name=graph.title,
        params=whole.params - training,
        macs=whole.macs,
        training_params=training,
        steps=steps,
        is_joined=joined,
        panels=(),
        links=links,
        ends=ends_of(graph, homes, ()),
        legend=(),
        description=f"Every layer of {graph.title}.",
        tags=tuple(tagger.step(step, row) for step, row in zip(steps, rows, strict=True)),
        output=-1 if graph.output_name else homes[graph.output],
    )


def _rows(graph: Graph, given: frozenset[int]) -> Iterator[tuple[int, ...]]:
    """Yield the rows of layers that share an outline, and merges."""
    pending: list[int] = []
    for node in graph:
        if node.layer.ROLE == "merge":
            yield from fused(graph, pending, given)
            pending = []
            yield (node.index,)
        else:
            pending.append(node.index)
    yield from fused(graph, pending, given)


def _step(graph: Graph, opener: Opener, row: tuple[int, ...]) -> SpineRow | SpineBranching:
    first, last = graph.nodes[row[0]], graph.nodes[row[-1]]
    if first.layer.ROLE == "merge":
        return SpineBranching(opener.branching(ForkItem(row[0], ())), shape_text(last.shape), last.path)
    return SpineRow(opener.row(row, is_open=False), shape_text(last.shape), not first.inputs, last.path)
