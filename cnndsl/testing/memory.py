"""Measure the memory that a live module of a network needs on the CPU, and compare it with the predicted metrics.

Values saved for the backward pass are counted by `saved_tensors_hooks`, each storage once; the most bytes alive at once
by PyTorch's MemTracker. The numbers come from PyTorch alone: nothing here reads a layer type.
"""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from cnndsl.analysis.memory import inference, training
from cnndsl.emit.torch.execution import executions
from cnndsl.graph import Graph
from cnndsl.network import loads

if TYPE_CHECKING:
    import torch
    from torch import nn

OutputClasses: TypeAlias = "list[torch.Tensor | None]"
"""The classes with which each output is compared; None for an output without a gradient."""
MeasuredType: TypeAlias = Literal["fp32", "bf16", "amp"]
DTYPES: tuple[MeasuredType, ...] = ("fp32", "bf16", "amp")
NEAR = 0.02
"""The largest relative difference between a predicted peak and the measured one."""


@dataclass(frozen=True, slots=True)
class MeasuredMemory:
    """Bytes of a module and a batch: `saved` for the backward pass, the peaks of both modes, and the memory before the
    step.

    `fixed` are parameters and buffers, which the peaks contain.
    """

    saved: int
    inference: int
    training: int
    fixed: int


def memory_differences(
    text: str, settings: Mapping[str, object] | None = None, batch: int = 4, dtypes: tuple[MeasuredType, ...] = DTYPES
) -> list[str]:
    """List the differences between the memory of a program's module and the prediction, as `saved/bf16: 5 of 6`.

    Saved memory must agree to the byte, a peak within 2% of the measured memory besides parameters and buffers. Raises
    CnnError if the program is invalid, RuntimeError and ValueError if its module does not run on the batch.
    """
    graph = loads(text, **(settings or {})).graph
    runs = executions(graph)
    found: list[str] = []
    for dtype in dtypes:
        try:
            measured = measure(graph, batch, dtype)
        except NotImplementedError:  # PyTorch's CPU has no such kernel, as for a 3-D mean in bf16
            continue
        train = training(graph, dtype, tracked=True, executions=runs)
        use = inference(graph, dtype, executions=runs)
        if train.saved(batch) != measured.saved:
            found.append(f"saved/{dtype}: {train.saved(batch)} of {measured.saved}")
        peaks = (("inference", use, measured.inference), ("training", train, measured.training))
        for name, memory, peak in peaks:
            predicted, wanted = memory.peak(batch).bytes - measured.fixed, peak - measured.fixed
            if abs(predicted - wanted) > NEAR * wanted:
                found.append(f"{name}/{dtype}: {predicted} of {wanted}")
    return found


def measure(graph: Graph, batch: int, dtype: MeasuredType) -> MeasuredMemory:
    """Measure the emitted module of a graph with a batch of random images."""
    import torch

    from cnndsl.runtime.live import module

    network = module(graph)
    return measure_module(
        network, [torch.randn(batch, n.shape.channels, *n.shape.spatial) for n in graph.inputs], dtype
    )


def measure_module(network: nn.Module, images: list[torch.Tensor], dtype: MeasuredType) -> MeasuredMemory:
    """Measure a module: its parameters and the images are cast for `bf16`, its operations for `amp`."""
    network = _frozen_as_buffers(network)
    if dtype == "bf16":
        network, images = deepcopy(network).bfloat16(), [each.bfloat16() for each in images]
    with _without_warnings():
        network.train()
        classes = _classes(network, images, dtype)
        saved = _saved(network, images, classes, dtype)
        trained = _peak(network, images, classes, dtype)
        network.eval()
        network.zero_grad()
        used = _peak(network, images, None, dtype)
    fixed = sum(each.untyped_storage().nbytes() for each in (*network.parameters(), *network.buffers()))
    return MeasuredMemory(saved, used, trained, fixed)


def _frozen_as_buffers(network: nn.Module) -> nn.Module:
    """Return the network with its frozen parameters as buffers, since the tracker cannot have hooks on them; in a
    copy."""
    if all(each.requires_grad for each in network.parameters()):
        return network
    network = deepcopy(network)
    for module in network.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            if not parameter.requires_grad:
                delattr(module, name)
                module.register_buffer(name, parameter.detach())
    return network


@contextmanager
def _without_warnings() -> Generator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Using padding='same'")
        warnings.filterwarnings("ignore", "dropout2d: Received")
        yield


def _saved(network: nn.Module, images: list[torch.Tensor], classes: OutputClasses, dtype: MeasuredType) -> int:
    """Return the bytes of the distinct storages that autograd holds after the forward pass and the loss, without
    parameters and buffers."""
    from torch.autograd.graph import saved_tensors_hooks

    own = {each.untyped_storage().data_ptr() for each in (*network.parameters(), *network.buffers())}
    kept: dict[int, int] = {}
    alive: list[torch.Tensor] = []

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.nbytes() and storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor), _autocast(dtype):
        _loss(network(*images), classes)
    return sum(kept.values())


def _autocast(dtype: MeasuredType) -> torch.autocast:
    import torch

    return torch.autocast("cpu", torch.bfloat16, enabled=dtype == "amp")


def _peak(network: nn.Module, images: list[torch.Tensor], classes: OutputClasses | None, dtype: MeasuredType) -> int:
    """Return the most bytes alive at once in a training step; without classes, at inference."""
    import torch
    from torch.distributed._tools.mem_tracker import MemTracker

    tracker = MemTracker()
    tracker.track_external(network, *images, *(each for each in classes or () if each is not None))
    with tracker:
        if classes is None:
            with torch.no_grad(), _autocast(dtype):
                network(*images)
        else:
            with _autocast(dtype):
                outputs = network(*images)  # the caller of a network keeps its outputs
                loss = _loss(outputs, classes)
            if loss is not None:
                torch.autograd.backward(loss)
    (snapshot,) = tracker.get_tracker_snapshot("peak").values()
    return snapshot["Total"]


def _classes(network: nn.Module, images: list[torch.Tensor], dtype: MeasuredType) -> OutputClasses:
    """Return the class 0 for every image or position of each output that has a gradient."""
    import torch

    with _autocast(dtype):
        outputs = _outputs(network(*images))
    return [
        each.new_zeros(each.shape[:1] + each.shape[2:], dtype=torch.int64) if each.requires_grad else None
        for each in outputs
    ]


def _outputs(given: object) -> list[torch.Tensor]:
    """Return the outputs of a network: one, or a tuple of them, of which those of the other mode are None."""
    import torch

    each: Iterable[object] = cast("tuple[object, ...]", given) if isinstance(given, tuple) else (given,)
    return [output for output in each if isinstance(output, torch.Tensor)]


def _loss(given: object, classes: OutputClasses) -> torch.Tensor | None:
    """Return the sum of a cross-entropy on each output that is trained; None if none is."""
    import torch
    from torch.nn.functional import cross_entropy

    pairs = zip(_outputs(given), classes, strict=True)
    losses = [cross_entropy(output, target) for output, target in pairs if target is not None]
    return torch.stack(losses).sum() if len(losses) > 1 else losses[0] if losses else None
