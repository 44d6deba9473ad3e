"""Shared weights: a part that is applied again."""

from __future__ import annotations

from cProfile import Profile

import pytest
import torch
from torch import Tensor, nn

from cnndsl import loads
from cnndsl.analysis.compare import compare
from cnndsl.analysis.cost import costs
from cnndsl.analysis.execution import unknown
from cnndsl.analysis.groups import By, grouped
from cnndsl.errors import CnnError, Source
from cnndsl.syntax.format import format
from cnndsl.syntax.parse import parse
from cnndsl.testing.oracle import differences
from tests.emit.torch.checking import check, emitted, forward_of, seeded

GATE = """\
block Mlp(r=4) = fc1: FC-{C//r} -> RELU -> fc2: FC-C
INPUT 16x16x3 -> conv: CONV3-16 -> MUL(ID, (GAP -> mlp: Mlp + GMP -> again mlp) -> SIGMOID) -> fc: FC-5
"""
CELL = "INPUT 16x16x8 -> cell: [conv: CONV3-8 -> bn: BN -> RELU] -> [again cell]*2 -> fc: FC-5"
HEADS = """\
block Head(c) = [
  x = conv: CONV3-c -> RELU
  cls = @x -> score: CONV1-5
  box = @x -> delta: CONV1-4
]
INPUT 32x32x3 -> a: CONV3-8 -> b: CONV3-8/2
h1 = @a -> head: Head(8)
h2 = @b -> again head
output h1.cls, h1.box, h2.cls, h2.box
"""


class Gate(nn.Module):
    """CBAM's attention over channels, by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, padding=1)
        self.mlp = nn.Module()
        self.mlp.fc1, self.mlp.fc2 = nn.Linear(16, 4), nn.Linear(4, 16)
        self.fc = nn.Linear(16 * 16 * 16, 5)

    def shared(self, x: Tensor) -> Tensor:
        return self.mlp.fc2(self.mlp.fc1(x).relu())

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        scale = (self.shared(x.mean((2, 3))) + self.shared(x.amax((2, 3)))).sigmoid()
        return self.fc((x * scale[:, :, None, None]).flatten(1))


class Cell(nn.Module):
    """One cell, three times."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.Module()
        self.cell.conv, self.cell.bn = nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.fc = nn.Linear(16 * 16 * 8, 5)

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(3):
            x = self.cell.bn(self.cell.conv(x)).relu()
        return self.fc(x.flatten(1))


class Heads(nn.Module):
    """One head on two maps."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, stride=2, padding=1)
        self.head = nn.Module()
        self.head.conv = nn.Conv2d(8, 8, 3, padding=1)
        self.head.score, self.head.delta = nn.Conv2d(8, 5, 1), nn.Conv2d(8, 4, 1)

    def forward(self, x: Tensor) -> list[Tensor]:
        a = self.a(x)
        found: list[Tensor] = []
        for each in (a, self.b(a)):
            x = self.head.conv(each).relu()
            found += [self.head.score(x), self.head.delta(x)]
        return found


@pytest.mark.parametrize(("text", "by_hand"), [(GATE, Gate), (CELL, Cell), (HEADS, Heads)])
@pytest.mark.parametrize("train", [True, False])
def test_the_module_is_that_written_by_hand(text: str, by_hand: type[nn.Module], train: bool) -> None:
    net = loads(text)
    ours, theirs = seeded(net.module()).double().train(train), by_hand().double().train(train)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    x = torch.rand(2, net.graph.input.channels, *net.graph.input.spatial, dtype=torch.float64)
    for found, expected in zip(_listed(ours(x)), _listed(theirs(x)), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
        (found.square().sum()).backward(retain_graph=True)
        (expected.square().sum()).backward(retain_graph=True)
    grads = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.grad, grads[name].grad, rtol=1e-10, atol=1e-12)
    for name, buffer in ours.named_buffers():
        torch.testing.assert_close(buffer, dict(theirs.named_buffers())[name])


def _listed(results: object) -> list[Tensor]:
    return [results] if isinstance(results, Tensor) else list(results)  # type: ignore[call-overload]  # a module gives any object


def test_parameters_count_once_and_arithmetic_each_time() -> None:
    totals = loads(CELL).stats().totals
    assert totals.params == 9 * 8 * 8 + 8 + 2 * 8 + 16 * 16 * 8 * 5 + 5
    assert totals.macs == 3 * 16 * 16 * 9 * 8 * 8 + 16 * 16 * 8 * 5
    assert totals.depth == 4


def test_the_source_calls_one_module() -> None:
    assert forward_of(emitted(CELL), "Net").count("self.cell(") == 3
    forward = forward_of(emitted(GATE), "Net")
    assert forward.count("self.mlp(") == 2
    assert emitted(HEADS).count("= Head(") == 1


@pytest.mark.parametrize(
    "text",
    [
        "INPUT 8x8x4 -> c: CONV3-4 -> again c*3",
        "INPUT 8x8x4 -> [c{i}: CONV3-4 -> RELU -> again c{i}]*2",
        "block B(n) = [u: [CONV3-C -> RELU] -> [again u]*n]\nINPUT 8x8x4 -> B(2) -> B(2) -> B(3)",
        "block N = [cell: [CONV3-8 -> BN] -> RELU -> again cell]\nINPUT 8x8x8 -> net: N -> RELU -> again net -> N",
        "INPUT 8x8x4 -> u: [m: CONV3-4 -> RELU -> n: CONV3-4] -> b: again u -> (ID + @b.m)",
        "INPUT 8x8x4 -> x: CONV3-4 -> u: [(CONV3-4 + @x) -> RELU] -> again u",
        "INPUT 8x8x4 -> u: [CONV3-4 -> BN -> RELU] -> CONV3-4 -> tap aux(train): again u -> CONV3-2",
        "INPUT 8x8x4 -> a: RELU\nx = @a -> c: [CONV3-4 -> BN]\ny = @a -> again c\nz = (@x + @y)",
        "INPUT 8x8x4 -> u: [p: POOL2 -> CONV3-4 -> UNPOOL2(@p)] -> again u",
        "block B(act=yes) = [u: [CONV3-C -> RELU if act] -> again u if act]\nINPUT 8x8x3 -> B -> B(no)",
        "INPUT 8x8x4 -> act: RELU -> CONV3-8 -> again act -> POOL2 -> d: DROPOUT -> CONV3-8 -> again d",
        "INPUT 8x8x3 -> CONV3-4 -> c: CONV3-4(init=kaiming) -> again c",
        "INPUT 8x8x8 -> g: RELU -> b: CONV2-4/2 -> e: ID\nh = @g -> TANH -> again b\noutput h, e",
        "INPUT 8x8x4 -> f: CONV1-4 -> again f -> again f -> a: ID\ne = @f -> again f\nc = @f\noutput c, e, a",
        "INPUT 8x8x4 -> f: BN -> again f -> again f -> a: ID\ne = @f -> again f\nc = @f\noutput c, e, a",
        'INPUT 8x8x4 -> "b-0": CONV3-4 -> again "b-0" -> "c-{1}": [CONV3-4 -> BN] -> again "c-{1}"*2',
        "INPUT 8x8x4 -> 0: CONV3-4 -> 2: [(CONV3-4 + ID)] -> again 2 -> again 0",
        "INPUT 8x8x4 -> [u{i}: [CONV3-4 -> RELU -> v: CONV3-4] -> b{i}: again u{i}]*3 -> (+ @u*.v) -> (ID | @b*)",
        "INPUT 8x8x4 -> a: POOL2 -> t: [CONV3-4 -> UPSAMPLE(out=@a)] -> again t -> UPSAMPLE3 -> again t",
        "block T = CONV3-8 -> GAP -> FC-2\nINPUT 9x9x6 -> (SLICE(0, 3) -> t: T | SLICE(3, 6) -> again t) -> FC-1",
    ],
)
def test_the_module_is_what_the_program_means(text: str) -> None:
    check(text)


@pytest.mark.parametrize(
    ("text", "code", "place", "words"),
    [
        ("INPUT 8x8x3 -> t: CONV3-4 -> again t", "E0248", "again t", "for 3 channels"),
        ("INPUT 8x8x3 -> t: CONV3-{C} -> CONV3-6 -> again t", "E0248", "again t", "CONV3-6"),
        ("INPUT 8x8x3 -> t: ID -> again t", "E0248", "again t", "names a value"),
        ("INPUT 8x8x3 -> a: RELU\nb = @a -> RELU\nc = @a -> again b -> (ID + @b)", "E0248", "again b", "a value"),
        ("INPUT 8x8x3 -> t: RELU -> u: [CONV3-3 -> again t]", "E0248", "again t", "another module"),
        ("INPUT 8x8x3 -> u: [t: CONV3-3] -> again u.t", "E0248", "again u.t", "another module"),
        ("INPUT 8x8x3 -> tower: CONV3-3 -> again tovver", "E0232", "again tovver", "tower"),
        ("INPUT 8x8x3 -> again tower", "E0232", "again tower", "label the part where it first occurs"),
        ("INPUT 8x8x3 -> t: [CONV3-3 -> again t]", "E0248", "again t", "is inside `t`"),
        ("INPUT 8x8x3 -> l: RELU -> r: RELU\na = h: [@l -> CONV3-3]\nb = @r -> again h", "E0248", "again h", "dropped"),
        (
            "block H(from) = @from -> CONV3-3\nINPUT 8x8x3 -> l: RELU -> r: RELU\na = h: H(@l)\nb = @r -> again h",
            "E0248",
            "again h",
            "dropped",
        ),
        (
            "block F(x) = (@x + @x) -> RELU\nINPUT 8x8x3 -> l: RELU -> r: RELU\na = h: F(@l)\nb = @r -> again h",
            "E0248",
            "again h",
            "dropped",
        ),
        (
            "INPUT 8x8x4 -> t: RELU -> again t -> c: CONV3-4 -> again t\np = @c -> GAP\noutput c, p, t",
            "E0239",
            "again t",
            "is never used",
        ),
        ("INPUT 8x8x3 -> t: [CONV3-3 -> tap s: GAP] -> again t", "E0248", "again t", "tap `s`"),
        ("INPUT 10x10x3 -> t: CONV2-3/2 -> again t", "E0248", "again t", "one module for an input"),
        ("INPUT 8x8x3 -> t: POOL2 -> CONV3-4/2 -> again t -> again t", "E0301", "POOL2", "applied again"),
        ("INPUT 8x8x3 -> tap a(train): [GAP] -> again a", "E0234", "again a", "only during training"),
        ("INPUT 8x8x3 -> t: CONV3-3 -> t: again t", "E0235", "t", "used twice"),
        ("INPUT 8x8x3 -> t: CONV3-3 -> t: CONV3-3", "E0235", "t", "write `again t`"),
        ("INPUT 8x8x3 -> c.0: CONV3-3 -> again c", "E0248", "again c", "names a value"),
        ("INPUT 8x8x3 -> c.0: CONV3-3 -> again c.1", "E0248", "again c.1", "another module"),
    ],
)
def test_what_cannot_be_applied_again(text: str, code: str, place: str, words: str) -> None:
    with pytest.raises(CnnError) as caught:
        loads(text)
    (found,) = caught.value.diagnostics
    assert found.code == code
    assert found.span is not None
    assert found.span.text == place
    notes = [note.text for note in found.others]
    assert any(words in each for each in (found.message, found.help, *notes, *found.context))


def test_the_formatter_keeps_it() -> None:
    text = "INPUT 8x8x3 -> t{1}: CONV3-3 -> b: again t{1}*2\n"
    assert format(parse(Source("net.cnn", text.replace("again t", "again   t")))) == text


def test_an_optional_part_that_is_absent_is_absent_again() -> None:
    text = "INPUT 8x8x3 -> t: CONV3-3? -> again t -> RELU"
    assert [node.kind for node in loads(text, t=False).graph] == ["INPUT", "RELU"]
    assert [node.kind for node in loads(text).graph] == ["INPUT", "CONV", "CONV", "RELU"]
    repeat = "net N(n=2)\nINPUT 8x8x3 -> t: [CONV3-3]*n -> again t -> RELU"
    assert [node.kind for node in loads(repeat, n=0).graph] == ["INPUT", "RELU"]
    assert len(loads(repeat).graph) == 6


SIAMESE = """\
block Tower = CONV10-64(pad=valid) -> RELU -> POOL2 -> CONV7-128(pad=valid) -> RELU -> POOL2
  -> CONV4-128(pad=valid) -> RELU -> POOL2 -> CONV4-256(pad=valid) -> RELU -> FC-4096 -> SIGMOID
left = INPUT 105x105x1
right = INPUT 105x105x1
a = @left -> tower: Tower
b = @right -> again tower
difference = (@a + @b -> TIMES(-1))
same = (@difference -> RELU + @difference -> TIMES(-1) -> RELU) -> FC-1 -> SIGMOID
"""


def test_a_part_of_a_module_in_pieces() -> None:
    chain = "convs.0: CONV3-4 -> bns.0: BN -> convs.1: CONV3-4 -> again convs.1 -> bns.1: BN -> again convs.0"
    assert differences(f"INPUT 8x8x4 -> {chain}") == []


def test_a_siamese_net() -> None:
    """Koch, Zemel and Salakhutdinov 2015, Figure 4; weights and biases summed by hand."""
    net = loads(SIAMESE)
    tower = 100 * 64 + 64 + 49 * 64 * 128 + 128 + 16 * 128 * 128 + 128 + 16 * 128 * 256 + 256 + 9216 * 4096 + 4096
    assert net.stats().totals.params == tower + 4096 + 1
    network = seeded(net.module()).eval()
    first, second = torch.rand(2, 3, 1, 105, 105)
    one, other = network.tower(first), network.tower(second)
    expected = network.fc((one - other).abs()).sigmoid()
    torch.testing.assert_close(network(first, second), expected)


@pytest.mark.parametrize("by", ["block", "kind", "stage"])
def test_rows_of_a_table_add_up(by: By) -> None:
    stats = loads(CELL).stats()
    costs_of = costs(stats.graph)
    nodes = [at for group in grouped(stats.graph, by) for at in group.nodes]
    assert sum(costs_of[at].macs for at in nodes) == stats.totals.macs
    assert sum(costs_of[at].params for at in nodes) == stats.totals.params


def test_references_in_it_mean_what_they_meant() -> None:
    graph = loads("INPUT 8x8x3 -> a: RELU -> u: [CONV3-3 -> t: [(ID + @a)] -> a: RELU -> again t] -> RELU").graph
    adds = [node for node in graph if node.kind == "ADD"]
    assert [graph.nodes[each.inputs[1]].path for each in adds] == ["a", "a"]


def test_weights_of_its_own_are_a_difference() -> None:
    shared = loads("INPUT 8x8x3 -> a: CONV3-3 -> b: again a -> FC-2").graph
    apart = loads("INPUT 8x8x3 -> a: CONV3-3 -> b: CONV3-3 -> FC-2").graph
    changes = [change for pair in compare(shared, apart, unknown).pairs for change in pair.changes]
    assert ("weights of", "a", "its own") in changes
    assert not compare(shared, shared, unknown).differs


def test_the_word_stays_free_for_blocks_and_labels() -> None:
    text = "block again = CONV3-4\nINPUT 8x8x3 -> again: RELU -> again -> again if yes -> again\nlet k = 3"
    assert [node.kind for node in loads(text).graph] == ["INPUT", "RELU", "CONV", "CONV", "CONV"]


@pytest.mark.parametrize("part", ["CONV3-3", "[CONV3-3 -> RELU]", "[(CONV3-3 + ID) -> RELU]"])
def test_work_grows_with_the_number_of_applications_alone(part: str) -> None:
    """Counted as calls of Python's functions, which do not depend on the machine."""
    few, many = (calls_of(f"INPUT 8x8x3 -> c: {part} -> [again c]*{number}") for number in (150, 600))
    assert many < 4.6 * few


def calls_of(text: str) -> int:
    profile = Profile()
    profile.enable()
    loads(text).source()
    profile.disable()
    return sum(entry.callcount for entry in profile.getstats())


def test_applications_that_were_only_tried_out_are_not_numbered() -> None:
    text = "INPUT 8x8x3 -> c: CONV3-3 -> (again c -> CONV3-8 + again c or CONV1-8) -> CONV3-3 -> again c"
    assert [node.path for node in loads(text).graph if node.kind == "CONV" and "@" in node.path] == ["c@2", "c@3"]


@pytest.mark.parametrize(
    "chain",
    [
        "k: CONV3-4 -> RELU -> bns.1: again k -> (ID + @bns.1)",
        "c.0: CONV3-4 -> b.0: again c.0 -> c.1: again c.0 -> (@b.0 + @c.1 + ID)",
        'k: CONV3-4 -> both.x: again k -> "a-1": again k -> (@both.x + ID)',
    ],
)
def test_a_label_of_a_piece_may_stand_at_a_further_application(chain: str) -> None:
    assert differences(f"INPUT 8x8x4 -> {chain}") == []
