"""CS231n activation memory, as the lecture counts it: the sum of all volumes of one image, 4 bytes a value, forward
only.

Activation functions, dropout and flattening are not volumes of their own there (CS231n 2017, lecture 9, the table of
VGG-16). The published table states a total of 24M values, but its rows sum to 15.2M; this is the sum.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from cnndsl.graph import Graph, Node
from cnndsl.layers.base import Layer
from cnndsl.shape import Shape

BYTES_A_VALUE = 4


def lecture_bytes(graph: Graph, nodes: Iterable[Node] | None = None, in_training: bool = False) -> int:
    """Return the lecture's memory of a network, or of some of its nodes, in bytes. Nodes that exist only in training
    count only if `in_training`."""
    chosen = graph.nodes if nodes is None else nodes
    return sum(_bytes(graph, node) for node in chosen if in_training or not node.training_only)


def lecture_volumes(graph: Graph) -> dict[int, int]:
    """Return the bytes of each node's volume, 0 for a node without a row in the lecture's table."""
    return {node.index: _bytes(graph, node) for node in graph.nodes}


def _bytes(graph: Graph, node: Node) -> int:
    return BYTES_A_VALUE * node.shape.numel if is_volume(graph, node) else 0


def is_volume(graph: Graph, node: Node) -> bool:
    """Return whether a layer has a row in the lecture's table: the input, and all layers that are not elementwise.

    Normalisation has a row there (NORM1 of AlexNet); activation functions, dropout and flattening have none.
    """
    return has_row(node.layer, node.shape, *graph.shapes(node))


@lru_cache(maxsize=4096)
def has_row(layer: Layer, output: Shape, *inputs: Shape) -> bool:
    """Return the same for a layer on inputs; results for equal layers on equal inputs are cached."""
    if len(inputs) != 1 or layer.ROLE == "normalisation" or layer.tensors(*inputs):
        return True
    window = layer.window(*inputs)
    pointwise = window is None or set(window.extent) | set(window.step) <= {1}
    return output.numel != inputs[0].numel or not pointwise
