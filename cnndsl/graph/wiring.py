"""From nodes with ordered inputs to a `networkx.DiGraph`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import networkx as nx

from cnndsl.graph.node import Node


def wired(nodes: Iterable[Node]) -> nx.DiGraph[int]:
    """Return the frozen graph of nodes that stand in executable order.

    Each index has the attribute `node`. An edge has the attribute `operands`: the positions at which the value enters,
    two for `x + x`.
    """
    graph: nx.DiGraph[int] = nx.DiGraph()
    known = list(nodes)
    graph.add_nodes_from((node.index, {"node": node}) for node in known)
    graph.add_edges_from(edge for node in known for edge in _edges(node))
    nx.freeze(graph)  # pyright: ignore[reportUnknownMemberType]
    return graph


def _edges(node: Node) -> Iterator[tuple[int, int, dict[str, Any]]]:
    if len(node.inputs) == 1:
        yield node.inputs[0], node.index, {"operands": (0,)}
        return
    for at in dict.fromkeys(node.inputs):
        yield at, node.index, {"operands": tuple(place for place, each in enumerate(node.inputs) if each == at)}
