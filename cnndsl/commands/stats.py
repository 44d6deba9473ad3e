"""`cnndsl stats`: the figures of a network."""

from __future__ import annotations

import sys

import click

from cnndsl.commands.common import (
    echo,
    force_option,
    network,
    program_argument,
    settings_option,
    terminal_width,
)
from cnndsl.report import FORMATS
from cnndsl.terminal import wants_colour


@click.command("stats")
@program_argument
@settings_option
@click.option("--format", type=click.Choice(FORMATS), default="table", show_default=True, help="How to print them.")
@click.option("--output", "-o", metavar="FILE", help="Write to FILE instead of the standard output.")
@force_option
def command(file: str, settings: tuple[str, ...], format: str, output: str | None, force: bool) -> None:
    """Print parameters, multiply-adds and volumes by layer.

    Figures are for one image. Weights are without biases, parameters with them; a multiply-add is two flops; the
    field is the number of positions of the input that a unit sees. `lecture` is the table of the CS231n notes.

    \b
    cnndsl stats vgg16
    cnndsl stats net.cnn --set classes=10 --format json
    """
    from cnndsl.report import render

    stats = network(file, settings).stats()
    if output is not None and output != "-":
        from cnndsl.files import write

        write(output, f"{render(stats, format)}\n".encode(), force=force)
        return
    echo(render(stats, format, colour=wants_colour(sys.stdout), width=terminal_width()))
