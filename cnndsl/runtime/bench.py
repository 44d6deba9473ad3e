"""Time a network's forward pass or a training step on an available device.

This module runs torch. The memory prediction and operation count that it is compared with come from `analysis`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import field
from statistics import median
from typing import TYPE_CHECKING, Literal, TypeAlias

from cnndsl.analysis.cards import Card
from cnndsl.analysis.cost import costs
from cnndsl.analysis.lifetimes import Dtype, Lifetimes
from cnndsl.analysis.memory import Memory, inference, training
from cnndsl.analysis.roofline import traffic
from cnndsl.emit.torch.execution import executions
from cnndsl.graph import Graph
from cnndsl.records import record
from cnndsl.runtime.devices import peak

if TYPE_CHECKING:
    import torch
    from torch import nn

Images: TypeAlias = "tuple[torch.Tensor, ...]"
"""A batch of images for each input."""
WARM_UPS = 3
"""Untimed runs before the first timed one; a compiled module is compiled in them."""


@record(slots=True)
class BenchPlan:
    """What to time; `runs` is the number of timed runs."""

    batch: int = 1
    dtype: Dtype = "fp32"
    device: str = "cpu"
    training: bool = False
    channels_last: bool = False
    compiled: bool = False
    runs: int = 10


@record
class Timing:
    """The seconds of each run and related measurements. Bytes are None if the device does not report them."""

    plan: BenchPlan
    device: str
    seconds: tuple[float, ...] = field(repr=False)
    measured_bytes: int | None
    predicted_bytes: int
    flops: int
    moved_bytes: int

    @property
    def median(self) -> float:
        """The median of the runs, in seconds."""
        return median(self.seconds)

    @property
    def images_per_second(self) -> float:
        """Return the throughput, from the median time."""
        return self.plan.batch / self.median

    @property
    def flops_per_second(self) -> float:
        """Return operations of convolutions and matrix products per second; a multiply-add counts as two."""
        return self.flops / self.median

    @property
    def bytes_per_second(self) -> float:
        """Return the least memory traffic per second: each layer reads its inputs and weights and writes its output."""
        return self.moved_bytes / self.median

    @property
    def peak(self) -> Card | None:
        """The peak performance of the device; None if it is unknown."""
        return peak(self.device)


def bench(graph: Graph, plan: BenchPlan) -> Timing:
    """Time a network.

    Raises ImportError if torch is not installed, RuntimeError if the device is missing or has too little memory.
    """
    import torch

    from cnndsl.runtime.live import module

    device = torch.device(plan.device)
    network = module(graph).to(device)
    network.train(plan.training)
    if plan.dtype in ("fp16", "bf16"):
        network.to(_type(plan.dtype))
    shapes = [node.shape for node in graph.inputs]
    images = tuple(torch.randn(plan.batch, each.channels, *each.spatial, device=device) for each in shapes)
    if plan.dtype in ("fp16", "bf16"):
        images = tuple(each.to(_type(plan.dtype)) for each in images)
    if plan.channels_last:
        network, images = _channels_last(network, images, graph)
    # torch.compile returns a module for a module, but is typed as returning a function, with untyped options.
    runner: nn.Module = torch.compile(network) if plan.compiled else network  # pyright: ignore[reportAssignmentType, reportUnknownMemberType]  # a module stays one
    run = _step(runner, images, plan) if plan.training else _forward(runner, images, plan)
    for _ in range(WARM_UPS):
        run()
    measured = _measured(run, device, None if plan.compiled else (network, images))
    memory = _memory(graph, plan, device)
    return Timing(
        plan,
        _name(device),
        _seconds(run, device, plan.runs),
        measured,
        memory.peak(plan.batch, rounded=device.type == "cuda").bytes,
        _flops(graph, plan),
        _moved(graph, plan),
    )


def _memory(graph: Graph, plan: BenchPlan, device: torch.device) -> Memory:
    """Return the predicted memory of the step."""
    runs = executions(graph)
    if plan.training:
        return training(graph, plan.dtype, "sgd", _kind(device), executions=runs)
    return inference(graph, plan.dtype, executions=runs)


def _type(dtype: Dtype) -> torch.dtype:
    import torch

    return {"fp16": torch.float16, "bf16": torch.bfloat16}[dtype]


def _kind(device: torch.device) -> Literal["cpu", "cuda"]:
    return "cuda" if device.type == "cuda" else "cpu"


def _channels_last(network: nn.Module, images: Images, graph: Graph) -> tuple[nn.Module, Images]:
    import torch

    layouts = {2: torch.channels_last, 3: torch.channels_last_3d}
    laid_out = list(images)
    for at, node in enumerate(graph.inputs):
        layout = layouts.get(node.shape.rank)
        if layout is not None:
            network.to(memory_format=layout)  # pyright: ignore[reportCallIssue]  # no overload has a layout alone
            laid_out[at] = laid_out[at].to(memory_format=layout)
    return network, tuple(laid_out)


def _cast(plan: BenchPlan) -> AbstractContextManager[object]:
    import torch

    if plan.dtype != "amp":
        return nullcontext()
    return torch.autocast(torch.device(plan.device).type, torch.bfloat16)


def _forward(network: nn.Module, images: Images, plan: BenchPlan) -> Callable[[], object]:
    import torch

    def run() -> object:
        with torch.inference_mode(), _cast(plan):
            return network(*images)

    return run


def _step(network: nn.Module, images: Images, plan: BenchPlan) -> Callable[[], object]:
    """Return a step of SGD with a cross-entropy on every output; every target class is 0."""
    import torch

    optimizer = torch.optim.SGD(network.parameters(), lr=1e-6)

    def run() -> object:
        optimizer.zero_grad()
        with _cast(plan):
            loss = _loss(network(*images))
        torch.autograd.backward(loss)
        optimizer.step()  # pyright: ignore[reportUnknownMemberType]  # its optional closure has no type
        return None

    return run


def _loss(given: torch.Tensor | tuple[torch.Tensor, ...]) -> torch.Tensor:
    import torch
    from torch.nn.functional import cross_entropy

    outputs = given if isinstance(given, tuple) else (given,)
    losses = [
        cross_entropy(each, torch.zeros(each.shape[:1] + each.shape[2:], dtype=torch.int64, device=each.device))
        for each in outputs
    ]
    return losses[0] if len(losses) == 1 else torch.stack(losses).sum()


def _seconds(run: Callable[[], object], device: torch.device, runs: int) -> tuple[float, ...]:
    """Return the time of each run in seconds: from GPU events, or else from the clock."""
    if device.type == "cuda":
        return tuple(_by_events(run) for _ in range(runs))
    return tuple(_by_clock(run, device) for _ in range(runs))


def _by_events(run: Callable[[], object]) -> float:
    import torch

    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    run()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / 1000


def _by_clock(run: Callable[[], object], device: torch.device) -> float:
    from time import perf_counter

    import torch

    start = perf_counter()
    run()
    if device.type == "mps":
        torch.mps.synchronize()
    return perf_counter() - start


def _measured(run: Callable[[], object], device: torch.device, tracked: tuple[nn.Module, Images] | None) -> int | None:
    """Return the peak memory allocated during a run, in bytes; None if the device does not report it.

    On the CPU, PyTorch's own tracker measures it, which cannot look into a compiled module.
    """
    import torch

    if device.type == "cpu" and tracked is not None:
        return _tracked(run, *tracked)
    if device.type != "cuda":
        return None
    torch.cuda.synchronize(device)
    torch.cuda.reset_peak_memory_stats(device)
    run()
    torch.cuda.synchronize(device)
    return torch.cuda.max_memory_allocated(device)


def _tracked(run: Callable[[], object], network: nn.Module, images: Images) -> int | None:
    try:
        from torch.distributed._tools.mem_tracker import MemTracker
    except ImportError:
        return None
    tracker = MemTracker()
    tracker.track_external(network, *images)
    with tracker:
        run()
    (snapshot,) = tracker.get_tracker_snapshot("peak").values()
    return snapshot["Total"]


def _name(device: torch.device) -> str:
    import platform

    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}, {platform.machine()}, {torch.get_num_threads()} threads"


def _flops(graph: Graph, plan: BenchPlan) -> int:
    """Return the operations forward, plus twice as many backward: a gradient for the inputs and one for the weights."""
    macs = sum(
        cost.macs
        for node, cost in zip(graph.nodes, costs(graph).values(), strict=True)
        if _runs(node.training_only, plan)
    )
    return 2 * macs * plan.batch * (3 if plan.training else 1)


def _moved(graph: Graph, plan: BenchPlan) -> int:
    moved = traffic(Lifetimes(graph, plan.training, plan.dtype, "cuda"), plan.batch)
    return sum(moved.values()) * (3 if plan.training else 1)


def _runs(training_only: bool, plan: BenchPlan) -> bool:
    return plan.training or not training_only
