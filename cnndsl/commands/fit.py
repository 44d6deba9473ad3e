"""`cnndsl fit`: the largest batch that fits into memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import click

from cnndsl.commands.capacity import capacity, gpu, headroom, of_card
from cnndsl.commands.common import (
    DTYPES,
    OPTIMIZERS,
    echo,
    force_option,
    known_names,
    network,
    note,
    program_argument,
    settings_option,
    terminal_width,
)
from cnndsl.commands.pictures import ENDINGS, check_picture, picture_options, write_picture
from cnndsl.commands.synonyms import VALUE_SYNONYMS
from cnndsl.commands.types import OneOf
from cnndsl.commands.usage import Subcommand

if TYPE_CHECKING:
    from cnndsl.analysis.cards import Card
    from cnndsl.analysis.execution import Executions
    from cnndsl.analysis.fit import Fit
    from cnndsl.analysis.headroom import Capacity
    from cnndsl.analysis.lifetimes import Dtype
    from cnndsl.analysis.memory import Optimizer
    from cnndsl.emit.drawing.formats import PictureOptions
    from cnndsl.graph import Graph

_LARGEST = 10**9


def _batches(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, ...]:
    """Return the batch sizes that an option lists. Raises BadParameter for another text."""
    pieces = [piece.strip() for piece in value.split(",")] if value is not None else []
    if not all(piece.isascii() and piece.isdecimal() and 0 < int(piece[:11]) <= _LARGEST for piece in pieces):
        raise click.BadParameter(f"{value!r} is not a list of batch sizes from 1 to {_LARGEST:,}", ctx, param)
    return tuple(dict.fromkeys(map(int, pieces)))


@click.command("fit", cls=Subcommand)
@program_argument
@settings_option
@click.option(
    "--memory",
    metavar="SIZE|CARD",
    callback=capacity,
    help="The memory available: 24GiB, 24GB, or a GPU as in A100-80GB.",
)
@click.option("--gpu", metavar="CARD", callback=gpu, help="Use the memory of this GPU.")
@click.option(
    "--headroom",
    metavar="SIZE",
    callback=headroom,
    help="Memory to leave free.  [default: 512MiB for the CUDA context, 512MiB for workspaces, and 2% of a CARD]",
)
@click.option("--batch", metavar="N", callback=_batches, help="The batch you want; several, as in 32,64, give a table.")
@click.option("--training", is_flag=True, help="Estimate memory for training, not inference.")
@click.option(
    "--dtype",
    metavar="TYPE",
    default="fp32",
    show_default=True,
    help=f"The type of values: {', '.join(DTYPES)}. Several give a table.",
)
@click.option("--optimizer", type=OneOf(OPTIMIZERS), help="The optimizer, with --training.  [default: sgd]")
@click.option("--plot", is_flag=True, help="Draw memory over the course of a step.")
@click.option("--format", type=OneOf(("table", "json")), default="table", show_default=True, help="The output format.")
@click.option("--output", "-o", metavar="FILE", help=f"Draw the plot as a {ENDINGS} file.")
@picture_options
@force_option
@click.pass_context
def command(
    ctx: click.Context,
    file: str,
    settings: tuple[str, ...],
    memory: Capacity | None,
    gpu: Card | None,
    headroom: int | None,
    batch: tuple[int, ...],
    training: bool,
    dtype: str,
    optimizer: str | None,
    plot: bool,
    format: str,
    output: str | None,
    options: PictureOptions,
    force: bool,
) -> None:
    """Find the largest batch that fits into memory.

    Also reports the layer at which memory use peaks. All sizes estimate what CUDA's caching allocator would allocate,
    within the memory less the headroom. With --batch, says whether that batch fits; if it does not fit in training,
    prints the micro-batches that do. The exit code is 1 if that batch, or even one image, does not fit.

    \b
    cnndsl fit vgg16 --memory 8GiB
    cnndsl fit net.cnn --gpu rtx4090 --training --dtype amp --optimizer adam --plot
    cnndsl fit net.cnn --memory A100-80GB --training --batch 1024
    cnndsl fit net.cnn --memory 24GiB --training --dtype fp32,amp --batch 32,64,128
    cnndsl fit net.cnn --memory 24GiB --training -o memory.svg
    """
    if optimizer and not training:
        raise click.UsageError("an optimizer is for training: add --training")
    check_picture(output)
    there, dtypes = _capacity(memory, gpu, headroom), _types(dtype)
    trainer = cast("Optimizer", optimizer or "sgd") if training else None
    several = len(batch) > 1 or len(dtypes) > 1
    if several and (plot or output is not None):
        raise click.UsageError("a plot is of one type and at most one --batch")
    from cnndsl.network import executions

    graph = network(file, settings).graph
    runs = executions(graph)
    fits: dict[Dtype, Fit] = {each: _fit(graph, there, each, trainer, runs) for each in dtypes}
    if several:
        ctx.exit(_table(fits, there, trainer, batch, format))
    from cnndsl.report import fit as fit_report
    from cnndsl.report import memory_plot

    kind, fitted = next(iter(fits.items()))
    found = fit_report.FitReport(fitted, there, kind, trainer, batch[0] if batch else 0)
    if output is not None:
        from cnndsl.emit.charts.memory import picture

        write_picture(output, picture(fitted, binary=there.binary), options, force=force)
    if format == "json":
        echo(fit_report.as_json(found, plot))
    else:
        echo(fit_report.as_table(found))
        if plot and output is None:
            echo(f"\n{memory_plot.bars(fitted, terminal_width(), binary=there.binary)}")
    if output is not None:
        note(f"wrote {output}")
    ctx.exit(0 if found.fits else 1)


def _capacity(memory: Capacity | None, gpu: Card | None, headroom: int | None) -> Capacity:
    """Return the available memory, from one of two options."""
    there = of_card(gpu) if gpu else memory
    if there is None or (gpu and memory):
        raise click.UsageError("give either --memory, as in --memory 24GiB, or --gpu, as in --gpu rtx4090")
    return replace(there, wanted=headroom)


def _types(text: str) -> list[Dtype]:
    titles = {word: name for name, words in VALUE_SYNONYMS.items() for word in words if name in DTYPES}
    found = known_names(text.casefold(), DTYPES, "type", titles)
    if not found:
        raise click.UsageError(f"--dtype needs a type: {', '.join(DTYPES)}")
    return cast("list[Dtype]", list(dict.fromkeys(found)))


def _fit(graph: Graph, there: Capacity, dtype: Dtype, optimizer: Optimizer | None, runs: Executions | None) -> Fit:
    from cnndsl.analysis.fit import fit

    return fit(
        graph,
        there.limit,
        train=optimizer is not None,
        dtype=dtype,
        optimizer=optimizer or "sgd",
        executions=runs,
    )


def _table(
    fits: dict[Dtype, Fit], there: Capacity, optimizer: Optimizer | None, batches: tuple[int, ...], format: str
) -> int:
    """Print a table over batches and types. Return the exit code, 1 if nothing fits."""
    from cnndsl.analysis.fit import fit_table
    from cnndsl.report import fit_table as report

    table = fit_table(fits, batches)
    echo((report.as_json if format == "json" else report.as_table)(table, there, optimizer))
    return 0 if any(fitted.batch >= min(table.batches) for fitted in fits.values()) else 1
