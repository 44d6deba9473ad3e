"""`cnndsl fit`: whether a network fits into memory, and how many images at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from cnndsl.commands.common import (
    DTYPES,
    OPTIMIZERS,
    echo,
    force_option,
    network,
    note,
    program_argument,
    settings_option,
    size,
    terminal_width,
)
from cnndsl.files import FileError

if TYPE_CHECKING:
    from cnndsl.analysis.lifetimes import Dtype
    from cnndsl.analysis.memory import Optimizer


@click.command("fit")
@program_argument
@settings_option
@click.option("--memory", metavar="SIZE", callback=size, required=True, help="What there is, as in 24GB or 24GiB.")
@click.option("--training", is_flag=True, help="Train the network instead of using it.")
@click.option("--dtype", type=click.Choice(DTYPES), default="fp32", show_default=True, help="The type of values.")
@click.option("--optimizer", type=click.Choice(OPTIMIZERS), help="What trains it.  [default: sgd]")
@click.option("--plot", is_flag=True, help="Draw memory over the course of a step.")
@click.option(
    "--format", type=click.Choice(("table", "json")), default="table", show_default=True, help="How to print it."
)
@click.option("--output", "-o", metavar="FILE", help="Draw the plot as a .svg file.")
@force_option
@click.pass_context
def command(
    ctx: click.Context,
    file: str,
    settings: tuple[str, ...],
    memory: int,
    training: bool,
    dtype: str,
    optimizer: str | None,
    plot: bool,
    format: str,
    output: str | None,
    force: bool,
) -> None:
    """Tell the largest batch that fits into memory.

    And the layer at which memory peaks with it. Figures are those of a GPU: an estimate of what CUDA's caching
    allocator counts; workspaces of cuDNN, fragmentation and the CUDA context come on top. The exit code is 1 where
    not even one image fits.

    \b
    cnndsl fit vgg16 --memory 8GiB
    cnndsl fit net.cnn --memory 24GB --training --dtype amp --optimizer adam --plot
    cnndsl fit net.cnn --memory 24GB --training -o memory.svg
    """
    from cnndsl.analysis.fit import fit
    from cnndsl.report import fit as fit_report
    from cnndsl.report import memory_plot

    if optimizer and not training:
        raise click.UsageError("an optimizer is for training: add --training")
    if output is not None and not output.endswith(".svg"):
        raise FileError(f"cannot draw {output}: its name must end in .svg")
    kind, trainer = cast("Dtype", dtype), cast("Optimizer", optimizer or "sgd")
    fitted = fit(network(file, settings).graph, memory, train=training, dtype=kind, optimizer=trainer)
    if output is not None:
        from cnndsl.files import write

        write(output, memory_plot.picture(fitted).encode(), force=force)
    if format == "json":
        echo(fit_report.as_json(fitted, kind, trainer if training else None, plot))
    else:
        echo(fit_report.as_table(fitted, kind, trainer if training else None))
        if plot and output is None:
            echo(f"\n{memory_plot.bars(fitted, terminal_width())}")
    if output is not None:
        note(f"wrote {output}")
    ctx.exit(0 if fitted.batch else 1)
