"""A table of peaks over batch sizes and types: `cnndsl fit` with several of them."""

from __future__ import annotations

import json

from cnndsl.analysis.fit import FitTable
from cnndsl.analysis.headroom import Capacity
from cnndsl.analysis.lifetimes import Dtype
from cnndsl.analysis.memory import Optimizer
from cnndsl.report.data_formats import Json
from cnndsl.report.fit import ESTIMATE, FitReport, as_dict, capacity_terms, heading
from cnndsl.report.number_format import exact, sized
from cnndsl.report.summary import aligned
from cnndsl.report.table import in_columns

_TOO_MUCH = "*"


def as_table(table: FitTable, capacity: Capacity, optimizer: Optimizer | None) -> str:
    """Return a row for each batch with the peak of each type, with a star if it does not fit; then the largest
    batches."""
    graph = next(iter(table.fits.values())).graph
    rows = [["batch", *(f"{dtype} " for dtype in table.fits)]]
    for at, batch in enumerate(table.batches):
        rows.append([exact(batch), *(_cell(peaks[at], capacity) for peaks in table.peaks.values())])
    rows.append(["largest batch", *(f"{exact(fitted.batch)} " for fitted in table.fits.values())])
    too_much = any(peak > capacity.limit for peaks in table.peaks.values() for peak in peaks)
    pairs = [*capacity_terms(capacity), *[(_TOO_MUCH, "does not fit")] * too_much, *ESTIMATE]
    lines = [heading(graph, optimizer, " and ".join(table.fits)), "", *in_columns(rows), "", *aligned(pairs)]
    return "\n".join(lines)


def _cell(size: int, capacity: Capacity) -> str:
    return f"{sized(size, capacity.binary)}{_TOO_MUCH if size > capacity.limit else ' '}"


def as_json(table: FitTable, capacity: Capacity, optimizer: Optimizer | None) -> str:
    """Return the answer for the first type, with the table beside it; see docs/json.md."""
    dtype, fitted = next(iter(table.fits.items()))
    data = as_dict(FitReport(fitted, capacity, dtype, optimizer), timeline=False)
    data["table"] = [_column(table, each, capacity) for each in table.fits]
    return json.dumps(data, indent=2)


def _column(table: FitTable, dtype: Dtype, capacity: Capacity) -> dict[str, Json]:
    rows: list[Json] = [
        {"batch": batch, "peak_bytes": peak, "fits": peak <= capacity.limit}
        for batch, peak in zip(table.batches, table.peaks[dtype], strict=True)
    ]
    return {"dtype": dtype, "largest_batch": table.fits[dtype].batch, "batches": rows}
