"""Functions that the commands with tables share: the width of a LaTeX table, and the output file."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

import click

from cnndsl.commands.common import AnyFunction, echo, note
from cnndsl.commands.types import OneOf

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ENDINGS = {
    ".json": "json",
    ".csv": "csv",
    ".parquet": "parquet",
    ".md": "markdown",
    ".html": "html",
    ".tex": "latex",
    ".txt": "table",
}
WIDTHS = ("column", "page")


def width_option(function: AnyFunction) -> AnyFunction:
    """Add `--width`, of a LaTeX table."""
    text = "The width a LaTeX table must fit: a column of a paper, or its whole page.  [default: page]"
    return click.option("--width", "made_for", type=OneOf(WIDTHS), help=text)(function)


def output_option(function: AnyFunction) -> AnyFunction:
    """Add `--output`."""
    text = "Write to FILE instead of the standard output."
    return click.option("--output", "-o", metavar="FILE", help=text)(function)


def chosen_format(
    format: str | None, output: str | None, made_for: str | None, formats: Sequence[str], others: Sequence[str] = ()
) -> str:
    """Return the format, by its name or by the ending of the file; without either, a table. `others` are further
    endings that the command knows. Raises FileError for an unknown ending, UsageError for a width without LaTeX."""
    found = format or _by_ending(output, {end: name for end, name in ENDINGS.items() if name in formats}, others)
    if made_for and found != "latex":
        raise click.UsageError(f"--width applies to --format latex only, not to {found}")
    return found


def _by_ending(output: str | None, endings: Mapping[str, str], others: Sequence[str]) -> str:
    ending = PurePath(output or "").suffix.lower()
    if ending and ending not in endings:
        from cnndsl.files import FileError

        *first, last = (*endings, *others)
        known = f"{', '.join(first)} or {last}"
        raise FileError(f"cannot write {output}: its name must end in {known}; else add --format")
    return endings.get(ending, "table")


def deliver(text: str, output: str | None, *, force: bool) -> None:
    """Print a table or write it to a file. Raises FileError."""
    if output is None or output == "-":
        echo(text)
        return
    from cnndsl.files import write

    write(output, f"{text}\n".encode(), force=force)
    note(f"wrote {output}")
