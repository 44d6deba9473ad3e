"""Choose among several programs the one that reproduces a graph: compile each and compare it, with its names."""

from __future__ import annotations

from collections.abc import Iterable

from cnndsl.elaborate.program import elaborate
from cnndsl.errors import CnnError, Source
from cnndsl.finding import used
from cnndsl.graph import Graph
from cnndsl.importers.compared import difference
from cnndsl.syntax.parse import parse


def first_right(graph: Graph, texts: Iterable[str]) -> str:
    """Return the first program that has this graph with its names; the last program if none has."""
    text = ""
    for text in texts:
        try:
            made = elaborate(parse(Source("<import>", text)), {}, used)
        except CnnError:
            continue
        if not difference(made, graph, with_names=True):
            break
    return text
