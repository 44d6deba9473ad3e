"""Mark the parts of a drawing by their state: parts that fail, and parts that depend on them, in colours of their own.

Rows of a card are split at an iteration that fails; the rows after it have a `?` for their shape and no metrics.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from cnndsl.emit.drawing.cards.model import (
    BlockPanel,
    Branching,
    CardLine,
    CardTable,
    FusedRow,
    InsetBox,
    LayerCell,
    NetCard,
    PanelElement,
    PartState,
    RepeatFrame,
    SpineBranching,
    SpineRow,
    SpineStep,
)
from cnndsl.emit.drawing.cards.words import shape_text
from cnndsl.graph.partial import PartialGraph
from cnndsl.terminal import clean

UNKNOWN = "?"
_LONGEST = 36


class StatePainter:
    """Marks elements and steps of the drawing of a network with errors."""

    def __init__(self, partial: PartialGraph) -> None:
        self._partial = partial
        self._nodes = partial.graph.nodes

    def state(self, nodes: Iterable[int]) -> PartState:
        """Return the common state of some nodes."""
        several = set(nodes)
        if not several.isdisjoint(self._partial.failing):
            return "failing"
        return "" if several.isdisjoint(self._partial.unknown) else "ghost"

    def step(self, step: SpineStep) -> SpineStep:
        """Return a step of the spine with its states."""
        match step:
            case SpineRow():
                row = self._row(step.row)
                return replace(step, row=row, shape=self._shape(step.shape, row.cells[-1].node))
            case SpineBranching():
                element = self._branching(step.element)
                return replace(step, element=element, shape=self._shape(step.shape, element.node))
            case NetCard():
                return self._card(step)

    def panel(self, panel: BlockPanel) -> BlockPanel:
        """Return a panel with its states."""
        elements = tuple(map(self._element, panel.elements))
        leaving = UNKNOWN if self.state(panel.nodes[-1:]) else panel.leaving
        return replace(panel, elements=elements, leaving=leaving, state=self.state(panel.nodes))

    def _shape(self, shape: str, node: int) -> str:
        return UNKNOWN if node in self._partial.unknown else shape

    def _element(self, element: PanelElement) -> PanelElement:
        match element:
            case FusedRow():
                return self._row(element)
            case Branching():
                return self._branching(element)
            case RepeatFrame():
                return replace(element, elements=tuple(map(self._element, element.elements)))
            case InsetBox():
                return replace(element, role=self.state(element.nodes) or element.role)

    def _row(self, row: FusedRow) -> FusedRow:
        return FusedRow(tuple(map(self._cell, row.cells)))

    def _cell(self, cell: LayerCell) -> LayerCell:
        written = self._partial.texts.get(cell.node)
        if written is not None:
            shown = clean(written)
            text = shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
            cell = replace(cell, text=text, short="")
        if cell.node in self._partial.unknown and getattr(self._nodes[cell.node].layer, "like", False):
            cell = replace(cell, text=cell.text.partition(" to ")[0])  # the size is that of another feature map
        state = self.state((cell.node, *cell.absorbed))
        inputs = self._nodes[cell.node].inputs
        known = [at for at in inputs if at not in self._partial.unknown and cell.node not in self._partial.loose]
        entering = shape_text(self._nodes[known[0]].shape) if state == "failing" and known else ""
        return replace(cell, role=state or cell.role, entering=entering)

    def _branching(self, element: Branching) -> Branching:
        branches = tuple(tuple(map(self._element, branch)) for branch in element.branches)
        state = self.state((element.node,))
        shapes: tuple[str, ...] = ()
        if state == "failing":
            inputs = self._nodes[element.node].inputs
            shapes = tuple(self._shape(shape_text(self._nodes[at].shape), at) for at in inputs)
        widths = element.widths if not state else ()
        return replace(element, branches=branches, state=state, shapes=shapes, widths=widths)

    # Cards

    def _card(self, card: NetCard) -> NetCard:
        state = self.state(node for line in card.lines for nodes in line.nodes for node in nodes)
        if not state:
            return card
        lines = _told(card.lines, card.table) if card.table is not None else card.lines
        parted = [each for line in lines for each in self._parted(line)]
        if len(parted) == 2 and parted[0].times == 1 and parted[0].title == parted[1].title and not parted[0].row:
            parted[0] = replace(parted[0], is_first=True)
        last = card.lines[-1].nodes[-1][-1]
        return replace(
            card,
            params=0,
            lines=tuple(parted),
            shape=self._shape(card.shape, last),
            heads=(),
            growth=None,
            table=None,
            is_told=False,
            state=state,
        )

    def _parted(self, line: CardLine) -> list[CardLine]:
        """Return a row for each run of iterations with the same state."""
        found: list[CardLine] = []
        for state, several in groupby(line.nodes, self.state):
            nodes = tuple(several)
            is_first = line.is_first and not found
            role = state or line.role
            row = None if line.row is None else self._row_of(line.row, nodes[0], state)
            found.append(
                replace(line, times=len(nodes), nodes=nodes, role=role, row=row, is_first=is_first, columns=(), bar=())
            )
        return found

    def _row_of(self, row: FusedRow, nodes: Sequence[int], state: PartState) -> FusedRow:
        """Return a row that stands for one of several equal runs of layers; of a failing run, the failing layer."""
        cells = [replace(cell, node=node) for cell, node in zip(row.cells, nodes, strict=False)]
        return self._row(FusedRow(tuple(cells))) if state else row


def _told(lines: Sequence[CardLine], table: CardTable) -> list[CardLine]:
    """Return the rows of a table as text, with equal neighbours merged."""
    texts = [row for row, times in zip(table.rows, table.times, strict=True) for _ in range(times)]
    found: list[CardLine] = []
    for line, row in zip(lines, texts, strict=True):
        pairs = [f"{head} {cell}" for head, cell in zip(table.heads, row, strict=True) if cell]
        text = ", ".join(pairs)
        if found and found[-1].text == text:
            found[-1] = replace(found[-1], times=found[-1].times + 1, nodes=(*found[-1].nodes, *line.nodes))
        else:
            found.append(replace(line, text=text))
    return found
