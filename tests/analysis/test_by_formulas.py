"""Five networks by the formulas of a lecture, written from their papers: sizes, parameters, multiply-adds and fields.

Nothing here is the compiler's. A network is a list of steps along its longest path; side branches add their weights.
Fields are traced backwards, from the positions that the units of the last map see, through each step to the input.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

import cnndsl


@dataclass
class Count:
    """A map of `size` positions an axis and `channels`, and what its making has cost. `steps` are `(K, S, P)` of what
    slides, and `-2` of what doubles a map."""

    size: int
    channels: int
    params: int = 0
    macs: int = 0
    sizes: list[tuple[int, int]] = field(default_factory=list)
    steps: list[tuple[int, int, int]] = field(default_factory=list)

    def conv(
        self, k: int, n: int, s: int = 1, p: int = 0, *, bias: bool = True, groups: int = 1, bn: bool = False
    ) -> Count:
        """(W - F + 2P)/S + 1 positions; F*F*C/G weights a filter; a multiply-add for each weight and position."""
        self.size = (self.size - k + 2 * p) // s + 1
        weights = k * k * self.channels // groups * n
        self.params += weights + bias * n + bn * 2 * n
        self.macs += weights * self.size**2
        self.channels = n
        self.sizes.append((self.size, n))
        self.steps.append((k, s, p))
        return self

    def pool(self, k: int, s: int, p: int = 0) -> Count:
        self.size = (self.size - k + 2 * p) // s + 1
        self.sizes.append((self.size, self.channels))
        self.steps.append((k, s, p))
        return self

    def fc(self, n: int) -> Count:
        weights = self.size**2 * self.channels * n
        self.params, self.macs = self.params + weights + n, self.macs + weights
        self.size, self.channels = 1, n
        return self

    def field(self) -> int:
        """The forward recurrence: r = r + (F - 1)*j, j = j*S."""
        r = j = 1
        for k, s, _ in self.steps:
            r, j = r + (k - 1) * j, j * s
        return r


def alexnet() -> Count:
    """One tower, as in the lecture."""
    net = Count(227, 3).conv(11, 96, 4).pool(3, 2).conv(5, 256, 1, 2).pool(3, 2)
    return net.conv(3, 384, 1, 1).conv(3, 384, 1, 1).conv(3, 256, 1, 1).pool(3, 2).fc(4096).fc(4096).fc(1000)


def vgg16() -> Count:
    net = Count(224, 3)
    for n, times in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(times):
            net.conv(3, n, 1, 1)
        net.pool(2, 2)
    return net.fc(4096).fc(4096).fc(1000)


def mobilenet() -> Count:
    net = Count(224, 3).conv(3, 32, 2, 1, bias=False, bn=True)
    rows = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    for n, s in rows:
        net.conv(3, net.channels, s, 1, bias=False, groups=net.channels, bn=True).conv(1, n, bias=False, bn=True)
    return head(net)


def resnet50() -> Count:
    net = Count(224, 3).conv(7, 64, 2, 3, bias=False, bn=True).pool(3, 2, 1)
    for n, times, first in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for turn in range(times):
            s, entering, size = first if turn == 0 else 1, net.channels, net.size
            net.conv(1, n, bias=False, bn=True).conv(3, n, s, 1, bias=False, bn=True).conv(
                1, 4 * n, bias=False, bn=True
            )
            if turn == 0:
                side = Count(size, entering).conv(1, 4 * n, s, bias=False, bn=True)
                net.params, net.macs = net.params + side.params, net.macs + side.macs
    return head(net)


def head(net: Count) -> Count:
    """Global average pooling and 1000 classes."""
    net.params, net.macs = net.params + net.channels * 1000 + 1000, net.macs + net.channels * 1000
    return net


NETS = {"alexnet_lecture": alexnet, "vgg16": vgg16, "mobilenet_v1": mobilenet, "resnet50": resnet50}


@pytest.mark.parametrize("name", NETS)
def test_a_network_by_formulas(name: str) -> None:
    by_hand, stats = NETS[name](), cnndsl.load(name).stats()
    totals = stats.totals
    assert (totals.params, totals.macs, totals.flops) == (by_hand.params, by_hand.macs, 2 * by_hand.macs)
    assert totals.receptive_field == (by_hand.field(),) * 2
    found = [
        (row.node.shape.spatial[0], row.node.shape.channels)
        for row in stats.layers
        if row.node.kind in ("CONV", "DWCONV", "POOL") and "downsample" not in row.node.path
    ]
    assert found == by_hand.sizes


def test_u_net_by_formulas() -> None:
    """Ronneberger et al. 2015: convolutions without padding, maps that are cropped, transposed convolutions of 2x2."""
    net, skips = Count(572, 1), list[int]()
    for n in (64, 128, 256, 512):
        net.conv(3, n).conv(3, n)
        skips.append(net.size)
        net.pool(2, 2)
    net.conv(3, 1024).conv(3, 1024)
    assert (skips, net.size) == ([568, 280, 136, 64], 28)
    for n in (512, 256, 128, 64):
        # A weight for each pair of channels and each of 2x2 outputs, at each position of the smaller map.
        weights = 4 * net.channels * n
        net.params, net.macs = net.params + weights + n, net.macs + weights * net.size**2
        net.size, net.channels = 2 * net.size, 2 * n
        net.conv(3, n).conv(3, n)
    net.conv(1, 2)
    stats = cnndsl.load("unet").stats()
    assert net.size == 388
    assert stats.layers[-1].node.shape.hwc == (388, 388, 2)
    assert (stats.totals.params, stats.totals.macs) == (net.params, net.macs)
    assert stats.totals.receptive_field == (traced_field(388),) * 2


def traced_field(size: int) -> int:
    """The most positions that a unit of U-Net's last map sees; those of the skips lie within."""
    return max(last - first + 1 for first, last in map(traced, range(size)))


def traced(unit: int) -> tuple[int, int]:
    """The first and last position of the input that a unit sees, level by level down to the smallest map and back. Two
    convolutions without padding see 4 more positions; of a doubled map p sees p//2; pooling doubles."""
    first = last = unit
    for _ in range(4):
        first, last = first // 2, (last + 4) // 2
    last += 4
    for _ in range(4):
        first, last = 2 * first, 2 * last + 1 + 4
    return first, last
