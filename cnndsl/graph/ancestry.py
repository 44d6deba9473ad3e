"""Dependencies between nodes: networkx's algorithms, with types."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any, cast

import networkx as nx


def ancestors(graph: nx.DiGraph[int], node: int) -> set[int]:
    """Return the nodes that a node depends on, including itself.

    >>> sorted(ancestors(nx.DiGraph([(0, 1), (1, 2), (0, 3)]), 2))
    [0, 1, 2]
    """
    found: set[int] = cast("Any", nx).ancestors(graph, node)
    return found | {node}


def descendants(graph: nx.DiGraph[int], node: int) -> set[int]:
    """Return the nodes that depend on a node, including itself.

    >>> sorted(descendants(nx.DiGraph([(0, 1), (1, 2), (0, 3)]), 1))
    [1, 2]
    """
    found: set[int] = cast("Any", nx).descendants(graph, node)
    return found | {node}


_START = -1
"""A virtual node before all inputs."""


def parted(graph: nx.DiGraph[int], nodes: Iterable[int]) -> int | None:
    """Return the node at which the paths to some nodes diverge: the last one on every path from an input to each of
    them. None if the paths begin at several inputs.

    It is the nearest common dominator (Cooper, Harvey and Kennedy 2001, as `networkx.immediate_dominators`).

    >>> graph = nx.DiGraph([(0, 1), (1, 2), (1, 3), (2, 4), (3, 5), (6, 7)])
    >>> parted(graph, [4, 5]), parted(graph, [2, 4]), parted(graph, [4, 7])
    (1, 2, None)
    """
    begun: nx.DiGraph[int] = nx.DiGraph(graph.edges)
    begun.add_edges_from((_START, node) for node in graph if not graph.in_degree(node))
    above: dict[int, int] = cast("Any", nx).immediate_dominators(begun, _START)

    def way(node: int) -> list[int]:
        found = [node]
        while found[-1] != _START:
            found.append(above[found[-1]])
        return found

    at = reduce(lambda one, other: next(each for each in way(one) if each in {*way(other)}), nodes)
    return None if at == _START else at
