"""Parts that are applied several times: match the nodes of a later application with those of the first."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from cnndsl.graph import Graph


def applied_again(name: str) -> str:
    """Return the name of the part that is applied again under a name, `tower` for `tower@2`; else an empty string.

    >>> applied_again("tower@2"), applied_again("tower"), applied_again("tower@2.conv")
    ('tower', '', 'tower.conv')
    """
    return re.sub(r"@\d+", "", name) if "@" in name else ""


def are_alike(graph: Graph, first: Sequence[int], second: Sequence[int]) -> bool:
    """Return whether two sets of nodes, in order, are the same layers with the same weights."""
    if len(first) != len(second):
        return False
    places = [{at: place for place, at in enumerate(nodes)} for nodes in (first, second)]
    for one, other in zip(first, second, strict=True):
        a, b = graph.nodes[one], graph.nodes[other]
        inside = [[known.get(at, -1) for at in each.inputs] for each, known in zip((a, b), places, strict=True)]
        if a.layer != b.layer or inside[0] != inside[1]:
            return False
        if b.weights_of >= 0 and b.weights_of != (one if a.weights_of < 0 else a.weights_of):
            return False
    return True


def read_in_any(graph: Graph, applications: Iterable[Sequence[int]], outputs: Iterable[int]) -> Mapping[int, int]:
    """Return the nodes of some applications of a part whose counterpart in another application is read outside it.

    Each node is mapped to its number in the first application.
    """
    several = list(applications)
    places: set[int] = set()
    given = set(outputs)
    for nodes in several:
        inside = set(nodes)
        for place, at in enumerate(nodes):
            if at in given or any(each not in inside for each in graph.readers[at]):
                places.add(place)
    return {nodes[place]: several[0][place] for nodes in several for place in places}


def applications(names: Mapping[str, Sequence[int]]) -> list[list[Sequence[int]]]:
    """Return the nodes of parts that are applied several times, by name in a module; the first application first."""
    found: dict[str, list[Sequence[int]]] = defaultdict(list)
    for name in sorted(names, key=lambda each: (bool(applied_again(each)), names[each])):
        found[applied_again(name) or name].append(names[name])
    return [each for each in found.values() if len(each) > 1]
