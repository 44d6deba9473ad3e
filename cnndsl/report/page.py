"""The table as HTML: a page of one file, sortable, light and dark, or a fragment for a notebook.

Nothing is fetched from elsewhere; everything that comes from a program is escaped.
"""

from __future__ import annotations

from html import escape

from cnndsl.report.columns import COLUMNS, Column
from cnndsl.report.facts import Row, Stats
from cnndsl.report.table import summary, title
from cnndsl.report.units import exact, human
from cnndsl.terminal import clean

_STYLE = """
.cnndsl { font: 14px/1.45 system-ui, sans-serif; color-scheme: light dark }
.cnndsl { --ink: #1c2430; --soft: #687284; --line: #dfe3ea; --bar: #cfe0fb }
.cnndsl table { border-collapse: collapse; font-variant-numeric: tabular-nums }
.cnndsl th, .cnndsl td { padding: .25em .8em; text-align: left; white-space: nowrap }
.cnndsl th, .cnndsl td { color: var(--ink); background-color: transparent }
.cnndsl th { border-bottom: 1.5px solid var(--line); font-weight: 600 }
.cnndsl td { border-bottom: 1px solid var(--line) }
.cnndsl .number { text-align: right }
.cnndsl .none { color: var(--soft) }
.cnndsl td.number { background: linear-gradient(to left, var(--bar) calc(var(--part) * 1%), transparent 0) }
.cnndsl dl { display: grid; grid-template-columns: max-content auto; gap: .15em 1.2em; color: var(--ink) }
.cnndsl dt { color: var(--soft) } .cnndsl dd { margin: 0 }
@media (prefers-color-scheme: dark) {
  .cnndsl { --ink: #e4e8ef; --soft: #95a0b3; --line: #343c49; --bar: #274472 }
}
"""
_PAGE_STYLE = """
body { margin: 2rem auto; padding: 0 1rem; max-width: max-content; background: Canvas }
.cnndsl thead th { position: sticky; top: 0; background: Canvas; cursor: pointer; user-select: none }
.cnndsl h1 { font-size: 1.4em; color: var(--ink) }
"""
_SORT = """
for (const head of document.querySelectorAll(".cnndsl th")) head.addEventListener("click", () => {
  const body = head.closest("table").tBodies[0], at = head.cellIndex, down = head.dataset.down !== "yes"
  const value = cell => "value" in cell.dataset ? -cell.dataset.value : cell.textContent
  const key = row => value(row.cells[at])
  const order = (a, b) => { const x = key(a), y = key(b); return x < y ? -1 : x > y ? 1 : a.dataset.at - b.dataset.at }
  body.append(...[...body.rows].sort((a, b) => down ? order(a, b) : -order(a, b)))
  head.dataset.down = down ? "yes" : "no"
})
"""


def fragment(stats: Stats) -> str:
    """The table and the totals, with their style."""
    terms = "".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in _terms(stats))
    return f'<div class="cnndsl"><style>{_STYLE}</style>{_table(stats)}<dl>{terms}</dl></div>'


def page(stats: Stats) -> str:
    """A page of its own."""
    name = _text(title(stats))
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{name}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<style>{_PAGE_STYLE}</style>\n'
        f'<div class="cnndsl"><h1>{name}</h1></div>\n{fragment(stats)}\n<script>{_SORT}</script>\n</html>'
    )


def _terms(stats: Stats) -> list[tuple[str, str]]:
    return [(name, value.strip()) for name, _, value in (line.partition("  ") for line in summary(stats))]


def _table(stats: Stats) -> str:
    numeric = {column.key for column in COLUMNS if isinstance(column.value(stats.input), int)}
    largest = {key: max((_number(column, row) for row in stats.layers), default=0) for key, column in _numeric(numeric)}
    head = "".join(
        f'<th class="number">{_text(column.title)}</th>' if column.key in numeric else f"<th>{_text(column.title)}</th>"
        for column in COLUMNS
    )
    body = "\n".join(
        f'<tr data-at="{at}">{"".join(_cell(column, row, largest) for column in COLUMNS)}</tr>'
        for at, row in enumerate(stats.layers)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"


def _numeric(keys: set[str]) -> list[tuple[str, Column]]:
    return [(column.key, column) for column in COLUMNS if column.key in keys]


def _number(column: Column, row: Row) -> int:
    value = column.value(row)
    return value if isinstance(value, int) else 0


def _cell(column: Column, row: Row, largest: dict[str, int]) -> str:
    value = column.value(row)
    if column.key not in largest or not isinstance(value, int):
        return f"<td>{_text(str(value))}</td>"
    part = 100 * value / largest[column.key] if largest[column.key] else 0
    shown = human(value) if value else '<span class="none">-</span>'
    return f'<td class="number" data-value="{value}" title="{exact(value)}" style="--part:{part:.1f}">{shown}</td>'


def _text(text: str) -> str:
    return escape(clean(text))
