r"""The table as LaTeX, with the rules of the booktabs package: a `tabular`, to be placed in a `table` as one likes.

A table for a paper has some ten rows: `--depth` gathers layers into blocks. Everything from a program is escaped.
"""

from __future__ import annotations

import re

from cnndsl.report.columns import Column
from cnndsl.report.summary import terms, title
from cnndsl.report.table import show
from cnndsl.report.table_model import TableModel
from cnndsl.terminal import clean

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "…": r"\ldots{}",
} | {char: f"\\{char}" for char in "&%$#_{}"}
_INDENT = r"\quad "


def latex(view: TableModel) -> str:
    """The table, figures in human units, the totals under it as comments."""
    align = "".join("l" if column.form in ("text", "shape") else "r" for column in view.columns)
    head = [escape(column.title) for column in view.columns]
    rows = [[_cell(column, column.value(entry)) for column in view.columns] for _, entry in view.rows]
    for (level, _), row in zip(view.rows, rows, strict=True):
        row[0] = _INDENT * level + row[0]
    lines = [
        f"% {clean(title(view.stats))}",
        *(f"% {name}: {clean(text)}" for name, text in terms(view.stats)),
        r"% needs \usepackage{booktabs} and \usepackage[T1]{fontenc}",
        rf"\begin{{tabular}}{{{align}}}",
        r"\toprule",
        _line(head),
        r"\midrule",
        *map(_line, rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    """A row; one that begins with a bracket or a star would be read as an argument of the line break above."""
    text = " & ".join(cells)
    return rf"{{}}{text} \\" if text.startswith(("[", "*")) else rf"{text} \\"


def _cell(column: Column, value: str | float) -> str:
    text = show(column, value)
    shape = column.form in ("shape", "extents")
    return re.sub(r"(?<=\d)x(?=\d)", r"$\\times$", text) if shape else "--" if text == "-" else escape(text)


def escape(text: str) -> str:
    r"""A text that LaTeX sets as it is; no two characters become a ligature.

    >>> escape("a_1 -> 50%")
    'a\\_1 -\\textgreater{} 50\\%'
    >>> escape("a--b")
    'a-{}-b'
    """
    escaped = "".join(_SPECIAL.get(char, char) for char in clean(text))
    return re.sub(r"([-,?!])(?=[-,?!`])", r"\1{}", escaped)
