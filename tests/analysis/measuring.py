"""What PyTorch really does, measured on live modules: bytes that autograd keeps, peaks, supports of gradients."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.distributed._tools.mem_tracker import MemTracker
from torch.nn import functional


def batch(module_input: tuple[int, ...], images: int) -> Tensor:
    """Random images."""
    return torch.randn(images, *module_input, generator=torch.Generator().manual_seed(0))


def losses(outputs: object) -> Tensor:
    """The sum of a cross-entropy on every output; the classes are all 0."""
    each = list(outputs.values()) if isinstance(outputs, dict) else [outputs]
    sum = torch.zeros(())
    for output in each:
        assert isinstance(output, Tensor)
        target = torch.zeros(output.shape[:1] + output.shape[2:], dtype=torch.int64)
        sum = sum + functional.cross_entropy(output, target)
    return sum


def saved_bytes(module: nn.Module, x: Tensor) -> int:
    """The bytes of the distinct storages that autograd holds after the forward pass with a cross-entropy on each
    output, without parameters and buffers."""
    own = {each.untyped_storage().data_ptr() for each in (*module.parameters(), *module.buffers())}
    kept: dict[int, int] = {}
    alive: list[Tensor] = []

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        losses(module(x))
    return sum(kept.values())


def peak_bytes(module: nn.Module, x: Tensor, training: bool) -> int:
    """The most bytes alive at once, parameters, buffers and the batch included."""
    module.train(training)
    tracker = MemTracker()
    tracker.track_external(module, x)
    with tracker:
        if training:
            losses(module(x)).backward()
        else:
            with torch.no_grad():
                module(x)
    (snapshot,) = tracker.get_tracker_snapshot("peak").values()
    return snapshot["Total"]


OPAQUE = (
    nn.Dropout,
    nn.BatchNorm2d,
    nn.LocalResponseNorm,
    nn.ReLU,
    nn.ReLU6,
    nn.Hardswish,
    nn.Hardsigmoid,
    nn.Sigmoid,
    nn.SiLU,
)
"""Modules that do not change what a value depends on, but may hide it."""


def make_transparent(module: nn.Module) -> None:
    """Makes every value of the input count: positive weights, averages for maxima, nothing cut off or normalised."""
    for name, child in list(module.named_children()):
        make_transparent(child)
        if isinstance(child, nn.MaxPool2d):
            pool = nn.AvgPool2d(child.kernel_size, child.stride, child.padding, child.ceil_mode)
            setattr(module, name, pool)
        elif isinstance(child, OPAQUE):
            setattr(module, name, nn.Identity())
    for parameter in module.parameters(recurse=False):
        nn.init.constant_(parameter, 1e-2)


def support(x: Tensor, value: Tensor) -> tuple[tuple[int, int], ...]:
    """The first and last position on each axis of the input that a value depends on."""
    (gradient,) = torch.autograd.grad(value, x, retain_graph=True)
    where = gradient[0].sum(0).nonzero()
    return tuple(zip(where.min(0).values.tolist(), where.max(0).values.tolist(), strict=True))
