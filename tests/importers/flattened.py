"""Networks as an importer finds them: flat, with the paths of layers that have tensors, and hints for the others."""

from __future__ import annotations

import random
from dataclasses import replace

from cnndsl.graph import Graph, LayerPart, SequencePart, wired
from cnndsl.importers.raising.regions import has_name


def flattened(graph: Graph, seed: int = 0) -> Graph:
    """Return the graph without its tree; a layer without tensors is called by its module and some name behind that."""
    drawn = random.Random(seed)
    nodes = [
        node
        if has_name(graph, node.index)
        else replace(node, path=".".join((*node.path.split(".")[:-1], f"op_{drawn.randrange(10**6)}")))
        for node in graph
    ]
    tree = SequencePart(tuple([LayerPart(node.index) for node in nodes]))
    return replace(graph, digraph=wired(nodes), tree=tree, modules={}, names={})
