"""No wrong text passes: of texts that were changed at random, those that pass compute what they did before."""

from __future__ import annotations

import random
import warnings
from typing import Any

import pytest
import torch

from cnndsl.emit.torch.verify import verify
from cnndsl.graph import Graph
from cnndsl.network import load, loads
from tests.emit.torch.programs import PROGRAMS
from tests.emit.torch.verify.mutants import mutant
from tests.emit.torch.verify.support import BLOCK_PROGRAM, UNET_PROGRAM

OWN = {**PROGRAMS, "block": BLOCK_PROGRAM, "skips": UNET_PROGRAM}
ZOO = "lenet5 cifar_resnet nin mobilenet_v3_small squeezenet1_1".split()


def built(text: str) -> Any:
    """The network of a text, in double precision."""
    names: dict[str, Any] = {"__name__": "mutant"}
    exec(compile(text, "mutant", "exec"), names)
    classes = [each for each in names.values() if isinstance(each, type) and issubclass(each, torch.nn.Module)]
    return [each for each in classes if each.__module__ == "mutant"][-1]().double()


def results(network: Any, graph: Graph, state: dict[str, torch.Tensor]) -> list[Any]:
    """Outputs and gradients, in evaluation and, where nothing is random, in training."""
    network.load_state_dict(state)
    kinds = {node.kind for node in graph.nodes}
    found: list[Any] = []
    for training in (False, True)[: 1 if kinds & {"DROPOUT", "DROPPATH"} else 2]:
        network.train(training)
        network.zero_grad()
        generator = torch.Generator().manual_seed(3)
        x = torch.randn(2, graph.input.channels, *graph.input.spatial, generator=generator, dtype=torch.float64)
        before = x.clone()
        y = network(x.requires_grad_())
        outputs = [y] if isinstance(y, torch.Tensor) else [each for each in y if each is not None]
        sum((number + 1) * each.sin().sum() for number, each in enumerate(outputs)).backward()
        assert torch.equal(x, before)
        found += [len(outputs), *(each.detach() for each in outputs), x.grad]
        found += [parameter.grad for _, parameter in sorted(network.named_parameters())]
    return found


def alike(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return one.shape == other.shape and torch.allclose(one, other, rtol=1e-9, atol=1e-9)
    return (one is None) is (other is None) and type(one) is type(other) and (one == other or one is None)


def check(graph: Graph, text: str, seeds: range) -> int:
    """Changes a right text; the number of changes that pass, all of which must change nothing."""
    assert verify(text, graph).agrees
    network = built(text)
    state = {name: value.clone() for name, value in network.state_dict().items()}
    right = results(network, graph, state)
    passed = 0
    for seed in seeds:
        changed, told = mutant(text, random.Random(seed))
        if not verify(changed, graph).agrees:
            continue
        passed += 1
        other = built(changed)
        assert list(other.state_dict()) == list(state) or set(other.state_dict()) == set(state), told
        found = results(other, graph, state)
        assert len(found) == len(right), told
        assert all(map(alike, right, found)), told
    return passed


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("name", OWN)
def test_what_passes_is_right(name: str) -> None:
    network = loads(OWN[name])
    passed = check(network.graph, network.source(), range(40))
    assert passed < 30


@pytest.mark.slow
@pytest.mark.parametrize("name", OWN)
def test_what_passes_is_right_often(name: str) -> None:
    network = loads(OWN[name])
    check(network.graph, network.source(), range(40, 1000))


@pytest.mark.slow
@pytest.mark.parametrize("name", ZOO)
def test_what_passes_is_right_in_the_zoo(name: str) -> None:
    network = load(name)
    check(network.graph, network.source(), range(40))
