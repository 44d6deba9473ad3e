"""The content of a table: its rows, grouped and sorted, and its columns. Each format decides how it looks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypedDict

from cnndsl.records import record
from cnndsl.report.columns import COLUMNS, GROUPS, LAYERS, MEMORY, MODE, TIMES, Column
from cnndsl.report.memory import BatchSetup, footprint
from cnndsl.report.rows import TableRow, of_groups, of_inputs, of_layers, opened

if TYPE_CHECKING:
    from cnndsl.analysis.groups import By
    from cnndsl.report.metrics import Metrics


class Layout(TypedDict, total=False):
    """The options of `cnndsl stats` for tables."""

    by: By | None
    depth: int | None
    columns: Sequence[str]
    sort: str


@record
class TableModel:
    """A table before formatting. `entries` are the rows, with groups opened to `depth` (None: all). `is_chosen` says
    that the columns were chosen, so that none may be omitted."""

    stats: Metrics
    entries: tuple[TableRow, ...]
    columns: tuple[Column, ...]
    is_chosen: bool = False
    by: By | None = None
    depth: int | None = None

    @property
    def inputs(self) -> tuple[TableRow, ...]:
        """Return the rows of the inputs."""
        return of_inputs(self.stats)

    @property
    def rows(self) -> list[tuple[int, TableRow]]:
        """Return the visible rows, each with its level from 0."""
        return opened(self.entries, self.depth)


def view(
    stats: Metrics, by: By | None = None, depth: int | None = None, columns: Sequence[str] = (), sort: str = ""
) -> TableModel:
    """Return the table of a network's metrics. `by` groups layers, `depth` says how far groups are opened (as blocks,
    unless `by` says otherwise); without either, each layer is a row. `sort` is a column's key, with a minus for the
    largest first; it sorts groups, and the rows in each. Raises KeyError for an unknown column."""
    by = by or ("block" if depth is not None else None)
    depth = depth or (1 if by else None)
    if stats.memory is None and {*columns, sort.removeprefix("-")}.intersection(MEMORY):
        stats = replace(stats, memory=footprint(stats.graph, BatchSetup(), stats.runs))
    entries = of_groups(stats, by) if by else of_layers(stats)
    keys = columns or _usual(stats, by)
    if sort:
        key = _order(COLUMNS[sort.removeprefix("-")])
        entries = _sorted(entries, key, sort.startswith("-"))
    return TableModel(stats, entries, tuple(COLUMNS[key] for key in keys), bool(columns), by, depth)


def _usual(stats: Metrics, by: By | None) -> tuple[str, ...]:
    """Return the default columns; `runs` comes after the columns that name a row."""
    first, second, *others = GROUPS if by else LAYERS
    mode = (MODE,) if stats.has_training_only else ()
    return first, second, *mode, *others, *(MEMORY if stats.memory else ()), *(TIMES if stats.roofline else ())


def _order(column: Column) -> Callable[[TableRow], tuple[float, list[tuple[int, str]]]]:
    """Return the sort key: an amount, otherwise the text with numbers as numbers; rows without either come first."""

    def key(entry: TableRow) -> tuple[float, list[tuple[int, str]]]:
        amount = column.amount(entry)
        if amount is not None:
            return amount, []
        pieces: list[str] = re.findall(r"\d+|\D+", str(column.value(entry)))
        return -1, [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in pieces]

    return key


def _sorted(
    entries: Iterable[TableRow], key: Callable[[TableRow], tuple[float, list[tuple[int, str]]]], reverse: bool
) -> tuple[TableRow, ...]:
    each = sorted(entries, key=key, reverse=reverse)
    return tuple(replace(entry, parts=_sorted(entry.parts, key, reverse)) if entry.parts else entry for entry in each)
