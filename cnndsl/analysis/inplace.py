"""Which nodes may write their result over their input: where the emitted module says `inplace=True`, or `y += x`.

A value may be overwritten where one node alone reads it, where it is memory of its own (no view of something else,
as what leaves FLATTEN, SLICE or, when a network is not trained, DROPOUT), and where the layer that made it does not
keep it for its backward pass, as a sigmoid does. What a class of a plug-in returns may be a view, or be kept inside.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache

from cnndsl.errors import Span
from cnndsl.graph import Graph, Node
from cnndsl.layers import HELPERS
from cnndsl.layers.base import Layer, TorchCall
from cnndsl.shape import Shape


def inplace(graph: Graph) -> frozenset[int]:
    """The nodes that write over their input.

    >>> from cnndsl.network import loads
    >>> graph = loads("INPUT 8x8x3 -> CONV3-4 -> RELU -> (ID + CONV3-4) -> RELU").graph
    >>> [graph.nodes[at].kind for at in sorted(inplace(graph))]
    ['RELU', 'ADD', 'RELU']
    """
    return frozenset(overwritten(graph))


def overwritten(graph: Graph) -> Mapping[int, int]:
    """The nodes that write over an input, each with the position of that input.

    Nodes of one place in the program (the turns of a repeat, the calls of a block) do so all or none, since they may
    share a line of the emitted module.
    """
    found: dict[int, int] = {}
    places: dict[tuple[Span, str], list[int]] = defaultdict(list)
    for node in graph.layers:
        places[node.span, node.kind].append(node.index)
        for position in _positions(graph, node):
            if _is_free(graph, node.inputs[position]):
                found[node.index] = position
                break
    for nodes in places.values():
        if len({found.get(at) for at in nodes}) > 1:
            for at in nodes:
                found.pop(at, None)
    return found


def _positions(graph: Graph, node: Node) -> tuple[int, ...]:
    """The inputs that the layer could write over. A sum of several is made from left to right."""
    if node.layer.ROLE == "merge" and node.layer.GRADIENT == "handed on":
        return (0, 1) if len(node.inputs) == 2 else (0,)
    return (0,) if _may_overwrite(node.layer, *graph.shapes(node)) else ()


@lru_cache(maxsize=4096)
def _may_overwrite(layer: Layer, *inputs: Shape) -> bool:
    made = layer.torch(*inputs)
    return isinstance(made, TorchCall) and made.inplace


def _is_free(graph: Graph, at: int) -> bool:
    """Whether a value is read once, is memory of its own, and is kept by nobody."""
    node = graph.nodes[at]
    if len(graph.readers[at]) != 1 or at == graph.output or any(tap.node == at for tap in graph.taps):
        return False
    shapes = graph.shapes(node)
    if _is_foreign(node.layer, *shapes):
        return False
    is_fresh = len(node.inputs) > 1 or any(tensor.role != "buffer" for tensor in node.layer.tensors(*shapes))
    return is_fresh and not node.layer.VIEW and not node.layer.saved(*shapes).output


@lru_cache(maxsize=4096)
def _is_foreign(layer: Layer, *inputs: Shape) -> bool:
    """Whether a layer becomes a class whose text comes from a plug-in."""
    made = layer.torch(*inputs)
    return isinstance(made, TorchCall) and made.helper and made.name not in HELPERS
