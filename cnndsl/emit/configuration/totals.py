"""The rows below a configuration table: the metrics of each network, each in one unit."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.analysis.metric_table import METRICS
from cnndsl.emit.configuration.model import ConfigurationTable
from cnndsl.records import record
from cnndsl.report.columns import extents
from cnndsl.report.latex_text import in_symbols
from cnndsl.report.number_format import common_scale

_NAMES = {"params": "parameters", "macs": "multiply-adds"}


@record(slots=True)
class TotalsRow:
    """A metric of all networks: its name, a short name, its unit (`M`, or empty), the values as text, and as
    numbers."""

    name: str
    short: str
    unit: str
    texts: tuple[str, ...]
    amounts: tuple[int, ...] = ()

    @property
    def title(self) -> str:
        """Return the name with the unit."""
        return f"{self.name} ({self.unit})" if self.unit else self.name


def totals(table: ConfigurationTable) -> tuple[TotalsRow, ...]:
    """Return the rows below a table."""
    fields = [
        in_symbols(f"{'at most ' * each.receptive_field_at_most}{extents(each.receptive_field)}")
        for each in table.totals
    ]
    field = METRICS["receptive_field"]
    counts = (
        _counted("params", [each.params for each in table.totals]),
        _counted("macs", [each.macs for each in table.totals]),
    )
    return (*counts, TotalsRow(field.title, field.heading, "", tuple(fields))) if any(fields) else counts


def _counted(name: str, numbers: Sequence[int]) -> TotalsRow:
    scale, metric = common_scale(numbers), METRICS[name]
    return TotalsRow(_NAMES[name], metric.heading, scale.unit, tuple(map(scale.show, numbers)), tuple(numbers))
