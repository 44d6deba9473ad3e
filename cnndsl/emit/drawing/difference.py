"""The drawing of a network with what became of it since another one: signs and bars at rows, steps and bars of a U."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from cnndsl.analysis.compare import Comparison, Pair, Verdict
from cnndsl.emit.drawing.cards.account import step_nodes
from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.drawing.cards.model import (
    CardLine,
    CardTable,
    DrawingModel,
    FootLine,
    FusedRow,
    LayerCell,
    NetCard,
    SpineRow,
    SpineStep,
    StepMark,
    UShape,
)
from cnndsl.graph.graph import Graph
from cnndsl.terminal import clean

MARKS: Mapping[Verdict, StepMark] = {
    "added": StepMark("+", "added", "up-stroke"),
    "removed": StepMark("−", "removed", "error"),
    "changed": StepMark("~", "changed", "act-stroke"),
}
_MOST = 12
_LONGEST = 92
_FEW = 24
"""Characters of removed layers that are named; of more their number is told."""


def difference(after: Graph, found: Comparison, entries: Sequence[tuple[Verdict, str]], title: str) -> DrawingModel:
    """Return the drawing of the second of two networks. `entries` are the layers and blocks that differ, in words."""
    drawing = model(after)
    marker = _Marker(found.pairs)
    marked = [marker.step(step) for step in drawing.steps]
    removed = tuple(marker.removed_after(step) for step in drawing.steps)
    bars = marker.bars(drawing.u)
    told = _gathered(entries)
    signs = {*_signs(marked, bars), *(MARKS[verdict].sign for verdict, _ in told)}
    legend = [FootLine(mark.word, mark.sign, mark.paint) for mark in MARKS.values() if mark.sign in signs]
    lines = [FootLine(_short(text), MARKS[verdict].sign, MARKS[verdict].paint) for verdict, text in told[:_MOST]]
    more = [FootLine(f"and {len(told) - _MOST} more")] if len(told) > _MOST else []
    figures = [FootLine(text) for text in _figures(found)]
    return replace(
        drawing,
        name=title,
        steps=tuple(step for step, _ in marked),
        marks=tuple(mark for _, mark in marked),
        removed=removed,
        foot=(*legend, *figures, *lines, *more),
        u=bars,
    )


def _signs(marked: Sequence[tuple[SpineStep, StepMark | None]], bars: UShape | None) -> Iterator[str]:
    """Yield the signs of the marks of steps, of rows and layers in them, and of the bars of a U."""
    marks = [mark for _, mark in marked] + [bar.mark for bar in (bars.bars if bars else ())]
    rows: list[FusedRow] = []
    for step, _ in marked:
        if isinstance(step, NetCard):
            marks += [line.mark for line in step.lines]
            marks += step.table.marks if step.table else ()
            rows += [line.row for line in step.lines if line.row]
        elif isinstance(step, SpineRow):
            rows.append(step.row)
    yield from (mark.sign for mark in marks if mark)
    yield from (cell.text[0] for row in rows for cell in row.cells)


class _Marker:
    """Marks steps, and rows in cards. What was removed after a row of a card is a row of its own, in dashes."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._verdicts: dict[int, Verdict] = {pair.after.index: pair.verdict for pair in pairs if pair.after}
        self._lost = _lost(pairs)
        self._shown: set[int] = set()

    def step(self, step: SpineStep) -> tuple[SpineStep, StepMark | None]:
        """Return a step with its rows marked, and its own mark if all of it has one."""
        if isinstance(step, NetCard):
            return self._card(step)
        mark = self._mark(step_nodes(step))
        if isinstance(step, SpineRow) and mark == MARKS["changed"]:
            step = replace(step, row=self._row(step.row))
        return step, mark

    def bars(self, shape: UShape | None) -> UShape | None:
        """Return a U with its bars marked."""
        if shape is None:
            return None
        bars = tuple(replace(bar, mark=self._mark((bar.node, *bar.absorbed))) for bar in shape.bars)
        return replace(shape, bars=bars)

    def removed_after(self, step: SpineStep) -> str:
        """Return what was removed after a step, "" if that is nothing, or is shown in its rows."""
        lost = [pair for node in step_nodes(step) if node not in self._shown for pair in self._lost.get(node, ())]
        return f"{MARKS['removed'].sign} {_words(lost)}" if lost else ""

    def _verdict(self, nodes: Iterable[int]) -> Verdict:
        found: set[Verdict] = {self._verdicts.get(node, "same") for node in nodes}
        return next(iter(found)) if len(found) == 1 else "changed"

    def _mark(self, nodes: Iterable[int]) -> StepMark | None:
        return MARKS.get(self._verdict(nodes))

    def _row(self, row: FusedRow) -> FusedRow:
        return FusedRow(tuple(map(self._cell, row.cells)))

    def _cell(self, cell: LayerCell) -> LayerCell:
        """A layer of a row that changed, with the sign of what became of it."""
        mark = self._mark((cell.node, *cell.absorbed))
        if mark is None:
            return cell
        return replace(cell, text=f"{mark.sign} {cell.text}", short=f"{mark.sign} {cell.short}" if cell.short else "")

    def _card(self, card: NetCard) -> tuple[NetCard, StepMark | None]:
        whole = self._mark(node for line in card.lines for nodes in line.nodes for node in nodes)
        each: list[Verdict] = [self._verdict(nodes) for line in card.lines for nodes in line.nodes]
        if card.growth is not None:
            added = len(each) - len(each[: each.index("added")]) if "added" in each else 0
            if added and set(each[-added:]) == {"added"}:
                card = replace(card, growth=replace(card.growth, added=added))
            return card, whole
        if card.table is not None:
            table = _marked_table(card.table, each)
            is_whole = len(set(table.marks)) == 1
            return replace(
                card, table=replace(table, marks=() if is_whole else table.marks)
            ), whole if is_whole else None
        lines = [part for line in card.lines for part in self._parted(line)]
        if whole is None and len(lines) == len(card.lines):
            return card, None
        if len({line.mark for line in lines}) == 1 and not any(line.row for line in lines):
            return replace(card, lines=tuple(replace(line, mark=None) for line in lines)), whole
        return replace(card, lines=tuple(lines)), None

    def _parted(self, line: CardLine) -> Iterator[CardLine]:
        """A row as one for each run of iterations that have one mark, and rows for what was removed after them."""
        for verdict, several in groupby(line.nodes, self._verdict):
            nodes = tuple(several)
            mark = MARKS.get(verdict)
            row = line.row
            if row is not None and verdict == "changed":
                cells = [replace(cell, node=node) for cell, node in zip(row.cells, nodes[0], strict=False)]
                row = self._row(FusedRow(tuple(cells)))
            is_first = line.is_first and nodes[0] == line.nodes[0]
            yield replace(line, times=len(nodes), nodes=nodes, row=row, mark=mark, is_first=is_first)
            last = [node for each in nodes for node in each if node in self._lost]
            self._shown.update(last)
            for node in last:
                yield from map(_removed_line, _blocks(self._lost[node]))


def _removed_line(pairs: Sequence[Pair]) -> CardLine:
    text, times = _words(pairs), 1
    if (block := pairs[0].block) is not None:
        names = dict.fromkeys(pair.block.name for pair in pairs if pair.block)
        text, times = block.title, len(names)
    return CardLine("", times, False, (), title=text, role="ghost", mark=MARKS["removed"])


def _blocks(pairs: Sequence[Pair]) -> Iterator[list[Pair]]:
    """Removed layers, those of blocks of one kind together."""
    for _, several in groupby(pairs, lambda pair: pair.block.title if pair.block else ""):
        yield list(several)


def _words(pairs: Sequence[Pair]) -> str:
    """Removed layers in a few words."""
    text = ", ".join(clean(pair.before.text) for pair in pairs if pair.before)
    return text if len(text) <= _FEW else f"{len(pairs)} layers"


def _marked_table(table: CardTable, verdicts: Sequence[Verdict]) -> CardTable:
    """A table with marks; a row that stands for several iterations is parted where they differ."""
    rows: list[tuple[str, ...]] = []
    sizes: list[str] = []
    times: list[int] = []
    marks: list[StepMark | None] = []
    start = 0
    for row, size, count in zip(table.rows, table.sizes, table.times, strict=True):
        for at, (verdict, several) in enumerate(groupby(verdicts[start : start + count])):
            rows.append(row)
            sizes.append("" if at else size)
            times.append(len(list(several)))
            marks.append(MARKS.get(verdict))
        start += count
    return replace(table, rows=tuple(rows), sizes=tuple(sizes), times=tuple(times), marks=tuple(marks))


def _gathered(entries: Sequence[tuple[Verdict, str]]) -> list[tuple[Verdict, str]]:
    """Entries that follow one another and say the same of parts with different names, as one."""
    found: list[tuple[Verdict, str]] = []
    for (verdict, said), several in groupby(entries, lambda each: (each[0], each[1].partition(": ")[2])):
        names = [text.partition(": ")[0] for _, text in several]
        whole = f"{names[0]} to {names[-1]}, {len(names)} times" if len(names) > 1 else names[0]
        found.append((verdict, f"{whole}: {said}" if said else whole))
    return found


def _short(text: str) -> str:
    text = clean(text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _lost(pairs: Sequence[Pair]) -> dict[int, list[Pair]]:
    """The removed layers by the layer that they came after."""
    found: dict[int, list[Pair]] = {}
    last = 0
    for pair in pairs:
        if pair.after:
            last = pair.after.index
        elif pair.verdict == "removed":
            found.setdefault(last, []).append(pair)
    return found


def _figures(found: Comparison) -> list[str]:
    """Parameters and multiply-adds before and after."""
    lines: list[str] = []
    for figure in found.figures:
        before, after = figure.before, figure.after
        if figure.name in _NAMES and isinstance(before, int) and isinstance(after, int):
            share = f" ({100 * (after - before) / before:+.1f}%)" if before and before != after else ""
            lines.append(f"{_NAMES[figure.name]}: {before:,} → {after:,}{share}")
    return lines


_NAMES = {"params": "parameters", "macs": "multiply-adds"}
