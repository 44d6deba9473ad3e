"""Graphs with names as texts: compiled again, each layer with tensors is called as it was, so that files of weights fit.

Networks of the zoo have lost their blocks here, and their layers without tensors have lost their names.
"""

from __future__ import annotations

import re
from statistics import median

import pytest

import cnndsl
from cnndsl.graph import Graph
from cnndsl.importers.compared import difference
from cnndsl.importers.raising import raised
from cnndsl.importers.raising.page import words
from cnndsl.resources import architecture
from tests.importers.flattened import flattened

FAST = """
alexnet cifar_resnet deeplabv3_resnet50 densenet121 fcn8s googlenet mobilenet_v2 mnasnet res2net50 resnet18 resnet50
resnet50_fpn shufflenet_v2_x1_0 squeezenet1_1 ssd300 unet vgg16 xception
""".split()
ALL = [
    pytest.param(name, marks=[] if name in FAST else [pytest.mark.slow]) for name in cnndsl.zoo() if name != "siamese"
]


def again(graph: Graph) -> str:
    """The text of a graph, of which it is known that it is that graph with its names."""
    text = raised(flattened(graph), with_names=True)
    assert difference(cnndsl.loads(text).graph, graph, with_names=True) == "", text
    return text


@pytest.mark.parametrize("name", ALL)
def test_the_zoo(name: str) -> None:
    again(cnndsl.load(name).graph)


def test_texts_are_about_as_long_as_those_of_people() -> None:
    found: list[float] = []
    for name in FAST:
        source = architecture(name)
        assert source is not None
        lines = [line for line in re.sub("#.*", "", source.text).splitlines() if not line.startswith("assert")]
        text = raised(flattened(cnndsl.load(name).graph), with_names=True)
        found.append(words(text) / words("\n".join(lines)))
    assert median(found) <= 1.5


@pytest.mark.parametrize("name", ["resnet50", "densenet121"])
def test_blocks_of_residual_and_dense_networks(name: str) -> None:
    text = raised(flattened(cnndsl.load(name).graph), with_names=True)
    assert text.count("block ") == {"resnet50": 1, "densenet121": 2}[name]
    assert "@" not in text
