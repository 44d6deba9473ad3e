"""Writes configuration tables as HTML: a single file, light and dark, without scripts or external resources."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from cnndsl.emit.configuration.model import ConfigurationRow, ConfigurationTable, StageBlock
from cnndsl.emit.configuration.titles import name_of
from cnndsl.emit.configuration.totals import TotalsRow, totals
from cnndsl.emit.drawing.cards.words import TIMES
from cnndsl.terminal import clean

_STYLE = """
.cnndsl { --ink: #18212b; --mute: #55616d; --hair: #c9d0d7; --page: #fff; color-scheme: light dark }
.cnndsl { font: 14px/1.4 system-ui, sans-serif; color: var(--ink); background: var(--page); margin: 2rem auto }
.cnndsl { width: max-content; max-width: 100%; overflow-x: auto; padding: 0 1rem }
.cnndsl h1 { font-size: 1.3em; margin: 0 0 .6em }
.cnndsl table { border-collapse: collapse; border-block: 2px solid var(--ink); font-variant-numeric: tabular-nums }
.cnndsl th, .cnndsl td { padding: .35em .9em; text-align: center; white-space: nowrap }
.cnndsl th { font-weight: 600 } .cnndsl thead th { border-bottom: 1px solid var(--ink) }
.cnndsl th[scope=row], .cnndsl thead th:nth-child(-n+2), .cnndsl td.output { text-align: left }
.cnndsl td.output, .cnndsl p { color: var(--mute) }
.cnndsl tbody tr { border-top: 1px solid var(--hair) } .cnndsl tbody tr.continued { border-top: 0 }
.cnndsl tfoot tr:first-child { border-top: 1px solid var(--ink) }
.cnndsl .block { display: flex; gap: .5em; justify-content: center; align-items: center; margin: .15em 0 }
.cnndsl .lines { text-align: left; padding: .1em .5em; position: relative }
.cnndsl .brackets::before, .cnndsl .brackets::after { content: ""; position: absolute; inset: 0 auto 0 0; width: .3em }
.cnndsl .brackets::before, .cnndsl .brackets::after { border: 1px solid var(--ink); border-right: 0 }
.cnndsl .brackets::after { inset: 0 0 0 auto; border-right: 1px solid var(--ink); border-left: 0 }
@media (prefers-color-scheme: dark) {
  .cnndsl { --ink: #edf1f5; --mute: #a6b2be; --hair: #3a4652; --page: #10161d } body { background: #10161d }
}
"""


def page(table: ConfigurationTable) -> str:
    """Return the table as a standalone page."""
    name = _text(name_of(table))
    head = "".join(f'<th scope="col">{_text(each)}</th>' for each in ("stage", "output", *table.heads))
    body = "\n".join(map(_row, table.rows))
    foot = "\n".join(map(_total, totals(table)))
    notes = f"<p>{_text(' '.join(table.notes))}</p>\n" if table.notes else ""
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{name}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<meta name="color-scheme" content="light dark">\n'
        f'<style>{_STYLE}</style>\n<div class="cnndsl">\n<h1>{name}</h1>\n<table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody>\n<tfoot>\n{foot}\n</tfoot>\n</table>\n{notes}</div>\n</html>"
    )


def _row(row: ConfigurationRow) -> str:
    kind = ' class="continued"' if row.is_continued else ""
    name, output = ("", "") if row.is_continued else (row.name, row.output)
    cells = "".join(f"<td>{_cell(cell)}</td>" for cell in row.cells)
    if row.is_common:
        cells = f'<td colspan="{len(row.cells)}">{_cell(row.cells[0])}</td>'
    return f'<tr{kind}><th scope="row">{_text(name)}</th><td class="output">{_text(output)}</td>{cells}</tr>'


def _total(row: TotalsRow) -> str:
    values = "".join(f"<td>{_text(each)}</td>" for each in row.texts)
    return f'<tr><th scope="row" colspan="2">{_text(row.title)}</th>{values}</tr>'


def _cell(cell: Sequence[StageBlock]) -> str:
    return "".join(map(_block, cell))


def _block(block: StageBlock) -> str:
    lines = "<br>".join(map(_text, block.texts))
    brackets = " brackets" if block.has_brackets else ""
    times = f"<b>{TIMES}{block.times}</b>" if block.times > 1 else ""
    return f'<div class="block"><div class="lines{brackets}">{lines}</div>{times}</div>'


def _text(text: str) -> str:
    return escape(clean(text))
