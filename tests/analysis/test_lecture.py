"""Which layers are volumes of the lecture's table, and what they sum to."""

from __future__ import annotations

import pytest

import cnndsl
from cnndsl.analysis.depth import depth
from cnndsl.analysis.lecture import lecture_bytes

INPUT = 8 * 8 * 4
"""The values of the input; a map that keeps its shape has as many."""


@pytest.mark.parametrize(
    ("layer", "values"),
    [
        # Weights make a row of their own, whatever the window.
        *((kind, INPUT) for kind in ("CONV3-4", "CONV1-4", "DWCONV3", "SCALE", "PRELU", "STARRELU", "GRN", "EVONORM2")),
        # NORM1 of AlexNet has a row; so has what normalises without weights.
        *((kind, INPUT) for kind in ("LRN", "BN", "BN(affine=no)", "LN(affine=no)", "GN2(affine=no)", "IN", "L2NORM")),
        *((kind, 0) for kind in ("RELU", "SOFTMAX", "SOFTMAX(radix=2)", "DROPOUT", "DROPPATH", "FLATTEN", "ID")),
        *((kind, 0) for kind in ("TIMES(2)", "SHUFFLE2", "RESHAPE(4x4x16)", "PERMUTE(whc)", "FLATTEN(channels=last)")),
        ("POOL2", INPUT // 4),
        ("POOL3/1(pad=same)", INPUT),
        ("POOL1/2", INPUT // 4),
        ("GAP", 4),
        ("UPSAMPLE2", 4 * INPUT),
        ("SLICE(0, 2)", INPUT // 2),
        ("ZEROPAD(1)", 10 * 10 * 4),
        ("(ID + ID)", INPUT),
        ("(ID | ID)", 2 * INPUT),
        ("tap side(train): GAP", 0),
        ("tap side: GAP", 4),
    ],
)
def test_volumes(layer: str, values: int) -> None:
    graph = cnndsl.loads(f"INPUT 8x8x4 -> {layer} -> RELU").graph
    assert lecture_bytes(graph) == 4 * (INPUT + values)
    assert lecture_bytes(graph, graph.layers) == 4 * values
    assert lecture_bytes(graph, []) == 0


@pytest.mark.parametrize(
    ("chain", "layers"),
    [
        ("CONV3-4", 1),
        # One product is enough.
        ("SLICE(0, 1) -> GAP -> FC-1(bias=no)", 1),
        ("LOCAL3-4 -> CONVT2-4/2 -> DWCONV3 -> FC-2", 4),
        # Parameters without products, and a distance without parameters, are no weight layers.
        ("SCALE -> PRELU -> BN -> RBF-2", 0),
        ("(CONV3-4 -> CONV3-4 | ID) -> CONV3-4", 3),
        ("CONV3-4 -> tap side: [CONV3-4 -> CONV3-4] -> CONV3-4", 2),
        ("POOL2", 0),
    ],
)
def test_weight_layers_on_the_longest_way(chain: str, layers: int) -> None:
    assert depth(cnndsl.loads(f"INPUT 8x8x4 -> {chain}").graph) == layers


def test_depth_of_a_part_is_that_of_its_longest_way() -> None:
    graph = cnndsl.loads("INPUT 8x8x4 -> CONV3-4 -> tap side: [CONV3-4 -> CONV3-4 -> RELU] -> CONV3-4").graph
    side = {node.index for node in graph.nodes if node.path.startswith("side")}
    assert depth(graph, side) == 2
    assert depth(graph, {0}) == 0
