"""Equal branches beside each other: one of them is drawn, with how many there are."""

from __future__ import annotations

import pytest

from cnndsl import load, loads
from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.drawing.cards.model import Branching, PanelElement
from cnndsl.emit.drawing.display import PathItem, TextItem
from cnndsl.emit.drawing.layout.page import WIDTHS, picture
from cnndsl.emit.drawing.shapes import flat
from tests.emit.drawing.cards.test_account import check
from tests.emit.drawing.layout.geometry import faults

RESNEXT = """
block Block(c) = (
    (+ each i in 1..32 [CONV1-4 -> RELU -> CONV3-4 -> RELU -> CONV1-{c}]) -> BN
  + ID or CONV1-{c}
) -> RELU
INPUT 56x56x64 -> stage: [Block(256)*3] -> GAP -> FC-10
"""
WRITTEN = """
block P = CONV1-4 -> RELU -> CONV3-4
block Four = (P | P | P | P) -> CONV1-64
INPUT 56x56x64 -> stage: [Four*2] -> GAP -> FC-10
"""
MIXED = """
INPUT 56x56x64 -> a: CONV3-8 -> CONV3-8 -> (CONV5-4 | CONV1-4 | CONV1-4 | CONV1-4 | @a) -> GAP -> FC-10
"""


def branchings(elements: tuple[PanelElement, ...]) -> list[Branching]:
    found = [each for each in elements if isinstance(each, Branching)]
    return [*found, *(inner for each in found for branch in each.branches for inner in branchings(branch))]


@pytest.mark.parametrize(
    ("text", "count", "word"), [(RESNEXT, 32, "sum of 32"), (WRITTEN, 4, "concatenate: 4×4 = 16"), (MIXED, 3, "")]
)
@pytest.mark.parametrize("size", ["column", "page", "slide"])
def test_equal_branches_are_one(text: str, count: int, word: str, size: str) -> None:
    """Xie et al. 2016, Figure 3: the 32 paths of a ResNeXt block, written out. A picture of one is as wide as asked."""
    graph = loads(text).graph
    drawing = model(graph)
    check(graph, drawing)
    drawn = picture(drawing, size)
    words = [item.text for item in flat(drawn.items) if isinstance(item, TextItem)]
    assert f"×{count}" in words
    assert not word or size == "slide" or word in words
    assert drawn.width <= WIDTHS["slide"] * 1.5 if size == "slide" else drawn.width <= WIDTHS[size]
    assert faults(drawn) == []


def test_the_other_paths_are_accounted_for() -> None:
    panel = next(each for each in model(loads(RESNEXT).graph).panels if each.elements)
    paths = next(each for each in branchings(panel.elements) if each.counts)
    assert paths.counts == (32,)
    assert len(paths.further) == 31 * 5


FIRE = "INPUT 8x8x4 -> CONV1-8 -> (CONV1-4 | CONV3-4) -> GAP -> FC-10"


def test_no_arrowhead_stands_before_a_fork() -> None:
    """Edges with heads: to the first conv, to each branch, from each branch, to the head, and out of it."""
    items = list(flat(picture(model(loads(FIRE).graph), "column").items))
    heads = [each for each in items if isinstance(each, PathItem) and each.fill == "line" and len(each.commands) == 4]
    assert len(heads) == 7


@pytest.mark.parametrize(("name", "has_sign"), [("inception_v4", False), ("densenet121", True)])
def test_concatenations_of_a_picture_have_one_form(name: str, has_sign: bool) -> None:
    """A box in Szegedy et al. 2016, Figures 4 to 6, where four branches meet, so that two that meet have one, too."""
    texts = [item.text for item in flat(picture(model(load(name).graph), "page").items) if isinstance(item, TextItem)]
    assert ("concatenation" in texts) == has_sign
    assert any(each.startswith("concatenate") for each in texts) != has_sign


def test_concatenations_tell_their_sum() -> None:
    """Szegedy et al. 2016, Figures 5 and 6: 384 + 256 + 256 + 128 channels; two branches part into 256 each."""
    texts = {item.text for item in flat(picture(model(load("inception_v4").graph)).items) if isinstance(item, TextItem)}
    for told in ("384 + 256 + 256 + 128 = 1024", "256 + 256 = 512"):
        assert any(text.endswith(told) for text in texts)


def test_heads_stand_above_the_first_card_after_each_pool() -> None:
    """Szegedy et al. 2014, Table 1: modules 3a and 3b, 4a to 4e, 5a and 5b, a pooling between them."""
    texts = [item.text for item in flat(picture(model(load("googlenet").graph)).items) if isinstance(item, TextItem)]
    assert texts.count("pool → 1×1") == 3
