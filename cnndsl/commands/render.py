"""`cnndsl render`: a network as a drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cnndsl.commands.common import echo, force_option, network, note, settings_option
from cnndsl.commands.configuration import TableOptions, table_options, write_table
from cnndsl.commands.pictures import picture_options

if TYPE_CHECKING:
    from cnndsl.emit.configuration.picture import PictureWidth
    from cnndsl.emit.drawing.formats import PictureOptions


@click.command("render")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@settings_option
@click.option(
    "--output", "-o", metavar="FILE", help="A .svg, .png, .pdf or .gv file; - prints DOT.  [default: FILE.svg, here]"
)
@click.option("--fold", is_flag=True, help="Draw a repeat once, marked with the number of its turns.")
@table_options
@click.option(
    "--width",
    "made_for",
    type=click.Choice(("column", "page", "slide")),
    default="page",
    show_default=True,
    help="What a table is made for.",
)
@picture_options
@force_option
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[str, ...],
    settings: tuple[str, ...],
    output: str | None,
    fold: bool,
    style: str,
    format: str | None,
    made_for: PictureWidth,
    options: PictureOptions,
    force: bool,
) -> None:
    """Draw a network as SVG, PNG, PDF or DOT.

    Boxes are coloured by what the layer does, edges bear the volumes where they change, modules are frames. Needs
    Graphviz for everything but .gv: the `dot` program, or `pip install 'cnndsl[render]'`.

    With `--style table` it writes a configuration table, as papers have it: stages are rows, networks columns. `--set`
    may give a parameter several values there, each of which is a column. The file's name says the format: .svg, .png,
    .pdf, .tex, .md, .html or .json; `-` prints Markdown.

    \b
    cnndsl render vgg16 -o vgg16.png
    cnndsl render resnet18 resnet34 resnet50 --style table -o resnets.tex
    cnndsl render cifar_resnet --set layers=20,32,44 --style table
    """
    if style == "table":
        if fold:
            raise click.UsageError("a table always folds what repeats: --fold is for diagrams")
        write_table(files, settings, TableOptions(format, output, force, options, made_for))
        return
    if len(files) > 1 or format:
        raise click.UsageError("a diagram is of one network, in the format of the file: add --style table for a table")
    file = next(iter(files))
    from cnndsl.commands.compile import module_name
    from cnndsl.emit.drawing.dot import dot
    from cnndsl.emit.drawing.draw import NoGraphvizError, draw, format_of
    from cnndsl.files import write

    target = f"{module_name(file)}.svg" if output is None else output
    if target != "-":
        format_of(target)
    text = dot(network(file, settings).graph, fold_repeats=fold)
    if target == "-":
        echo(text.rstrip("\n"))
        return
    try:
        picture = draw(text, target)
    except NoGraphvizError as stop:
        target = f"{target.rpartition('.')[0]}.gv"
        write(target, text.encode(), force=force)
        note(f"wrote {target} instead: {stop}")
        ctx.exit(1)
    write(target, picture, force=force)
    note(f"wrote {target}")
