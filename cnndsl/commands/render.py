"""`cnndsl render`: draw a network, or several networks as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cnndsl.commands.common import force_option, settings_option
from cnndsl.commands.configuration import TableOptions, table_options, write_table
from cnndsl.commands.diagram import DiagramOptions, diagram_options, write_diagram
from cnndsl.commands.pictures import picture_options
from cnndsl.commands.types import OneOf
from cnndsl.commands.usage import Subcommand

if TYPE_CHECKING:
    from cnndsl.emit.drawing.formats import PictureOptions
    from cnndsl.emit.drawing.layout.page import WidthName


@click.command("render", cls=Subcommand)
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
    type=OneOf(("column", "page", "slide")),
    help="Draw for a column of a paper (240 pt, 320 px), for both columns or a page (510 pt, 680 px), or for a slide "
    "(960 px).  [default: as wide as the network needs; page for a table]",
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

    Whatever repeats is drawn once: each part is a card with its iterations, and each block is opened in a panel beside
    it. A .mmd file is Mermaid, which GitHub draws in Markdown. `--layout dot` draws every layer. Graphviz places
    the layers if it is installed, as the `dot` program or with the extra `render`; otherwise the layout is simpler.

    A network with an error is drawn too if -o names the file: the failing part, and what comes before and after it.

    `--style table` writes a configuration table as papers have it, with stages as rows and networks as columns. `--set`
    may then give a parameter several values, one column each. The file's ending chooses the format: .svg, .png, .pdf,
    .tex, .md, .html or .json; `-` prints Markdown.

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
    if format:
        from cnndsl.commands.compile import module_name

        ending = {"latex": "tex", "markdown": "mmd"}.get(format, format)
        target = f"{module_name(files[0])}.{ending}"
        raise click.UsageError(f"--format is for --style table; the name of a diagram's file chooses: -o {target}")
    if len(files) > 1:
        hint = f"`cnndsl render {' '.join(files)} --style table` has a column for each"
        raise click.UsageError(f"a diagram is of one network, not of {len(files)}; {hint}")
    shown = DiagramOptions(width, opened, levels, unfold, layout, fold)
    write_diagram(next(iter(files)), settings, output, shown, options, force=force)
