"""Sizes that are those of another map: `UPSAMPLE(out=@x)`, whatever enters when the module runs."""

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
NETS = [UNET, IN_A_BLOCK, IN_A_REPEAT, IN_A_TAP.replace("INPUT", "input: INPUT")]


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
