"""The ablations of AlexNet that lectures quote (after Zeiler & Fergus 2013, Table 3), and what exactly they count.

Quoted: without fc7 16 million parameters fewer, without fc6 and fc7 50 million, without conv3 and conv4 1 million.

The definition here: a layer goes with its activation and dropout, all others stay as they are, and the layer behind
takes what now enters it. In AlexNet as published, with two groups, this gives

    fc7           4096*4096 + 4096                                                          16,781,312
    fc6, fc7      9216*4096 + 4096 + 16,781,312, less what fc8 gains, (9216 - 4096)*1000    49,414,144
    conv3, conv4  (9*256 + 1)*384 + (9*192 + 1)*384, and conv5 loses 9*(192 - 128)*256       1,696,512

The first and the last are the quoted figures with their decimals cut off, the second is the quoted one rounded. No
single way of rounding gives all three: 16.8, 49.4 and 1.7 million. In one tower without groups (the lecture's form) the
third is 2.5 million, so the quoted million is that of two groups only.
"""

from __future__ import annotations

import re

import pytest

import cnndsl
from cnndsl import resources


def params_without(name: str, *labels: str) -> int:
    """The parameters of a net of the zoo of which some layers, each with what stands behind it up to the next label
    or pooling, are left out."""
    source = resources.architecture(name)
    assert source is not None
    lines = [line.partition("#")[0] for line in source.text.splitlines() if not line.startswith("assert")]
    text = " ".join(" ".join(lines).split())
    for label in labels:
        text, count = re.subn(rf"-> {label}: [^ ]+ -> RELU( -> DROPOUT\(0\.5\))? ", "", text)
        assert count == 1
    return cnndsl.loads(text).stats().totals.params


def fewer(name: str, *labels: str) -> int:
    return params_without(name) - params_without(name, *labels)


@pytest.mark.parametrize("name", ["alexnet_2012", "alexnet_lecture"])
def test_without_fc7(name: str) -> None:
    removed = fewer(name, "fc7")
    assert removed == 4096 * 4096 + 4096 == 16_781_312
    assert removed // 10**6 == 16


@pytest.mark.parametrize("name", ["alexnet_2012", "alexnet_lecture"])
def test_without_fc6_and_fc7(name: str) -> None:
    removed = fewer(name, "fc6", "fc7")
    assert removed == (9216 * 4096 + 4096) + (4096 * 4096 + 4096) - (9216 - 4096) * 1000 == 49_414_144
    assert round(removed, -7) == 50 * 10**6


def test_without_conv3_and_conv4() -> None:
    removed = fewer("alexnet_2012", "conv3", "conv4")
    assert removed == (9 * 256 + 1) * 384 + (9 * 192 + 1) * 384 + 9 * (192 - 128) * 256 == 1_696_512
    assert removed // 10**6 == 1


def test_without_conv3_and_conv4_in_one_tower_is_not_the_quoted_figure() -> None:
    removed = fewer("alexnet_lecture", "conv3", "conv4")
    assert removed == (9 * 256 + 1) * 384 + (9 * 384 + 1) * 384 + 9 * (384 - 256) * 256 == 2_507_520
    assert removed // 10**6 != 1
