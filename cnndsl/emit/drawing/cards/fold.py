"""Convert the graph to the model of its drawing: the steps of the spine, their rows, and the blocks that are opened."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from cnndsl.analysis.cost import Cost, costs, total
from cnndsl.emit.drawing.cards.blocks import BlockBook
from cnndsl.emit.drawing.cards.ends import ends_of
from cnndsl.emit.drawing.cards.items import Signatures, TapItem, items_of, nodes_in
from cnndsl.emit.drawing.cards.legend import legend
from cnndsl.emit.drawing.cards.lines import CardMaker
from cnndsl.emit.drawing.cards.model import (
    DrawingModel,
    NetCard,
    SkipLink,
    SpineBranching,
    SpineStep,
)
from cnndsl.emit.drawing.cards.opened import Opener
from cnndsl.emit.drawing.cards.operands import operands
from cnndsl.emit.drawing.cards.panels import PanelMaker
from cnndsl.emit.drawing.cards.raw import RawCard, RawRow, RawStep, raw_nodes
from cnndsl.emit.drawing.cards.rows import fused
from cnndsl.emit.drawing.cards.shared import with_shared
from cnndsl.emit.drawing.cards.spine import SpineBuilder
from cnndsl.emit.drawing.cards.tags import LinkOf, Tagger, no_link
from cnndsl.emit.drawing.cards.ushape import u_shape
from cnndsl.emit.drawing.cards.values import further_values
from cnndsl.emit.drawing.cards.words import TIMES, shape_text
from cnndsl.graph.graph import Graph
from cnndsl.report.number_format import human

_MOST_ROWS = 3
"""If more edges lead from one step to another, they end at the card as a whole."""


def model(
    graph: Graph,
    opened: Sequence[str] = (),
    *,
    unfold: bool = False,
    levels: int | None = None,
    link: LinkOf = no_link,
) -> DrawingModel:
    """Return the model of a network's drawing.

    `opened` are names of parts whose blocks are opened in any case. With `unfold` nothing is folded. With `levels`
    parts of the program are opened down to that level, 1 being the top. `link` returns the address of a location in the
    program.
    """
    signatures = Signatures(graph)
    given = frozenset([each.node for each in graph.taps] + ([graph.output] if graph.output_name else []))
    figures = costs(graph)
    params = {node.index: figures[node.index].params for node in graph}
    builder = SpineBuilder(signatures, given, unfold=unfold, levels=levels, params=params)
    items = items_of(graph.tree)
    raw = with_missing(graph, builder.build(items), builder.taps)
    book = BlockBook(signatures)
    book.count(items)
    cards = CardMaker(graph, signatures, book, given, figures)
    for at, step in enumerate(raw):
        if isinstance(step, RawCard):
            cards.note(step, at)
    raw = cards.with_closed(raw)
    panels = PanelMaker(graph, signatures, book, given)
    homes = homes_of(raw)
    opener = Opener(signatures, given)
    beside = [panels.beside(each, homes) for each in _alike(builder.taps, signatures)]
    shown = panels.chosen(raw, opened)
    steps = with_shared(graph, figures, [cards.step(each, at, opener, panels.keys) for at, each in enumerate(raw)])
    tagger = Tagger(graph, figures, link)
    whole, training = totals(graph, figures)
    joined, links = step_edges(graph, homes, steps)
    labels = further_values(graph, homes, steps)
    return DrawingModel(
        name=graph.title,
        params=whole.params - training,
        macs=whole.macs,
        training_params=training,
        steps=steps,
        is_joined=joined,
        panels=(*shown, *beside),
        links=tuple(dict.fromkeys(_labelled(each, labels) for each in links)),
        carried=tuple((source, text) for (source, target), text in labels.items() if target == source + 1),
        ends=ends_of(graph, homes, beside),
        legend=legend(graph, [*shown, *beside], steps, raw),
        description=_description(graph, steps, whole, training),
        tags=tuple(tagger.step(step, raw_nodes(each)) for step, each in zip(steps, raw, strict=True)),
        u=None if opened or unfold or levels else tagger.bars(u_shape(graph)),
        output=-1 if graph.output_name else homes[graph.output],
    )


def with_missing(graph: Graph, steps: Sequence[RawStep], taps: Sequence[TapItem]) -> list[RawStep]:
    """Return the steps, preceded by the nodes that are in no part: further inputs."""
    shown = {node for step in steps for node in raw_nodes(step)} | {
        node for tap in taps for node in nodes_in(tap.chain)
    }
    missing = [node.index for node in graph if node.index not in shown]
    return [*(RawRow(each) for each in fused(graph, missing, ())), *steps]


def homes_of(steps: Sequence[RawStep]) -> dict[int, int]:
    """Return for each node the number of the step that it is in."""
    return {node: at for at, step in enumerate(steps) for node in raw_nodes(step)}


def _alike(taps: Sequence[TapItem], signatures: Signatures) -> list[list[TapItem]]:
    """Return the outputs beside the main line, with equal ones combined."""
    found: dict[object, list[TapItem]] = {}
    for tap in taps:
        found.setdefault((signatures.of(tap.chain), tap.training_only), []).append(tap)
    return list(found.values())


def totals(graph: Graph, figures: Mapping[int, Cost]) -> tuple[Cost, int]:
    """Return the cost of a network, and the parameters that exist in training only."""
    whole = total(figures[node.index] for node in graph)
    training = total(figures[node.index] for node in graph if node.training_only)
    forward = total(figures[node.index] for node in graph if not node.training_only)
    return Cost(weights=whole.weights, biases=whole.biases, macs=forward.macs), training.params


def step_edges(
    graph: Graph, homes: Mapping[int, int], steps: Sequence[SpineStep]
) -> tuple[tuple[bool, ...], tuple[SkipLink, ...]]:
    """Return which steps read the one before them, and the links over other steps."""
    joined = [False] * len(steps)
    links: dict[tuple[int, int, int], set[tuple[int, int]]] = {}
    rows = _rows_of(steps)
    sources = {
        (branch_source, step.element.node): at
        for step in steps
        if isinstance(step, SpineBranching)
        for at, branch_source in enumerate(step.element.sources)
        if branch_source >= 0
    }
    for node in graph:
        target = homes.get(node.index)
        for before in node.inputs if target is not None else ():
            source = homes.get(before)
            if source is None or target is None or source == target:
                continue
            step = steps[target]
            branch = sources.get((before, step.element.node), -1) if isinstance(step, SpineBranching) else -1
            if target == source + 1 and branch < 0:
                joined[target] = True
            else:
                ends = rows.get(node.index, -1), rows.get(before, -1)
                links.setdefault((source, target, branch), set()).add(ends)
    order = _order(graph, homes, {target for _, target, _ in links})
    found = [
        SkipLink(*each, row=row, start=start, operand=order.get(each[:2], -1))
        for each, ends in links.items()
        for row, start in _apart(ends)
    ]
    return tuple(joined), tuple(found)


def _order(graph: Graph, homes: Mapping[int, int], targets: Collection[int]) -> dict[tuple[int, int], int]:
    """Return the position of each step's value among the inputs of each other step, if their order matters."""
    nodes: dict[int, list[int]] = {target: [] for target in targets}
    for node, home in homes.items():
        if home in nodes:
            nodes[home].append(node)
    found: dict[tuple[int, int], int] = {}
    for target, inside in nodes.items():
        for place, before in enumerate(operands(graph, inside)):
            found.setdefault((homes.get(before, -1), target), place)
    return found


def _labelled(link: SkipLink, labels: Mapping[tuple[int, int], str]) -> SkipLink:
    """Return a link with its label, which stands for all edges between two steps."""
    label = labels.get((link.source, link.target), "")
    return replace(link, row=-1, start=-1, label=label) if label else link


def _rows_of(steps: Sequence[SpineStep]) -> dict[int, int]:
    """Return for each node of a card with several rows the number of its row."""
    cards = [step for step in steps if isinstance(step, NetCard) and step.table is None and len(step.lines) > 1]
    return {node: at for card in cards for at, line in enumerate(card.lines) for nodes in line.nodes for node in nodes}


def _apart(ends: Collection[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the rows at the ends of the edges between two steps; if there are many, the card as a whole."""
    rows, starts = ({end[at] for end in ends} for at in (0, 1))
    has_rows, has_starts = len(rows) <= _MOST_ROWS, len(starts) <= _MOST_ROWS
    return sorted({(row if has_rows else -1, start if has_starts else -1) for row, start in ends})


def _description(graph: Graph, steps: Sequence[SpineStep], whole: Cost, training: int) -> str:
    """Return a sentence for readers who don't see the drawing."""
    cards = [step for step in steps if isinstance(step, NetCard) and step.name]
    parts = ", ".join(f"{card.name}{f' {TIMES}{card.times}' if card.times > 1 else ''}" for card in cards)
    shapes = f"{shape_text(graph.input)} to {shape_text(graph.nodes[graph.output].shape)}"
    more = f", {human(whole.params)} in training" if training else ""
    figures = f"{human(whole.params - training)} parameters{more}, {human(whole.macs)} multiply-adds"
    return f"{graph.title}, from {shapes}: {figures}{f'; {parts}' if parts else ''}."
