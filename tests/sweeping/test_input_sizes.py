"""What is said of input sizes, for networks whose sizes follow from arithmetic on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx as nx
import pytest

import cnndsl
from cnndsl.errors import CnnError, Source
from cnndsl.sweeping.input_sizes import InputSizes
from cnndsl.sweeping.size_survey import default_range, input_sizes
from tests.sweeping.compiling import compiled, search, volumes

UNET = """
block Double(c) = [CONV3-c -> RELU]*2
block Up(c, skip) = (@skip | CONVT2-c/2) -> Double(c)
INPUT 224x224x3 -> e1: Double(8) -> POOL2 -> e2: Double(16) -> POOL2 -> Double(32)
-> up2: Up(16, @e2) -> up1: Up(8, @e1) -> CONV1-2
"""
VALID = """
INPUT 100x100x1 -> a: [CONV3-2(pad=valid)]*2 -> POOL2 -> b: [CONV3-4(pad=valid)]*2 -> POOL2 -> [CONV3-8(pad=valid)]*2
-> up2: CONVT2-4/2 -> (@b -> CROP(4) | ID) -> [CONV3-4(pad=valid)]*2
-> up1: CONVT2-2/2 -> (@a -> CROP(16) | ID) -> [CONV3-2(pad=valid)]*2 -> CONV1-2
"""
PYRAMID = """
INPUT 256x320x3 -> CONV7-4/2 -> POOL3/2(pad=1) -> c3: CONV3-8/2 -> c4: CONV3-8/2 -> c5: CONV3-8/2
p5 = @c5 -> CONV1-4
p4 = (@p5 -> UPSAMPLE2 + @c4 -> CONV1-4)
p3 = (@p4 -> UPSAMPLE2 + @c3 -> CONV1-4)
output p3, p4, p5
"""


def sizes(text: str, up_to: int | None = 256) -> InputSizes:
    return input_sizes(search(text), up_to)


RULES = {
    # Two poolings that round down; only multiples of 4 come back to the sizes that they had.
    "U-Net": (UNET, {"H and W": "multiples of 4"}),
    # With a = n - 4: POOL2 needs an even a, and the second one an even a/2 - 4. Then c = (a/2 - 4)/2 - 4, and 2c - 4
    # and 2(2c - 4) - 4 must be positive, so c is 4 at least, a/2 - 4 is 16, a is 40, and n is 44.
    "valid U-Net": (VALID, {"H and W": "multiples of 4, at least 44"}),
    # Strides round up: 2*ceil(ceil(n/8)/2) == ceil(n/8) needs an even ceil(n/8), and in all a multiple of 4.
    "pyramid": (PYRAMID, {"H": "32k - 7 to 32k", "W": "32k - 7 to 32k"}),
    "residual": (
        "INPUT 32x32x3 -> (CONV3-8/2 -> CONV3-8 + ID or CONV1-8/2) -> GAP -> FC-10",
        {"H and W": "any"},
    ),
    # Five poolings leave something of 32 positions.
    "VGG": ("INPUT 224x224x3 -> [CONV3-4 -> POOL2]*5 -> FC-10", {"H and W": "at least 32"}),
    # 2*ceil(ceil(n/2)/2) from a deconvolution of each half, and the skip of ceil(n/2): even halves.
    "autoencoder": (
        "INPUT 28x28x1 -> CONV3-4/2 -> x: RELU -> CONV3-8/2 -> CONVT4-4/2(pad=1) -> (ID + @x) -> CONVT4-1/2(pad=1)",
        {"H and W": "4k - 1 to 4k"},
    ),
    "pixels": ("INPUT 64x64x3 -> PIXELUNSHUFFLE4 -> CONV3-16 -> PIXELSHUFFLE4", {"H and W": "multiples of 4"}),
    # The reshape needs 32*24*12 = h/2 * w/2 * 12.
    "reshape": (
        "INPUT 64x48x3 -> PIXELUNSHUFFLE4 -> PIXELSHUFFLE2 -> RESHAPE(32x24x12)",
        {"H with W = 48": "64", "W with H = 64": "48"},
    ),
    # A dilation of 4 takes 8 positions, CONV4/2 halves the rest, and of that a dilation of 2 needs 5.
    "dilated": (
        "INPUT 65x65x3 -> CONV3-4(dilation=4, pad=valid) -> CONV4-4/2(pad=1) -> CONV3-4(dilation=2, pad=valid)",
        {"H and W": "at least 18"},
    ),
    # An even kernel without padding loses one position, whatever the size: a residual that never fits.
    "even kernel": (
        "INPUT 16x16x4 -> x: CONV2-4 -> (CONV2-4(pad=0) -> ZEROPAD(0, after=1) + ID)",
        {"H and W": "at least 2"},
    ),
    # ceil(n/2) is 64 for 127 and 128.
    "two inputs": (
        "a = INPUT 128x128x3 b = INPUT 64x64x1 x = @a -> CONV3-4/2 y = (@x | @b) -> GAP -> FC-3",
        {"H and W": "127 to 128"},
    ),
    "two alike": (
        "a = INPUT 64x64x3 b = INPUT 64x64x1 x = (@a | @b) -> POOL2 -> GAP -> FC-3",
        {"H and W": "at least 2"},
    ),
    # 1 + 2 + 4 + 8 positions, and four for the last one.
    "causal": (
        "INPUT 1000x4 -> for d in 1, 2, 4, 8 [CONV2-4(dilation=d, pad=valid)] -> CONV4-4/4(pad=valid)",
        {"W": "at least 19"},
    ),
    "volumes": (
        "INPUT 32x32x32x1 -> e: CONV3-2 -> POOL2 -> UPSAMPLE2 -> (ID | @e)",
        {"D, H and W": "multiples of 2"},
    ),
    "video": (
        "INPUT 8x32x32x1 -> CONV3-2 -> POOL1x2x2 -> CONV3-2 -> POOL4 -> FC-2",
        {"D": "at least 4", "H": "at least 8", "W": "at least 8"},
    ),
    "any height": ("INPUT 33x33x3 -> CONV1x7-4(pad=valid) -> CONV3-4", {"H": "any", "W": "at least 7"}),
    "size of another map": (UNET.replace("CONVT2-c/2", "UPSAMPLE(out=@skip)"), {"H and W": "at least 4"}),
    "named height": ("INPUT 32x32x3 -> POOL2 -> UPSAMPLE(out={H*2}x{W*2})", {"H = W": "at least 2"}),
    "impossible": ("INPUT 32x32x3 -> CONV3-4/2 -> (ID + CONV1-8)", {"H = W": "none"}),
}


@pytest.mark.parametrize(("text", "rules"), RULES.values(), ids=RULES)
def test_rules(text: str, rules: dict[str, str]) -> None:
    found = sizes(text)
    assert {found.title(line.axes): line.works.text for line in found.lines} == rules


@pytest.mark.parametrize(("text", "rules"), RULES.values(), ids=RULES)
def test_rules_are_what_compiling_finds(text: str, rules: dict[str, str]) -> None:
    found, other = sizes(text, 80), search(text)
    source = Source("net.cnn", text)
    assert len(found.lines) == len(rules)
    for line in found.lines:
        for size in range(1, 81):
            made = compiled(source, volumes(other, line.point(size)))
            assert (size in line.works) is not isinstance(made, str), (line.axes, size)


def test_weights_of_a_dense_layer_fit_some_sizes() -> None:
    """Five poolings make 7x7 of 224 to 255."""
    found = sizes("INPUT 224x224x3 -> [CONV3-4 -> POOL2]*5 -> head: [FC-10 -> RELU -> FC-2]", 512)
    (line,) = found.lines
    assert (line.works.text, line.same_weights.text) == ("at least 32", "224 to 255")
    assert found.sized_weights() == ("head.0",)


def test_weights_of_a_part_that_is_applied_again_count_once() -> None:
    """Two convolutions of 5 and two poolings make 22 of 100 to 103, and 27 of 120 to 123."""
    tower = "CONV5-4(pad=valid) -> POOL2 -> CONV5-4(pad=valid) -> POOL2 -> FC-8"
    found = sizes(f"l = INPUT 100x120x1 r = INPUT 100x120x1 a = @l -> t: [{tower}] b = @r -> again t c = (@a | @b)")
    assert found.sized_weights() == ("t.4",)
    assert [line.same_weights.text for line in found.lines] == ["100 to 103", "120 to 123"]


def test_failures_have_their_places_and_the_numbers_that_meet() -> None:
    """225 halves to 112 and 56; the second skip has 112 and meets 112, the first has 225 and meets 224."""
    found = sizes(UNET)
    places = {place.path: place for place in found.failures}
    assert list(places) == ["up2.concat", "up1.concat", "pool2", "pool1"]
    assert [places["up1.concat"].size, places["up1.concat"].meeting] == [226 - 1, (0, 225, 224)]
    assert {size % 4 for size in places["up1.concat"].sizes} == {1}
    assert {size % 4 for size in places["up2.concat"].sizes} == {2, 3}
    assert sorted(size for place in found.failures for size in place.sizes) == [n for n in range(1, 257) if n % 4]
    assert all(place.span is not None and place.span.line == 3 for place in found.failures[:2])


@pytest.mark.parametrize(("text", "rules"), RULES.values(), ids=RULES)
def test_the_message_of_a_place_is_the_compiler_s(text: str, rules: dict[str, str]) -> None:
    found = sizes(text, 40)
    assert rules
    for place in found.failures[:3]:
        error = found.error(place)
        assert error is not None
        assert place.span is not None
        assert error.span is not None
        assert place.span.start <= error.span.start < error.span.end <= place.span.end


def test_a_file_that_does_not_compile_as_it_is() -> None:
    found = sizes(UNET.replace("224x224", "225x225"))
    assert found.base == (224, 224)
    assert found.lines[0].works.text == "multiples of 4"
    assert found.as_written is not None
    assert found.as_written.path == "up1.concat"


def test_a_picture_that_is_no_square_and_does_not_fit() -> None:
    found = sizes(UNET.replace("224x224", "300x202"))
    assert found.base == (300, 200) or found.base == (304, 204) or found.base == (298, 200)
    assert {line.works.text for line in found.lines} == {"multiples of 4"}


def test_an_error_that_is_not_about_sizes_is_raised() -> None:
    with pytest.raises(CnnError, match="E0231"):
        sizes("INPUT 32x32x3 -> CONF3-64")


def test_a_parameter_called_input_is_refused() -> None:
    with pytest.raises(ValueError, match="a parameter called `input`"):
        sizes("net N(input=32) INPUT {input}x{input}x3 -> CONV3-4")


def test_asking() -> None:
    found = sizes(UNET)
    works, fails, other = found.ask("64", (64, 64)), found.ask("30", (30, 30)), found.ask("32x31", (32, 31))
    assert (works.place, works.row["output"], works.row["same_weights"]) == (None, "64x64x2", True)
    assert (fails.nearest, fails.row["path"]) == (((28, 28), (32, 32)), "up2.concat")
    assert (other.nearest, other.row["path"]) == (((32, 28), (32, 32)), "up2.concat")


def test_rows_are_plain_data() -> None:
    found = cnndsl.sizes(cnndsl.loads("INPUT 4x4x1 -> POOL2 -> FC-2"), up_to=4)
    assert list(found) == [
        {"input": "1x1x1", "works": False, "same_weights": False, "output": None, "path": "0", "line": 1},
        {"input": "2x2x1", "works": True, "same_weights": False, "output": "2", "path": None, "line": None},
        {"input": "3x3x1", "works": True, "same_weights": False, "output": "2", "path": None, "line": None},
        {"input": "4x4x1", "works": True, "same_weights": True, "output": "2", "path": None, "line": None},
    ]
    assert found[1:2] == [found[1]]
    pandas: Any = pytest.importorskip("pandas")
    assert len(pandas.DataFrame(found)) == 4


def test_the_function_of_the_package(tmp_path: Path) -> None:
    path = tmp_path / "net.cnn"
    path.write_text("net Small(n=2)\nINPUT 32x32x3 -> [CONV3-4 -> POOL2]*n -> FC-2")
    assert cnndsl.sizes(path, n=3, up_to=64).lines[0].works.text == "at least 8"
    assert cnndsl.sizes(cnndsl.load(path, n=4), up_to=64).lines[0].works.text == "at least 16"
    assert repr(cnndsl.sizes(path, up_to=64)) == "InputSizes(Small, H and W: at least 4)"
    with pytest.raises(ValueError, match="vector"):
        cnndsl.sizes(cnndsl.loads("INPUT 10 -> FC-2"))
    with pytest.raises(ValueError, match="'left'"):
        cnndsl.sizes(path, of="left")


def test_a_graph_of_networkx() -> None:
    graph = nx.DiGraph([("x", "a"), ("a", "p"), ("p", "u"), ("u", "s"), ("a", "s")])
    layers = {"x": "INPUT 8x8x4", "a": "CONV3-4", "p": "POOL2", "u": "UPSAMPLE2", "s": "+"}
    nx.set_node_attributes(graph, layers, "layer")
    found = cnndsl.sizes(cnndsl.from_networkx(graph), up_to=32)
    assert found.lines[0].works.text == "multiples of 2"
    assert found.failures[0].path == "s"


def test_one_of_several_inputs() -> None:
    text = "a = INPUT 64x64x3 b = INPUT 64x64x1 x = @b -> CONV3-4/2 y = (@a -> POOL2 | @x) -> GAP -> FC-3"
    found = input_sizes(search(text), 100)
    assert (found.varied, dict(found.fixed), found.lines[0].works.text) == (("a", "b"), {}, "multiples of 2")
    both = cnndsl.sizes(cnndsl.loads(text), up_to=100, of="b")
    assert (both.varied, list(both.fixed), both.lines[0].works.text) == (("b",), ["a"], "63 to 64")


def test_default_range() -> None:
    assert [default_range(each) for each in ((64, 64), (513, 100), (4000,))] == [512, 1024, 2048]
