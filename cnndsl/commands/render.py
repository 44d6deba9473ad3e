"""`cnndsl render`: a network as a drawing."""

from __future__ import annotations

import click

from cnndsl.commands.common import echo, force_option, network, note, program_argument, settings_option


@click.command("render")
@program_argument
@settings_option
@click.option(
    "--output", "-o", metavar="FILE", help="A .svg, .png, .pdf or .gv file; - prints DOT.  [default: FILE.svg, here]"
)
@click.option("--fold", is_flag=True, help="Draw a repeat once, marked with the number of its turns.")
@force_option
@click.pass_context
def command(
    ctx: click.Context, file: str, settings: tuple[str, ...], output: str | None, fold: bool, force: bool
) -> None:
    """Draw a network as SVG, PNG, PDF or DOT.

    Boxes are coloured by what the layer does, edges bear the volumes where they change, modules are frames. Needs
    Graphviz for everything but .gv: the `dot` program, or `pip install 'cnndsl[render]'`.

    \b
    cnndsl render vgg16 -o vgg16.png
    """
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
