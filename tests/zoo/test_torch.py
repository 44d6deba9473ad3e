"""The zoo's sequential networks as live modules: every shape and parameter, and torchvision's weights and outputs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
import torch
from torch import Tensor, nn

import cnndsl
from tests import oracle
from tests.zoo.test_figures import IN_TORCHVISION, PARAMETERS


@cache
def on_meta(name: str) -> nn.Module:
    """The live module without storage."""
    with torch.device("meta"):
        return cnndsl.load(name).module().eval()


def seen_shapes(module: nn.Module, x: Tensor) -> dict[str, tuple[int, ...]]:
    """The output shape of every leaf, without the batch, by its path."""
    shapes: dict[str, tuple[int, ...]] = {}

    def note(path: str, child: nn.Module) -> None:
        child.register_forward_hook(lambda _module, _inputs, output: shapes.update({path: tuple(output.shape[1:])}))

    for path, child in module.named_modules():
        note(path, child)
    module(x)
    return shapes


@pytest.mark.parametrize("name", PARAMETERS)
def test_shapes_and_parameters_are_those_of_the_live_module(name: str) -> None:
    network = cnndsl.load(name)
    graph, module = network.graph, on_meta(name)
    x = torch.zeros(2, graph.input.channels, *graph.input.spatial, device="meta")
    seen = seen_shapes(module, x)
    for row in network.stats().layers:
        node = row.node
        if node.path in seen:
            # What stands between the maps and the first FC may run on the flattened values.
            assert seen[node.path] in ((node.shape.channels, *node.shape.spatial), (node.shape.numel,)), node.path
            assert sum(each.numel() for each in module.get_submodule(node.path).parameters()) == row.cost.params
        else:
            assert row.cost.params == 0, node.path
    assert sum(each.numel() for each in module.parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("name", IN_TORCHVISION)
def test_state_is_named_as_in_torchvision(name: str) -> None:
    theirs = oracle.on_meta(name).state_dict()
    ours = on_meta(name).state_dict()
    assert [(key, each.shape) for key, each in ours.items()] == [(key, each.shape) for key, each in theirs.items()]


def drawn(state: dict[str, Tensor], seed: int) -> Iterator[tuple[str, Tensor]]:
    """Values for each entry of a state, such that signals neither vanish nor explode and no two channels are alike."""
    generator = torch.Generator().manual_seed(seed)
    for key, each in state.items():
        if key.endswith("num_batches_tracked"):
            yield key, torch.tensor(1)
        elif key.endswith("running_var"):
            yield key, torch.rand(each.shape, generator=generator) + 0.5
        else:
            fan_in = each[0].numel() if each.dim() > 1 else 10
            yield key, torch.randn(each.shape, generator=generator) * (2 / fan_in) ** 0.5


@pytest.mark.parametrize("name", IN_TORCHVISION)
def test_outputs_are_torchvisions_to_the_last_bit(name: str) -> None:
    namespace: dict[str, object] = {"__name__": "emitted"}
    exec(compile(cnndsl.load(name).source(), f"{name}.py", "exec"), namespace)
    emitted = namespace[cnndsl.load(name).name]
    assert isinstance(emitted, type)
    theirs = oracle.on_meta(name).eval()
    with torch.device("meta"):
        ours = emitted().eval()
    state = dict(drawn(theirs.state_dict(), seed=1))
    theirs.load_state_dict(state, strict=True, assign=True)
    ours.load_state_dict(state, strict=True, assign=True)
    x = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        expected = theirs(x)
        assert expected.std() > 1e-3
        assert torch.equal(ours(x), expected)
