"""Rows of the lectures' tables: families of ResNeXts, GoogLeNet's totals, neurons, towers, widths."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import cnndsl
from cnndsl.network import loads
from tests import oracle
from tests.zoo.test_torch import drawn

ZOO = Path(__file__).parents[2] / "architectures"
DEPTHS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 200: (3, 24, 36, 3)}


def parameters(layers: int, groups: int, d: int) -> int:
    """Of a ResNeXt: C groups of width d in the first stage, doubled in each later one (Xie et al. 2016, Table 1)."""
    total, entering = 49 * 3 * 64 + 2 * 64, 64
    for stage, n in enumerate(DEPTHS[layers]):
        wide, leaving = groups * d << stage, 256 << stage
        for turn in range(n):
            total += entering * wide + 9 * wide * (d << stage) + wide * leaving + 2 * (2 * wide + leaving)
            total += 0 if turn else entering * leaving + 2 * leaving
            entering = leaving
    return total + 2048 * 1000 + 1000


TABLES_3_AND_4 = [
    *((50, c, d) for c, d in ((1, 64), (2, 40), (4, 24), (8, 14), (32, 4))),
    *((101, c, d) for c, d in ((1, 64), (2, 40), (4, 24), (8, 14), (32, 4))),
    *((200, 1, 64), (101, 1, 100), (101, 2, 64), (101, 64, 4), (101, 32, 8)),
]
TORCHVISION = {
    (50, 1, 64): "resnet50",
    (101, 1, 64): "resnet101",
    (50, 32, 4): "resnext50_32x4d",
    (101, 64, 4): "resnext101_64x4d",
    (101, 32, 8): "resnext101_32x8d",
}


@pytest.mark.parametrize(("layers", "groups", "d"), TABLES_3_AND_4)
def test_resnexts(layers: int, groups: int, d: int) -> None:
    totals = cnndsl.load("resnext", groups=groups, width=d, depths=DEPTHS[layers]).stats().totals
    assert totals.params == parameters(layers, groups, d)
    assert totals.depth == layers
    if name := TORCHVISION.get((layers, groups, d)):
        assert totals.params == sum(each.numel() for each in oracle.on_meta(name).parameters())


def test_complexity_of_resnexts() -> None:
    """Xie et al. 2016, Tables 1, 3 and 4: all of a depth are about as complex; those of Table 4 twice as much."""

    def macs(layers: int, groups: int, d: int) -> float:
        return cnndsl.load("resnext", groups=groups, width=d, depths=DEPTHS[layers]).stats().totals.macs / 1e9

    assert round(macs(50, 1, 64), 1) == 4.1
    assert round(macs(50, 32, 4), 1) == 4.2
    assert round(macs(101, 1, 64), 1) == 7.8
    assert round(macs(101, 32, 4), 1) == 8.0
    for layers, groups, d in TABLES_3_AND_4[:10]:
        assert macs(layers, groups, d) == pytest.approx(macs(layers, 32, 4), rel=0.05)
    for layers, groups, d in TABLES_3_AND_4[10:14]:
        assert macs(layers, groups, d) == pytest.approx(2 * 7.8, rel=0.05)


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
@pytest.mark.parametrize("aux", [True, False])
def test_totals_with_and_without_auxiliary_heads(name: str, aux: bool) -> None:
    network = cnndsl.load(name, aux=aux)
    with torch.device("meta"):
        ours = network.module().state_dict()
    theirs = oracle.on_meta(name, aux_logits=aux)
    assert {key: each.shape for key, each in ours.items()} == {k: each.shape for k, each in theirs.state_dict().items()}
    assert network.stats().totals.params == sum(each.numel() for each in theirs.parameters())


def test_googlenet_of_the_paper_without_its_heads() -> None:
    """Heads of 128 filters of 1x1, 1024 units on 4x4 positions, and the classes: Szegedy et al. 2014, Section 5."""
    heads = sum(c * 128 + 128 + 16 * 128 * 1024 + 1024 + 1024 * 1000 + 1000 for c in (512, 528))
    with_heads, without = (cnndsl.load("googlenet_2014", aux=each).stats().totals.params for each in (True, False))
    assert with_heads - without == heads


def neurons(name: str, *kinds: str) -> list[int]:
    graph = cnndsl.load(name).graph
    return [node.shape.numel for node in graph.nodes if node.kind in kinds]


def test_neurons_of_alexnet() -> None:
    """Krizhevsky et al. 2012, Section 3.5, which prints 253,440 for the first: 55*55*96 are 290,400."""
    published = [55 * 55 * 96, 186_624, 64_896, 64_896, 43_264, 4096, 4096, 1000]
    assert neurons("alexnet_2012", "CONV", "FC") == published
    towers = cnndsl.load("alexnet_towers").graph
    assert sum(node.shape.numel for node in towers.nodes if node.kind in ("CONV", "FC")) == sum(published)


def test_neurons_of_vgg16() -> None:
    """CS231n, "Convolutional Networks", Case studies: the memory of each layer of VGG-16."""
    maps = [(224, 64)] * 2 + [(112, 128)] * 2 + [(56, 256)] * 3 + [(28, 512)] * 3 + [(14, 512)] * 3
    assert neurons("vgg16", "CONV", "FC") == [side * side * c for side, c in maps] + [4096, 4096, 1000]
    assert [f"{neurons('vgg16', 'POOL')[at] / 1e3:.0f}K" for at in range(5)] == ["803K", "401K", "201K", "100K", "25K"]


def test_two_towers_are_one_net_of_groups() -> None:
    """Both give the same without normalisation, which would see over the border of the groups."""
    one, two = (
        loads((ZOO / f"{name}.cnn").read_text(encoding="utf-8").replace(" -> LRN ", " ")).module().eval()
        for name in ("alexnet_2012", "alexnet_towers")
    )
    state = dict(drawn(one.state_dict(), seed=1))
    one.load_state_dict(state)
    halves = {
        f"{part}_{tower}.{layer}": each.chunk(2)[at]
        for key, each in state.items()
        for at, tower in enumerate("ab")
        for part, layer in [where(key)]
        if part != "fc8"
    }
    two.load_state_dict(halves | {key: each for key, each in state.items() if key.startswith("fc8")}, strict=True)
    x = torch.randn(1, 3, 227, 227, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        torch.testing.assert_close(two(x), one(x))


def where(key: str) -> tuple[str, str]:
    """The part of a tower in which a weight of the one net is, and its name there."""
    name, _, kind = key.partition(".")
    if name.startswith("fc"):
        return name, f"0.{kind}"
    return ("bottom" if name in ("conv1", "conv2") else "top"), key


WIDTHS = [
    *(("mobilenet_v2", width) for width in (0.35, 0.5, 0.75, 1.4)),
    *((f"mobilenet_v3_{size}", width) for size in ("large", "small") for width in (0.75, 1.25)),
]


@pytest.mark.parametrize(("name", "width"), WIDTHS)
def test_widths_of_mobilenets(name: str, width: float) -> None:
    """Sandler et al. 2018, Section 6.1; Howard et al. 2019, Figure 1 and Table 3."""
    with torch.device("meta"):
        ours = cnndsl.load(name, width=width).module().state_dict()
    theirs = oracle.on_meta(name, width_mult=width).state_dict()
    assert [(key, each.shape) for key, each in ours.items()] == [(key, each.shape) for key, each in theirs.items()]
