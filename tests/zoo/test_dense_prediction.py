"""U-Net, FCN-8s and SegNet: figures published, or counted by hand from the papers' tables."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

import cnndsl
from cnndsl.analysis.receptive_field import receptive_fields


def convolution(kernel: int, fan_in: int, width: int) -> int:
    return kernel * kernel * fan_in * width + width


def chain(kernel: int, *widths: int) -> int:
    """The parameters of convolutions, each on the channels that the one before it gives."""
    return sum(convolution(kernel, a, b) for a, b in pairwise(widths))


VGG16 = [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]


def field_of(name: str, part: str) -> tuple[int, ...] | None:
    graph = cnndsl.load(name).graph
    field = receptive_fields(graph)[graph.modules.get(part, -1) if part in graph.modules else graph.by_path[part].index]
    return field.size if field else None


def test_parameters_of_unet() -> None:
    """Ronneberger et al. 2015, Figure 1: two 3x3 a step, transposed 2x2 that halve the channels, a 1x1 at the end."""
    down = chain(3, 1, 64, 64, 128, 128, 256, 256, 512, 512, 1024, 1024)
    up = sum(convolution(2, 2 * c, c) + chain(3, 2 * c, c, c) for c in (512, 256, 128, 64))
    assert cnndsl.load("unet").stats().totals.params == down + up + convolution(1, 64, 2) == 31_030_658


UNET_MAPS = {
    # The extents that stand beside the maps of Figure 1.
    "down1": 568,
    "down2": 280,
    "down3": 136,
    "down4": 64,
    "bottom": 28,
    "up4": 52,
    "up3": 100,
    "up2": 196,
    "up1": 388,
    "score": 388,
}


@pytest.mark.parametrize("part", UNET_MAPS)
def test_maps_of_unet(part: str) -> None:
    network = cnndsl.load("unet")
    at = network.graph.modules.get(part, network.graph.output)
    assert network.graph.nodes[at].shape.spatial == (UNET_MAPS[part],) * 2


def test_receptive_field_of_unet() -> None:
    """Down: each step adds 4 positions at its stride, each pooling one: 5, 6, 14, 16, 32, 36, 68, 76, 140.

    Up: a unit of `up1` sees 5 positions at stride 1, which are of at most 3 at stride 2, and with 4 more there 7, of
    at most 4 at stride 4, with 4 more 8, of at most 5 at stride 8, with 4 more 9, of at most 5 at stride 16:
    140 + 4*16 = 204.
    """
    assert field_of("unet", "bottom") == (140, 140)
    assert field_of("unet", "up1") == (204, 204)


def test_fcn8s_as_published() -> None:
    """Long et al. 2015, Table 1: 134 million parameters, a receptive field of 404; the input comes back in its size.

    VGG-16 with 7x7 and 1x1 convolutions for its fully connected layers, three 1x1 to 21 classes, and transposed
    convolutions of 4x4, 4x4 and 16x16 without biases.
    """
    body = chain(3, *VGG16) + convolution(7, 512, 4096) + convolution(1, 4096, 4096)
    scores = convolution(1, 4096, 21) + convolution(1, 512, 21) + convolution(1, 256, 21)
    upsampling = (2 * 4 * 4 + 16 * 16) * 21 * 21
    totals = cnndsl.load("fcn8s").stats().totals
    assert totals.params == body + scores + upsampling == 134_489_759
    assert round(totals.params / 1e6) == 134
    assert field_of("fcn8s", "fc7") == (404, 404)


def test_parameters_of_segnet() -> None:
    """Badrinarayanan et al. 2015, Figure 2: the convolutions of VGG-16, and the same mirrored; all but the last are
    normalised, with two parameters for each channel. Section 3: 14.7 million in the encoder."""
    decoder = [512, 512, 512, 512, 512, 512, 256, 256, 256, 128, 128, 64, 64, 11]
    encoder = chain(3, *VGG16) + 2 * sum(VGG16[1:])
    stats = cnndsl.load("segnet").stats()
    ours = sum(row.cost.params for row in stats.layers if row.node.path.startswith("encoder"))
    assert ours == encoder == 14_723_136
    assert round(ours / 1e6, 1) == 14.7
    assert stats.totals.params == encoder + chain(3, *decoder) + 2 * sum(decoder[1:-1]) == 29_449_355


def test_segnet_puts_values_where_they_were_taken_from() -> None:
    """A map of odd extents comes back in its size, with zeros wherever its pooling took no maximum."""
    text = "INPUT 5x7x2 -> pool: POOL2 -> UNPOOL2(@pool)"
    x = torch.rand(1, 2, 5, 7) + 1
    with torch.no_grad():
        y = cnndsl.loads(text).module()(x)
    assert y.shape == x.shape
    assert torch.equal(y[y != 0], x[y != 0])
    assert int((y != 0).sum()) == 2 * 2 * 3


@pytest.mark.parametrize("name", ["unet", "fcn8s", "segnet"])
def test_live_modules_have_the_shapes(name: str) -> None:
    network = cnndsl.load(name)
    with torch.device("meta"):
        module, x = network.module().eval(), torch.zeros(1, network.graph.input.channels, *network.graph.input.spatial)
    shape = network.graph.nodes[network.graph.output].shape
    assert tuple(module(x).shape) == (1, shape.channels, *shape.spatial)
    assert sum(each.numel() for each in module.parameters()) == network.stats().totals.params
