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

SHARED = """
block Tower(c) = conv: CONV3-c -> bn: BN -> RELU -> POOL2
left = INPUT 8x8x3
right = INPUT 8x8x3
a = @left -> tower: Tower(4)
b = @right -> again tower -> c: CONV3-4
d = @c -> again c -> (ID + @b)
e = (@a | @d) -> GAP -> FC-3
output e, b
"""
STARS = """
block Layer(d) = [
  x = ID
  gate = MUL(@x -> CONV3-4(dilation=d) -> TANH, @x -> CONV3-4 -> SIGMOID)
  skip = @gate -> CONV1-6
  sum = (@x + @gate -> CONV1-4)
]
INPUT 12x1 -> CONV1-4 -> for d in 1, 2, 4 [layer{d}: Layer(d)] -> last: CONV1-6
out = (@last + @layer*.skip) -> RELU -> (ID | @layer*.gate) -> CONV1-3
"""
SIZES = """
INPUT 13x11x3 -> a: CONV3-4(pad=valid) -> b: CONV3-4/2 -> POOL2 -> c: CONV3-4
d = (@a | @c -> UPSAMPLE(out=@a, mode=bilinear)) -> e: CONV3-4(pad=valid)
f = (@a -> CROP(out=@e) + @e) -> (ZEROPAD(out=@a) | @b -> UPSAMPLE(out=@a) | @a) -> AVGPOOL(out=@b) -> CONV1-3
"""
SCATTERED = """
block Cell(c) = convs.0: CONV3-c -> bns.0: BN -> "": RELU -> convs.1: CONV3-c -> bns.1: BN
block Conv(c) = [{i}: CONV3-c -> RELU]*2
INPUT 8x8x3 -> features: [0: CONV3-4 -> 2: BN -> 5: CONV3-4] -> ["block1-{i}": Cell(4)]*2
-> (ID + @"block1-1".convs.0) -> m.x: CONV1-4 -> (ID + @"block1-"*) -> again m.x -> "head/1": Conv(4) -> both.a.0: FC-3
"""
OWN = {
    **PROGRAMS,
    "block": BLOCK_PROGRAM,
    "skips": UNET_PROGRAM,
    "shared": SHARED,
    "stars": STARS,
    "sizes": SIZES,
    "scattered": SCATTERED,
}
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
        shapes = [(2, each.shape.channels, *each.shape.spatial) for each in graph.inputs]
        images = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]
        before = [x.clone() for x in images]
        y = network(*(x.requires_grad_() for x in images))
        outputs = [y] if isinstance(y, torch.Tensor) else [each for each in y if each is not None]
        sum((number + 1) * each.sin().sum() for number, each in enumerate(outputs)).backward()
        assert all(map(torch.equal, images, before))
        found += [len(outputs), *(each.detach() for each in outputs), *(x.grad for x in images)]
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
