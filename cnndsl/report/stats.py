"""The result of `Network.stats()`: metrics that can print themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnndsl.records import record
from cnndsl.report.metrics import Metrics

if TYPE_CHECKING:
    from typing import Unpack

    from cnndsl.report.latex_table import TableWidth
    from cnndsl.report.table_model import Layout


@record
class Stats(Metrics):
    """The metrics of a network, shown as a table: `totals`, and `layers` in the order of execution. `memory` is the
    memory for a batch, None if no batch was named."""

    def render(self, format: str = "table", *, made_for: TableWidth = "page", **layout: Unpack[Layout]) -> str:
        """Format the metrics in one of the formats of `cnndsl stats`, with its options `by`, `depth`, `columns` and
        `sort`. A LaTeX table fits a `column` or a `page`. Raises KeyError for another format or an unknown column."""
        from cnndsl.report.formats import render
        from cnndsl.report.table_model import view

        return render(view(self, **layout), format, made_for=made_for)

    def __repr__(self) -> str:
        return self.render()

    def _repr_html_(self) -> str:
        from cnndsl.report.html import fragment
        from cnndsl.report.table_model import view

        return fragment(view(self))
