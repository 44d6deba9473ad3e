"""Compute how deep a network is: the 16 of VGG-16."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from cnndsl.graph import Graph, Node
from cnndsl.layers.base import Layer
from cnndsl.shape import Shape


def depth(graph: Graph, inside: Collection[int] | None = None) -> int:
    """Return the largest number of layers with weight matrices (convolutions, FC) on any path from the input to an
    output.

    Normalisation and activations do not count, nor do paths that end in a tap. `inside` restricts the count to the
    nodes of one part, wherever paths in it end. Source: Simonyan and Zisserman 2014, Table 1 ("weight layers").
    """
    longest = [0] * len(graph)
    for node in graph.nodes:
        if inside is None or node.index in inside:
            before = max((longest[at] for at in node.value_inputs), default=0)
            longest[node.index] = before + is_weighted(graph, node)
    return max(longest[at] for at in graph.main_outputs) if inside is None else max(longest)


def is_weighted(graph: Graph, node: Node) -> bool:
    """Return whether a layer multiplies by weights: it has multiply-adds and parameters."""
    return bool(node.inputs) and has_weights(node.layer, *graph.shapes(node))


def is_dense(graph: Graph, node: Node) -> bool:
    """Return whether a layer multiplies all values of its input by weights, as FC does unless over channels."""
    return node.layer.ROLE == "dense" and not node.shape.rank and is_weighted(graph, node)


@lru_cache(maxsize=4096)
def has_weights(layer: Layer, *inputs: Shape) -> bool:
    """Return whether a layer multiplies values of these shapes by weights."""
    return layer.macs(*inputs) > 0 and any(tensor.role != "buffer" for tensor in layer.tensors(*inputs))
