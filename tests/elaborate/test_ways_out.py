"""What the help of an error says, written down as it stands, gives a network that does what was meant."""

from __future__ import annotations

import re

import pytest

from cnndsl import loads
from cnndsl.errors import CnnError, Diagnostic
from tests.elaborate.making import graph

BLOCK = "block Fuse(a, b) = (@a + @b) -> CONV3-8\nINPUT 32x32x3 -> a0: CONV3-8 -> a1: CONV3-8\n"
INPUTS = "left = INPUT 32x32x3\nright = INPUT 32x32x3\n"


def only(text: str) -> Diagnostic:
    """The one thing that is wrong with a program."""
    with pytest.raises(CnnError) as caught:
        loads(text)
    (wrong,) = caught.value.diagnostics
    return wrong


@pytest.mark.parametrize(
    ("text", "written", "params"),
    [
        (f"{BLOCK}§stage2.0: Fuse(@a0, @a1)§", "x = stage2.0: Fuse(@a0, @a1)", 224 + 2 * 584),
        (f"{BLOCK}§stage2: Fuse(@a0, @a1)§", "x = stage2: Fuse(@a0, @a1)", 224 + 2 * 584),
        (f"{BLOCK}§Fuse(@a0, @a1)§  # ends", "x = Fuse(@a0, @a1)", 224 + 2 * 584),
        (f"{BLOCK}§MAX(@a0, @a1) -> CONV1-2§", "x = MAX(@a0, @a1) -> CONV1-2", 224 + 584 + 18),
        (f"{INPUTS}§MAX(@left, @right) -> CONV1-2§", "x = MAX(@left, @right) -> CONV1-2", 8),
        (f"{INPUTS}x = @left -> CONV1-3\n§MUL(@x, @right)§", "x1 = MUL(@x, @right)", 12),
        ("INPUT 8x8x3 -> §a: b.0: CONV1-4(bias=no)§ -> RELU", "a: [b.0: CONV1-4(bias=no)]", 12),
        ("INPUT 8x8x3 -> §a: b: CONV1-4§ -> RELU", "a: [b: CONV1-4]", 16),
        ("INPUT 8x8x3 -> a: CONV1-4\n§b = CONV1-2 -> RELU§", "b = @a -> CONV1-2 -> RELU", 16 + 10),
        (
            "INPUT 8x8x4 -> a: CONV1-4\n§b = CONV1-8(groups=2, bias=no, dilation=2) -> CONV1-2§",
            "b = @a -> CONV1-8(groups=2, bias=no, dilation=2) -> CONV1-2",
            20 + 16 + 18,
        ),
        ("block Up(s=no) = (CONV1-4 + §@s§)\nINPUT 8x8x3 -> Up", "@s if s != no", 16),
    ],
)
def test_the_help_can_be_pasted(text: str, written: str, params: int) -> None:
    before, replaced, after = text.split("§")
    assert f"`{written}`" in only(before + replaced + after).help
    assert loads(before + written + after).stats().totals.params == params


def test_a_test_of_an_output_asks_whether_there_is_one() -> None:
    text = "block Up(far=no) = (CONV1-4 + @far if {}) -> RELU\nINPUT 8x8x3 -> far: CONV1-4 -> Up -> Up(@far)"
    assert "`far != no`" in only(text.format("far")).help
    made = graph(text.format("far != no"))
    assert [len(node.inputs) for node in made.layers] == [1, 1, 1, 1, 2, 1]


@pytest.mark.parametrize(
    "text",
    [
        "INPUT 8x8x3 -> stem: CONV1-4\n{}for i in 0..2 [map{{i}} = @stem -> CONV1-2]\noutput map0, map1, map2",
        "block M = [\n  x = ID\n  {}for i in 0..2 [CONV1-2]\n]\nINPUT 8x8x3 -> M",
    ],
)
def test_a_for_goes_on_with_a_chain(text: str) -> None:
    wrong = only(text.format(""))
    assert wrong.code == "E0102"
    assert wrong.span is not None
    assert wrong.span.text == "for"
    assert "`-> for …`" in wrong.help
    assert "`@a -> for …`" in wrong.help
    loads(text.format("-> "))
    loads(text.format("@stem -> " if "stem" in text else "@x -> "))


@pytest.mark.parametrize(
    "text",
    [
        "block B(n) = [\n  x = CONV3-n\n  let c = n*2\n  y = @x -> CONV3-c\n]\nINPUT 8x8x3 -> B(4)",
        "block B = [\n  x = CONV3-2  # ] of a comment\n  block C = RELU\n]\nINPUT 8x8x3 -> B",
        "INPUT 8x8x3 -> (CONV3-8 + [CONV3-8\nlet c = 3\n-> CONV3-8])",
    ],
)
def test_a_statement_inside_of_brackets_is_one_error(text: str) -> None:
    wrong = only(text)
    assert (wrong.code, wrong.message.partition("` ")[2]) == ("E0102", "is not allowed here")
    assert "statement of its own" in wrong.help or "start of the block" in wrong.help


@pytest.mark.parametrize(
    "text",
    [
        "INPUT 8x8x3 -> [let c = 8 CONV3-c] -> FC-10",
        "block B(n) = [let c = n*2 CONV3-c]*2\nINPUT 8x8x3 -> B(4)",
        "block B(n) = let m = n [let c = m CONV3-c]\nINPUT 8x8x3 -> B(4)",
    ],
)
def test_a_value_inside_of_brackets_is_that_of_a_block(text: str) -> None:
    wrong = only(text)
    assert wrong.code == "E0249"
    assert wrong.span is not None
    assert wrong.span.text.startswith("let c = ")


def test_a_bracket_that_is_not_closed_is_said_to_be_so() -> None:
    assert only("INPUT 8x8x3 -> [CONV3-8 -> (RELU\nlet c = 3").code == "E0108"
    assert only("INPUT 8x8x3 -> CONV3-8(pad=1 -> RELU\n-> (RELU + ID)").code == "E0108"


def test_an_unused_layer_inside_of_calls_says_which() -> None:
    text = "block B(c) = [x = CONV1-c\ny = @x -> CONV1-c\nz = @x -> CONV1-c]\nINPUT 8x8x3 -> RELU -> [B(4)]*2"
    wrong = only(text)
    assert wrong.code == "E0239"
    assert [re.sub("called at .*", "called", each) for each in wrong.context] == ["in B(4), called", "in repeat 1 of 2"]


def test_lists_say_how_much_they_leave_out() -> None:
    wrong = only("INPUT 8x8x3 -> [layer{i}: CONV3-8]*20 -> (ID + @skip)")
    assert wrong.help.endswith("`@layer8` and 12 more")


def test_an_assert_of_a_module_in_pieces() -> None:
    text = "INPUT 8x8x3 -> m.81.Conv: CONV1-5 -> m.82.Conv: CONV1-2\nassert {} == 8x8x5"
    assert "`m.81.Conv.output`" in only(text.format("m.81.output")).help
    loads(text.format("m.81.Conv.output"))
    loads(text.format("m.81.output").replace("m.81.Conv: CONV1-5", "m.81: [Conv: CONV1-5]"))
    assert only(text.format("m.output")).help == "refer to one of its parts, `m.81.Conv.output`"


def test_an_assert_about_the_default() -> None:
    text = "net N(classes=1000, bn=yes)\nINPUT 8x8x3 -> GAP -> FC-classes\nassert {}params == 4_000"
    loads(text.format(""))
    with pytest.raises(CnnError) as caught:
        loads(text.format(""), classes=10)
    assert "`assert classes != 1000 or params == 4_000`" in caught.value.diagnostics[0].help
    loads(text.format("classes != 1000 or "), classes=10)
    with pytest.raises(CnnError):
        loads(text.format("classes != 1000 or ").replace("4_000", "4_001"))


def test_a_false_assert_says_nothing_of_defaults_that_hold() -> None:
    assert only("net N(classes=10)\nINPUT 8x8x3 -> GAP -> FC-classes\nassert params == 4_000").help == ""


@pytest.mark.parametrize(
    "chain",
    [
        "b = stage2.0: Two(@a, @c)",
        "b = stage2.0.m: Two(@a, @c)",
        "q = stage2.0: Two(@a, @c)\nb = stage2.1: Two(@a, @c)",
    ],
)
def test_the_name_of_a_chain_reaches_into_a_part_of_a_module_in_pieces(chain: str) -> None:
    block = "block Two(a, b) = [\n  y1 = (@a + @b)\n  y2 = @y1 -> CONV3-8\n]\n"
    made = graph(
        f"{block}INPUT 8x8x3 -> a: CONV3-8 -> c: CONV3-8\n{chain}\nd = (@b.y1 + @b.y2{' + @q' if 'q' in chain else ''})"
    )
    inside = [made.nodes[at].path.rpartition(".")[2] for at in made.nodes[made.output].inputs]
    assert inside[:2] == ["add", "conv"]


@pytest.mark.parametrize(
    ("text", "channels"),
    [
        ("block B(n, a=@x0, m=C) = @a -> CONV3-n -> CONV1-m\nINPUT 8x8x3 -> x0: CONV3-4\nb = B(8)", 4),
        ("block I(q) = @q -> CONV1-{2*C}\nblock B(a=@x0) = I(a)\nINPUT 8x8x3 -> x0: CONV3-4\nb = B", 8),
        ("block F(a=@x0) = (@a | @a)\nINPUT 8x8x3 -> x0: CONV3-4\nb = F", 8),
        ("block F(a=@x0) = [@a if C > 3 else @a] -> CONV1-C\nINPUT 8x8x3 -> x0: CONV3-4\nb = F", 4),
    ],
)
def test_a_block_whose_default_is_an_output_begins_a_chain(text: str, channels: int) -> None:
    made = graph(text)
    assert made.nodes[made.output].shape.channels == channels


def test_a_default_that_is_an_output_fails_at_the_call() -> None:
    wrong = only("block B(n, a=@x0) = @a -> CONV3-n\nINPUT 8x8x3 -> CONV3-4\nb = B(8)")
    assert wrong.code == "E0232"
    assert "called at <text>:3:5" in wrong.context[0]
