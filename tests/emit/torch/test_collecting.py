"""Loops that collect a value of each call: their texts, what they compute, what they need, which texts are wrong."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cnndsl import loads
from cnndsl.analysis import memory
from cnndsl.emit.torch.execution import executions
from cnndsl.emit.torch.verify import verify
from cnndsl.runtime.live import module
from tests.analysis.measuring import live, peak_bytes
from tests.emit.torch.checking import check, emitted, forward_of, seeded

LAYER = """\
block Layer(d) = [
  x = ID
  gate = MUL(@x -> CONV3-8(dilation=d) -> TANH, @x -> CONV3-8(dilation=d) -> SIGMOID)
  skip = @gate -> CONV1-12
  sum = (@x + @gate -> CONV1-8)
]
"""
TEN = "i, d in (0, 1), (1, 2), (2, 4), (3, 8), (4, 16), (5, 32), (6, 64), (7, 128), (8, 256), (9, 512)"
WAVENET = f"""\
{LAYER}
INPUT 600x1 -> CONV1-8 -> for c in 0, 1 [for {TEN} [layers.d{{10*c + i}}: Layer(d)]] -> last: CONV1-12
out = (@last + @layers.d*.skip) -> RELU -> CONV1-10
"""
JOINED = f"""\
{LAYER}
INPUT 40x1 -> start: CONV1-8 -> for i in 1..4 [layers.d{{i}}: Layer(i)] -> last: CONV1-12
out = (@last | @layers.d*.skip | @start) -> RELU -> CONV1-10
"""
DENSE = """\
block Layer = BN -> RELU -> CONV1-16(bias=no) -> BN -> RELU -> CONV3-4(bias=no)
INPUT 16x16x3 -> CONV3-8 -> dense: [stem: ID -> [(@stem | @layer*) -> layer{i}: Layer]*6 -> (@stem | @layer*)]
-> BN -> RELU -> GAP -> FC-10
"""
UNITS = "INPUT 8x8x3 -> stem: CONV3-8 -> [units.u{i}: [CONV3-8 -> RELU]]*4 -> (@stem | @units.u*) -> FC-10"
LISTED = """\
INPUT 8x8x3 -> a: CONV3-8
b = @a -> [for i in 0..3 [x{i} = @a -> convs.{i}: CONV3-8]
y = (| @x*)] -> FC-3
"""
PROGRAMS = [
    WAVENET,
    JOINED,
    DENSE,
    UNITS,
    UNITS.replace("|", "+"),
    LISTED,
]


def test_a_sum() -> None:
    assert (
        forward_of(emitted(WAVENET), "Net")
        == """\
        x = self.conv1(x)
        skips: list[Tensor] = []
        for layer in self.layers.values():
            skip, x = layer(x)
            skips.append(skip)
        x = self.last(x)
        for skip in skips:
            x += skip
        del skips
        return self.conv2(self.relu(x))"""
    )


def test_a_concatenation_with_values_before_and_after() -> None:
    assert "torch.cat([x] + skips + [start], 1)" in forward_of(emitted(JOINED), "Net")


def test_a_dense_block() -> None:
    assert (
        forward_of(emitted(DENSE), "Dense")
        == """\
        features = [x]
        for layer in self.children():
            x = layer(x)
            features.append(x)
            x = torch.cat(features, 1)
        return x"""
    )


def test_a_list_of_modules_on_one_value() -> None:
    assert forward_of(emitted(LISTED), "Net").startswith("""\
        a = self.a(x)
        outputs: list[Tensor] = []
        for conv in self.convs:
            outputs.append(conv(a))
        del a
        x = torch.flatten(torch.cat(outputs, 1), 1)
""")


def test_what_is_no_loop() -> None:
    """Few calls, calls beside others, branches that are not alike, values that are added at once or read elsewhere."""
    assert "for " not in forward_of(emitted(UNITS.replace("*4", "*3")), "Net")
    assert "for " not in forward_of(emitted(UNITS.replace("units.u", "u")), "Net")
    assert "for " not in forward_of(emitted(LISTED.replace("| @x", "+ @x")), "Net")
    branches = "u1: CONV1-8 | u2: [CONV1-8 -> RELU] | u3: POOL3/1(pad=same) | u4: CONV3-8"
    assert "for " not in forward_of(emitted(f"INPUT 8x8x3 -> part: [({branches})] -> FC-3"), "Part")
    assert "for " not in forward_of(emitted(UNITS.replace("FC", "(ID | @units.u2) -> FC")), "Net")


@pytest.mark.parametrize("text", PROGRAMS)
def test_it_computes_what_the_layers_compute(text: str) -> None:
    check(text)


@pytest.mark.parametrize("text", PROGRAMS)
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
def test_it_can_be_scripted_and_exported(text: str) -> None:
    graph = loads(text).graph
    network = seeded(module(graph)).eval()
    x = torch.rand(2, graph.input.channels, *graph.input.spatial)
    assert torch.equal(torch.jit.script(network)(x), network(x))
    assert torch.equal(torch.export.export(network, (x,)).module()(x), network(x))


@pytest.mark.parametrize("text", PROGRAMS)
@pytest.mark.parametrize("training", [False, True])
def test_memory_is_what_is_predicted(text: str, training: bool) -> None:
    graph = loads(text).graph
    network, x = live(graph, 16)
    runs = executions(graph)
    predicted = memory.training(graph, executions=runs) if training else memory.inference(graph, executions=runs)
    measured = peak_bytes(network, x, training=training)
    assert predicted.peak(16).bytes == pytest.approx(measured, rel=0.02 if training else 0)


class WaveNet(nn.Module):
    """The same with a list, written by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.start = nn.Conv1d(1, 8, 1)
        dilations = [2**at for at in range(10)] * 2
        self.filters = nn.ModuleList(nn.Conv1d(8, 8, 3, dilation=d, padding=d) for d in dilations)
        self.gates = nn.ModuleList(nn.Conv1d(8, 8, 3, dilation=d, padding=d) for d in dilations)
        self.skips = nn.ModuleList(nn.Conv1d(8, 12, 1) for _ in dilations)
        self.residuals = nn.ModuleList(nn.Conv1d(8, 8, 1) for _ in dilations)
        self.last, self.head = nn.Conv1d(8, 12, 1), nn.Conv1d(12, 10, 1)

    def forward(self, x: Tensor) -> Tensor:
        x, skips = self.start(x), []
        for filter, gate, skip, residual in zip(self.filters, self.gates, self.skips, self.residuals, strict=True):
            y = torch.tanh(filter(x)) * torch.sigmoid(gate(x))
            skips.append(skip(y))
            x = x + residual(y)
        total = self.last(x)
        for each in skips:
            total = total + each
        return self.head(torch.relu(total))

    def named(self) -> list[nn.Module]:
        """The convolutions in the order of the program."""
        rows = zip(self.filters, self.gates, self.skips, self.residuals, strict=True)
        return [self.start, *(each for row in rows for each in row), self.last, self.head]


def test_wavenet_is_the_same_to_the_last_bit() -> None:
    ours, theirs = seeded(module(loads(WAVENET).graph)), WaveNet()
    convolutions = [each for each in ours.modules() if isinstance(each, nn.Conv1d)]
    for mine, other in zip(convolutions, theirs.named(), strict=True):
        other.load_state_dict(mine.state_dict())
    x = torch.rand(2, 1, 600)
    assert torch.equal(ours(x), theirs(x))


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        (WAVENET, "            skips.append(skip)\n", ""),
        (WAVENET, "skips.append(skip)", "skips.append(x)"),
        (WAVENET, "            skips.append(skip)\n", "            skips.append(skip)\n" * 2),
        (WAVENET, "for skip in skips:", "for skip in skips[1:]:"),
        (WAVENET, "for skip in skips:", "for skip in skips[:-1]:"),
        (WAVENET, "self.layers.values()", "self.children()"),
        (WAVENET, "self.layers.values()", "list(self.layers.values())[1:]"),
        (WAVENET, "self.layers.values()", "self.layers.values(1)"),
        (WAVENET, "self.layers.values()", "self.layers"),
        (WAVENET, "self.layers.values()", "self.values()"),
        (WAVENET, "skip, x = layer(x)", "x, skip = layer(x)"),
        (JOINED, "[x] + skips", "skips + [x]"),
        (JOINED, "[x] + skips", "skips"),
        (JOINED, "+ skips +", "+ skips[1:] + skips[:1] +"),
        (UNITS, "outputs = [stem]", "outputs: list[Tensor] = []"),
        (UNITS, "outputs = [stem]", "outputs = [stem, stem]"),
        (UNITS, "outputs.append(x)", "outputs.append(stem)"),
        (DENSE, "features = [x]", "features: list[Tensor] = []"),
        (DENSE, "            x = torch.cat(features, 1)\n", ""),
        (DENSE, "            features.append(x)\n", ""),
        (DENSE, "torch.cat(features, 1)", "torch.cat([x] + features, 1)"),
        (LISTED, "conv(a)", "conv(x)"),
        (UNITS.replace("|", "+"), "stem + outputs[0]", "stem + outputs[1]"),
        (UNITS.replace("|", "+"), "outputs[1:]", "outputs"),
        (UNITS.replace("|", "+"), "y += output", "y -= output"),
    ],
)
def test_wrong_texts_are_caught(text: str, right: str, wrong: str) -> None:
    graph, given = loads(text).graph, emitted(text)
    assert verify(given, graph).agrees
    assert right in given
    assert not verify(given.replace(right, wrong), graph).agrees
