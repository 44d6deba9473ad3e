"""Draws a network with errors: everything that is written, what fails, and the messages.

Layers before the failure are drawn as usual, layers after it as ghosts. The block that fails is opened, with its own
numbers instead of letters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cnndsl.analysis.cost import costs
from cnndsl.emit.drawing.cards.blocks import BlockBook
from cnndsl.emit.drawing.cards.crossed import wires
from cnndsl.emit.drawing.cards.fold import homes_of, step_edges, with_missing
from cnndsl.emit.drawing.cards.frames import iterations
from cnndsl.emit.drawing.cards.items import (
    DrawnItem,
    ForkItem,
    ItemChain,
    RepeatItem,
    Signatures,
    TapItem,
    UnitItem,
    items_of,
    nodes_in,
)
from cnndsl.emit.drawing.cards.lines import CardMaker
from cnndsl.emit.drawing.cards.model import BlockPanel, DrawingModel, FaultNote, NetCard
from cnndsl.emit.drawing.cards.opened import Opener
from cnndsl.emit.drawing.cards.panels import PanelMaker
from cnndsl.emit.drawing.cards.raw import RawCard, RawStep, raw_nodes, value_text
from cnndsl.emit.drawing.cards.spine import SpineBuilder
from cnndsl.emit.drawing.cards.states import StatePainter
from cnndsl.emit.drawing.cards.tags import LinkOf, Tagger, no_link
from cnndsl.emit.drawing.cards.terms import part_name
from cnndsl.emit.drawing.cards.wiring import entry_of, is_nested
from cnndsl.emit.drawing.cards.words import shape_text
from cnndsl.errors import MessageText
from cnndsl.graph.partial import PartialGraph

_LARGE = 24
"""The number of layers above which a part is not opened as a whole if a block in it fails."""


def failure(partial: PartialGraph, messages: Sequence[MessageText], link: LinkOf = no_link) -> DrawingModel:
    """Return the drawing of a network with errors. `messages` holds one for each error, by its number in `partial`."""
    graph = partial.graph
    drawn = _Drawn(partial)
    painter = StatePainter(partial)
    homes = homes_of(drawn.raw)
    steps = tuple(map(painter.step, drawn.steps))
    joined, links = step_edges(graph, homes, steps)
    loose = {homes[node] for node in partial.loose if node in homes}
    tagger = Tagger(graph, drawn.figures, link, partial.unknown | partial.failing.keys())
    node = _first(partial)
    panel = drawn.panel(node, messages[partial.failing[node]].frames if node >= 0 else ())
    faults = _faults(partial, messages, homes, panel)
    first = messages[0]
    return DrawingModel(
        name=graph.title,
        params=0,
        macs=0,
        training_params=0,
        steps=steps,
        is_joined=tuple(each and at not in loose for at, each in enumerate(joined)),
        panels=(painter.panel(panel),) if panel else (),
        links=tuple(each for each in links if each.target not in loose),
        ends=(),
        legend=(),
        description=f"{graph.title} fails: {' '.join(first.message)} ({first.place}).",
        tags=tuple(tagger.step(step, raw_nodes(each)) for step, each in zip(steps, drawn.raw, strict=True)),
        faults=faults,
    )


def _first(partial: PartialGraph) -> int:
    """Return the node that fails with the first error, -1 if there is none."""
    return min(partial.failing, key=lambda node: (partial.failing[node], node), default=-1)


def _faults(
    partial: PartialGraph, messages: Sequence[MessageText], homes: Mapping[int, int], panel: BlockPanel | None
) -> tuple[FaultNote, ...]:
    """Return the errors with the steps at which they occur; the opened block belongs to the first one."""
    nodes = {number: node for node, number in partial.failing.items()}
    found: list[FaultNote] = []
    for number, message in enumerate(messages):
        node = nodes.get(number, -1)
        is_opened = panel is not None and node in panel.nodes
        step = panel.steps[0] if is_opened and panel is not None and panel.steps else homes.get(node, -1)
        found.append(FaultNote(message, step, is_opened))
    return tuple(found)


class _Drawn:
    """The steps of the spine as `fold.model` creates them, and the block drawn beside it."""

    def __init__(self, partial: PartialGraph) -> None:
        self._partial = partial
        graph = self._graph = partial.graph
        self._signatures = Signatures(graph)
        self._given = self._ends_of_rows()
        builder = SpineBuilder(self._signatures, self._given)
        raw = with_missing(graph, builder.build(items_of(graph.tree)), builder.taps)
        self._taps: Sequence[TapItem] = builder.taps
        self._book = BlockBook(self._signatures)
        self.figures = costs(graph, partial.unknown | partial.failing.keys())
        cards = CardMaker(graph, self._signatures, self._book, self._given, self.figures)
        for at, step in enumerate(raw):
            if isinstance(step, RawCard):
                cards.note(step, at)
        self.raw: Sequence[RawStep] = cards.with_closed(raw)
        self._opener = Opener(self._signatures, self._given)
        self.steps = [cards.step(each, at, self._opener, {}) for at, each in enumerate(self.raw)]

    def _ends_of_rows(self) -> frozenset[int]:
        """Return the nodes after which a row ends, so that a failing node starts its own row with an edge to it."""
        graph, failing = self._graph, self._partial.failing
        before = [at for node in failing for at in graph.nodes[node].inputs]
        taps = [each.node for each in graph.taps]
        return frozenset([*failing, *before, *taps, *([graph.output] if graph.output_name else [])])

    def panel(self, node: int, frames: Sequence[str]) -> BlockPanel | None:
        """Return the failing block, opened; None if it is already open in the spine. `frames` are the calls and
        repeats of the message."""
        homes = homes_of(self.raw)
        for tap in self._taps:
            if node in nodes_in(tap.chain):
                made = PanelMaker(self._graph, self._signatures, self._book, self._given)
                return made.beside([tap], homes)
        at = homes.get(node, -1)
        step = self.raw[at] if at >= 0 else None
        if not isinstance(step, RawCard):
            return None
        for part in step.parts:
            if isinstance(part, UnitItem) and node in nodes_in(part.chain):
                return self._opened(part, node, step, frames, at)
        return None

    def _opened(self, whole: UnitItem, node: int, card: RawCard, frames: Sequence[str], at: int) -> BlockPanel:
        item = _innermost(whole, node)
        graph, nodes = self._graph, nodes_in(item.chain)
        entry = entry_of(graph, item.chain)
        opener = self._opener
        if is_nested(graph, item.chain, entry):  # several inputs are distinguished by their names at the branches
            elements, wired = opener.elements(item.chain), None
        else:
            elements = opener.flat_elements(item.chain)
            wired = wires(graph, elements, item.chain)
        values = ", ".join(value_text(value) for _, value in item.parameters)
        step = self.steps[at]
        name = step.name if isinstance(step, NetCard) else card.name
        title = part_name(graph, item)
        where = iterations(graph.tree, nodes, frames)
        if name != title and f"in {name}(" not in where:
            where = f"{where} in {name}".lstrip()
        return BlockPanel(
            "",
            f"{title}({values})" if values else title,
            where,
            elements,
            nodes,
            shape_text(graph.nodes[entry].shape) if entry >= 0 and entry not in self._partial.unknown else "?",
            shape_text(graph.nodes[nodes[-1]].shape),
            steps=(at,),
            joined=wired["joined"] if wired else (True,) * len(elements),
            links=wired["links"] if wired else (),
            inputs=wired["inputs"] if wired else (),
        )


def _innermost(item: UnitItem, node: int) -> UnitItem:
    """Return the part to open: the iteration of a repeat that contains a node, and of a large part a block in it."""
    while (inner := _unit_around(item.chain, node, is_large=len(nodes_in(item.chain)) > _LARGE)) is not None:
        item = inner
    return item


def _unit_around(chain: ItemChain, node: int, *, is_large: bool) -> UnitItem | None:
    """Return the next part inside of a chain that contains a node and that is opened by itself."""
    stack: list[DrawnItem] = list(chain)
    while stack:
        item = stack.pop()
        if isinstance(item, RepeatItem):
            for turn in item.turns:
                if node in nodes_in(turn.chain):
                    return turn
        elif isinstance(item, ForkItem):
            stack.extend(each for branch in item.branches for each in branch)
        elif isinstance(item, UnitItem) and node in nodes_in(item.chain):
            if is_large:
                return item
            stack.extend(item.chain)
    return None
