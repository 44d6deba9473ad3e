"""`cnndsl sweep`: compare the configurations of a network."""

from __future__ import annotations

from collections.abc import Sequence
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
    program_argument,
)
from cnndsl.commands.tables import chosen_format, deliver, output_option, width_option
from cnndsl.commands.types import OneOf, WholeNumber
from cnndsl.commands.usage import Subcommand
from cnndsl.report.sweep import FORMATS
from cnndsl.sweeping.sweep import GOALS, Configuration
from cnndsl.values import Number

if TYPE_CHECKING:
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
    output: str | None,
    force: bool,
) -> None:
    """Compare the configurations of a network.

    Each parameter runs over its domain, or over the values that --set gives it; each optional part is tried present and
    absent. Configurations that fail to compile are listed with the reason. For --pareto, more is better in depth,
    receptive_field and output, and less is better in all other metrics. Memory is for one image in fp32, trained with
    SGD on a CPU.

    \b
    cnndsl sweep recipe --set N=1..3 --where "params < 5M" --sort macs
    cnndsl sweep recipe --sample 50 --seed 1 --pareto params,receptive_field
    """
    from cnndsl.commands.common import read
    from cnndsl.finding import used
    from cnndsl.limits import current
    from cnndsl.network import executions
    from cnndsl.report.sweep import render
    from cnndsl.sweeping.where import Vocabulary, condition, mentioned

    form = chosen_format(format, output, made_for, FORMATS)
    shown = known_names(columns, list(GOALS), "metric", BY_TITLE) or list(DEFAULT_FIGURES)
    goals = {name: GOALS[name] for name in known_names(pareto, list(GOALS), "metric", BY_TITLE)}
    test = condition(where) if where is not None else None
    family = cnndsl.sweeping.sweep.family(read(file), domains(settings, "N=1..3"), used)
    most = current().members
    if min(sample or family.size, family.size) > most:
        raise click.UsageError(f"the family has more than {most:,} members; draw some of them with --sample")
    chosen = family.all() if sample is None else family.sample(sample, seed)
    names = [name for name in family.domains if len(family.domains[name]) > 1] or list(family.domains)
    others = cnndsl.sweeping.sweep.name_values(family)
    asked = Vocabulary(tuple(dict.fromkeys((*family.domains, *GOALS))), tuple(others))
    tested = mentioned(test, asked) if test else set[str]()
    wanted = {*shown, *goals, *tested, (sort or "").lstrip("-+")}
    metrics = [name for name in GOALS if name in wanted]
    members = list(cnndsl.sweeping.sweep.measure(family, chosen, executions, metrics))
    if test is not None:
        holds = cnndsl.sweeping.sweep.holds
        members = [member for member in members if member.figures is None or holds(test, member, others)]
    if goals:
        members = cnndsl.sweeping.sweep.pareto(members, goals)
    if sort:
        members = _sorted(members, sort, [*family.domains, *GOALS])
    title = _title(family.file)
    text = render(members, names, shown, form, title=title, is_chosen=bool(columns), made_for=made_for or "page")
    deliver(text, output, force=force)


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
