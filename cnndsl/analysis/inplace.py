"""Which nodes may overwrite their input: where the emitted module says `inplace=True`."""

from __future__ import annotations

from cnndsl.graph import Graph

_ACTIVATIONS = frozenset({"RELU", "RELU6", "HSWISH"})


def inplace(graph: Graph) -> frozenset[int]:
    """The nodes that write their result over their input: nothing else reads it, and it is not the net's own input."""
    return frozenset(
        node.index
        for node in graph.layers
        if node.kind in _ACTIVATIONS and node.inputs[0] and len(graph.readers[node.inputs[0]]) == 1
    )
