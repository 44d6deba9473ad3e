"""How deep a network is: the 16 of VGG-16."""

from __future__ import annotations

from collections.abc import Collection

from cnndsl.graph import Graph, Node


def depth(graph: Graph, inside: Collection[int] | None = None) -> int:
    """The most layers with weight matrices (convolutions, FC) on any path from the input to the output.

    Normalisation and activations do not count, neither do paths that end in a tap. `inside` restricts the count to
    the nodes of one part, wherever paths in it end. Source: Simonyan and Zisserman 2014, Table 1 ("weight layers").
    """
    longest = [0] * len(graph)
    for node in graph.nodes:
        if inside is None or node.index in inside:
            before = max((longest[at] for at in node.inputs), default=0)
            longest[node.index] = before + is_weighted(graph, node)
    return longest[graph.output] if inside is None else max(longest)


def is_weighted(graph: Graph, node: Node) -> bool:
    """True for a layer that multiplies by weights: it has multiply-adds and parameters."""
    inputs = graph.shapes(node)
    return bool(inputs) and node.layer.macs(*inputs) > 0 and bool(node.layer.tensors(*inputs))
