"""Sizes that are those of another map: `UPSAMPLE(out=@x)`, `CROP(out=@x)`, …, whatever enters when the module runs."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from cnndsl import loads
from cnndsl.emit.torch.verify import verify
from cnndsl.runtime.live import module
from tests.emit.torch.checking import check, emitted, seeded

UNET = """\
INPUT 33x29x3 -> e: CONV3-8 -> POOL2 -> d: CONV3-8 -> POOL2 -> CONV3-8
-> (@d + UPSAMPLE(out=@d, mode=bilinear)) -> RELU -> (@e | UPSAMPLE(out=@e)) -> CONV1-4
"""
IN_A_BLOCK = """\
block Up(skip, c) = (UPSAMPLE(out=@skip, mode=linear, align=yes) -> CONV3-c + @skip)
INPUT 37x3 -> a: CONV3-4 -> POOL3 -> b: CONV3-8 -> POOL3 -> CONV3-8 -> Up(@b, 8) -> CONV1-4 -> Up(@a, 4)
"""
IN_A_REPEAT = "INPUT 9x9x4 -> a: CONV3-4 -> [(CONV3-4 -> AVGPOOL2 -> UPSAMPLE(out=@a) + ID)]*3 -> GAP -> FC-2"
IN_A_TAP = "INPUT 9x9x4 -> a: POOL2 -> tap big: [CONV1-2 -> UPSAMPLE(out=@input, mode=bicubic)] -> FC-2"
VALID = """\
block Down(c) = [CONV3-c(pad=valid) -> RELU]*2
block Up(skip, c) = up: CONVT2-c/2 -> (@skip -> CROP(out=@up) | ID) -> CONV3-c(pad=valid) -> RELU
INPUT 66x61x3 -> a: Down(4) -> POOL2 -> b: Down(8) -> POOL2 -> CONV3-16(pad=valid) -> Up(@b, 8) -> Up(@a, 4)
"""
PADDED = """\
INPUT 33x30x3 -> e: CONV3-4 -> POOL2 -> d: CONV3-8 -> POOL2 -> CONV3-8
-> (CONVT2-8/2 -> ZEROPAD(out=@d) | @d) -> (CONVT2-4/2 -> ZEROPAD(out=@e) + @e) -> RELU
"""
POOLED = """\
INPUT 19x23x4 -> fine: CONV3-4 -> coarse: CONV3-4/3 -> RELU
-> MAX(ID, @fine -> AVGPOOL(out=@coarse), @fine -> RELU -> POOL(out=@coarse)) -> CONV1-2
"""
ALONG_A_LINE = (
    "INPUT 40x3 -> a: CONV3-4 -> b: CONV5-4(pad=valid) -> (@a -> CROP(out=@b) + @b -> POOL2 -> ZEROPAD(out=@b))"
)
IN_SPACE = "INPUT 7x9x8x2 -> a: CONV3-4 -> b: POOL2 -> CONV3-4 -> (ID + @a -> CROP(out=@b) + @a -> POOL(out=@b))"
GIVEN = (
    "INPUT 20x17x3 -> CONV3-4 -> CROP(out=9x12) -> RELU -> ZEROPAD(out=15) -> CONV3-4 -> CROP(out=6) -> ZEROPAD(out=6)"
)
IN_TURNS = (
    "INPUT 12x12x4 -> [a{i}: CONV3-4(pad=valid) -> (CONV1-4 + @a{i} -> POOL2 -> ZEROPAD(out=@a{i}))]*3 -> GAP -> FC-2"
)
MARGINS = [VALID, PADDED, POOLED, ALONG_A_LINE, IN_SPACE, GIVEN, IN_TURNS]
NETS = [UNET, IN_A_BLOCK, IN_A_REPEAT, IN_A_TAP.replace("INPUT", "input: INPUT"), *MARGINS]


@pytest.mark.parametrize("text", NETS)
def test_it_computes_what_the_graph_says(text: str) -> None:
    check(text)


class Plain(nn.Module):
    """The net of `UNET` as one writes it by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.e, self.d = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.conv1, self.conv2 = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(16, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        e = self.e(x)
        d = self.d(F.max_pool2d(e, 2))
        x = self.conv1(F.max_pool2d(d, 2))
        x = F.relu(F.interpolate(x, d.shape[2:], mode="bilinear", align_corners=False) + d)
        return self.conv2(torch.cat([e, F.interpolate(x, e.shape[2:])], 1))


@pytest.mark.parametrize("size", [(33, 29), (32, 32), (7, 64), (100, 5)])
def test_no_size_is_frozen(size: tuple[int, int]) -> None:
    ours, theirs = seeded(module(loads(UNET).graph)), Plain()
    theirs.load_state_dict(ours.state_dict())
    for network in (ours, theirs):
        network.train()
    x = torch.rand(2, 3, *size)
    assert torch.equal(ours(x), theirs(x))
    ours(x).square().sum().backward()
    theirs(x).square().sum().backward()
    for name, parameter in theirs.named_parameters():
        assert torch.equal(parameter.grad, ours.get_parameter(name).grad), name  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("size=e.shape[2:]", "size=(33, 29)"),
        ("size=e.shape[2:]", "scale_factor=2"),
        ("size=d.shape[2:]", "size=e.shape[2:]"),
        ("size=d.shape[2:]", "size=(16, 14)"),
        ("size=d.shape[2:]", "size=d.shape[1:3]"),
        (', mode="bilinear"', ""),
    ],
)
def test_the_verifier_sees_where_a_size_comes_from(old: str, new: str) -> None:
    text = emitted(UNET)
    assert old in text
    assert not verify(text, loads(UNET).graph).differences
    assert verify(text.replace(old, new, 1), loads(UNET).graph).differences


def test_a_map_that_is_as_large_is_another_one() -> None:
    """`b` has the extents of `a` for this input; not for every one."""
    text = "INPUT 8x8x4 -> a: POOL2 -> b: CONV2-4(pad=1) -> c: POOL1/1 -> d: POOL2 -> UPSAMPLE(out=@a)"
    graph = loads(text.replace("-> c: POOL1/1", "-> c: CONV2-4(pad=valid)")).graph
    source = emitted(text.replace("-> c: POOL1/1", "-> c: CONV2-4(pad=valid)"))
    assert not verify(source, graph).differences
    changed = source.replace("x = self.a(x)", "a = self.a(x)").replace("self.b(x)", "self.b(a)")
    right = changed.replace("size=x.shape", "size=a.shape")
    assert not verify(right, graph).differences
    assert verify(right.replace("size=a.shape", "size=x.shape"), graph).differences


class Cropped(nn.Module):
    """The net of `VALID`, with the crop of a widely used U-Net of valid convolutions: the middle, by slices."""

    def __init__(self) -> None:
        super().__init__()
        self.a1, self.a2 = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)
        self.b1, self.b2 = nn.Conv2d(4, 8, 3), nn.Conv2d(8, 8, 3)
        self.middle = nn.Conv2d(8, 16, 3)
        self.up1, self.conv1 = nn.ConvTranspose2d(16, 8, 2, stride=2), nn.Conv2d(16, 8, 3)
        self.up2, self.conv2 = nn.ConvTranspose2d(8, 4, 2, stride=2), nn.Conv2d(8, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        a = F.relu(self.a2(F.relu(self.a1(x))))
        b = F.relu(self.b2(F.relu(self.b1(F.max_pool2d(a, 2)))))
        x = self.up1(self.middle(F.max_pool2d(b, 2)))
        x = F.relu(self.conv1(torch.cat([self.crop(b, *x.shape[2:]), x], 1)))
        x = self.up2(x)
        return F.relu(self.conv2(torch.cat([self.crop(a, *x.shape[2:]), x], 1)))

    @staticmethod
    def crop(x: Tensor, height: int, width: int) -> Tensor:
        top, left = (x.shape[2] - height) // 2, (x.shape[3] - width) // 2
        return x[:, :, top : top + height, left : left + width]


class Milesial(nn.Module):
    """The net of `PADDED`, with the padding of github.com/milesial/Pytorch-UNet, unet/unet_parts.py."""

    def __init__(self) -> None:
        super().__init__()
        self.e, self.d = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 8, 3, padding=1)
        self.middle = nn.Conv2d(8, 8, 3, padding=1)
        self.up1, self.up2 = nn.ConvTranspose2d(8, 8, 2, stride=2), nn.ConvTranspose2d(16, 4, 2, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        e = self.e(x)
        d = self.d(F.max_pool2d(e, 2))
        x = self.padded(self.up1(self.middle(F.max_pool2d(d, 2))), d)
        x = self.padded(self.up2(torch.cat([x, d], 1)), e)
        return F.relu(x + e)

    @staticmethod
    def padded(x1: Tensor, x2: Tensor) -> Tensor:
        diff_y, diff_x = x2.size(2) - x1.size(2), x2.size(3) - x1.size(3)
        return F.pad(x1, [diff_x // 2, diff_x - diff_x // 2, diff_y // 2, diff_y - diff_y // 2])


@pytest.mark.parametrize(
    ("text", "written", "sizes"),
    [
        (VALID, Cropped, [(66, 61), (48, 80), (71, 44)]),
        (PADDED, Milesial, [(33, 30), (32, 32), (7, 45), (38, 39)]),
    ],
)
def test_margins_are_those_of_published_code(text: str, written: type[nn.Module], sizes: list[tuple[int, int]]) -> None:
    """At the size of the program and at others; values and gradients, to the last bit."""
    ours, theirs = seeded(module(loads(text).graph)), written()
    theirs.load_state_dict(dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True)))
    for size in sizes:
        x = torch.rand(2, 3, *size)
        assert torch.equal(ours(x), theirs(x))
        for network in (ours, theirs):
            network.zero_grad()
            network(x).square().sum().backward()
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert mine.grad is not None
            assert torch.equal(mine.grad, other.grad)  # type: ignore[arg-type]


def test_poolings_follow_the_other_map() -> None:
    network = seeded(module(loads(POOLED).graph))
    for size in ((19, 23), (64, 48), (3, 3)):
        x = torch.rand(2, 4, *size)
        fine = network.get_submodule("fine")(x)
        coarse = network.get_submodule("coarse")(fine)
        size_of = coarse.shape[2:]
        pooled = [F.adaptive_avg_pool2d(fine, size_of), F.adaptive_max_pool2d(fine.relu(), size_of)]
        merged = torch.maximum(torch.maximum(coarse.relu(), pooled[0]), pooled[1])
        assert torch.equal(network(x), network.get_submodule("conv")(merged))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("text", MARGINS)
def test_it_scripts_and_exports(text: str) -> None:
    graph = loads(text).graph
    network = seeded(module(graph)).eval()
    shape = graph.nodes[0].shape
    x = torch.rand(2, shape.channels, *shape.spatial)
    expected = network(x)
    torch.testing.assert_close(torch.jit.script(network)(x), expected)
    torch.testing.assert_close(torch.export.export(network, (x,)).module()(x), expected)


def test_a_map_on_the_wrong_side_is_refused_when_it_runs() -> None:
    """`b` is smaller than `a` for the input of the program; not for every one."""
    crop = module(loads("INPUT 40x40x4 -> a: POOL2 -> b: POOL(out=12x12) -> (@a -> CROP(out=@b) + @b)").graph)
    assert crop(torch.rand(1, 4, 24, 24)).shape == (1, 4, 12, 12)
    with pytest.raises(RuntimeError):
        crop(torch.rand(1, 4, 22, 24))
    pad = module(loads("INPUT 40x40x4 -> a: POOL2 -> b: POOL(out=12x12) -> (@b -> ZEROPAD(out=@a) + @a)").graph)
    assert pad(torch.rand(1, 4, 24, 25)).shape == (1, 4, 12, 12)
    with pytest.raises(ValueError, match="the map to pad is larger"):
        pad(torch.rand(1, 4, 22, 24))


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (VALID, "crop_like(skip, up)", "crop_like(up, skip)"),
        (VALID, "crop_like(skip, up)", "skip[:, :, 4:-5, 4:-4]"),
        (VALID, "crop_like(skip, up)", "skip"),
        (VALID, "(x.size(axis) - size) // 2", "(x.size(axis) - size + 1) // 2"),
        (PADDED, "pad_like(self.convt1(x), d)", "pad_like(self.convt1(x), e)"),
        (PADDED, "pad_like(self.convt1(x), d)", "self.convt1(x)"),
        (PADDED, "pad_like(self.convt1(x), d)", "F.interpolate(self.convt1(x), size=d.shape[2:])"),
        (PADDED, "missing // 2, missing - missing // 2", "missing - missing // 2, missing // 2"),
        (POOLED, "adaptive_avg_pool2d", "adaptive_max_pool2d"),
        (POOLED, "adaptive_avg_pool2d(fine, coarse.shape[2:])", "adaptive_avg_pool2d(fine, (7, 8))"),
        (POOLED, "adaptive_avg_pool2d(fine, coarse.shape[2:])", "adaptive_avg_pool2d(fine, fine.shape[2:])"),
        (POOLED, "adaptive_avg_pool2d(fine, coarse.shape[2:])", "adaptive_avg_pool2d(coarse, coarse.shape[2:])"),
        (GIVEN, "CropTo2d((9, 12))", "CropTo2d((12, 9))"),
        (GIVEN, "CropTo2d((9, 12))", "Crop2d((5, 2), after=(6, 3))"),
        (GIVEN, "PadTo2d(15)", "PadTo2d(16)"),
    ],
)
def test_the_verifier_sees_a_wrong_margin(text: str, old: str, new: str) -> None:
    source = emitted(text)
    assert old in source
    assert not verify(source, loads(text).graph).differences
    assert verify(source.replace(old, new, 1), loads(text).graph).differences
