"""Parameters, arithmetic and depth: against papers and arithmetic."""

from __future__ import annotations

import time

import pytest

import cnndsl
from cnndsl.analysis.cost import Cost, costs, network_total, total
from cnndsl.analysis.depth import depth


def test_elementwise_operations_are_kept_apart() -> None:
    graph = cnndsl.loads("INPUT 8x8x3 -> CONV3-4 -> RELU").graph
    _, conv, relu = costs(graph).values()
    # 8*8 positions, 4 filters of 3*3*3; one comparison for each of 8*8*4 values.
    assert (conv.macs, conv.flops) == (8 * 8 * 4 * 27, 2 * 8 * 8 * 4 * 27)
    assert (relu.macs, relu.operations) == (0, 8 * 8 * 4)


def test_weights_biases_and_buffers() -> None:
    graph = cnndsl.loads("INPUT 8x8x3 -> CONV3-4 -> BN -> FC-10").graph
    _, conv, bn, fc = costs(graph).values()
    assert (conv.weights, conv.biases, conv.buffers) == (108, 4, 0)
    # Running mean and variance of 4 channels, and the number of batches.
    assert (bn.weights, bn.biases, bn.buffers, bn.params) == (4, 4, 9, 8)
    assert (fc.weights, fc.biases) == (2560, 10)
    assert total((conv, bn, fc)).params == 112 + 8 + 2570


def test_turns_of_a_repeat_have_weights_of_their_own() -> None:
    once = cnndsl.loads("INPUT 8x8x4 -> CONV3-4").graph
    thrice = cnndsl.loads("INPUT 8x8x4 -> CONV3-4*3").graph
    assert total(costs(thrice).values()).params == 3 * total(costs(once).values()).params


def test_what_exists_in_training_only_has_parameters_and_no_arithmetic() -> None:
    plain = cnndsl.loads("INPUT 8x8x4 -> CONV3-4 -> FC-10").graph
    tapped = cnndsl.loads("INPUT 8x8x4 -> CONV3-4 -> tap aux(train): FC-10 -> FC-10").graph
    before, after = (network_total(graph, costs(graph)) for graph in (plain, tapped))
    assert (after.macs, after.activations) == (before.macs, before.activations)
    assert after.params == before.params + 8 * 8 * 4 * 10 + 10
    in_training = network_total(tapped, costs(tapped), training=True)
    assert in_training.macs == before.macs + 8 * 8 * 4 * 10


@pytest.mark.parametrize(
    ("name", "layers"),
    # The numbers in the names; "eight learned layers" (Krizhevsky et al. 2012); C1, C3, C5, F6 and the output.
    [("vgg11", 11), ("vgg13", 13), ("vgg16", 16), ("vgg19", 19), ("alexnet_2012", 8), ("lenet5", 5), ("vgg16_bn", 16)],
)
def test_depth_counts_the_layers_with_weights(name: str, layers: int) -> None:
    assert depth(cnndsl.load(name).graph) == layers


def test_a_fixed_filter_is_no_layer_with_weights() -> None:
    """BLURPOOL multiplies by a buffer; a convolution that is not trained has weights."""
    assert depth(cnndsl.loads("INPUT 8x8x4 -> CONV3-4(frozen=yes) -> BLURPOOL -> CONV3-4").graph) == 2


def test_depth_is_that_of_the_longest_path() -> None:
    graph = cnndsl.loads("INPUT 8x8x4 -> (CONV3-4 -> CONV3-4 + CONV1-4 + ID) -> FC-2").graph
    assert depth(graph) == 3


def test_a_hundred_thousand_layers_take_less_than_a_second() -> None:
    graph = cnndsl.loads("INPUT 8x8x4 -> [CONV3-4 -> RELU]*5000").graph
    start = time.process_time()
    for _ in range(10):
        costs(graph)
    assert time.process_time() - start < 1


def test_nothing_costs_nothing() -> None:
    assert total(()) == Cost(0, 0, 0, 0, 0, 0, 0) == Cost()


def test_sums_are_of_each_figure_by_itself() -> None:
    one, two = Cost(1, 2, 3, 4, 5, 6, 7), Cost(10, 20, 30, 40, 50, 60, 70)
    assert total((one, two)) == Cost(11, 22, 33, 44, 55, 66, 77)
    assert (one.params, one.flops) == (3, 8)


def test_what_exists_in_training_only_takes_no_part_in_operations() -> None:
    tapped = cnndsl.loads("INPUT 8x8x4 -> RELU -> tap aux(train): [BN -> GAP] -> FC-2").graph
    each = costs(tapped)
    # RELU's 256 comparisons and as many values, FC's 2, none of the input; on the side BN's 2*256, GAP's 256.
    assert network_total(tapped, each) == Cost(512 + 4, 2 + 4, 9, 512, 256, 256 + 2, 1)
    assert network_total(tapped, each, training=True).operations == 256 + 2 * 256 + 256
    assert network_total(tapped, each, training=True).activations == 256 + 256 + 4 + 2
    assert each[0] == Cost(activations=256)
