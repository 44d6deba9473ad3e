"""`cnndsl sizes`: the input sizes that a network works with."""

from __future__ import annotations

import re
from collections.abc import Callable
from time import monotonic

import click

from cnndsl.commands.common import force_option, note, program_argument, read, settings_option
from cnndsl.commands.tables import chosen_format, deliver, output_option
from cnndsl.commands.types import OneOf, WholeNumber
from cnndsl.commands.usage import Subcommand

FORMATS = ("table", "json", "csv")
_SLOW = 2.0
"""Seconds after which a note says that the command takes longer, and how long."""


@click.command("sizes", cls=Subcommand)
@program_argument
@settings_option
@click.option("--at", "asked", metavar="SIZES", help="Ask about these sizes: 224,300 or 480x640.")
@click.option(
    "--up-to",
    type=WholeNumber(1, 100_000),
    metavar="SIZE",
    help="The largest size to try.  [default: 512, more if the input is larger]",
)
@click.option("--of", metavar="INPUT", help="The input to vary.  [default: all that are as large as the first]")
@click.option(
    "--format", type=OneOf(FORMATS), help="The output format.  [default: by the ending of --output, else table]"
)
@output_option
@force_option
def command(
    file: str,
    settings: tuple[str, ...],
    asked: str | None,
    up_to: int | None,
    of: str | None,
    format: str | None,
    output: str | None,
    force: bool,
) -> None:
    """Show which input sizes a network works with.

    Find every size up to a limit with which the network compiles, as a rule such as "multiples of 16, at least 32", and
    those with the same weights. For the others, show where they fail, with an example. The output, its stride and the
    receptive field come beside the rule.

    \b
    cnndsl sizes unet
    cnndsl sizes net.cnn --at 224,300,480x640
    """
    from cnndsl.commands.inputs import as_meant
    from cnndsl.errors import CnnError
    from cnndsl.files import FileError
    from cnndsl.finding import used
    from cnndsl.report.sizes import render
    from cnndsl.settings import parse_settings
    from cnndsl.sweeping.size_search import SizeSearch
    from cnndsl.sweeping.size_survey import input_sizes
    from cnndsl.syntax.parse import parse

    form = chosen_format(format, output, None, FORMATS)
    source, given = read(file), parse_settings(settings)
    try:
        search = SizeSearch(parse(source), given, used, of=of, progress=_progress())
        points = [(text, _point(text, len(search.written))) for text in _texts(asked)]
        found = input_sizes(search, up_to)
    except ValueError as stop:
        raise FileError(str(stop)) from None
    except CnnError as stop:
        raise as_meant(source, given, stop) if given else stop from None
    answers = [found.ask(text, point) for text, point in points]
    deliver(render(found, answers, form), output, force=force)
    if not found.works or any(each.place is not None for each in answers):
        click.get_current_context().exit(1)


def _texts(asked: str | None) -> list[str]:
    return [each.strip() for each in asked.split(",") if each.strip()] if asked else []


def _point(text: str, rank: int) -> tuple[int, ...]:
    """Return the extents of a size of `--at`. Raises UsageError for another text."""
    if not re.fullmatch(r"[1-9]\d{0,5}(x[1-9]\d{0,5})*", text):
        raise click.UsageError(f"{text!r} is not a size, as in --at 224 or --at 480x640")
    extents = tuple(map(int, text.split("x")))
    if len(extents) == 1:
        return extents * rank
    if len(extents) != rank:
        raise click.UsageError(f"{text} has {len(extents)} axes, and the input has {rank}")
    return extents


def _progress() -> Callable[[int, int], None]:
    """Return a function that notes, once, that compiling each size takes long."""
    started, noted = monotonic(), False

    def progress(known: int, of: int) -> None:
        nonlocal noted
        passed = monotonic() - started
        if passed > _SLOW and not noted:
            noted = True
            note(f"compiling each of {of} sizes takes about {passed * of / known:.0f} seconds; --up-to tries fewer")

    return progress
