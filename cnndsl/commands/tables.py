"""What commands that print tables share: the width that a LaTeX table is made for, and the file it is written to."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

import click

from cnndsl.commands.common import AnyFunction, echo, note

if TYPE_CHECKING:
    from collections.abc import Sequence

ENDINGS = {".json": "json", ".csv": "csv", ".md": "markdown", ".html": "html", ".tex": "latex"}
WIDTHS = ("column", "page")


def width_option(function: AnyFunction) -> AnyFunction:
    """`--width`, of a table in LaTeX."""
    text = "What a LaTeX table fits into: a column of a paper, or its text.  [default: page]"
    return click.option("--width", "made_for", type=click.Choice(WIDTHS), help=text)(function)


def output_option(function: AnyFunction) -> AnyFunction:
    """`--output`."""
    text = "Write to FILE instead of the standard output."
    return click.option("--output", "-o", metavar="FILE", help=text)(function)


def chosen_format(format: str | None, output: str | None, made_for: str | None, formats: Sequence[str]) -> str:
    """Return the format that is asked for, by its name or by the ending of the file.

    Raises UsageError for a width without LaTeX.
    """
    ending = ENDINGS.get(PurePath(output or "").suffix.lower(), "table")
    found = format or (ending if ending in formats else "table")
    if made_for and found != "latex":
        raise click.UsageError(f"--width applies to --format latex only, not to {found}")
    return found


def deliver(text: str, output: str | None, *, force: bool) -> None:
    """Print a table or write it to a file. Raises FileError."""
    if output is None or output == "-":
        echo(text)
        return
    from cnndsl.files import write

    write(output, f"{text}\n".encode(), force=force)
    note(f"wrote {output}")
