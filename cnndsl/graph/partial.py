"""A network with errors, as far as it is known: only for drawing, never for computing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from cnndsl.graph.graph import Graph
from cnndsl.records import record


@record
class PartialGraph:
    """The graph of everything written. `failing` maps each node at which something fails to the number of the error.

    Nodes in `unknown` have guessed shapes: they fail, or depend on a node that fails. `texts` are the parts of the
    program that could not be built, each of which is one node; those in `loose` have no input.
    """

    graph: Graph
    failing: Mapping[int, int]
    unknown: frozenset[int]
    texts: Mapping[int, str] = field(default_factory=dict[int, str])
    loose: frozenset[int] = frozenset()
