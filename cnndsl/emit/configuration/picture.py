"""Draws configuration tables: stages are rows between hairlines, networks are columns, metrics with bars are below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

from cnndsl.emit.configuration.cells import SIZE, CellBlock, drawn, laid_out, stacked_height
from cnndsl.emit.configuration.model import ConfigurationTable
from cnndsl.emit.configuration.titles import caption, name_of
from cnndsl.emit.configuration.totals import TotalsRow, totals
from cnndsl.emit.drawing.display import DisplayItem, GroupItem, PathItem, Picture, RectangleItem, TextItem
from cnndsl.emit.drawing.measure import width, wrapped
from cnndsl.records import record

PictureWidth: TypeAlias = Literal["column", "page", "slide"]

_WIDTHS: dict[PictureWidth, float] = {"column": 320.0, "page": 680.0, "slide": 960.0}
_TITLE, _NAME, _NOTE = 14.0, 10.0, 8.5
_BETWEEN = 12.0
"""The space between columns."""
_PADDING = 5.0
"""The space above and below a row."""
_METRIC = 16.0
"""The height of a row of metrics."""
_BAR = 7.0
_BAR_LENGTH = 36.0
"""The length of the bar of the largest value in a row."""
_BARS = "Bars are to scale within a row."


@record(slots=True)
class _Grid:
    """The positions of the columns: the ends of the networks' columns, the start of the sizes, and the total width."""

    output: float
    columns: tuple[tuple[float, float], ...]
    cells: tuple[tuple[tuple[CellBlock, ...], ...], ...]
    width: float


def picture(table: ConfigurationTable, made_for: PictureWidth = "page") -> Picture:
    """Return the table as a picture, wider than requested if even broken branches do not fit."""
    grid = _grid(table, _WIDTHS[made_for])
    items: list[DisplayItem] = []
    y = 0.0
    for line in wrapped(name_of(table), _TITLE, grid.width, 700):
        y += _TITLE + 3
        items.append(TextItem(0, y - 3, line, _TITLE, 700, room=grid.width))
    y += 6
    items += _header(table, grid, y)
    y += 22
    for at, row in enumerate(table.rows):
        height = max(map(stacked_height, grid.cells[at])) + 2 * _PADDING - 3 * row.is_continued
        label = f"{row.name} {row.output}".strip()
        items.append(GroupItem(row.name or f"row{at}", tuple(_row(table, grid, at, y, height)), label))
        y += height
    items += [_rule(y, grid.width, "line", 1.2), *_metrics(table, grid, y)]
    y += _METRIC * len(totals(table)) + 6
    items.append(_rule(y, grid.width, "ink", 1.5))
    for line in wrapped(" ".join((*table.notes, *((_BARS,) if _has_bars(table) else ()))), _NOTE, grid.width):
        y += 12
        items.append(TextItem(0, y, line, _NOTE, 400, "mute", room=grid.width))
    name = name_of(table)
    return Picture(name, grid.width, y + 3, tuple(items), f"Configuration of {name}", caption(table))


def _grid(table: ConfigurationTable, wanted: float) -> _Grid:
    """Return the columns, as narrow as the cells allow and as wide as the picture requires."""
    rows = totals(table)
    names = [*(width(row.name, _NAME, 600) for row in table.rows), width("stage", SIZE)]
    outputs = [*(width(row.output, SIZE) for row in table.rows), width("output", SIZE)]
    output = max(names) + _BETWEEN
    below = max(width(row.title, SIZE, 600) for row in rows)
    start = max(output + max(outputs), below) + _BETWEEN
    room = (wanted - start) / len(table.heads) - _BETWEEN
    cells = tuple(tuple(tuple(laid_out(each, room) for each in cell) for cell in row.cells) for row in table.rows)
    natural = [_natural(table, cells, rows, at) for at in range(len(table.heads))]
    spare = max(wanted - start - sum(natural) - _BETWEEN * (len(natural) - 1), 0) / len(natural)
    columns, x = list[tuple[float, float]](), start
    for each in natural:
        columns.append((x, x + each + spare))
        x += each + spare + _BETWEEN
    return _Grid(output, tuple(columns), cells, wanted if spare else x - _BETWEEN)


def _natural(
    table: ConfigurationTable,
    cells: Sequence[Sequence[Sequence[CellBlock]]],
    rows: Sequence[TotalsRow],
    at: int,
) -> float:
    """Return the minimum width of a network's column; cells that all share spread over all columns."""
    shares = len(table.heads) if len(table.heads) > 1 else 1
    blocks = [
        each.width / (shares if row.is_common else 1)
        for row, line in zip(table.rows, cells, strict=True)
        for each in line[at]
    ]
    values = [width(row.texts[at], SIZE, 500) + (_BAR_LENGTH + 6 if row.amounts else 0) for row in rows]
    return max(width(table.heads[at], _NAME, 600), *blocks, *values)


def _header(table: ConfigurationTable, grid: _Grid, y: float) -> Iterator[DisplayItem]:
    yield _rule(y, grid.width, "ink", 1.5)
    yield TextItem(0, y + 14, "stage", SIZE, 400, "mute")
    yield TextItem(grid.output, y + 14, "output", SIZE, 400, "mute")
    for head, (left, right) in zip(table.heads, grid.columns, strict=True):
        yield TextItem((left + right) / 2, y + 14, head, _NAME, 600, anchor="middle", room=right - left + _BETWEEN)
    yield _rule(y + 20, grid.width, "line", 1.2)


def _row(table: ConfigurationTable, grid: _Grid, at: int, y: float, height: float) -> Iterator[DisplayItem]:
    row, cells = table.rows[at], grid.cells[at]
    if at and not row.is_continued:
        yield _rule(y, grid.width, "hair", 0.8)
    middle = y + height / 2
    if not row.is_continued:
        yield TextItem(0, middle + 3.5, row.name, _NAME, 600)
        yield TextItem(grid.output, middle + 3.2, row.output, SIZE, 400, "mute")
    ends = [(grid.columns[0][0], grid.columns[-1][1])] if row.is_common else grid.columns
    for cell, (left, right) in zip(cells, ends, strict=False):
        yield from drawn(cell, left, right, middle - stacked_height(cell) / 2, is_wide=row.is_common)


def _metrics(table: ConfigurationTable, grid: _Grid, y: float) -> Iterator[DisplayItem]:
    """Yield the metrics of each network. Values are right-aligned in a column, so that bars are left-aligned."""
    has_bars = _has_bars(table)
    for row in totals(table):
        y += _METRIC
        yield TextItem(0, y - 2, row.title, SIZE, 600)
        for at, (left, right) in enumerate(grid.columns):
            wide = max(width(each.texts[at], SIZE, 500) for each in totals(table))
            end = (left + right + wide - (_BAR_LENGTH + 6) * has_bars) / 2
            yield TextItem(end, y - 2, row.texts[at], SIZE, 500, anchor="end", room=right - left)
            if row.amounts and has_bars:
                length = _BAR_LENGTH * row.amounts[at] / max(*row.amounts, 1)
                yield RectangleItem(end + 6, y - 2 - _BAR, length, _BAR, fill="conv-stroke", radius=1)


def _has_bars(table: ConfigurationTable) -> bool:
    return len(table.heads) > 1


def _rule(y: float, right: float, paint: str, line: float) -> PathItem:
    return PathItem((("M", (0, y)), ("L", (right, y))), stroke=paint, line=line)
