"""Networks that torchvision lacks, against the figures that are published of them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

import cnndsl
from cnndsl.expr import Value

YOLOV5 = {"n": (0.33, 0.25), "s": (0.33, 0.5), "m": (0.67, 0.75), "l": (1, 1), "x": (1.33, 1.25)}
YOLOV8 = {
    "n": (0.33, 0.25, 1024),
    "s": (0.33, 0.5, 1024),
    "m": (0.67, 0.75, 768),
    "l": (1, 1, 512),
    "x": (1, 1.25, 512),
}


def parameters(name: str, settings: Mapping[str, Value] | None = None) -> int:
    return cnndsl.load(name, **(settings or {})).stats().totals.params


def test_yolov3() -> None:
    """Redmon & Farhadi 2018; the weights of Darknet hold 62,001,757 numbers, of which 52,608 are running statistics.

    Darknet prints 65.864 BFLOPs at 416x416, two for each multiply-add of a convolution.
    """
    totals = cnndsl.load("yolov3").stats().totals
    assert totals.params == 62_001_757 - 52_608
    assert round(2 * totals.macs / 1e9, 1) == 65.9


@pytest.mark.parametrize(
    ("scale", "published"),
    [("n", 1_872_157), ("s", 7_235_389), ("m", 21_190_557), ("l", 46_563_709), ("x", 86_749_405)],
)
def test_yolov5(scale: str, published: int) -> None:
    """Ultralytics, release 6.2: the summaries that the program prints before layers are fused."""
    depth, width = YOLOV5[scale]
    assert parameters("yolov5", {"depth": depth, "width": width}) == published


@pytest.mark.parametrize(
    ("scale", "published"),
    [("n", 3_157_200), ("s", 11_166_560), ("m", 25_902_640), ("l", 43_691_520), ("x", 68_229_648)],
)
def test_yolov8(scale: str, published: int) -> None:
    """Ultralytics 8.0: yolov8.yaml. Sixteen are constants, 0 to 15, with which the values of a side are summed up."""
    depth, width, most = YOLOV8[scale]
    assert parameters("yolov8", {"depth": depth, "width": width, "most": most}) == published - 16


@pytest.mark.parametrize(
    ("settings", "published"),
    [
        ({"blocks": 16, "c": 64, "residual": 1}, 1_369_859),
        ({"blocks": 16, "c": 64, "residual": 1, "scale": 4}, 1_517_571),
        ({}, 40_729_603),
        ({"scale": 3}, 43_680_003),
        ({"scale": 4}, 43_089_923),
    ],
)
def test_edsr(settings: dict[str, Value], published: int) -> None:
    """Lim et al. 2017, Table 1, has 1.5M and 43M; the integers are those of the authors' models.

    Recounted: the first convolution, two a unit and one more, those of the upsampling, the last.
    """
    c, n, r = int(settings.get("c", 256)), int(settings.get("blocks", 32)), int(settings.get("scale", 2))
    convolution = 9 * c * c + c
    ups = {2: 1, 4: 2}.get(r, 0) * 4 * convolution + (9 * convolution if r == 3 else 0)
    assert (9 * 3 * c + c) + (2 * n + 1) * convolution + ups + (9 * c * 3 + 3) == published
    assert parameters("edsr", settings) == published


def test_openpose() -> None:
    """Cao et al. 2017, Figure 3: ten layers of VGG-19, two that narrow, and twelve branches.

    The published Caffe model has as many numbers as add up here.
    """
    vgg = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), *[(256, 256)] * 3, (256, 512), (512, 512)]
    body = sum(9 * i * o + o for i, o in (*vgg, (512, 256), (256, 128)))
    first = sum(3 * (9 * 128 * 128 + 128) + 128 * 512 + 512 + 512 * o + o for o in (38, 19))
    entering = 38 + 19 + 128
    seven = 49 * entering * 128 + 128 + 4 * (49 * 128 * 128 + 128)
    later = 5 * sum(seven + 128 * 128 + 128 + 128 * o + o for o in (38, 19))
    assert parameters("openpose") == body + first + later == 52_311_446


def test_unet_3d() -> None:
    """Çiçek et al. 2016, Section 3: 19,069,955 parameters; 132x132x116 voxels in, 44x44x28 out."""
    network = cnndsl.load("unet_3d")
    assert network.stats().totals.params == 19_069_955
    assert network.graph.nodes[network.graph.output].shape.hwc == (28, 44, 44, 3)


def test_siamese_of_koch() -> None:
    """Koch et al. 2015, Figure 4: 64 of 10x10, 128 of 7x7, 128 of 4x4, 256 of 4x4, 4096 of 6*6*256, one."""
    convolutions = 64 * 101 + 128 * (49 * 64 + 1) + 128 * (16 * 128 + 1) + 256 * (16 * 128 + 1)
    assert parameters("siamese") == convolutions + 4096 * (6 * 6 * 256 + 1) + 4097


def test_m5() -> None:
    """Dai et al. 2016, Table 1: 0.5M parameters."""
    assert parameters("m5") // 10**5 == 5


@pytest.mark.parametrize("layers", [18, 34])
def test_plain_nets_and_their_twins(layers: int) -> None:
    """He et al. 2015, Section 4.1: shortcut A adds no parameters. Those of torchvision's, less its projections."""
    projections = sum(a * b + 2 * b for a, b in ((64, 128), (128, 256), (256, 512)))
    plain, twin = (parameters("resnet_plain", {"layers": layers, "residual": each}) for each in (False, True))
    assert plain == twin == {18: 11_689_512, 34: 21_797_672}[layers] - projections


@pytest.mark.parametrize(
    ("gone", "fewer"),
    [
        (("fc7",), 16_781_312),
        (("fc6", "fc7"), 49_414_144),
        (("conv3", "conv4"), 1_696_512),
        (("conv3", "conv4", "fc6", "fc7"), 51_110_656),
    ],
)
def test_ablations_of_alexnet(gone: tuple[str, ...], fewer: int) -> None:
    """See test_ablations.py for the sums; conv5 gives 6x6x256 values whatever is before it."""
    assert 60_965_224 - parameters("alexnet_ablations", dict.fromkeys(gone, False)) == fewer
