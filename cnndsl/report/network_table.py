"""Format networks as a table with a row for each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction

from cnndsl.analysis.metric_table import OF_NETWORKS
from cnndsl.catalogue import FactValue, NetworkRow, column_title
from cnndsl.report.data_formats import markdown
from cnndsl.report.latex_table import LatexColumn, LatexTable, TableWidth, write
from cnndsl.report.latex_text import DASH, in_symbols
from cnndsl.report.number_format import bar, duration, exact
from cnndsl.report.sweep import exact_metric, latex_metric, metric_data, show_metric
from cnndsl.report.table import in_columns, omission
from cnndsl.sweeping.sweep import plain
from cnndsl.terminal import width as columns_of
from cnndsl.values import show

FORMATS = ("table", "json", "csv", "markdown", "latex")
_TEXTS = frozenset(
    {"name", "settings", "family", "input", "output", "fits", "score", "source", "summary", "description"}
)
_PERCENT = frozenset({"top1", "top5"})
_FIRST_TO_GO = ("input", "family", "training", "year")
"""The columns that a narrow terminal and a narrow LaTeX table omit, in this order, unless they were chosen."""
_NARROWEST = 20
"""The least width of the summary on a terminal."""
_BARS = "bars"
_BAR = 16
"""The width of the longest bar."""
BUNDLED_CAPTION = (
    "Bundled networks. Values are for one input; memory is for fp32 and SGD on a CPU, accuracies are percent."
)


def render(
    networks: Sequence[NetworkRow],
    columns: Sequence[str],
    format: str,
    *,
    room: int | None = None,
    is_chosen: bool = False,
    made_for: TableWidth = "page",
    caption: tuple[str, str] = (BUNDLED_CAPTION, "bundled-networks"),
    bars: str = "",
) -> str:
    """Format networks in one of `FORMATS`. Raises KeyError for another. A plain table fits a terminal of `room`
    columns, if there is one: it omits columns unless they are chosen, and shortens summaries. The column `bars` has a
    bar for each number beside it. A LaTeX table fits what it is `made_for` in the same way, and has the `caption` with
    its label."""
    if format == "json":
        return json.dumps([_data(network, columns) for network in networks], indent=2, ensure_ascii=False)
    if format == "latex":
        return write(_latex(networks, columns, is_chosen, caption), made_for)
    if format == "table":
        return _table(networks, columns, room, is_chosen, bars)
    return {"csv": _csv, "markdown": _markdown}[format](networks, columns)


def fact_text(value: FactValue) -> str:
    """Return a property with all its digits; empty if it is missing."""
    return "" if value is None else value if isinstance(value, str) else show(value)


def _cell(network: NetworkRow, column: str) -> str:
    """Return a cell: a value in human units, empty if it is missing."""
    if column in OF_NETWORKS:
        return show_metric(network.metrics, column)
    value = network.facts[column]
    if column in _PERCENT and isinstance(value, int | Fraction):
        return f"{float(value):.1f}"
    if column == "time" and isinstance(value, Fraction):
        return duration(float(value))
    if column == "largest_batch" and isinstance(value, int):
        return exact(value)
    several = f" x{len(network.inputs)}" if column == "input" and len(network.inputs) > 1 else ""
    return f"{fact_text(value)}{several}"


def _exact(network: NetworkRow, column: str) -> str:
    """Return a cell with all its digits."""
    value = network.facts.get(column)
    if column == "time" and isinstance(value, Fraction):
        return repr(float(value))
    return exact_metric(network.metrics, column) if column in OF_NETWORKS else fact_text(value)


def _table(networks: Sequence[NetworkRow], columns: Sequence[str], room: int | None, is_chosen: bool, bars: str) -> str:
    """Return aligned columns, with a dash for unpublished values, so that every cell has a word."""
    if not networks:
        return ""
    cells = {
        column: [column_title(column), *(_cell(network, column) or "-" for network in networks)] for column in columns
    }
    if bars in cells and bars not in _TEXTS:
        at = list(cells).index(bars) + 1
        cells = dict([*list(cells.items())[:at], (_BARS, _bars(networks, bars)), *list(cells.items())[at:]])
    if room is not None:
        cells = _fitted(cells, room, is_chosen)
    if bars not in cells:
        cells.pop(_BARS, None)
    left = {at for at, column in enumerate(cells) if column in _TEXTS or column == _BARS}
    lines = in_columns(list(zip(*cells.values(), strict=True)), left)
    return "\n".join([*lines, *omission([column for column in columns if column not in cells], room or 100)])


def _bars(networks: Sequence[NetworkRow], column: str) -> list[str]:
    """Return the cells with the bars of a column, the longest for the largest number; no bars for texts."""
    found = [network.sort_key(column) for network in networks]
    numbers = [0 if is_missing or isinstance(value, str) else value for is_missing, value in found]
    largest = max(numbers)
    return ["", *(bar(float(number / largest), _BAR) if largest > 0 else "" for number in numbers)]


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


def _markdown(networks: Sequence[NetworkRow], columns: Sequence[str]) -> str:
    rows = [[markdown(column_title(column)) for column in columns]]
    rows.append(["---" if column in _TEXTS else "---:" for column in columns])
    rows += [[_markdown_cell(network, column) for column in columns] for network in networks]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _markdown_cell(network: NetworkRow, column: str) -> str:
    value = (network.metrics.figures or {}).get(column)
    if isinstance(value, int) and column not in network.metrics.at_most:
        return exact(value)
    return markdown(_cell(network, column) if column == "input" else _exact(network, column))


def _latex(
    networks: Sequence[NetworkRow], columns: Sequence[str], is_chosen: bool, caption: tuple[str, str]
) -> LatexTable:
    found = [_latex_column(networks, column, is_chosen) for column in columns]
    rows = zip(*(cells for _, cells in found), strict=True)
    return LatexTable(tuple(column for column, _ in found), (tuple(rows),), *caption)


def _latex_column(networks: Sequence[NetworkRow], column: str, is_chosen: bool) -> tuple[LatexColumn, Sequence[str]]:
    rank = 0 if is_chosen or column not in _FIRST_TO_GO else len(_FIRST_TO_GO) - _FIRST_TO_GO.index(column)
    if column in OF_NETWORKS:
        return latex_metric(column, [network.metrics for network in networks], rank)
    cells = [_cell(network, column) or DASH for network in networks]
    shown = [in_symbols(cell) for cell in cells] if column == "input" else cells
    return LatexColumn(column_title(column), is_number=column not in _TEXTS, rank=rank), shown


def _data(network: NetworkRow, columns: Sequence[str]) -> dict[str, object]:
    """Return a network for JSON, with null for unpublished values."""
    data: dict[str, object] = {}
    for column in columns:
        value = network.facts.get(column)
        data |= metric_data(network.metrics, [column]) if column in OF_NETWORKS else {column: _json(value)}
        if column == "settings":
            data[column] = {name: plain(each) for name, each in network.metrics.settings.items()}
        if column == "input" and len(network.inputs) > 1:
            data["inputs"] = [list(shape) for shape in network.inputs]
        if column == "output" and len(network.outputs) > 1:
            data["outputs"] = [list(shape) for shape in network.outputs]
    return data


def _json(value: FactValue) -> object:
    return value if value is None or isinstance(value, str) else plain(value)


def _csv(networks: Sequence[NetworkRow], columns: Sequence[str]) -> str:
    import csv
    from io import StringIO

    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_exact(network, column) for column in columns] for network in networks)
    return text.getvalue().rstrip("\n")
