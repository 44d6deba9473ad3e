"""Two networks as one picture: what is marked, with which sign, and that nothing overlaps."""

from __future__ import annotations

import pytest

from cnndsl import load, loads
from cnndsl.analysis.compare import compare
from cnndsl.emit.drawing.difference import difference
from cnndsl.emit.drawing.layout.page import picture
from cnndsl.report.diff import differences
from tests.emit.drawing.layout.geometry import faults

SMALL = "INPUT 8x8x3 -> CONV3-4 -> RELU -> POOL2 -> CONV3-8 -> RELU -> FC-2"


def signs(before: str, after: str) -> dict[str, str]:
    """The sign of each marked step of the second network, by the path of the step."""
    one, other = loads(before).graph, loads(after).graph
    found = compare(one, other)
    drawing = difference(other, found, differences(found), "Net")
    pairs = zip(drawing.tags, drawing.marks, strict=True)
    return {tag.id: mark.sign for tag, mark in pairs if mark}


def test_what_is_added_removed_and_changed() -> None:
    assert signs(SMALL, SMALL) == {}
    # The fused row CONV, RELU has the path of its last layer.
    assert signs(SMALL, SMALL.replace("CONV3-4 ->", "CONV5-4 ->")) == {"1": "~"}
    assert signs(SMALL, SMALL.replace("-> FC-2", "-> FC-16(bias=no) -> FC-2")) == {"5": "+", "6": "~"}
    assert signs(SMALL, SMALL.replace("-> POOL2 ", "")) == {"1": "−", "3": "~", "4": "~"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("vgg16", "vgg19"),
        ("vgg19", "vgg16"),
        ("resnet34", "resnet50"),
        ("googlenet", "inception_v2"),
        ("unet", "fcn8s"),
    ],
)
def test_bundled_networks(before: str, after: str) -> None:
    one, other = load(before).graph, load(after).graph
    found = compare(one, other)
    drawing = difference(other, found, differences(found), f"{before} → {after}")
    assert faults(picture(drawing)) == []
    texts = [line.text for line in drawing.foot]
    params = load(before).stats().totals.params, load(after).stats().totals.params
    assert any(text.startswith(f"parameters: {params[0]:,} → {params[1]:,}") for text in texts)
