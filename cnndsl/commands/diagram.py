"""`cnndsl render --style diagram`: a network folded into cards, or every layer as Graphviz lays it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cnndsl.commands.common import AnyFunction, as_given, echo, note, read
from cnndsl.commands.failing import FailingNetwork
from cnndsl.commands.pictures import write_picture
from cnndsl.commands.types import OneOf, WholeNumber
from cnndsl.errors import CnnError
from cnndsl.records import record

if TYPE_CHECKING:
    from cnndsl.emit.drawing.cards.model import DrawingModel
    from cnndsl.emit.drawing.formats import PictureOptions
    from cnndsl.emit.drawing.layout.page import WidthName

_DOT = ("gv", "dot")
"""The endings of DOT files."""
_MERMAID = "mmd"


@record(slots=True)
class DiagramOptions:
    """The options of a diagram."""

    width: WidthName | None
    opened: tuple[str, ...]
    levels: int | None
    unfold: bool
    layout: str
    fold: bool


def diagram_options(function: AnyFunction) -> AnyFunction:
    """Add `--open`, `--levels`, `--unfold`, `--layout`, and `--fold` for Graphviz's layout."""
    for option in (
        click.option("--fold", is_flag=True, help="With --layout dot, draw a repeat once; cards always do."),
        click.option(
            "--layout",
            type=OneOf(["cards", "dot"]),
            default="cards",
            show_default=True,
            help="Fold the network into cards, or let Graphviz lay out every layer.",
        ),
        click.option("--unfold", is_flag=True, help="Draw every layer; fold nothing."),
        click.option("--levels", type=WholeNumber(1), metavar="N", help="Open parts down to level N; 1 is the top."),
        click.option("--open", "opened", metavar="NAME", multiple=True, help="Open this block in a panel; repeatable."),
    ):
        function = option(function)
    return function


def write_diagram(
    file: str,
    settings: tuple[str, ...],
    output: str | None,
    options: DiagramOptions,
    pictures: PictureOptions,
    *,
    force: bool,
) -> None:
    """Draw a network into a file, or print DOT. Raises UsageError, FileError, CnnError."""
    from cnndsl.commands.compile import module_name
    from cnndsl.emit.drawing.formats import FORMATS

    target = f"{module_name(file)}.svg" if output is None else output
    ending = target.rpartition(".")[2].lower()
    if options.layout == "dot" or target == "-" or ending in _DOT or ending not in (*FORMATS, _MERMAID):
        _by_graphviz(file, settings, target, options, pictures, force=force)
        return
    from cnndsl.emit.drawing.cards.fold import model
    from cnndsl.emit.drawing.diagram import links_from
    from cnndsl.emit.drawing.layout.page import picture
    from cnndsl.settings import parse_settings

    if options.fold:
        note("--fold is the default: cards fold what repeats")
    source, given, link = read(file), parse_settings(settings), links_from(target)
    try:
        graph = as_given(source, given).graph
    except CnnError as stop:
        failing = FailingNetwork(source, given, stop.diagnostics, link)
        if output is None:
            failing.say_nothing_is_written("a network with errors is drawn only into the file that -o names")
        elif ending == _MERMAID:
            failing.say_nothing_is_written("Mermaid cannot show errors; `-o FILE.svg` can")
        else:
            failing.draw(target, options.width, pictures, force=force)
        raise
    drawing = model(graph, options.opened, unfold=options.unfold, levels=options.levels, link=link)
    _check_opened(options.opened, drawing)
    if ending == _MERMAID:
        from cnndsl.emit.drawing.mermaid import mermaid
        from cnndsl.files import write

        write(target, mermaid(drawing).encode(), force=force)
    else:
        write_picture(target, picture(drawing, options.width), pictures, force=force)
    note(f"wrote {target}")


def _check_opened(opened: tuple[str, ...], drawing: DrawingModel) -> None:
    """Raise UsageError for a name that is not a block."""
    from cnndsl.emit.drawing.cards.model import NetCard
    from cnndsl.errors import nearest

    cards = [step for step in drawing.steps if isinstance(step, NetCard)]
    blocks = {line.title for card in cards for line in card.lines} | {panel.title for panel in drawing.panels}
    known = sorted(blocks.union(*({card.name, card.path} for card in cards)) - {""})
    for name in opened:
        if name not in known:
            raise click.UsageError(f"there is no block {name!r} to open; {nearest(name, known) or ', '.join(known)}")


def _by_graphviz(
    file: str,
    settings: tuple[str, ...],
    target: str,
    options: DiagramOptions,
    pictures: PictureOptions,
    *,
    force: bool,
) -> None:
    """Draw every layer, or print DOT. Without Graphviz, cnndsl computes the layout."""
    from cnndsl.emit.drawing.dot import dot
    from cnndsl.emit.drawing.draw import NoGraphvizError, draw, format_of
    from cnndsl.files import write
    from cnndsl.settings import parse_settings

    if target != "-":
        format_of(target)
    source, given = read(file), parse_settings(settings)
    try:
        graph = as_given(source, given).graph
    except CnnError as stop:
        why = "DOT cannot show errors; `-o FILE.svg` with `--layout cards` can"
        FailingNetwork(source, given, stop.diagnostics).say_nothing_is_written(why)
        raise
    text = dot(graph, fold_repeats=options.fold)
    if target == "-":
        echo(text.rstrip("\n"))
        return
    try:
        picture = draw(text, target)
    except NoGraphvizError as stop:
        from cnndsl.emit.drawing.cards.every import every_layer
        from cnndsl.emit.drawing.diagram import links_from
        from cnndsl.emit.drawing.layout.page import whole

        write_picture(target, whole(every_layer(graph, links_from(target))), pictures, force=force)
        note(f"wrote {target} in a layout of our own: {stop}")
        return
    write(target, picture, force=force)
    note(f"wrote {target}")
