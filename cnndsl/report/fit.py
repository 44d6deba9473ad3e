"""How large a batch fits, in words and as data: `cnndsl fit`."""

from __future__ import annotations

import json

from cnndsl.analysis.fit import Fit
from cnndsl.analysis.lifetimes import Dtype
from cnndsl.analysis.memory import Optimizer
from cnndsl.analysis.memory_trace import MemorySample
from cnndsl.graph import Graph
from cnndsl.report.data_formats import Json
from cnndsl.report.number_format import exact, human, memory
from cnndsl.report.summary import aligned, graph_title, place

FORMATS = ("table", "json")


def as_table(fitted: Fit, dtype: Dtype, optimizer: Optimizer | None) -> str:
    """The largest batch, where memory peaks with it, what of that is there whatever the batch."""
    needed = fitted.memory
    fixed = {
        "parameters": needed.parameters,
        "buffers": needed.buffers,
        "gradients": needed.gradients,
        f"state of {optimizer}": needed.optimizer,
    }
    use = f"trained with {optimizer}" if optimizer else "in use"
    pairs = [
        ("largest batch", _batch(fitted)),
        ("peak", f"{_fine(fitted.peak.bytes)}, {place(fitted.graph, fitted.peak)}"),
        ("of it fixed", ", ".join(f"{memory(size)} {name}" for name, size in fixed.items() if size) or "nothing"),
        ("one more", f"{_fine(needed.peak(fitted.batch + 1, rounded=True).bytes)}"),
        ("estimate", "of CUDA's caching allocator, blocks of 512 bytes"),
        ("not modelled", "workspaces of cuDNN, fragmentation, the CUDA context: leave room for them"),
    ]
    if not fitted.batch:
        del pairs[3]
    return "\n".join([f"{graph_title(fitted.graph)}, {use}, {dtype}, on a GPU", "", *aligned(pairs)])


def _fine(size: int) -> str:
    """A size with more digits than elsewhere: that of one batch and of the next are close to each other."""
    return f"{human(size, 5)}B"


def _batch(fitted: Fit) -> str:
    if not fitted.batch:
        return f"none: not even one image fits into {memory(fitted.available)}"
    images = "1 image" if fitted.batch == 1 else f"{exact(fitted.batch)} images"
    return f"{images} in {memory(fitted.available)}"


def as_json(fitted: Fit, dtype: Dtype, optimizer: Optimizer | None, timeline: bool) -> str:
    """The same as data, with each event of the step where that is wanted; see docs/json.md."""
    needed = fitted.memory
    data: dict[str, Json] = {
        "net": fitted.graph.title,
        "training": optimizer is not None,
        "dtype": dtype,
        "optimizer": optimizer,
        "available_bytes": fitted.available,
        "batch": fitted.batch,
        "peak": _event(fitted.graph, fitted.peak),
        "parameters": needed.parameters,
        "buffers": needed.buffers,
        "gradients": needed.gradients,
        "optimizer_state": needed.optimizer,
        "estimate_of": "CUDA's caching allocator",
    }
    if timeline:
        levels = needed.timeline(max(fitted.batch, 1), rounded=True)
        data["timeline"] = [_event(fitted.graph, level) for level in levels]
    return json.dumps(data, indent=2)


def _event(graph: Graph, level: MemorySample) -> dict[str, Json]:
    return {"phase": level.phase, "path": graph.nodes[level.node].path, "bytes": level.bytes}
