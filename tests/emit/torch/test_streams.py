"""Blocks with as many parallel streams as an argument says: one class that takes a list of tensors and returns one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from cnndsl import load, loads
from cnndsl.analysis.memory import inference, training
from cnndsl.emit.torch.execution import executions
from cnndsl.emit.torch.source import source
from cnndsl.emit.torch.verify import check_arguments, verify
from cnndsl.graph import Graph
from cnndsl.runtime.live import module
from cnndsl.values import Value
from tests.analysis.measuring import live, peak_bytes, saved_bytes
from tests.emit.torch import invariants
from tests.emit.torch.checking import check, emitted, forward_of, seeded

EXCHANGE = """\
net Streams(w in 4..16 = 8)
block Unit(c) = (conv: CONV3-c -> bn: BN + ID) -> RELU
block Resample(i, j) = [UPSAMPLE{2**(j-i)}] if j > i -> [POOL2*{i-j}] if j < i
# n streams of one width, mixed by a concatenation.
block Exchange(n) = [
  low = for j in 0..n-1 [x{j} = [ID if j == 0 else @s{n}.{j}] -> units.{j}: [Unit(w)*2]]
  -> for i in 0..n-1 [
       y{i} = (| each j in 0..n-1 [@x{j} -> moves.{i}.{j}: Resample(i, j)]) -> mix.{i}: CONV1-w -> RELU
     ]
  high = @y0
]
INPUT 16x16x3 -> stem: CONV3-w
a2 = @stem -> s2.1: CONV3-w/2
e1 = @stem -> one: Exchange(2)
m = @one.y1 -> s3.1: CONV1-w
a3 = @one.y1 -> s3.2: CONV3-w/2
@one -> two: Exchange(3)
-> ((@two.y1 -> UPSAMPLE2) + ID + (@two.y2 -> UPSAMPLE4)) -> GAP -> FC-5
"""
"""Two and three streams of one width."""

PYRAMID = """\
block Conv(c, s=1) = CONV3-c/s(bias=no) -> BN -> RELU
block Down(i, j, c) = CONV1-c -> [Conv(c, 2)*{i-j}] if j < i
block Pyramid(n, c) = [
  low = for j in 1..n [x{j} = [ID if j == 1 else @into{n}.{j}] -> lateral.{j-1}: [Conv(c*j)]]
  -> for i in 1..n [z{i} = (+ each j in 1..i [@x{j} -> top.{i-1}.{j-1}: Down(i, j, c*i)])]
  -> for i in 1..n [y{i} = @z{i} -> RELU -> out.{i-1}: CONV3-{c*i}]
  high = @y1
]
INPUT 16x16x3 -> stem: Conv(4)
b2 = @stem -> into2.2: Conv(8, 2)
one = @stem -> Pyramid(2, 4)
b3 = @one.y1 -> into3.2: Conv(8, 2)
c3 = @one.y2 -> into3.3: Conv(12, 2)
two = @one -> Pyramid(3, 4)
@two -> ((@two.y2 -> Conv(4) -> UPSAMPLE2) + ID + (@two.y3 -> Conv(4) -> UPSAMPLE4)) -> GAP -> FC-5
"""
"""Each stream has a width of its own, and takes the finer ones only: rows of different lengths."""

OCTAVE = """\
block Band(i, j, c) = CONV3-c -> [UPSAMPLE{2**(j-i)}] if j > i -> [POOL2*{i-j}] if j < i
block Octave(n, c) = [
  low = for j in 0..n-1 [u{j} = [ID if j == 0 else @b{n}.{j}] -> enter.{j}: CONV1-c]
  -> for i in 0..n-1 [y{i} = (@u{i} + (+ each j in 0..n-1 [@u{j} -> bands.{i}.{j}: Band(i, j, c)])) -> RELU]
  high = @y0
]
INPUT 16x16x4 -> stem: CONV3-4
p2 = @stem -> b2.1: CONV3-4/2
one = @stem -> Octave(2, 4)
p3 = @one.y1 -> b3.1: CONV3-4
q3 = @one.y1 -> b3.2: CONV3-4/2
two = @one -> Octave(3, 4)
p4 = @two.y1 -> b4.1: CONV3-4
q4 = @two.y2 -> b4.2: CONV3-4
r4 = @two.y2 -> b4.3: CONV3-4/2
three = @two -> Octave(4, 4)
@three -> (ID | (@three.y1 -> UPSAMPLE2) | (@three.y2 -> UPSAMPLE4) | (@three.y3 -> UPSAMPLE8)) -> GAP -> FC-5
"""
"""Two to four streams; a sum beside a stream of the same number."""

NETS = {"Exchange": EXCHANGE, "Pyramid": PYRAMID, "Octave": OCTAVE}

TWO_TYPES = EXCHANGE.replace("[Unit(w)*2]", "[[Unit(w)*2] if j > 0 else CONV3-w]")
"""A convolution for the first stream, and blocks for the others."""

APART = {
    "read twice": OCTAVE.replace("enter.{j}: CONV1-c]", "enter.{j}: CONV1-c -> (TANH + ID)]"),
    "a normalisation first, whose width no expression gives": OCTAVE.replace("enter.{j}: CONV1-c", "enter.{j}: BN"),
    "streams in another order": EXCHANGE.replace(
        "[@x{j} -> moves.{i}.{j}: Resample(i, j)]", "[@x{n-1-j} -> moves.{i}.{j}: Resample(i, n-1-j)]"
    ),
    "by other names": EXCHANGE.replace("units.{j}", "unit{j}"),
}


class Exchange(nn.Module):
    """What `Exchange` of `EXCHANGE` says, by hand."""

    def __init__(self, n: int, w: int) -> None:
        super().__init__()
        self.n = n
        self.convs = nn.ModuleList(
            nn.ModuleList(nn.ModuleList([nn.Conv2d(w, w, 3, padding=1), nn.BatchNorm2d(w)]) for _ in range(2))
            for _ in range(n)
        )
        self.mix = nn.ModuleList(nn.Conv2d(n * w, w, 1) for _ in range(n))

    def forward(self, *streams: Tensor) -> list[Tensor]:
        xs = list(streams)
        for j, units in enumerate(self.convs):
            for pair in units.children():
                conv, bn = pair.children()
                xs[j] = torch.relu(bn(conv(xs[j])) + xs[j])
        ys: list[Tensor] = []
        for i in range(self.n):
            moved: list[Tensor] = []
            for j, x in enumerate(xs):
                for _ in range(i - j):
                    x = nn.functional.max_pool2d(x, 2)
                moved.append(nn.functional.interpolate(x, scale_factor=2 ** (j - i)) if j > i else x)
            ys.append(torch.relu(self.mix[i](torch.cat(moved, 1))))
        return ys


@pytest.mark.parametrize("name", NETS)
def test_one_class_for_every_number_of_streams(name: str) -> None:
    text = NETS[name]
    assert emitted(text).count(f"class {name}") == 1
    check(text)
    invariants.check(loads(text).graph)


def test_a_concatenation_of_all_streams() -> None:
    text = emitted(EXCHANGE)
    assert (
        "self.moves = nn.ModuleList(\n            [nn.ModuleList([Resample(i, j) for j in range(n)]) for i in range(n)]"
        in text
    )
    assert "self.mix = nn.ModuleList([nn.Conv2d(n * w, w, 1) for _ in range(n)])" in text
    assert "xs = self.two([xs[0], m, a3])" in text
    assert (
        forward_of(text, "Exchange")
        == """\
        xs = [unit(xs[i]) for i, unit in enumerate(self.units)]
        return [
            self.relu(mix(torch.cat([move(xs[j]) for j, move in enumerate(row)], 1)))
            for row, mix in zip(self.moves, self.mix)
        ]"""
    )


def test_rows_of_different_lengths() -> None:
    text = emitted(PYRAMID)
    assert "nn.ModuleList([Down(c * j, i, j, c=c * i) for j in range(1, i + 1)])" in text
    assert (
        forward_of(text, "Pyramid")
        == """\
        xs = [lateral(xs[i]) for i, lateral in enumerate(self.lateral)]
        xs = [total([top(xs[j]) for j, top in enumerate(row)]) for row in self.top]
        return [out(self.relu(xs[i])) for i, out in enumerate(self.out)]"""
    )


def test_a_stream_beside_a_sum_of_all() -> None:
    assert (
        forward_of(emitted(OCTAVE), "Octave")
        == """\
        xs = [enter(xs[i]) for i, enter in enumerate(self.enter)]
        return [
            self.relu(xs[i] + total([band(xs[j]) for j, band in enumerate(row)]))
            for i, row in enumerate(self.bands)
        ]"""
    )


def test_a_choice_by_the_number_of_a_stream() -> None:
    text = emitted(TWO_TYPES)
    assert "            if j > 0:\n                layers.extend([Unit(w, w) for _ in range(2)])" in text
    assert text.count("class Exchange") == 1
    check(TWO_TYPES)


def test_outputs_and_gradients_are_those_of_a_module_written_by_hand() -> None:
    ours = seeded(module(loads(EXCHANGE).graph)).double()
    for name, n in (("one", 2), ("two", 3)):
        mine, theirs = ours.get_submodule(name), Exchange(n, 8).double()
        state = list(mine.state_dict().values())
        assert [each.shape for each in state] == [each.shape for each in theirs.state_dict().values()]
        theirs.load_state_dict(dict(zip(theirs.state_dict(), state, strict=True)))
        given = [torch.rand(2, 8, 16 >> at, 16 >> at, dtype=torch.float64) for at in range(n)]
        for mode in (True, False):
            results: list[list[Tensor]] = []
            for network, outputs in ((mine, mine.train(mode)(given)), (theirs, theirs.train(mode)(*given))):
                network.zero_grad()
                torch.stack([each.square().sum() for each in outputs]).sum().backward()
                results.append([*outputs, *(each.grad for each in network.parameters() if each.grad is not None)])
            assert len(results[0]) == len(results[1]) == n + 2 * (4 * n + n)
            for one, other in zip(*results, strict=True):
                torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("text", APART.values(), ids=APART)
def test_several_classes_where_no_loop_says_the_same(text: str) -> None:
    found = emitted(text)
    assert "list[Tensor]" not in found
    check(text)


@pytest.mark.parametrize("name", NETS)
def test_memory_is_what_torch_measures(name: str) -> None:
    graph = loads(NETS[name]).graph
    runs = executions(graph)
    assert training(graph, executions=runs).saved(2) == saved_bytes(*live(graph, 2))
    counted = {False: inference(graph, executions=runs), True: training(graph, tracked=True, executions=runs)}
    for train, memory in counted.items():
        fixed = memory.parameters + memory.buffers
        measured = peak_bytes(*live(graph, 2), training=train)
        assert memory.peak(2).bytes - fixed == pytest.approx(measured - fixed, rel=0.01)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", NETS)
def test_torchscript_takes_the_loops(name: str) -> None:
    network = module(loads(NETS[name]).graph).eval()
    x = torch.rand(1, loads(NETS[name]).graph.input.channels, 16, 16)
    torch.testing.assert_close(torch.jit.script(network)(x), network(x), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("Exchange", "Resample(i, j)", "Resample(j, i)"),
        ("Exchange", "nn.Conv2d(n * w, w, 1) for _ in range(n)", "nn.Conv2d(n * w, w, 1) for _ in range(n + 1)"),
        ("Exchange", "unit(xs[i])", "unit(xs[0])"),
        ("Exchange", "move(xs[j])", "move(xs[-1])"),
        ("Exchange", "self.two([xs[0], m, a3])", "self.two([xs[0], a3, m])"),
        ("Exchange", "self.two([xs[0], m, a3])", "self.two([xs[0], m])"),
        ("Exchange", "self.upsample1(xs[1])", "self.upsample1(xs[2])"),
        ("Pyramid", "range(1, i + 1)", "range(1, n + 1)"),
        ("Octave", "xs[i] + total", "xs[0] + total"),
        ("Octave", "tensors[1:]", "tensors"),
        # A list that a module is given is the caller's, too, and one that it gives is its own.
        ("Exchange", "xs = self.two([xs[0], m, a3])", "xs[2:] = [m, a3]\n        xs = self.two(xs)"),
        ("Exchange", "xs = self.two([xs[0], m, a3])", "xs += [a3]\n        xs = self.two([xs[0], m, a3])"),
        ("Exchange", "xs = [unit", "xs.append(xs[0])\n        xs = [unit"),
        ("Exchange", "xs = [unit", "xs += [unit"),
        ("Exchange", "xs = [unit", "if isinstance(xs, tuple):\n            raise ValueError(xs)\n        xs = [unit"),
        ("Exchange", "xs = [unit", "if len(xs) == 2:\n            return xs\n        xs = [unit"),
    ],
)
def test_a_text_with_one_mistake_is_found(name: str, right: str, wrong: str) -> None:
    text = emitted(NETS[name])
    assert text.count(right) == 1
    assert verify(text.replace(right, wrong), loads(NETS[name]).graph).differences


def test_the_width_is_an_argument_that_is_followed() -> None:
    check(EXCHANGE, w=5)
    graph = loads(EXCHANGE).graph
    domains = {name: tuple(values) for name, values in graph.domains.items()}

    def elaborate(values: Mapping[str, Value]) -> Graph:
        return loads(EXCHANGE, **values).graph

    assert check_arguments(source(graph), elaborate, graph.settings, domains=domains) == ()


def test_hrnet_has_one_class_for_two_three_and_four_streams() -> None:
    """As timm writes it: a list of branches, and for each stream a list of what brings the others to its size."""
    text = source(load(Path("architectures/hrnet.cnn")).graph)
    assert "class Module2" not in text
    assert (
        "        for stage in self.stage4:\n            xs = stage(xs)\n        x = self.incre_modules[0](xs[0])"
        in text
    )
    assert (
        forward_of(text, "Module")
        == """\
        xs = [branch(xs[i]) for i, branch in enumerate(self.branches)]
        return [
            self.relu(total([fuse_layer(xs[j]) for j, fuse_layer in enumerate(row)]))
            for row in self.fuse_layers
        ]"""
    )
