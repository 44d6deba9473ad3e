"""Explain the letters and symbols of a drawing, in order of appearance."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from cnndsl.emit.drawing.cards.items import ForkItem, UnitItem, flat, nodes_in
from cnndsl.emit.drawing.cards.model import (
    BlockPanel,
    Branching,
    FusedRow,
    InsetBox,
    LayerCell,
    LegendEntry,
    NetCard,
    PanelElement,
    RepeatFrame,
    SpineStep,
)
from cnndsl.emit.drawing.cards.raw import RawCard, RawStep, units
from cnndsl.emit.drawing.cards.words import ENTERING, TIMES, stride_of
from cnndsl.graph.graph import Graph

_COMES_IN = "channels that come in"
_STRIDE = "stride, 1 where left out"
_OF_FIRST = "stride of the first of a row, else 1"
_FACTOR = "multiple of"
_WIDTH = "width"
_FEW = 4
"""Up to so many letters are written one by one."""
_LETTER = re.compile(r"\d*([^\W\d]\w*′?)(?:/\d+)?")
_WINDOW = re.compile(rf"([a-z]\w*){TIMES}\1\b")


def legend(
    graph: Graph, panels: Sequence[BlockPanel], steps: Sequence[SpineStep], raw: Sequence[RawStep]
) -> tuple[LegendEntry, ...]:
    """Return the explanation of each symbol that may be drawn."""
    cards = [step for step in steps if isinstance(step, NetCard)]
    inside = dict(pair for panel in reversed(panels) for pair in reversed(list(_meanings(panel))))
    meanings: dict[str, str] = {}
    for step, source in zip(steps, raw, strict=True):
        if isinstance(step, NetCard) and step.table and isinstance(source, RawCard):
            meanings |= dict(_heads(step, source, inside, panels))
    meanings |= {name: text for panel in panels for name, text in _meanings(panel) if name not in meanings}
    if any(isinstance(each, RawCard) and _strides_first(graph, each) for each in raw):
        meanings = {name: _OF_FIRST if text == _STRIDE else text for name, text in meanings.items()}
    boxes = _boxes(cards, meanings)
    if boxes:
        meanings = {name: text for name, text in meanings.items() if text != _COMES_IN}
    found = [*boxes]
    has_columns = any(card.heads for card in cards)
    if has_columns:
        found.append(LegendEntry("", "what each branch adds", "branches"))
    found += _grouped(meanings, has_columns)
    found.append(LegendEntry("", "concatenation", "join"))
    found.append(LegendEntry("", "parameters of the box", "figure"))
    return tuple(found)


def _boxes(cards: Sequence[NetCard], meanings: dict[str, str]) -> list[LegendEntry]:
    """Return the meanings of the colours of growth bars."""
    widths = {card.growth.growth for card in cards if card.growth}
    if not widths:
        return []
    letters = [name for name, text in meanings.items() if text == _COMES_IN]
    more = f"adds {min(widths)}" if len(widths) == 1 else "adds some"
    entering = LegendEntry("io", _COMES_IN, "box", ", ".join(letters))
    return [entering, LegendEntry("conv", f"a layer, {more}", "box")]


def _grouped(meanings: dict[str, str], has_columns: bool) -> Iterator[LegendEntry]:
    """Yield an entry for each meaning, with all letters that have it."""
    groups: dict[str, list[str]] = {}
    for name, text in meanings.items():
        groups.setdefault(text, []).append(name)
    for text, names in groups.items():
        kind = "widths" if text == _WIDTH and len(names) > 1 and has_columns else "letters"
        yield with_names(LegendEntry("", text, kind), names)


def with_names(entry: LegendEntry, names: Sequence[str]) -> LegendEntry:
    """Return the entry for some letters that mean the same."""
    symbol = ", ".join(names) if len(names) <= _FEW else f"{min(names)} … {max(names)}"
    text = entry.text.removesuffix("s") if entry.text.removesuffix("s") == _WIDTH else entry.text
    text = f"{_WIDTH}s" if text == _WIDTH and len(names) > 1 else text
    return replace(entry, symbol=symbol, text=text, names=tuple(names))


def with_shown(
    entry: LegendEntry, panels: Sequence[BlockPanel], steps: Sequence[SpineStep], texts: Iterable[str]
) -> LegendEntry | None:
    """Return an entry with the letters that panels, tables and other texts show; None if there are none."""
    shown = {name for panel in panels for name in letters_of(panel)}
    shown |= {head for step in steps if isinstance(step, NetCard) and step.table for head in step.table.heads}
    shown |= {part.partition(" ")[0] for text in texts for part in text.split(", ")}
    names = [name for name in entry.names if name in shown]
    return with_names(entry, names) if names else None


def letters_of(panel: BlockPanel) -> set[str]:
    """Return the letters that a panel shows."""
    return {name for name, _ in _meanings(panel)}


def _meanings(panel: BlockPanel) -> Iterator[tuple[str, str]]:
    """Yield the letters of a panel with their meanings, in order of appearance."""
    yield from _letters(panel.entering)
    if ENTERING in panel.inputs:
        yield ENTERING, _COMES_IN
    for cell in _cells(panel.elements):
        window, *others = cell.text.split(", ")
        if match := _WINDOW.match(window):
            yield match[1], "window"
        if cell.role in ("conv", "fc", "up"):
            for each in others:
                yield from _letters(each)
    yield from _letters(panel.leaving)


def _letters(text: str) -> Iterator[tuple[str, str]]:
    if text == "/s":
        yield text, _STRIDE
    elif text == f"{TIMES}s":
        yield text, "factor, 1 where left out"
    elif match := _LETTER.fullmatch(text):
        name = match[1]
        if name in (ENTERING, "C"):
            yield name, _COMES_IN
        elif name.endswith(("C", ENTERING)):
            letter = "C" if name.endswith("C") else ENTERING
            yield name.removesuffix(letter), f"{_FACTOR} {letter}"
            yield letter, _COMES_IN
        else:
            yield name, _WIDTH


def _cells(elements: Sequence[PanelElement]) -> Iterator[LayerCell]:
    for each in elements:
        match each:
            case FusedRow():
                yield from each.cells
            case Branching():
                for branch in each.branches:
                    yield from _cells(branch)
            case RepeatFrame():
                yield from _cells(each.elements)
            case InsetBox():
                pass


def _heads(
    card: NetCard, source: RawCard, inside: dict[str, str], panels: Sequence[BlockPanel]
) -> Iterator[tuple[str, str]]:
    """Yield the names of a table with their meanings, if the network determines them."""
    assert card.table is not None
    activation = any(cell.text == "activation" for panel in panels for cell in _cells(panel.elements))
    for name, kind in zip(card.table.heads, card.table.kinds, strict=True):
        values = [row[source.names.index(name)] for row in source.rows]
        if name in inside:
            yield name, inside[name]
        elif kind == "stride":
            yield name, _STRIDE
        elif kind == "text" and _counts(source, values):
            yield name, "how often"
        elif values == list(range(1, len(values) + 1)):
            yield name, "number"
        elif kind == "text" and activation and not any(isinstance(each, int) for each in values):
            yield name, "activation"


def _strides_first(graph: Graph, source: RawCard) -> bool:
    """Return whether only the first of several blocks in a row of a table has a stride."""
    for turn in source.parts if source.names else ():
        several = units(turn.chain) if isinstance(turn, UnitItem) and not turn.title else []
        slides = [any(stride_of(graph.nodes[node].layer) for node in nodes_in(each.chain)) for each in several]
        if len(slides) > 1 and slides[0] and not any(slides[1:]):
            return True
    return False


def _counts(source: RawCard, values: Sequence[object]) -> bool:
    """Return whether a column states the number of blocks of a row."""
    turns = [each for each in source.parts if isinstance(each, UnitItem)]
    named = [len(units(each.chain)) for each in turns]
    forks = [sum(isinstance(item, ForkItem) for item in flat(each.chain)) for each in turns]
    return list(values) in (named, forks)
