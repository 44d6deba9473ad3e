"""`NONLOCAL` beside the equations of the paper."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import cnndsl
from cnndsl.testing import differences, memory_differences

TEXTS = {
    "2-D": "INPUT 6x8x6 -> CONV3-6 -> att: NONLOCAL -> RELU -> GAP -> FC-3",
    "maxima": "INPUT 7x8x6 -> CONV3-6 -> att: NONLOCAL(4, subsample=yes) -> RELU -> GAP -> FC-3",
    "1-D": "INPUT 20x6 -> CONV3-6 -> att: NONLOCAL(4, subsample=yes) -> GAP -> FC-3",
    "3-D": "INPUT 4x6x6x4 -> att: NONLOCAL -> att2: NONLOCAL(1) -> GAP -> FC-3",
}


@pytest.mark.parametrize("extents", ["12", "6x8", "2x4x6"])
@pytest.mark.parametrize("subsample", ["no", "yes"])
def test_it_is_the_block_of_the_paper(extents: str, subsample: str) -> None:
    """Equations 2, 4 and 6: y is the mean of all g(x), weighted by the softmax of theta(x)^T phi(x); z = W y + x."""
    module = cnndsl.loads(f"INPUT {extents}x8 -> att: NONLOCAL(3, subsample={subsample})").module().double()
    att = module.att
    nn.init.normal_(att.W[1].weight)
    x = torch.randn(2, 8, *map(int, extents.split("x")), dtype=torch.float64)
    theta, phi, g = (torch.einsum("nc...,kc->nk...", x, each.weight.flatten(1)) for each in (att.theta, att.phi, att.g))
    theta, phi, g = (
        value + each.bias.reshape(1, -1, *[1] * (x.dim() - 2))
        for value, each in ((theta, att.theta), (phi, att.phi), (g, att.g))
    )
    if subsample == "yes":
        for axis in range(2, x.dim()):
            phi, g = (value.unfold(axis, 2, 2).amax(-1) for value in (phi, g))
    likeness = torch.einsum("nci,ncj->nij", theta.flatten(2), phi.flatten(2)).softmax(-1)
    y = torch.einsum("nij,ncj->nci", likeness, g.flatten(2)).reshape(theta.shape)
    torch.testing.assert_close(module(x), att.W(y) + x)


def test_a_new_block_changes_nothing() -> None:
    module, x = cnndsl.loads("INPUT 6x8x8 -> NONLOCAL").module(), torch.randn(2, 8, 6, 8)
    torch.testing.assert_close(module(x), x)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_emitted_module_is_the_graph(text: str) -> None:
    assert differences(text) == []


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_figures_are_those_of_pytorch(text: str) -> None:
    network = cnndsl.loads(text)
    module, totals = network.module().eval(), network.stats().totals
    assert totals.params == sum(each.numel() for each in module.parameters())
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.zeros(1, network.graph.input.channels, *network.graph.input.spatial))
    assert totals.flops == counter.get_total_flops()
    assert memory_differences(text) == []


def test_half_of_the_channels_are_inside() -> None:
    # Four 1x1 convolutions between 64 and 32 channels with biases, and two numbers a channel of the normalisation.
    totals = cnndsl.loads("INPUT 8x8x64 -> NONLOCAL").stats().totals
    assert totals.params == 4 * 64 * 32 + 3 * 32 + 64 + 2 * 64
    # Those four at 64 positions, and two products of 64 by 64 with 32 numbers each.
    assert totals.macs == 64 * 4 * 64 * 32 + 2 * 64 * 64 * 32


def test_maxima_need_two_positions() -> None:
    with pytest.raises(cnndsl.CnnError, match="maxima of 2 positions"):
        cnndsl.loads("INPUT 1x8x8 -> NONLOCAL(subsample=yes)")
