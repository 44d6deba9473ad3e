"""References with a star: which parts they stand for, and where they may stand."""

from __future__ import annotations

import pytest

from cnndsl import loads
from tests.elaborate.making import codes, graph, output, wrong

UNITS = "INPUT 8x8x3 -> [unit{i}: [skip: CONV3-8 -> RELU]]*3"


def merged(text: str, **settings: object) -> list[list[str]]:
    """What the merges of a network read, by their paths."""
    made = graph(text, **settings)
    return [[made.nodes[each].path for each in node.inputs] for node in made.layers if len(node.inputs) > 1]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (f"{UNITS} -> (ID + @unit*)", ["unit3.relu", "unit1.relu", "unit2.relu", "unit3.relu"]),
        (f"{UNITS}\nb = (+ @unit*.skip)\noutput b, unit3", ["unit1.skip", "unit2.skip", "unit3.skip"]),
        (f"{UNITS} -> MAX(@unit*.relu)", ["unit1.relu", "unit2.relu", "unit3.relu"]),
        (f"{UNITS} -> MEAN(@unit*.skip, ID)", ["unit1.skip", "unit2.skip", "unit3.skip", "unit3.relu"]),
        ("INPUT 8x8x3 -> for d in 1, 2, 4 [u{d}: CONV3-4] -> (| @u*)", ["u1", "u2", "u4"]),
        ("INPUT 8x8x3 -> a: CONV3-4\nb = [[x{i} = @a -> CONV3-4]*2 y = (+ @x*)]", ["conv1", "conv2"]),
        ("INPUT 8x8x3 -> b: [[x{i} = CONV3-4]*2] -> (| @b.x*)", ["b.conv1", "b.conv2"]),
        ("INPUT 8x8x3 -> [a{i}: CONV3-4]*2 -> a9: CONV3-4 -> [a{i + 4}: CONV3-4]*1 -> (+ @a*)", ["a1", "a2", "a5"]),
        ("INPUT 8x8x3 -> a: CONV3-4 -> [v{i}: CONV3-4]*2 -> (@v*|@a)", ["v1", "v2", "a"]),
        ("INPUT 8x8x3 -> [m.c{i}: CONV3-3]*3 -> (ID | @m.c*)", ["m.c3", "m.c1", "m.c2", "m.c3"]),
        ('INPUT 8x8x3 -> [u{i}: ["s-1": CONV3-3 -> RELU]]*2 -> (ID | @u*."s-1")', ["u2.relu", "u1.s-1", "u2.s-1"]),
        ('INPUT 8x8x3 -> ["b-{i}": CONV3-3]*2 -> (| @"b-"*)', ["b-1", "b-2"]),
        (
            "INPUT 8x8x3 -> for r in 0..1 [for j in 0..1 [c{r}_{j}: CONV3-3]] -> (@c0_*|@c1_*)",
            ["c0_0", "c0_1", "c1_0", "c1_1"],
        ),
        ("INPUT 8x8x3 -> for r in 0..1 [[c{r}_{i}: CONV3-3]*2 -> (ID + @c{r}_*)]", ["c1_2", "c1_1", "c1_2"]),
        ("INPUT 8x8x3 -> for r in 0..1 [[c{r}{i}: CONV3-3]*2] -> (| @c*)", ["c01", "c02", "c11", "c12"]),
        ("INPUT 8x8x3 -> b: [for r in 0..1 [[c{r}_{i}: CONV3-3]*2]] -> (ID | @b.c0_*)", ["b.c1_2", "b.c0_1", "b.c0_2"]),
        ("INPUT 8x8x3 -> [m{i}.c{i}: CONV3-3]*2 -> (ID | @m1.c*)", ["m2.c2", "m1.c1"]),
        ("INPUT 8x8x3 -> [m.{i}: CONV3-3]*3 -> (ID | @m.*)", ["m.3", "m.1", "m.2", "m.3"]),
        ("INPUT 8x8x3 -> [m.{i}: CONV3-3 -> m.x: BN -> RELU]*1 -> (ID | @m.*)", ["relu", "m.1"]),
        ("INPUT 8x8x3 -> [m.{i}.c: CONV3-3 -> m.{i}.d: BN]*2 -> (ID | @m.*.c)", ["m.2.d", "m.1.c", "m.2.c"]),
        ("INPUT 8x8x3 -> [m{i}.c: CONV3-3]*2 -> (| @m*.c)", ["m1.c", "m2.c"]),
        ("INPUT 8x8x3 -> [a.b.{i}: BN]*2 -> (| @a.b.*)", ["a.b.1", "a.b.2"]),
        (
            "INPUT 8x8x3 -> f: [[m.{i}: CONV3-3 -> m.u{i}: RELU]*2] -> (@f.m.u* | @f.m.*)",
            ["f.m.u1", "f.m.u2", "f.m.1", "f.m.2"],
        ),
        ("INPUT 8x8x3 -> f: [[{i}: CONV3-4 -> {i + 5}: BN]*2] -> (| @f.*)", ["f.1", "f.6", "f.2", "f.7"]),
        ("INPUT 8x8x3 -> [g{i}: [[{i}: CONV3-3]*2]]*2 -> (| @g*.*)", ["g1.1", "g1.2", "g2.1", "g2.2"]),
        ('INPUT 8x8x3 -> f: [["a-b".{i}: BN]*2] -> (ID | @f."a-b".*)', ["f.a-b.2", "f.a-b.1", "f.a-b.2"]),
        ("INPUT 8x8x3 -> [u{i}: CONV3-4 if i != 2 else BN]*3 -> (| @u*)", ["u1", "u3"]),
    ],
)
def test_stands_for_the_parts_of_all_turns(text: str, read: list[str]) -> None:
    assert merged(text)[-1] == read


def test_stars_in_stars() -> None:
    text = (
        "INPUT 8x8x3 -> for s in 1..2 [stage{s}: [[unit{i}: [skip: CONV3-8 -> RELU]]*2]] -> (ID | @stage*.unit*.skip)"
    )
    assert merged(text) == [["stage2.unit2.relu", *(f"stage{s}.unit{i}.skip" for s in (1, 2) for i in (1, 2))]]


def test_holes_beside_stars() -> None:
    text = (
        "INPUT 8x8x3 -> for s in 1..2 [stage{s}: [[unit{i}: CONV3-8]*2]]"
        " -> for s in 1..2 [head{s}: [(+ @stage{s}.unit*) -> CONV1-4]] -> (| @head*)"
    )
    assert merged(text) == [
        ["stage1.unit1", "stage1.unit2"],
        ["stage2.unit1", "stage2.unit2"],
        ["head1.0", "head2.0"],
    ]


def test_each_turn_sees_those_before_it() -> None:
    text = "INPUT 8x8x3 -> stem: CONV3-16 -> [layer{i}: [(@stem | @layer*) -> CONV3-4]]*3 -> (@stem | @layer*)"
    assert merged(text) == [
        ["stem", "layer1.0"],
        ["stem", "layer1.0", "layer2.0"],
        ["stem", "layer1.0", "layer2.0", "layer3.0"],
    ]
    # 16 channels and 4 of each layer before it, at 9 weights for each of 4 filters, and their biases.
    assert loads(text).stats().totals.params == (3 * 9 + 1) * 16 + (16 + 20 + 24) * 9 * 4 + 3 * 4


def test_a_module_has_its_own_parts() -> None:
    """In the first turn the star means no part of the module around it, although that has parts called so."""
    text = "INPUT 8x8x3 -> [u{i}: CONV3-4]*2 -> d: [x: CONV3-4 -> [u{i}: [(@x | @u*) -> CONV3-4]]*2]"
    assert merged(text) == [["d.x", "d.u1.0"]]


def test_blocks_see_the_parts_around_their_call() -> None:
    text = "block Sum = [(+ @unit*)] -> CONV1-4\nINPUT 8x8x3 -> [unit{i}: CONV3-8]*2\nb = Sum\noutput b"
    assert merged(text) == [["unit1", "unit2"]]


def test_of_one_part_it_is_the_part() -> None:
    assert merged("INPUT 8x8x3 -> [u{i}: CONV3-8]*1\nb = (+ @u*)\noutput b") == []


def test_the_shape_of_a_further_chain_is_that_of_the_first() -> None:
    assert output("INPUT 8x8x3 -> [u{i}: CONV3-8]*3\nb = (| @u*) -> CONV1-{C//2}") == "8x8x12"
    assert output("INPUT 8x8x3 -> a: CONV3-6 -> [u{i}: CONV3-8]*2\nb = MAX([@u1 -> CONV1-C], @u*)") == "8x8x8"


def test_a_projection_fits_what_the_star_stands_for() -> None:
    text = "INPUT 8x8x3 -> [u{i}: CONV3-8]*2 -> CONV3-4 -> (ID or CONV1-8 + @u*)"
    assert merged(text) == [["conv2", "u1", "u2"]]


@pytest.mark.parametrize("count", ["@a*3", "@a*n", "@a*{n}", "@a *3", "@a* 3", "@a*\n # three\n 3"])
def test_repeats_of_references_stay(count: str) -> None:
    assert merged(f"let n = 3\nINPUT 8x8x3 -> a: CONV3-3 -> ({count} + ID)") == [["a", "a"]]


@pytest.mark.parametrize(
    ("text", "code", "help"),
    [
        (f"{UNITS} -> (ID + @unti*)", "E0232", "did you mean `@unit*`?"),
        (f"{UNITS} -> (ID + @unit*.skp)", "E0232", "did you mean `unit1.skip`?"),
        ("INPUT 8x8x3 -> unit1: CONV3-3 -> (ID + @unit*)", "E0232", "whose label has a placeholder: `unit{i}: …`"),
        ("INPUT 8x8x3 -> a: CONV3-3 -> (ID + @u*) -> [u{i}: CONV3-3]*2", "E0232", "earlier parts"),
        (
            "INPUT 8x8x3 -> m.0: CONV3-3 -> m.1: CONV3-3 -> (ID + @m.*)",
            "E0232",
            "whose label has a placeholder: `{i}: …`",
        ),
        ("INPUT 8x8x3 -> [m.{i}: CONV3-3]*2 -> (ID + @m*)", "E0232", "did you mean `@m.*`?"),
        ("INPUT 8x8x3 -> [m.{i}.c: CONV3-3]*2 -> (ID + @m.*)", "E0232", "one of its parts: `@m.1.c`"),
        ("INPUT 8x8x3 -> [m.{i}.c: CONV3-3]*2 -> (ID + @m.*.d)", "E0232", "it has `c`"),
        ("INPUT 8x8x3 -> [m.{i}: CONV3-3]*2 -> (ID + @m.u*)", "E0232", "a star stands for"),
        ("INPUT 8x8x3 -> s: [[u{i}: CONV3-3]*2] -> (ID + @s.v*)", "E0232", "available here: `@u*`"),
        (f"{UNITS}\n@unit* -> CONV3-8", "E0230", "`(+ @unit*)` or `(| @unit*)`"),
        (f"{UNITS}\nx = @unit* -> CONV3-8", "E0230", "a whole branch"),
        (f"{UNITS} -> (ID + @unit* -> CONV1-8)", "E0230", "a whole branch"),
        (f"{UNITS} -> (ID + @unit*?)", "E0230", "a whole branch"),
        (f"{UNITS} -> (ID + x: @unit*)", "E0230", "a whole branch"),
        (f"{UNITS} -> UPSAMPLE(out=@unit*)", "E0230", "a whole branch"),
        (f"block H(a) = (ID + @a)\n{UNITS} -> H(@unit*)", "E0230", "a whole branch"),
        (f"{UNITS} -> tap a: @unit* -> FC-2", "E0230", "a whole branch"),
        (f"{UNITS} -> @unit* -> FC-2", "E0233", "`(ID | @unit*)`"),
        ("INPUT 8x8x3 -> [u{i}: CONV3-3]*{0} -> a: CONV3-3\nb = (+ @u*)", "E0230", "`(@stem + …)`"),
        ("INPUT 8x8x3 -> (+ CONV3-8)", "E0230", "others go between branches"),
        (f"{UNITS} -> (@unit* if 1 > 0 + ID)", "E0102", "no `if` or `or` may follow it"),
        (f"{UNITS} -> (+ @unit* + ID)", "E0102", ""),
        ("INPUT 8x8x3 -> [u{i}: CONV3-{8*i}]*3\nb = (+ @u*)\noutput b", "E0312", "CONV1-24"),
    ],
)
def test_wrong(text: str, code: str, help: str) -> None:
    (found,) = wrong(text)
    assert (found.code, help in found.help) == (code, True), found


def test_one_mistake_is_said_once() -> None:
    assert codes("INPUT 8x8x3 -> [u{i}: CONV3-{8/0}]*3\nb = (+ @u*) -> CONV3-4") == ["E0202"]


def test_the_parts_have_different_shapes() -> None:
    (found,) = wrong("INPUT 8x8x3 -> [u{i}: CONV3-{8*i}]*2\nb = (+ @u*)\noutput b")
    assert [found.label, *(each.text for each in found.others)] == ["`u2` gives [8x8x16]", "`u1` gives [8x8x8]"]


def test_sums_of_all_turns_in_all_turns_are_limited() -> None:
    assert codes("INPUT 8x8x1 -> s: CONV1-1 -> [x{i}: [(@s + @x*)]]*2000") == ["E0209"]


@pytest.mark.parametrize(
    ("text", "inputs"),
    [
        ("b: [[ops.k{i}: RELU]*2] -> (ID + @b.ops.k*)", 3),
        ("a: [[both.c.c{i}: RELU]*3] -> (ID + @a.both.c.c*)", 4),
        ("[ops.k{i}: [s.t: RELU]]*2 -> (ID + @ops.k*.s.t)", 3),
        ('[u{i}: ["x.a-{i}": RELU]*2]*2 -> (ID + @u*.x."a-"*)', 5),
    ],
)
def test_stars_reach_into_modules_in_pieces(text: str, inputs: int) -> None:
    assert len(graph(f"INPUT 8x8x4 -> {text}").nodes[-1].inputs) == inputs


@pytest.mark.parametrize("text", ["[u{i}: [ops.k: RELU]]*2 -> (ID + @u*.ops)", "[k{i}: [s.t: RELU]]*2 -> (ID + @k*.s)"])
def test_a_star_names_no_module_in_pieces(text: str) -> None:
    assert codes(f"INPUT 8x8x4 -> {text}") == ["E0232"]
