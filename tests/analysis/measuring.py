"""What PyTorch really does, measured on live modules: bytes that autograd keeps, peaks, supports of gradients."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.distributed._tools.mem_tracker import MemTracker
from torch.nn import functional

from cnndsl.graph import Graph
from cnndsl.runtime.live import module


def live(graph: Graph, images: int, device: str = "meta") -> tuple[nn.Module, *tuple[Tensor, ...]]:
    """The emitted module and a batch for each input, by default without storage behind them: only sizes are counted."""
    with torch.device(device):
        return module(graph), *(torch.zeros(images, x.shape.channels, *x.shape.spatial) for x in graph.inputs)


def classes(outputs: object) -> list[tuple[Tensor, Tensor]]:
    """Each output with a class for each image, or each pixel: 0."""
    outputs = tuple(outputs.values()) if isinstance(outputs, dict) else outputs
    each = list(outputs) if isinstance(outputs, tuple) else [outputs]
    return [
        (output, output.new_zeros(output.shape[:1] + output.shape[2:], dtype=torch.int64))
        for output in each
        if isinstance(output, Tensor)
    ]


def loss(pairs: list[tuple[Tensor, Tensor]]) -> Tensor:
    """A cross-entropy on every output, added up."""
    each = [functional.cross_entropy(output, target) for output, target in pairs]
    return each[0] if len(each) == 1 else torch.stack(each).sum()


def saved_bytes(network: nn.Module, *x: Tensor, autocast: bool = False) -> int:
    """The bytes of the distinct storages that autograd holds after the forward pass with a cross-entropy on each
    output, without parameters and buffers."""
    own = {each.untyped_storage()._cdata for each in (*network.parameters(), *network.buffers())}
    kept: dict[int, int] = {}
    alive: list[Tensor] = []

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            kept[storage._cdata] = storage.nbytes()
            alive.append(tensor)
        return tensor

    network.train()
    with saved_tensors_hooks(pack, lambda tensor: tensor), torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        loss(classes(network(*x)))
    return sum(kept.values())


def peak_bytes(network: nn.Module, *x: Tensor, training: bool) -> int:
    """The most bytes alive at once, parameters, buffers and the batch included."""
    network.train(training)
    tracker = MemTracker()
    tracker.track_external(network, *x)
    with tracker:
        if training:
            pairs = classes(network(*x))
            loss(pairs).backward()
        else:
            with torch.no_grad():
                network(*x)
    (snapshot,) = tracker.get_tracker_snapshot("peak").values()
    return snapshot["Total"]


OPAQUE = (
    nn.Dropout,
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    nn.LocalResponseNorm,
    nn.ReLU,
    nn.ReLU6,
    nn.Hardswish,
    nn.Hardsigmoid,
    nn.Sigmoid,
    nn.SiLU,
)
"""Modules that do not change what a value depends on, but may hide it."""


class _Copy(nn.Module):
    """Gives back its input in memory of its own: what is emitted may write over what a layer gives."""

    def forward(self, x: Tensor) -> Tensor:
        return x.clone()


def make_transparent(network: nn.Module) -> None:
    """Makes every value of the input count: positive weights, averages for maxima, nothing cut off or normalised."""
    for name, child in list(network.named_children()):
        make_transparent(child)
        if isinstance(child, nn.MaxPool1d | nn.MaxPool2d | nn.MaxPool3d):
            average = getattr(nn, type(child).__name__.replace("Max", "Avg"))
            setattr(network, name, average(child.kernel_size, child.stride, child.padding, child.ceil_mode))
        elif isinstance(child, OPAQUE):
            setattr(network, name, _Copy())
    for parameter in network.parameters(recurse=False):
        nn.init.constant_(parameter, 1e-2)


def support(x: Tensor, value: Tensor) -> tuple[tuple[int, int], ...]:
    """The first and last position on each axis of the input that a value depends on."""
    (gradient,) = torch.autograd.grad(value, x, retain_graph=True)
    where = gradient[0].sum(0).nonzero()
    return tuple(zip(where.min(0).values.tolist(), where.max(0).values.tolist(), strict=True))
