"""Repeats of which every value is read, and that run more often in some calls of a block: one class with a list."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from cnndsl import load, loads
from cnndsl.emit.torch.source import source
from cnndsl.emit.torch.verify import verify
from cnndsl.runtime.live import module
from tests.emit.torch.checking import check, emitted, forward_of, seeded

UNIT = "block Unit(c) = (conv: CONV3-C -> bn: BN -> RELU + ID)"
BLOCK = f"""\
{UNIT}
block Aggregate(c, n) = [
  x = ID
  last = @x -> m: [[{{i-1}}: Unit(C)]*n]
  out = (@x | @m.*) -> CONV1-c
]
INPUT 8x8x3 -> CONV3-4 -> Aggregate(6, 3) -> Aggregate(10, 1) -> Aggregate(8, 5) -> GAP -> FC-5
"""
WRITTEN = {
    "added": BLOCK.replace("(@x | @m.*)", "(@x + @m.*)"),
    "ahead": BLOCK.replace("(@x | @m.*)", "(@m.* | @x)"),
    "behind a layer": BLOCK.replace("m: [[", "CONV3-6 -> m: [["),
    "read at the end": BLOCK.replace("out = (@x | @m.*)", "z = @last -> CONV3-4\n  out = (@x | @m.* | @z)"),
    "read twice": BLOCK.replace("-> CONV1-c", "-> CONV1-c\n  both = (@out | @m.*) -> CONV1-c"),
    "another first": BLOCK.replace(UNIT, "block Unit(c) = CONV3-c -> RELU").replace("Unit(C)", "Unit(12)"),
    "layers": BLOCK.replace("{i-1}: Unit(C)", "{i-1}: CONV3-C"),
    "labels": BLOCK.replace("{i-1}: Unit(C)", "{i-1}: [CONV3-C -> BN -> RELU]"),
}
ONE_BY_ONE = {
    "by its number": BLOCK.replace("(@x | @m.*)", "(@x | @m.* | @m.0)"),
    "outside": BLOCK.replace("Aggregate(6, 3)", "top: Aggregate(6, 3)").replace("-> GAP", "-> (ID | @top.m.0) -> GAP"),
    "by other names": BLOCK.replace("{i-1}: Unit", "u{i}: Unit").replace("@m.*", "@m.u*"),
}


class Unit(nn.Module):
    """A convolution beside what enters."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.conv, self.bn = nn.Conv2d(c, c, 3, padding=1), nn.BatchNorm2d(c)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.bn(self.conv(x))) + x


class Aggregate(nn.Module):
    """What all units give, side by side, as ELAN, OSA and C2f have it."""

    def __init__(self, c: int, out: int, n: int, adds: bool) -> None:
        super().__init__()
        self.adds = adds
        self.m = nn.ModuleList(Unit(c) for _ in range(n))
        self.conv = nn.Conv2d(c if adds else (1 + n) * c, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = [x]
        for unit in self.m:
            y.append(unit(y[-1]))
        return self.conv(sum(y[1:], x) if self.adds else torch.cat(y, 1))


def by_hand(adds: bool) -> nn.Sequential:
    """The network of `BLOCK` as a person writes it."""
    blocks = [Aggregate(a, b, n, adds) for a, b, n in ((4, 6, 3), (6, 10, 1), (10, 8, 5))]
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), *blocks, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), nn.Linear(8, 5)
    )


def test_one_class_has_a_list_of_modules() -> None:
    text = emitted(BLOCK)
    assert text.count("class Aggregate") == 1
    assert "self.m = nn.ModuleList([Unit(in_channels) for _ in range(n)])" in text
    assert "self.conv = nn.Conv2d((n + 1) * in_channels, c, 1)" in text
    assert (
        forward_of(text, "Aggregate")
        == """\
        outputs = [x]
        for layer in self.m:
            outputs.append(layer(outputs[-1]))
        x = torch.cat(outputs, 1)
        del outputs
        return self.conv(x)"""
    )


@pytest.mark.parametrize("adds", [False, True])
def test_outputs_and_gradients_are_those_of_a_module_written_by_hand(adds: bool) -> None:
    ours = seeded(module(loads(WRITTEN["added"] if adds else BLOCK).graph)).double()
    theirs = by_hand(adds).double()
    state = ours.state_dict()
    assert [*state] == [*theirs.state_dict()]
    theirs.load_state_dict(state)
    x = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    for mode in (True, False):
        results: list[list[Tensor]] = []
        for network in (ours.train(mode), theirs.train(mode)):
            network.zero_grad()
            y = network(x)
            y.square().sum().backward()
            results.append([y, *(each.grad for each in network.parameters() if each.grad is not None)])
        assert len(results[0]) == len(results[1]) > 20
        for mine, other in zip(*results, strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_one_class_however_the_values_are_read(text: str) -> None:
    assert emitted(text).count("class Aggregate") == 1
    graph = loads(text).graph
    assert not verify(emitted(text), graph).differences
    check(text)


@pytest.mark.parametrize("text", ONE_BY_ONE.values(), ids=ONE_BY_ONE)
def test_several_classes_where_a_value_is_needed_by_itself(text: str) -> None:
    assert emitted(text).count("class Aggregate") == 3
    check(text)


def test_several_classes_where_maps_become_vectors_first() -> None:
    text = """\
block Dense(n) = [
  x = ID
  last = @x -> m: [[{i-1}: FC-4]*n]
  out = (@x -> FC-3 | @m.*)
]
INPUT 2x2x3 -> (Dense(3) | Dense(2)) -> FC-5
"""
    assert emitted(text).count("class Dense") == 2
    check(text)


def test_a_class_of_one_length_stays_as_it_is() -> None:
    text = emitted(BLOCK.replace("(6, 3)", "(6, 2)").replace("(10, 1)", "(10, 2)").replace("(8, 5)", "(8, 2)"))
    assert "self.m = M(in_channels)" in text
    assert text.count("class Aggregate") == 1


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
def test_torchscript_takes_the_loop() -> None:
    network = module(loads(BLOCK).graph).eval()
    x = torch.rand(1, 3, 8, 8)
    torch.testing.assert_close(torch.jit.script(network)(x), network(x), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("range(n)", "range(n + 1)"),
        ("outputs.append(layer(outputs[-1]))", "outputs.append(layer(outputs[0]))"),
        ("outputs = [x]", "outputs = [x, x]"),
        ("Aggregate(4, 6, 3)", "Aggregate(4, 6, 2)"),
    ],
)
def test_a_text_with_one_mistake_is_found(right: str, wrong: str) -> None:
    text = emitted(BLOCK)
    assert text.count(right) == 1
    assert verify(text.replace(right, wrong), loads(BLOCK).graph).differences


def test_the_length_may_be_a_parameter_of_the_network() -> None:
    text = f"net Net(n in 1..4 = 2)\n{BLOCK.replace('(6, 3)', '(6, n)')}"
    assert emitted(text).count("class Aggregate") == 1
    check(text)
    check(text, n=4)


def test_alike_nets_of_the_zoo() -> None:
    """YOLOv8 as Ultralytics writes it: one `C2f` for one, two, three and six bottlenecks."""
    for settings in ({}, {"depth": 1}):
        text = source(load(Path("architectures/yolov8.cnn"), **settings).graph)
        assert "self.m = nn.ModuleList([Bottleneck(c // 2, add=add) for _ in range(n)])" in text
        assert "self.cv2 = Conv((n + 2) * (c // 2), c, 1)" in text
        assert "class C2f2" not in text
