"""The legend: the meanings of the symbols that a drawing contains, and of no others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cnndsl.emit.drawing.cards.legend import with_shown
from cnndsl.emit.drawing.cards.model import (
    Branching,
    DrawingModel,
    LegendEntry,
    NetCard,
)
from cnndsl.emit.drawing.display import TextItem
from cnndsl.emit.drawing.layout.interior import has_circle
from cnndsl.emit.drawing.layout.joins import joins
from cnndsl.emit.drawing.layout.pieces import MERGE, Fragment, merge_sign
from cnndsl.emit.drawing.layout.sketch import SMALL, Sketch
from cnndsl.emit.drawing.measure import width
from cnndsl.emit.drawing.shapes import flat
from cnndsl.report.number_format import human

_LINE = 12.0
_BETWEEN_ENTRIES = 14.0
_BOX, _SAMPLE = 15.0, 24.0
"""The widths of a box and of the bar of branches."""


def chosen(model: DrawingModel, drawn: Sequence[Fragment]) -> tuple[LegendEntry, ...]:
    """Return the entries whose symbols are drawn."""
    found = [_drawn(each, model, drawn) for each in model.legend]
    return tuple(each for each in found if each is not None)


def _drawn(entry: LegendEntry, model: DrawingModel, drawn: Sequence[Fragment]) -> LegendEntry | None:
    found = with_shown(entry, model.panels, model.steps, _texts(drawn)) if entry.names else entry
    if found is None:
        return None
    entry = found
    cards = [step for step in model.steps if isinstance(step, NetCard)]
    match entry.kind:
        case "figure":
            texts = _texts(drawn)
            figures = (human(each.params) for each in reversed(cards) if each.params and not each.is_told)
            shown = next((each for each in figures if each in texts), "")
            return replace(entry, symbol=shown) if shown else None
        case "branches":
            return entry if _has_columns(cards, drawn) else None
        case "widths":
            return replace(entry, text=f"{entry.text}, in the order of a card") if _has_columns(cards, drawn) else entry
        case "join":
            return entry if any(map(has_circle, joins(model))) else None
        case _:
            return entry


def _has_columns(cards: Sequence[NetCard], drawn: Sequence[Fragment]) -> bool:
    """Return whether cards are drawn with a column for each branch."""
    texts = _texts(drawn)
    return any(head in texts for each in cards for head in each.heads)


def _texts(drawn: Sequence[Fragment]) -> set[str]:
    return {item.text for piece in drawn for item in flat(piece.sketch.items) if isinstance(item, TextItem)}


def _symbol_width(entry: LegendEntry) -> float:
    match entry.kind:
        case "letters" | "widths" | "figure":
            return width(entry.symbol, SMALL, 600)
        case "branches":
            return _SAMPLE
        case "box":
            return _BOX + (width(entry.beside, SMALL, 600) + 5 if entry.beside else 0)
        case "join":
            return 2 * MERGE


def _indent(entries: Sequence[LegendEntry]) -> float:
    return max(_symbol_width(each) for each in entries) + 10


def legend_width(entries: Sequence[LegendEntry]) -> float:
    """Return the width of a legend."""
    return _indent(entries) + max(width(each.text, SMALL) for each in entries) + 6


def legend(entries: Sequence[LegendEntry], across: float) -> Fragment:
    """Draw explanations, one below the other. The left side is at x = 0."""
    sketch = Sketch()
    indent = _indent(entries)
    y = 0.0
    for each in entries:
        y += _LINE + (2 if each.kind == "join" else 0)
        _symbol(sketch, each, y)
        sketch.text(2 + indent, y - 3, each.text, SMALL, paint="mute", room=across - indent - 2)
    return Fragment(0, across, y, sketch)


def in_lines(entries: Sequence[LegendEntry], room: float) -> Fragment:
    """Draw explanations in sequence, in as many lines as necessary. The left side is at x = 0."""
    sketch = Sketch()
    x, y, across = 0.0, _LINE, 0.0
    for each in entries:
        before = _symbol_width(each) + 7
        own = before + width(each.text, SMALL) + 4
        if x and x + own > room:
            x, y = 0.0, y + _LINE + (2 if any(entry.kind == "join" for entry in entries) else 0)
        part = Sketch()
        _symbol(part, each, y)
        sketch.place(part, x, 0)
        sketch.text(x + 2 + before, y - 3, each.text, SMALL, paint="mute")
        across = max(across, x + own)
        x += own + _BETWEEN_ENTRIES
    return Fragment(0, across, y + 1, sketch)


def _symbol(sketch: Sketch, entry: LegendEntry, y: float) -> None:
    match entry.kind:
        case "letters" | "widths" | "figure":
            sketch.text(2, y - 3, entry.symbol, SMALL, 600)
        case "box":
            sketch.box(2, y - 10, _BOX, 8, entry.symbol, f"{entry.symbol}-stroke", 0.8, 0)
            if entry.beside:
                sketch.text(7 + _BOX, y - 3, entry.beside, SMALL, 600)
        case "branches":
            for at, (fill, role) in enumerate((("conv", "conv"), ("conv-stroke", "conv"), ("pool", "pool"))):
                sketch.box(2 + at * _SAMPLE / 3, y - 9, _SAMPLE / 3, 6.5, fill, f"{role}-stroke", 0.7, 0)
        case "join":
            sign = merge_sign(Branching(0, "|", "concatenate", (), ()))
            sketch.place(sign, 2 + _BOX / 2, y - 6)
