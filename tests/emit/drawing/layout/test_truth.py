"""What a picture says in words holds of the program: names of inputs and outputs, letters, rows that fail."""

from __future__ import annotations

import pytest

from cnndsl import loads
from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.drawing.cards.model import Branching, FusedRow, PanelElement
from cnndsl.emit.drawing.display import TextItem
from cnndsl.emit.drawing.layout.page import WidthName, picture
from cnndsl.emit.drawing.shapes import flat

TOWERS = """left = INPUT 32x32x3
right = INPUT 16x16x3
c = (@left -> CONV3-16/2 + @right -> CONV3-16) -> GAP -> FC-10
output c"""
TAPPED = """block R(c, s=1) = (CONV3-c/s -> BN -> RELU -> CONV3-c -> BN + ID or CONV1-c/s) -> RELU
INPUT 32x32x3 -> CONV3-16 -> a: [R(16)*2] -> tap fa: ID -> b: [R(32, 2)*2] -> GAP -> FC-10"""
TABLE = """block Conv(c, k=1) = CONV{k}-c -> BN -> RELU
block Inc(a, b, c, p) = (Conv(a) | Conv(b//2) -> Conv(b, 3) | Conv(c//2) -> Conv(c, 3) | POOL3/1(pad=1) -> Conv(p))
INPUT 32x32x64
-> s1: [for a, b, c, p in (16, 32, 8, 8), (32, 64, 16, 16), (32, 64, 16, 24) [Inc(a, b, c, p)]] -> POOL2
-> s2: [Inc(64, 96, 32, 32)*4] -> GAP -> FC-50"""


def _words(program: str, size: WidthName) -> set[str]:
    return {item.text for item in flat(picture(model(loads(program).graph), size).items) if isinstance(item, TextItem)}


@pytest.mark.parametrize("size", ["column", "page", "slide"])
def test_several_inputs_have_names(size: WidthName) -> None:
    assert {"left: 32×32×3", "right: 16×16×3"} <= _words(TOWERS, size)


@pytest.mark.parametrize("size", ["column", "page", "slide"])
def test_an_output_without_layers_of_its_own_is_told(size: WidthName) -> None:
    assert any("output: fa" in each for each in _words(TAPPED, size))


PYRAMID = """block Down(c) = CONV3-c/2 -> BN -> RELU -> CONV3-c -> BN -> RELU -> tap out: ID
INPUT 64x64x3 -> CONV3-16 -> body: [Down(32)*2 -> Down(64) -> Down(128)] -> GAP -> FC-10"""


def test_outputs_within_a_card_have_their_own_shapes() -> None:
    """The first convolution of each block halves 64 x 64, and the widths are 32, 32, 64 and 128."""
    told = {each.removeprefix("outputs: ") for text in _words(PYRAMID, "slide") for each in text.split(", ")}
    assert {"out (32×32×32)", "out (16×16×32)", "out (8×8×64)"} <= told
    assert "4×4×128, outputs: out ×4" in _words(PYRAMID, "page")


def _texts(elements: tuple[PanelElement, ...]) -> list[str]:
    found: list[str] = []
    for each in elements:
        if isinstance(each, FusedRow):
            found += (cell.text for cell in each.cells if cell.role == "conv")
        elif isinstance(each, Branching):
            found += (text for branch in each.branches for text in _texts(branch))
    return found


def test_the_letters_of_a_table_hold_in_all_calls_of_its_block() -> None:
    """In the table `b` is twice `a`, in the call after it isn't; channels of a merge are those of one row."""
    (panel,) = [panel for panel in model(loads(TABLE).graph).panels if panel.title == "Inc"][:1]
    assert _texts(panel.elements) == ["1×1, a", "1×1, b/2", "3×3, b", "1×1, c/2", "3×3, c", "1×1, p"]
    assert [each.widths for each in panel.elements if isinstance(each, Branching)] == [()]
