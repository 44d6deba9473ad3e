"""Networks drawn as a U: edges go straight down and up, as the style asks."""

from __future__ import annotations

import pytest

from cnndsl import load
from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.drawing.display import PathItem, TextItem
from cnndsl.emit.drawing.layout.page import picture
from cnndsl.emit.drawing.shapes import flat


@pytest.mark.parametrize("stroke", ["pool-stroke", "up-stroke"])
def test_the_edges_of_u_net_are_straight(stroke: str) -> None:
    """Four pools and four up-convs, each bar with its centre beneath or above the other."""
    items = list(flat(picture(model(load("unet").graph), "page").items))
    edges = [item for item in items if isinstance(item, PathItem) and item.stroke == stroke]
    assert len(edges) == 4
    for edge in edges:
        (_, start), (_, stop) = edge.commands
        assert start[0] == pytest.approx(stop[0])  # pyright: ignore[reportUnknownMemberType]


def test_every_crop_of_u_net_is_written() -> None:
    """The labels of the paper's copies: maps are cut by 4, 16, 40 and 88 at each side."""
    texts = {item.text for item in flat(picture(model(load("unet").graph), "page").items) if isinstance(item, TextItem)}
    assert {"crop 4", "crop 16", "crop 40", "crop 88"} <= texts


def test_copies_of_u_net_tell_their_channels() -> None:
    """Ronneberger et al. 2015, Figure 1: each map that comes up is joined with a copy of as many channels,
    and two convolutions follow; on the way down there are two, and the input of the row below."""
    texts = [item.text for item in flat(picture(model(load("unet").graph), "page").items) if isinstance(item, TextItem)]
    assert [texts.count(each) for each in ("64", "128", "256", "512", "1024")] == [7, 7, 7, 7, 2]


def test_layers_of_one_colour_are_told_apart() -> None:
    """The dropout after the last bottom layer, and the 1x1 convolution at the end; the legend has their keys."""
    texts = [item.text for item in flat(picture(model(load("unet").graph), "page").items) if isinstance(item, TextItem)]
    assert (texts.count("A"), texts.count("B")) == (2, 2)
    assert {"3×3 conv, ReLU", "3×3 conv, ReLU, dropout 0.5", "1×1 conv", "2×2 up-conv, ×2"} <= set(texts)


@pytest.mark.parametrize(("name", "labels"), [("unet", "crop"), ("segnet", "indices")])
def test_the_labels_of_links_stand_alike(name: str, labels: str) -> None:
    """Each on its line: an end of a segment is at its left."""
    items = list(flat(picture(model(load(name).graph), "page").items))
    muted = [each for each in items if isinstance(each, TextItem) and each.paint == "mute"]
    texts = [each for each in muted if each.text.startswith(labels) and ":" not in each.text]
    ends = {
        (round(x), round(y))
        for each in items
        if isinstance(each, PathItem) and each.stroke == "mute"
        for _, (*_, x, y) in each.commands
    }
    lines = [each for each in texts if any(y == round(each.y - 3) and x < each.x for x, y in ends)]
    assert len(lines) == len(texts) > 3


def test_segnet_says_what_decides_the_size_of_a_map() -> None:
    """22 rows become 45: MaxUnpool2d gets the size of what the pool read, not twice its own."""
    texts = {
        item.text for item in flat(picture(model(load("segnet").graph), "page").items) if isinstance(item, TextItem)
    }
    assert {"2×2 unpool to the size before the pool", "indices of the maxima"} <= texts
