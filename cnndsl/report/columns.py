"""The columns that tables have: what stands over each, what a row has there, and how much that is."""

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
    """`key` is the column's name in data, `title` that in tables, `raw` a row's figure as it is: a text, a number, or
    a number for each axis, none for a row that has no such figure."""

    key: str
    title: str
    form: ColumnForm
    raw: Callable[[TableRow], Cell | ExactExtents]
    at_most: Callable[[TableRow], bool] = lambda _: False
    """Whether a row's figure is a bound."""

    @property
    def is_number(self) -> bool:
        """Return whether its cells are numbers, which are set to the right."""
        return self.form in ("count", "bytes", "time")

    def value(self, entry: TableRow) -> Cell:
        """What stands in a cell: counts, bytes and seconds are numbers, everything else is text."""
        raw = self.raw(entry)
        if not isinstance(raw, tuple):
            return raw
        if self.form == "shape":
            return "x".join(map(str, raw))
        return f"at most {extents(raw)}" if self.at_most(entry) else extents(raw)

    def amount(self, entry: TableRow) -> float | None:
        """How much it is, for sorting and for bars; None for a text."""
        raw = self.raw(entry)
        if isinstance(raw, tuple):
            return float(prod(raw) if self.form == "shape" else max(raw)) if raw else None
        return None if isinstance(raw, str) else raw


def extents(dims: ExactExtents) -> str:
    """One number where all axes agree: `3`, `1x7`.

    >>> extents((3, 3)), extents((1, 7)), extents(())
    ('3', '1x7', '')
    """
    each = [str(extent) for extent in dims]
    return "x".join(each[:1] if len(set(each)) == 1 else each)


def _text(entry: TableRow) -> str:
    """The layer, or `Bottleneck(64) x3`, or `[CONV3-64 -> RELU] x2`."""
    if entry.times < 2:
        return entry.text
    return f"[{entry.text}] x{entry.times}" if " -> " in entry.text else f"{entry.text} x{entry.times}"


def _kind(entry: TableRow) -> str:
    return entry.last.node.kind if entry.last and not entry.parts else ""


_FORMS: dict[MetricUnit, ColumnForm] = {"bytes": "bytes", "positions": "extents", "extents": "shape", "seconds": "time"}
"""How the metrics of a unit are set; those of all others are counts."""

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
"""All columns by key: what a row is, and the metrics that layers have."""

LAYERS = ("path", "text", "output", "activations", "weights", "params", "macs", "operations", "receptive_field")
"""What tables of layers have unless told otherwise."""

GROUPS = (*LAYERS[:2], "layers", *LAYERS[2:])
"""What tables of groups have."""

MEMORY = ("inference", "saved", "training")
"""What a batch adds."""

MODE = "runs"
"""What is added where some layers exist in training only."""

TIMES = ("time", "bound")
"""What a GPU adds."""
