"""Branches that an `each` stands for, beside the modules of other libraries, and how their classes read."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnndsl.emit.torch.verified import verified_source
from cnndsl.network import loads
from cnndsl.runtime.live import module
from tests.emit.torch.checking import check, seeded
from tests.oracle import torchvision

ASPP = """
block Branch(c, k, d=1) = CONV{k}-c(dilation=d, bias=no) -> BN -> RELU
block ASPP(c=256) = [
  convs: (
      0: Branch(c, 1)
    | each i, d in (1, 12), (2, 24), (3, 36) [{i}: Branch(c, 3, d)]
    | 4: [GAP -> CONV1-c(bias=no) -> BN -> RELU -> UPSAMPLE8]
  )
  -> project: [CONV1-c(bias=no) -> BN -> RELU -> DROPOUT(0.5)]
]
INPUT 8x8x32 -> aspp: ASPP
"""
"""torchvision's `ASPP(32, [12, 24, 36])`; nearest and bilinear upsampling of one position are the same."""

RES2NET = """
default CONV(bias=no)
block Bottle2neck(c, w, s=4) = (
    [
      conv1: CONV1-{s*w} -> bn1: BN -> relu
      -> (
          each i in 1..s-1 [
            y{i} = SLICE((i - 1)*w, i*w) -> (ID + @y{i-1} if i > 1) -> convs.{i-1}: CONV3-w -> bns.{i-1}: BN -> RELU
          ]
        | SLICE((s - 1)*w, s*w)
      )
      -> conv3: CONV1-{4*c} -> bn3: BN
    ]
  + ID
) -> RELU
INPUT 8x8x64 -> Bottle2neck(16, 6)
"""
"""timm's `Bottle2neck(64, 16, base_width=24)`, which is `width = floor(planes*base_width/64)` wide."""


def same(text: str, theirs: nn.Module, prefix: str = "") -> None:
    """Weights of another module fit strictly; outputs in evaluation and gradients in training are its own."""
    graph = loads(text).graph
    ours = module(graph)
    seeded(theirs)
    ours.load_state_dict({f"{prefix}{name}": value for name, value in theirs.state_dict().items()}, strict=True)
    x = torch.randn(2, graph.input.channels, *graph.input.spatial, generator=torch.Generator().manual_seed(1))
    for training in (False, True):
        grads: list[list[torch.Tensor]] = []
        for each in (ours, theirs):
            each.train(training)
            for part in each.modules():
                if isinstance(part, nn.Dropout):
                    part.eval()
            each.zero_grad()
            y = each(x)
            y.square().mean().backward()
            grads.append(
                [y, *(weight.grad for _, weight in sorted(each.named_parameters()) if weight.grad is not None)]
            )
        for mine, other in zip(*grads, strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-6)


def test_aspp_is_that_of_torchvision() -> None:
    deeplab = torchvision.models.segmentation.deeplabv3
    same(ASPP, deeplab.ASPP(32, [12, 24, 36]), "aspp.")


def test_a_unit_of_res2net_is_that_of_timm() -> None:
    res2net = pytest.importorskip("timm.models.res2net")
    same(RES2NET, res2net.Bottle2neck(64, 16, base_width=24, norm_layer=nn.BatchNorm2d), "0.")


def test_branches_are_a_grouped_convolution() -> None:
    # ResNeXt (Xie et al. 2016), Figure 3: (a) 32 paths that are added up, (c) a convolution of 32 groups.
    paths = "(+ each g in 1..32 [CONV1-4 -> CONV3-4 -> CONV1-256])"
    groups = "CONV1-128 -> CONV3-128(groups=32) -> CONV1-256"
    wanted = 256 * 128 + 32 * 9 * 4 * 4 + 128 * 256
    for body in (paths, groups):
        graph = loads(f"default CONV(bias=no)\nINPUT 8x8x256 -> {body}").graph
        assert sum(each.numel() for each in module(graph).parameters()) == wanted


def text_of(text: str) -> str:
    """The classes of a verified text, one space for each run of spaces."""
    return " ".join(verified_source(loads(text).graph).split())


def test_a_list_is_filled_by_a_comprehension() -> None:
    assert "self.extend([Branch(in_channels, c, 3, d=d) for d in (12, 24, 36)])" in text_of(ASPP)
    paths = "block Path(c) = CONV1-c -> RELU -> CONV3-8\nINPUT 8x8x3 -> (+ each g in 1..32 [Path(4)])"
    assert "self.extend([Path(3, 4) for _ in range(32)])" in text_of(paths)


def test_a_loop_makes_what_forward_runs_over() -> None:
    found = text_of("INPUT 8x8x3 -> (| each k in 1, 3, 5, 7 [path{k}: [CONV{k}-8 -> RELU]])")
    assert 'for k in (1, 3, 5, 7): self.add_module( f"path{k}"' in found
    assert "for path in self.children(): outputs.append(path(x))" in found


def test_a_label_in_several_branches_has_one_class() -> None:
    unit = "y{i}: [SLICE((i - 1)*w, i*w) -> (ID + @y{i-1}) -> CONV3-w]"
    body = f"(y1: [SLICE(0, w) -> CONV3-w] | each i in 2..4 [{unit}])"
    found = text_of(f"block Split(w) = CONV1-{{4*w}} -> {body}\nINPUT 8x8x16 -> Split(6)")
    assert found.count("class Y(") == 1
    assert "self.y3 = Y(w, 3)" in found
    # The slice is w wide, whatever the branch.
    assert "nn.Conv2d(w, w, 3, padding=1)" in found


@pytest.mark.parametrize("rate", ["0.1*(first + i - 1)/6", "0.1*(first + i)/7", "first/10"])
@pytest.mark.parametrize(
    ("block", "unit"),
    [
        ("", "unit{i}: (ID + DWCONV3 -> CONV1-{4*c} -> GELU -> CONV1-c -> DROPPATH(RATE))"),
        ("block Unit(c, p) = (ID + DWCONV3 -> CONV1-c -> DROPPATH(p))", "Unit(c, RATE)"),
    ],
)
def test_a_rate_that_grows_over_stages_makes_one_class(rate: str, block: str, unit: str) -> None:
    body = f"[CONV2-c/2] if c > 8 -> stage{{c}}: [{unit.replace('RATE', rate)}]*n"
    stages = f"for n, c, first in (2, 8, 0), (2, 16, 2), (3, 32, 4) [{body}]"
    found = text_of(f"{block}\nINPUT 16x16x3 -> CONV3-8 -> {stages} -> GAP -> FC-10")
    assert found.count("class Unit") == 1
    assert "p: float) -> None:" in found.split("class Unit")[1]
    assert "DropPath(p)" in found


def test_turns_of_a_class_with_a_forward_share_a_class() -> None:
    # The other output makes a `forward` of the network; the turns differ in their dilation and their rate.
    unit = "unit{i}: (ID + CONV3-8(dilation=i) -> RELU -> DROPPATH(0.1*i/5))"
    text = f"INPUT 16x16x8 -> a: CONV3-8 -> [{unit}]*5 -> b: CONV3-8\nc = @a -> CONV1-8\noutput b, c"
    found = text_of(text)
    assert found.count("class Unit(") == 1
    assert "self.unit4 = Unit(8, 4, p=0.08)" in found  # 0.1*4/5
    check(text)
