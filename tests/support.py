"""Layers as live PyTorch modules, and what those modules say of themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnndsl.layers import HELPERS
from cnndsl.layers.base import Layer, Slot, TorchCall, TorchFunction
from cnndsl.layers.margin import FUNCTIONS
from cnndsl.layers.resize import Unpool
from cnndsl.shape import Shape


@cache
def namespace() -> dict[str, Any]:
    """What emitted code may name: torch, and the classes that stand in for what torch lacks."""
    names: dict[str, Any] = {"torch": torch, "nn": nn, "F": F}
    for source in (*HELPERS.values(), *FUNCTIONS.values()):
        exec(compile(source, "<helpers>", "exec"), names)
    return names


def written(part: Slot | TorchCall, inplace: bool = False) -> str:
    """A call as Python."""
    if isinstance(part, Slot):
        return repr(part.value)
    arguments = [written(each) for each in part.arguments]
    arguments += [f"{name}={written(each)}" for name, each in part.keywords]
    if inplace and part.inplace:
        arguments.append("inplace=True")
    return f"{part.name}({', '.join(arguments)})"


def build(call: TorchCall | TorchFunction | None, inplace: bool = False) -> nn.Module:
    """The module of a call; of an expression, a module that evaluates it."""
    if isinstance(call, TorchFunction):
        return Expression(call.template)
    if call is None:
        return nn.Identity()
    module = eval(written(call, inplace), namespace())
    assert isinstance(module, nn.Module)
    return module


class Expression(nn.Module):
    """A module that evaluates an expression of its inputs."""

    def __init__(self, template: str) -> None:
        super().__init__()
        self.template = template

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        names = {f"x{at}": x for at, x in enumerate(inputs)}
        text = self.template.replace("{inputs}", ", ".join(names)).format(*names)
        return eval(text, {**namespace(), **names})


@dataclass
class Live:
    """A layer as a module, applied to inputs of given shapes."""

    layer: Layer
    inputs: tuple[Shape, ...]
    inplace: bool = False
    module: nn.Module = field(init=False)

    def __post_init__(self) -> None:
        self.layer.output(*self.inputs)
        self.call = self.layer.torch(*self.inputs)
        self.module = build(self.call, self.inplace)

    def __call__(self, *inputs: torch.Tensor) -> torch.Tensor:
        if isinstance(self.call, TorchCall) and self.call.flatten:
            return self.module(torch.flatten(inputs[0], 1))
        if isinstance(self.layer, Unpool):
            size = self.layer.output_size(self.inputs[0])
            return self.module(*inputs) if size is None else self.module(*inputs, output_size=size)
        return self.module(*inputs)

    def example(self, batch: int = 2) -> list[torch.Tensor]:
        """Random inputs."""
        return [torch.randn(batch, x.channels, *x.spatial) for x in self.inputs]


def nchw(shape: Shape, batch: int) -> tuple[int, ...]:
    return (batch, shape.channels, *shape.spatial)


def flops(run: Callable[[], object]) -> int:
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops()


def saved_bytes(
    run: Callable[[], torch.Tensor], without: Sequence[torch.Tensor], keep: list[torch.Tensor] | None = None
) -> dict[int, int]:
    """What autograd keeps, storages counted once: address -> bytes. Storages of `without` are left out."""
    ignored = {tensor.untyped_storage().data_ptr() for tensor in without}
    found: dict[int, int] = {}
    alive: list[torch.Tensor] = [] if keep is None else keep

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.nbytes() and storage.data_ptr() not in ignored:
            found[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        alive.append(run())
    return found
