"""Run a network node by node: the slow, plain evaluation of a graph against which emitted modules are tested.

Each layer's own `torch` call is built and called in the order of the graph. No code of the emitter is used, so the two
can disagree. Only for tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from cnndsl.graph import Graph, Node
from cnndsl.layers.base import Slot, TorchCall, TorchFunction
from cnndsl.layers.resize import Unpool

if TYPE_CHECKING:
    import torch
    from torch import nn


BARE = ".="
"""The end of the name of a parameter that the network has at a module's own path. No label can end with it."""


class Reference:
    """The modules of a graph by path, and their output values."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        calls = {node.index: node.layer.torch(*graph.shapes(node)) for node in graph.layers}
        self._names = _namespace(call.source for call in calls.values() if call is not None)
        self._calls = calls
        self.modules: dict[int, nn.Module] = {}
        for at, call in calls.items():
            if isinstance(call, TorchCall):
                shared = graph.nodes[at].weights_of
                self.modules[at] = self.modules[shared] if shared >= 0 else self._build(call)
                if graph.nodes[at].layer.is_frozen:
                    self.modules[at].requires_grad_(False)

    def own(self) -> dict[int, nn.Module]:
        """Return the modules by the node that applies each first."""
        return {at: module for at, module in self.modules.items() if self.graph.nodes[at].weights_of < 0}

    def load(self, state: Mapping[str, torch.Tensor]) -> None:
        """Load the tensors of another module with the same paths. Raises RuntimeError if one is missing."""
        for at, module in self.own().items():
            path = self.graph.nodes[at].path
            prefix = f"{path}."
            own = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
            if self.graph.nodes[at].layer.is_parameter:
                own[BARE.removeprefix(".")] = state[path]
            module.load_state_dict(own, strict=True)

    def train(self, mode: bool = True) -> None:
        """Switch training mode on or off."""
        for module in self.modules.values():
            module.train(mode)

    def values(self, *given: torch.Tensor) -> dict[int, torch.Tensor]:
        """Return the value of each node for inputs of shape N, C, H, W, as many as the network has."""
        import torch

        values: dict[int, torch.Tensor] = dict(enumerate(given))
        for node in self.graph.layers:
            # Keep the memory layout: kernels round differently if strides differ. No kernel overwrites its input.
            values[node.index] = self._apply(node, [values[at] for at in node.inputs], values)
            assert isinstance(values[node.index], torch.Tensor)
        return values

    def __call__(self, *given: torch.Tensor) -> torch.Tensor:
        """Return the output of the network."""
        return self.values(*given)[self.graph.output]

    def _apply(self, node: Node, inputs: list[Any], values: Mapping[int, Any]) -> Any:
        call = self._calls[node.index]
        if isinstance(call, TorchFunction):
            return self._evaluate(call, inputs)
        if not isinstance(call, TorchCall):
            return inputs[0]
        module = self.modules[node.index]
        if isinstance(node.layer, Unpool):
            size = (*inputs[0].shape[:2], *node.layer.entering)
            return module(inputs[0], self._switches(node.inputs[1], values), output_size=size)
        return module(inputs[0].flatten(1)) if call.flatten else module(*inputs)

    def _switches(self, pool: int, values: Mapping[int, Any]) -> Any:
        """Return the indices of the maxima of a pool, at which an unpooling puts its values."""
        from copy import copy

        module: Any = copy(self.modules[pool])
        module.return_indices = True
        return module(values[self.graph.nodes[pool].inputs[0]])[1]

    def _evaluate(self, call: TorchFunction, inputs: list[Any]) -> Any:
        names = {f"x{at}": value for at, value in enumerate(inputs)}
        text = call.template.replace("{inputs}", ", ".join(names)).format(*names)
        return eval(text, {**self._names, **names})

    def _build(self, call: TorchCall) -> nn.Module:
        return eval(_written(call), self._names) if not call.applied else _parameter(call)


def _parameter(call: TorchCall) -> nn.Module:
    """Return a module that holds a parameter, and applies it."""
    import torch
    from torch import nn

    *extents, start = [cast(Any, part).value for part in call.arguments]
    template = call.applied.format("x", "p")

    class Parameter(nn.Module):
        """Applies its one parameter."""

        def __init__(self) -> None:
            super().__init__()
            self.register_parameter(BARE.removeprefix("."), nn.Parameter(torch.full(extents, start)))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            """Return the input with the parameter applied."""
            return eval(template, {"x": x, "p": next(self.parameters())})

    return Parameter()


def _written(part: Slot | TorchCall) -> str:
    if isinstance(part, Slot):
        return repr(part.value)
    arguments = [_written(each) for each in part.arguments]
    arguments += [f"{name}={_written(each)}" for name, each in part.keywords]
    return f"{part.name}({', '.join(arguments)})"


def _namespace(sources: Iterable[str]) -> dict[str, Any]:
    """Return PyTorch's modules and the classes and functions of these sources, by name."""
    import torch
    import torch.nn.functional as functional
    from torch import nn

    names: dict[str, Any] = {"torch": torch, "nn": nn, "F": functional}
    for source in dict.fromkeys(sources):
        exec(compile(source, "<helpers>", "exec"), names)
    return names
