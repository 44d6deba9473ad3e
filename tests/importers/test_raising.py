"""Graphs as texts: each text is compiled again, and its graph is the one that it was made from, layer by layer.

Networks of the zoo have lost their blocks and names here; what is left are layers and what they read.
"""

from __future__ import annotations

import re
from statistics import median

import pytest

import cnndsl
from cnndsl.errors import CnnError
from cnndsl.graph import Graph
from cnndsl.importers.compared import difference
from cnndsl.importers.raising import raised
from cnndsl.importers.raising.page import words
from cnndsl.resources import architecture
from cnndsl.testing import crossing

FAST = """
alexnet alexnet_towers c3d cifar_densenet cifar_resnet crnn dcgan densenet121 edsr fcn8s googlenet lenet5 lenet5_1998
m5 mobilenet_v1 mobilenet_v2 nin preact_resnet r3d_18 recipe regnet_x_400mf repvgg resnet18 resnet50 resnet_plain
resnext50_32x4d se_resnet50 segnet shufflenet_v2_x1_0 squeezenet1_1 tcn unet vgg16 wrn xception
""".split()


def has_names(graph: Graph) -> bool:
    """Whether the network needs names that a flat graph doesn't have: of shared weights, of parameters."""
    return any(node.weights_of >= 0 or node.layer.is_parameter for node in graph)


ALL = [
    pytest.param(name, marks=[] if name in FAST else [pytest.mark.slow])
    for name in cnndsl.zoo()
    if name not in ("siamese", *(f"convnext_{size}" for size in ("tiny", "small", "base", "large")))
]


@pytest.mark.parametrize("name", ALL)
def test_the_zoo(name: str) -> None:
    graph = cnndsl.load(name).graph
    assert difference(cnndsl.loads(raised(graph)).graph, graph) == ""


def test_texts_are_about_as_long_as_those_of_people() -> None:
    found: list[float] = []
    for name in FAST:
        source = architecture(name)
        assert source is not None
        lines = [line for line in re.sub("#.*", "", source.text).splitlines() if not line.startswith("assert")]
        found.append(words(raised(cnndsl.load(name).graph)) / words("\n".join(lines)))
    assert median(found) <= 1.5


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "INPUT 8x8x3 -> CONV3-8 -> RELU -> CONV3-8 -> RELU -> POOL2 -> FC-10",
            "INPUT 8x8x3\n-> [CONV3-8 -> RELU]*2 -> POOL2 -> FC-10",
        ),
        (
            "INPUT 8x8x3 -> a: CONV3-8 -> RELU -> CONV3-4 -> (@a | ID) -> FC-10",
            "INPUT 8x8x3\n-> CONV3-8 -> (ID | RELU -> CONV3-4) -> FC-10",
        ),
        (
            "INPUT 8x8x3 -> a: CONV3-8 -> POOL2 -> CONV3-16 -> UPSAMPLE2 -> (@a | ID) -> CONV3-8",
            "INPUT 8x8x3\n-> x1: CONV3-8 -> POOL2 -> CONV3-16 -> UPSAMPLE2 -> (@x1 | ID) -> CONV3-8",
        ),
    ],
)
def test_what_is_written(text: str, wanted: str) -> None:
    assert raised(cnndsl.loads(text).graph) == wanted


def test_a_residual_network_has_one_block_and_a_table_of_its_stages() -> None:
    text = raised(cnndsl.load("resnet50").graph)
    assert text.count("block ") == 1
    assert "ID or [CONV1-{4*c}/s -> BN]" in text
    # The paper's units in each stage are 3, 4, 6 and 3.
    assert "-> for c, s, n in (64, 1, 3), (128, 2, 4), (256, 2, 6), (512, 2, 3) [" in text


def test_layers_of_a_unit_are_a_block_before_the_unit_is_one() -> None:
    conv = "CONV{k}-c/s(bias=no) -> BN -> LEAKYRELU(0.1)"
    text = f"""
    block Conv(c, k=3, s=1) = {conv}
    INPUT 64x64x3
    -> Conv(32)
    -> for c, n in (64, 1), (128, 2), (256, 8), (512, 8) [Conv(c, s=2) -> (Conv(c/2, 1) -> Conv(c) + ID)*n]
    -> GAP -> CONV1-10 -> SOFTMAX
    """
    # Darknet-53 but for its last stage, as Table 1 of the paper has it: (Redmon & Farhadi 2018).
    lines = raised(cnndsl.loads(text).graph).splitlines()
    assert len(lines) == 4
    assert lines[:2] == [f"block Conv(c, k=3, s=1) = {conv}", "INPUT 64x64x3 -> Conv(32)"]


def test_programs_in_which_labels_and_references_meet() -> None:
    """Taps, which no file of another tool has, aside. Of what is not found the command says so, and writes nothing."""
    right = seen = 0
    for seed in range(120):
        try:
            drawn = crossing(seed)
            graph = cnndsl.loads(drawn.text).graph
        except CnnError:
            continue
        if has_names(graph) or any(each.is_tap for each in graph.taps):
            continue
        seen += 1
        try:
            right += difference(cnndsl.loads(raised(graph)).graph, graph) == ""
        except CnnError:
            continue
    assert seen > 25
    assert right >= seen - 1


@pytest.mark.parametrize(
    "other",
    [
        "INPUT 8x8x3 -> a: CONV3-8 -> (CONV3-8 -> TANH + ID) -> FC-10",
        "INPUT 8x8x3 -> a: CONV3-8 -> (CONV5-8 -> RELU + ID) -> FC-10",
        "INPUT 8x8x3 -> a: CONV3-8 -> (CONV3-8 -> RELU | ID) -> FC-10",
        "INPUT 8x8x3 -> a: CONV3-8 -> (CONV3-8 + ID) -> FC-10",
        "INPUT 8x8x3 -> a: CONV3-8 -> (RELU -> CONV3-8 + ID) -> FC-10",
        "INPUT 8x8x3 -> a: CONV3-8 -> CONV3-8 -> (RELU + ID) -> FC-10",
        "INPUT 8x8x3 -> a: CONV3-8 -> (CONV3-8 -> RELU + ID) -> FC-10(bias=no)",
        "INPUT 8x8x3 -> a: CONV3-8 -> (CONV3-8 -> RELU + ID) -> FC-11",
        "INPUT 9x8x3 -> a: CONV3-8 -> (CONV3-8 -> RELU + ID) -> FC-10",
        "INPUT 8x8x3 -> a: CONV3-8 -> (CONV3-8 -> RELU + CONV1-8) -> FC-10",
        "INPUT 8x8x3 -> a: CONV3-8 -> (CONV3-8 -> RELU + ID) -> tap t: ID -> FC-10",
    ],
)
def test_a_single_change_is_found(other: str) -> None:
    one = cnndsl.loads("INPUT 8x8x3 -> a: CONV3-8 -> (CONV3-8 -> RELU + ID) -> FC-10").graph
    assert difference(cnndsl.loads(other).graph, one) != ""
