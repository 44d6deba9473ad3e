"""Places in a graph, for messages."""

from __future__ import annotations

from cnndsl.graph import Graph


def place_of(graph: Graph, at: int) -> str:
    """The value of a node, in words."""
    return "the input" if at == 0 else f"the output of {graph.nodes[at].path}"
