"""The order of the inputs of merges if it matters: for a concatenation and a difference, not for a sum."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count

from cnndsl.emit.drawing.cards.model import Branching, SkipLink
from cnndsl.graph.graph import Graph
from cnndsl.graph.node import Node

_ORDERED = ("parts", "negated")
"""The `GRADIENT` of merges that treat the first input differently from the second."""


def is_ordered(element: Branching) -> bool:
    """Return whether the order of the branches of a merge matters."""
    return element.sign == "|"


def operands(graph: Graph, nodes: Iterable[int]) -> list[int]:
    """Return the nodes that a part of the graph reads, in the order in which its merges are written; empty if their
    order doesn't matter.

    >>> from cnndsl import loads
    >>> graph = loads("INPUT 8x8x4 -> a: CONV3-4 -> b: CONV3-4 -> (@b | @a)").graph
    >>> operands(graph, [3]), operands(loads("INPUT 8x8x4 -> (ID + CONV3-4)").graph, [2])
    ([2, 1], [])
    """
    inside = frozenset(nodes)
    if not any(_is_ordered(graph.nodes[node]) for node in inside):
        return []
    found: list[int] = []
    seen: set[int] = set()
    stack = sorted(inside)
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if node in inside:
            stack += reversed(graph.nodes[node].inputs)
        else:
            found.append(node)
    return found


def _is_ordered(node: Node) -> bool:
    return node.layer.ROLE == "merge" and node.layer.GRADIENT in _ORDERED


def in_order(links: Sequence[SkipLink], joined: Sequence[bool]) -> list[SkipLink]:
    """Return links and the edges from one element to the next, those of a target in the order of its operands.

    >>> skips = [SkipLink(-2, 1, operand=0), SkipLink(-3, 1, operand=1)]
    >>> [each.source for each in in_order(skips, (False, True))]
    [-2, -3, 0]
    """
    taken: dict[int, set[int]] = {}
    for each in links:
        taken.setdefault(each.target, set()).add(each.operand)
    own: list[SkipLink] = []
    for at, is_joined in enumerate(joined):
        if is_joined:
            free = (place for place in count() if place not in taken.get(at, ()))
            own.append(SkipLink(at - 1, at, operand=next(free)))
    return sorted([*links, *own], key=lambda each: each.operand)
