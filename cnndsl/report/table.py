"""The table of `cnndsl stats`: aligned text for a pipe, the same with thin lines and colours for a terminal."""

from __future__ import annotations

from itertools import starmap

from cnndsl.report.columns import COLUMNS, Cell, extents
from cnndsl.report.facts import Row, Stats
from cnndsl.report.units import exact, human, memory
from cnndsl.terminal import width as columns_of

_GAP = "  "
_TEXT = frozenset({"path", "text", "output"})
_NARROWEST = 40
_MOST_COLOURED = 5000
"""Laying out a coloured row takes a third of a millisecond."""
_FIRST_TO_GO = ("weights", "activations", "receptive_field")
"""What a narrow terminal does without, in this order."""


def plain(stats: Stats) -> str:
    """Aligned columns without any ornament; a figure that is zero is a dash, so that every cell has a word."""
    rows = cells(stats)
    widths = _widths(rows)
    left = [column.key in _TEXT for column in COLUMNS]
    lines = [title(stats), ""]
    for row in [[column.title for column in COLUMNS], *rows]:
        padded = starmap(_pad, zip(row, widths, left, strict=True))
        lines.append(_GAP.join(padded).rstrip())
    return "\n".join([*lines, "", *summary(stats)])


def coloured(stats: Stats, width: int | None = None) -> str:
    """The table for a terminal of `width` columns; plain where it is longer than anyone reads."""
    if len(stats.layers) > _MOST_COLOURED:
        return plain(stats)
    from io import StringIO

    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = cells(stats)
    width = max(width or 100, _NARROWEST)
    shown = _fitting(_widths(rows), width)
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for column in (COLUMNS[at] for at in shown):
        table.add_column(column.title, justify="left" if column.key in _TEXT else "right", no_wrap=True)
    heaviest = max((row.cost.params for row in stats.layers), default=0)
    for row, texts in zip((stats.input, *stats.layers), rows, strict=True):
        table.add_row(*[Text(texts[at]) for at in shown], style=_style(row, heaviest))
    console = Console(file=StringIO(), force_terminal=True, width=width, highlight=False)
    console.print(Text(title(stats), style="bold"))
    console.print()
    console.print(table)
    console.print()
    for line in summary(stats):
        console.print(Text(line), soft_wrap=True)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().rstrip("\n")


def _widths(rows: list[list[str]]) -> list[int]:
    table = [[column.title for column in COLUMNS], *rows]
    return [max(columns_of(row[at]) for row in table) for at in range(len(COLUMNS))]


def _fitting(widths: list[int], width: int) -> list[int]:
    """The columns that a terminal has room for."""
    shown = list(range(len(COLUMNS)))
    for key in _FIRST_TO_GO:
        if sum(widths[at] + len(_GAP) for at in shown) <= width:
            break
        shown = [at for at in shown if COLUMNS[at].key != key]
    return shown


def cells(stats: Stats) -> list[list[str]]:
    """What stands in the table, row by row, from the input on."""
    return [_cells(row) for row in (stats.input, *stats.layers)]


def title(stats: Stats) -> str:
    """The network's name and how it is set."""
    from cnndsl.expr import show

    settings = ", ".join(f"{name}={show(value)}" for name, value in stats.graph.settings.items())
    return f"{stats.graph.title} ({settings})" if settings else stats.graph.title


def summary(stats: Stats) -> list[str]:
    """The totals, each with its unit."""
    totals = stats.totals
    pairs = [
        ("parameters", f"{exact(totals.params)} ({exact(totals.weights)} weights)"),
        ("multiply-adds", f"{human(totals.macs)} an image ({human(totals.flops)} flops)"),
        ("memory", f"{memory(totals.memory_bytes)} an image forward, about twice that with backward"),
        ("receptive field", _field(stats)),
        ("depth", f"{totals.depth} weight layers" if totals.depth != 1 else "1 weight layer"),
    ]
    widest = max(len(name) for name, _ in pairs)
    return [f"{name:<{widest}}{_GAP}{text}" for name, text in pairs]


def _field(stats: Stats) -> str:
    seen, plane = stats.totals.receptive_field, stats.graph.input.spatial
    if not seen:
        return "none, the input has no spatial axes"
    return f"{extents(seen)} of {extents(plane)}, at the last map"


def _cells(row: Row) -> list[str]:
    if not row.node.inputs:
        return [row.node.path or "-", row.node.kind, str(row.node.shape), *["-"] * (len(COLUMNS) - 3)]
    return [_show(column.value(row)) for column in COLUMNS]


def _show(cell: Cell) -> str:
    if isinstance(cell, int):
        return human(cell) if cell else "-"
    return cell or "-"


def _pad(text: str, width: int, left: bool) -> str:
    blanks = " " * (width - columns_of(text))
    return text + blanks if left else blanks + text


def _style(row: Row, heaviest: int) -> str:
    """Layers without parameters step back; the one with most of them stands out."""
    if not row.cost.params:
        return "dim"
    return "yellow" if row.cost.params == heaviest else ""
