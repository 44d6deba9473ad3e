"""`cnndsl zoo`: the bundled networks."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from cnndsl.commands.common import echo, known_names, terminal_width
from cnndsl.terminal import width


@click.command("zoo")
@click.argument("words", nargs=-1, metavar="[WORD]...")
@click.option("--where", metavar="TEST", help="Keep networks that pass a test: 'params < 5M and depth >= 20'.")
@click.option("--sort", metavar="METRIC", help="Sort by a metric; -METRIC for the largest first.")
@click.option("--columns", metavar="METRICS", help="The metrics to print beside the names.")
def command(words: tuple[str, ...], where: str | None, sort: str | None, columns: str | None) -> None:
    """List the bundled networks.

    With words: those that have each of them in their name or description. Metrics are those that an assert may mention,
    of each network with its default parameters; docs/figures.md defines them.

    \b
    cnndsl zoo resnet
    cnndsl zoo --where "params < 5M" --sort macs --columns params,macs
    """
    from cnndsl import resources

    rows = [(name, resources.description(name)) for name in resources.zoo()]
    chosen = [row for row in rows if all(word.casefold() in " ".join(row).casefold() for word in words)]
    if where or sort or columns:
        _measured([name for name, _ in chosen], where, sort or "", columns)
        return
    widest = max((width(name) for name, _ in chosen), default=0)
    longest = max(terminal_width() - widest - 2, 20) if sys.stdout.isatty() else None
    for name, text in chosen:
        echo(f"{name:<{widest}}  {_shortened(text, longest)}".rstrip())


def _measured(names: Sequence[str], where: str | None, sort: str, columns: str | None) -> None:
    """Prints the metrics of networks; of those that pass the test, and in the order that was asked for."""
    from cnndsl.analysis.assertions import figures
    from cnndsl.analysis.metric_table import BY_TITLE, METRICS
    from cnndsl.network import compiled, executions
    from cnndsl.report.sweep import show_metric
    from cnndsl.report.table import in_columns
    from cnndsl.resources import architecture
    from cnndsl.sweeping.sweep import GOALS, Configuration, condition, holds, magnitude, mentioned

    by = known_names(sort.lstrip("-+"), list(GOALS), "metric", BY_TITLE)
    shown = known_names(columns, list(GOALS), "metric", BY_TITLE)
    test = condition(where) if where else None
    tested = mentioned(test, ()) if test else set[str]()
    wanted = [name for name in GOALS if name in {*shown, *by, *tested}]
    graphs = {name: compiled(source, {}).graph for name in names if (source := architecture(name))}
    measured = {name: figures(graph, wanted, executions) for name, graph in graphs.items()}
    members = [(name, Configuration({}, found, at_most=at_most)) for name, (found, at_most) in measured.items()]
    kept = [(name, found) for name, found in members if test is None or holds(test, found)]
    if by:
        kept.sort(key=lambda member: magnitude((member[1].figures or {})[by[0]]), reverse=sort.startswith("-"))
    listed = list(dict.fromkeys((*shown, *by))) or wanted
    rows = [[name, *(show_metric(found, each) for each in listed)] for name, found in kept]
    for line in in_columns([["name", *(METRICS[each].title for each in listed)], *rows], left={0}):
        echo(line)


def _shortened(text: str, longest: int | None) -> str:
    """The text, cut behind a word where it is too long.

    >>> _shortened("VGG-16, configuration D.", 20)
    'VGG-16, …'
    """
    if longest is None or len(text) <= longest:
        return text
    return f"{text[: longest - 1].rpartition(' ')[0]} …"
