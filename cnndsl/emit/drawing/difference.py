"""Draws a network with its changes since another one: signs and bars at rows, at steps, and at the bars of a U."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from cnndsl.analysis.compare import Comparison, Verdict
from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.drawing.cards.model import (
    DrawingModel,
    FootLine,
    FusedRow,
    GroupTag,
    NetCard,
    SpineRow,
    SpineStep,
    StepMark,
    UShape,
)
from cnndsl.emit.drawing.difference_marks import MARKS, StepMarker
from cnndsl.emit.drawing.difference_u import marked_u
from cnndsl.graph.graph import Graph
from cnndsl.terminal import clean


def difference(after: Graph, found: Comparison, entries: Sequence[tuple[Verdict, str]], title: str) -> DrawingModel:
    """Return the drawing of the second of two networks. `entries` describe the layers and blocks that differ."""
    drawing = model(after)
    if not found.differs:
        return replace(drawing, name=title, foot=tuple(_unchanged(found)))
    marker = StepMarker(found.pairs)
    marked = [marker.step(step) for step in drawing.steps]
    bars = marked_u(drawing.u, found.pairs)
    told = _gathered(entries)
    signs = {*_signs(marked, bars), *(MARKS[verdict].sign for verdict, _ in told)}
    legend = [FootLine(mark.word, mark.sign, mark.paint) for mark in MARKS.values() if mark.sign in signs]
    figures = [FootLine(text) for text in _figures(found)]
    lines = [FootLine(clean(text), MARKS[verdict].sign, MARKS[verdict].paint, True) for verdict, text in told]
    whole = replace(
        drawing,
        name=title,
        description=f"{title}: {_counts(found)}. {drawing.description}",
        steps=tuple(step for step, _ in marked),
        marks=tuple(mark for _, mark in marked),
        foot=(*legend, *figures, *lines),
        u=bars,
    )
    return _with_gone(whole, [marker.gone_after(step) for step in drawing.steps])


def _with_gone(drawing: DrawingModel, gone: Sequence[Sequence[tuple[FusedRow, str]]]) -> DrawingModel:
    """Return a drawing with the layers removed after its steps as separate dashed steps, each with its path."""
    steps: list[SpineStep] = []
    joined: list[bool] = []
    tags: list[GroupTag] = []
    marks: list[StepMark | None] = []
    places: list[int] = []
    for at, rows in enumerate(gone):
        places.append(len(steps))
        steps.append(drawing.steps[at])
        joined.append(drawing.is_joined[at])
        tags.append(drawing.tags[at])
        marks.append(drawing.marks[at])
        for row, path in rows:
            steps.append(SpineRow(row, drawing.steps[at].shape))
            joined.append(True)
            tags.append(GroupTag(f"removed.{path}", f"{', '.join(cell.text for cell in row.cells)}: removed"))
            marks.append(MARKS["removed"])
    return replace(
        drawing,
        steps=tuple(steps),
        is_joined=tuple(joined),
        tags=tuple(tags),
        marks=tuple(marks),
        links=tuple(replace(each, source=places[each.source], target=places[each.target]) for each in drawing.links),
        ends=tuple(replace(each, step=places[each.step]) for each in drawing.ends),
        output=places[drawing.output] if drawing.output >= 0 else -1,
        panels=tuple(replace(each, steps=tuple(places[at] for at in each.steps)) for each in drawing.panels),
    )


def _signs(marked: Sequence[tuple[SpineStep, StepMark | None]], bars: UShape | None) -> Iterator[str]:
    """Yield the signs of the marks of steps, of rows and layers in them, and of the bars and links of a U."""
    marks = [mark for _, mark in marked]
    if bars:
        marks += [each.mark for each in (*bars.bars, *bars.skips)]
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


def _unchanged(found: Comparison) -> Iterator[FootLine]:
    """Yield the lines for two networks without a difference."""
    yield FootLine("no differences", "=")
    if found.renamed:
        layers = "1 layer" if found.renamed == 1 else f"{found.renamed} layers"
        yield FootLine(f"{layers} with weights or buffers under another name")


def _counts(found: Comparison) -> str:
    """Return the numbers of added, removed and changed layers as text."""
    counts = ((sum(pair.verdict == verdict for pair in found.pairs), verdict) for verdict in MARKS)
    return ", ".join(f"{count} {'layer' if count == 1 else 'layers'} {verdict}" for count, verdict in counts if count)


def _gathered(entries: Sequence[tuple[Verdict, str]]) -> list[tuple[Verdict, str]]:
    """Return the entries, merging consecutive ones with the same message for parts with different names."""
    found: list[tuple[Verdict, str]] = []
    for (verdict, said), several in groupby(entries, lambda each: (each[0], each[1].partition(": ")[2])):
        names = [text.partition(": ")[0] for _, text in several]
        whole = f"{names[0]} to {names[-1]}, {len(names)} times" if len(names) > 1 else names[0]
        found.append((verdict, f"{whole}: {said}" if said else whole))
    return found


def _figures(found: Comparison) -> list[str]:
    """Return parameters and multiply-adds before and after."""
    lines: list[str] = []
    for figure in found.figures:
        before, after = figure.before, figure.after
        if figure.name in _NAMES and isinstance(before, int) and isinstance(after, int):
            share = f" ({100 * (after - before) / before:+.1f}%)" if before and before != after else ""
            both = f"{before:,} → {after:,}{share}" if before != after else f"{before:,} in both"
            lines.append(f"{_NAMES[figure.name]}: {both}")
    return lines


_NAMES = {"params": "parameters", "macs": "multiply-adds"}
