"""`cnndsl zoo`: list the bundled networks, their metrics and published accuracies."""

from __future__ import annotations

import sys
from collections.abc import Sequence, Set
from typing import TYPE_CHECKING

import click

from cnndsl.catalogue import COLUMNS, GOALS, TITLES, BundledNetwork
from cnndsl.commands.common import force_option, known_names, known_order, note, terminal_width
from cnndsl.commands.tables import chosen_format, deliver, output_option, width_option
from cnndsl.commands.types import OneOf
from cnndsl.commands.usage import Subcommand
from cnndsl.records import record
from cnndsl.report.zoo import DEFAULT_COLUMNS, FORMATS

if TYPE_CHECKING:
    from cnndsl.expressions import Expr
    from cnndsl.files import FileError
    from cnndsl.report.latex_table import TableWidth

_WITH_ALL = ("json", "csv")
"""Formats for programs, which have all columns unless some are chosen."""


@record(slots=True)
class _Selection:
    """The selection of networks: a test and the columns that it mentions, goals, and a column to sort by."""

    test: Expr | None
    tested: frozenset[str]
    goals: Sequence[str]
    order: str
    largest_first: bool

    @property
    def mentioned(self) -> set[str]:
        """The columns in which a network must have a value."""
        return {*self.tested, *self.goals, *filter(None, (self.order,))}


@click.command("zoo", cls=Subcommand)
@click.argument("words", nargs=-1, metavar="[NAME | WORD...]")
@click.option("--where", metavar="TEST", help="Keep networks that pass a test: 'params < 10M and top1 > 75'.")
@click.option("--sort", metavar="COLUMN", help="Sort by a column; -COLUMN for the largest first.")
@click.option("--pareto", metavar="COLUMNS", help="Keep networks that no other beats in all of them: params,top1.")
@click.option("--columns", metavar="COLUMNS", help=f"The columns to print, of {', '.join(COLUMNS)}.")
@click.option(
    "--format", type=OneOf(FORMATS), help="The output format.  [default: by the ending of --output, else table]"
)
@width_option
@output_option
@force_option
def command(
    words: tuple[str, ...],
    where: str | None,
    sort: str | None,
    pareto: str | None,
    columns: str | None,
    format: str | None,
    made_for: TableWidth | None,
    output: str | None,
    force: bool,
) -> None:
    """List the bundled networks.

    With the name of a network, print its full entry. With other words, list the networks whose name, family or
    description contains all of them.

    Metrics are those of the default parameters; docs/figures.md defines them. Memory is for one image in fp32, trained
    with SGD on a CPU. top1 and top5 are published accuracies on ImageNet-1K in percent; `source` names the weights or
    the document. A network that lacks a value used by --where is excluded. CSV and JSON have all columns unless
    --columns chooses some.

    \b
    cnndsl zoo resnet50
    cnndsl zoo --where "params < 10M and top1 > 75" --sort macs
    cnndsl zoo --where "family == ResNet" --columns year,params,top1 --format markdown
    cnndsl zoo --pareto params,top1 --sort params
    """
    from cnndsl.catalogue import networks
    from cnndsl.network import executions
    from cnndsl.report.zoo import render
    from cnndsl.resources import zoo

    form = chosen_format(format, output, made_for, FORMATS)
    chosen = known_names(columns, list(COLUMNS), "column", TITLES)
    asked = _asked(where, sort, pareto)
    shown = _shown(chosen, form, asked.mentioned)
    is_name = len(words) == 1 and words[0] in zoo()
    needed = COLUMNS if is_name else {*shown, *asked.mentioned}
    found = networks(words if is_name else zoo(), needed, executions)
    if is_name and form == "table" and not (where or sort or pareto or columns):
        deliver(_card(found[0]), output, force=force)
        return
    found = [network for network in found if is_name or _has(network, words)]
    if not found:
        raise _unknown(words)
    found = _selected(found, asked)
    if not found:
        note("no bundled network is like that")
        if form == "table" and not output:
            return
    room = terminal_width() if output is None and sys.stdout.isatty() else None
    text = render(found, shown, form, room=room, is_chosen=bool(chosen), made_for=made_for or "page")
    deliver(text, output, force=force)


def _asked(where: str | None, sort: str | None, pareto: str | None) -> _Selection:
    """Read the options that select networks. Raises CnnError, UsageError."""
    from cnndsl.catalogue import read_test

    test, tested = read_test(where) if where is not None else (None, frozenset[str]())
    order, largest_first = known_order(sort, list(COLUMNS), "column", TITLES) if sort else ("", False)
    return _Selection(test, tested, known_names(pareto, list(GOALS), "column", TITLES), order, largest_first)


def _selected(networks: Sequence[BundledNetwork], asked: _Selection) -> list[BundledNetwork]:
    """Return the selected networks, in their order."""
    from cnndsl.catalogue import pareto, passes

    test = asked.test
    found = [network for network in networks if test is None or passes(network, test, asked.tested)]
    if asked.goals:
        found = pareto(found, asked.goals)
    return _sorted(found, asked.order, largest_first=asked.largest_first) if asked.order else found


def _unknown(words: Sequence[str]) -> FileError:
    """Return the error for words that no network matches."""
    from cnndsl.files import FileError
    from cnndsl.resources import similar, zoo

    if len(words) > 1 and set(words) <= set(zoo()):
        return FileError(f"an entry is of one network, not of {' and '.join(words)}; write: cnndsl zoo {words[0]}")
    everything = "`cnndsl zoo` lists all networks"
    hint = similar(words[0]) if len(words) == 1 and words[0].casefold() not in ("list", "all", "ls") else ""
    hint = hint or everything
    return FileError(
        f"no bundled network has {' and '.join(map(repr, words))} in its name, family or description; {hint}"
    )


def _shown(chosen: Sequence[str], form: str, mentioned: Set[str]) -> list[str]:
    """Return the columns: the name and the chosen ones, otherwise the usual ones and those that other options
    mention."""
    if chosen:
        return list(dict.fromkeys(("name", *chosen)))
    wanted = {*DEFAULT_COLUMNS, *mentioned}
    return [name for name in COLUMNS if form in _WITH_ALL or name in wanted]


def _has(network: BundledNetwork, words: Sequence[str]) -> bool:
    text = " ".join(str(network.facts[name]) for name in ("name", "family", "description")).casefold()
    return all(word.casefold() in text for word in words)


def _sorted(networks: Sequence[BundledNetwork], by: str, *, largest_first: bool) -> list[BundledNetwork]:
    """Return the networks in order; those without a value come last in either direction."""
    keys = {network.name: network.sort_key(by) for network in networks}
    known = [network for network in networks if not keys[network.name][0]]
    known.sort(key=lambda network: keys[network.name], reverse=largest_first)
    return [*known, *(network for network in networks if keys[network.name][0])]


def _card(network: BundledNetwork) -> str:
    from cnndsl import resources
    from cnndsl.catalogue import relatives
    from cnndsl.elaborate.parameters import parameters
    from cnndsl.report.zoo import card
    from cnndsl.syntax.parse import parse

    source = resources.architecture(network.name)
    settings = ", ".join(each.span.text for each in parameters(parse(source))) if source else ""
    return card(network, resources.comment(network.name), relatives(network), settings)
