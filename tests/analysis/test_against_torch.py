"""The figures of whole networks against their emitted modules: parameters, arithmetic, bytes kept, peaks.

Modules are run without storage (on PyTorch's meta device), at their full size; a few on the CPU as well.
"""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import cnndsl
from cnndsl.analysis.cost import costs, network_total
from cnndsl.analysis.execution import unknown
from cnndsl.analysis.memory import inference, training
from cnndsl.analysis.metric_table import OF_NETWORKS
from cnndsl.analysis.region import GraphFacts
from cnndsl.emit.torch.execution import executions
from cnndsl.graph import Graph
from tests.analysis.measuring import live, peak_bytes, saved_bytes
from tests.analysis.nets import NETS
from tests.bundled import marked

# PyTorch says once that even kernels with `padding="same"` take a padded copy; it is counted.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")

ALL = marked((*cnndsl.zoo(), *NETS))
IMAGES = 3


@cache
def graph_of(name: str) -> Graph:
    return (cnndsl.loads(NETS[name]) if name in NETS else cnndsl.load(name)).graph


@pytest.mark.parametrize("name", ALL)
def test_parameters_and_buffers(name: str) -> None:
    graph = graph_of(name)
    network, *_ = live(graph, 1)
    total = network_total(graph, costs(graph))
    assert total.params == sum(each.numel() for each in network.parameters())
    assert total.buffers == sum(each.numel() for each in network.buffers())
    assert OF_NETWORKS["trainable"](GraphFacts(graph, unknown).whole()) == sum(
        each.numel() for each in network.parameters() if each.requires_grad
    )


@pytest.mark.parametrize("name", ALL)
def test_flops_are_those_that_torch_counts(name: str) -> None:
    graph = graph_of(name)
    network, *x = live(graph, IMAGES)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.eval()(*x)
    assert IMAGES * network_total(graph, costs(graph)).flops == counter.get_total_flops()


@pytest.mark.parametrize("name", ALL)
def test_autograd_keeps_what_is_predicted_to_the_byte(name: str) -> None:
    graph = graph_of(name)
    assert training(graph, executions=executions(graph)).saved(IMAGES) == saved_bytes(*live(graph, IMAGES))


@pytest.mark.parametrize(
    "name", ["small_residual", "small_dense", "small_inception", "small_gated", "small_unet", "small_segnet", "lenet5"]
)
@pytest.mark.parametrize("autocast", [False, True])
def test_autograd_keeps_it_on_the_cpu_too(name: str, autocast: bool) -> None:
    graph = graph_of(name)
    memory = training(graph, "amp" if autocast else "fp32", executions=executions(graph))
    assert memory.saved(IMAGES) == saved_bytes(*live(graph, IMAGES, "cpu"), autocast=autocast)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("train", [False, True], ids=["inference", "training"])
def test_the_peak_is_within_two_percent(name: str, train: bool) -> None:
    graph = graph_of(name)
    runs = executions(graph)
    memory = training(graph, tracked=True, executions=runs) if train else inference(graph, executions=runs)
    measured = peak_bytes(*live(graph, IMAGES), training=train)
    # What parameters weigh must not hide the rest.
    fixed = memory.parameters + memory.buffers
    assert memory.peak(IMAGES).bytes - fixed == pytest.approx(measured - fixed, rel=0.02)
