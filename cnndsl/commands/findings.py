"""Functions that `check` and `lint` share: the options for their findings, and printing or writing these."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import PurePath

import click

from cnndsl.commands.common import AnyFunction, echo, force_option, note
from cnndsl.commands.types import OneOf
from cnndsl.diagnostics import FORMATS, render
from cnndsl.errors import Diagnostic
from cnndsl.terminal import wants_colour

_ENDINGS = {".json": "json", ".sarif": "sarif"}


def findings_options(function: AnyFunction) -> AnyFunction:
    """Add `--format`, `--output` and `--force`."""
    for option in (
        force_option,
        click.option("--output", "-o", metavar="FILE", help="Write to FILE instead of the standard output."),
        click.option(
            "--format",
            "--output-format",
            "output_format",
            type=OneOf(FORMATS),
            help="The output format; github is for annotations in a workflow. --output-format is an alias.  "
            "[default: json or sarif if --output ends in that, else full]",
        ),
    ):
        function = option(function)
    return function


def deliver_findings(
    found: Sequence[Diagnostic], format: str | None, output: str | None, *, force: bool, summary: Callable[[], str]
) -> None:
    """Print findings or write them to a file. In the full format, print a summary too. Raises FileError."""
    is_file = output is not None and output != "-"
    form = format or (_ENDINGS.get(PurePath(output).suffix.lower(), "full") if output else "full")
    text = render(found, form, colour=form == "full" and not is_file and wants_colour(sys.stdout))
    if output is not None and is_file:
        from cnndsl.files import write

        write(output, f"{text}\n".encode() if text else b"", force=force)
        note(f"wrote {output}")
    elif text:
        echo(text)
    if form == "full":
        note(summary())
