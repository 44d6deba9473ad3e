"""Locations in a graph, for messages."""

from __future__ import annotations

from cnndsl.graph import Graph


def place_of(graph: Graph, at: int) -> str:
    """Return the description of a node's value."""
    if at >= len(graph.inputs):
        return f"the output of {graph.nodes[at].path}"
    return f"the input {graph.input_names[at]}" if len(graph.inputs) > 1 else "the input"
