"""`cnndsl stats`: the metrics of a network."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, cast

import click

from cnndsl.commands.capacity import gpu
from cnndsl.commands.common import (
    DTYPES,
    OPTIMIZERS,
    force_option,
    known_names,
    known_order,
    network,
    program_argument,
    settings_option,
    terminal_width,
)
from cnndsl.commands.tables import chosen_format, deliver, output_option, width_option
from cnndsl.commands.types import OneOf, WholeNumber
from cnndsl.commands.usage import Subcommand
from cnndsl.report.columns import COLUMNS, MEMORY, TIMES
from cnndsl.report.formats import DERIVATIONS, FORMATS
from cnndsl.terminal import wants_colour

if TYPE_CHECKING:
    from cnndsl.analysis.cards import Card
    from cnndsl.analysis.groups import By
    from cnndsl.analysis.lifetimes import Device, Dtype
    from cnndsl.analysis.memory import Optimizer
    from cnndsl.analysis.roofline import Roofline
    from cnndsl.graph import Graph
    from cnndsl.report.latex_table import TableWidth

BY = ("block", "stage", "kind")
_DERIVATION_ENDINGS = {".md": "derivation-markdown", ".tex": "derivation-latex"}


@click.command("stats", cls=Subcommand)
@program_argument
@settings_option
@click.option(
    "--format", type=OneOf(FORMATS), help="The output format.  [default: by the ending of --output, else table]"
)
@click.option(
    "--by",
    type=OneOf(BY),
    help="Group layers by block as written, by size of the feature map (stage), or by layer type (kind).",
)
@click.option(
    "--levels",
    "--depth",
    "depth",
    type=WholeNumber(1),
    metavar="N",
    help="Show N levels of blocks; 1 shows the outermost only. --depth is the older name.",
)
@click.option("--columns", metavar="NAMES", help=f"The columns to print, of {', '.join(COLUMNS)}.")
@click.option("--sort", metavar="NAME", help="Sort by a column; -NAME for the largest first.")
@click.option(
    "--batch",
    type=WholeNumber(1),
    metavar="N",
    help="Add the memory that a batch of N images needs.  [default: 1 image]",
)
@click.option("--dtype", type=OneOf(DTYPES), help="The type of values, for memory and time.  [default: fp32]")
@click.option("--optimizer", type=OneOf(OPTIMIZERS), help="The optimizer, for memory in training.  [default: sgd]")
@click.option(
    "--device", type=OneOf(("cpu", "cuda")), help="The device whose memory is counted.  [default: cpu; cuda with --gpu]"
)
@click.option("--gpu", metavar="CARD", callback=gpu, help="Add the least time of each layer on this GPU.")
@width_option
@output_option
@force_option
def command(
    file: str,
    settings: tuple[str, ...],
    format: str | None,
    by: str | None,
    depth: int | None,
    columns: str | None,
    sort: str | None,
    batch: int | None,
    dtype: str | None,
    optimizer: str | None,
    device: str | None,
    gpu: Card | None,
    made_for: TableWidth | None,
    output: str | None,
    force: bool,
) -> None:
    """Print shapes, parameters and multiply-adds by layer.

    All values are for one image. `weights` leaves biases out and `params` includes them. One multiply-add is two flops;
    `operations` counts elementwise operations, which are not multiply-adds. The field is the receptive field, in
    positions of the input. A repeated block is one row, marked `x3`; in the HTML page it opens.

    --format lecture prints the table of the CS231n notes. --format derivation writes out the arithmetic of each layer,
    `(227 - 11 + 2*0)/4 + 1 = 55`, as text, or with -o FILE.md or FILE.tex as Markdown or LaTeX. --batch, --dtype,
    --optimizer and --device add the memory that a batch needs. --gpu adds a lower bound on the time of each layer in
    a forward pass, and whether arithmetic or bandwidth limits it.

    \b
    cnndsl stats vgg16
    cnndsl stats net.cnn --set classes=10 --format json
    cnndsl stats alexnet --format derivation
    cnndsl stats net.cnn --levels 2 --sort -params
    cnndsl stats net.cnn --batch 64 --dtype amp --optimizer adam
    cnndsl stats net.cnn --gpu h100
    cnndsl stats net.cnn --levels 1 --width column -o net.tex
    """
    from cnndsl.report.formats import render
    from cnndsl.report.table_model import view

    form = chosen_format(format, output, made_for, FORMATS)
    if form == "lecture" and any((by, depth, columns, sort, batch, dtype, optimizer, device, gpu)):
        raise click.UsageError(
            "the lecture's table is as it is: --by, --depth, --columns, --sort, --batch, --dtype, --optimizer, "
            "--device and --gpu are for the others"
        )
    if form in DERIVATIONS and any((by, depth, columns, sort, batch, dtype, optimizer, device, gpu)):
        raise click.UsageError(
            "the derivation has every layer in order, of one image in fp32: --by, --depth, --columns, --sort, --batch, "
            "--dtype, --optimizer, --device and --gpu are for the tables"
        )
    if form == "derivation":
        form = _DERIVATION_ENDINGS.get(PurePath(output or "").suffix.lower(), form)
    titles = {column.title: key for key, column in COLUMNS.items()}
    chosen, order = known_names(columns, list(COLUMNS), "column", titles), sort or ""
    if order:
        known_order(order, list(COLUMNS), "column", titles)
    if not gpu and (asked := {*chosen, order.removeprefix("-")}.intersection(TIMES)):
        raise click.UsageError(f"the column {min(asked)} is of a GPU: add one, as in --gpu h100")
    net = network(file, settings)
    stats = net.stats()
    if batch or dtype or optimizer or device or {*chosen, order.removeprefix("-")}.intersection(MEMORY):
        stats = net.stats(
            batch or 1,
            dtype=cast("Dtype", dtype or "fp32"),
            optimizer=cast("Optimizer", optimizer or "sgd"),
            device=cast("Device", device or ("cuda" if gpu else "cpu")),
        )
    if gpu:
        stats = replace(stats, roofline=_roofline(net.graph, gpu, batch or 1, cast("Dtype", dtype or "fp32")))
    table = view(stats, cast("By | None", by), depth, chosen, order)
    is_file = output is not None and output != "-"
    colour = not is_file and wants_colour(sys.stdout)
    text = render(table, form, colour=colour, width=terminal_width(), made_for=made_for or "page")
    deliver(text, output, force=force)


def _roofline(graph: Graph, card: Card, batch: int, dtype: Dtype) -> Roofline:
    """Return the least times. For a card without arithmetic in the type, the usage is invalid."""
    from cnndsl.analysis.roofline import roofline

    try:
        return roofline(graph, card, batch, dtype)
    except ValueError as stop:
        raise click.UsageError(str(stop)) from None
