"""Format the configurations of a network: a row for each, and the invalid ones with the reason."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import starmap

from cnndsl.analysis.metric_table import METRICS
from cnndsl.errors import Diagnostic
from cnndsl.report.latex_table import LatexColumn, LatexTable, TableWidth, label_of, write
from cnndsl.report.latex_text import in_symbols, unit_of
from cnndsl.report.number_format import common_scale, human
from cnndsl.sweeping.sweep import Configuration, Plain, plain
from cnndsl.terminal import width as columns_of
from cnndsl.values import Value, show, show_setting

FORMATS = ("table", "json", "csv", "parquet", "latex")
_FIRST_TO_GO = ("output", "depth", "receptive_field", "inference")
"""The columns that a narrow LaTeX table omits, in this order, unless they were chosen."""


def render(
    members: Sequence[Configuration],
    names: Sequence[str],
    figures: Sequence[str],
    format: str,
    *,
    title: str = "",
    is_chosen: bool = False,
    made_for: TableWidth = "page",
) -> str:
    """Format configurations in one of `FORMATS`; `names` are the parameters, `figures` the columns. Raises KeyError for
    another format. A LaTeX table has the `title` of the network in its caption and fits the width `made_for`; chosen
    columns are never omitted for that."""
    if format == "latex":
        return write(_latex(members, names, figures, title, is_chosen), made_for)
    return {"table": _table, "json": _json, "csv": _csv}[format](members, names, figures)


def _table(members: Sequence[Configuration], names: Sequence[str], figures: Sequence[str]) -> str:
    rows = [[*names, *(METRICS[name].title for name in figures)]]
    rows += [_row(member, names, figures) for member in members if member.figures is not None]
    widths = [max(columns_of(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = ["  ".join(starmap(_right, zip(row, widths, strict=True))).rstrip() for row in rows]
    refused = [member for member in members if member.figures is None]
    if refused:
        lines += ["", f"{len(refused)} of {len(members)} configurations are invalid:"]
        lines += [f"  {_settings(member, names)}: {_reason(member.reason)}" for member in refused]
    return "\n".join(lines)


def _right(text: str, width: int) -> str:
    return " " * (width - columns_of(text)) + text


def _row(member: Configuration, names: Sequence[str], figures: Sequence[str]) -> list[str]:
    values = [grouped_metric(member, name) for name in figures]
    return [*(show_setting(member.settings[name]) for name in names), *values]


def grouped_metric(member: Configuration, name: str) -> str:
    """Return a metric with all its digits for a table, with the thousands separated.

    >>> member = Configuration({}, {"depth": 1202, "training": 268_053_912, "output": (7, 7, 2048)})
    >>> [grouped_metric(member, name) for name in ("depth", "training", "output")]
    ['1,202', '268,053,912 B', '7x7x2048']
    """
    value = (member.figures or {})[name]
    if isinstance(value, bool) or not isinstance(value, int) or name in member.at_most:
        return exact_metric(member, name)
    return f"{value:,}{' B' if METRICS[name].unit == 'bytes' else ''}"


def show_metric(member: Configuration, name: str) -> str:
    """Return a metric for a table: a count or a size in human units.

    >>> member = Configuration({}, {"params": 25_557_032, "training": 268_053_912, "output": (7, 7, 2048)})
    >>> [show_metric(member, name) for name in ("params", "training", "output")]
    ['25.6M', '268MB', '7x7x2048']
    >>> bound = Configuration({}, {"receptive_field": 951}, at_most=frozenset({"receptive_field"}))
    >>> show_metric(bound, "receptive_field")
    'at most 951'
    """
    value = (member.figures or {})[name]
    if isinstance(value, bool) or not isinstance(value, int) or name in member.at_most:
        return exact_metric(member, name)
    return human(value) + ("B" if METRICS[name].unit == "bytes" else "")


def exact_metric(member: Configuration, name: str) -> str:
    """Return a metric with all its digits; empty for an invalid configuration."""
    if member.figures is None:
        return ""
    return f"{'at most ' if name in member.at_most else ''}{show(member.figures[name])}"


def _settings(member: Configuration, names: Sequence[str]) -> str:
    return ", ".join(f"{name}={show_setting(member.settings[name])}" for name in names)


def _reason(reason: Diagnostic | None) -> str:
    if reason is None:
        return ""
    place = f" (line {reason.span.line})" if reason.span else ""
    return f"{reason.code} {reason.message}{place}"


def _latex(
    members: Sequence[Configuration], names: Sequence[str], figures: Sequence[str], title: str, is_chosen: bool
) -> LatexTable:
    """Return the valid configurations, each column in one unit, and the others as comments."""
    known = [member for member in members if member.figures is not None]
    settings = [LatexColumn(name, is_number=_are_numbers(member.settings[name] for member in known)) for name in names]
    columns = [latex_metric(name, known, _rank(name, is_chosen)) for name in figures]
    texts = [[show_setting(member.settings[name]) for name in names] for member in known]
    rows = (tuple(each) for each in zip(*zip(*texts, strict=True), *(cells for _, cells in columns), strict=True))
    refused = [f"{_settings(each, names)}: {_reason(each.reason)}" for each in members if each.figures is None]
    caption = f"Configurations of {title}. Values are for one input; memory is for fp32 and SGD on a CPU."
    return LatexTable(
        (*settings, *(column for column, _ in columns)),
        (tuple(rows),),
        caption,
        label_of(title, "configurations"),
        (*([f"{len(refused)} of {len(members)} configurations are invalid:"] if refused else ()), *refused),
        keys=len(names),
    )


def _are_numbers(values: Iterable[Value]) -> bool:
    return all(not isinstance(value, bool) and isinstance(value, int | Fraction) for value in values)


def _rank(name: str, is_chosen: bool) -> int:
    return 0 if is_chosen or name not in _FIRST_TO_GO else len(_FIRST_TO_GO) - _FIRST_TO_GO.index(name)


def latex_metric(name: str, members: Sequence[Configuration], rank: int) -> tuple[LatexColumn, list[str]]:
    """Return a column with a metric of all configurations, in one unit, and its cells."""
    metric, values = METRICS[name], [(member.figures or {})[name] for member in members]
    numbers = [value for value in values if isinstance(value, int)]
    if len(numbers) < len(values) or metric.unit in ("layers", "positions", "extents"):
        return LatexColumn(metric.heading, is_number=True, rank=rank), [
            in_symbols(exact_metric(member, name)) for member in members
        ]
    scale = common_scale(numbers)
    unit = unit_of(scale.unit, is_size=metric.unit == "bytes")
    return LatexColumn(metric.heading, is_number=True, unit=unit, rank=rank), [scale.show(each) for each in numbers]


def _json(members: Sequence[Configuration], names: Sequence[str], figures: Sequence[str]) -> str:
    rows = [
        {
            "settings": {name: plain(member.settings[name]) for name in names},
            "figures": member.figures and metric_data(member, figures),
            "reason": _reason(member.reason) or None,
        }
        for member in members
    ]
    return json.dumps(rows, indent=2)


def metric_data(member: Configuration, names: Sequence[str]) -> dict[str, Plain]:
    """Return metrics for JSON; a value that is a bound has a flag."""
    data = {name: plain((member.figures or {})[name]) for name in names}
    return data | {f"{name}_at_most": True for name in names if name in member.at_most}


def _csv(members: Sequence[Configuration], names: Sequence[str], figures: Sequence[str]) -> str:
    rows = [csv_line(csv_head(names, figures)), *(csv_line(csv_cells(each, names, figures)) for each in members)]
    return "".join(rows).rstrip("\n")


def csv_head(names: Sequence[str], figures: Sequence[str]) -> list[str]:
    """Return the names of the columns in CSV."""
    return [*names, *figures, "reason"]


def csv_cells(member: Configuration, names: Sequence[str], figures: Sequence[str]) -> list[str]:
    """Return the cells of a configuration in CSV."""
    values = [exact_metric(member, name) for name in figures]
    return [*[show_setting(member.settings[name]) for name in names], *values, _reason(member.reason)]


def csv_line(cells: Sequence[str]) -> str:
    """Return a line of CSV with its line break."""
    import csv
    from io import StringIO

    text = StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def reason_text(member: Configuration) -> str:
    """Return the error of a configuration; empty for a valid one."""
    return _reason(member.reason)
