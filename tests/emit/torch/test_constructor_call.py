"""What the numbers of a construction are called."""

from __future__ import annotations

import cnndsl


def test_a_padding_is_no_number_of_channels() -> None:
    """A window of 7 pads 3, and 3 channels enter: a coincidence."""
    net = cnndsl.loads("block Stem(c) = CONV7-c/2 -> BN   INPUT 32x32x3 -> Stem(16) -> GAP -> FC-10")
    assert "nn.Conv2d(in_channels, c, 7, stride=2, padding=3)" in net.source()


def test_a_depthwise_convolution_names_its_channels_three_times() -> None:
    net = cnndsl.loads("block Filter = DWCONV3(bias=no) -> BN   INPUT 32x32x3 -> CONV3-16 -> Filter -> GAP -> FC-10")
    assert "in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False" in net.source()


def test_a_padding_does_not_follow_a_dilation_that_is_not_written() -> None:
    """With padding=d and no dilation=d, the class would be wrong for any other d."""
    text = "block B(c, k, d=1) = CONV{k}-c(dilation=d)   INPUT 9x9x3 -> B(4, 3) -> B(4, 5, 1)"
    source = cnndsl.loads(text).source()
    assert "nn.Conv2d(in_channels, c, k, padding=k // 2)" in source
    assert "self, in_channels: int, c: int, k: int)" in source
    assert "padding=d * (k - 1) // 2, dilation=d" in cnndsl.loads(f"{text} -> B(4, 3, 2)").source()
