"""The options that select networks and columns in a table with a row for each network."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from typing import TYPE_CHECKING

import click

from cnndsl.commands.common import AnyFunction, known_names, known_order

if TYPE_CHECKING:
    from cnndsl.catalogue import NetworkColumns, NetworkSelection

WITH_ALL = ("json", "csv")
"""Formats for programs, which have all columns unless some are chosen."""


def selection_options(columns: NetworkColumns) -> Callable[[AnyFunction], AnyFunction]:
    """Add `--where`, `--sort`, `--pareto` and `--columns`."""

    def add(function: AnyFunction) -> AnyFunction:
        known = ", ".join(columns.names)
        for option in (
            click.option("--columns", metavar="COLUMNS", help=f"The columns to print, of {known}."),
            click.option(
                "--pareto", metavar="COLUMNS", help="Keep networks that no other beats in all of them: params,top1."
            ),
            click.option("--sort", metavar="COLUMN", help="Sort by a column; -COLUMN for the largest first."),
            click.option(
                "--where", metavar="TEST", help="Keep networks that pass a test: 'params < 10M and top1 > 75'."
            ),
        ):
            function = option(function)
        return function

    return add


def read_selection(
    columns: NetworkColumns, where: str | None, sort: str | None, pareto: str | None
) -> NetworkSelection:
    """Read the options that select networks. Raises CnnError, UsageError."""
    from cnndsl.catalogue import NetworkSelection, read_test

    test, tested = read_test(where, columns) if where is not None else (None, frozenset[str]())
    order, largest_first = known_order(sort, columns.names, "column", columns.titles) if sort else ("", False)
    goals = known_names(pareto, list(columns.goals), "column", columns.titles)
    return NetworkSelection(test, tested, {name: columns.goals[name] for name in goals}, order, largest_first)


def shown_columns(columns: NetworkColumns, chosen: Sequence[str], form: str, usual: Set[str]) -> list[str]:
    """Return the columns: the name and the chosen ones, otherwise the usual ones, or all in a format for programs."""
    if chosen:
        return list(dict.fromkeys(("name", *chosen)))
    return [name for name in columns.names if form in WITH_ALL or name in usual]
