"""`cnndsl compare`: networks side by side, a row for each."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from itertools import product
from math import prod
from typing import TYPE_CHECKING, cast

import click

from cnndsl.catalogue import COMPARED, ON_CARD, NetworkRow
from cnndsl.commands.capacity import gpu
from cnndsl.commands.common import (
    DTYPES,
    OPTIMIZERS,
    as_given,
    complain,
    domains,
    domains_option,
    force_option,
    known_names,
    note,
    read,
    report,
    terminal_width,
)
from cnndsl.commands.pictures import picture_options, write_picture
from cnndsl.commands.selection import WITH_ALL, read_selection, selection_options
from cnndsl.commands.tables import chosen_format, deliver, output_option, width_option
from cnndsl.commands.types import OneOf, WholeNumber
from cnndsl.commands.usage import Subcommand
from cnndsl.errors import CnnError, Diagnostic, Source
from cnndsl.files import FileError
from cnndsl.report.network_table import FORMATS
from cnndsl.terminal import clean

if TYPE_CHECKING:
    from cnndsl.analysis.cards import Card
    from cnndsl.analysis.lifetimes import Device, Dtype
    from cnndsl.analysis.memory import Optimizer
    from cnndsl.emit.drawing.formats import PictureOptions
    from cnndsl.report.comparison import ComparisonSetup
    from cnndsl.report.latex_table import TableWidth
    from cnndsl.values import Value

_PICTURES = (".svg", ".png", ".pdf", ".tikz")
"""The endings of plots; .tex is a table."""


@click.command("compare", cls=Subcommand)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@domains_option
@selection_options(COMPARED)
@click.option("--batch", type=WholeNumber(1), default=1, show_default=True, metavar="N", help="The batch size.")
@click.option("--dtype", type=OneOf(DTYPES), default="fp32", show_default=True, help="The type of values.")
@click.option(
    "--optimizer",
    type=OneOf(OPTIMIZERS),
    default="sgd",
    show_default=True,
    help="The optimizer, for memory in training.",
)
@click.option(
    "--device", type=OneOf(("cpu", "cuda")), help="The device whose memory is counted.  [default: cpu; cuda with --gpu]"
)
@click.option("--gpu", metavar="CARD", callback=gpu, help="Add the least time and the largest batch on this GPU.")
@click.option("--training", is_flag=True, help="With --gpu, fit a step of training, not inference.")
@click.option("--axes", metavar="X,Y", help="The columns on the axes of a plot.  [default: params,macs]")
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
    files: tuple[str, ...],
    settings: tuple[str, ...],
    where: str | None,
    sort: str | None,
    pareto: str | None,
    columns: str | None,
    batch: int,
    dtype: str,
    optimizer: str,
    device: str | None,
    gpu: Card | None,
    training: bool,
    axes: str | None,
    format: str | None,
    made_for: TableWidth | None,
    output: str | None,
    options: PictureOptions,
    force: bool,
) -> None:
    """Compare networks, a row for each.

    FILE is a file, the name of a bundled network, or a pattern such as 'nets/*.cnn' or 'resnet*'. A parameter with
    several values, as in --set N=1..3, gives a row for each value. Bundled networks have the published accuracies
    unless a parameter is set. Memory is for a batch of --batch; all other metrics are for one image. --gpu adds
    whether that batch fits, the largest batch that does, and a lower bound on the time of a forward pass. --sort adds
    bars to the table. With -o FILE.svg, .png, .pdf or .tikz, draws the networks as points over two columns,
    --axes.

    Errors of a file are printed, and the other networks are compared; the exit code is then 1.

    \b
    cnndsl compare vgg16 resnet50 densenet121 --sort params
    cnndsl compare 'nets/*.cnn' --where "params < 10M" -o nets.tex
    cnndsl compare cifar_resnet --set layers=20,32,44 --columns params,macs
    cnndsl compare resnet50 vgg16 --gpu h100 --batch 64 --dtype amp --training
    cnndsl compare 'resnet*' 'vgg*' --axes params,top1 -o nets.svg
    """
    from cnndsl.report.comparison import ComparisonSetup, known_columns, usual_columns
    from cnndsl.report.memory import BatchSetup
    from cnndsl.report.network_table import render

    is_plot = format is None and output is not None and output.lower().endswith(_PICTURES)
    form = "" if is_plot else chosen_format(format, output, made_for, FORMATS, _PICTURES)
    drawn = _axes(axes, is_plot=is_plot)
    chosen = known_names(columns, COMPARED.names, "column", COMPARED.titles)
    asked = read_selection(COMPARED, where, sort, pareto)
    _check_options(gpu, {*chosen, *drawn, *asked.mentioned}, training, cast("Dtype", dtype), batch)
    given = domains(settings, "N=1..3")
    step = BatchSetup(
        batch,
        cast("Dtype", dtype),
        cast("Optimizer", optimizer),
        cast("Device", device or ("cuda" if gpu else "cpu")),
    )
    setup = ComparisonSetup(step, gpu, training)
    usual = usual_columns(asked.mentioned, has_card=bool(gpu), has_settings=bool(given))
    if form in WITH_ALL:
        usual = [name for name in COMPARED.names if gpu or name not in ON_CARD]
    shown = list(dict.fromkeys(("name", *chosen))) if chosen else usual
    rows, is_complete = _rows(files, given, setup, {*shown, *drawn, *asked.mentioned})
    found = asked.of(rows)
    if rows and not found:
        note("no network is like that")
    if is_plot and output is not None:
        _draw(found, drawn, setup, output, options, force)
    elif found or form != "table" or output:
        text = render(
            found,
            shown if chosen or form in WITH_ALL else known_columns(found, shown),
            form,
            room=terminal_width() if output is None and sys.stdout.isatty() else None,
            is_chosen=bool(chosen),
            made_for=made_for or "page",
            caption=(f"Networks. {setup.caption}", "networks"),
            bars=asked.order,
        )
        deliver(text, output, force=force)
    ctx.exit(0 if is_complete else 1)


def _axes(text: str | None, *, is_plot: bool) -> list[str]:
    """Return the columns of a plot; empty if there is no plot. Raises UsageError."""
    if text is not None and not is_plot:
        raise click.UsageError(f"--axes is for a plot: add --output with {', '.join(_PICTURES)}")
    numbers = [name for name in COMPARED.names if name in COMPARED.goals or name == "year"]
    found = known_names(text or "params,macs", numbers, "column with numbers", COMPARED.titles) if is_plot else []
    if is_plot and len(found) != 2:
        raise click.UsageError(f"--axes needs two columns, as in --axes params,top1, not {text!r}")
    return found


def _draw(
    networks: Sequence[NetworkRow],
    axes: Sequence[str],
    setup: ComparisonSetup,
    output: str,
    options: PictureOptions,
    force: bool,
) -> None:
    """Write the plot. Raises FileError if no network has both values."""
    from cnndsl.catalogue import column_title
    from cnndsl.emit.charts.scatter import PlotPoint, axis, picture
    from cnndsl.report.comparison import number_label, number_of

    x, y = axes
    found = [(each, number_of(each, x), number_of(each, y)) for each in networks]
    names = {id(each): f"{each.name} {each.facts['settings'] or ''}".strip() for each in networks}
    points = [PlotPoint(names[id(each)], a, b) for each, a, b in found if a is not None and b is not None]
    if not points:
        raise FileError(f"no network has a value of both {x} and {y}, so that there is nothing to draw")
    across = axis(column_title(x), [each.x for each in points], partial(number_label, x))
    upwards = axis(column_title(y), [each.y for each in points], partial(number_label, y))
    drawn = picture(points, across, upwards, setup.caption)
    write_picture(output, drawn, options, force=force)
    note(f"wrote {output}")


def _check_options(card: Card | None, asked: Collection[str], training: bool, dtype: Dtype, batch: int) -> None:
    """Raise UsageError for options that need a GPU, and for a type or a batch whose time on the GPU is unknown."""
    if card is None and (needing := ON_CARD.intersection(asked)):
        raise click.UsageError(f"the column {min(needing)} is of a GPU: add one, as in --gpu h100")
    if card is None and training:
        raise click.UsageError("--training needs a GPU: add one, as in --gpu h100")
    if card is not None:
        from cnndsl.analysis.roofline import check_time

        try:
            check_time(card, batch, dtype)
        except ValueError as stop:
            raise click.UsageError(str(stop)) from None


def _rows(
    files: Sequence[str], domains: Mapping[str, Sequence[Value]], setup: ComparisonSetup, columns: Collection[str]
) -> tuple[list[NetworkRow], bool]:
    """Return the rows of all networks, and whether each file is valid. Errors are printed."""
    from cnndsl.limits import current
    from cnndsl.network import executions
    from cnndsl.report.comparison import compared_row
    from cnndsl.resources import Bundled

    names = [name for file in files for name in _names(file)]
    sources, is_complete = _sources(dict.fromkeys(names))
    most, choices = current().members, prod(len(values) for values in domains.values())
    if choices * len(sources) > most:
        raise click.UsageError(f"these are more than {most:,} networks; set fewer values")
    rows: list[NetworkRow] = []
    seen: list[Sequence[Diagnostic]] = []
    for name, source in sources.items():
        is_bundled = isinstance(source, Bundled) and not domains
        for values in product(*domains.values()):
            settings = dict(zip(domains, values, strict=True))
            try:
                graph = as_given(source, settings).graph
            except CnnError as stop:
                if stop.diagnostics not in seen:
                    report(stop.diagnostics)
                    seen.append(stop.diagnostics)
                is_complete = False
                continue
            rows.append(compared_row(clean(name), graph, setup, columns, executions, settings, is_bundled=is_bundled))
    return rows, is_complete


def _sources(names: Iterable[str]) -> tuple[dict[str, Source], bool]:
    """Return the programs by their names, and whether each can be read. Errors are printed."""
    sources: dict[str, Source] = {}
    is_complete = True
    for name in names:
        try:
            sources[name] = read(name)
        except CnnError as stop:
            report(stop.diagnostics)
            is_complete = False
        except FileError as stop:
            complain(str(stop))
            is_complete = False
    return sources, is_complete


def _names(file: str) -> Iterator[str]:
    """Yield the files that a pattern matches, or else the bundled networks; the name itself if it is not a pattern, or
    matches none."""
    from glob import glob

    from cnndsl import files
    from cnndsl.resources import zoo

    if not set(file) & set("*?[") or "\0" in file or files.exists(file):
        yield file
        return
    found = sorted(glob(file, recursive=True))  # noqa: PTH207  `Path.glob` takes no absolute pattern
    found = found or [name for name in zoo() if fnmatchcase(name, file)]
    yield from found or [file]
