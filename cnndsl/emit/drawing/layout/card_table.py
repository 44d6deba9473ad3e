"""The table of a card whose iterations differ in several values."""

from __future__ import annotations

from cnndsl.emit.drawing.cards.model import CardTable, NetCard, StepMark
from cnndsl.emit.drawing.layout.looks import box_look
from cnndsl.emit.drawing.layout.pieces import Fragment, badge
from cnndsl.emit.drawing.layout.sketch import SMALL, Sketch
from cnndsl.emit.drawing.measure import width

PAD = 6.0
"""The padding between the outline of a card and its content."""
_ROW_HEIGHT = 16.5
_BAR_ROOM = 40.0
_LEAST_BAR_ROOM = 14.0
_COLUMN = 306.0
"""The largest width of a card in a column of a paper."""


def _table_widths(table: CardTable) -> list[float]:
    """Return the width of each column, beginning with the sizes of the feature map and ending with the number of
    iterations."""
    sizes = max([width(each, 9, 600) for each in table.sizes] + [24])
    found = [sizes + 10]
    rows = _whole_rows(table)
    for at, (head, kind) in enumerate(zip(table.heads, table.kinds, strict=True)):
        cells = max(width(row[at], 9) for row in rows)
        own = max(cells + (_BAR_ROOM if kind == "bar" else 10 if kind == "flag" else 0), width(head, SMALL))
        found.append(own + 12)
    return [*found, 32]


def _whole_rows(table: CardTable) -> list[tuple[str, ...]]:
    """Return the rows except those that were removed."""
    return [row for row in table.rows if len(row) == len(table.heads)]


def table_width(card: NetCard, *, is_narrow: bool = False) -> float:
    """Return the width of a card with a table. If it has to fit a column of a paper, bars are shorter."""
    assert card.table is not None
    natural = sum(_table_widths(card.table)) + 2 * PAD + 4
    if is_narrow and natural > _COLUMN:
        natural = max(natural - (_BAR_ROOM - _LEAST_BAR_ROOM) * card.table.kinds.count("bar"), _COLUMN)
    return max(natural, width(card.name, 10, 600) + 110)


def table_body(sketch: Sketch, table: CardTable, y: float, across: float) -> Fragment:
    """Draw a table beneath the content of a sketch: widths as bars of one scale, flags as chips, a hairline where the
    size of the feature map changes."""
    left, right = -across / 2 + PAD + 2, across / 2 - PAD - 2
    widths = _table_widths(table)
    bars = sum(kind == "bar" for kind in table.kinds)
    spare = (right - left - sum(widths)) / (bars or len(table.kinds))
    wide = [
        own + (spare if 0 < at <= len(table.kinds) and (not bars or table.kinds[at - 1] == "bar") else 0)
        for at, own in enumerate(widths)
    ]
    starts = [left + sum(wide[:at]) for at in range(len(wide))]
    for at, head in enumerate(table.heads):
        sketch.text(starts[at + 1], y + 9, head, SMALL, paint="mute")
    y += 14
    largest = max(
        [
            int(r[at])
            for r in _whole_rows(table)
            for at, kind in enumerate(table.kinds)
            if kind == "bar" and r[at].isdigit()
        ]
        + [1]
    )
    marks: list[tuple[float, float, StepMark]] = []
    for at, (size, cells, times) in enumerate(zip(table.sizes, table.rows, table.times, strict=True)):
        if table.marks and (mark := table.marks[at]):
            marks.append((y + 1, y + _ROW_HEIGHT - 1, mark))
        if size:
            sketch.line([(left, y), (right, y)], paint="hair", line=0.8)
            sketch.text(left, y + 11.5, size, 9, 600)
        if len(cells) < len(table.heads):
            _gone_row(sketch, starts[1] - 6, y, right - (30 if times > 1 else 0), cells[0])
            cells = ("",) * len(table.heads)
        for place, (text, kind) in enumerate(zip(cells, table.kinds, strict=True)):
            _cell(sketch, starts[place + 1], y, wide[place + 1], text, kind, largest, table.heads[place])
        if times > 1:
            badge(sketch, right, y + 2, times)
        y += _ROW_HEIGHT
    return Fragment(across / 2, across / 2, y + PAD - 1, sketch, marks=marks)


def _gone_row(sketch: Sketch, x: float, y: float, right: float, text: str) -> None:
    """Draw a removed row of a table, across its columns."""
    look = box_look("ghost")
    sketch.box(x, y + 1, right - x, _ROW_HEIGHT - 2, look.fill, look.stroke, look.line, dash=look.dash)
    sketch.text(x + 6, y + 11.5, text, 9, look.weight, look.ink, room=right - x - 10)


def _cell(sketch: Sketch, x: float, y: float, room: float, text: str, kind: str, largest: int, head: str) -> None:
    if kind == "flag":
        if text:
            across = width(head, SMALL, 600) + 8
            sketch.box(x - 1, y + 2, across, 12, "gate", "gate-stroke", radius=2)
            sketch.text(x - 1 + across / 2, y + 11.2, head, SMALL, 600, anchor="middle")
        return
    if kind == "bar" and text.isdigit():
        number = width("8" * len(str(largest)), 9)
        long = max((room - number - 14) * int(text) / largest, 1.5)
        sketch.box(x, y + 3, long, 10, "conv", "conv-stroke", 0.8, 0)
        sketch.text(x + long + 4, y + 11.5, text, 9, 500)
        return
    sketch.text(x, y + 11.5, text, 9, 500 if kind == "stride" else 400)
