"""The columns that tables have: what stands over each, what a row has there, and how much that is."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import prod
from typing import Literal, TypeAlias

from cnndsl.records import record
from cnndsl.report.rows import TableRow

Cell: TypeAlias = "str | int | float"
ExactExtents: TypeAlias = "tuple[int | Fraction, ...]"
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


def _output(entry: TableRow) -> ExactExtents:
    return entry.last.node.shape.hwc if entry.last else ()


def _field(entry: TableRow) -> ExactExtents:
    return entry.last.receptive_field if entry.last else ()


def _field_at_most(entry: TableRow) -> bool:
    return entry.last is not None and entry.last.field is not None and entry.last.field.at_most


def _local_at_most(entry: TableRow) -> bool:
    return entry.last is not None and entry.last.field is not None and entry.last.field.local.at_most


def _local(entry: TableRow) -> ExactExtents:
    return entry.last.field.local.size if entry.last and entry.last.field else ()


def _stride(entry: TableRow) -> ExactExtents:
    return entry.last.stride if entry.last else ()


def _padding(entry: TableRow) -> ExactExtents:
    return entry.last.field.padding if entry.last and entry.last.field else ()


_ALL = (
    Column("path", "name", "text", lambda entry: entry.path),
    Column("text", "layer", "text", _text),
    Column("kind", "kind", "text", _kind),
    Column("layers", "layers", "count", lambda entry: entry.layers),
    Column("output", "output", "shape", _output),
    Column("activations", "activations", "count", lambda entry: entry.cost.activations),
    Column("weights", "weights", "count", lambda entry: entry.cost.weights),
    Column("biases", "biases", "count", lambda entry: entry.cost.biases),
    Column("params", "params", "count", lambda entry: entry.cost.params),
    Column("trainable", "trainable", "count", lambda entry: entry.cost.trainable),
    Column("buffers", "buffers", "count", lambda entry: entry.cost.buffers),
    Column("macs", "multiply-adds", "count", lambda entry: entry.cost.macs),
    Column("flops", "flops", "count", lambda entry: entry.cost.flops),
    Column("operations", "operations", "count", lambda entry: entry.cost.operations),
    Column("memory", "memory", "bytes", lambda entry: entry.volume),
    Column("inference", "in use", "bytes", lambda entry: entry.load.inference),
    Column("saved", "kept", "bytes", lambda entry: entry.load.saved),
    Column("training", "in training", "bytes", lambda entry: entry.load.training),
    Column("receptive_field", "field", "extents", _field, _field_at_most),
    Column("local", "local field", "extents", _local, _local_at_most),
    Column("stride", "stride", "extents", _stride),
    Column("padding", "padding", "extents", _padding),
)
_TIMES = (
    Column("time", "least time", "time", lambda entry: entry.time.seconds),
    Column("bound", "bound by", "text", lambda entry: entry.time.bound),
)
COLUMNS = {column.key: column for column in (*_ALL, *_TIMES)}
"""All columns by key, in the order in which tables have them."""

LAYERS = ("path", "text", "output", "activations", "weights", "params", "macs", "operations", "receptive_field")
"""What tables of layers have unless told otherwise."""

GROUPS = (*LAYERS[:2], "layers", *LAYERS[2:])
"""What tables of groups have."""

MEMORY = ("inference", "saved", "training")
"""What a batch adds."""

TIMES = tuple(column.key for column in _TIMES)
"""What a GPU adds."""
