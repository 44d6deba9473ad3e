"""Convert nodes with ordered inputs to a `networkx.DiGraph`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import networkx as nx

from cnndsl.graph.node import Node


def wired(nodes: Iterable[Node]) -> nx.DiGraph[int]:
    """Return the frozen graph of nodes given in executable order.

    Each index has the attribute `node`. An edge has the attribute `operands`: the positions at which the value enters,
    two for `x + x`.
    """
    graph: nx.DiGraph[int] = nx.DiGraph()
    for node in nodes:
        graph.add_node(node.index, node=node)
        for at, operands in operands_by_input(node.inputs).items():
            graph.add_edge(at, node.index, operands=operands)
    nx.freeze(graph)  # pyright: ignore[reportUnknownMemberType]  # its stubs say nothing of the result
    return graph


def reading(inputs: Sequence[tuple[int, ...]]) -> nx.DiGraph[int]:
    """Return the graph of nodes before they are final; `inputs` lists the nodes that each one reads.

    >>> sorted(reading([(), (0,), (1, 0)]).edges)
    [(0, 1), (0, 2), (1, 2)]
    """
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(inputs)))
    graph.add_edges_from((before, at) for at, several in enumerate(inputs) for before in several)
    return graph


def operands_by_input(inputs: tuple[int, ...]) -> dict[int, tuple[int, ...]]:
    """Return the positions at which the value of each input node enters.

    >>> operands_by_input((4, 2, 4))
    {4: (0, 2), 2: (1,)}
    """
    if len(inputs) == 1:
        return {inputs[0]: (0,)}
    places: dict[int, list[int]] = {at: [] for at in inputs}
    for place, at in enumerate(inputs):
        places[at].append(place)
    return {at: tuple(several) for at, several in places.items()}
