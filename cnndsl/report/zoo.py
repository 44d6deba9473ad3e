"""Format the bundled networks as a table with a row for each, and everything known about one of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction

from cnndsl.analysis.metric_table import METRICS, OF_NETWORKS
from cnndsl.catalogue import COLUMNS, BundledNetwork, FactValue
from cnndsl.report.data_formats import markdown
from cnndsl.report.latex_table import LatexColumn, LatexTable, TableWidth, write
from cnndsl.report.latex_text import DASH, in_symbols
from cnndsl.report.number_format import exact, memory
from cnndsl.report.sweep import exact_metric, latex_metric, metric_data, show_metric
from cnndsl.report.table import in_columns, omission
from cnndsl.sweeping.sweep import plain
from cnndsl.terminal import width as columns_of
from cnndsl.values import show

FORMATS = ("table", "json", "csv", "markdown", "latex")
DEFAULT_COLUMNS = ("name", "family", "year", "input", "params", "macs", "training", "top1", "summary")
_TEXTS = frozenset({"name", "family", "input", "output", "score", "source", "summary", "description"})
_PERCENT = frozenset({"top1", "top5"})
_FIRST_TO_GO = ("input", "family", "training", "year")
"""The columns that a narrow terminal and a narrow LaTeX table omit, in this order, unless they were chosen."""
_NARROWEST = 20
"""The least width of the summary on a terminal."""
_ON_CARDS = ("params", "macs", "inference", "saved", "training", "depth", "receptive_field")


def render(
    networks: Sequence[BundledNetwork],
    columns: Sequence[str],
    format: str,
    *,
    room: int | None = None,
    is_chosen: bool = False,
    made_for: TableWidth = "page",
) -> str:
    """Format networks in one of `FORMATS`. Raises KeyError for another. A plain table fits a terminal of `room`
    columns, if there is one: it omits columns unless they are chosen, and shortens summaries. A LaTeX table fits what
    it is `made_for` in the same way."""
    if format == "json":
        return json.dumps([_data(network, columns) for network in networks], indent=2, ensure_ascii=False)
    if format == "latex":
        return write(_latex(networks, columns, is_chosen), made_for)
    if format == "table":
        return _table(networks, columns, room, is_chosen)
    return {"csv": _csv, "markdown": _markdown}[format](networks, columns)


def card(network: BundledNetwork, comment: str, relatives: Sequence[str], settings: str) -> str:
    """Return everything known about a network: its comment as written, properties and metrics, the other networks of
    its family, and the parameters of its file."""
    found, facts = network.metrics, network.facts
    rows = {
        "family": ", as ".join(filter(None, (_text(facts["family"]), ", ".join(relatives)))),
        "year": _text(facts["year"]),
        "settings": settings,
        "input": ", ".join(map(show, network.inputs)),
        "output": ", ".join(map(show, network.outputs)) if len(network.outputs) > 1 else exact_metric(found, "output"),
        **{METRICS[name].title: _on_card(network, name) for name in _ON_CARDS},
        "top-1": _percent(facts["top1"], facts["crop"]),
        "top-5": _percent(facts["top5"], facts["crop"]),
        "score": _text(facts["score"]),
        "source": _text(facts["source"]),
    }
    lines = in_columns([(title, text) for title, text in rows.items() if text], left={0, 1})
    return "\n".join([comment, "", *lines])


def _on_card(network: BundledNetwork, name: str) -> str:
    value = (network.metrics.figures or {})[name]
    if METRICS[name].unit == "bytes" and isinstance(value, int):
        return memory(value)
    if isinstance(value, int) and name not in network.metrics.at_most:
        return exact(value)
    return exact_metric(network.metrics, name)


def _percent(value: FactValue, crop: FactValue) -> str:
    at = f" at {crop}x{crop}" if crop else ""
    return f"{_text(value)}%{at}" if value is not None else ""


def _text(value: FactValue) -> str:
    """Return a property with all its digits; empty for none."""
    return "" if value is None else value if isinstance(value, str) else show(value)


def _cell(network: BundledNetwork, column: str) -> str:
    """Return a cell: a value in human units, empty for none."""
    if column in OF_NETWORKS:
        return show_metric(network.metrics, column)
    value = network.facts[column]
    if column in _PERCENT and isinstance(value, int | Fraction):
        return f"{float(value):.1f}"
    several = f" x{len(network.inputs)}" if column == "input" and len(network.inputs) > 1 else ""
    return f"{_text(value)}{several}"


def _exact(network: BundledNetwork, column: str) -> str:
    """Return a cell with all its digits."""
    return exact_metric(network.metrics, column) if column in OF_NETWORKS else _text(network.facts[column])


def _table(networks: Sequence[BundledNetwork], columns: Sequence[str], room: int | None, is_chosen: bool) -> str:
    """Return aligned columns, with a dash for unpublished values, so that every cell has a word."""
    if not networks:
        return ""
    cells = {column: [COLUMNS[column], *(_cell(network, column) or "-" for network in networks)] for column in columns}
    if room is not None:
        cells = _fitted(cells, room, is_chosen)
    left = {at for at, column in enumerate(cells) if column in _TEXTS}
    lines = in_columns(list(zip(*cells.values(), strict=True)), left)
    return "\n".join([*lines, *omission([column for column in columns if column not in cells], room or 100)])


def _fitted(cells: dict[str, list[str]], room: int, is_chosen: bool) -> dict[str, list[str]]:
    """Return the columns that fit the terminal; if the last one is a summary, it is shortened."""
    widths = {column: max(map(columns_of, texts)) + 2 for column, texts in cells.items()}
    last = list(cells)[-1]
    least = min(widths[last], _NARROWEST) if last == "summary" else widths[last]
    shown = list(cells)
    for column in () if is_chosen else _FIRST_TO_GO:
        if sum(widths[each] for each in shown[:-1]) + least <= room:
            break
        shown = [each for each in shown if each != column]
    free = max(room - sum(widths[each] for each in shown[:-1]), _NARROWEST)
    texts = {column: cells[column] for column in shown}
    return {**texts, last: [_shortened(text, free) for text in texts[last]]} if last == "summary" else texts


def _shortened(text: str, longest: int) -> str:
    """Return the text, cut after a word if it is too long.

    >>> _shortened("A network, configuration D.", 20)
    'A network, …'
    """
    return text if len(text) <= longest else f"{text[: longest - 1].rpartition(' ')[0]} …"


def _markdown(networks: Sequence[BundledNetwork], columns: Sequence[str]) -> str:
    rows = [[markdown(COLUMNS[column]) for column in columns]]
    rows.append(["---" if column in _TEXTS else "---:" for column in columns])
    rows += [[_markdown_cell(network, column) for column in columns] for network in networks]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _markdown_cell(network: BundledNetwork, column: str) -> str:
    value = (network.metrics.figures or {}).get(column)
    if isinstance(value, int) and column not in network.metrics.at_most:
        return exact(value)
    return markdown(_cell(network, column) if column == "input" else _exact(network, column))


def _latex(networks: Sequence[BundledNetwork], columns: Sequence[str], is_chosen: bool) -> LatexTable:
    found = [_latex_column(networks, column, is_chosen) for column in columns]
    rows = zip(*(cells for _, cells in found), strict=True)
    caption = "Bundled networks. Values are for one input; memory is for fp32 and SGD on a CPU, accuracies are percent."
    return LatexTable(tuple(column for column, _ in found), (tuple(rows),), caption, "bundled-networks")


def _latex_column(
    networks: Sequence[BundledNetwork], column: str, is_chosen: bool
) -> tuple[LatexColumn, Sequence[str]]:
    rank = 0 if is_chosen or column not in _FIRST_TO_GO else len(_FIRST_TO_GO) - _FIRST_TO_GO.index(column)
    if column in OF_NETWORKS:
        return latex_metric(column, [network.metrics for network in networks], rank)
    cells = [_cell(network, column) or DASH for network in networks]
    shown = [in_symbols(cell) for cell in cells] if column == "input" else cells
    return LatexColumn(COLUMNS[column], is_number=column not in _TEXTS, rank=rank), shown


def _data(network: BundledNetwork, columns: Sequence[str]) -> dict[str, object]:
    """Return a network for JSON, with null for unpublished values."""
    data: dict[str, object] = {}
    for column in columns:
        value = network.facts.get(column)
        data |= metric_data(network.metrics, [column]) if column in OF_NETWORKS else {column: _json(value)}
        if column == "input" and len(network.inputs) > 1:
            data["inputs"] = [list(shape) for shape in network.inputs]
        if column == "output" and len(network.outputs) > 1:
            data["outputs"] = [list(shape) for shape in network.outputs]
    return data


def _json(value: FactValue) -> object:
    return value if value is None or isinstance(value, str) else plain(value)


def _csv(networks: Sequence[BundledNetwork], columns: Sequence[str]) -> str:
    import csv
    from io import StringIO

    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_exact(network, column) for column in columns] for network in networks)
    return text.getvalue().rstrip("\n")
