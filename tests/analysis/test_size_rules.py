"""The rules about sizes: where they begin and end to speak, and whether the advice is right."""

from __future__ import annotations

import pytest

from tests.analysis.linting import messages, said

HALVED = "-> [CONV3-16 -> POOL2(ceil=yes)]*3 -> GAP"


def test_the_input_is_divided_as_often_as_it_is_halved() -> None:
    # 36 = 4*9, and 2^3 = 8: 32 = 4*8 lies below, 40 = 5*8 above.
    nine = "the last window of POOL2(ceil=yes) extends beyond its input, {}: an odd size is halved"
    fits = "everything fits for an input of {}"
    assert said("odd-input", f"INPUT 36x36x3 {HALVED}") == [(nine.format("9x9x16"), fits.format("32x32 or 40x40"))]
    assert said("odd-input", f"INPUT 32x36x3 {HALVED}") == [(nine.format("8x9x16"), fits.format("32x32 or 32x40"))]
    assert said("odd-input", f"INPUT 40x48x3 {HALVED}") == []
    # An extent of 1 is an axis that is not there.
    flat = "-> [CONV1x3-16 -> POOL1x2(ceil=yes)]*3 -> GAP"
    assert [help for _, help in said("odd-input", f"INPUT 1x36x3 {flat}")] == [fits.format("1x32 or 1x40")]
    assert said("odd-input", f"INPUT 1x32x3 {flat}") == []
    # 4 is halved to 1, which holds no window: only 8 will do.
    assert [help for _, help in said("odd-input", f"INPUT 6x8x3 {HALVED}")] == [fits.format("8x8")]


@pytest.mark.parametrize(
    "chain",
    [
        # (227 - 11)/4 + 1 = 55, (55 - 3)/2 + 1 = 27, (27 - 3)/2 + 1 = 13: nothing is left over.
        "INPUT 227x227x3 -> CONV11-96/4(pad=valid) -> POOL3/2 -> CONV5-256 -> POOL3/2",
        # (299 - 3)/2 + 1 = 149, (149 - 3)/2 + 1 = 74, (74 + 2 - 3)/2 leaves a line of the padding.
        "INPUT 299x299x3 -> CONV3-32/2(pad=valid) -> POOL3/2 -> CONV3-64/2",
        # (9 + 2 - 3)/2 + 1 = 5: the first window begins one before the map, and the last ends one behind it.
        "INPUT 9x9x3 -> CONV3-8 -> POOL3/2(pad=1)",
        # 112 is halved: ceil((112 - 3)/2) + 1 = 56, as GoogLeNet does.
        "INPUT 112x112x3 -> POOL3/2(ceil=yes)",
        # Means of all, and poolings to a size, cut the map as they need.
        "INPUT 9x9x3 -> AVGPOOL(out=4) -> GAP",
    ],
)
def test_sizes_that_are_no_mistake(chain: str) -> None:
    assert said("odd-input", chain) == []
    assert said("stride-remainder", chain) == []


def test_an_input_is_advised_for_which_the_whole_network_fits() -> None:
    """Every second line of 45, of 90 and so on: with 5 halvings 32 divides 352 and 384, and 360 is 8*45."""
    text = "INPUT 360x480x3 -> [CONV3-8 -> POOL2]*5 -> GAP -> FC-2"
    assert said("stride-remainder", text) == [
        (
            "no window of POOL2 reaches the last row of its input, 45x60x8",
            "everything fits for an input of 352x480 or 384x480",
        )
    ]
    # 480 = 15*32. SqueezeNet 1.0 with its 224: (225 - 7)/2 = 109, (223 - 7)/2 = 108, (224 - 7)/2 is no integer.
    assert [help for _, help in said("stride-remainder", "INPUT 224x224x3 -> CONV7-96/2(pad=valid) -> GAP")] == [
        "everything fits for an input of 223x223 or 225x225"
    ]
    # Two inputs, and a map that is brought to the size that the other one has: nothing is advised.
    two = "a = INPUT 9x9x3\nb = INPUT 4x4x8\n@a -> POOL2 -> CONV3-8 -> (ID + @b) -> FC-2"
    assert [help for _, help in said("stride-remainder", two)] == ["say ceil=yes, or enlarge the input"]


def test_patches_need_no_padding() -> None:
    """224 is 14*16. Of the 15 lines of pad=same 7 stand in front, so that 7 and the other 8 are left behind."""
    patches = "no window of CONV16-8/16 reaches the last 7 rows and 7 columns of its input, 224x224x3"
    assert said("stride-remainder", "INPUT 224x224x3 -> CONV16-8/16 -> GAP") == [
        (patches, "patches need no padding: write pad=valid")
    ]
    assert said("stride-remainder", "INPUT 224x224x3 -> CONV16-8/16(pad=valid) -> GAP") == []
    ((_, help),) = said("stride-remainder", "INPUT 225x225x3 -> CONV16-8/16(pad=valid) -> GAP")
    assert help == "everything fits for an input of 224x224 or 240x240"


@pytest.mark.parametrize(
    ("chain", "found"),
    [
        (
            "INPUT 1x1x512 -> AVGPOOL(out=7x7) -> FC-10",
            "AVGPOOL(out=7x7) makes 7x7 of 1x1: it copies each value 49 times",
        ),
        ("INPUT 5x5x8 -> POOL(out=7) -> FC-10", "POOL(out=7) makes 7x7 of 5x5: 49 values out of 25"),
        ("INPUT 7x7x8 -> AVGPOOL(out=7x7) -> FC-10", None),
        ("INPUT 8x8x8 -> AVGPOOL(out=7x7) -> FC-10", None),
        ("INPUT 7x7x8 -> UPSAMPLE2 -> FC-10", None),
    ],
)
def test_poolings_that_copy(chain: str, found: str | None) -> None:
    assert messages("magnifying-pool", chain) == ([found] if found else [])
    # The weights of the FC are not to blame where the pooling is: 7*7*512*10.
    if found:
        assert messages("first-fc", chain) == []


@pytest.mark.parametrize(
    ("layer", "found"),
    [
        # (9 - 2) mod 2 = 1, (9 - 3) mod 2 = 0.
        ("POOL2", "no window of POOL2 reaches the last row and column of its input, 9x9x3"),
        ("POOL1x2", "no window of POOL1x2 reaches the last column of its input, 9x9x3"),
        ("POOL2(ceil=yes)", None),
        ("CONV3-8/2(pad=0)", None),
        ("CONV3-8/2(pad=1)", None),
        # (9 - 5) mod 6 = 4: the 4 last lines.
        ("CONV5-8/6(pad=0)", "no window of CONV5-8/6(pad=0) reaches the last 3 rows and 3 columns of its input, 9x9x3"),
        # (9 - 3) mod 4 = 2, of which one line would lie between windows too.
        ("CONV3-8/4(pad=0)", "no window of CONV3-8/4(pad=0) reaches the last row and column of its input, 9x9x3"),
        # (9 - 1) mod 3 = 2, as many as lie between any two windows.
        ("CONV1-8/3", None),
        # (9 + 2 - 2) mod 2 = 1, which is the padding. (9 + 2 - 3) mod 3 = 2, one of it padding;
        # (9 + 1 - 2) mod 3 = 2, one of it padding, and one between windows.
        ("CONV2-8/2(pad=1)", None),
        (
            "CONV2x3-8/3(pad=same)",
            "no window of CONV2x3-8/3(pad=same) reaches the last column of its input, 9x9x3",
        ),
        ("POOL3/2(pad=1x0)", None),
        # (9 - 4) mod 2 = 1 column; (9 + 2 - 4) mod 2 = 1 line of the padding.
        ("POOL4/2(pad=1x0)", "no window of POOL4/2(pad=1x0) reaches the last column of its input, 9x9x3"),
        ("RELU", None),
    ],
)
def test_remainders(layer: str, found: str | None) -> None:
    assert messages("stride-remainder", f"INPUT 9x9x3 -> {layer}") == ([found] if found else [])
