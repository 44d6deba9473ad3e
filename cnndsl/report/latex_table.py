r"""Tables for a paper: booktabs, no wider than the text or a column of it, on several pages if one is too short.

LaTeX cannot measure a table before it is typeset, so this module does, for Computer Modern and the narrowest widths of
common classes. In this order, it omits columns that were not requested, reduces the font size, breaks texts into lines,
and moves what is still too wide to a further table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal, TypeAlias

from cnndsl.records import record
from cnndsl.report.latex_text import breakable, escape, lines, width
from cnndsl.terminal import clean

TableWidth: TypeAlias = Literal["column", "page"]
TABLE_WIDTHS = ("column", "page")

ROOM: dict[TableWidth, float] = {"column": 229.0, "page": 344.5}
r"""`\columnwidth` of article in two columns, `\textwidth` in one, both at 10 pt, less half a point for rounding: those
of other classes are larger."""
_PAGE_HEIGHT = 470.0
"""The height of a page that a table may use; the rest is for the caption. article has 550 pt, all of which floats may
use."""
SIZES: tuple[tuple[int, float], ...] = ((9, 6.0), (9, 4.0), (8, 5.0), (8, 3.0), (7, 2.5))
"""Font sizes, and half the gap between columns, from the best to the least."""
_TIGHT = SIZES[-2]
_NARROWEST: dict[TableWidth, float] = {"column": 52.0, "page": 80.0}
"""The least width of a text before a column is omitted to make room."""


@record(slots=True)
class LatexColumn:
    """A column: its title, whether it is right-aligned, and `rank`. Columns with larger ranks are omitted first, those
    with 0 never. `unit` is printed below the title."""

    title: str
    is_number: bool = False
    unit: str = ""
    rank: int = 0


@record(slots=True)
class LatexTable:
    """A table of plain texts. `parts` are groups of rows between rules: the rows, the totals. The first `keys` columns
    identify a row, and are repeated in each of several tables."""

    columns: tuple[LatexColumn, ...]
    parts: tuple[tuple[tuple[str, ...], ...], ...]
    caption: str
    label: str
    comments: tuple[str, ...] = ()
    keys: int = 1


@record(slots=True)
class LatexSetting:
    """The settings of a table: its caption and label, the columns for `tabular`, the font size, half the gap between
    columns, and the height."""

    caption: str
    label: str
    columns: str
    size: int
    gap: float
    height: float


@record(slots=True)
class _Fit:
    """The layout of a table: the columns by number, the font size, half the gap, and the width of the columns with line
    breaks."""

    shown: tuple[int, ...]
    size: int
    gap: float
    broken: dict[int, float]


def write(table: LatexTable, made_for: TableWidth = "page") -> str:
    """Return a table in LaTeX. It floats if it fits a page, and is a `longtable` otherwise."""
    table = table if _have_room(table, made_for) else _numbered(table)
    fits = _fits(table, made_for)
    return with_packages(table.comments, (_part(table, fit, made_for, is_first=fit is fits[0]) for fit in fits))


def with_packages(comments: Sequence[str], parts: Iterable[Sequence[str]]) -> str:
    """Return the parts of a table after comments, the last of which names the packages it needs."""
    text = "\n\n".join(map("\n".join, parts))
    packages = ["booktabs", *(["array"] if r"\raggedright" in text else ())]
    packages += ["longtable"] if r"{longtable}" in text else []
    fonts = r" and \usepackage[T1]{fontenc}" if r"\textquotedbl" in text else ""
    return "\n".join(
        [*(f"% {clean(each)}" for each in comments), rf"% needs \usepackage{{{','.join(packages)}}}{fonts}", text]
    )


def _have_room(table: LatexTable, made_for: TableWidth) -> bool:
    """Return whether any other column fits beside the keys; a single key always does."""
    every = range(len(table.columns))
    keys, others = every[: table.keys], (at for at in every[table.keys :] if not table.columns[at].rank)
    beside = [tuple(keys), *((*keys, at) for at in others)]
    return table.keys < 2 or all(_fit(table, shown, ROOM[made_for], 0) for shown in beside)


def _numbered(table: LatexTable) -> LatexTable:
    """Return a table whose key is the row number, since its own keys leave no room for other columns."""
    numbers = iter(range(1, 1 + sum(map(len, table.parts))))
    parts = tuple(tuple((str(next(numbers)), *row) for row in part) for part in table.parts)
    return replace(table, columns=(LatexColumn("no.", is_number=True), *table.columns), parts=parts, keys=1)


def _fits(table: LatexTable, made_for: TableWidth) -> list[_Fit]:
    """Return the layout of a table, in as many parts as necessary."""
    room, every = ROOM[made_for], tuple(range(len(table.columns)))
    shown = every
    while (rank := max(table.columns[at].rank for at in shown)) and _least(table, shown, made_for) > room:
        shown = tuple(at for at in shown if table.columns[at].rank != rank)
    if fit := _fit(table, shown, room, _NARROWEST[made_for]):
        return [fit]
    return [_fit(table, part, room, 0) or _Fit(part, 7, 2.5, {}) for part in _split(table, shown, made_for)]


def _least(table: LatexTable, shown: Sequence[int], made_for: TableWidth) -> float:
    """Return the least widths of columns with line breaks."""
    size, gap = _TIGHT
    natural = _naturals(table, shown, size)
    least = [
        width if table.columns[at].is_number else min(width, _NARROWEST[made_for]) for at, width in natural.items()
    ]
    return sum(least) + 2 * gap * (len(shown) - 1)


def _naturals(table: LatexTable, shown: Sequence[int], size: int) -> dict[int, float]:
    """Return the widths of columns without line breaks."""
    return {at: max(width(text, size) for text in _texts(table, at)) for at in shown}


def _texts(table: LatexTable, at: int) -> Iterator[str]:
    yield from _heading(table.columns[at])
    yield from (row[at] for part in table.parts for row in part)


def _fit(table: LatexTable, shown: tuple[int, ...], room: float, narrowest: float) -> _Fit | None:
    """Return the largest font size in which all columns fit, with line breaks if necessary; None if that would be too
    narrow."""
    for size, gap in SIZES:
        if sum(_naturals(table, shown, size).values()) + 2 * gap * (len(shown) - 1) <= room:
            return _Fit(shown, size, gap, {})
    for size, gap in SIZES[-2:]:
        natural = _naturals(table, shown, size)
        texts = {at: natural[at] for at in shown if not table.columns[at].is_number}
        free = room - 2 * gap * (len(shown) - 1) - sum(natural[at] for at in shown if at not in texts)
        if texts and free >= sum(min(each, narrowest or 24) for each in texts.values()):
            widths = _shared(texts, free)
            return _Fit(shown, size, gap, {at: each for at, each in widths.items() if each < natural[at]})
    return None


def _shared(natural: dict[int, float], free: float) -> dict[int, float]:
    """Share the space among texts; those narrower than an equal share leave the rest to the others."""
    found: dict[int, float] = {}
    for left, at in zip(range(len(natural), 0, -1), sorted(natural, key=natural.__getitem__), strict=True):
        found[at] = min(natural[at], free / left)
        free -= found[at]
    return found


def _split(table: LatexTable, shown: tuple[int, ...], made_for: TableWidth) -> Iterator[tuple[int, ...]]:
    """Yield the columns in parts that fit, each with the keys."""
    part = keys = shown[: table.keys]
    for at in shown[table.keys :]:
        if len(part) > table.keys and _least(table, (*part, at), made_for) > ROOM[made_for]:
            yield part
            part = keys
        part = (*part, at)
    yield part


def _part(table: LatexTable, fit: _Fit, made_for: TableWidth, *, is_first: bool) -> list[str]:
    """Return one table, of all or some columns."""
    parts = [[_row(fit, row) for row in part] for part in table.parts if part]
    spec = "@{}" + "".join(_spec(table, fit, at) for at in fit.shown) + "@{}"
    body = [line for part in parts for line in (r"\midrule", *part)][1:]
    setting = LatexSetting(table.caption, table.label, spec, fit.size, fit.gap, _height(table, fit))
    return placed(setting, _head(table, fit), body, made_for, is_first=is_first)


def placed(
    setting: LatexSetting,
    head: Sequence[str],
    body: Sequence[str],
    made_for: TableWidth,
    *,
    is_first: bool,
) -> list[str]:
    """Return the lines of a table with its caption: one that floats, or a `longtable` if it is higher than a page.
    `head` and `body` are rows in LaTeX. If it is not the first of several, it has the number of the previous table."""
    further = f"{setting.caption.partition('. ')[0].rstrip('.')}, continued."
    set_in = [
        rf"\fontsize{{{setting.size}}}{{{setting.size * 1.2:g}}}\selectfont",
        rf"\setlength{{\tabcolsep}}{{{setting.gap:g}pt}}",
    ]
    again = () if is_first else (r"\addtocounter{table}{-1}",)
    caption = rf"\caption{{{escape(setting.caption)}}}\label{{tab:{setting.label}}}"
    caption = caption if is_first else rf"\caption{{{escape(further)}}}"
    head = [r"\toprule", *head, r"\midrule"]
    if setting.height <= _PAGE_HEIGHT:
        name = "table" if made_for == "column" else "table*"
        return [
            rf"\begin{{{name}}}[tbp]",
            *(r"\centering", *again, _BENEATH_CAPTION, caption, *set_in),
            rf"\begin{{tabular}}{{{setting.columns}}}",
            *(*head, *body, r"\bottomrule"),
            r"\end{tabular}",
            rf"\end{{{name}}}",
        ]
    return [
        *_ONE_COLUMN,
        *(r"\begingroup", *again, *set_in),
        r"\setlength{\LTcapwidth}{\linewidth}",
        rf"\begin{{longtable}}{{{setting.columns}}}",
        *(rf"{caption}\\", *head, r"\endfirsthead"),
        *(rf"\caption[]{{{escape(further)}}}\\", *head, r"\endhead"),
        *(r"\bottomrule", r"\endfoot", *body),
        r"\end{longtable}",
        *(r"\endgroup", r"\cnndslcolumns"),
    ]


_BENEATH_CAPTION = r"\setlength{\belowcaptionskip}{5pt}"
"""article has no space beneath a caption, since it expects the caption to be beneath the table; longtable has a
line."""
_ONE_COLUMN = (
    r"% a longtable can only be set in one column",
    r"\makeatletter",
    r"\if@twocolumn\onecolumn\let\cnndslcolumns\twocolumn\else\let\cnndslcolumns\relax\fi",
    r"\makeatother",
)


def _height(table: LatexTable, fit: _Fit) -> float:
    """Return the greatest height of the rows, in points."""
    rows = [row for part in table.parts for row in part]
    count = 2 + sum(max([lines(row[at], room, fit.size) for at, room in fit.broken.items()], default=1) for row in rows)
    return count * fit.size * 1.2 + 6 * (len(table.parts) + 2)


def _spec(table: LatexTable, fit: _Fit, at: int) -> str:
    if at in fit.broken:
        return rf">{{\raggedright\arraybackslash}}p{{{fit.broken[at]:.1f}pt}}"
    return "r" if table.columns[at].is_number else "l"


def _head(table: LatexTable, fit: _Fit) -> list[str]:
    """Return the titles, on two lines if a title has a unit or is narrower that way."""
    first, second = zip(*map(_heading, table.columns), strict=True)
    return [_row(fit, first), _row(fit, second)] if any(second[at] for at in fit.shown) else [_row(fit, first)]


def _heading(column: LatexColumn) -> tuple[str, str]:
    """Return the two lines above a column: the title and its unit, or a part of the title each if that is narrower."""
    return halves(column.title, column.unit) if column.unit else (column.title, "")


def halves(title: str, unit: str) -> tuple[str, str]:
    """Return a title and its unit on two lines, broken where they are narrowest.

    >>> halves("multiply-adds", "(M)"), halves("params", "(M)")
    (('multiply-', 'adds (M)'), ('params', '(M)'))
    """
    pieces = re.findall(r"[^ -]+[ -]?", title)
    broken = (("".join(pieces[:at]).strip(), f"{''.join(pieces[at:])} {unit}") for at in range(1, len(pieces)))
    return min([(title, unit), *broken], key=lambda lines: max(map(_width_of_title, lines)))


def _width_of_title(text: str) -> float:
    return width(text, 10)


def _row(fit: _Fit, row: Sequence[str]) -> str:
    broken = fit.broken
    return _line([breakable(row[at], broken[at], fit.size) if at in broken else escape(row[at]) for at in fit.shown])


def _line(cells: Sequence[str]) -> str:
    """Return a row; LaTeX would read one that begins with a square bracket or a star as an argument of the preceding
    line break."""
    text = " & ".join(cells)
    return rf"{{}}{text} \\" if text.startswith(("[", "*")) else rf"{text} \\"


def label_of(*titles: str) -> str:
    """Return a label of letters, digits and hyphens.

    >>> label_of("ResNet-18 (classes=10)", "layers")
    'resnet-18-classes-10-layers'
    """
    return "-".join(re.findall(r"[a-z0-9]+", " ".join(titles).lower())) or "network"
