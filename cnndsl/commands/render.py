"""`cnndsl render`: a network as a drawing, or networks as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cnndsl.commands.common import force_option, settings_option
from cnndsl.commands.configuration import TableOptions, table_options, write_table
from cnndsl.commands.diagram import DiagramOptions, diagram_options, write_diagram
from cnndsl.commands.pictures import picture_options

if TYPE_CHECKING:
    from cnndsl.emit.drawing.formats import PictureOptions
    from cnndsl.emit.drawing.layout.page import WidthName


@click.command("render")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@settings_option
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    help="A .svg, .png, .pdf, .tex, .mmd, .gv or .dot file; - prints DOT.  [default: FILE.svg]",
)
@table_options
@click.option(
    "--width",
    type=click.Choice(("column", "page", "slide")),
    help="At most 240 pt (320 px), a column of a paper, 510 pt (680 px), both columns, or 960 px, a slide.  "
    "[default: what fits; a table: page]",
)
@diagram_options
@picture_options
@force_option
def command(
    files: tuple[str, ...],
    settings: tuple[str, ...],
    output: str | None,
    style: str,
    format: str | None,
    width: WidthName | None,
    opened: tuple[str, ...],
    levels: int | None,
    unfold: bool,
    layout: str,
    fold: bool,
    options: PictureOptions,
    force: bool,
) -> None:
    """Draw a network as SVG, PNG, PDF, TikZ or DOT.

    A .mmd file is Mermaid, which GitHub draws in Markdown.
    What repeats is drawn once: a card for each part with its iterations, and each block opened in a panel beside it.
    `--layout dot` draws every layer instead and needs Graphviz: the `dot` program, or `pip install 'cnndsl[render]'`.

    A network with an error is drawn too, into the file that -o names: what fails, and what is before and after it.

    With `--style table` it writes a configuration table, as papers have it: stages are rows, networks columns. `--set`
    may give a parameter several values there, each of which is a column. The file's name says the format: .svg, .png,
    .pdf, .tex, .md, .html or .json; `-` prints Markdown.

    \b
    cnndsl render vgg16 -o vgg16.png
    cnndsl render resnet50 --width page
    cnndsl render resnet18 resnet34 resnet50 --style table -o resnets.tex
    cnndsl render cifar_resnet --set layers=20,32,44 --style table
    """
    if style == "table":
        if fold or unfold or opened or levels:
            raise click.UsageError(
                "a table always folds what repeats: --fold, --unfold, --open, --levels are for diagrams"
            )
        write_table(files, settings, TableOptions(format, output, force, options, width or "page"))
        return
    if len(files) > 1 or format:
        raise click.UsageError("a diagram is of one network, in the format of the file: add --style table for a table")
    shown = DiagramOptions(width, opened, levels, unfold, layout, fold)
    write_diagram(next(iter(files)), settings, output, shown, options, force=force)
