"""The rules about windows and strides: where they begin and end to speak, with their numbers."""

from __future__ import annotations

import pytest

from tests.analysis.linting import messages, said


@pytest.mark.parametrize(
    ("chain", "found"),
    [
        ("CONV11-64/4", "the first convolution, CONV11-64/4, has filters of 11x11"),
        ("BN -> CONV9x8-64", "the first convolution, CONV9x8-64, has filters of 9x8"),
        ("CONV7-64/2", None),
        ("CONV3-8 -> CONV11-64/4", None),
        # Patches, as of a vision transformer; a row; a map of one axis.
        ("CONV16-64/16", None),
        ("CONV1x11-64", None),
    ],
)
def test_large_first_kernels(chain: str, found: str | None) -> None:
    assert messages("large-first-kernel", f"INPUT 64x64x3 -> {chain}") == ([found] if found else [])


def test_filters_over_samples_may_be_long() -> None:
    # 80 samples at a stride of 4 and maxima of 4, as M5 has (Dai et al. 2016, arXiv:1610.00087, Table 1).
    chain = "INPUT 32000x1 -> CONV80-128/4 -> BN -> RELU -> POOL4 -> [CONV3-128 -> BN -> RELU -> POOL4]*2 -> GAP"
    for rule in ("large-first-kernel", "large-pool", "large-stride"):
        assert messages(rule, chain) == []


@pytest.mark.parametrize(
    ("chain", "found"),
    [
        ("POOL4", "POOL4 keeps one of 4x4 values"),
        ("POOL5/2", "POOL5/2 keeps one of 5x5 values"),
        ("POOL3/2(dilation=2)", "POOL3/2(dilation=2) keeps one of 5x5 values"),
        ("POOL3/2", None),
        ("POOL2", None),
        # As large at stride 1, as in spatial pyramids; along one axis; a mean; all there is; a wanted size.
        ("POOL5/1(pad=same)", None),
        ("POOL1x4", None),
        ("AVGPOOL5/3", None),
        ("POOL32", None),
        ("POOL(out=4)", None),
    ],
)
def test_large_poolings(chain: str, found: str | None) -> None:
    assert messages("large-pool", f"INPUT 32x32x3 -> CONV3-8 -> {chain}") == ([found] if found else [])


@pytest.mark.parametrize(
    ("chain", "found"),
    [
        ("CONV3-8 -> CONV3-8/3", "CONV3-8/3 has a stride of 3x3, but it is not the first convolution"),
        ("CONV3-8 -> DWCONV5/4", "DWCONV5/4 has a stride of 4x4, but it is not the first convolution"),
        ("CONV3-8 -> CONV3-8/2", None),
        ("CONV3-8/4", None),
        ("BN -> CONV7-8/4 -> POOL3/2", None),
        ("(CONV3-8/4 | CONV5-8/4)", None),
        ("CONV3-8 -> CONV3-8/1x4", None),
        ("CONV3-8 -> CONVT4-8/4", None),
        # The lecture's own net for digits has it (CS231n, demo of ConvNetJS).
        ("CONV3-8 -> POOL3/3", None),
    ],
)
def test_large_strides(chain: str, found: str | None) -> None:
    assert messages("large-stride", f"INPUT 32x32x3 -> {chain}") == ([found] if found else [])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # 7*7*16*16 = 12,544 against 3*9*16*16 = 6,912.
        ("INPUT 16x16x16 -> CONV7-16", "3 layers of 3x3 see as much as one of 7x7: 6,912 weights instead of 12,544"),
        # 7*7*7*8*8 = 21,952 against 27*8*8*3 = 5,184.
        (
            "INPUT 8x8x8x8 -> CONV7-8",
            "3 layers of 3x3x3 see as much as one of 7x7x7: 5,184 weights instead of 21,952",
        ),
        # 7*7*16*8 = 6,272 against 9*8*(16 + 8 + 8) = 2,304.
        ("INPUT 16x16x16 -> CONV7-8", "3 layers of 3x3 see as much as one of 7x7: 2,304 weights instead of 6,272"),
        # 49*4*13 = 2,548 against 9*13*(4 + 13 + 13) = 3,510; with 8 filters 1,568 against 1,440.
        ("INPUT 16x16x4 -> CONV7-8", "3 layers of 3x3 see as much as one of 7x7: 1,440 weights instead of 1,568"),
        ("INPUT 16x16x4 -> CONV7-13", None),
        # 5x5 is a small filter still.
        ("INPUT 16x16x16 -> CONV5-16", None),
        # 7*16*16 = 1,792 against 3*3*16*16 = 2,304.
        ("INPUT 16x16 -> CONV7-16", None),
        ("INPUT 16x16x16 -> CONV3-16", None),
        ("INPUT 16x16x16 -> CONV6-16", None),
        ("INPUT 16x16x16 -> CONV7-16/2", None),
        ("INPUT 16x16x16 -> CONV7-16(dilation=2)", None),
        ("INPUT 16x16x16 -> CONV7x5-16", None),
        ("INPUT 16x16x16 -> CONV7-16(groups=2)", None),
        ("INPUT 16x16x16 -> DWCONV7", None),
    ],
)
def test_large_kernels(text: str, found: str | None) -> None:
    assert messages("large-kernel", text) == ([found] if found else [])


def test_the_stack_in_place_of_a_large_kernel() -> None:
    assert [help for _, help in said("large-kernel", "INPUT 16x16x16 -> CONV7-16")] == ["[CONV3-16 -> RELU]*3"]


@pytest.mark.parametrize(
    ("layer", "found"),
    [
        ("CONV4-8", ("the kernel 4x4 of CONV4-8 has no centre", "take 5x5")),
        ("CONV3x4-8", ("the kernel 3x4 of CONV3x4-8 has no centre", "take 3x5")),
        ("CONV4-8/3", ("the kernel 4x4 of CONV4-8/3 has no centre", "take 5x5")),
        # Pixels -1 to 2, 1 to 4, ...: around the middle of each pair. And all there is.
        ("CONV4-8/2(pad=1)", None),
        ("CONV16-8(pad=valid)", None),
        ("LOCAL2-8", ("the kernel 2x2 of LOCAL2-8 has no centre", "take 3x3")),
        ("CONV2-8/2", None),
        ("CONV3-8", None),
        ("CONV2x4-8/2x4", None),
        # Causal along the first axis, where 4 pixels span 7 at a dilation of 2: the last of them is the pixel itself.
        ("ZEROPAD(6x0, after=0) -> CONV4x3-8(pad=valid, dilation=2x1)", None),
        ("CONV4x3-8(pad=3x1) -> CROP(0, after=3x0) -> RELU -> CONV2x3-8(pad=1) -> CROP(0, after=1x0)", None),
        (
            "ZEROPAD(3x0, after=0) -> CONV4x2-8(pad=valid)",
            ("the kernel 4x2 of CONV4x2-8(pad=valid) has no centre", "take 5x3"),
        ),
        (
            "ZEROPAD(1, after=2) -> CONV4-8(pad=valid)",
            ("the kernel 4x4 of CONV4-8(pad=valid) has no centre", "take 5x5"),
        ),
    ],
)
def test_even_kernels(layer: str, found: tuple[str, str] | None) -> None:
    assert said("even-kernel", f"INPUT 16x16x3 -> {layer}") == ([found] if found else [])
