"""Format all information about a bundled network."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.analysis.metric_table import METRICS
from cnndsl.catalogue import FactValue, NetworkRow
from cnndsl.report.network_table import fact_text
from cnndsl.report.number_format import exact, memory
from cnndsl.report.sweep import exact_metric
from cnndsl.report.table import in_columns
from cnndsl.values import show

_ON_CARDS = ("params", "macs", "inference", "saved", "training", "depth", "receptive_field")


def card(network: NetworkRow, comment: str, relatives: Sequence[str], settings: str) -> str:
    """Return all information about a network: its comment as written, properties and metrics, the other networks of its
    family, and the parameters of its file."""
    found, facts = network.metrics, network.facts
    rows = {
        "family": ", as ".join(filter(None, (fact_text(facts["family"]), ", ".join(relatives)))),
        "year": fact_text(facts["year"]),
        "settings": settings,
        "input": ", ".join(map(show, network.inputs)),
        "output": ", ".join(map(show, network.outputs)) if len(network.outputs) > 1 else exact_metric(found, "output"),
        **{METRICS[name].title: _on_card(network, name) for name in _ON_CARDS},
        "top-1": _percent(facts["top1"], facts["crop"]),
        "top-5": _percent(facts["top5"], facts["crop"]),
        "score": fact_text(facts["score"]),
        "source": fact_text(facts["source"]),
    }
    lines = in_columns([(title, text) for title, text in rows.items() if text], left={0, 1})
    return "\n".join([comment, "", *lines])


def _on_card(network: NetworkRow, name: str) -> str:
    value = (network.metrics.figures or {})[name]
    if METRICS[name].unit == "bytes" and isinstance(value, int):
        return memory(value)
    if isinstance(value, int) and name not in network.metrics.at_most:
        return exact(value)
    return exact_metric(network.metrics, name)


def _percent(value: FactValue, crop: FactValue) -> str:
    at = f" at {crop}x{crop}" if crop else ""
    return f"{fact_text(value)}%{at}" if value is not None else ""
