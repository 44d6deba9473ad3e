"""What messages about names, inputs and stars suggest: as in `test_suggestions`, which has those about syntax."""

from __future__ import annotations

import pytest

from cnndsl.analysis.assertions import check
from cnndsl.analysis.execution import unknown
from tests.elaborate.making import graph, wrong
from tests.elaborate.test_suggestions import Case

T = "INPUT 8x8x3 -> t: CONV3-3 -> "
CASES = {
    "a chain that begins with a word": Case(
        "left = INPUT 8x8x3\na = left -> CONV3-4",
        "E0238",
        "2:5",
        "`a = @left -> CONV3-4`",
        "left = INPUT 8x8x3\na = @left -> CONV3-4",
        "8x8x4",
    ),
    "a chain that is a word": Case(
        "INPUT 8x8x3 -> x: CONV3-4\ny = x\nz = @y -> BN",
        "E0238",
        "2:5",
        "`y = @x`",
        "INPUT 8x8x3 -> x: CONV3-4\ny = @x\nz = @y -> BN",
        "8x8x4",
    ),
    "a chain that begins with several words": Case(
        "left = INPUT 8x8x3\nright = INPUT 8x8x4\na = (left\n| right -> BN) -> CONV3-4",
        "E0238",
        "3:6",
        "`a = (@left | @right -> BN) -> CONV3-4`",
        "left = INPUT 8x8x3\nright = INPUT 8x8x4\na = (@left | @right -> BN) -> CONV3-4",
        "8x8x4",
    ),
    "a chain that begins with a word that is nearly a name": Case(
        "left = INPUT 8x8x3\na = lft -> CONV3-4",
        "E0238",
        "2:5",
        "`a = @left -> CONV3-4`",
        "left = INPUT 8x8x3\na = @left -> CONV3-4",
        "8x8x4",
    ),
    "a chain that begins with a label like a layer": Case(
        "INPUT 8x8x3 -> pool: CONV3-4\na = pool -> RELU",
        "E0238",
        "2:5",
        "`a = @pool -> RELU`",
        "INPUT 8x8x3 -> pool: CONV3-4\na = @pool -> RELU",
        "8x8x4",
    ),
    "a chain that begins with a layer": Case(
        "INPUT 8x8x3 -> x: CONV3-4\na = [RELU -> BN]",
        "E0238",
        "2:6",
        "`a = [@x -> RELU -> BN]`",
        "INPUT 8x8x3 -> x: CONV3-4\na = [@x -> RELU -> BN]",
        "8x8x4",
    ),
    "a chain that begins with again": Case(
        "INPUT 8x8x3 -> x: CONV3-3\na = again(x)",
        "E0238",
        "2:5",
        "`a = @x -> again x`",
        "INPUT 8x8x3 -> x: CONV3-3\na = @x -> again x",
        "8x8x3",
    ),
    "a branch that begins with a word": Case(
        "INPUT 8x8x3 -> x: CONV3-4 -> (x -> RELU | ID)",
        "E0231",
        "1:31",
        "`@x`",
        "INPUT 8x8x3 -> x: CONV3-4 -> (@x -> RELU | ID)",
        "8x8x8",
    ),
    "a part that is a word": Case(T + "t", "E0231", "1:30", "`again t`", T + "again t", "8x8x3"),
    "a branch that is a parameter": Case(
        "block B(u) = (u + ID)\nINPUT 8x8x3 -> x: RELU -> B(@x)",
        "E0231",
        "1:15",
        "`@u`",
        "block B(u) = (@u + ID)\nINPUT 8x8x3 -> x: RELU -> B(@x)",
        "8x8x3",
    ),
    "the size of a label": Case(
        "INPUT 9x9x3 -> e: RELU -> POOL2 -> UPSAMPLE(out=e)",
        "E0226",
        "1:49",
        "`out=@e`",
        "INPUT 9x9x3 -> e: RELU -> POOL2 -> UPSAMPLE(out=@e)",
        "9x9x3",
    ),
    "a label as a margin": Case(
        "INPUT 9x9x3 -> POOL2 -> e: RELU -> UPSAMPLE(out=9) -> CROP(e)",
        "E0226",
        "1:60",
        "`out=@e`",
        "INPUT 9x9x3 -> POOL2 -> e: RELU -> UPSAMPLE(out=9) -> CROP(out=@e)",
        "4x4x3",
    ),
    "a reference as a margin": Case(
        "INPUT 9x9x3 -> e: RELU -> POOL2 -> ZEROPAD(@e)",
        "E0226",
        "1:44",
        "`out=@e`",
        "INPUT 9x9x3 -> e: RELU -> POOL2 -> ZEROPAD(out=@e)",
        "9x9x3",
    ),
    "a block called Input": Case(
        "block Input(c) = CONV3-c\nINPUT 8x8x3 -> Input(4)",
        "E0247",
        "1:7",
        "`InputBlock`",
        "block InputBlock(c) = CONV3-c\nINPUT 8x8x3 -> InputBlock(4)",
        "8x8x4",
    ),
    "two inputs without names": Case(
        "INPUT 8x8x3 -> a: CONV3-4\nINPUT 8x8x1 -> b: CONV3-4\nc = (@a + @b)",
        "E0218",
        "2:1",
        "`left = INPUT 8x8x3` and `right = INPUT 8x8x1`",
        "left = INPUT 8x8x3\nright = INPUT 8x8x1\na = @left -> CONV3-4\nb = @right -> CONV3-4\nc = (@a + @b)",
        "8x8x4",
    ),
    "an input without a name behind one with a name": Case(
        "left = INPUT 8x8x3\nINPUT 8x8x1 -> f: [b: CONV3-4 -> RELU]\nc = (@left | @f.b)",
        "E0218",
        "2:1",
        "`image = INPUT 8x8x1`, and begin chains with it: `a = @image -> …`",
        "left = INPUT 8x8x3\nimage = INPUT 8x8x1\na = @image -> f: [b: CONV3-4 -> RELU]\nc = (@left | @f.b | @a)",
        "8x8x11",
    ),
    "an input with a name behind one with a label": Case(
        "image: INPUT 8x8x3 -> b: CONV3-4\nright = INPUT 8x8x1\nc = (@right | @b)",
        "E0218",
        "2:1",
        "`image = INPUT 8x8x3`",
        "image = INPUT 8x8x3\nright = INPUT 8x8x1\na = @image -> b: CONV3-4\nc = (@right | @b)",
        "8x8x5",
    ),
    "a chain before the input": Case(
        "b = @a -> CONV3-3\nINPUT 8x8x3 -> a: CONV3-3\nc = (@b + @a)",
        "E0216",
        "1:1",
        "after the chain that begins with INPUT",
        "INPUT 8x8x3 -> a: CONV3-3\nb = @a -> CONV3-3\nc = (@b + @a)",
        "8x8x3",
    ),
    "a reference into a part that is wrong": Case(
        "INPUT 8x8x3 -> f: CNOV3-4 -> (@f.a + ID)",
        "E0231",
        "1:19",
        "`CONV3`",
        "INPUT 8x8x3 -> f: [a: CONV3-4] -> (@f.a + ID)",
        "8x8x4",
    ),
    "a star of unlike channels": Case(
        "INPUT 8x8x3 -> [u{i}: CONV3-{4*i}]*2 -> (+ @u*)",
        "E0312",
        "1:44",
        "`(@u1 -> CONV1-8 + @u2)`",
        "INPUT 8x8x3 -> [u{i}: CONV3-{4*i}]*2 -> (@u1 -> CONV1-8 + @u2)",
        "8x8x8",
    ),
    "a star of unlike sizes": Case(
        'INPUT 8x8x3 -> ["u-{i}": CONV3-4/2]*2 -> (| @"u-"*)',
        "E0312",
        "1:45",
        '`(@"u-1" -> POOL2 | @"u-2")`',
        'INPUT 8x8x3 -> ["u-{i}": CONV3-4/2]*2 -> (@"u-1" -> POOL2 | @"u-2")',
        "2x2x8",
    ),
    "a star of unlike parts of parts": Case(
        "INPUT 8x8x3 -> [u{i}: [a: CONV3-{4*i} -> RELU]]*2 -> MAX(@u*.a, ID)",
        "E0312",
        "1:65",
        "`MAX(@u1.a -> CONV1-8, @u2.a, ID)`",
        "INPUT 8x8x3 -> [u{i}: [a: CONV3-{4*i} -> RELU]]*2 -> MAX(@u1.a -> CONV1-8, @u2.a, ID)",
        "8x8x8",
    ),
    "a star, and another branch": Case(
        "INPUT 8x8x3 -> s: CONV3-5 -> POOL2 -> [u{i}: CONV3-4]*2 -> (@s + @u*)",
        "E0312",
        "1:66",
        "`@s -> POOL2 -> CONV1-4`",
        "INPUT 8x8x3 -> s: CONV3-5 -> POOL2 -> [u{i}: CONV3-4]*2 -> (@s -> POOL2 -> CONV1-4 + @u*)",
        "4x4x4",
    ),
    "a star, and a skip": Case(
        "INPUT 8x8x3 -> s: [[u{i}: CONV3-4]*2 -> (+ @u*)] -> (ID + @s.u*) -> BN -> FC-3 -> (ID + @s.u*)",
        "E0312",
        "1:84",
        "make the others like `@s.u*`, 8x8x4",
        "INPUT 8x8x3 -> s: [[u{i}: CONV3-4]*2 -> (+ @u*)] -> (ID + @s.u*) -> BN",
        "8x8x4",
    ),
    "a star in a repeat": Case(
        "INPUT 8x8x3 -> s: CONV3-4 -> [(@s | @u*) -> u{i}: CONV3-4/2]*3",
        "E0312",
        "1:37",
        "the parts of `@u*`",
        "INPUT 8x8x3 -> s: CONV3-4 -> [(@s | @u*) -> u{i}: CONV3-4]*3",
        "8x8x4",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_wrong_and_the_help(case: Case) -> None:
    (found,) = wrong(case.text)
    assert found.span is not None
    assert (found.code, f"{found.span.line}:{found.span.column}") == (case.code, case.place)
    assert case.help in found.help


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_help_helps(case: Case) -> None:
    made = graph(case.mended)
    assert str(made.nodes[made.output].shape) == case.output
    assert check(made, unknown) == []
