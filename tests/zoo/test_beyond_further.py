"""Networks that torchvision lacks: detection, segmentation, generators, signals, words. The figures are published."""

from __future__ import annotations

import importlib
from itertools import pairwise

import pytest
import torch
from torch import nn

import cnndsl
from cnndsl.graph import Graph
from tests.oracle import torchvision
from tests.zoo.test_torch import drawn


def parameters(name: str, **settings: object) -> int:
    return cnndsl.load(name, **settings).stats().totals.params


def keys(name: str) -> dict[str, tuple[int, ...]]:
    """The shapes of weights with more than one axis."""
    with torch.device("meta"):
        state = cnndsl.load(name).module().state_dict()
    return {key: tuple(each.shape) for key, each in state.items() if each.dim() > 1}


@pytest.mark.parametrize(("side", "published"), [(608, 128.5), (512, 91.1), (416, 60.1), (320, 35.5)])
def test_operations_of_yolov4(side: int, published: float) -> None:
    """The README of AlexeyAB/darknet, in BFLOPs. Darknet counts each value in a window of a pooling."""
    network = cnndsl.load("yolov4", input=(side, side, 3))
    pools = 512 * (side // 32) ** 2 * (5 * 5 + 9 * 9 + 13 * 13)
    assert 2 * network.stats().totals.macs + pools == pytest.approx(published * 1e9, abs=0.08e9)


def test_parameters_of_yolov4() -> None:
    """Recounted from yolov4.cfg, whose [convolutional] sections are these: size, filters, and what enters."""

    def unit(k: int, i: int, o: int) -> int:
        return k * k * i * o + 2 * o

    total = unit(3, 3, 32)
    for c, n, half in ((64, 1, 64), (128, 2, 64), (256, 8, 128), (512, 8, 256), (1024, 4, 512)):
        inner = n * (unit(1, half, c // 2) + unit(3, c // 2, half))
        total += unit(3, c // 2, c) + 2 * unit(1, c, half) + inner + unit(1, half, half) + unit(1, 2 * half, c)
    total += unit(1, 1024, 512) + unit(3, 512, 1024) + unit(1, 1024, 512)
    total += unit(1, 2048, 512) + unit(3, 512, 1024) + unit(1, 1024, 512)
    five = {c: 3 * unit(1, 2 * c, c) + 2 * unit(3, c, 2 * c) for c in (128, 256, 512)}
    total += sum(2 * unit(1, 2 * c, c) + five[c] for c in (256, 128))
    total += sum(unit(3, c // 2, c) + five[c] for c in (256, 512))
    total += sum(unit(3, c, 2 * c) + 2 * c * 255 + 255 for c in (128, 256, 512))
    assert parameters("yolov4") == total == 64_363_101


def test_ssd300_is_torchvisions() -> None:
    """Strict keys; the six maps' scores and offsets, in torchvision's order of boxes; 8,732 of them (Section 3.1)."""
    detection = importlib.import_module("torchvision.models.detection")
    with torch.device("meta"):
        theirs = detection.ssd300_vgg16(weights=None, weights_backbone=None).eval()
        ours = cnndsl.load("ssd300").module().eval()
    state = dict(drawn(theirs.state_dict(), seed=1))
    theirs.load_state_dict(state, strict=True, assign=True)
    ours.load_state_dict(state, strict=True, assign=True)
    assert list(ours.state_dict()) == list(state)
    meta = torchvision.models.get_model_weights("ssd300_vgg16").COCO_V1.meta
    assert parameters("ssd300") == meta["num_params"]
    x = torch.randn(1, 3, 300, 300, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        head = theirs.head(list(theirs.backbone(x).values()))
        scores, offsets = ours(x)
    assert scores.shape == (1, 91, 8732)
    torch.testing.assert_close(scores.mT, head["cls_logits"])
    torch.testing.assert_close(offsets.mT, head["bbox_regression"])


def test_unet_plus_plus() -> None:
    """Zhou et al. 2018, Table 2: 9.04M parameters, with 32 to 512 filters; 36 more for a class of a colour image."""
    filters = [32, 64, 128, 256, 512]

    def pair(i: int, o: int) -> int:
        return 9 * i * o + o + 9 * o * o + o

    total = pair(3, 32) + sum(pair(a, b) for a, b in pairwise(filters)) + 33
    for j in range(1, 5):
        for low, high in pairwise(filters[: 6 - j]):
            total += 4 * high * low + low + pair((j + 1) * low, low)
    assert parameters("unet_plus_plus") == total
    assert round(total / 1e6, 2) == 9.04


def test_vnet() -> None:
    """Milletari et al. 2016, Figure 2: kernels of 5x5x5, down and up by 2x2x2, a slope for each channel."""

    def stage(n: int, c: int) -> int:
        return n * (125 * c * c + 2 * c)

    total = 125 * 16 + 2 * 16
    for n, c in ((2, 32), (3, 64), (3, 128), (3, 256)):
        total += 8 * (c // 2) * c + 2 * c + stage(n, c)
    for n, c, entering in ((3, 256, 256), (3, 128, 256), (2, 64, 128), (1, 32, 64)):
        total += 8 * entering * (c // 2) + 2 * (c // 2) + stage(n, c)
    assert parameters("vnet") == total + 32 * 2 + 2


@pytest.mark.parametrize(("name", "c", "published"), [("dcgan", 64, 3_576_704), ("dcgan_discriminator", 64, 2_765_568)])
def test_dcgan(name: str, c: int, published: int) -> None:
    """The netG and netD of PyTorch's examples, module by module."""
    widths = [8 * c, 4 * c, 2 * c, c]
    weights = sum(16 * a * b for a, b in zip([*widths[:3]], widths[1:], strict=True)) + 16 * c * 3
    if name == "dcgan":
        assert weights + 16 * 100 * 8 * c + 2 * sum(widths) == published
    else:
        assert weights + 16 * 8 * c + 2 * sum(widths[:3]) == published
    assert parameters(name) == published


def test_the_generator_of_cyclegan() -> None:
    """The count that the authors' program prints; its layers, by their places in it."""
    blocks = {f"model.{10 + i}.conv_block.{at}.weight": (256, 256, 3, 3) for i in range(9) for at in (1, 5)}
    ends = {"model.1.weight": (64, 3, 7, 7), "model.26.weight": (3, 64, 7, 7)}
    down = {"model.4.weight": (128, 64, 3, 3), "model.7.weight": (256, 128, 3, 3)}
    up = {"model.19.weight": (256, 128, 3, 3), "model.22.weight": (128, 64, 3, 3)}
    assert keys("cyclegan") == ends | down | blocks | up
    assert parameters("cyclegan") == 11_378_179


@pytest.mark.parametrize("r", [2, 3, 4])
def test_espcn(r: int) -> None:
    """Shi et al. 2016, Section 3.2: (f1, n1) = (5, 64), (f2, n2) = (3, 32), f3 = 3."""
    weights = 25 * 64 + 64 + 9 * 64 * 32 + 32 + 9 * 32 * r * r + r * r
    network = cnndsl.load("espcn", r=r)
    assert network.stats().totals.params == weights
    assert shape(network.graph) == (17 * r, 17 * r, 1)


def shape(graph: Graph) -> tuple[int, ...]:
    return graph.nodes[graph.output].shape.hwc


@pytest.mark.parametrize(("cycles", "field"), [(1, 1 + 1024), (2, 2 + 2 * 1023), (5, 2 + 5 * 1023)])
def test_the_field_of_wavenet(cycles: int, field: int) -> None:
    """Van den Oord et al. 2016, Section 2.1: dilations of 1 to 512 see 1,024 samples; one more before them."""
    assert cnndsl.load("wavenet", cycles=cycles).stats().totals.receptive_field == (field,)


def test_parameters_of_wavenet() -> None:
    """Two convolutions of two samples and two of one in each layer, the last of which hands nothing on."""
    layer = 2 * (2 * 32 * 32 + 32) + (32 * 256 + 256) + (32 * 32 + 32)
    ends = (2 * 256 * 32 + 32) + 2 * (256 * 256 + 256)
    assert parameters("wavenet") == 30 * layer - (32 * 32 + 32) + ends


def test_nothing_comes_from_the_future() -> None:
    """Of a WaveNet and of a TCN: what a sample gives does not change what was given before it."""
    module = cnndsl.load("wavenet", cycles=1, layers=4, s=8, input=(64, 256)).module().eval()
    x = torch.randn(1, 256, 64, generator=torch.Generator().manual_seed(1))
    later = x.clone()
    later[:, :, 40:] += 1
    with torch.inference_mode():
        differs = (module(x) != module(later)).any(1)[0]
    assert differs[:40].sum() == 0
    assert differs[40]


class Chomp(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :, : -self.size].contiguous()


class Block(nn.Module):
    """The TemporalBlock of locuslab/TCN without normalised weights: it pads on both sides and cuts off behind."""

    def __init__(self, entering: int, d: int) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        for i in (entering, 25):
            parts += [nn.Conv1d(i, 25, 7, padding=6 * d, dilation=d), Chomp(6 * d), nn.ReLU(), nn.Dropout(0.05)]
        self.net = nn.Sequential(*parts)
        self.down = nn.Conv1d(entering, 25, 1) if entering != 25 else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.net(x) + self.down(x))


def test_tcn_is_the_authors() -> None:
    """Bai et al. 2018, Table 2, MNIST read pixel by pixel: 8 levels of 25, kernels of 7; "about 70K" parameters."""
    blocks = nn.Sequential(*[Block(25 if i else 1, 2**i) for i in range(8)])
    last = nn.Linear(25, 10)
    theirs = nn.ModuleList([blocks, last]).double().eval()
    ours = cnndsl.load("tcn").module().double().eval()
    state = dict(drawn(theirs.state_dict(), seed=1))
    theirs.load_state_dict(state)
    ours.load_state_dict(dict(zip(ours.state_dict(), state.values(), strict=True)), strict=True)
    x = torch.randn(2, 1, 784, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    with torch.inference_mode():
        torch.testing.assert_close(ours(x), last(blocks(x)[:, :, -1]))
    assert sum(each.numel() for each in theirs.parameters()) == parameters("tcn") == 66_510


@pytest.mark.parametrize(("f", "published"), [(4, 1066), (8, 2258)])
def test_eegnet(f: int, published: int) -> None:
    """Lawhern et al. 2018, Table 3, P300: the trainable parameters of EEGNet-4,2 and EEGNet-8,2."""
    depthwise, separable = 64 * 2 * f, 16 * 2 * f + (2 * f) ** 2
    assert 64 * f + 2 * f + depthwise + 4 * f + separable + 4 * f + (2 * f * 128 // 32 * 2 + 2) == published
    assert parameters("eegnet", f=f) == published


def test_crnn() -> None:
    """Shi et al. 2015, Table 1, from the bottom; with two bidirectional LSTMs of 256 units, 8.3M (Section 3.4)."""
    rows = [(3, 1, 64), (3, 64, 128), (3, 128, 256), (3, 256, 256), (3, 256, 512), (3, 512, 512), (2, 512, 512)]
    convolutions = sum(k * k * i * o + o for k, i, o in rows) + 2 * (256 + 512 + 512)
    lstm = sum(2 * 4 * (256 * i + 256 * 256 + 2 * 256) for i in (512, 256))
    embeddings = (512 * 256 + 256) + (512 * 37 + 37)
    assert parameters("crnn") == convolutions
    assert round((convolutions + lstm + embeddings) / 1e6, 1) == 8.3
