"""Graphs with names as texts: compiled again, each layer with tensors is called as it was, and files of weights fit.

Networks of the zoo have lost their blocks here, and their layers without tensors have lost their names.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from statistics import median

import pytest

import cnndsl
from cnndsl.graph import Graph, wired
from cnndsl.importers.compared import difference
from cnndsl.importers.raising import raised
from cnndsl.importers.raising.page import words
from cnndsl.importers.raising.regions import has_name
from cnndsl.resources import architecture
from tests.importers.flattened import flattened

FAST = """
alexnet cifar_resnet fcn8s densenet121 googlenet mobilenet_v2 resnet18 resnet50 shufflenet_v2_x1_0 siamese squeezenet1_1
ssd300 unet vgg16
""".split()
ALL = [pytest.param(name, marks=[] if name in FAST else [pytest.mark.slow]) for name in cnndsl.zoo()]


def again(graph: Graph) -> str:
    """The text of a graph, of which it is known that it is that graph with its names."""
    text = raised(flattened(graph), with_names=True)
    assert difference(cnndsl.loads(text).graph, graph, with_names=True) == "", text
    return text


@cache
def text_of(name: str) -> str:
    """The text of a network of the zoo."""
    return again(cnndsl.load(name).graph)


@pytest.mark.parametrize("name", ALL)
def test_the_zoo(name: str) -> None:
    assert text_of(name)


def test_texts_are_about_as_long_as_those_of_people() -> None:
    found: list[float] = []
    for name in FAST:
        source = architecture(name)
        assert source is not None
        lines = [line for line in re.sub("#.*", "", source.text).splitlines() if not line.startswith("assert")]
        found.append(words(text_of(name)) / words("\n".join(lines)))
    assert median(found) <= 1.5


@pytest.mark.parametrize("name", ["resnet50", "densenet121"])
def test_blocks_of_residual_and_dense_networks(name: str) -> None:
    text = text_of(name)
    assert text.count("block ") == 1
    assert "@" not in text


def test_a_block_has_tests_for_what_some_of_its_modules_lack() -> None:
    text = text_of("mobilenet_v2")
    # The paper's t is 6 everywhere but in the first unit, which lacks the convolution that expands.
    assert "block Residual(c, s=1, e=6) = (" in text
    assert "(e*C) if e != 1 -> " in text
    assert "+ ID if C == c" in text
    # Table 2 of the paper: c, s and n of the stages behind the first.
    assert "(24, 2, 2), (32, 2, 3), (64, 2, 4), (96, 1, 3), (160, 2, 3), (320, 1, 1) [" in text


def table(text: str) -> list[dict[str, int]]:
    """The rows of the table of stages in a text, by the names of its columns."""
    found = re.search(r"for ([\w, ]+) in\s+((?:\([\d, -]+\),?\s+)+)\[", text)
    assert found is not None, text
    names = found[1].split(", ")
    return [dict(zip(names, map(int, row.split(", ")), strict=True)) for row in re.findall(r"\(([^)]*)\)", found[2])]


def test_rates_that_grow_with_the_place_of_a_unit() -> None:
    text = text_of("efficientnet")
    assert text.count("block MBConv") + text.count("block Residual") == 1
    # torchvision's rate of a unit is 0.2 * units before it / 16; Table 1 of the paper has the channels and units.
    assert "DROPPATH(0.2*place/16) if C == c" in text
    stages = zip((16, 24, 40, 80, 112, 192, 320), (1, 2, 2, 3, 3, 4, 1), (0, 1, 3, 5, 8, 11, 15), strict=True)
    assert [(row["c"], row["n"], row["place"]) for row in table(text)] in (wanted := [*stages], wanted[1:])
    assert re.search(r"\w+\(c, place, k, s.*\) -> \w+\(c, place \+ i, k.*\)\*\{n-1\}", text)


def test_rates_from_nothing_to_the_last_unit() -> None:
    text = text_of("convnext_tiny")
    assert text.count("block ") == 1
    # Of 18 units in stages of 3, 3, 9 and 3 the first one has the rate 0 and the last one 0.1.
    assert "DROPPATH(0.1*place/17)" in text
    assert [(row["place"], row["n"]) for row in table(text)] == [(0, 3), (3, 3), (6, 9)]
    assert "[Residual(place + i - 1)*n]" in text


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1", "unet"])
def test_hints_may_all_be_wrong(name: str) -> None:
    """Where layers with tensors are is known; of the others nothing is."""
    graph = cnndsl.load(name).graph
    nodes = [node if has_name(graph, node.index) else replace(node, path=f"op{node.index}") for node in graph]
    text = raised(replace(flattened(graph), digraph=wired(nodes)), with_names=True)
    assert difference(cnndsl.loads(text).graph, graph, with_names=True) == "", text


ONE = "INPUT 16x16x8 -> "


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        # Numbers that are their places, with a function that takes none, and with a gap.
        ("stem: [CONV3-8 -> BN -> RELU] -> FC-10", "stem: [CONV3-8 -> BN -> RELU]"),
        ('stem: [CONV3-8 -> "": RELU -> CONV3-8 -> POOL2] -> FC-10', 'stem: [CONV3-8 -> "": RELU -> CONV3-8'),
        ("stem: [0: CONV3-8 -> 2: BN -> RELU] -> FC-10", "stem: [0: CONV3-8 -> 2: BN -> RELU]"),
        # What kinds give is not written: a lone BN would be `bn`.
        (
            "m: [conv1: CONV3-8 -> bn1: BN -> RELU -> conv2: CONV3-8] -> FC-10",
            "m: [CONV3-8 -> bn1: BN -> RELU -> CONV3-8]",
        ),
        # Two modules that take turns are none, and their parts have paths.
        (
            "m: [convs.0: CONV3-8 -> bns.0: BN -> RELU -> convs.1: CONV3-8 -> bns.1: BN] -> FC-10",
            "m: [convs.0: CONV3-8 -> bns.0: BN -> RELU -> convs.1: CONV3-8 -> bns.1: BN]",
        ),
        # A second name for what is read elsewhere takes no number.
        (
            "m: [CONV3-8/2 -> RELU -> a: ID -> CONV3-8/2 -> RELU] -> CONV3-8 -> UPSAMPLE2 -> (@m.a + ID) -> FC-10",
            "(@m.y1 + ID)",
        ),
        ("m: [CONV3-8 -> RELU -> CONV3-8 -> RELU] -> (n: [CONV3-8 -> BN] + ID) -> FC-10", "(n: [CONV3-8 -> BN] + ID)"),
        # A label that Python does not take, and labels that count.
        ('trunk: ["block1-{i}": [CONV3-8 -> BN]]*3 -> FC-10', '["block1-{i}": [CONV3-8 -> BN]]*3'),
        ("[layer{i}: [CONV3-8 -> BN -> RELU]]*3 -> FC-10", "[layer{i}: [CONV3-8 -> BN -> RELU]]*3"),
        ("[conv{i+1}: CONV3-8 -> RELU]*3 -> FC-10", "[conv{i+1}: CONV3-8 -> RELU]*3"),
        # What enters a module is read again in it.
        ("m: [x: ID -> CONV3-8/2 -> CONV3-8 -> UPSAMPLE(out=@x) -> RELU] -> FC-10", "m: [y1: ID -> CONV3-8/2"),
        # Each joins all before it, and those of a run are one star.
        (
            "m: [y: ID -> [layer{i}: [(@y | @layer*) -> BN -> CONV3-4]]*3 -> (@y | @layer*)] -> FC-10",
            "m: [z1: ID -> [layer{i}: [(@z1 | @layer*) -> BN -> CONV3-4]]*3 -> (@z1 | @layer*)]",
        ),
        # A tensor of a module itself.
        (
            "m: [conv: CONV3-8 -> gamma: SCALE(bias=no, parameter=vector)] -> FC-10",
            "gamma: SCALE(bias=no, parameter=vector)",
        ),
        # An auxiliary head.
        (
            "a: CONV3-8 -> tap aux(train): [GAP -> fc: FC-10] -> b: CONV3-8 -> FC-10",
            "tap aux(train): [GAP -> fc: FC-10]",
        ),
    ],
)
def test_what_is_written(text: str, wanted: str) -> None:
    assert wanted in again(cnndsl.loads(ONE + text).graph).replace("\n", " ")


def test_several_results_and_outputs() -> None:
    text = again(
        cnndsl.loads(
            """
            INPUT 16x16x8 -> body: [c1: CONV3-8 -> RELU -> c2: CONV3-8/2 -> RELU]
            small = @body -> head1: [CONV3-8 -> BN]
            large = @body.c1 -> head2: [CONV3-8 -> BN]
            output large, small
            """
        ).graph
    )
    assert "@body.c1" in text
    assert text.endswith("output large, small")


def test_blocks_are_called_after_classes() -> None:
    graph = flattened(cnndsl.load("resnet18").graph)
    classes = {f"layer{stage}.{unit}": "BasicBlock" for stage in range(1, 5) for unit in range(2)}
    assert "block BasicBlock(c, s=1) = (" in raised(graph, with_names=True, classes=classes)


def test_a_name_that_differs_is_found() -> None:
    one = cnndsl.loads("INPUT 8x8x3 -> a: CONV3-8 -> RELU -> FC-10").graph
    other = cnndsl.loads("INPUT 8x8x3 -> b: CONV3-8 -> RELU -> FC-10").graph
    assert difference(one, other) == ""
    assert difference(one, other, with_names=True) == "`b` is called `a`"
