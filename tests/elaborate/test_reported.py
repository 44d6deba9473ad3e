"""Programs that people outside the project reported, with what they wanted to get."""

from __future__ import annotations

import pytest
import torch

from cnndsl.errors import CnnError
from cnndsl.network import loads

TOWERS = """
block Tower = CONV3-8 -> GAP -> FC-16
INPUT 32x32x6 -> (SLICE(0, 3) -> t: Tower | SLICE(3, 6) -> {}) -> FC-1
"""


def test_an_upsampling_to_the_size_of_a_skip() -> None:
    module = loads("INPUT 33x33x8 -> e: CONV3-8 -> POOL2 -> (@e + UPSAMPLE(out=@e))").module()
    for extents in ((33, 33), (40, 27)):
        assert module(torch.zeros(1, 8, *extents)).shape == (1, 8, *extents)


@pytest.mark.parametrize(
    ("text", "code", "wanted"),
    [
        (
            TOWERS.format("t: Tower"),
            "E0235",
            ["`again t`"],
        ),
        (
            "INPUT 130x130x8 -> e: CONV3-8 -> POOL2 -> POOL2 -> UPSAMPLE2 -> UPSAMPLE2 -> (@e | ID)",
            "E0312",
            ["`UPSAMPLE(out=@e)`", "128x128x8 and 132x132x8"],
        ),
        (
            "INPUT 33x33x8 -> e: CONV3-8 -> POOL2 -> (@e | CONVT2-8/2)",
            "E0312",
            ["`CONVT2-8/2(out_pad=1)`", "32x32x8 and 34x34x8"],
        ),
        (
            "INPUT 64x64x8 -> e: [CONV3-8(pad=valid)]*2 -> POOL2 -> CONV3-8(pad=valid) -> (@e | CONVT2-8/2)",
            "E0312",
            ["`@e -> CROP(2)`"],
        ),
        ("INPUT 8x8x8 -> CONVT3-8/2", "E0307", ["pad=1, out_pad=1"]),
        ("INPUT 100 -> CONVT4-512/1(pad=valid)", "E0302", ["INPUT 1x1x100"]),
        ("INPUT 32x32x3 -> FC-128 -> RESHAPE(7x7x32)", "E0316", ["FC-1568"]),
        ("INPUT 32x32x3 -> FC-1568 -> RESHAPE(7x7x64)", "E0316", ["RESHAPE(7x7x32)"]),
    ],
    ids=["siamese", "odd_skip", "odd_skip2", "crop_skip", "convt_help", "latent", "reshape", "reshape_channels"],
)
def test_the_way_out_has_the_numbers(text: str, code: str, wanted: list[str]) -> None:
    with pytest.raises(CnnError) as stop:
        loads(text)
    (found,) = stop.value.diagnostics
    assert found.code == code
    assert [each for each in wanted if each not in found.help] == []


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        (
            TOWERS.format("again t"),
            "1",
        ),
        ("INPUT 130x130x8 -> e: CONV3-8 -> POOL2 -> POOL2 -> UPSAMPLE2 -> UPSAMPLE(out=@e) -> (@e | ID)", "130x130x16"),
        ("INPUT 132x132x8 -> e: CONV3-8 -> POOL2 -> POOL2 -> UPSAMPLE2 -> UPSAMPLE2 -> (@e | ID)", "132x132x16"),
        ("INPUT 33x33x8 -> e: CONV3-8 -> POOL2 -> (@e | CONVT2-8/2(out_pad=1))", "33x33x16"),
        (
            "INPUT 64x64x8 -> e: [CONV3-8(pad=valid)]*2 -> POOL2 -> CONV3-8(pad=valid) -> (@e -> CROP(2) | CONVT2-8/2)",
            "56x56x16",
        ),
        ("INPUT 8x8x8 -> CONVT3-8/2(pad=1, out_pad=1)", "16x16x8"),
        ("INPUT 100 -> RESHAPE(1x1x100) -> CONVT4-512/1(pad=valid)", "4x4x512"),
        ("INPUT 32x32x3 -> FC-128 -> FC-1568 -> RESHAPE(7x7x32) -> CONVT2-16/2", "14x14x16"),
        ("INPUT 32x32x8 -> MUL(ID, (CHANNELMAX | CHANNELMEAN) -> CONV7-1 -> SIGMOID)", "32x32x8"),
        ("INPUT 16x16x256 -> PIXELSHUFFLE2 -> CONV3-3", "32x32x3"),
        ("INPUT 26x26x64 -> PIXELUNSHUFFLE2(order=darknet)", "13x13x256"),
    ],
)
def test_the_way_out_leads_out(text: str, shape: str) -> None:
    graph = loads(text).graph
    assert str(graph.nodes[graph.output].shape) == shape


def test_a_path_that_begins_and_ends_with_a_number_is_an_output() -> None:
    graph = loads("INPUT 8x8x4 -> 12: [convs.2: [e: CONV3-4] -> RELU]\noutput 12, 12.convs.2, 12.convs.2.e").graph
    assert [tap.name for tap in graph.taps] == ["2", "e"]
