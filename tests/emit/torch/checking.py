"""What holds of every emitted module, checked on one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from cnndsl.emit.torch.source import source
from cnndsl.graph import Graph
from cnndsl.network import loads
from cnndsl.runtime.live import module
from cnndsl.testing import Reference


def emitted(text: str, **settings: object) -> str:
    return source(loads(text, **settings).graph)


def forward_of(text: str, name: str) -> str:
    """The body of one class's `forward`."""
    body = text.split(f"class {name}(")[1].split("\n\n\n")[0]
    return body.split("def forward")[1].partition(":\n")[2]


def seeded(network: nn.Module) -> nn.Module:
    """Weights that do not depend on the order in which they are drawn, statistics of batches among them."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, value in sorted(network.state_dict().items()):
            if value.is_floating_point():
                drawn = torch.rand(value.shape, generator=generator)
                value.copy_(drawn + 0.5 if "running_var" in name else (drawn - 0.5) * 0.2)
    return network


def image(graph: Graph, batch: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(batch, graph.input.channels, *graph.input.spatial, generator=generator)


def expected_state(graph: Graph) -> list[tuple[str, tuple[int, ...]]]:
    """The entries of the state, in the order of the nodes."""
    tensors = ((node, tensor) for node in graph for tensor in graph.tensors(node))
    return [(f"{node.path}.{tensor.name}", tensor.shape) for node, tensor in tensors if tensor.persistent]


def check(text: str, within: float = 0, **settings: object) -> nn.Module:
    """The module of a program, once it is clear that it is what the program means.

    Outputs are equal to the last bit; `within` allows for layers that add up in another order, as they do where the
    reference's copy of a view has another layout in memory.
    """
    graph = loads(text, **settings).graph
    network = seeded(module(graph))
    assert [(name, tuple(each.shape)) for name, each in network.state_dict().items()] == expected_state(graph)
    drops = any(node.kind in ("DROPOUT", "DROPPATH") for node in graph)
    for training in (False,) if drops else (False, True):
        check_outputs(network.train(training), graph, training, within)
    result = network.train()(image(graph))
    first = result if isinstance(result, Tensor) else result[0]
    if first.requires_grad:
        # What autograd needs and was overwritten raises here.
        first.sum().backward()
    return network.eval()


def check_outputs(network: nn.Module, graph: Graph, training: bool, within: float) -> None:
    """The outputs are those of the layers called one by one; the input is left alone."""
    reference = Reference(graph)
    reference.load({name: each.clone() for name, each in network.state_dict().items()})
    reference.train(training)
    x = image(graph)
    with torch.no_grad():
        result = network(x)
        values = reference.values(image(graph))
    assert torch.equal(x, image(graph))
    found = [result] if isinstance(result, Tensor) else [each for each in result if each is not None]
    taps = [tap for tap in graph.taps if not tap.training_only] + [tap for tap in graph.taps if tap.training_only]
    nodes = [graph.output, *(tap.node for tap in taps if training or not tap.training_only)]
    assert len(found) == len(nodes)
    for ours, node in zip(found, nodes, strict=True):
        assert torch.allclose(ours, values[node], rtol=within, atol=within, equal_nan=True)


def clean(texts: Mapping[str, str], folder: Path) -> None:
    """ruff has nothing to say about the texts, neither to their form nor to their content."""
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
    for command in (["format", "--isolated", "--diff", "."], ["check", "--isolated", "."]):
        ran = subprocess.run([sys.executable, "-m", "ruff", *command], cwd=folder, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr
