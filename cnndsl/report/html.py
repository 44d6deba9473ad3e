"""Format the table as HTML: a page of one file, sortable, light and dark, or a fragment for a notebook.

The page loads no other files, and all text from a program is escaped. Style and script are in `html_assets`.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from cnndsl.report.columns import Column
from cnndsl.report.html_assets import PAGE_STYLE, SCRIPT, STYLE
from cnndsl.report.number_format import exact
from cnndsl.report.rows import TableRow, opened
from cnndsl.report.summary import terms, title
from cnndsl.report.table import show
from cnndsl.report.table_model import TableModel
from cnndsl.terminal import clean


def fragment(view: TableModel) -> str:
    """Return the table and the totals, with their style, for all visible rows."""
    return _fragment(view, view.rows)


def page(view: TableModel) -> str:
    """Return a page in which every group can be opened."""
    name = _text(title(view.stats))
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{name}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<meta name="color-scheme" content="light dark">\n'
        f'<style>{PAGE_STYLE}</style>\n<div class="cnndsl"><h1>{name}</h1></div>\n'
        f"{_fragment(view, opened(view.entries, None))}\n<script>{SCRIPT}</script>\n</html>"
    )


def _fragment(view: TableModel, rows: Sequence[tuple[int, TableRow]]) -> str:
    pairs = "".join(f"<dt>{_text(name)}</dt><dd>{_text(text)}</dd>" for name, text in terms(view.stats))
    return f'<div class="cnndsl"><style>{STYLE}</style><dl>{pairs}</dl>\n{_table(view, rows)}</div>'


def _table(view: TableModel, rows: Sequence[tuple[int, TableRow]]) -> str:
    largest = {column.key: max((column.amount(entry) or 0 for _, entry in rows), default=0) for column in view.columns}
    head = "".join(_head(column) for column in view.columns)
    body = "\n".join(_row(view, level, entry, largest) for level, entry in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"


def _head(column: Column) -> str:
    right = "" if _is_left(column) else ' class="number"'
    return f'<th scope="col"{right}>{_text(column.title)}</th>'


def _is_left(column: Column) -> bool:
    return column.form in ("text", "shape")


def _row(view: TableModel, level: int, entry: TableRow, largest: dict[str, float]) -> str:
    state = ""
    if entry.parts:
        is_open = view.depth is None or level + 1 < view.depth
        state = f' data-open="{"yes" if is_open else "no"}"'
    cells = [_cell(column, entry, largest[column.key]) for column in view.columns]
    cells[0] = cells[0].replace("<td", f'<td style="--level:{level}"', 1) if level else cells[0]
    return f'<tr data-level="{level}"{state}>{"".join(cells)}</tr>'


def _cell(column: Column, entry: TableRow, largest: float) -> str:
    value, amount = column.value(entry), column.amount(entry)
    shown = _text(show(column, value)) if value else '<span class="none">-</span>'
    if _is_left(column):
        return f"<td{_value(amount)}>{shown}</td>"
    part = 100 * max(amount or 0, 0) / largest if largest else 0
    tip = f' title="{exact(value)}"' if isinstance(value, int) and value >= 1000 else ""
    return f'<td class="number"{_value(amount)}{tip} style="--part:{part:.1f}">{shown}</td>'


def _value(amount: float | None) -> str:
    return "" if amount is None else f' data-value="{amount:.15g}"'


def _text(text: str) -> str:
    return escape(clean(text))
