"""The canonical style: examples by hand, and properties on generated programs and on every shipped file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cnndsl
from cnndsl.errors import Source, Span
from cnndsl.syntax import ast
from cnndsl.syntax.format import format
from cnndsl.syntax.parse import parse

SHIPPED = sorted((Path(__file__).parent.parent.parent / "architectures").glob("*.cnn"))


def formatted(text: str) -> str:
    return format(parse(Source("net.cnn", text)))


def essence(node: object) -> object:
    """A tree without its places; the case of heads does not count."""
    if isinstance(node, tuple):
        return tuple(map(essence, node))
    if isinstance(node, ast.WrittenLayer):
        return ("Layer", node.head.upper(), *(essence(getattr(node, each.name)) for each in fields(node)[1:]))
    if is_dataclass(node) and not isinstance(node, Span | Source):
        parts = [getattr(node, each.name) for each in fields(node)]
        return (type(node).__name__, *(essence(each) for each in parts if not isinstance(each, Span | Source)))
    return None if isinstance(node, Span) else node


def check(text: str) -> str:
    """The formatted text, which must mean the same, hold the same comments and be a fixed point."""
    before = parse(Source("net.cnn", text))
    result = format(before)
    after = parse(Source("net.cnn", result))
    assert essence(after.statements) == essence(before.statements)
    assert Counter(each.text for each in after.comments) == Counter(each.text for each in before.comments)
    assert format(after) == result
    assert not any(line != line.rstrip() for line in result.split("\n"))
    return result


# The examples of the language's design page stand as they are.

BOTTLENECK = """\
# ResNet-50. He et al. 2015, arXiv:1512.03385, Table 1.
net ResNet50(classes=1000)

default CONV(bias=no)

block Bottleneck(c, s=1) = (
    conv1: CONV1-c -> bn1: BN -> RELU
    -> conv2: CONV3-c/s -> bn2: BN -> RELU
    -> conv3: CONV1-{4*c} -> bn3: BN
  + ID or downsample: [CONV1-{4*c}/s -> BN]
) -> RELU

INPUT 224x224x3
-> conv1: CONV7-64/2 -> bn1: BN -> RELU -> POOL3/2(pad=1)
-> layer1: [Bottleneck(64)*3]
-> layer2: [Bottleneck(128, 2) -> Bottleneck(128)*3]
-> layer3: [Bottleneck(256, 2) -> Bottleneck(256)*5]
-> layer4: [Bottleneck(512, 2) -> Bottleneck(512)*2]
-> GAP -> fc: FC-classes

assert params == 25_557_032
assert output == 1000
"""
DENSE = """\
block DenseLayer(k) = (ID | norm1: BN -> RELU -> conv1: CONV1-{4*k} -> norm2: BN -> RELU -> conv2: CONV3-k)
block DenseBlock(n, k) = [denselayer{i}: DenseLayer(k)]*n

block Inception(a, b1, b3, c1, c5, d) = (
    CONV1-a -> RELU
  | CONV1-b1 -> RELU -> CONV3-b3 -> RELU
  | CONV1-c1 -> RELU -> CONV5-c5 -> RELU
  | POOL3/1(pad=same) -> CONV1-d -> RELU
)
"""
RECIPES = """\
INPUT -> [[CONV3-64 -> RELU]*2 -> POOL2]*5 -> FC-4096
INPUT -> [[CONV -> RELU]*N -> POOL?]*M -> [FC -> RELU]*K -> FC
"""
TABLES = """\
net Family(N in 0..3 = 2, k in {3, 5, 7} = 3, classes=10)

use "resnet.cnn": Bottleneck, Basic
let half = classes//2

INPUT {32*N}x{32*N}x3
-> for c, n in (64, 3), (128, 4) [stage{c}: [Bottleneck(c)*n]]
-> for k in 1..N-1 [CONV{k}x7-{2*k+1}/2 -> RELU6]
-> tap aux(train): [GAP -> FC-classes]
-> for t, c, n, s in
       (1, 16, 1, 1),  # the first does not widen
       (6, 24, 2, 2)
   [
     Inverted(c, s, t) -> Inverted(c, 1, t)*{n-1}
   ]
-> MUL(ID, GAP -> CONV1-{C/16} -> RELU -> CONV1-C -> SIGMOID)
-> DROPOUT(0.5)?regular -> (@enc1.0 | CONVT2-64/2) -> A if N > 2 and (N + 1)*2 < 9 else [B -> C]
-> FC-classes

assert 4.1G <= flops and not params > 5M
assert layer3.output == 14x14x1024
"""


@pytest.mark.parametrize("text", [BOTTLENECK, DENSE, RECIPES, TABLES])
def test_the_style_is_that_of_the_design(text: str) -> None:
    assert check(text) == text


EXAMPLES = {
    "blanks and brackets": ("INPUT   8x8x3->(conv3-64 ->Relu) *2", "INPUT 8x8x3 -> [CONV3-64 -> RELU]*2\n"),
    "needless braces and brackets go": (
        "INPUT -> CONV{k}-{c}/{2} -> FC-{(4) * ( c+1 )} -> [X]*{3}",
        "INPUT -> CONV{k}-c/2 -> FC-{4*(c+1)} -> [X]*3\n",
    ),
    "what the meaning needs stays": ("INPUT -> CONV{3}-{0.5} -> X()", "INPUT -> CONV{3}-{0.5} -> X()\n"),
    "brackets by precedence": (
        "let a = (1+2)*3 - (4 - (5 - 6)) + -(7*8)\nlet b = not (c == 1 or d) and (e < f)",
        "let a = (1 + 2)*3 - (4 - (5 - 6)) + -(7*8)\nlet b = not (c == 1 or d) and e < f\n",
    ),
    "a name of the file is no kind": (
        "block Conv = relu\nblock Pair(relu) = relu -> gap -> maxpool2",
        "block Conv = relu\nblock Pair(relu) = relu -> GAP -> MAXPOOL2\n",
    ),
    "blank lines between statements": (
        "\n\nlet a = 1\nlet b = 2\n\n\n\n# c\n\nINPUT -> FC\n\n\n",
        "let a = 1\nlet b = 2\n\n# c\n\nINPUT -> FC\n",
    ),
    "blank lines in brackets": (
        "block X = [\n\n x = A\n\n\n -> B\n\n # c\n\n y = @x -> B(a,\n\n b)\n\n # d\n\n]",
        "block X = [\n  x = A\n\n  -> B\n\n  # c\n\n  y = @x -> B(a, b)\n\n  # d\n]\n",
    ),
    "blank lines in merges": (
        "INPUT -> (\n\n A\n\n + B ->\n\n C)",
        "INPUT -> (\n    A\n\n  + B\n\n    -> C\n)\n",
    ),
    "blank lines in a chain, and at the end of Windows' lines": (
        "INPUT # a\r\n\r\n-> A ->\r\n \t\r\n\r\nB",
        "INPUT  # a\n\n-> A\n\n-> B\n",
    ),
    "statements on one line part": ("cnn 1 let a = 1 INPUT -> FC", "cnn 1\nlet a = 1\nINPUT -> FC\n"),
    "breaks of chains stay": ("INPUT\n -> CONV -> RELU ->\n POOL", "INPUT\n-> CONV -> RELU\n-> POOL\n"),
    "breaks of arguments do not": ("INPUT -> POOL3(pad=1,\n ceil=yes,)", "INPUT -> POOL3(pad=1, ceil=yes)\n"),
    "a broken merge opens": (
        "INPUT -> (CONV\n + ID) -> RELU",
        "INPUT -> (\n    CONV\n  + ID\n) -> RELU\n",
    ),
    "brackets in brackets open together": (
        "INPUT\n-> x: [(A\n| B)] -> TANH",
        "INPUT\n-> x: [(\n       A\n     | B\n   )] -> TANH\n",
    ),
    "a broken call opens": ("INPUT -> MUL(ID,\nGAP)", "INPUT -> MUL(\n  ID,\n  GAP\n)\n"),
    "a block on the next line": (
        "block X =\n A\n -> B\nblock Y =\n A -> B",
        "block X =\n    A\n    -> B\nblock Y = A -> B\n",
    ),
    "a chain too long": (
        "INPUT 224x224x3 -> " + " -> ".join(["CONV3-64"] * 8),
        "INPUT 224x224x3" + "\n-> CONV3-64" * 8 + "\n",
    ),
    "a merge too long": (
        "INPUT\n-> (" + " | ".join(["CONV3-640 -> CONV3-640"] * 5) + ") -> RELU",
        "INPUT\n-> (\n       CONV3-640 -> CONV3-640\n" + "     | CONV3-640 -> CONV3-640\n" * 4 + "   ) -> RELU\n",
    ),
    "arguments too long": (
        "INPUT\n-> x: Inception(" + ", ".join(["alpha=123456"] * 8) + ")",
        "INPUT\n-> x: Inception(\n" + "     alpha=123456,\n" * 7 + "     alpha=123456\n   )\n",
    ),
    "only a comment": ("# nothing", "# nothing\n"),
    "nothing": ("\n", ""),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(name: str) -> None:
    text, expected = EXAMPLES[name]
    assert check(text) == expected


COMMENTS = {
    "beside": ("INPUT -> CONV # a\n-> RELU   # b\n", "INPUT -> CONV  # a\n-> RELU  # b\n"),
    "above": ("INPUT\n# a\n   # b\n-> RELU\n", "INPUT\n# a\n# b\n-> RELU\n"),
    "behind an arrow": ("INPUT -> # a\n RELU", "INPUT  # a\n-> RELU\n"),
    "in brackets": (
        "INPUT\n-> [ # a\n CONV # b\n # c\n -> RELU\n # d\n]*2 # e",
        "INPUT\n-> [  # a\n     CONV  # b\n     # c\n     -> RELU\n     # d\n   ]*2  # e\n",
    ),
    "between branches": (
        "block X = (A # a\n # b\n + B)",
        "block X = (\n    A  # a\n    # b\n  + B\n)\n",
    ),
    "between arguments": ("INPUT -> X(1, # a\n 2)", "INPUT -> X(\n  1,  # a\n  2\n)\n"),
    "between parameters": ("net X(a, # a\n b # b\n)", "net X(\n  a,  # a\n  b  # b\n)\n"),
    "between rows": (
        "INPUT\n-> for a in 1, # one\n 2 [X]",
        "INPUT\n-> for a in\n       1,  # one\n       2\n   [X]\n",
    ),
    "behind the name of a block": ("block X = # a\n A", "block X =  # a\n    A\n"),
    "where there is no room": (
        "let a = 1 + # a\n 2\nINPUT\n-> X * # b\n 3",
        "# a\nlet a = 1 + 2\nINPUT\n# b\n-> X*3\n",
    ),
    "with blank lines": ("# a\n\n\n# b\nlet c = 1 # c\n\n# d", "# a\n\n# b\nlet c = 1  # c\n\n# d\n"),
}


@pytest.mark.parametrize("name", COMMENTS)
def test_comments_stay(name: str) -> None:
    text, expected = COMMENTS[name]
    assert check(text) == expected


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_files_are_formatted(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert check(text) == text


@pytest.mark.parametrize("name", ["googlenet", "unet", "mobilenet_v2"])
def test_the_network_is_the_same(name: str) -> None:
    """Also where kinds are written small and every line is broken and indented at will."""
    text = next(path for path in SHIPPED if path.stem == name).read_text(encoding="utf-8")
    small = re.sub(r"\b(CONV|POOL|RELU|BN|FC|CROP|INPUT|GAP)(?=[ 0-9/{-]|$)", lambda match: match[0].lower(), text)
    before = cnndsl.loads(small.replace(" -> ", "\n      -> ")).graph
    after = cnndsl.loads(formatted(small.replace(" -> ", "\n      -> "))).graph
    assert [(node.path, node.layer, node.inputs, node.shape) for node in before] == [
        (node.path, node.layer, node.inputs, node.shape) for node in after
    ]


DEEP = {
    "brackets": "INPUT -> " + "x: [" * 49 + "A" + "]*3?" * 49,
    "merges": "INPUT -> " + "x{i}: [A -> (" * 24 + "A" + " + B)]*3?" * 24,
    "alternatives": "INPUT -> " + "A if x > 1 else " * 190 + "B",
    "signs": "let a = " + "- " * 150 + "1",
    "sums": "let a = " + "1 + " * 150 + "1",
}


@pytest.mark.parametrize("name", DEEP)
def test_what_is_as_deep_as_the_parser_reads(name: str) -> None:
    check(DEEP[name])


# Programs drawn at random, as lists of words, and anything that may stand between words.

Words = list[str]
NAMES = ["a", "b", "width", "relu", "layer1"]
NUMBERS = ["0", "3", "16", "1_000", "0.5", "4.1G", "8KiB"]


def joined(parts: Sequence[Words], between: str) -> Words:
    return [word for at, part in enumerate(parts) for word in ((between, *part) if at else part)]


def listed(parts: st.SearchStrategy[Words], between: str, least: int = 1, most: int = 3) -> st.SearchStrategy[Words]:
    return st.lists(parts, min_size=least, max_size=most).map(lambda each: joined(each, between))


def enlarged(inner: st.SearchStrategy[Words]) -> st.SearchStrategy[Words]:
    operators = st.sampled_from(["+", "-", "*", "/", "//", "%"])
    return st.one_of(
        st.tuples(inner, operators, inner).map(lambda t: ["(", *t[0], t[1], *t[2], ")"]),
        inner.map(lambda each: ["-", *each]),
        st.tuples(st.sampled_from(["min", "max"]), listed(inner, ",")).map(lambda t: [t[0], "(", *t[1], ")"]),
    )


ATOMS = st.sampled_from([*NAMES, *NUMBERS]).map(lambda each: [each])
TERMS = st.recursive(ATOMS, enlarged, max_leaves=4)
SUMS = st.lists(TERMS, min_size=1, max_size=3).flatmap(
    lambda terms: st.sampled_from(["+", "-", "*", "/"]).map(lambda op: joined(terms, op))
)
COMPARED = st.tuples(SUMS, st.sampled_from(["==", "<", ">="]), SUMS).map(lambda t: [*t[0], t[1], *t[2]])
TESTS = st.recursive(
    COMPARED,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: ["(", *t[0], t[1], *t[2], ")"]),
        inner.map(lambda each: ["not", "(", *each, ")"]),
    ),
    max_leaves=3,
)
HOLES = SUMS.map(lambda words: "{" + " ".join(words) + "}")
OPERANDS = st.one_of(st.sampled_from(["64", "a", "3x1"]), HOLES)
HEADS = st.one_of(
    st.sampled_from(["conv3", "RELU6", "Maxpool", "Bottleneck", "relu", "GN"]),
    HOLES.map(lambda hole: f"CONV{hole}"),
    HOLES.map(lambda hole: f"CONV1x{hole}"),
)
ARGUMENTS = st.one_of(
    SUMS,
    st.tuples(st.sampled_from(["pad", "bias", "k"]), SUMS).map(lambda t: [t[0], "=", *t[1]]),
    st.sampled_from([["yes"], ["@enc1"], ["x", "=", "no"]]),
)


@st.composite
def layers(draw: st.DrawFn) -> Words:
    word = draw(HEADS)
    if draw(st.booleans()):
        word += "-" + draw(OPERANDS)
    if draw(st.booleans()):
        word += "/" + draw(OPERANDS)
    return [word, "(", *draw(listed(ARGUMENTS, ",", least=0)), ")"] if draw(st.booleans()) else [word]


LABELS = st.one_of(st.sampled_from(["x", "conv1", "net"]), HOLES.map(lambda hole: f"block{hole}b"))
COUNTS = st.one_of(st.sampled_from(["2", "n"]), HOLES)


def composed(element: st.SearchStrategy[Words]) -> st.SearchStrategy[Words]:
    """Elements made of elements."""
    chain = listed(element, "->")
    group = chain.map(lambda each: ["[", *each, "]"])
    atom = st.one_of(layers(), group)
    postfix = st.one_of(
        atom,
        st.tuples(atom, COUNTS).map(lambda t: [*t[0], "*", t[1]]),
        st.tuples(atom, st.sampled_from(["?", "?pick"])).map(lambda t: [*t[0], t[1]]),
    )
    part = st.one_of(
        postfix,
        st.tuples(LABELS, postfix).map(lambda t: [t[0], ":", *t[1]]),
        st.tuples(LABELS, postfix).map(lambda t: ["tap", t[0], "(", "train", ")", ":", *t[1]]),
    )
    return st.one_of(
        part,
        st.tuples(st.sampled_from(["+", "|"]), st.lists(chain, min_size=2, max_size=3)).map(
            lambda t: ["(", *joined(t[1], t[0]), ")"]
        ),
        st.tuples(st.sampled_from(["MUL(", "max ("]), listed(chain, ",")).map(lambda t: [t[0], *t[1], ")"]),
        listed(part, "or", least=2),
        st.tuples(part, TESTS, element).map(lambda t: [*t[0], "if", "(", *t[1], ")", "else", *t[2]]),
        st.tuples(listed(SUMS, ","), group).map(lambda t: ["for", "k", "in", *t[0], *t[1]]),
        st.tuples(listed(listed(SUMS, ",", 2, 2).map(lambda e: ["(", *e, ")"]), ","), group).map(
            lambda t: ["for", "k", ",", "c", "in", *t[0], *t[1]]
        ),
        st.sampled_from([["@enc1"], ["@a.b{i}.c"]]),
    )


CHAINS = listed(st.recursive(layers(), composed, max_leaves=6), "->", most=6)
PARAMETERS = listed(
    st.one_of(
        st.sampled_from(NAMES).map(lambda each: [each]),
        SUMS.map(lambda each: ["d", "=", *each]),
        st.tuples(SUMS, SUMS).map(lambda t: ["e", "in", *t[0], "..", *t[1], "=", "2"]),
        listed(SUMS, ",").map(lambda each: ["f", "in", "{", *each, "}"]),
    ),
    ",",
)
STATEMENTS = st.one_of(
    st.sampled_from([["cnn", "1"], ["net", "X"], ["use", '"a.cnn"', ":", "A", ",", "B"]]),
    PARAMETERS.map(lambda each: ["net", "Net", "(", *each, ")"]),
    SUMS.map(lambda each: ["let", "k", "=", *each]),
    layers().map(lambda each: ["default", *each]),
    st.tuples(PARAMETERS, CHAINS).map(lambda t: ["block", "Block", "(", *t[0], ")", "=", *t[1]]),
    CHAINS.map(lambda each: ["block", "Block", "=", *each]),
    TESTS.map(lambda each: ["assert", *each]),
    CHAINS.map(lambda each: ["INPUT", "8x8x3", "->", *each]),
    CHAINS.map(lambda each: ["INPUT", "->", *each]),
)
GAPS = st.sampled_from([" "] * 12 + ["  ", "\n", "\n\n\n", " # one\n", "\n# two\n", "\n  # two\n# three\n\n", "\t"])


@st.composite
def programs(draw: st.DrawFn) -> str:
    words = [word for statement in draw(st.lists(STATEMENTS, min_size=1, max_size=3)) for word in statement]
    gaps = draw(st.lists(GAPS, min_size=1, max_size=12))
    # A volume is one with its INPUT, and a `?` with its part.
    return "".join(
        word if word.startswith("?") else gaps[at % len(gaps)] + word for at, word in enumerate(words)
    ) + draw(GAPS)


@given(programs())
def test_generated_programs_keep_tree_and_comments(text: str) -> None:
    check(text)
