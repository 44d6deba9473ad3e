"""Slides: 960 x 540 with the theme's margin of 3, no text below 12 pixels, nothing on anything else."""

from __future__ import annotations

import pytest

from cnndsl import load, loads
from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.drawing.cards.model import DrawingModel
from cnndsl.emit.drawing.display import TextItem
from cnndsl.emit.drawing.layout.page import picture
from cnndsl.emit.drawing.shapes import flat
from tests.bundled import ZOO
from tests.emit.drawing.layout.geometry import faults
from tests.emit.drawing.layout.labels import unexplained, wrong_totals

HIGHER = {
    *("deeplabv3_mobilenet_v3_large", "deeplabv3_resnet50", "deeplabv3_resnet101", "fcn_resnet50", "fcn_resnet101"),
    *("lraspp_mobilenet_v3_large", "openpose", "s3d"),
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


def texts_of(drawing: DrawingModel) -> list[str]:
    return [item.text for item in flat(picture(drawing, "slide").items) if isinstance(item, TextItem)]


UNIT = "block U(c, s) = (CONV3-c/s -> BN -> RELU -> CONV3-c -> BN + CONV1-c/s) -> RELU "


def test_a_slide_tells_the_values_of_the_letters_in_its_panels() -> None:
    calls = "a: U(32, 2) -> b: U(64, 2) -> c: U(64, 1) -> d: U(128, 2)"
    found = texts_of(model(loads(f"{UNIT}INPUT 64x64x3 -> CONV3-16 -> {calls} -> GAP -> FC-10").graph))
    assert {"3×3, c, /s", "c = 32, /2", "c = 64, /2", "c = 64", "c = 128, /2"} <= set(found)


def test_where_values_have_no_room_the_panel_has_no_letters() -> None:
    """The nine Inception modules of GoogLeNet have six widths each; the windows of the panel are the same in all."""
    found = texts_of(model(load("googlenet").graph))
    assert {"1×1", "3×3", "→ 256", "→ 1024"} <= set(found)
    assert not [text for text in found if "b1" in text or text == "widths"]


@pytest.mark.parametrize("name", ["googlenet", "resnet50", "vgg16"])
def test_a_slide_has_the_shape_of_the_output(name: str) -> None:
    assert "1000" in texts_of(model(load(name).graph))
