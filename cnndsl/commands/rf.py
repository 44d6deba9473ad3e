"""`cnndsl rf`: show receptive fields."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from cnndsl.commands.common import (
    echo,
    force_option,
    layer,
    network,
    note,
    program_argument,
    settings_option,
    terminal_width,
)
from cnndsl.commands.pictures import ENDINGS, check_picture, picture_options, write_picture
from cnndsl.commands.types import OneOf
from cnndsl.commands.usage import Subcommand
from cnndsl.files import FileError

if TYPE_CHECKING:
    from cnndsl.emit.drawing.formats import PictureOptions
    from cnndsl.report.receptive_field import FieldReport, UnitField


@click.command("rf", cls=Subcommand)
@program_argument
@settings_option
@click.option(
    "--at",
    "--to",
    "at",
    metavar="LAYER",
    help="Show the field of this layer, as in layer3.2. --to is an alias.  [default: all]",
)
@click.option("--from", "start", metavar="LAYER", help="The layer on whose map to measure it.  [default: the input]")
@click.option("--unit", metavar="Y,X", help="The position of the unit on the map of --at.  [default: the middle]")
@click.option("--format", type=OneOf(("table", "json")), default="table", show_default=True, help="The output format.")
@click.option("--output", "-o", metavar="FILE", help=f"Also draw the box of the unit as a {ENDINGS} file.")
@picture_options
@force_option
def command(
    file: str,
    settings: tuple[str, ...],
    at: str | None,
    start: str | None,
    unit: str | None,
    format: str,
    output: str | None,
    options: PictureOptions,
    force: bool,
) -> None:
    """Show the receptive field of each layer.

    The table has the size, the effective stride and the effective padding of each layer's field, for each axis: unit p
    sees the input from position p*stride - padding on. After global pooling, FC and squeeze-and-excite the field is the
    whole input, and `local` is the field without these. Merges whose branches are not aligned are listed below the
    table. With --at, print and draw the field of a single unit.

    \b
    cnndsl rf vgg16
    cnndsl rf vgg16 --at features.30 -o box.svg
    cnndsl rf net.cnn --from conv2 --to layer4 --unit 0,0
    """
    from cnndsl.report import receptive_field_plot
    from cnndsl.report.receptive_field import as_json, as_table, of_unit, sight

    if at is None and (unit or output):
        raise click.UsageError("name the layer whose unit is meant: --at LAYER")
    check_picture(output)
    graph = network(file, settings).graph
    looked_at = [layer(graph, start)] if start else [each for each in graph.inputs if each.shape.rank]
    if not looked_at or not looked_at[0].shape.rank:
        vector = (looked_at or graph.inputs)[0]
        raise FileError(f"{vector.path or 'the input'} is a vector, {vector.shape}: it has no plane to look at")
    if len(looked_at) > 1 and (at is not None or format == "json"):
        names = " or ".join(f"--from {each.path}" for each in looked_at)
        raise click.UsageError(f"the network has several inputs; say which is looked at: {names}")
    seen = sight(graph, looked_at[0].index)
    if at is None:
        tables = (as_table(sight(graph, each.index)) for each in looked_at)
        echo(as_json(seen) if format == "json" else "\n\n".join(tables))
        return
    one = _unit(seen, at, unit)
    if output is not None:
        from cnndsl.emit.charts.receptive_field import picture

        write_picture(output, picture(one), options, force=force)
    if format == "json":
        echo(as_json(seen, one))
    else:
        echo(f"{of_unit(one)}\n\n{receptive_field_plot.text(one, min(terminal_width(), 72))}")
    if output is not None:
        note(f"wrote {output}")


def _unit(seen: FieldReport, at: str, position: str | None) -> UnitField:
    """Return the unit that the options describe. Raises FileError if there is none."""
    from cnndsl.report.receptive_field import UnitField, central

    node = layer(seen.graph, at)
    field = seen.fields[node.index]
    if field is None:
        raise FileError(f"{node.path or 'the input'} does not depend on {seen.start.path}")
    return UnitField(seen, node, field, _position(position, node.shape.spatial) if position else central(node))


def _position(text: str, spatial: tuple[int, ...]) -> tuple[int, ...]:
    """Return a position on a map. Raises UsageError for another text, FileError for a position outside the map."""
    if not re.fullmatch(r"\d{1,9}([,x]\d{1,9})*", text):
        raise click.UsageError(f"{text!r} is not a position, as in --unit 3,4")
    position = tuple(map(int, re.split("[,x]", text)))
    if len(position) != len(spatial) or any(at >= extent for at, extent in zip(position, spatial, strict=True)):
        extents = "x".join(map(str, spatial)) or "1 position"
        raise FileError(f"there is no unit {text} on a map of {extents}; positions count from 0")
    return position
