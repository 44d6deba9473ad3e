"""Where the order of operands counts, a drawing has it from left to right, or from top to bottom."""

from __future__ import annotations

import pytest

from cnndsl import loads
from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.drawing.display import Picture, TextItem
from cnndsl.emit.drawing.layout.page import WidthName, picture
from cnndsl.emit.drawing.shapes import flat
from tests.emit.drawing.layout.geometry import faults

SHORT, LONG = "CONV1-8", "CONV3-16 -> RELU -> CONV5-24"
TOWERS = """left = INPUT 32x32x1
meta = INPUT 12
d = @left -> tower: [CONV3-8 -> RELU -> POOL2 -> CONV3-8 -> RELU -> GAP -> FC-64]
j = ({}) -> hidden: FC-32 -> RELU -> FC-16
output j"""
PYRAMID = """INPUT 32x32x3 -> deep: [[CONV3-16 -> RELU]*3]
-> aspp: (CONV1-8 | each d in 2, 4, 8, 16 [CONV3-8(dilation=d) -> RELU] | GAP -> CONV1-8 -> UPSAMPLE(out=@deep))
-> CONV1-4"""


def _drawn(program: str, size: WidthName) -> Picture:
    return picture(model(loads(program).graph), size)


def _places(drawn: Picture, *starts: str) -> list[tuple[float, float]]:
    """Where the last texts are that begin so."""
    texts = [item for item in flat(drawn.items) if isinstance(item, TextItem)]
    return [[(item.x, item.y) for item in texts if item.text.startswith(start)][-1] for start in starts]


@pytest.mark.parametrize("size", ["column", "page", "slide"])
@pytest.mark.parametrize("branches", [(SHORT, LONG), (LONG, SHORT)])
def test_two_branches_are_joined_in_their_order(branches: tuple[str, str], size: WidthName) -> None:
    """The shorter one is on a lane, at the side from which it is joined."""
    drawn = _drawn(f"block B = ({' | '.join(branches)})\nINPUT 16x16x8 -> s: [B*2] -> GAP -> FC-10", size)
    first, second = _places(drawn, *(f"{each[4]}×{each[4]}" for each in branches))
    assert first[size == "slide"] < second[size == "slide"]
    assert faults(drawn) == []


@pytest.mark.parametrize("size", ["column", "page"])
def test_values_of_a_card_enter_it_in_their_order(size: WidthName) -> None:
    for operands, is_left in (("@d | @meta -> FC-8 -> RELU", False), ("@meta -> FC-8 -> RELU | @d", True)):
        (meta, _), (tower, _) = _places(_drawn(TOWERS.format(operands), size), "meta: 12", "FC, 64")
        assert (meta < tower) == is_left


def test_the_branches_of_a_pyramid_are_joined_in_their_order() -> None:
    """Chen et al. 2017, Figure 5: the image pooling is the last, and reads the size of the map beside its input."""
    drawn = _drawn(PYRAMID, "page")
    places = [x for x, _ in _places(drawn, "1×1, 8", "3×3, 8, dilated 2", "3×3, 8, dilated 16", "GAP")]
    assert places[1:] == sorted(places[1:])
    assert faults(drawn) == []
