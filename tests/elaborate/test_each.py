"""`each`: which branches it stands for, what they read, and where it may stand."""

from __future__ import annotations

import pytest

from cnndsl import loads
from cnndsl.emit.torch.verify import verify
from cnndsl.graph import ChoicePart, walk
from tests.elaborate.making import codes, graph, output, wrong


def merged(text: str, **settings: object) -> list[list[str]]:
    """What the merges of a network read, by their paths."""
    made = graph(text, **settings)
    return [[made.nodes[each].path for each in node.inputs] for node in made.layers if len(node.inputs) > 1]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("INPUT 8x8x3 -> (| each d in 1, 2, 4 [CONV3-4(dilation=d)])", ["0", "1", "2"]),
        ("INPUT 8x8x3 -> (ID + each g in 1..2 [b{g}: [CONV3-3 -> RELU]])", ["input", "b1.1", "b2.1"]),
        ("INPUT 8x8x3 -> (each g in 1..2 [b{g}: CONV3-3] + each g in 3..4 [b{g}: BN])", ["b1", "b2", "b3", "b4"]),
        ("INPUT 8x8x3 -> MUL(each a in 1, 3 [c{a}: CONV{a}-4])", ["c1", "c3"]),
        ("INPUT 8x8x3 -> MEAN(ID, each k in RELU, TANH [k])", ["input", "0", "1"]),
        ("INPUT 8x8x3 -> (ID + each g in 1..0 [CONV3-3] + CONV3-3)", ["input", "0"]),
        ("INPUT 8x8x3 -> (ID + each g in 1..3 [b{g}: CONV3-3 if g != 2])", ["input", "b1", "b3"]),
        ("INPUT 8x8x3 -> a: BN -> (| each g in 1..2 [@a -> CONV{g}-2])", ["conv1", "conv2"]),
        ("INPUT 8x8x3 -> [u{i}: BN]*2 -> (| each g in 1..2 [@u{g}])", ["u1", "u2"]),
        ("INPUT 8x8x3 -> (| each g in 1..2 [x{g} = CONV3-2  y{g} = (@x{g} -> RELU | @x{g})])", None),
    ],
)
def test_what_is_merged(text: str, read: list[str] | None) -> None:
    merges = merged(text)
    if read is not None:
        assert merges == [[*read]]
    else:
        # What begins with an equation takes what enters; each branch joins its own two values, then both are joined.
        assert [len(each) for each in merges] == [2, 2, 2]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("INPUT 8x8x3 -> (CONV3-3 + each k in 1, 3 [ID or CONV{k}-3])", ["0", "input", "input"]),
        ("INPUT 8x8x3 -> (CONV3-4/2 + each k in 1, 3 [ID or CONV{k}-4/2])", ["0", "1", "2"]),
        ("INPUT 8x8x3 -> (each k in 1, 3 [ID or CONV{k}-4/2] + CONV3-4/2)", ["0", "1", "2"]),
        ("INPUT 8x8x3 -> (CONV3-4 + each c in 4, 8 [CONV1-c or CONV3-4])", ["0", "1", "2"]),
        ("INPUT 8x8x3 -> (ID or CONV1-3 + each c in 1, 2 [ID or CONV1-3])", ["0", "input", "input"]),
        # Where nothing else is to be fitted, the first is its last choice, and the next ones fit that.
        ("INPUT 8x8x3 -> (+ each c in 3, 4 [ID or CONV1-c])", ["0", "input"]),
        ("INPUT 8x8x3 -> (CONV3-3 + each g in 1..2 [ID or CONV1-3 or b{g}: BN])", ["0", "input", "input"]),
    ],
)
def test_each_branch_is_the_first_choice_that_fits(text: str, read: list[str]) -> None:
    assert merged(text) == [read]
    net = loads(text)
    assert verify(net.source(), net.graph).agrees


def test_a_choice_that_no_branch_fits_names_all_it_tried() -> None:
    (error,) = wrong("INPUT 8x8x3 -> (CONV3-4/2 + each c in 5, 6 [ID or CONV1-c])")
    assert error.code == "E0312"
    assert "[8x8x3] or [8x8x5] with c = 5" in error.label


def test_every_branch_starts_from_the_input_of_the_merge() -> None:
    made = graph("INPUT 8x8x3 -> stem: BN -> (| each c in 4, 6, 8 [CONV3-c -> RELU])")
    convolutions = [node for node in made.layers if node.kind == "CONV"]
    assert [made.nodes[node.inputs[0]].path for node in convolutions] == ["stem"] * 3
    assert output("INPUT 8x8x3 -> (| each c in 4, 6, 8 [CONV3-c])") == "8x8x18"  # 4 + 6 + 8


@pytest.mark.parametrize(
    ("head", "channels"),
    [
        ("a = (| each i in 1..2 [@f{i} -> CONV3-C]) -> RELU", 4 + 6),
        # Inside of a block C is that of the first reference.
        ("a = Head", 4 + 4),
        ("a = head: Head", 4 + 4),
        ("a = (Head | Head)", 4 * 4),
    ],
)
def test_a_further_chain_begins_with_it(head: str, channels: int) -> None:
    block = "block Head = (| each i in 1..2 [@f{i} -> m.{i}: CONV3-C]) -> RELU\n"
    net = loads(f"{block}INPUT 8x8x3 -> f1: CONV3-4 -> f2: CONV3-6\n{head}")
    assert net.graph.nodes[net.graph.output].shape.channels == channels
    assert verify(net.source(), net.graph).agrees


def test_a_turn_reads_those_before_it() -> None:
    # Res2Net's unit (Gao et al. 2019): each group but the first also takes what the one before it gives.
    unit = "y{i}: [SLICE(4*i, 4*i + 4) -> (ID + @y{i-1}) -> CONV3-4]"
    made = graph(f"INPUT 8x8x16 -> (SLICE(0, 4) | y1: [SLICE(4, 8) -> CONV3-4] | each i in 2..3 [{unit}])")
    sums = [[made.nodes[each].path for each in node.inputs] for node in made.layers if node.kind == "ADD"]
    assert sums == [["y2.0", "y1.1"], ["y3.0", "y2.1"]]


def test_a_star_over_the_branches() -> None:
    text = "INPUT 8x8x3 -> a: [(| each g in 1..3 [b{g}: CONV3-2])] -> (ID | @a.b*)"
    assert merged(text) == [["a.b1", "a.b2", "a.b3"], ["a.concat", "a.b1", "a.b2", "a.b3"]]


def test_the_number_of_branches_may_be_a_parameter() -> None:
    text = "net N(n=2)\nINPUT 8x8x3 -> (ID | each g in 1..n [CONV3-4])"
    assert [output(text, n=n) for n in (0, 1, 2, 5)] == ["8x8x3", "8x8x7", "8x8x11", "8x8x23"]


def test_rows_may_be_those_of_a_list() -> None:
    # One row of a list of numbers is walked by one name; rows of two by two.
    text = "net N(widths=(4, 8), rows=((1, 4), (2, 8), (3, 2)))\nINPUT 8x8x3 -> (| each c in widths [CONV3-c]) -> "
    assert output(f"{text}(| each d, c in rows [CONV3-c(dilation=d)])") == "8x8x14"
    assert output(f"{text}(ID | each k in 1..len(widths) [CONV3-{{widths[k]}}])") == "8x8x24"
    assert output(f"{text}(ID | each d, c in rows [CONV3-c(dilation=d)])", rows=()) == "8x8x12"


def test_what_decides_on_the_branches_is_known_where_there_are_none() -> None:
    made = graph("net N(n=0)\nINPUT 8x8x3 -> (ID + each g in 1..n [CONV3-3])")
    absent = [part for part in walk(made.tree) if isinstance(part, ChoicePart)]
    assert [part.kind for part in absent] == ["absent", "absent"]  # one for each end of the range


def test_a_projection_fits_the_branches_before_and_behind_it() -> None:
    for text in ("each k in 1, 3 [CONV{k}-8/2] + ID or CONV1-8/2", "ID or CONV1-8/2 + each k in 1, 3 [CONV{k}-8/2]"):
        assert output(f"INPUT 8x8x4 -> ({text})") == "4x4x8"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("INPUT 8x8x3 -> each c in 4, 8 [CONV3-c]", "E0230", "only allowed as a whole branch"),
        ("INPUT 8x8x3 -> (ID | each c in 4, 8 [CONV3-c] -> RELU)", "E0230", "only allowed as a whole branch"),
        ("INPUT 8x8x3 -> (ID | each c in 4, 8 [CONV3-c]?)", "E0230", "only allowed as a whole branch"),
        ("INPUT 8x8x3 -> (ID | a: each c in 4, 8 [CONV3-c])", "E0230", "only allowed as a whole branch"),
        ("INPUT 8x8x3 -> (| each c in 1..0 [CONV3-c])", "E0230", "makes no branches"),
        ("INPUT 8x8x3 -> (| for c in 4, 8 [CONV3-c])", "E0230", "needs two or more branches, but has one here"),
        ("INPUT 8x8x3 -> (+ each c in 4, 8 [CONV3-c])", "E0312", "different shapes"),
        ("INPUT 8x8x3 -> (| each c in 4, 8 [a: CONV3-c])", "E0235", "used twice"),
        ("INPUT 8x8x3 -> (| each c, d in 4, 8 [CONV3-c])", "E0237", "`each` names 2"),
        ("INPUT 8x8x3 -> (| each c in 3..1 [CONV3-c])", "E0213", "the range 3..1 is invalid"),
        ("INPUT 8x8x3 -> (| each c in 1..1000000 [CONV3-c])", "E0209", "1,000,000 layers"),
        ("INPUT 8x8x3 -> (| each c in 1..n [CNOV3-c])", "E0231", "CNOV3"),
        ("INPUT 8x8x3 -> (| each c of 4, 8 [CONV3-c])", "E0102", "found `c`"),
    ],
)
def test_where_it_cannot_stand(text: str, code: str, said: str) -> None:
    assert code in codes(text)
    assert any(said in each.message for each in wrong(text))


def test_a_mistake_says_in_which_branch_it_is() -> None:
    (found,) = wrong("INPUT 8x8x3 -> (| each k in 3, 9 [POOL{k}])")
    assert list(found.context) == ["in branch 2 of 2"]


def test_branches_that_differ_are_shown_with_their_rows() -> None:
    (found,) = wrong("INPUT 8x8x3 -> (+ each c, k in (4, 1), (4, 3), (8, 1) [CONV{k}-c])")
    assert [found.label, *(each.text for each in found.others)] == [
        "[8x8x8] with c = 8, k = 1",
        "[8x8x4] with c = 4, k = 1",
    ]
