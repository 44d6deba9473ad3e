"""`cnndsl render`: a network as a drawing."""

from __future__ import annotations

from typing import cast

import click

from cnndsl.commands.common import echo, force_option, network, note, program_argument, settings_option

DOT = ("gv", "dot")
"""Endings of files with DOT text, which Graphviz lays out."""


@click.command("render")
@program_argument
@settings_option
@click.option(
    "--output", "-o", metavar="FILE", help="A .svg, .png, .pdf or .gv file; - prints DOT.  [default: FILE.svg, here]"
)
@click.option(
    "--width",
    type=click.Choice(["column", "page", "slide"]),
    help="The width: a column of a paper (320 px), its page (680 px) or a slide (960 px).  [default: what fits]",
)
@click.option("--open", "opened", metavar="NAME", multiple=True, help="Open this block in a panel; repeatable.")
@click.option("--levels", type=click.IntRange(1), metavar="N", help="Open parts down to level N; 1 is the top.")
@click.option("--unfold", is_flag=True, help="Draw every layer; fold nothing.")
@click.option(
    "--theme", type=click.Choice(["paper", "dark", "mono"]), default="paper", show_default=True, help="Colours."
)
@click.option(
    "--layout",
    type=click.Choice(["cards", "dot"]),
    default="cards",
    show_default=True,
    help="Fold the network into cards, or let Graphviz lay out every layer.",
)
@click.option(
    "--text",
    type=click.Choice(["font", "paths"]),
    default="font",
    show_default=True,
    help="Embed the font in an SVG, or draw its texts as outlines.",
)
@click.option("--fold", is_flag=True, help="With --layout dot, draw a repeat once; cards always do.")
@force_option
@click.pass_context
def command(
    ctx: click.Context,
    file: str,
    settings: tuple[str, ...],
    output: str | None,
    width: str | None,
    opened: tuple[str, ...],
    levels: int | None,
    unfold: bool,
    theme: str,
    layout: str,
    text: str,
    fold: bool,
    force: bool,
) -> None:
    """Draw a network as SVG, PNG, PDF or DOT.

    What repeats is drawn once: a card for each part with its iterations, and each block opened in a panel beside it.
    `--layout dot` draws every layer instead and needs Graphviz: the `dot` program, or `pip install 'cnndsl[render]'`.

    \b
    cnndsl render vgg16 -o vgg16.png
    cnndsl render resnet50 --width page
    """
    from cnndsl.commands.compile import module_name
    from cnndsl.emit.drawing.formats import PICTURES, encoded
    from cnndsl.files import write

    target = f"{module_name(file)}.svg" if output is None else output
    ending = target.rpartition(".")[2].lower()
    if layout == "dot" or target == "-" or ending in DOT or ending not in PICTURES:
        _by_graphviz(ctx, file, settings, target, fold, force)
        return
    from cnndsl.emit.drawing.cards.fold import model
    from cnndsl.emit.drawing.layout.page import WidthName, picture
    from cnndsl.emit.drawing.themes import ThemeName

    if fold:
        note("--fold is the default: cards fold what repeats")
    folded = model(network(file, settings).graph, opened, unfold=unfold, levels=levels)
    drawn = picture(folded, cast("WidthName | None", width))
    data = encoded(drawn, ending, cast("ThemeName", theme), as_paths=text == "paths")
    write(target, data, force=force)
    note(f"wrote {target}")


def _by_graphviz(
    ctx: click.Context, file: str, settings: tuple[str, ...], target: str, fold: bool, force: bool
) -> None:
    """Draw every layer, or print DOT."""
    from cnndsl.emit.drawing.dot import dot
    from cnndsl.emit.drawing.draw import NoGraphvizError, draw, format_of
    from cnndsl.files import write

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
