"""Compute the row of each network in a comparison: its metrics for a batch, and its metrics on a GPU."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias, overload

from cnndsl.analysis.assertions import figures
from cnndsl.analysis.execution import ExecutionsOf
from cnndsl.analysis.metric_table import METRICS, OF_NETWORKS
from cnndsl.catalogue import (
    COMPARED,
    FACTS,
    ON_CARD,
    FactValue,
    NetworkRow,
    bundled_facts,
)
from cnndsl.graph import Graph
from cnndsl.records import record
from cnndsl.report.memory import BatchSetup, footprint
from cnndsl.report.number_format import duration, human
from cnndsl.report.summary import step_name
from cnndsl.sweeping.sweep import Configuration, Plain, plain
from cnndsl.values import Value, show_setting

if TYPE_CHECKING:
    from cnndsl.analysis.cards import Card

ComparisonRow: TypeAlias = "dict[str, Plain | None]"
"""One network as plain data: see `NetworkComparison`."""

_OF_STEP = ("inference", "saved", "training")


@record
class ComparisonSetup:
    """The conditions of a comparison: the step, whether the GPU trains, and the GPU, if there is one."""

    step: BatchSetup = BatchSetup()
    card: Card | None = None
    trains: bool = False

    @property
    def caption(self) -> str:
        """Return a sentence on the conditions for which the values hold.

        >>> ComparisonSetup(BatchSetup(64, "amp", "adam")).caption
        'Memory is for 64 images in amp, trained with adam, on a CPU.'
        """
        text = f"Memory is for {step_name(self.step)}."
        if self.card is None:
            return text
        return f"{text} The largest batch {'in training' if self.trains else 'at inference'} is for {self.card.name}."


def compared_row(
    name: str,
    graph: Graph,
    setup: ComparisonSetup,
    columns: Collection[str],
    runs: ExecutionsOf,
    settings: Mapping[str, Value] | None = None,
    *,
    is_bundled: bool = False,
) -> NetworkRow:
    """Return the row of a network with at least the metrics among the columns.

    `settings` are the parameters that were set. `is_bundled` says that the published properties of the bundled network
    `name` apply, since nothing was set. Raises ValueError for a GPU without arithmetic in the type.
    """
    of_step = [each for each in _OF_STEP if each in columns]
    found, at_most = figures(graph, [each for each in OF_NETWORKS if each in columns and each not in of_step], runs)
    if of_step:
        memory = footprint(graph, setup.step, runs)
        peaks = {"inference": memory.inference.bytes, "saved": memory.saved, "training": memory.training.bytes}
        found |= {each: peaks[each] for each in of_step}
    facts: dict[str, FactValue] = bundled_facts(name) if is_bundled else {**dict.fromkeys(FACTS), "name": name}
    facts["input"] = graph.inputs[0].shape.hwc
    given = dict(settings or {})
    facts["settings"] = ", ".join(f"{key}={show_setting(value)}" for key, value in given.items())
    if setup.card is not None:
        facts |= _on_card(graph, setup, setup.card, runs, columns)
    return NetworkRow(
        name,
        facts,
        tuple(node.shape.hwc for node in graph.inputs),
        tuple(graph.nodes[at].shape.hwc for at in graph.main_outputs),
        Configuration(given, found, at_most=at_most),
    )


def _on_card(
    graph: Graph, setup: ComparisonSetup, card: Card, runs: ExecutionsOf, columns: Collection[str]
) -> dict[str, FactValue]:
    from cnndsl.analysis.fit import fit
    from cnndsl.analysis.headroom import Capacity
    from cnndsl.analysis.roofline import roofline

    step, found = setup.step, dict[str, FactValue]()
    if "time" in columns:
        found["time"] = Fraction(roofline(graph, card, step.batch, step.dtype).total.seconds)
    if {"fits", "largest_batch"} & {*columns}:
        there = Capacity(card.name, card.memory, card=card).limit
        fitted = fit(
            graph,
            there,
            train=setup.trains,
            dtype=step.dtype,
            optimizer=step.optimizer,
            executions=runs(graph),
        )
        found |= {"largest_batch": fitted.batch, "fits": fitted.batch >= step.batch}
    return found


def plain_row(network: NetworkRow, columns: Sequence[str]) -> ComparisonRow:
    """Return a row as plain data: a shape is a list, a fraction a float, an unpublished value None."""
    found = network.metrics.figures or {}
    row: ComparisonRow = {}
    for name in columns:
        value = found[name] if name in OF_NETWORKS else network.facts[name]
        row[name] = value if value is None or isinstance(value, str) else plain(value)
        if name in network.metrics.at_most:
            row[f"{name}_at_most"] = True
    return row


class NetworkComparison(Sequence[ComparisonRow]):
    """Networks side by side: a row for each as plain data, `{"name": "vgg16", "params": 138357544, …}`.

    `columns` are the keys of each row, `setup` has the conditions for memory and time. `networks` are the same rows
    with exact values.
    """

    def __init__(self, rows: Sequence[NetworkRow], columns: Sequence[str], setup: ComparisonSetup) -> None:
        self.networks, self.columns, self.setup = tuple(rows), tuple(columns), setup
        self._rows = [plain_row(each, columns) for each in rows]

    @overload
    def __getitem__(self, index: int) -> ComparisonRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[ComparisonRow]: ...
    def __getitem__(self, index: int | slice) -> ComparisonRow | list[ComparisonRow]:
        return self._rows[index]

    def __iter__(self) -> Iterator[ComparisonRow]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"NetworkComparison({', '.join(each.name for each in self.networks)})"

    def __str__(self) -> str:
        from cnndsl.report.network_table import render

        return render(self.networks, self.columns, "table", is_chosen=True)


USUAL = ("name", "params", "macs", "inference", "training", "depth", "receptive_field", "top1", "output")


def usual_columns(mentioned: Collection[str], *, has_card: bool, has_settings: bool) -> list[str]:
    """Return the columns that are shown unless some are chosen: the usual ones, those that options mention, those of
    the GPU, and the settings if any parameter is set."""
    wanted = {*USUAL, *mentioned, *(ON_CARD if has_card else ()), *(("settings",) if has_settings else ())}
    return [name for name in COMPARED.names if name in wanted]


def known_columns(networks: Sequence[NetworkRow], columns: Sequence[str]) -> list[str]:
    """Return the columns in which some network has a value."""
    facts = {name for network in networks for name, value in network.facts.items() if value is not None}
    return [name for name in columns if name in facts or name in OF_NETWORKS]


def number_of(network: NetworkRow, column: str) -> float | None:
    """Return a value as a number, a shape as the number of its values; None for a text or no value."""
    is_missing, value = network.sort_key(column)
    return None if is_missing or not isinstance(value, int | Fraction) else float(value)


def number_label(column: str, value: float) -> str:
    """Return a number of a column in human units.

    >>> number_label("training", 2e6), number_label("top1", 71.5), number_label("time", 0.002)
    ('2MB', '71.5', '2ms')
    """
    if column == "time":
        return duration(value) if value else "0"
    if value == int(value) and (column in OF_NETWORKS or column == "largest_batch"):
        return f"{human(int(value))}{'B' if column in METRICS and METRICS[column].unit == 'bytes' else ''}"
    return f"{value:g}"
