"""`cnndsl diff`: compare two networks."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cnndsl.commands.common import complain, force_option, network, report, settings_option
from cnndsl.commands.pictures import picture_options, write_picture
from cnndsl.commands.tables import chosen_format, deliver, output_option, width_option
from cnndsl.commands.types import OneOf
from cnndsl.commands.usage import Subcommand
from cnndsl.errors import CnnError
from cnndsl.files import FileError
from cnndsl.graph import Graph
from cnndsl.report.diff import FORMATS
from cnndsl.terminal import wants_colour

if TYPE_CHECKING:
    from cnndsl.analysis.compare import Comparison
    from cnndsl.emit.drawing.formats import PictureOptions
    from cnndsl.report.latex_table import TableWidth

TROUBLE = 2
_PICTURES = (".svg", ".png", ".pdf", ".tikz")
"""The endings of pictures; .tex is a table."""


@click.command("diff", cls=Subcommand)
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@settings_option
@click.option("--set-a", metavar="NAME=VALUE", multiple=True, help="Set a parameter of A alone.")
@click.option("--set-b", metavar="NAME=VALUE", multiple=True, help="Set a parameter of B alone.")
@click.option("--all", "every", is_flag=True, help="Also list the layers that are the same.")
@click.option(
    "--format", type=OneOf(FORMATS), help="The output format.  [default: by the ending of --output, else table]"
)
@width_option
@output_option
@picture_options
@force_option
@click.pass_context
def command(
    ctx: click.Context,
    before: str,
    after: str,
    settings: tuple[str, ...],
    set_a: tuple[str, ...],
    set_b: tuple[str, ...],
    every: bool,
    format: str | None,
    made_for: TableWidth | None,
    output: str | None,
    options: PictureOptions,
    force: bool,
) -> None:
    """Compare two networks layer by layer.

    Lists the layers that changed (~), were removed (-) and were added (+), and each metric before and after. Names do
    not matter. Corresponding blocks are compared layer by layer; a block without a counterpart is one line, which --all
    opens. With -o FILE.svg, .png, .pdf or .tikz, draws B with the changes marked. The exit code is 0 if the networks
    are the same, 1 if they differ, 2 for any failure, including an invalid file.

    \b
    cnndsl diff vgg16 vgg19
    cnndsl diff old.cnn new.cnn --format markdown
    cnndsl diff net.cnn net.cnn --set-b classes=10
    cnndsl diff vgg16 vgg19 --width column -o vgg.tex
    cnndsl diff resnet34 resnet50 -o resnets.svg
    """
    from cnndsl.analysis.compare import compare
    from cnndsl.network import executions
    from cnndsl.report.diff import render

    if before == after == "-":
        raise click.UsageError("only one of the two can be the standard input")
    is_picture = format is None and output is not None and output.lower().endswith(_PICTURES)
    try:
        form = "" if is_picture else chosen_format(format, output, made_for, FORMATS, _PICTURES)
    except FileError as stop:
        complain(str(stop))
        ctx.exit(TROUBLE)
    nets = _graph(ctx, before, (*settings, *set_a)), _graph(ctx, after, (*settings, *set_b))
    found = compare(*nets, executions)
    if is_picture and output is not None:
        _draw(ctx, nets, found, output, made_for, options, force)
        ctx.exit(1 if found.differs else 0)
    colour = output is None and form == "table" and wants_colour(sys.stdout)
    text = render(nets, found, form, every=every, colour=colour, made_for=made_for or "page")
    try:
        deliver(text, output, force=force)
    except FileError as stop:
        complain(str(stop))
        ctx.exit(TROUBLE)
    ctx.exit(1 if found.differs else 0)


def _draw(
    ctx: click.Context,
    nets: tuple[Graph, Graph],
    found: Comparison,
    output: str,
    width: TableWidth | None,
    options: PictureOptions,
    force: bool,
) -> None:
    """Write the picture of B, with the changes from A."""
    from cnndsl.commands.common import note
    from cnndsl.emit.drawing.difference import difference
    from cnndsl.emit.drawing.layout.page import picture
    from cnndsl.report.diff import differences

    title = nets[1].title if nets[0].title == nets[1].title else f"{nets[0].title} → {nets[1].title}"
    drawn = picture(difference(nets[1], found, differences(found), title), width)
    try:
        write_picture(output, drawn, options, force=force)
    except FileError as stop:
        complain(str(stop))
        ctx.exit(TROUBLE)
    note(f"wrote {output}")


def _graph(ctx: click.Context, file: str, settings: Sequence[str]) -> Graph:
    """Return a network. If it is invalid, the command ends with 2, as `diff` does."""
    try:
        return network(file, settings).graph
    except CnnError as stop:
        report(stop.diagnostics)
    except FileError as stop:
        complain(str(stop))
    return ctx.exit(TROUBLE)
