"""A network for networkx: a graph with every metric on its nodes."""

from __future__ import annotations

import networkx as nx

from cnndsl.report.columns import COLUMNS
from cnndsl.report.data_formats import Json, as_dict, layer_data
from cnndsl.report.metrics import Metrics
from cnndsl.report.rows import of_inputs
from cnndsl.report.table_model import view

_COUNTED = tuple(key for key in COLUMNS if key != "layers")


def annotated(stats: Metrics) -> nx.DiGraph[int]:
    """Return a new graph of plain data, which may be changed and which `networkx.node_link_data` can write as JSON.

    Node attributes are named as in `stats --format json`; an edge has `operands`, the positions at which the value
    enters. The graph has the totals. Memory is that of the batch in `stats`.
    """
    model = view(stats, columns=_COUNTED)
    data = as_dict(model)
    layers = data.pop("layers")
    assert isinstance(layers, list)
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.graph.update({"name": stats.graph.title, **data, "output": stats.graph.output})
    columns = [COLUMNS[key] for key in _COUNTED]
    every: list[Json] = [*(layer_data(stats.graph, each, columns) for each in of_inputs(stats)), *layers]
    for node, found in zip(stats.graph.nodes, every, strict=True):
        assert isinstance(found, dict)
        graph.add_node(node.index, **found)
    for before, after, attributes in stats.graph.digraph.edges(data=True):
        graph.add_edge(before, after, operands=list(attributes["operands"]))
    return graph
