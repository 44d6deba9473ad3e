r"""Writes configuration tables in LaTeX: booktabs, blocks in brackets, cells that all networks share across columns.

A table is no wider than its target: the font size shrinks, the size of a stage moves below its name, branches of
several layers are broken at their arrows, and columns that still do not fit go into a further table with the same
stages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import ceil

from cnndsl.emit.configuration.lines import broken
from cnndsl.emit.configuration.model import ConfigurationRow, ConfigurationTable, StageBlock
from cnndsl.emit.configuration.titles import caption, name_of
from cnndsl.emit.configuration.totals import TotalsRow, totals
from cnndsl.records import record
from cnndsl.report.latex_table import (
    ROOM,
    SIZES,
    LatexSetting,
    TableWidth,
    halves,
    label_of,
    placed,
    with_packages,
)
from cnndsl.report.latex_text import TIMES, breakable, escape, width

_BRACKETS = (8.34, 10.56, 11.67, 13.34)
"""The maximum width in points of both brackets around one line, two, three and more. Source: cmex10.tfm."""
_SIZES = (*SIZES, (7, 2.0))


@record(slots=True)
class _Sheet:
    """The columns of one table: those of the networks `first` to `stop`, and its layout."""

    first: int
    stop: int
    size: int
    gap: float
    room: float
    """The width available to a cell; wider branches are broken."""
    is_stacked: bool = False
    """Whether the size of a stage is below its name."""


def latex(table: ConfigurationTable, made_for: TableWidth = "page") -> str:
    """Return the table in LaTeX, in as many parts as its width requires."""
    sheets = _sheets(table, ROOM[made_for])
    return with_packages((name_of(table),), (_part(table, sheet, made_for) for sheet in sheets))


def _sheets(table: ConfigurationTable, room: float) -> Iterator[_Sheet]:
    """Yield tables that fit, as few as possible, with about the same number of networks each."""
    first, count = 0, len(table.heads)
    while first < count:
        stops = range(count, first, -1)
        most = next((stop for stop in stops if _sheet(table, first, stop, room)), first + 1) - first
        tables = ceil((count - first) / most)
        stop = first + ceil((count - first) / tables)
        yield _sheet(table, first, stop, room) or _narrowest(table, first, room)
        first = stop


def _sheet(table: ConfigurationTable, first: int, stop: int, room: float) -> _Sheet | None:
    """Return the best layout for some networks side by side; None if none fits."""
    for is_broken, is_stacked in ((False, False), (False, True), (True, False), (True, True)):
        for size, gap in _SIZES:
            sheet = _Sheet(first, stop, size, gap, room, is_stacked)
            free = room - _left(table, sheet) - 2 * gap * (stop - first)
            sheet = replace(sheet, room=free / (stop - first)) if is_broken else sheet
            columns = sum(_column(table, at, sheet) for at in range(first, stop))
            shared = [_cell_width(row.cells[first], sheet) for row in table.rows if _is_shared(row, sheet)]
            if max(columns, *shared, 0.0) <= free:
                return sheet
    return None


def _narrowest(table: ConfigurationTable, first: int, room: float) -> _Sheet:
    sheet = _Sheet(first, first + 1, *_SIZES[-1], room, is_stacked=True)
    return replace(sheet, room=room - _left(table, sheet) - 2 * sheet.gap)


def _left(table: ConfigurationTable, sheet: _Sheet) -> float:
    """Return the width of the names and sizes, with the gap between them."""
    names = max(width(name, sheet.size) for name in ("stage", *(row.name for row in table.rows)))
    outputs = max(width(output, sheet.size) for output in ("output", *(row.output for row in table.rows)))
    below = max(width(text, sheet.size) for row in totals(table) for text in _title(row, sheet))
    return max(names, outputs, below) if sheet.is_stacked else max(names + outputs + 2 * sheet.gap, below)


def _title(row: TotalsRow, sheet: _Sheet) -> tuple[str, ...]:
    """Return the lines of a metric's name."""
    if not sheet.is_stacked:
        return (row.title,)
    return tuple(filter(None, halves(row.short, f"({row.unit})" if row.unit else "")))


def _column(table: ConfigurationTable, at: int, sheet: _Sheet) -> float:
    """Return the width of a network's column."""
    texts = [table.heads[at], *(row.texts[at] for row in totals(table))]
    cells = [_cell_width(row.cells[at], sheet) for row in table.rows if not _is_shared(row, sheet)]
    return max(*(width(text, sheet.size) for text in texts), *cells, 0.0)


def _cell_width(cell: Sequence[StageBlock], sheet: _Sheet) -> float:
    return max((_block_width(block, sheet) for block in cell), default=0)


def _block_width(block: StageBlock, sheet: _Sheet) -> float:
    lines = _lines(block, sheet)
    return max(width(text, sheet.size) for text in lines) + _frame(block, len(lines), sheet.size)


def _frame(block: StageBlock, lines: int, size: int) -> float:
    """Return the width of brackets around this many lines, and of the number of repeats."""
    if not block.has_brackets:
        return 0
    return _BRACKETS[min(lines, 4) - 1] + (width(f"{TIMES}{block.times}", size) if block.times > 1 else 0)


def _room(block: StageBlock, sheet: _Sheet) -> float:
    """Return the width available to a line inside the largest brackets."""
    return sheet.room - _frame(block, len(_BRACKETS), sheet.size)


def _lines(block: StageBlock, sheet: _Sheet) -> list[str]:
    """Return the lines of a block; a line that is too wide is broken before an arrow."""
    room = _room(block, sheet)
    return [line for text in block.texts for line in broken(text, room, lambda text: width(text, sheet.size))]


def _is_shared(row: ConfigurationRow, sheet: _Sheet) -> bool:
    """Return whether all networks of a table have the same cell in a row."""
    cells = row.cells[sheet.first : sheet.stop]
    return len(cells) > 1 and bool(cells[0]) and all(cell == cells[0] for cell in cells)


def _part(table: ConfigurationTable, sheet: _Sheet, made_for: TableWidth) -> list[str]:
    """Return one table, of all networks or of some."""
    count = sheet.stop - sheet.first
    rows = [row for row in table.rows if any(row.cells[sheet.first : sheet.stop])]
    body = [line for row in rows for line in (r"\addlinespace[2pt]", _row(row, sheet))]
    body += [r"\addlinespace[2pt]", r"\midrule", *(_total(row, sheet) for row in totals(table))]
    names = ["stage"] if sheet.is_stacked else ["stage", "output"]
    head = _line(names, map(escape, table.heads[sheet.first : sheet.stop]))
    heights = (max(_cell_height(cell, sheet) for cell in row.cells[sheet.first : sheet.stop]) for row in rows)
    height = sum(heights) + (2 * len(totals(table)) + 2) * 1.2 * sheet.size
    columns = f"@{{}}{'l' * len(names)}{'c' * count}@{{}}"
    label = label_of(name_of(table), "configuration")
    setting = LatexSetting(caption(table), label, columns, sheet.size, sheet.gap, height)
    return placed(setting, [head], body, made_for, is_first=sheet.first == 0)


def _cell_height(cell: Sequence[StageBlock], sheet: _Sheet) -> float:
    return max(sum((len(_lines(block, sheet)) * 1.2 + 0.5) * sheet.size for block in cell), 2.4 * sheet.size) + 4


def _row(row: ConfigurationRow, sheet: _Sheet) -> str:
    cells = [_cell(cell, sheet) for cell in row.cells[sheet.first : sheet.stop]]
    if _is_shared(row, sheet):
        cells = [rf"\multicolumn{{{len(cells)}}}{{c}}{{{cells[0]}}}"]
    names = ["", ""] if row.is_continued else [escape(row.name), escape(row.output)]
    return _line([_stacked([*filter(None, names)], "l")] if sheet.is_stacked else names, cells)


def _total(row: TotalsRow, sheet: _Sheet) -> str:
    title = _stacked([escape(line) for line in _title(row, sheet)], "l")
    names = title if sheet.is_stacked else rf"\multicolumn{{2}}{{@{{}}l}}{{{title}}}"
    return _line([names], map(escape, row.texts[sheet.first : sheet.stop]))


def _line(names: Sequence[str], cells: Iterable[str]) -> str:
    text = " & ".join((*names, *cells))
    return rf"{{}}{text} \\" if text.startswith(("[", "*")) else rf"{text} \\"


def _cell(cell: Sequence[StageBlock], sheet: _Sheet) -> str:
    return _stacked([_block(block, sheet) for block in cell], "c", r"\\[2pt]") if cell else ""


def _block(block: StageBlock, sheet: _Sheet) -> str:
    room = _room(block, sheet)
    lines = [breakable(text, room, sheet.size) for text in _lines(block, sheet)]
    if not block.has_brackets:
        return lines[0] if len(lines) == 1 else _stacked(lines, "l")
    times = rf"{{\times}}{block.times}" if block.times > 1 else ""
    return rf"$\left[{_stacked(lines, 'l', is_boxed=True)}\right]{times}$"


def _stacked(lines: Sequence[str], align: str, between: str = r"\\", *, is_boxed: bool = False) -> str:
    if len(lines) < 2 and not is_boxed:
        return "".join(lines)
    return rf"\begin{{tabular}}{{@{{}}{align}@{{}}}}{between.join(lines)}\end{{tabular}}"
