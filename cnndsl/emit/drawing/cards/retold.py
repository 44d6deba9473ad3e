"""Replace the labels of opened blocks."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from cnndsl.emit.drawing.cards.account import inner_chains
from cnndsl.emit.drawing.cards.legend import ENTERING, letters_of
from cnndsl.emit.drawing.cards.model import (
    BlockPanel,
    Branching,
    FusedRow,
    InsetBox,
    LayerCell,
    PanelElement,
    RepeatFrame,
)

_IN_LABEL = re.compile(r"(?<=, )(\d*[a-z]?)C(?=/\d|,|$)")
_WORD = re.compile(r"\bC\b")


def retold(elements: Sequence[PanelElement], texts: Mapping[int, str]) -> tuple[PanelElement, ...]:
    """Return elements with other labels for some nodes."""
    found: list[PanelElement] = []
    for each in elements:
        match each:
            case FusedRow():
                found.append(FusedRow(tuple(_cell(cell, texts) for cell in each.cells)))
            case Branching():
                found.append(replace(each, branches=tuple(retold(branch, texts) for branch in each.branches)))
            case RepeatFrame():
                found.append(replace(each, elements=retold(each.elements, texts)))
            case InsetBox():
                found.append(each)
    return tuple(found)


def _cell(cell: LayerCell, texts: Mapping[int, str]) -> LayerCell:
    return replace(cell, text=texts[cell.node]) if cell.node in texts else cell


def cells_in(elements: Sequence[PanelElement]) -> Iterator[LayerCell]:
    """Yield the layers of elements, including nested ones."""
    for each in elements:
        if isinstance(each, FusedRow):
            yield from each.cells
        for chain in inner_chains(each):
            yield from cells_in(chain)


def with_one_letter(panels: Sequence[BlockPanel], taken: Collection[str]) -> list[BlockPanel]:
    """Return panels with one letter for all input channels: `C` if it occurs in a width, but `c′` if `c` is a width
    too. `taken` are the names of tables."""
    if not any(each.entering == "C" for each in panels):
        return list(panels)
    if "c" in taken or any("c" in letters_of(each) for each in panels):
        return [_renamed(each) for each in panels]
    return [
        replace(each, entering="C", leaving=each.leaving.replace(ENTERING, "C")) if each.entering == ENTERING else each
        for each in panels
    ]


def _renamed(panel: BlockPanel) -> BlockPanel:
    """Return the panel with `c′` in place of `C`."""
    texts = {cell.node: _IN_LABEL.sub(rf"\1{ENTERING}", cell.text) for cell in cells_in(panel.elements)}
    return replace(
        panel,
        elements=retold(panel.elements, texts),
        entering=_WORD.sub(ENTERING, panel.entering),
        leaving=_WORD.sub(ENTERING, panel.leaving),
        notes=tuple(_WORD.sub(ENTERING, each) for each in panel.notes),
    )
