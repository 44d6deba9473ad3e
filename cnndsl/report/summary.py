"""The totals of a network as text, above and below every table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cnndsl.report.columns import extents
from cnndsl.report.number_format import duration, exact, human, images, memory

if TYPE_CHECKING:
    from cnndsl.analysis.layer_memory import LayerMemory
    from cnndsl.analysis.memory import Memory, Optimizer
    from cnndsl.analysis.memory_trace import MemorySample
    from cnndsl.analysis.roofline import Roofline
    from cnndsl.graph import Graph
    from cnndsl.report.memory import BatchSetup, MemoryReport
    from cnndsl.report.metrics import Metrics, Totals

DEVICES = {"cpu": "CPU", "cuda": "GPU"}

NOT_MEASURED = ("not measured", "values for a GPU; they are derived")
"""The remark on values that follow from PyTorch's formulas and data sheets and that no test has measured."""


def title(stats: Metrics) -> str:
    """Return the network's name and its settings."""
    return graph_title(stats.graph)


def graph_title(graph: Graph) -> str:
    """Return the name and the settings of a graph."""
    from cnndsl.values import show_setting

    settings = ", ".join(f"{name}={show_setting(value)}" for name, value in graph.settings.items())
    return f"{graph.title} ({settings})" if settings else graph.title


def summary(stats: Metrics) -> list[str]:
    """Return the totals, each with its unit, aligned."""
    return aligned(terms(stats))


def aligned(pairs: list[tuple[str, str]]) -> list[str]:
    """Return a line for each name and text.

    >>> aligned([("depth", "16"), ("memory", "61MB")])
    ['depth   16', 'memory  61MB']
    """
    widest = max((len(name) for name, _ in pairs), default=0)
    return [f"{name:<{widest}}  {text}" for name, text in pairs]


def terms(stats: Metrics) -> list[tuple[str, str]]:
    """Return the totals, each with its unit."""
    totals = stats.totals
    pairs = [("parameters", f"{exact(totals.params)} ({exact(totals.weights)} weights)")]
    if totals.trainable != totals.params:
        pairs.append(("trainable", f"{exact(totals.trainable)}; {exact(totals.params - totals.trainable)} frozen"))
    if totals.buffers:
        pairs.append(("buffers", _buffers(totals)))
    pairs += [
        ("multiply-adds", "; ".join(_forward(stats, "macs", "flops"))),
        ("operations", "; ".join(_forward(stats, "operations"))),
        ("activations", "; ".join(_forward(stats, "activations"))),
        *([] if stats.memory else [("memory", _one_image(stats.step))]),
        ("receptive field", _field(stats)),
        ("depth", f"{totals.depth} weight layers" if totals.depth != 1 else "1 weight layer"),
    ]
    graph = stats.graph
    if graph.output_name:
        named = zip((graph.output_name, *(each.name for each in graph.taps)), graph.main_outputs, strict=False)
        pairs.append(("outputs", ", ".join(f"{name} {graph.nodes[at].shape}" for name, at in named)))
    pairs += _memory_terms(stats, stats.memory) if stats.memory else []
    pairs += _time_terms(stats.roofline) if stats.roofline else []
    return pairs + (_not_measured(stats.memory) if stats.memory or stats.roofline else [])


def _not_measured(needed: MemoryReport | None) -> list[tuple[str, str]]:
    if needed is None or needed.plan.is_measured or needed.plan.device == "cuda":
        return [NOT_MEASURED]
    return [(NOT_MEASURED[0], f"values for a GPU and for {needed.plan.dtype}; they are derived")]


def _forward(stats: Metrics, name: str, inner: str = "") -> Iterator[str]:
    """Yield a count for a forward pass, and the one in training if some layers exist in training only."""
    both = [(stats.totals, "per image"), (stats.totals_in_training, "in training")]
    for totals, when in both[: 2 if stats.has_training_only else 1]:
        more = f" ({human(getattr(totals, inner))} {inner})" if inner else ""
        yield f"{human(getattr(totals, name))} {when}{more}"


def _buffers(totals: Totals) -> str:
    """Return the elements of buffers and, as in published totals, of parameters and buffers together."""
    counters = totals.buffers - totals.buffer_values
    counted = f" and {exact(counters)} batch counter{'s' * (counters != 1)}" if counters else ""
    values = f"{exact(totals.buffer_values)} value{'s' * (totals.buffer_values != 1)}"
    return f"{values}{counted}; {exact(totals.params + totals.buffer_values)} values with the parameters"


def _one_image(step: LayerMemory) -> str:
    """Return the exact peaks of one image."""
    return f"{memory(step.inference)} at inference, {memory(step.training)} in training: 1 image in fp32, SGD, on a CPU"


def _field(stats: Metrics) -> str:
    seen = stats.totals.receptive_field
    planes = {row.node.shape.spatial for row in stats.inputs if row.node.shape.rank}
    if not seen:
        several = f"the inputs have {'unlike' if len(planes) > 1 else 'no spatial'} axes"
        return f"none, {several}" if stats.further_inputs else "none, the input has no spatial axes"
    size = f"at most {extents(seen)}" if stats.totals.receptive_field_at_most else extents(seen)
    if len(planes) > 1:
        return f"{size}, the largest over the inputs, at the last map"
    return f"{size} of {extents(planes.pop())}, at the last map"


def _memory_terms(stats: Metrics, needed: MemoryReport) -> list[tuple[str, str]]:
    estimates = f"{memory(needed.inference_estimate)} at inference, {memory(needed.training_estimate)} in training"
    return [
        ("a batch", step_name(needed.plan)),
        ("peak at inference", f"{memory(needed.inference.bytes)}, {place(stats.graph, needed.inference)}"),
        ("saved for backward", f"{memory(needed.saved)}, the batch and the loss's share included"),
        ("peak in training", f"{memory(needed.training.bytes)}, {place(stats.graph, needed.training)}"),
        fixed_term(needed, needed.plan.optimizer, memory),
        ("on a GPU", f"{estimates}: an estimate of CUDA's caching allocator, blocks of 512 bytes"),
        ("not modelled", "workspaces of cuDNN and oneDNN, fragmentation, the CUDA context"),
    ]


def fixed_term(
    needed: Memory | MemoryReport, optimizer: Optimizer | None, written: Callable[[int], str]
) -> tuple[str, str]:
    """Return the memory that does not depend on the batch; `written` formats a size."""
    fixed = {
        "parameters": needed.parameters,
        "buffers": needed.buffers,
        "gradients": needed.gradients,
        f"state of {optimizer}": needed.optimizer,
    }
    return "fixed", ", ".join(f"{written(size)} {name}" for name, size in fixed.items() if size) or "nothing"


def _time_terms(found: Roofline) -> list[tuple[str, str]]:
    card, sums = found.card, found.total
    parts = f"{duration(sums.arithmetic)} bound by arithmetic, {duration(sums.bandwidth)} by bandwidth"
    peaks = f"{human(round(card.peak(found.dtype)), 4)}flop/s, {human(round(card.bandwidth), 4)}B/s"
    return [
        ("least time", f"{duration(sums.seconds)} for {images(found.batch)} in {found.dtype} on {card.name}: {parts}"),
        ("peaks", f"{peaks}; {card.source}"),
        ("lower bound", "a forward pass, layer after layer, at the card's peaks; kernel launches come on top"),
    ]


def step_name(plan: BatchSetup) -> str:
    """Return the conditions for which a memory value holds."""
    return f"{images(plan.batch)} in {plan.dtype}, trained with {plan.optimizer}, on a {DEVICES[plan.device]}"


def place(graph: Graph, level: MemorySample) -> str:
    """Return where in a step something happens: `forward at conv1`."""
    if level.phase == "update":
        return "in the optimizer's update"
    path = graph.nodes[level.node].path or "the input"
    return {
        "start": "before the forward pass",
        "forward": f"forward at {path}",
        "loss": f"at the loss of {path}",
        "backward": f"backward at {path}",
    }[level.phase]
