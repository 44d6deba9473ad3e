"""The table of `cnndsl stats`: aligned text for a pipe, with thin lines and colours for a terminal."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import starmap

from cnndsl.report.columns import Cell, Column
from cnndsl.report.number_format import duration, human, memory
from cnndsl.report.rows import TableRow
from cnndsl.report.summary import summary, title
from cnndsl.report.table_model import TableModel
from cnndsl.terminal import width as columns_of

_GAP = "  "
_INDENT = "  "
_LEFT = frozenset({"path", "text", "kind", "runs", "output", "bound"})
_NARROWEST = 40
_MOST_COLOURED = 5000
"""The most rows in colour: formatting one takes a third of a millisecond."""
_FIRST_TO_GO = ("operations", "weights", "activations", "receptive_field", "layers", "inference", "macs")
"""The columns that a narrow terminal omits, in this order, unless they were chosen. After that names are cut, never
values."""


def plain(view: TableModel) -> str:
    """Return aligned columns; a zero is a dash, so that every cell has a word."""
    left = {at for at, column in enumerate(view.columns) if column.key in _LEFT}
    lines = in_columns([[column.title for column in view.columns], *cells(view)], left)
    return "\n".join([title(view.stats), "", *lines, "", *summary(view.stats)])


def in_columns(rows: Sequence[Sequence[str]], left: Collection[int] = ()) -> list[str]:
    """Return the lines of a table with aligned cells: left-aligned in the columns `left`, right-aligned in the others.

    >>> in_columns([["name", "params"], ["fc", "4.1M"]], left={0})
    ['name  params', 'fc      4.1M']
    """
    widths = [max(columns_of(row[at]) for row in rows) for at in range(len(rows[0]))]
    aligned = [at in left for at in range(len(widths))]
    return [_GAP.join(starmap(_pad, zip(row, widths, aligned, strict=True))).rstrip() for row in rows]


def coloured(view: TableModel, width: int | None = None) -> str:
    """Return the table for a terminal of `width` columns; plain if it is too long to read."""
    entries = _entries(view)
    if len(entries) > _MOST_COLOURED:
        return plain(view)
    from io import StringIO

    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = cells(view)
    width = max(width or 100, _NARROWEST)
    widths = _widths(view, rows)
    shown = _fitting(view, widths, width)
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for at in shown:
        column = view.columns[at]
        if column.key in _LEFT:
            table.add_column(column.title, no_wrap=True)
        else:
            table.add_column(column.title, justify="right", no_wrap=True, min_width=widths[at])
    heaviest = max((entry.cost.params for entry in entries), default=0)
    for entry, texts in zip(entries, rows, strict=True):
        table.add_row(*[Text(texts[at]) for at in shown], style=_style(entry, heaviest))
    console = Console(file=StringIO(), force_terminal=True, width=width, highlight=False)
    console.print(Text(title(view.stats), style="bold"))
    console.print()
    console.print(table)
    for line in omission([column.key for at, column in enumerate(view.columns) if at not in shown], width):
        console.print(Text(line, style="dim"), soft_wrap=True)
    console.print()
    for line in summary(view.stats):
        console.print(Text(line), soft_wrap=True)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().rstrip("\n")


def omission(columns: Sequence[str], width: int) -> list[str]:
    """Return the lines that name the columns that a terminal of `width` columns omits; no line if it omits none.

    >>> omission(["macs", "weights"], 40)
    ['not shown for lack of width: macs,', 'weights; --columns chooses']
    """
    from textwrap import wrap

    return wrap(f"not shown for lack of width: {', '.join(columns)}; --columns chooses", width) if columns else []


def _entries(view: TableModel) -> list[TableRow]:
    return [*view.inputs, *(entry for _, entry in view.rows)]


def _widths(view: TableModel, rows: list[list[str]]) -> list[int]:
    table = [[column.title for column in view.columns], *rows]
    return [max(columns_of(row[at]) for row in table) for at in range(len(view.columns))]


def _fitting(view: TableModel, widths: list[int], width: int) -> list[int]:
    """Return the columns that fit the terminal."""
    shown = list(range(len(view.columns)))
    for key in () if view.is_chosen else _FIRST_TO_GO:
        if sum(widths[at] + len(_GAP) for at in shown) <= width:
            break
        shown = [at for at in shown if view.columns[at].key != key]
    return shown


def cells(view: TableModel) -> list[list[str]]:
    """Return the cells, row by row, beginning with the inputs; rows of a group are indented."""
    rows = [[show(column, column.value(entry)) for column in view.columns] for entry in view.inputs]
    for level, entry in view.rows:
        row = [show(column, column.value(entry)) for column in view.columns]
        rows.append([_INDENT * level + row[0], *row[1:]])
    return rows


def show(column: Column, cell: Cell) -> str:
    """Return a value in human units, a dash for none."""
    if isinstance(cell, float):
        return duration(cell) if cell else "-"
    if isinstance(cell, int):
        return (memory(cell) if column.form == "bytes" else human(cell)) if cell else "-"
    return cell or "-"


def _pad(text: str, width: int, left: bool) -> str:
    blanks = " " * (width - columns_of(text))
    return text + blanks if left else blanks + text


def _style(entry: TableRow, heaviest: int) -> str:
    """Dim layers without parameters, and highlight the one with the most."""
    if not entry.cost.params:
        return "dim"
    return "yellow" if entry.cost.params == heaviest else ""
