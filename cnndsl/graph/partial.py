"""A network with errors, as far as it is known: for a picture, never to compute with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from cnndsl.graph.graph import Graph
from cnndsl.records import record


@record
class PartialGraph:
    """The graph of all that is written. `failing` has for each node at which something fails the number of the error.

    Nodes in `unknown` have shapes that are guesses: they fail, or depend on what fails. `texts` are the parts of the
    program that could not be made, each of which is one node; nothing enters those that are `loose`.
    """

    graph: Graph
    failing: Mapping[int, int]
    unknown: frozenset[int]
    texts: Mapping[int, str] = field(default_factory=dict[int, str])
    loose: frozenset[int] = frozenset()
