"""The drawing of a network with what became of it since another one: signs and colours at the steps of the spine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cnndsl.analysis.compare import Comparison, Pair, Verdict
from cnndsl.emit.drawing.cards.account import step_nodes
from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.drawing.cards.model import DrawingModel, FootLine, StepMark
from cnndsl.graph.graph import Graph
from cnndsl.terminal import clean

MARKS: Mapping[Verdict, StepMark] = {
    "added": StepMark("+", "added", "up-stroke"),
    "removed": StepMark("−", "removed here", "error"),
    "changed": StepMark("~", "changed", "act-stroke"),
}
_MOST = 12
_LONGEST = 92


def difference(after: Graph, found: Comparison, entries: Sequence[tuple[Verdict, str]], title: str) -> DrawingModel:
    """Return the drawing of the second of two networks. `entries` are the layers and blocks that differ, in words."""
    drawing = model(after)
    lost = _lost(found.pairs)
    verdicts: dict[int, Verdict] = {pair.after.index: pair.verdict for pair in found.pairs if pair.after}
    marks = tuple(_mark(list(step_nodes(step)), verdicts, lost) for step in drawing.steps)
    used = [mark for mark in MARKS.values() if mark in marks]
    legend = [FootLine(mark.word, mark.sign, mark.paint) for mark in used]
    lines = [FootLine(_short(text), MARKS[verdict].sign, MARKS[verdict].paint) for verdict, text in entries[:_MOST]]
    more = [FootLine(f"and {len(entries) - _MOST} more")] if len(entries) > _MOST else []
    figures = [FootLine(text) for text in _figures(found)]
    return replace(drawing, name=title, marks=marks, foot=(*legend, *figures, *lines, *more), u=None)


def _short(text: str) -> str:
    text = clean(text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _lost(pairs: Sequence[Pair]) -> set[int]:
    """The layers behind which some were removed."""
    found: set[int] = set()
    last = 0
    for pair in pairs:
        if pair.after:
            last = pair.after.index
        elif pair.verdict == "removed":
            found.add(last)
    return found


def _mark(nodes: Sequence[int], verdicts: Mapping[int, Verdict], lost: set[int]) -> StepMark | None:
    found = {verdicts.get(node, "same") for node in nodes}
    if found == {"added"}:
        return MARKS["added"]
    if found != {"same"}:
        return MARKS["changed"]
    return MARKS["removed"] if lost & set(nodes) else None


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
