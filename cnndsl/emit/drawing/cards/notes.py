"""State once, in a note, which layers follow each convolution of a block with branches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cnndsl.emit.drawing.cards.model import Branching, FusedRow, InsetBox, LayerCell, PanelElement, RepeatFrame

_WEIGHTS = ("conv", "fc", "up")
_FEW = 3


def with_notes(elements: Sequence[PanelElement]) -> tuple[tuple[PanelElement, ...], tuple[str, ...]]:
    """Return elements without the layers that follow every weight layer in the same way, and a note that names them.

    Only blocks with three or more branches are shortened, whose columns have no room for them.
    """
    rows = [each for each in _rows(elements) if any(cell.role in _WEIGHTS for cell in each.cells)]
    tails = {tuple((cell.text, cell.role) for cell in _tail(row)) for row in rows}
    if len(rows) < _FEW or len(tails) != 1 or not next(iter(tails)) or not _has_columns(elements):
        return tuple(elements), ()
    names = " and ".join(text for text, _ in next(iter(tails)))
    return _shortened(elements), (f"each conv: {names} after it",)


def _tail(row: FusedRow) -> tuple[LayerCell, ...]:
    last = max(at for at, cell in enumerate(row.cells) if cell.role in _WEIGHTS)
    return row.cells[last + 1 :]


def _rows(elements: Sequence[PanelElement]) -> Iterator[FusedRow]:
    for each in elements:
        match each:
            case FusedRow():
                yield each
            case Branching():
                for branch in each.branches:
                    yield from _rows(branch)
            case RepeatFrame():
                yield from _rows(each.elements)
            case InsetBox():
                pass


def _has_columns(elements: Sequence[PanelElement]) -> bool:
    for each in elements:
        if isinstance(each, Branching):
            if len(each.branches) >= _FEW or any(_has_columns(branch) for branch in each.branches):
                return True
        elif isinstance(each, RepeatFrame) and _has_columns(each.elements):
            return True
    return False


def _shortened(elements: Sequence[PanelElement]) -> tuple[PanelElement, ...]:
    found: list[PanelElement] = []
    for each in elements:
        match each:
            case FusedRow() if any(cell.role in _WEIGHTS for cell in each.cells):
                tail = _tail(each)
                kept = each.cells[: len(each.cells) - len(tail)]
                absorbed = (*kept[-1].absorbed, *(cell.node for cell in tail))
                found.append(FusedRow((*kept[:-1], replace(kept[-1], absorbed=absorbed))))
            case Branching():
                found.append(replace(each, branches=tuple(_shortened(branch) for branch in each.branches)))
            case RepeatFrame():
                found.append(replace(each, elements=_shortened(each.elements)))
            case _:
                found.append(each)
    return tuple(found)


def without_widths(elements: Sequence[PanelElement]) -> tuple[PanelElement, ...]:
    """Return elements whose concatenations don't show the channels of their branches."""
    found: list[PanelElement] = []
    for each in elements:
        match each:
            case Branching():
                inner = tuple(without_widths(branch) for branch in each.branches)
                found.append(replace(each, branches=inner, widths=()))
            case RepeatFrame():
                found.append(replace(each, elements=without_widths(each.elements)))
            case _:
                found.append(each)
    return tuple(found)
