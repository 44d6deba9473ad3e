"""What a module gives, and what the layers of the graph that was read from it give, one after the other."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnndsl.graph import Graph, Node
from cnndsl.layers.torch_calls import TorchCall
from cnndsl.shape import Shape


class Written(nn.Module):
    """A module with these parts, whose `forward` is a function of itself and of what enters."""

    def __init__(self, function: Any, **parts: nn.Module | nn.Parameter) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *inputs: Tensor) -> Any:
        return self.function(self, *inputs)


def fill(module: nn.Module) -> None:
    """Draw every parameter and buffer at random: variances positive, scales about 1."""
    drawn = torch.Generator().manual_seed(0)
    kept = set(module.state_dict())
    with torch.no_grad():
        for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
            if tensor.dtype.is_floating_point and name in kept:
                value = torch.randn(tensor.shape, generator=drawn, dtype=torch.float64)
                tensor.copy_(value.abs() + 0.5 if name.endswith("running_var") else value / 2 + (tensor.dim() < 2))


def error(graph: Graph, module: nn.Module, *shapes: Shape) -> float:
    """The largest relative error of what the graph gives, in float64 and in evaluation; the first output counts.

    Every tensor of the module's `state_dict` has to be a layer's, under its name and with its extents.
    """
    found = {
        each.entry(node.path): each.shape for node in graph.layers for each in graph.tensors(node) if each.persistent
    }
    assert found == {name: tuple(each.shape) for name, each in module.state_dict().items()}
    module.double().eval()
    fill(module)
    inputs = [torch.randn(2, x.channels, *x.spatial, dtype=torch.float64) for x in shapes]
    with torch.no_grad():
        made, wanted = value(graph, dict(module.state_dict()), inputs), first(module(*inputs))
    assert made.shape == wanted.shape
    return float((made - wanted).abs().max() / wanted.abs().max())


def first(given: Any) -> Tensor:
    """The first output of several."""
    several: Sequence[Tensor] = list(given.values()) if isinstance(given, Mapping) else given
    return given if isinstance(given, Tensor) else several[0]


def value(graph: Graph, tensors: Mapping[str, Tensor], inputs: Sequence[Tensor]) -> Tensor:
    """What the layers of a graph give, each run by itself."""
    values: dict[int, Tensor] = {}
    for node in graph:
        if not node.inputs:
            values[node.index] = inputs[node.index]
        elif not node.training_only:
            own = {each.name: tensors[each.entry(node.path)] for each in graph.tensors(node) if each.persistent}
            values[node.index] = run(graph, node, [values[at] for at in node.inputs], own)
    return values[graph.output]


def run(graph: Graph, node: Node, inputs: Sequence[Tensor], tensors: Mapping[str, Tensor]) -> Tensor:
    """What one layer gives."""
    call: Any = node.layer.torch(*graph.shapes(node))
    names: dict[str, Any] = {"torch": torch, "nn": nn, "F": functional, "x": inputs, "own": tensors.get("")}
    if call.source:
        exec(call.source, names)
    if not isinstance(call, TorchCall):
        listed = call.template.replace("{inputs}", ", ".join(f"x[{at}]" for at in range(len(inputs))))
        return eval(re.sub(r"\{(\d+)\}", r"x[\1]", listed), names)
    if call.applied:
        return eval(call.applied.replace("{0}", "x[0]").replace("{1}", "own"), names)
    kind = names.get(call.name) or getattr(nn, call.name.removeprefix("nn."))
    options = {name: each.value for name, each in call.keywords}
    module = kind(*[each.value for each in call.arguments], **options).double().eval()
    module.load_state_dict({**module.state_dict(), **tensors})
    return module(inputs[0].flatten(1) if call.flatten else inputs[0])
