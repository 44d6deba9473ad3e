"""The columns that tables have: what stands over each, and what a row has there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from cnndsl.report.facts import Row

Cell: TypeAlias = "str | int"


@dataclass(frozen=True, slots=True)
class Column:
    """`key` is the column's name in data, `title` that in tables; counts are numbers, everything else is text."""

    key: str
    title: str
    value: Callable[[Row], Cell]


def extents(dims: tuple[int | Fraction, ...]) -> str:
    """One number where all axes agree: `3`, `1x7`.

    >>> extents((3, 3)), extents((1, 7)), extents(())
    ('3', '1x7', '')
    """
    each = [str(extent) for extent in dims]
    return "x".join(each[:1] if len(set(each)) == 1 else each)


COLUMNS = (
    Column("path", "name", lambda row: row.node.path),
    Column("text", "layer", lambda row: row.node.text),
    Column("output", "output", lambda row: str(row.node.shape)),
    Column("activations", "activations", lambda row: row.cost.activations),
    Column("weights", "weights", lambda row: row.cost.weights),
    Column("params", "params", lambda row: row.cost.params),
    Column("macs", "multiply-adds", lambda row: row.cost.macs),
    Column("receptive_field", "field", lambda row: extents(row.receptive_field)),
)
