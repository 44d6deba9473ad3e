"""Slides: 960 x 540 with the theme's margin of 3, no text below 12 pixels, nothing on anything else."""

from __future__ import annotations

import pytest

from cnndsl import load
from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.drawing.display import TextItem
from cnndsl.emit.drawing.layout.page import picture
from cnndsl.emit.drawing.shapes import flat
from tests.bundled import ZOO
from tests.emit.drawing.layout.geometry import faults
from tests.emit.drawing.layout.labels import unexplained, wrong_totals

TALL = {"hrnet", "ssd300", "unet_plus_plus", "vnet", "wavenet", "yolov4"}
"""Networks whose chains have no room beside each other: their slides are higher than a slide."""


@pytest.mark.parametrize("name", ZOO)
def test_a_slide(name: str, request: pytest.FixtureRequest) -> None:
    if name in TALL:
        request.applymarker(pytest.mark.xfail(strict=True, reason="too tall"))
    graph = load(name).graph
    drawing = model(graph)
    drawn = picture(drawing, "slide")
    assert (round(drawn.width + 6), round(drawn.height + 6)) == (960, 540)
    assert min(item.size for item in flat(drawn.items) if isinstance(item, TextItem)) >= 12
    assert faults(drawn) == []
    assert list(unexplained(drawn)) == []
    assert list(wrong_totals(graph, drawn)) == []


@pytest.mark.parametrize("name", ["vgg16", "resnet50", "googlenet"])
def test_a_slide_flows_to_the_right(name: str) -> None:
    """The first stages stand beside the input, as in mock-up 01."""
    items = list(flat(picture(model(load(name).graph), "slide").items))
    texts = {item.text: item for item in reversed(items) if isinstance(item, TextItem)}
    head = texts["224×224×3"]
    following = texts["3×3 max pool, /2" if "3×3 max pool, /2" in texts else "2×2 max pool, /2"]
    assert following.x > head.x + 100
