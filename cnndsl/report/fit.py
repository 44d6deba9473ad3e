"""Format the answer of `cnndsl fit` as text and data."""

from __future__ import annotations

import json

from cnndsl.analysis.fit import Accumulation, Fit, accumulation, batch_statistics
from cnndsl.analysis.headroom import Capacity
from cnndsl.analysis.lifetimes import Dtype
from cnndsl.analysis.memory import Optimizer
from cnndsl.analysis.memory_trace import MemorySample
from cnndsl.graph import Graph
from cnndsl.records import record
from cnndsl.report.data_formats import Json
from cnndsl.report.number_format import exact, images, sized
from cnndsl.report.summary import NOT_MEASURED, aligned, fixed_term, graph_title, place

FORMATS = ("table", "json")


@record
class FitReport:
    """The answer of `cnndsl fit`. `optimizer` is None at inference; `wanted` is the batch of `--batch`, 0 if there is
    none."""

    fitted: Fit
    capacity: Capacity
    dtype: Dtype
    optimizer: Optimizer | None
    wanted: int = 0

    @property
    def fits(self) -> bool:
        """Return whether the requested batch fits at once; without one, whether one image does."""
        return self.fitted.batch >= max(self.wanted, 1)

    @property
    def micro_batches(self) -> Accumulation | None:
        """Return how training splits a batch that does not fit; None if it fits, or nothing does."""
        return accumulation(self.fitted, self.wanted) if self.optimizer and self.wanted and not self.fits else None

    def size(self, size: int, digits: int = 3) -> str:
        """Return a size in the unit in which the memory was given."""
        return sized(size, self.capacity.binary, digits)


def as_table(report: FitReport) -> str:
    """Return the largest batch, where its memory peaks, and the part that does not depend on the batch."""
    fitted, capacity = report.fitted, report.capacity
    needed = fitted.memory
    more = needed.peak(fitted.batch + 1, rounded=True).bytes
    digits = _digits(report, fitted.peak.bytes, more)
    pairs = [
        *capacity_terms(capacity),
        ("largest batch", _batch(report)),
        (
            "peak" if fitted.batch else "one image",
            f"{report.size(fitted.peak.bytes, digits)}, {place(fitted.graph, fitted.peak)}",
        ),
        fixed_term(needed, report.optimizer, report.size),
        ("one more", report.size(more, digits)),
        *_wanted_terms(report),
        *ESTIMATE,
    ]
    pairs = [pair for pair in pairs if fitted.batch or pair[0] != "one more"]
    return "\n".join([heading(fitted.graph, report.optimizer, report.dtype), "", *aligned(pairs)])


ESTIMATE = (
    ("estimate", "of CUDA's caching allocator, blocks of 512 bytes"),
    ("not modelled", "fragmentation, and workspaces beyond the headroom"),
    NOT_MEASURED,
)
"""The remark on the origin of the values."""


def heading(graph: Graph, optimizer: Optimizer | None, dtypes: str) -> str:
    """Return the heading."""
    use = f"trained with {optimizer}" if optimizer else "at inference"
    return f"{graph_title(graph)}, {use}, {dtypes}, on a GPU"


def capacity_terms(capacity: Capacity) -> list[tuple[str, str]]:
    """Return the available memory, and the part of it that tensors cannot use."""

    def size(number: int) -> str:
        return sized(number, capacity.binary)

    name = f"{capacity.name}, {size(capacity.total)}" if capacity.card else capacity.name
    shares = ", ".join(f"{size(share)} {what}" for what, share in capacity.shares.items())
    headroom = f"{size(capacity.headroom)}{': ' if shares else ''}{shares}; --headroom sets it"
    pairs = [("memory", f"{name}; {size(capacity.limit)} of it for tensors"), ("headroom", headroom)]
    return [*pairs, ("source", capacity.card.source)] if capacity.card else pairs


def _digits(report: FitReport, peak: int, more: int) -> int:
    """Return the number of digits with which the peak of the largest batch differs from that of one image more."""
    few, many = 5, 12
    return next((each for each in range(few, many) if report.size(peak, each) != report.size(more, each)), few)


def _batch(report: FitReport) -> str:
    fitted, capacity = report.fitted, report.capacity
    if not capacity.limit:
        return f"none: the headroom takes all of {capacity.name}"
    if not fitted.batch:
        return f"none: not even one image fits into {report.size(capacity.limit)}"
    return f"{images(fitted.batch)} in {report.size(capacity.limit)}"


def _wanted_terms(report: FitReport) -> list[tuple[str, str]]:
    """Return whether the requested batch fits, and how training can split it if it does not."""
    if not report.wanted:
        return []
    needed = report.fitted.memory.peak(report.wanted, rounded=True)
    text = f"{'fits' if report.fits else 'does not fit at once'}: {report.size(needed.bytes, 5)}"
    pairs = [(f"a batch of {exact(report.wanted)}", f"{text}, {place(report.fitted.graph, needed)}")]
    taken = report.micro_batches
    if taken is None:
        return pairs
    equal = f"; in equal ones: {_times(taken.batch // taken.equal, taken.equal)}" if _has_equal(taken) else ""
    return [
        *pairs,
        ("micro-batch", f"at most {images(taken.largest)} beside the gradients that add up"),
        ("accumulation", f"{exact(taken.steps)} micro-batches: {_split(taken)}{equal}"),
        ("its peak", f"{report.size(taken.peak.bytes, 5)}, {place(report.fitted.graph, taken.peak)}"),
        *_statistics_terms(report.fitted.graph, taken),
    ]


def _has_equal(taken: Accumulation) -> bool:
    return taken.equal > 0 and taken.last != taken.micro_batch


def _times(count: int, size: int) -> str:
    return f"{exact(count)} of {exact(size)}"


def _split(taken: Accumulation) -> str:
    if taken.last == taken.micro_batch:
        return _times(taken.steps, taken.micro_batch)
    return f"{_times(taken.steps - 1, taken.micro_batch)} and 1 of {exact(taken.last)}, each loss weighted by its share"


def _statistics_terms(graph: Graph, taken: Accumulation) -> list[tuple[str, str]]:
    count = batch_statistics(graph)
    if not count:
        return []
    norms = "1 layer" if count == 1 else f"{exact(count)} layers"
    seen = f"statistics of at most {images(taken.micro_batch)}, not of {exact(taken.batch)}"
    return [("batch norm", f"{norms} with {seen}; running averages move {exact(taken.steps)} times a step")]


def as_json(report: FitReport, timeline: bool) -> str:
    """Return the answer as JSON, with each event of the step if requested; see docs/json.md."""
    return json.dumps(as_dict(report, timeline), indent=2)


def as_dict(report: FitReport, timeline: bool) -> dict[str, Json]:
    """Return the answer as plain data."""
    fitted, capacity = report.fitted, report.capacity
    needed = fitted.memory
    data: dict[str, Json] = {
        "net": fitted.graph.title,
        "training": report.optimizer is not None,
        "dtype": report.dtype,
        "optimizer": report.optimizer,
        "memory": capacity.name,
        "available_bytes": capacity.total,
        "headroom_bytes": capacity.headroom,
        "headroom": dict(capacity.shares),
        "limit_bytes": capacity.limit,
        "source": capacity.card.source if capacity.card else None,
        "batch": fitted.batch,
        "peak": _event(fitted.graph, fitted.peak),
        "parameters": needed.parameters,
        "buffers": needed.buffers,
        "gradients": needed.gradients,
        "optimizer_state": needed.optimizer,
        "estimate_of": "CUDA's caching allocator",
        "measured": False,
    }
    if report.wanted:
        data["wanted"] = _wanted(report)
    if timeline:
        levels = needed.timeline(max(fitted.batch, 1), rounded=True)
        data["timeline"] = [_event(fitted.graph, level) for level in levels]
    return data


def _wanted(report: FitReport) -> dict[str, Json]:
    graph, taken = report.fitted.graph, report.micro_batches
    return {
        "batch": report.wanted,
        "fits": report.fits,
        "peak": _event(graph, report.fitted.memory.peak(report.wanted, rounded=True)),
        "accumulation": taken
        and {
            "largest_micro_batch": taken.largest,
            "steps": taken.steps,
            "micro_batch": taken.micro_batch,
            "last_micro_batch": taken.last,
            "equal_micro_batch": taken.equal or None,
            "peak": _event(graph, taken.peak),
            "layers_with_batch_statistics": batch_statistics(graph),
        },
    }


def _event(graph: Graph, level: MemorySample) -> dict[str, Json]:
    return {"phase": level.phase, "path": graph.nodes[level.node].path, "bytes": level.bytes}
