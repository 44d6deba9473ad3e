"""Graphs in one spelling: what an export leaves out, or the language can write in two ways, is the same in them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from cnndsl.graph import Graph, Node, wired
from cnndsl.layers.base import Layer, each_axis
from cnndsl.layers.conv import Conv
from cnndsl.layers.dense import Dense
from cnndsl.layers.norm import BatchNorm
from cnndsl.layers.scale import Scale
from cnndsl.layers.sliding_pool import SlidingPool
from cnndsl.layers.transposed import ConvTranspose
from cnndsl.layers.window import symmetric
from cnndsl.shape import Shape


def plain(graph: Graph, *, without: Collection[str] = (), biases: bool = True) -> Graph:
    """The graph with sizes and paddings as numbers for each axis, without layers of some kinds, or without biases."""
    numbers: dict[int, int] = {}
    nodes: list[Node] = []
    needed = set(graph.main_outputs)
    for node in reversed(graph.nodes):
        if node.index in needed:
            needed.update(node.inputs)
    for node in graph:
        if node.index not in needed:
            continue
        if node.layer.kind() in without or _is_unused_flatten(graph, node) or _is_adapted(graph, node):
            numbers[node.index] = numbers[node.inputs[0]]
            continue
        shapes = [graph.nodes[each].shape for each in node.inputs]
        layer = _plain(node.layer, shapes)
        if not biases and isinstance(layer, Conv | ConvTranspose):
            layer = replace(layer, bias=False)
        numbers[node.index] = len(nodes)
        inputs = tuple([numbers[each] for each in node.inputs])
        nodes.append(replace(node, index=len(nodes), layer=layer, inputs=inputs, weights_of=-1))
    taps = tuple([replace(each, node=numbers[each.node]) for each in graph.taps if not each.is_tap])
    return replace(graph, digraph=wired(nodes), output=numbers[graph.output], taps=taps)


def _is_unused_flatten(graph: Graph, node: Node) -> bool:
    """Whether only fully connected layers read a vector, which take a map as well."""
    readers = [each for each in graph if node.index in each.inputs]
    is_read = bool(readers) and all(isinstance(each.layer, Dense) for each in readers)
    return node.layer.kind() == "FLATTEN" and is_read and node.index not in graph.main_outputs


def _is_adapted(graph: Graph, node: Node) -> bool:
    """Whether a map is pooled to the size that it has."""
    return bool(getattr(node.layer, "out", ())) and node.shape == graph.nodes[node.inputs[0]].shape


def _plain(layer: Layer, shapes: list[Shape]) -> Layer:
    if isinstance(layer, BatchNorm):
        return replace(layer, momentum=round(layer.momentum, 6))
    if isinstance(layer, Scale):
        return replace(layer, init=1.0, parameter="none")
    if isinstance(layer, Dense):
        return replace(layer, init="default", over="all" if not shapes[0].rank else layer.over)
    if not isinstance(layer, Conv | SlidingPool | ConvTranspose) or getattr(layer, "out", ()):
        return layer
    (x,) = shapes[:1]
    rank = x.rank
    kernel, stride = each_axis(layer.kernel, rank, "kernel"), each_axis(layer.stride, rank, "stride")
    if isinstance(layer, ConvTranspose):
        pads = tuple([pad for _, _, pad, _, _ in layer._numbers(x)])
        return replace(layer, kernel=kernel, stride=stride, pad=pads, init="default")
    pads = None if layer.pad == "tfsame" else symmetric(layer._axes(x))
    layer = replace(layer, kernel=kernel, stride=stride, pad=layer.pad if pads is None else pads)
    if isinstance(layer, SlidingPool):
        return replace(layer, countpad=True) if not any(pads or (1,)) and hasattr(layer, "countpad") else layer
    filters, groups = layer._filters(x), layer._groups(x)
    dilation = each_axis(layer.dilation, rank, "dilation")
    return Conv(kernel, filters, stride, layer.pad, dilation, groups, layer.bias)
