"""Programs with the names of published networks load their weights strictly, and give the same."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnndsl.emit.torch.source import source
from cnndsl.emit.torch.verify import verify
from cnndsl.network import load, loads


def _randomise(module: nn.Module) -> None:
    """Give the statistics of normalisations values that tell one from another."""
    generator = torch.Generator().manual_seed(1)
    for name, buffer in module.named_buffers():
        if name.endswith("running_mean"):
            buffer.copy_(torch.randn(buffer.shape, generator=generator) / 10)
        elif name.endswith("running_var"):
            buffer.copy_(torch.rand(buffer.shape, generator=generator) + 0.5)


def test_streams_that_stay_apart() -> None:
    """HRNet-W18, whose fusions lie in lists of lists."""
    network = load("hrnet")
    state = network.module().state_dict()
    assert state["stage4.2.fuse_layers.3.0.2.0.weight"].shape == (144, 18, 3, 3)
    assert "for stage in self.stage4:\n            xs = stage(xs)" in network.source()


def test_interleaved_parts_against_a_module_by_hand() -> None:
    class Theirs(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Module()
            self.body.convs = nn.ModuleList([nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)])
            self.body.bns = nn.ModuleList([nn.BatchNorm2d(4), nn.BatchNorm2d(4)])
            self.body.add_module("a-b/c", nn.Sequential(nn.Conv2d(4, 4, 1), nn.Identity(), nn.BatchNorm2d(4)))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = torch.relu(self.body.bns[0](self.body.convs[0](x)))
            return self.body.get_submodule("a-b/c")(self.body.bns[1](self.body.convs[1](y)) + y)

    text = """
    INPUT 8x8x3 -> body: [
        [convs.{i-1}: CONV3-4 -> bns.{i-1}: BN -> RELU]*1
        -> (convs.1: CONV3-4 -> bns.1: BN + ID) -> "a-b/c": [0: CONV1-4 -> 2: BN]
    ]
    """
    theirs, ours, x = Theirs(), loads(text).module(), torch.randn(2, 3, 8, 8)
    _randomise(theirs)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    for training in (False, True):
        torch.testing.assert_close(ours.train(training)(x), theirs.train(training)(x))


def test_a_part_that_is_tried_out_leaves_no_piece_behind() -> None:
    text = "INPUT 8x8x4 -> a.0: CONV3-4 -> (CONV3-4 + ID or a.1: CONV1-4) -> a.1: CONV3-4"
    assert {"a.0.weight", "a.1.weight"} <= set(loads(text).module().state_dict())


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("self.convs[1](", "self.convs[0]("),
        ("nn.ModuleList([nn.Conv2d", "nn.Sequential([nn.Conv2d"),
        ('self["a-b"] =', 'self["a-c"] ='),
        ("nn.Identity()", "nn.ReLU()"),
        ('self["a-b"](', 'self["c.d"]('),
    ],
)
def test_the_verifier_knows_the_names(right: str, wrong: str) -> None:
    graph = loads(
        "INPUT 8x8x4 -> convs.0: CONV3-4 -> RELU -> convs.1: CONV3-4 -> RELU -> "
        '"a-b": CONV1-4 -> gap: [0: CONV1-4 -> 2: BN] -> (ID + @"a-b")'
    ).graph
    text = source(graph)
    assert verify(text, graph).agrees
    assert right in text
    assert not verify(text.replace(right, wrong), graph).agrees
