"""Format the table of `cnndsl stats` for a paper: each column in one unit, the totals below.

A table for a paper has some ten rows: `--levels` gathers layers into blocks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cnndsl.report.columns import MEMORY, Cell, Column, extents
from cnndsl.report.latex_table import LatexColumn, LatexTable, TableWidth, label_of, write
from cnndsl.report.latex_text import DASH, EM_SPACE, TIMES, in_symbols, unit_of
from cnndsl.report.metrics import Metrics, Totals
from cnndsl.report.number_format import ColumnScale, common_scale
from cnndsl.report.summary import step_name, terms, title
from cnndsl.report.table_model import TableModel

_FIRST_TO_GO = (
    *("operations", "weights", "activations", "receptive_field", "layers", "inference", "saved", "bound", "runs"),
    *("training", "time", "text"),
)
"""The columns that a narrow table omits, in this order, unless they were chosen."""
_TIMES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def latex(view: TableModel, made_for: TableWidth = "page") -> str:
    """Return the table, with the totals as comments before it."""
    return write(table(view), made_for)


def table(view: TableModel) -> LatexTable:
    """Return the table as texts. An empty column that was not chosen is omitted."""
    totals = _totals(view)
    columns, cells = list[LatexColumn](), list[list[str]]()
    for column in view.columns:
        total = [_total(view.stats, each, column) for _, each in totals]
        unit, shown = _shown(column, [*(column.value(row) for _, row in view.rows), *total])
        if view.is_chosen or any(shown):
            is_right = column.is_number or column.form == "extents"
            columns.append(LatexColumn(column.title, is_right, unit, _rank(view, column)))
            cells.append(shown)
    first, *others = cells
    first = [EM_SPACE * level + text for (level, _), text in zip(view.rows, first, strict=False)]
    rows = list(zip([*first, *(name for name, _ in totals)], *others, strict=True))
    return LatexTable(
        tuple(columns),
        (tuple(rows[: len(view.rows)]), tuple(rows[len(view.rows) :])),
        _caption(view),
        label_of(title(view.stats)),
        (title(view.stats), *(f"{name}: {text}" for name, text in terms(view.stats))),
    )


def _rank(view: TableModel, column: Column) -> int:
    return (
        len(_FIRST_TO_GO) - _FIRST_TO_GO.index(column.key) if column.key in _FIRST_TO_GO and not view.is_chosen else 0
    )


def _totals(view: TableModel) -> list[tuple[str, Totals]]:
    """Return the totals of a forward pass, and those in training if some layers exist in training only."""
    stats = view.stats
    if not stats.has_training_only:
        return [("total", stats.totals)]
    return [("total at inference", stats.totals), ("total in training", stats.totals_in_training)]


def _total(stats: Metrics, totals: Totals, column: Column) -> Cell:
    """Return the cells of a line of totals, empty for a column without one."""
    if column.key == "layers":
        return len(stats.layers)
    if column.key == "time":
        return stats.roofline.total.seconds if stats.roofline else 0.0
    if column.key in ("inference", "saved", "training"):
        return getattr(stats.step, column.key)
    if column.key == "receptive_field":
        return f"{'at most ' * totals.receptive_field_at_most}{extents(totals.receptive_field)}"
    return getattr(totals, column.key) if column.is_number else ""


def _shown(column: Column, values: Sequence[Cell]) -> tuple[str, list[str]]:
    """Return the unit of a column and its cells in this unit."""
    if column.form == "time":
        return _times([each for each in values if isinstance(each, float)])
    if column.is_number:
        scale = common_scale(each for each in values if isinstance(each, int))
        return unit_of(scale.unit, is_size=column.form == "bytes"), [_number(scale, each) for each in values]
    if column.form == "text":
        return "", [re.sub(r" x(?=\d+$)", f" {TIMES}", str(each)) for each in values]
    return "", [in_symbols(str(each)) for each in values]


def _number(scale: ColumnScale, value: Cell) -> str:
    return (scale.show(value) if value else DASH) if isinstance(value, int) else str(value)


def _times(values: Sequence[float]) -> tuple[str, list[str]]:
    """Return times in the unit of the longest, with two decimals."""
    size, unit = next(((size, unit) for size, unit in _TIMES if max(values, default=0) >= size), _TIMES[-1])
    return f"({unit})", [
        (f"{each / size:,.2f}" if each >= 0.005 * size else "< 0.01") if each else DASH for each in values
    ]


def _caption(view: TableModel) -> str:
    stats = view.stats
    what = {"block": "Blocks", "stage": "Sizes of feature maps", "kind": "Layer types", None: "Layers"}[view.by]
    images = " and ".join(in_symbols(str(row.node.shape)) for row in stats.inputs)
    texts = [f"{what} of {title(stats)}.", f"Values are for one input of {images}."]
    if stats.memory and any(column.key in MEMORY for column in view.columns):
        texts.append(f"Memory is that of {step_name(stats.memory.plan)}.")
    if stats.roofline and any(column.key == "time" for column in view.columns):
        found = stats.roofline
        texts.append(f"Least times are those of a batch of {found.batch} in {found.dtype} on {found.card.name}.")
    return " ".join(texts)
