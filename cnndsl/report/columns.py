"""Columns of tables: the heading, a row's value, and a number for sorting and bars."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Literal, TypeAlias

from cnndsl.analysis.metric_table import METRICS, ExactExtents, MetricUnit
from cnndsl.records import record
from cnndsl.report.rows import TableRow

Cell: TypeAlias = "str | int | float"
ColumnForm: TypeAlias = Literal["text", "shape", "extents", "count", "bytes", "time"]


@record(slots=True)
class Column:
    """A column. `key` is its name in data, `title` its heading in tables. `raw` is a row's unformatted value: a text, a
    number, or a number for each axis; None for a row without one."""

    key: str
    title: str
    form: ColumnForm
    raw: Callable[[TableRow], Cell | ExactExtents]
    at_most: Callable[[TableRow], bool] = lambda _: False
    """Return whether a row's value is a bound."""

    @property
    def is_number(self) -> bool:
        """Return whether the cells are numbers, which are right-aligned."""
        return self.form in ("count", "bytes", "time")

    def value(self, entry: TableRow) -> Cell:
        """Return the cell's value: counts, bytes and seconds are numbers, everything else is text."""
        raw = self.raw(entry)
        if not isinstance(raw, tuple):
            return raw
        if self.form == "shape":
            return "x".join(map(str, raw))
        return f"at most {extents(raw)}" if self.at_most(entry) else extents(raw)

    def amount(self, entry: TableRow) -> float | None:
        """Return the amount for sorting and for bars; None for text."""
        raw = self.raw(entry)
        if isinstance(raw, tuple):
            return float(prod(raw) if self.form == "shape" else max(raw)) if raw else None
        return None if isinstance(raw, str) else raw


def extents(dims: ExactExtents) -> str:
    """Return one number if all axes agree: `3`, otherwise `1x7`.

    >>> extents((3, 3)), extents((1, 7)), extents(())
    ('3', '1x7', '')
    """
    each = [str(extent) for extent in dims]
    return "x".join(each[:1] if len(set(each)) == 1 else each)


def _text(entry: TableRow) -> str:
    """Return the layer's text, or `Bottleneck(64) x3`, or `[CONV3-64 -> RELU] x2`."""
    if entry.times < 2:
        return entry.text
    return f"[{entry.text}] x{entry.times}" if " -> " in entry.text else f"{entry.text} x{entry.times}"


def _kind(entry: TableRow) -> str:
    return entry.last.node.kind if entry.last and not entry.parts else ""


_FORMS: dict[MetricUnit, ColumnForm] = {"bytes": "bytes", "positions": "extents", "extents": "shape", "seconds": "time"}
"""How to format metrics by unit; all others are counts."""

_TEXTS = (
    Column("path", "name", "text", lambda entry: entry.name),
    Column("text", "layer", "text", _text),
    Column("kind", "kind", "text", _kind),
    Column("runs", "runs", "text", lambda entry: entry.runs),
    Column("bound", "bound by", "text", lambda entry: entry.time.bound),
)
_NUMBERS = (
    Column(each.name, each.heading, _FORMS.get(each.unit, "count"), each.layer, each.at_most)
    for each in METRICS.values()
    if each.layer
)
COLUMNS = {column.key: column for column in (*_TEXTS, *_NUMBERS)}
"""All columns by key: what a row is, and the metrics of layers."""

LAYERS = ("path", "text", "output", "activations", "weights", "params", "macs", "operations", "receptive_field")
"""The default columns of tables of layers."""

GROUPS = (*LAYERS[:2], "layers", *LAYERS[2:])
"""The default columns of tables of groups."""

MEMORY = ("inference", "saved", "training")
"""The columns that a batch adds."""

MODE = "runs"
"""The columns added if some layers exist in training only."""

TIMES = ("time", "bound")
"""The columns that a GPU adds."""
