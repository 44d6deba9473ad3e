"""`cnndsl sweep`: compare the configurations of a network."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

import click

import cnndsl.sweeping.sweep
from cnndsl.analysis.metric_table import BY_TITLE
from cnndsl.commands.common import (
    domains,
    domains_option,
    force_option,
    known_names,
    known_order,
    note,
    program_argument,
)
from cnndsl.commands.tables import chosen_format, deliver, output_option, width_option
from cnndsl.commands.types import OneOf, WholeNumber
from cnndsl.commands.usage import Subcommand
from cnndsl.records import record
from cnndsl.report.sweep import FORMATS
from cnndsl.sweeping.sweep import GOALS, Configuration, Family
from cnndsl.values import Number, Value

if TYPE_CHECKING:
    from cnndsl.commands.sweep_progress import SweepProgress
    from cnndsl.expressions import Expr
    from cnndsl.report.latex_table import TableWidth
    from cnndsl.syntax import ast

DEFAULT_FIGURES = ("params", "macs", "inference", "training", "receptive_field", "depth", "output")


@click.command("sweep", cls=Subcommand)
@program_argument
@domains_option
@click.option("--sample", type=WholeNumber(1), metavar="COUNT", help="Try this many configurations, chosen at random.")
@click.option("--seed", type=WholeNumber(), default=0, show_default=True, help="The seed of --sample.")
@click.option("--where", metavar="TEST", help="Keep configurations that pass a test: 'params < 5M and depth >= 3'.")
@click.option("--sort", metavar="METRIC", help="Sort by a metric or parameter; -METRIC for the largest first.")
@click.option(
    "--pareto", metavar="METRICS", help="Keep configurations that no other beats in all of them: params,macs."
)
@click.option("--columns", metavar="METRICS", help=f"The metrics to print, of {', '.join(GOALS)}.")
@click.option(
    "--format", type=OneOf(FORMATS), help="The output format.  [default: by the ending of --output, else table]"
)
@width_option
@click.option("--jobs", "-j", type=click.IntRange(1), metavar="N", help="The most processes.  [default: one a core]")
@click.option("--resume", is_flag=True, help="Continue the CSV or Parquet file of --output where it ends.")
@output_option
@force_option
def command(
    file: str,
    settings: tuple[str, ...],
    sample: int | None,
    seed: int,
    where: str | None,
    sort: str | None,
    pareto: str | None,
    columns: str | None,
    format: str | None,
    made_for: TableWidth | None,
    jobs: int | None,
    resume: bool,
    output: str | None,
    force: bool,
) -> None:
    """Compare the configurations of a network.

    Each parameter runs over its domain, or over the values that --set gives it; each optional part is tried present and
    absent. Configurations that fail to compile are listed with the reason. For --pareto, more is better in depth,
    receptive_field and output, and less is better in all other metrics. Memory is for one image in fp32, trained with
    SGD on a CPU.

    CSV and Parquet are written row by row, unless --sort or --pareto needs all rows. If such a sweep is interrupted,
    --resume continues its file. A sweep without inference, saved, training and receptive_field is many times faster.

    \b
    cnndsl sweep recipe --set N=1..3 --where "params < 5M" --sort macs
    cnndsl sweep recipe --sample 50 --seed 1 --pareto params,receptive_field
    cnndsl sweep recipe --columns params,macs,depth -o recipe.csv
    """
    from cnndsl.commands.common import read
    from cnndsl.commands.sweep_progress import SweepProgress
    from cnndsl.finding import used
    from cnndsl.report.sweep_files import ROW_FORMATS
    from cnndsl.sweeping.running import cores
    from cnndsl.sweeping.where import Vocabulary, condition, mentioned

    form = chosen_format(format, output, made_for, FORMATS)
    shown = known_names(columns, list(GOALS), "metric", BY_TITLE) or list(DEFAULT_FIGURES)
    goals = {name: GOALS[name] for name in known_names(pareto, list(GOALS), "metric", BY_TITLE)}
    is_by_row = form in ROW_FORMATS and not sort and not goals
    _check_options(form, output, resume, is_by_row=is_by_row)
    test = condition(where) if where is not None else None
    family = cnndsl.sweeping.sweep.family(read(file), domains(settings, "N=1..3"), used)
    names = [name for name in family.domains if len(family.domains[name]) > 1] or list(family.domains)
    others = cnndsl.sweeping.sweep.name_values(family)
    asked = Vocabulary(tuple(dict.fromkeys((*family.domains, *GOALS))), tuple(others))
    tested = mentioned(test, asked) if test else set[str]()
    wanted = {*shown, *goals, *tested, (sort or "").lstrip("-+")}
    if sort:
        known_order(sort, [*family.domains, *GOALS], "metric or parameter", BY_TITLE)
    sweep = _Sweep(
        family,
        _numbers(family, sample, seed, is_by_row=is_by_row),
        names,
        shown,
        tuple(name for name in GOALS if name in wanted),
        test,
        others,
        jobs or cores(),
        SweepProgress(sys.stderr),
    )
    if is_by_row:
        _write_rows(sweep, form, output, force=force, resume=resume)
        return
    members = list(sweep.members())
    if goals:
        members = cnndsl.sweeping.sweep.pareto(members, goals)
    if sort:
        members = _sorted(members, sort, [*family.domains, *GOALS])
    from cnndsl.report.sweep import render

    title = _title(family.file)
    text = render(members, names, shown, form, title=title, is_chosen=bool(columns), made_for=made_for or "page")
    deliver(text, output, force=force)


@record
class _Sweep:
    """A sweep as its options describe it: the configurations, their parameters and metrics, the test that they have to
    pass, and the number of processes that measure them."""

    family: Family
    numbers: Sequence[int]
    names: Sequence[str]
    figures: Sequence[str]
    metrics: Sequence[str]
    test: Expr | None
    others: Mapping[str, Value]
    jobs: int
    progress: SweepProgress

    def members(self, first: int = 0) -> Iterator[Configuration]:
        """Yield the configurations that pass the test, from the first one on, and the invalid ones."""
        found = self.measured(self.numbers[first:])
        for member in self.progress.shown(found, first, len(self.numbers)):
            holds = cnndsl.sweeping.sweep.holds
            if self.test is None or member.figures is None or holds(self.test, member, self.others):
                yield member

    def measured(self, numbers: Sequence[int]) -> Iterator[Configuration]:
        """Yield configurations with their metrics."""
        from cnndsl.network import executions
        from cnndsl.sweeping.running import measured

        return measured(self.family, numbers, executions, self.metrics, self.jobs)


def _check_options(form: str, output: str | None, resume: bool, *, is_by_row: bool) -> None:
    """Raise UsageError for options that do not go together."""
    to_file = output not in (None, "-")
    if form == "parquet" and not (to_file and is_by_row):
        raise click.UsageError(
            "Parquet is written row by row to a file: it needs --output, without --sort and --pareto"
        )
    if resume and not (to_file and is_by_row):
        raise click.UsageError("--resume needs --output with a .csv or .parquet file, without --sort and --pareto")


def _numbers(family: Family, sample: int | None, seed: int, *, is_by_row: bool) -> Sequence[int]:
    """Return the configurations by their numbers. Raises UsageError if they are too many to be held in memory."""
    from cnndsl.limits import current

    most, size = current().members, family.size
    if not (is_by_row and sample is None and size <= sys.maxsize) and min(sample or size, size) > most:
        raise click.UsageError(f"the family has more than {most:,} members; draw some of them with --sample")
    return range(size) if sample is None else family.drawn(sample, seed)


def _write_rows(sweep: _Sweep, form: str, output: str | None, *, force: bool, resume: bool) -> None:
    """Write or print a row for each configuration as soon as it is measured. Raises FileError."""
    from cnndsl.report.sweep import csv_cells, csv_head, csv_line
    from cnndsl.report.sweep_files import continued, row_file

    if output is None or output == "-":
        click.echo(csv_line(csv_head(sweep.names, sweep.figures)), nl=False)
        for member in sweep.members():
            click.echo(csv_line(csv_cells(member, sweep.names, sweep.figures)), nl=False)
        return
    file = row_file(output, form, sweep.family, sweep.names, sweep.figures)
    first = 0
    if resume:
        is_filtered = sweep.test is not None
        first = continued(
            file, output, sweep.names, sweep.family, sweep.numbers, sweep.measured, is_filtered=is_filtered
        )
    file.open(force=force, resumes=resume)
    try:
        for member in sweep.members(first):
            file.write(member)
    finally:
        file.close()
    note(f"wrote {output}")


def _title(file: ast.File) -> str:
    """Return the name of the network, or of its file if it has none."""
    from cnndsl.syntax import ast

    net = next((each for each in file.statements if isinstance(each, ast.Net)), None)
    return net.name if net else PurePath(file.source.name).stem.strip("<>")


def _sorted(members: list[Configuration], by: str, known: Sequence[str]) -> list[Configuration]:
    from cnndsl.sweeping.sweep import magnitude

    name, largest_first = known_order(by, known, "metric or parameter", BY_TITLE)
    sign = -1 if largest_first else 1

    def key(member: Configuration) -> tuple[bool, Number]:
        value = {**(member.figures or {}), **member.settings}.get(name, 0)
        return member.figures is None, sign * magnitude(value)

    return sorted(members, key=key)
