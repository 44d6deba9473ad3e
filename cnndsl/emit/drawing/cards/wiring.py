"""Decide whether a chain is series-parallel: whether nested boxes show exactly the edges of the graph.

If not, its layers are drawn in execution order, with a lane for each edge that skips some of them.
"""

from __future__ import annotations

from collections.abc import Collection

from cnndsl.emit.drawing.cards.items import (
    ForkItem,
    ItemChain,
    LayerItem,
    ReferenceItem,
    TapItem,
    flat,
    nodes_in,
)
from cnndsl.graph.graph import Graph


class _NotNestedError(Exception):
    """Raised if the chain has an edge that nested boxes don't show."""


def entry_of(graph: Graph, chain: ItemChain) -> int:
    """Return the node that enters a chain: the input of its first layer, or of the branches of its first merge."""
    for item in flat(chain):
        if isinstance(item, LayerItem):
            return graph.nodes[item.node].inputs[0] if graph.nodes[item.node].inputs else -1
        if isinstance(item, ForkItem):
            empty = (at for at, each in enumerate(item.branches) if not nodes_in(each) and not each)
            if (first := next(empty, None)) is not None:
                return graph.nodes[item.node].inputs[first]
            inner = [each for each in item.branches if not isinstance(each[0], ReferenceItem)]
            return entry_of(graph, inner[0]) if inner else -1
    return -1


def is_nested(graph: Graph, chain: ItemChain, entry: int) -> bool:
    """Return whether nested boxes show all edges of a chain that the value of `entry` enters.

    >>> from cnndsl import loads
    >>> from cnndsl.emit.drawing.cards.items import items_of
    >>> graph = loads("INPUT 8x8x4 -> a: CONV3-4 -> b: CONV3-4 -> (ID + @a)").graph
    >>> chain = items_of(graph.tree)
    >>> is_nested(graph, chain[2:], 1), is_nested(graph, chain[1:], 0)
    (True, False)
    """
    try:
        _exit(graph, chain, entry, frozenset(nodes_in(chain)))
    except _NotNestedError:
        return False
    return True


def _exit(graph: Graph, chain: ItemChain, at: int, inside: Collection[int]) -> int:
    """Return the node that leaves a chain. Raises _NotNestedError."""
    for place, item in enumerate(flat(chain)):
        match item:
            case LayerItem():
                if graph.nodes[item.node].inputs != (at,):
                    raise _NotNestedError
                at = item.node
            case ForkItem():
                exits = tuple(_exit(graph, branch, at, inside) for branch in item.branches)
                if graph.nodes[item.node].inputs != exits:
                    raise _NotNestedError
                at = item.node
            case ReferenceItem() if place == 0 and item.node not in inside:
                at = item.node
            case TapItem() | _:
                raise _NotNestedError
    return at
