"""Edges over cards: each begins and ends at the row that it is of."""

from __future__ import annotations

import pytest

from cnndsl import load, loads
from cnndsl.emit.drawing.cards.account import inner_chains
from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.drawing.cards.model import FusedRow, LayerCell, NetCard, PanelElement, SkipLink
from cnndsl.emit.drawing.display import PathItem, Picture, RectangleItem, TextItem
from cnndsl.emit.drawing.layout.page import picture
from cnndsl.emit.drawing.shapes import flat
from tests.emit.drawing.layout.geometry import faults


def ends(drawn: Picture) -> list[tuple[float, float]]:
    """The heights at which edges over cards begin and end."""
    paths = [item for item in flat(drawn.items) if isinstance(item, PathItem) and item.line == 1.4]
    found = [(path.commands[0][1][1], path.commands[-1][1][-1]) for path in paths]
    return sorted((start, stop) for start, stop in found if stop > start)


def row_of(drawn: Picture, text: str) -> tuple[float, float]:
    """From where to where the box around a text reaches."""
    items = list(flat(drawn.items))
    at = next(item for item in items if isinstance(item, TextItem) and item.text == text)
    boxes = [item for item in items if isinstance(item, RectangleItem) and item.x < at.x < item.x + item.width]
    box = min((each for each in boxes if each.y < at.y < each.y + each.height), key=lambda each: each.height)
    return box.y, box.y + box.height


def test_the_copies_of_the_3d_u_net_end_at_their_steps() -> None:
    """Cicek et al. 2016, Figure 2: the first level is joined last. The steps up of 256, 128 and 64 channels are rows of
    one card."""
    drawn = picture(model(load("unet_3d").graph), "column")
    pairs = [("e1", "c = 64"), ("e2", "c = 128"), ("e3", "c = 256")]
    for (start, stop), (source, target) in zip(ends(drawn), pairs, strict=True):
        assert row_of(drawn, source)[0] < start < row_of(drawn, source)[1]
        assert row_of(drawn, target)[0] < stop < row_of(drawn, target)[1]


def test_an_edge_leaves_at_its_row() -> None:
    """The sum reads the second of three rows of a card: of three convolutions, one, and one."""
    text = "INPUT 8x8x4 -> a: [[CONV3-4]*3 -> b: CONV5-4 -> CONV7-4] -> CONV1-4 -> (ID + @a.b) -> CONV9-4"
    assert model(loads(text).graph).links == (SkipLink(1, 3, start=1),)


@pytest.mark.parametrize("name", ["unet", "unet_3d", "segnet"])
def test_a_u_joins_maps_of_one_row(name: str) -> None:
    """SegNet's links carry indices instead, which the pool makes that leads to the row below."""
    u = model(load(name).graph).u
    assert u is not None
    below = name == "segnet"
    assert all(u.bars[each.source].level == u.bars[each.target].level + below for each in u.skips)
    assert {u.bars[each.source].role for each in u.skips} == {"pool" if below else "conv"}
    assert len(u.skips) == {"unet": 4, "unet_3d": 3, "segnet": 5}[name]


def test_a_sum_of_skips_says_what_it_sums() -> None:
    """Van den Oord et al. 2016, Figure 4: the skips of all layers are summed. Of two cycles of three layers six; those
    of the last cycle come on the main line."""
    drawing = model(load("wavenet", cycles=2, layers=3).graph)
    assert [(link.target - link.source, link.label) for link in drawing.links] == [(2, "skip ×3")]
    assert [text for _, text in drawing.carried] == ["skip ×3"]
    drawn = picture(drawing, "page")
    turned = [item.text for item in flat(drawn.items) if isinstance(item, TextItem) and item.turned]
    assert turned == ["skip ×3"]
    assert faults(drawn) == []


def test_blocks_that_differ_in_dilation_are_one() -> None:
    """Bai et al. 2018 (TCN), Figure 1: dilations of 1, 2, 4 and so on; the first level has a projection besides."""
    drawing = model(load("tcn").graph)
    card = next(step for step in drawing.steps if isinstance(step, NetCard))
    assert [line.text for line in card.lines[1:]] == [f"dilated {2**at}" for at in range(1, len(card.lines))]
    assert len({line.block for line in card.lines[1:]}) == 1
    texts = [cell.text for row in drawing.panels[0].elements for cell in cells(row)]
    assert "7, 25, dilated 2 to 128" in texts


def cells(element: PanelElement) -> list[LayerCell]:
    if isinstance(element, FusedRow):
        return list(element.cells)
    return [cell for chain in inner_chains(element) for each in chain for cell in cells(each)]
