"""`cnndsl diff`: two networks side by side."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from cnndsl.commands.common import complain, echo, network, report, settings_option
from cnndsl.errors import CnnError
from cnndsl.files import FileError
from cnndsl.graph import Graph
from cnndsl.report.diff import FORMATS
from cnndsl.terminal import wants_colour

TROUBLE = 2


@click.command("diff")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@settings_option
@click.option("--set-a", metavar="NAME=VALUE", multiple=True, help="Set a parameter of A alone.")
@click.option("--set-b", metavar="NAME=VALUE", multiple=True, help="Set a parameter of B alone.")
@click.option("--all", "every", is_flag=True, help="List the layers too that are the same.")
@click.option("--format", type=click.Choice(FORMATS), default="table", show_default=True, help="How to print it.")
@click.pass_context
def command(
    ctx: click.Context,
    before: str,
    after: str,
    settings: tuple[str, ...],
    set_a: tuple[str, ...],
    set_b: tuple[str, ...],
    every: bool,
    format: str,
) -> None:
    """Compare two networks layer by layer.

    Which layers changed (~), went (-) and came (+), and what that does to each figure. What layers are called is no
    difference. Blocks that correspond are compared layer by layer; a block that the other network has nothing like is
    one line, which --all opens. The exit code is that of diff: 0 the same, 1 different, 2 trouble, which is also what a
    file that is no network gives here.

    \b
    cnndsl diff vgg16 vgg19
    cnndsl diff old.cnn new.cnn --format markdown
    cnndsl diff net.cnn net.cnn --set-b classes=10
    """
    from cnndsl.analysis.compare import compare
    from cnndsl.network import executions
    from cnndsl.report.diff import render

    if before == after == "-":
        raise click.UsageError("only one of the two can be the standard input")
    nets = _graph(ctx, before, (*settings, *set_a)), _graph(ctx, after, (*settings, *set_b))
    found = compare(*nets, executions)
    echo(render(nets, found, format, every=every, colour=format == "table" and wants_colour(sys.stdout)))
    ctx.exit(1 if found.differs else 0)


def _graph(ctx: click.Context, file: str, settings: Sequence[str]) -> Graph:
    """A network; what is none ends the command as trouble does in `diff`."""
    try:
        return network(file, settings).graph
    except CnnError as stop:
        report(stop.diagnostics)
    except FileError as stop:
        complain(str(stop))
    return ctx.exit(TROUBLE)
