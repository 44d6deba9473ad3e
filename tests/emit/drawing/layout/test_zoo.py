"""Geometry of the drawings of all bundled networks: nothing overlaps or leaves its box, no edge crosses anything."""

from __future__ import annotations

import pytest

from cnndsl import load
from cnndsl.emit.drawing.cards.every import every_layer
from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.drawing.display import TextItem
from cnndsl.emit.drawing.geometry import bounds
from cnndsl.emit.drawing.layout.page import WIDTHS, picture, whole
from cnndsl.emit.drawing.shapes import flat
from tests.bundled import ZOO
from tests.emit.drawing.cards.test_account import check
from tests.emit.drawing.layout.geometry import faults
from tests.emit.drawing.layout.labels import unexplained, wrong_figures, wrong_totals

ON_A_PAGE = ("resnet50", "googlenet", "densenet121", "mobilenet_v3_large", "unet")


@pytest.mark.parametrize("name", ZOO)
def test_a_bundled_network(name: str) -> None:
    graph = load(name).graph
    drawing = model(graph)
    assert list(wrong_figures(graph, drawing)) == []
    for size in (None, "column", "page"):
        drawn = picture(drawing, size)
        assert faults(drawn) == []
        assert list(unexplained(drawn)) == []
        assert list(wrong_totals(graph, drawn)) == []
        assert not any(item.text.endswith("…") for item in flat(drawn.items) if isinstance(item, TextItem))


@pytest.mark.slow
@pytest.mark.parametrize("name", ZOO)
def test_a_bundled_network_in_every_form(name: str) -> None:
    graph = load(name).graph
    forms = [model(graph, unfold=True), every_layer(graph), *(model(graph, levels=each) for each in (1, 2, 3))]
    for drawing in forms:
        check(graph, drawing)
        assert list(wrong_figures(graph, drawing)) == []
        for size in (None, "column", "page", "slide"):
            assert faults(picture(drawing, size)) == []
    assert faults(whole(forms[1])) == []


@pytest.mark.parametrize("name", ZOO)
def test_a_bundled_network_with_a_level_opened(name: str) -> None:
    assert faults(picture(model(load(name).graph, levels=2))) == []


@pytest.mark.parametrize("name", ["resnet18", "googlenet", "unet", "vgg16", "mobilenet_v3_small", "squeezenet1_1"])
def test_an_unfolded_network(name: str) -> None:
    assert faults(picture(model(load(name).graph, unfold=True))) == []


@pytest.mark.parametrize("name", ON_A_PAGE)
def test_it_fits_a_page(name: str) -> None:
    """680 x 900, less the theme's margin of 3."""
    drawn = picture(model(load(name).graph))
    assert drawn.width <= WIDTHS["page"]
    assert drawn.height <= 894


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "densenet121", "vgg16"])
def test_widths(name: str) -> None:
    """A column is filled; a page ends where its content does."""
    drawing = model(load(name).graph)
    assert picture(drawing, "column").width == 314
    drawn = picture(drawing, "page")
    assert drawn.width <= 674
    rights = [right for item in drawn.items if (box := bounds(item)) is not None for right in [box[2]]]
    assert max(rights) == pytest.approx(drawn.width, abs=4)  # pyright: ignore[reportUnknownMemberType]
