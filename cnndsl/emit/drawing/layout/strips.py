"""Wide spines: consecutive open rows share a strip, with its output shape at the right."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.emit.drawing.cards.model import DrawingModel, GroupTag, SpineRow
from cnndsl.emit.drawing.layout.pieces import ROW, Fragment, row
from cnndsl.emit.drawing.layout.sketch import SMALL, Sketch
from cnndsl.emit.drawing.measure import width

_PAD = 4.0
_ARROW = 10.0


def strips(model: DrawingModel, across: float) -> list[list[int]]:
    """Return the steps of a spine by their numbers, grouped by the strips of a width that they share; a strip ends with
    a pooling. If the spine is not a chain, each step is alone."""
    found: list[list[int]] = []
    for at, step in enumerate(model.steps):
        before = [model.steps[each] for each in found[-1]] if found else []
        rows = [each for each in (*before, step) if isinstance(each, SpineRow) and not each.is_input and not each.stage]
        is_whole = len(rows) == len(before) + 1 and before and not _has_pool(rows[:-1])
        if is_plain(model) and is_whole and strip_width(rows) <= across:
            found[-1].append(at)
        else:
            found.append([at])
    return found


def is_plain(model: DrawingModel) -> bool:
    """Return whether a spine is a chain without marks, whose rows may be drawn in strips."""
    has_shared = any(isinstance(step, SpineRow) and step.weights for step in model.steps)
    return not has_shared and not model.links and not model.marks and not model.faults and all(model.is_joined[1:])


def _has_pool(rows: Sequence[SpineRow]) -> bool:
    return any(cell.role == "pool" for each in rows for cell in each.row.cells)


def strip_width(rows: Sequence[SpineRow]) -> float:
    """Return the width of a strip that has room for all rows."""
    inner = sum(row(each.row).width for each in rows) + _ARROW * (len(rows) - 1)
    return inner + 2 * _PAD + width(rows[-1].shape, SMALL) + 12


def strip(rows: Sequence[SpineRow], tags: Sequence[GroupTag], across: float) -> Fragment:
    """Draw a strip of a width; a pooling by itself is a bar."""
    sketch = Sketch()
    left, right = -across / 2, across / 2
    is_bar = len(rows) == 1 and len(rows[0].row.cells) == 1 and _has_pool(rows)
    height = ROW + (0 if is_bar else 2 * _PAD)
    if not is_bar:
        sketch.box(left, 0, across, height, "card", "line", 1, 4)
    x = left + (0 if is_bar else _PAD)
    for at, (each, tag) in enumerate(zip(rows, tags, strict=True)):
        made = row(each.row, least=across if is_bar else 0)
        if at:
            sketch.line([(x, height / 2), (x + _ARROW, height / 2)], head=True)
            x += _ARROW
        part = Sketch()
        part.place(made.sketch, x + made.left, 0 if is_bar else _PAD)
        sketch.items += part.grouped(tag.id, tag.title, tag.link).items
        x += made.width
    sketch.text(right - 8, height / 2 + 3.2, rows[-1].shape, SMALL, anchor="end")
    return Fragment(across / 2, across / 2, height, sketch)
