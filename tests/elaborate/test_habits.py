"""What messages suggest where something is written as in other languages: it is typed, and does what was meant."""

from __future__ import annotations

import re

import pytest

from cnndsl.testing.fixing import after_fixes
from tests.elaborate.making import graph, wrong

A = "INPUT 8x8x4 -> a: CONV3-4 -> b: CONV3-4"
UNIT = "block U(c) = conv: CONV3-c -> bn: BN -> RELU\nINPUT 8x8x4 -> layer: [U(4)*2] -> CONV3-4"
ACT = "block Conv(c, act=RELU) = CONV3-c -> BN -> act\nINPUT 8x8x4 -> Conv(8, {})"

HABITS = {
    # A text, the piece of it that the last text in the help is typed for, and the text that was meant.
    "stride": (
        "INPUT 8x8x4 -> CONV3x3-16 stride 2 -> RELU",
        "CONV3x3-16 stride 2",
        "INPUT 8x8x4 -> CONV3-16/2 -> RELU",
    ),
    "stride in brackets": (
        "INPUT 8x8x4 -> [CONV3-16(bias=no) stride 2 pad 1]",
        "CONV3-16(bias=no) stride 2 pad 1",
        "INPUT 8x8x4 -> CONV3-16/2(pad=1, bias=no)",
    ),
    "stride with a sign": ("INPUT 8x8x4 -> CONV3-16 stride=2", "CONV3-16 stride=2", "INPUT 8x8x4 -> CONV3-16/2"),
    "stride behind a comma": ("INPUT 8x8x4 -> CONV3-16, stride=2", "CONV3-16, stride=2", "INPUT 8x8x4 -> CONV3-16/2"),
    "product": ("INPUT 8x8x4 -> (CONV3-4 * SIGMOID)", "(CONV3-4 * SIGMOID)", "INPUT 8x8x4 -> MUL(CONV3-4, SIGMOID)"),
    "product of a chain": (
        "INPUT 8x8x4 -> (ID * CONV3-4 -> SIGMOID)",
        "(ID * CONV3-4 -> SIGMOID)",
        "INPUT 8x8x4 -> MUL(ID, CONV3-4 -> SIGMOID)",
    ),
    "product of values": (f"{A}\nx = @a * @b", "@a * @b", f"{A}\nx = MUL(@a, @b)"),
    "expression as a width": ("INPUT 8x8x4 -> CONV3-(4*3)/2", "CONV3-(4*3)/2", "INPUT 8x8x4 -> CONV3-12/2"),
    "expression as a size": (
        "let k = 5\nINPUT 8x8x4 -> CONV(k)-16",
        "CONV(k)-16",
        "let k = 5\nINPUT 8x8x4 -> CONV5-16",
    ),
    "square brackets": (
        "INPUT 8x8x4 -> [CONV3-4 | CONV5-4]",
        "[CONV3-4 | CONV5-4]",
        "INPUT 8x8x4 -> (CONV3-4 | CONV5-4)",
    ),
    "square brackets for a sum": (
        "INPUT 8x8x4 -> [ID + BN -> RELU]",
        "[ID + BN -> RELU]",
        "INPUT 8x8x4 -> (ID + BN -> RELU)",
    ),
    "square brackets of values": (f"{A} -> [@a, ID]", "[@a, ID]", f"{A} -> (@a | ID)"),
    "square brackets of a for": (
        "INPUT 8x8x4 -> for c in 4, 4 [ID + CONV3-c]",
        "[ID + CONV3-c]",
        "INPUT 8x8x4 -> for c in 4, 4 [(ID + CONV3-c)]",
    ),
    "list of a for": ("INPUT 8x8x4 -> for k in [3,5] [CONV{k}-8]", "[3,5]", "INPUT 8x8x4 -> for k in 3, 5 [CONV{k}-8]"),
    "list": ("let w = [3, 5]\nINPUT 8x8x4 -> CONV3-{w[2]}", "[3, 5]", "INPUT 8x8x4 -> CONV3-5"),
    "list of one": ("let w = [3]\nINPUT 8x8x4 -> CONV3-{w[1]}", "[3]", "INPUT 8x8x4 -> CONV3-3"),
    "list of lists": (
        "let w = [[1, 2], [3, 5]]\nINPUT 8x8x4 -> CONV3-{w[2][2]}",
        "[[1, 2], [3, 5]]",
        "INPUT 8x8x4 -> CONV3-5",
    ),
    "list as a default": ("net N(w=[3, 5])\nINPUT 8x8x4 -> CONV3-{w[2]}", "[3, 5]", "INPUT 8x8x4 -> CONV3-5"),
    "list as a domain": ("net N(k in [3, 5] = 3)\nINPUT 8x8x4 -> CONV{k}-8", "[3, 5]", "INPUT 8x8x4 -> CONV3-8"),
    "quotes": ('INPUT 8x8x4 -> CONV3-16(pad="same")', '"same"', "INPUT 8x8x4 -> CONV3-16"),
    "single quotes": ("INPUT 8x8x4 -> CONV3-16(pad='same')", "'same'", "INPUT 8x8x4 -> CONV3-16"),
    "commas": ("INPUT 8x8x4, CONV3-16, RELU", ", CONV3-16, RELU", "INPUT 8x8x4 -> CONV3-16 -> RELU"),
    "commas in brackets": ("INPUT 8x8x4 -> [CONV3-4, RELU]*2", ", RELU", "INPUT 8x8x4 -> [CONV3-4 -> RELU]*2"),
    "commas in a block": (
        "block U(c) = CONV3-c, BN, RELU\nINPUT 8x8x4 -> U(8)",
        ", BN, RELU",
        "INPUT 8x8x4 -> [CONV3-8 -> BN -> RELU]",
    ),
    "braces of a block": (
        "block U(c) { CONV3-c -> RELU }\nINPUT 8x8x4 -> U(8)",
        "block U(c) { CONV3-c -> RELU }",
        "INPUT 8x8x4 -> CONV3-8 -> RELU",
    ),
    "braces as brackets": (
        "INPUT 8x8x4 -> {CONV3-4 -> RELU}*2",
        "{CONV3-4 -> RELU}",
        "INPUT 8x8x4 -> [CONV3-4 -> RELU]*2",
    ),
    "braces of a label": ("INPUT 8x8x4 -> a: {CONV3-4 -> BN}", "{CONV3-4 -> BN}", "INPUT 8x8x4 -> a: [CONV3-4 -> BN]"),
    "braces of a for": (
        "INPUT 8x8x4 -> for k in 1..2 {CONV3-4 -> BN}",
        "{CONV3-4 -> BN}",
        "INPUT 8x8x4 -> [CONV3-4 -> BN]*2",
    ),
    "braces of options": ("INPUT 8x8x4 -> CONV3-4{stride=2}", "CONV3-4{stride=2}", "INPUT 8x8x4 -> CONV3-4/2"),
    "slice": ("INPUT 8x8x4 -> SLICE(0:2)", "(0:2)", "INPUT 8x8x4 -> SLICE(0, 2)"),
    "slice of a list": (
        "let w = (3, 5, 7)\nINPUT 8x8x4 -> for c in w[1:2] [CONV3-c]",
        "[1:2]",
        "INPUT 8x8x4 -> CONV3-3 -> CONV3-5",
    ),
    "rest of the channels": ("INPUT 8x8x4 -> SLICE(C/2)", "SLICE(C/2)", "INPUT 8x8x4 -> SLICE(2, 4)"),
    "reflected": (
        "INPUT 8x8x4 -> PAD(reflect, 3) -> CONV7-4(pad=valid)",
        "PAD(reflect, 3)",
        "INPUT 8x8x4 -> REFLECTPAD(3) -> CONV7-4(pad=valid)",
    ),
    "reflected by an option": (
        "INPUT 8x8x4 -> PAD(2, mode=reflect)",
        "PAD(2, mode=reflect)",
        "INPUT 8x8x4 -> REFLECTPAD(2)",
    ),
    "reflected in PyTorch": ("INPUT 8x8x4 -> ReflectionPad2d(2)", "ReflectionPad2d(2)", "INPUT 8x8x4 -> REFLECTPAD(2)"),
    "edge": ("INPUT 8x8x4 -> PAD(edge, 1)", "PAD(edge, 1)", "INPUT 8x8x4 -> REPLICATEPAD(1)"),
    "zeros": ("INPUT 8x8x4 -> PAD2", "PAD2", "INPUT 8x8x4 -> ZEROPAD(2)"),
    "reference with an error at its end": (
        f"{UNIT} -> (@layer.1.bnn | ID)",
        "@layer.1.bnn",
        f"{UNIT} -> (@layer.1.bn | ID)",
    ),
    "reference with an error at its head": (
        f"{UNIT} -> (@layr.1.bn | ID)",
        "@layr.1.bn",
        f"{UNIT} -> (@layer.1.bn | ID)",
    ),
    "reference without its head": (f"{UNIT} -> (@0.bn | ID)", "@0.bn", f"{UNIT} -> (@layer.0.bn | ID)"),
    "sum of values on a line": (f"{A}\n(@a + @b) -> RELU", "(@a + @b) -> RELU", f"{A}\nx = (@a + @b) -> RELU"),
    "sum without brackets on a line": (f"{A}\n@a + @b -> RELU", "@a + @b -> RELU", f"{A}\nx = (@a + @b) -> RELU"),
    "sum without brackets": (f"{A}\nx = @a + @b", "@a + @b", f"{A}\nx = (@a + @b)"),
    "sum without an arrow": (f"{A} (@a + @b) -> RELU", "(@a + @b) -> RELU", f"{A} -> (@a + @b) -> RELU"),
}


def structure(text: str) -> list[tuple[str, str, tuple[int, ...]]]:
    """Each layer by what it is, its shape and what it reads."""
    return [(node.kind, str(node.shape), tuple(node.inputs)) for node in graph(text).layers]


@pytest.mark.parametrize(("text", "piece", "meant"), HABITS.values(), ids=HABITS)
def test_what_is_suggested_is_what_was_meant(text: str, piece: str, meant: str) -> None:
    found = wrong(text)
    if any(each.fix for each in found):
        assert structure(after_fixes(text)) == structure(meant)
        return
    (*_, last) = re.findall("`([^`]+)`", found[0].help)
    assert text.count(piece) == 1
    assert structure(text.replace(piece, last)) == structure(meant)


@pytest.mark.parametrize(
    "layer", ["LEAKYRELU(0.1)", "LEAKYRELU(slope=0.1)", "CONV3-16", "act=ELU(0.5)", "act=DROPOUT(p=0.5)"]
)
def test_a_layer_as_an_argument_is_named_by_a_block(layer: str) -> None:
    """A layer type is given by its name alone; one with options is given by that of a block."""
    help = wrong(ACT.format(layer))[0].help
    block = re.search(r"`(block (Act) = [^`]+)`", help)
    assert block is not None
    written = layer.removeprefix("act=")
    mended = f"{block[1]}\n{ACT.format(layer.replace(written, block[2]))}"
    assert structure(mended) == structure(f"block L = {written}\n{ACT.format('L')}")


def test_a_layer_as_a_let_is_named_by_a_block() -> None:
    (error,) = wrong("let act = LEAKYRELU(0.1)\nINPUT 8x8x4 -> act")
    assert error.code == "E0205"
    assert "`block act = LEAKYRELU(0.1)`" in error.help
    assert structure("block act = LEAKYRELU(0.1)\nINPUT 8x8x4 -> act") == structure("INPUT 8x8x4 -> LEAKYRELU(0.1)")


def test_an_output_that_is_given_has_no_parts() -> None:
    """It is one value, and the block says by a parameter of its own what else it takes."""
    made = "block E(from) = [\n  y0 = @from -> CONV3-8\n  y1 = @from -> CONV3-8\n]\n"
    net = "INPUT 8x8x4 -> a: CONV3-4\ne = E(@a)\nf = "
    (error, _) = wrong(f"{made}block F(from) = (@from.y0 | @from.y1)\n{net}F(@e)")
    assert error.code == "E0232"
    assert "`@e.y0`" in error.help
    assert structure(f"{made}block F(y0, y1) = (@y0 | @y1)\n{net}F(@e.y0, @e.y1)")[-1][0] == "CONCAT"


@pytest.mark.parametrize(
    ("reference", "help"),
    [
        ("@layer.2.bn", "known in `layer`: @layer.0, @layer.1"),
        ("@layer.1.bm", "known in `layer.1`: @layer.1.conv, @layer.1.bn, @layer.1.relu"),
        ("@zzz.bn", "available here: `@layer`"),
    ],
)
def test_a_path_that_leads_nowhere_is_told_how_far_it_leads(reference: str, help: str) -> None:
    (error,) = wrong(f"{UNIT} -> ({reference} | ID)")
    assert error.help == help


@pytest.mark.parametrize("head", ["SPLIT2", "SPLIT(2)", "CHUNK2"])
def test_parts_of_the_channels_are_slices(head: str) -> None:
    (error,) = wrong(f"INPUT 8x8x4 -> {head}")
    assert "SLICE(0, C/2), and SLICE(C/2, C)" in error.help
    assert structure("INPUT 8x8x4 -> (SLICE(0, C/2) | SLICE(C/2, C))")[0][1] == "8x8x2"
