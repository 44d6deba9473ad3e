"""Tables of all bundled networks and of generated programs: texts keep apart, and no layer is lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnndsl import load, loads
from cnndsl.emit.configuration.build import configuration
from cnndsl.emit.configuration.data import as_json, as_markdown
from cnndsl.emit.configuration.page import page
from cnndsl.emit.configuration.paper import latex
from cnndsl.emit.configuration.picture import picture
from cnndsl.emit.drawing.geometry import findings
from cnndsl.graph import Graph
from cnndsl.graph.traversal import walk
from cnndsl.testing.programs import programs
from tests.bundled import ZOO

COMPLETE = ("vgg16", "alexnet", "googlenet", "inception_v4", "densenet121", "mobilenet_v2", "squeezenet1_0", "unet")
"""Networks whose every convolution, pooling and dense layer has a line, outside of auxiliary outputs."""
RESNETS = {"resnet18": 3, "resnet34": 3, "resnet50": 4, "resnet152": 4, "resnext50_32x4d": 4}
"""Networks of which some layers have no line: the projections, one for each stage that changes the shape."""


def check(graphs: list[Graph]) -> None:
    found = configuration(graphs)
    for made_for in ("column", "page"):
        assert findings(picture(found, made_for)) == []
        text = latex(found, made_for)
        assert text.count(r"\begin{") == text.count(r"\end{") > 0
    assert as_json(found)
    assert as_markdown(found)
    assert page(found)


@pytest.mark.parametrize("name", [each for each in ZOO if each != "recipe"])
def test_bundled_networks(name: str) -> None:
    check([load(name).graph])


@settings(max_examples=60)
@given(st.lists(programs(), min_size=1, max_size=3))
def test_generated_programs(texts: list[str]) -> None:
    check([loads(text).graph for text in texts])


@pytest.mark.slow
@settings(max_examples=1000)
@given(st.lists(programs(), min_size=1, max_size=3))
def test_a_thousand_generated_programs(texts: list[str]) -> None:
    check([loads(text).graph for text in texts])


def with_lines(graph: Graph) -> int:
    """How many layers have a window or weights, without those that are in auxiliary outputs."""
    roles = ("convolution", "pooling", "dense")
    return sum(node.layer.ROLE in roles and not node.training_only for node in graph)


def in_cells(graph: Graph) -> int:
    """How many layers the cells have: a branch has one more than it has arrows."""
    blocks = [block for row in configuration([graph]).rows for block in row.cells[0]]
    return sum(block.times * sum(text.count("\u2192") + 1 for text in block.texts) for block in blocks)


@pytest.mark.parametrize("name", COMPLETE)
def test_no_layer_is_lost(name: str) -> None:
    graph = load(name).graph
    assert in_cells(graph) == with_lines(graph)


@pytest.mark.parametrize("name", RESNETS)
def test_only_projections_have_no_line(name: str) -> None:
    graph = load(name).graph
    assert with_lines(graph) - in_cells(graph) == RESNETS[name]


def test_a_chain_of_thousands_of_layers() -> None:
    graph = loads("INPUT 8x8x3 -> part: [[CONV3-4 -> RELU -> CONV1-8 -> BN]*1250]").graph
    (row,) = configuration([graph]).rows
    assert [block.times for block in row.cells[0]] == [1250]
    assert len(list(walk(graph.tree))) > 5000


def test_parts_without_a_line_are_told() -> None:
    """A branch that only crops has one, beside another; what stands between layers has none, nor what is applied
    again."""
    branches = "(CROP(1) -> CONV3-8 | CROP(1))"
    text = f"INPUT 12x12x4 -> a: CONV3-4 -> again a -> {branches} -> ZEROPAD(1) -> DROPOUT(0.5) -> GAP"
    found = configuration([loads(text).graph])
    lines = [line.text for row in found.rows for cell in row.cells for block in cell for line in block.lines]
    assert lines == ["3×3, 4", "3×3, 8", "crop 1", "GAP"]
    assert found.notes == (
        "Not shown: crop, zero pad and dropout.",
        "Listed once, but applied again with the same weights: a.",
    )
