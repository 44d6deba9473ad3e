"""What messages suggest, pasted into the program: it is accepted then, and does what was meant."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from cnndsl.analysis.assertions import check
from tests.elaborate.making import graph, wrong


@dataclass(frozen=True)
class Case:
    """A wrong program, the code and the place (line:column) of its one error, a part of the help, and the program after
    the help was followed, with what it gives then."""

    text: str
    code: str
    place: str
    help: str
    mended: str
    output: str


T = "INPUT 8x8x3 -> t: CONV3-3 -> "
CASES = {
    "a chain that is begun, and an output": Case(
        "INPUT 8x8x3 -> a: CONV3-4\nb =\noutput a",
        "E0102",
        "3:1",
        "`b = @a -> CONV3-64`",
        "INPUT 8x8x3 -> a: CONV3-4\nb = @a -> CONV3-64\noutput a, b",
        "8x8x4",
    ),
    "a chain that is begun, and several outputs": Case(
        "INPUT 8x8x3 -> a: CONV3-4\nb = # later\noutput a, a",
        "E0102",
        "3:1",
        "remove `b =`",
        "INPUT 8x8x3 -> a: CONV3-4\n# later\noutput a",
        "8x8x4",
    ),
    "a chain that is begun, and a chain": Case(
        "INPUT 8x8x3 -> a: CONV3-4\nb =\nc = @a -> CONV3-5",
        "E0102",
        "3:1",
        "remove `b =`",
        "INPUT 8x8x3 -> a: CONV3-4\nc = @a -> CONV3-5",
        "8x8x5",
    ),
    "a chain that is begun in a block": Case(
        "block B = [\n  x = CONV3-4\n  y =\n]\nINPUT 8x8x3 -> B",
        "E0102",
        "4:1",
        "`y = @x -> CONV3-64`",
        "block B = [\n  x = CONV3-4\n  y = @x -> CONV3-64\n]\nINPUT 8x8x3 -> B",
        "8x8x64",
    ),
    "a chain that begins with an arrow": Case(
        "INPUT 8x8x3 -> a: CONV3-4\nb = -> CONV3-5",
        "E0102",
        "2:5",
        "`b = @a -> …`",
        "INPUT 8x8x3 -> a: CONV3-4\nb = @a -> CONV3-5",
        "8x8x5",
    ),
    "a value that is begun": Case(
        "INPUT 8x8x3 -> a: CONV3-4\nlet k =\nb = @a -> CONV3-k",
        "E0102",
        "3:1",
        "`let k = 64`",
        "INPUT 8x8x3 -> a: CONV3-4\nlet k = 64\nb = @a -> CONV3-k",
        "8x8x64",
    ),
    "an arrow before an output": Case(
        "INPUT 8x8x3 -> a: CONV3-4 -> output a",
        "E0102",
        "1:30",
        "remove the arrow before it",
        "INPUT 8x8x3 -> a: CONV3-4 output a",
        "8x8x4",
    ),
    "outputs of a block": Case(
        "block B = [\n  x = CONV3-4\n  y = @x -> CONV3-5\n  output x, y\n]\nINPUT 8x8x3 -> f: B",
        "E0102",
        "4:3",
        "`@f.x` is the value `x`",
        "block B = [\n  x = CONV3-4\n  y = @x -> CONV3-5\n]\nINPUT 8x8x3 -> f: B\ng = (@f.x | @f)",
        "8x8x9",
    ),
    "outputs in brackets that are not closed": Case(
        "INPUT 8x8x3 -> a: [CONV3-4\noutput a", "E0108", "1:19", "", "INPUT 8x8x3 -> a: [CONV3-4]\noutput a", "8x8x4"
    ),
    "outputs without a comma": Case(
        "INPUT 8x8x3 -> a: CONV3-4 -> b: RELU\noutput a b",
        "E0102",
        "2:10",
        "",
        "INPUT 8x8x3 -> a: CONV3-4 -> b: RELU\noutput a, b",
        "8x8x4",
    ),
    "no arrow before quotes": Case(
        'INPUT 8x8x3 -> CONV3-4 "a-b": CONV3-5',
        "E0102",
        "1:24",
        '`-> "a-b": …`',
        'INPUT 8x8x3 -> CONV3-4 -> "a-b": CONV3-5',
        "8x8x5",
    ),
    "no arrow before quotes on a line of their own": Case(
        'INPUT 8x8x3 -> CONV3-4\n"a-{1}": CONV3-5',
        "E0102",
        "2:1",
        '`-> "a-{1}": …`',
        'INPUT 8x8x3 -> CONV3-4\n-> "a-{1}": CONV3-5',
        "8x8x5",
    ),
    "no arrow before quotes behind brackets": Case(
        'INPUT 8x8x3 -> [[CONV3-4]*2 "": RELU]',
        "E0102",
        "1:29",
        '`-> "": …`',
        'INPUT 8x8x3 -> [[CONV3-4]*2 -> "": RELU]',
        "8x8x4",
    ),
    "no arrow before quotes behind quotes": Case(
        T + 'again "t" "b-c": RELU', "E0102", "1:40", '`-> "b-c": …`', T + 'again "t" -> "b-c": RELU', "8x8x3"
    ),
    "no arrow before a number": Case(
        "INPUT 8x8x3 -> [1: CONV3-4\n0: RELU]",
        "E0102",
        "2:1",
        "`-> 0: …`",
        "INPUT 8x8x3 -> [1: CONV3-4\n-> 0: RELU]",
        "8x8x4",
    ),
    "no arrow before a path": Case(
        "INPUT 8x8x3 -> CONV3-4\na.0: RELU",
        "E0102",
        "2:1",
        "`-> a.0: …`",
        "INPUT 8x8x3 -> CONV3-4\n-> a.0: RELU",
        "8x8x4",
    ),
    "again with brackets": Case(T + "again(t)", "E0231", "1:30", "`again t`", T + "again t", "8x8x3"),
    "again with an at": Case(T + "again @t", "E0231", "1:30", "`again t`", T + "again t", "8x8x3"),
    "again in brackets with an at": Case(T + "[again @t]*2", "E0231", "1:31", "`again t`", T + "[again t]*2", "8x8x3"),
    "again with no arguments": Case(T + "again t()", "E0102", "1:37", "`again t`", T + "again t", "8x8x3"),
    "again of brackets": Case(T + "again [t]", "E0102", "1:36", "`again t`", T + "again t", "8x8x3"),
    "again of a name with a dash": Case(
        'INPUT 8x8x3 -> "x-y": CONV3-3 -> again x-y',
        "E0102",
        "1:41",
        '`again "x-y"`',
        'INPUT 8x8x3 -> "x-y": CONV3-3 -> again "x-y"',
        "8x8x3",
    ),
    "an operator before two stars": Case(
        "INPUT 8x8x3 -> [a{i}: CONV3-3]*2 -> [b{i}: CONV3-3]*2 -> (| @a* | @b*)",
        "E0102",
        "1:65",
        "`(@a* | @b*)`",
        "INPUT 8x8x3 -> [a{i}: CONV3-3]*2 -> [b{i}: CONV3-3]*2 -> (@a* | @b*)",
        "8x8x12",
    ),
    "an operator before branches": Case(
        T + "(+ @t -> CONV3-3 + ID)", "E0102", "1:47", "`(@t -> CONV3-3 + ID)`", T + "(@t -> CONV3-3 + ID)", "8x8x3"
    ),
    "an operator in a merge with commas": Case(
        "INPUT 8x8x3 -> [u{i}: CONV3-3]*2 -> MUL(+ @u*)",
        "E0102",
        "1:41",
        "`MUL(@u*)`",
        "INPUT 8x8x3 -> [u{i}: CONV3-3]*2 -> MUL(@u*)",
        "8x8x3",
    ),
    "the second application in a reference": Case(
        T + "again t -> CONV3-3 -> (@t@2 + ID)",
        "E0102",
        "1:55",
        "label the application, `t2: again t`, and write `@t2`",
        T + "t2: again t -> CONV3-3 -> (@t2 + ID)",
        "8x8x3",
    ),
    "the second application as an output": Case(
        T + "again t\noutput t@2",
        "E0102",
        "2:9",
        "label the application, `t2: again t`, and write `t2`",
        T + "t2: again t\noutput t2",
        "8x8x3",
    ),
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
        "behind the chain that begins with INPUT",
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
        "make the others as `@s.u*` is, 8x8x4",
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
    assert check(made) == []
