"""Accumulated gradients: the memory of a later micro-batch against a live module, how a batch is split."""

from __future__ import annotations

import pytest
import torch
from torch.distributed._tools.mem_tracker import MemTracker

from cnndsl import load, loads
from cnndsl.analysis.fit import accumulating, accumulation, fit
from cnndsl.analysis.memory import training
from cnndsl.analysis.memory_trace import peak
from cnndsl.graph import Graph
from tests.analysis.measuring import classes, live, loss

NETS = {
    "dense": "INPUT 64 -> FC-4096 -> RELU -> FC-2048 -> FC-10",
    "convolutions": "INPUT 16x16x3 -> CONV3-64 -> BN -> RELU -> CONV3-128/2 -> BN -> RELU -> GAP -> FC-1000",
}


def measured(graph: Graph, images: int, micro_batches: int) -> int:
    """The most bytes alive over so many forward and backward passes without `zero_grad` between them."""
    network, x = live(graph, images, "cpu")
    network.train()
    tracker = MemTracker()
    tracker.track_external(network, x)
    with tracker:
        for _ in range(micro_batches):
            tracker.reset_mod_stats()
            pairs = classes(network(x))
            loss(pairs).backward()
            del pairs
    (snapshot,) = tracker.get_tracker_snapshot("peak").values()
    return snapshot["Total"]


@pytest.mark.parametrize("text", NETS.values(), ids=NETS)
@pytest.mark.parametrize("images", [1, 64])
def test_a_later_micro_batch_against_a_live_module(text: str, images: int) -> None:
    torch.manual_seed(0)
    graph = loads(text).graph
    step = accumulating(graph, training(graph).step)
    assert peak(step, images).bytes == pytest.approx(measured(graph, images, 2), rel=0.02)


def test_by_hand() -> None:
    # Two matrices of 2^20 bytes. In a later micro-batch all of both weights and both gradients are there, and while
    # the second layer's new gradient is made that is a fifth; what an image takes is less than 1% of it.
    graph = loads("INPUT 512 -> a: FC-512(bias=no) -> b: FC-512(bias=no)").graph
    step = training(graph).step
    assert peak(accumulating(graph, step), 1).bytes == pytest.approx(5 * 2**20, rel=0.01)
    # In the first one the gradients come one after the other.
    assert peak(step, 1).bytes == pytest.approx(4 * 2**20, rel=0.01)


def test_shared_weights_by_hand() -> None:
    # One matrix of 2^20 bytes, applied twice: the matrix, its gradient so far, and of this micro-batch that of the
    # second application, which waits for that of the first.
    graph = loads("INPUT 512 -> t: FC-512(bias=no) -> again t").graph
    step = training(graph).step
    assert peak(accumulating(graph, step), 1).bytes == pytest.approx(4 * 2**20, rel=0.01)
    assert peak(step, 1).bytes == pytest.approx(3 * 2**20, rel=0.01)


@pytest.mark.parametrize("batch", [997, 1000, 1024, 4096])
def test_micro_batches_are_as_few_and_as_large_as_fit(batch: int) -> None:
    graph = load("resnet50").graph
    fitted = fit(graph, 8 * 2**30, train=True)
    taken = accumulation(fitted, batch)
    assert taken is not None
    step = accumulating(graph, fitted.memory.step)
    assert peak(step, taken.largest, rounded=True).bytes <= 8 * 2**30 < peak(step, taken.largest + 1, True).bytes
    assert taken.steps == -(-batch // taken.largest)
    assert taken.micro_batch * (taken.steps - 1) + taken.last == batch
    assert 0 < taken.last <= taken.micro_batch <= taken.largest
    divisors = [each for each in range(2, taken.largest + 1) if batch % each == 0]
    assert taken.equal == max(divisors, default=0)


def test_where_no_image_fits_nothing_accumulates() -> None:
    fitted = fit(load("resnet50").graph, 2**20, train=True)
    assert accumulation(fitted, 64) is None
