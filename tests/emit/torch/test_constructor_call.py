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
