"""The graph as others see it."""

from __future__ import annotations

import pytest

import cnndsl


def test_networkx_has_an_edge_for_each_operand() -> None:
    graph = cnndsl.loads("INPUT 8x8x3 -> a: CONV3-4 -> (ID + ID) -> FC-2").graph.networkx()
    assert dict(graph.nodes(data="kind")) == {0: "INPUT", 1: "CONV", 2: "ADD", 3: "FC"}
    assert graph.nodes[1] == {"path": "a", "kind": "CONV", "shape": (8, 8, 4)}
    assert sorted(graph.edges(data="operand")) == [(0, 1, 0), (1, 2, 0), (1, 2, 1), (2, 3, 0)]


@pytest.mark.parametrize("name", ["vgg16", "resnet50", "googlenet"])
def test_networkx_finds_the_longest_way(name: str) -> None:
    """As long as it is here, following inputs back from the output; and nothing goes round in circles."""
    import networkx as nx

    graph = cnndsl.load(name).graph
    far: list[int] = []
    for node in graph:
        far.append(1 + max((far[at] for at in node.inputs), default=-1))
    drawn = graph.networkx()
    assert nx.is_directed_acyclic_graph(drawn)
    assert nx.dag_longest_path_length(nx.DiGraph(drawn), weight=None, default_weight=1) == max(far)
