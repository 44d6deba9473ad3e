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

HIGHER = {
    *("deeplabv3_resnet50", "fcn_resnet50", "lraspp_mobilenet_v3_large", "openpose", "s3d"),
    *("yolov3", "yolov4", "yolov5", "yolov8", "hrnet", "ssd300", "unet_plus_plus", "vnet", "wavenet"),
}
"""Edges skip several cards of these, or their chains have no room beside each other: their slides are higher than a
screen."""


@pytest.mark.parametrize("name", ZOO)
def test_a_slide(name: str) -> None:
    graph = load(name).graph
    drawing = model(graph)
    drawn = picture(drawing, "slide")
    assert round(drawn.width + 6) == 960
    assert (round(drawn.height + 6) == 540) == (name not in HIGHER)
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
