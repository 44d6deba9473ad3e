"""`cnndsl zoo`: list the bundled networks, their metrics and published accuracies."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cnndsl.catalogue import BUNDLED, NetworkRow
from cnndsl.commands.common import force_option, known_names, note, terminal_width
from cnndsl.commands.selection import read_selection, selection_options, shown_columns
from cnndsl.commands.tables import chosen_format, deliver, output_option, width_option
from cnndsl.commands.types import OneOf
from cnndsl.commands.usage import Subcommand
from cnndsl.report.network_table import FORMATS

if TYPE_CHECKING:
    from cnndsl.files import FileError
    from cnndsl.report.latex_table import TableWidth

DEFAULT_COLUMNS = ("name", "family", "year", "input", "params", "macs", "training", "top1", "summary")


@click.command("zoo", cls=Subcommand)
@click.argument("words", nargs=-1, metavar="[NAME | WORD...]")
@selection_options(BUNDLED)
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
    from cnndsl.report.network_table import render
    from cnndsl.resources import zoo

    form = chosen_format(format, output, made_for, FORMATS)
    chosen = known_names(columns, BUNDLED.names, "column", BUNDLED.titles)
    asked = read_selection(BUNDLED, where, sort, pareto)
    shown = shown_columns(BUNDLED, chosen, form, {*DEFAULT_COLUMNS, *asked.mentioned})
    is_name = len(words) == 1 and words[0] in zoo()
    needed = BUNDLED.names if is_name else {*shown, *asked.mentioned}
    found = networks(words if is_name else zoo(), needed, executions)
    if is_name and form == "table" and not (where or sort or pareto or columns):
        deliver(_card(found[0]), output, force=force)
        return
    found = [network for network in found if is_name or _has(network, words)]
    if not found:
        raise _unknown(words)
    found = asked.of(found)
    if not found:
        note("no bundled network is like that")
        if form == "table" and not output:
            return
    room = terminal_width() if output is None and sys.stdout.isatty() else None
    text = render(found, shown, form, room=room, is_chosen=bool(chosen), made_for=made_for or "page")
    deliver(text, output, force=force)


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


def _has(network: NetworkRow, words: Sequence[str]) -> bool:
    text = " ".join(str(network.facts[name]) for name in ("name", "family", "description")).casefold()
    return all(word.casefold() in text for word in words)


def _card(network: NetworkRow) -> str:
    from cnndsl import resources
    from cnndsl.catalogue import relatives
    from cnndsl.elaborate.parameters import parameters
    from cnndsl.report.zoo import card
    from cnndsl.syntax.parse import parse

    source = resources.architecture(network.name)
    settings = ", ".join(each.span.text for each in parameters(parse(source))) if source else ""
    return card(network, resources.comment(network.name), relatives(network), settings)
