"""`SNCONV` beside torch.nn.utils.parametrizations.spectral_norm."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.utils.flop_counter import FlopCounterMode

import cnndsl
from cnndsl.testing import differences, memory_differences

TEXTS = {
    "2-D": "INPUT 6x8x6 -> SNCONV3-6 -> RELU -> SNCONV3-4/2(bias=no, iterations=2) -> GAP -> FC-3",
    "even": "INPUT 6x8x6 -> SNCONV4-6 -> RELU",
    "1-D": "INPUT 30x6 -> SNCONV3-4(groups=2, dilation=2) -> GAP",
    "3-D": "INPUT 6x8x6x4 -> SNCONV3-4 -> GAP",
    "large": "INPUT 8x8x64 -> SNCONV3-128/2 -> SNCONV3-128 -> GAP",
}


@pytest.mark.parametrize("train", [True, False])
def test_it_is_the_parametrisation_of_pytorch(train: bool) -> None:
    ours = cnndsl.loads("INPUT 9x9x6 -> SNCONV3-8/2(iterations=3)").module()
    theirs = spectral_norm(nn.Conv2d(6, 8, 3, stride=2, padding=1), n_power_iterations=3)
    theirs.load_state_dict({name.split(".", 1)[1]: value for name, value in ours.state_dict().items()}, strict=True)
    x = torch.randn(2, 6, 9, 9)
    torch.testing.assert_close(ours.train(train)(x), theirs.train(train)(x))


def test_the_largest_singular_value_is_one() -> None:
    module = cnndsl.loads("INPUT 9x9x6 -> conv: SNCONV3-8(iterations=100)").module()
    module(torch.randn(1, 6, 9, 9))
    largest = torch.linalg.svdvals(module.conv.weight.flatten(1))[0]
    torch.testing.assert_close(largest, torch.tensor(1.0), atol=1e-3, rtol=0)


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
    assert memory_differences(text, dtypes=("fp32", "bf16")) == []


def test_names_of_tensors_in_their_order() -> None:
    network = cnndsl.loads("INPUT 9x9x6 -> SNCONV3-8")
    assert list(network.module().state_dict()) == [
        f"0.{each.name}" for each in network.graph.nodes[1].layer.tensors(network.graph.input)
    ]


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("SNCONV3-8(init=kaiming)", "SNCONV has no `init`"),
        ("SNCONV4-8/2", "this padding is larger on one side"),
        ("SNCONV3-8(groups=4)", "cannot both be divided into 4 groups"),
    ],
)
def test_mistakes_are_told(layer: str, message: str) -> None:
    with pytest.raises(cnndsl.CnnError, match=message):
        cnndsl.loads(f"INPUT 9x9x6 -> {layer}")
