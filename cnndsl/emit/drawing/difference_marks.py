"""Marks the steps of a drawing and the rows of cards: what is new, what changed, and dashed, what was removed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from cnndsl.analysis.compare import Pair, Verdict
from cnndsl.emit.drawing.cards.account import step_nodes
from cnndsl.emit.drawing.cards.model import (
    Branching,
    CardLine,
    CardTable,
    FusedRow,
    LayerCell,
    NetCard,
    PanelElement,
    RepeatFrame,
    SpineRow,
    SpineStep,
    StepMark,
)
from cnndsl.emit.drawing.cards.words import TIMES, layer_text, merge_word
from cnndsl.graph.node import Node
from cnndsl.terminal import clean

MARKS: Mapping[Verdict, StepMark] = {
    "added": StepMark("+", "added", "up-stroke"),
    "removed": StepMark("−", "removed", "error"),
    "changed": StepMark("~", "changed", "act-stroke"),
}
GHOST = "ghost"
"""The role of removed layers, which are drawn dashed."""
ATTACHED = frozenset({"normalisation", "activation", "arrangement", "identity"})
"""Roles of layers that share a row with the one before them."""
_FEW = 24
"""The maximum number of characters for names of removed layers in a card; longer lists are replaced by their number."""
_MOST_ROWS = 3
"""The maximum number of rows of removed layers; more are replaced by one row with their number."""


def lost(pairs: Sequence[Pair]) -> dict[int, list[Pair]]:
    """Return the removed layers, keyed by the layer that they came after."""
    found: dict[int, list[Pair]] = {}
    last = 0
    for pair in pairs:
        if pair.after:
            last = pair.after.index
        elif pair.verdict == "removed":
            found.setdefault(last, []).append(pair)
    return found


def verdict_of(verdicts: Mapping[int, Verdict], nodes: Iterable[int]) -> Verdict:
    """Return the combined verdict on some nodes."""
    found: set[Verdict] = {verdicts.get(node, "same") for node in nodes}
    return next(iter(found)) if len(found) == 1 else "changed"


def removed_text(node: Node) -> str:
    """Return the label of a removed layer."""
    is_merge = node.layer.ROLE == "merge"
    return merge_word(node.layer) if is_merge else clean(layer_text(node, node.shape.rank))


class StepMarker:
    """Marks steps, and rows in cards. Removed layers are shown once, and in order: in the row that they were in, as
    a row of the card, or as rows after the step."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._verdicts: dict[int, Verdict] = {pair.after.index: pair.verdict for pair in pairs if pair.after}
        self._became = {pair.before.index: pair.after.index for pair in pairs if pair.before and pair.after}
        self._lost = lost(pairs)
        """The removed layers that are not shown yet."""

    def step(self, step: SpineStep) -> tuple[SpineStep, StepMark | None]:
        """Return a step with its rows marked, and the step's own mark if it applies to all of it."""
        if isinstance(step, NetCard):
            return self._card(step)
        mark = self._mark(step_nodes(step))
        if isinstance(step, SpineRow):
            row = self._with_gone(self._row(step.row) if mark == MARKS["changed"] else step.row)
            changed = MARKS["changed"] if len(row.cells) > len(step.row.cells) else None
            return replace(step, row=row), mark or changed
        element = self._element(step.element)
        assert isinstance(element, Branching)
        return replace(step, element=element), mark or (MARKS["changed"] if element != step.element else None)

    def gone_after(self, step: SpineStep) -> list[tuple[FusedRow, str]]:
        """Return the layers removed after a step, except those in its rows; each row with its first layer's path."""
        pairs = [pair for node in step_nodes(step) for pair in self._lost.pop(node, ())]
        rows = list(_gone_rows(pairs))
        if len(rows) > _MOST_ROWS:
            return [(FusedRow((LayerCell(-1, f"{len(pairs)} layers", GHOST),)), rows[0][1])]
        return rows

    def _verdict(self, nodes: Iterable[int]) -> Verdict:
        return verdict_of(self._verdicts, nodes)

    def _verdict_of_turn(self, nodes: Sequence[int]) -> Verdict:
        """Return the verdict on an iteration, which also changed if something in it was removed."""
        found = self._verdict(nodes)
        return "changed" if found == "same" and any(self._lost.get(node) for node in nodes[:-1]) else found

    def _mark(self, nodes: Iterable[int]) -> StepMark | None:
        return MARKS.get(self._verdict(nodes))

    def _row(self, row: FusedRow) -> FusedRow:
        return FusedRow(tuple(map(self._cell, row.cells)))

    def _cell(self, cell: LayerCell) -> LayerCell:
        """Return a layer of a changed row, with the sign of its verdict."""
        mark = self._mark((cell.node, *cell.absorbed))
        if mark is None:
            return cell
        return replace(cell, text=f"{mark.sign} {cell.text}", short=f"{mark.sign} {cell.short}" if cell.short else "")

    def _element(self, element: PanelElement) -> PanelElement:
        """Return an element of branches, with the layers removed from its rows."""
        match element:
            case FusedRow():
                return self._with_gone(element)
            case Branching():
                return replace(element, branches=tuple(tuple(map(self._element, each)) for each in element.branches))
            case RepeatFrame():
                return replace(element, elements=tuple(map(self._element, element.elements)))
            case _:
                return element

    def _with_gone(self, row: FusedRow) -> FusedRow:
        """Return a row with its removed layers: those where the row continues, and those that would share the row."""
        cells: list[LayerCell] = []
        for at, cell in enumerate(row.cells):
            cells.append(cell)
            for anchor in (cell.node, *cell.absorbed):
                goes_on = at < len(row.cells) - 1 or anchor != (cell.node, *cell.absorbed)[-1]
                cells += self._taken(anchor, goes_on=goes_on)
        return FusedRow(tuple(cells)) if len(cells) > len(row.cells) else row

    def _taken(self, anchor: int, *, goes_on: bool) -> Iterator[LayerCell]:
        """Take the first of the layers removed after a node, as long as each read the one before it."""
        pending = self._lost.get(anchor, [])
        before = {old for old, new in self._became.items() if new == anchor} if pending else set[int]()
        while pending and pending[0].before and not pending[0].block:
            node = pending[0].before
            if before.isdisjoint(node.inputs) or len(node.inputs) > 1 or not (goes_on or node.layer.ROLE in ATTACHED):
                return
            before = {node.index}
            pending.pop(0)
            yield LayerCell(-1, f"{MARKS['removed'].sign} {removed_text(node)}", GHOST)

    # Cards

    def _card(self, card: NetCard) -> tuple[NetCard, StepMark | None]:
        whole = self._mark(node for line in card.lines for nodes in line.nodes for node in nodes)
        each: list[Verdict] = [self._verdict(nodes) for line in card.lines for nodes in line.nodes]
        if card.growth is not None:
            added = len(each) - len(each[: each.index("added")]) if "added" in each else 0
            if added and set(each[-added:]) == {"added"}:
                card = replace(card, growth=replace(card.growth, added=added))
            return card, whole
        first, last = card.lines[0].nodes[0][0], card.lines[-1].nodes[-1][-1]
        ahead = list(self._gone_ahead(card, first))
        behind = [pair for pair in self._lost.get(last, ()) if not _is_inside(card, pair)]
        self._lost[last] = [pair for pair in self._lost.get(last, ()) if pair not in behind]
        if card.table is not None:
            card, whole = self._with_marked_table(card, card.table, ahead)
            self._lost[last] = behind
            return card, whole
        lines = [*map(_gone_line, ahead), *(part for line in card.lines for part in self._parted(line))]
        self._lost[last] = behind
        if whole is None and len(lines) == len(card.lines):
            return card, None
        if len({line.mark for line in lines}) == 1 and not any(line.row for line in lines):
            return replace(card, lines=tuple(replace(line, mark=None) for line in lines)), whole
        return replace(card, lines=tuple(lines)), None

    def _parted(self, line: CardLine) -> Iterator[CardLine]:
        """Yield a row split into one for each run of equally marked iterations, each followed by what was removed."""
        for verdict, several in groupby(line.nodes, self._verdict_of_turn):
            nodes = tuple(several)
            mark = MARKS.get(verdict)
            row = line.row
            if row is not None and verdict == "changed":
                cells = [replace(cell, node=node) for cell, node in zip(row.cells, nodes[0], strict=False)]
                row = self._row(FusedRow(tuple(cells)))
            is_first = line.is_first and nodes[0] == line.nodes[0]
            yield replace(line, times=len(nodes), nodes=nodes, row=row, mark=mark, is_first=is_first)
            yield from map(_gone_line, self._gone_from(nodes))

    def _gone_from(self, turns: Iterable[Sequence[int]]) -> Iterator[tuple[str, int]]:
        """Take the layers removed after nodes of some iterations: a short description and a count for each."""
        return _in_words(pairs for nodes in turns for node in nodes for pairs in _blocks(self._lost.pop(node, ())))

    def _gone_ahead(self, card: NetCard, first: int) -> Iterator[tuple[str, int]]:
        """Take the layers removed from the start of a card: they came after the node before its first one."""
        before = max((at for at, pairs in self._lost.items() if at < first and pairs), default=-1)
        pairs = self._lost.get(before, [])
        inside = [pair for pair in pairs if card.path and _is_inside(card, pair)]
        if inside:
            self._lost[before] = [pair for pair in pairs if pair not in inside]
        return _in_words(_blocks(inside))

    def _with_marked_table(
        self, card: NetCard, table: CardTable, ahead: Sequence[tuple[str, int]]
    ) -> tuple[NetCard, StepMark | None]:
        """Return a card with its table marked, and the card's own mark if all rows share it. A row for several
        iterations is split where they differ. Removed layers follow it; those in `ahead` come first."""
        turns = [nodes for line in card.lines for nodes in line.nodes]
        rows: list[tuple[str, ...]] = [(title,) for title, _ in ahead]
        sizes = ["" for _ in ahead]
        times = [count for _, count in ahead]
        marks: list[StepMark | None] = [MARKS["removed"] for _ in ahead]
        start = 0
        for row, size, count in zip(table.rows, table.sizes, table.times, strict=True):
            for at, (verdict, several) in enumerate(groupby(turns[start : start + count], self._verdict_of_turn)):
                nodes = list(several)
                gone = list(self._gone_from(nodes))
                rows += [row, *((title,) for title, _ in gone)]
                sizes += ["" if at else size, *("" for _ in gone)]
                times += [len(nodes), *(number for _, number in gone)]
                marks += [MARKS.get(verdict), *(MARKS["removed"] for _ in gone)]
            start += count
        if len(set(marks)) == 1:
            return card, marks[0]
        marked = replace(table, rows=tuple(rows), sizes=tuple(sizes), times=tuple(times), marks=tuple(marks))
        return replace(card, table=marked), None


def _in_words(blocks: Iterable[Sequence[Pair]]) -> Iterator[tuple[str, int]]:
    """Yield a short description of each group of removed layers, and a count."""
    for title, alike in groupby(map(_told, blocks), lambda told: told[0]):
        yield title, sum(count for _, count in alike)


def _gone_line(told: tuple[str, int]) -> CardLine:
    title, times = told
    return CardLine("", times, False, (), title=title, role=GHOST, mark=MARKS["removed"])


def _is_inside(card: NetCard, pair: Pair) -> bool:
    """Return whether a layer removed after the last one of a card was in it: by name, or as an equal block."""
    assert pair.before is not None, "only layers of the first network are gone"
    return pair.before.path.startswith(f"{card.path}.") if card.path else pair.block is not None


def _gone_rows(pairs: Sequence[Pair]) -> Iterator[tuple[FusedRow, str]]:
    """Yield rows of removed layers: one for equal blocks, else one for a layer and those attached to it."""
    for several in _blocks(pairs):
        first = several[0].before
        assert first is not None, "only layers of the first network are gone"
        if several[0].block is not None:
            title, times = _told(several)
            text = f"{title} {TIMES}{times}" if times > 1 else title
            yield FusedRow((LayerCell(-1, text, GHOST),)), first.path
            continue
        row: list[Node] = []
        for node in (pair.before for pair in several if pair.before):
            if row and node.layer.ROLE not in ATTACHED:
                yield _ghosts(row), row[0].path
                row = []
            row.append(node)
        yield _ghosts(row), row[0].path


def _ghosts(nodes: Sequence[Node]) -> FusedRow:
    return FusedRow(tuple(LayerCell(-1, removed_text(node), GHOST) for node in nodes))


def _told(pairs: Sequence[Pair]) -> tuple[str, int]:
    """Return a short description of removed layers, and the number of equal blocks."""
    if (block := pairs[0].block) is not None:
        return clean(block.title), len(dict.fromkeys(pair.block.name for pair in pairs if pair.block))
    text = ", ".join(removed_text(pair.before) for pair in pairs if pair.before)
    return text if len(text) <= _FEW else f"{len(pairs)} layers", 1


def _blocks(pairs: Sequence[Pair]) -> Iterator[list[Pair]]:
    """Yield the removed layers, those of equal blocks together."""
    for _, several in groupby(pairs, lambda pair: pair.block.title if pair.block else ""):
        yield list(several)
