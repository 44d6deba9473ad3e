"""The formats of `cnndsl stats`. Each is in a file of its own, which is imported on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnndsl.report.latex_table import TableWidth
    from cnndsl.report.table_model import TableModel

DERIVATIONS = ("derivation", "derivation-markdown", "derivation-latex")
"""The formats that write out the arithmetic."""
FORMATS = ("table", "lecture", *DERIVATIONS, "json", "csv", "markdown", "html", "latex")


def render(
    view: TableModel,
    format: str,
    *,
    colour: bool = False,
    width: int | None = None,
    made_for: TableWidth = "page",
) -> str:
    """Format the metrics in one of `FORMATS`, without a line break at the end. `width` is that of the terminal,
    `made_for` the width that a LaTeX table must fit. Raises KeyError for another format."""
    if format == "table":
        from cnndsl.report import table

        return table.coloured(view, width) if colour else table.plain(view)
    if format == "lecture":
        from cnndsl.report.lecture import lecture

        return lecture(view.stats)
    if format == "derivation":
        from cnndsl.report.derivation_text import text

        return text(view.stats)
    if format in DERIVATIONS:
        from cnndsl.report import derivation_math as math

        return {"derivation-markdown": math.markdown, "derivation-latex": math.latex}[format](view.stats)
    if format == "html":
        from cnndsl.report.html import page

        return page(view)
    if format == "latex":
        from cnndsl.report.latex import latex

        return latex(view, made_for)
    from cnndsl.report import data_formats as data

    return {"json": data.as_json, "csv": data.as_csv, "markdown": data.as_markdown}[format](view)
