"""Determine which nodes may overwrite their input: for these the emitted module says `inplace=True`, or `y += x`.

A value may be overwritten if only one node reads it, if it has memory of its own (it is not a view of another value, as
the outputs of FLATTEN, SLICE or, at inference, DROPOUT are), and if the layer that made it does not save it for its
backward pass, as a sigmoid does. The output of a plug-in's class may be a view, or be saved by the class.
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
    """Return the nodes that overwrite their input.

    >>> from cnndsl.network import loads
    >>> graph = loads("INPUT 8x8x3 -> CONV3-4 -> RELU -> (ID + CONV3-4) -> RELU").graph
    >>> [graph.nodes[at].kind for at in sorted(inplace(graph))]
    ['RELU', 'ADD', 'RELU']
    """
    return frozenset(overwritten(graph))


def overwritten(graph: Graph) -> Mapping[int, int]:
    """Return the nodes that overwrite an input, each with the position of that input.

    Nodes from one location in the program (the iterations of a repeat, the calls of a block) either all overwrite or
    none does, since they may share a line of the emitted module.
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
    """Return the positions of the inputs that the layer could overwrite. Sums are computed from left to right."""
    if node.layer.ROLE == "merge" and node.layer.GRADIENT == "handed on":
        return (0, 1) if len(node.inputs) == 2 else (0,)
    return (0,) if _may_overwrite(node.layer, *graph.shapes(node)) else ()


@lru_cache(maxsize=4096)
def _may_overwrite(layer: Layer, *inputs: Shape) -> bool:
    made = layer.torch(*inputs)
    return isinstance(made, TorchCall) and made.inplace


def _is_free(graph: Graph, at: int) -> bool:
    """Return whether a value is read once, has memory of its own, and is not saved."""
    node = graph.nodes[at]
    if len(graph.readers[at]) != 1 or at == graph.output or any(tap.node == at for tap in graph.taps):
        return False
    shapes = graph.shapes(node)
    if _is_foreign(node.layer, *shapes):
        return False
    is_fresh = len(node.inputs) > 1 or any(tensor.role != "buffer" for tensor in node.layer.tensors(*shapes))
    return is_fresh and not node.layer.views(*shapes) and not node.layer.saved(*shapes).output


@lru_cache(maxsize=4096)
def _is_foreign(layer: Layer, *inputs: Shape) -> bool:
    """Return whether a layer becomes a class whose source comes from a plug-in."""
    made = layer.torch(*inputs)
    return isinstance(made, TorchCall) and made.helper and made.name not in HELPERS
