"""The graph is a frozen networkx.DiGraph, and gives an annotated copy of itself."""

from __future__ import annotations

import json
import pickle
import re
import tracemalloc

import networkx as nx
import pytest
from hypothesis import given, settings

import cnndsl
from cnndsl.analysis.depth import depth, is_weighted
from cnndsl.elaborate import elaborate
from cnndsl.errors import Source
from cnndsl.graph import CallPart, Node, ancestors, descendants, parted, walk
from cnndsl.graph.wiring import operands_by_input
from cnndsl.layers.activation import Relu
from cnndsl.layers.base import LayerError
from cnndsl.layers.dense import Input
from cnndsl.layers.infer import infer
from cnndsl.layers.merge import Add, Concat
from cnndsl.limits import limits
from cnndsl.shape import Shape
from cnndsl.syntax.parse import parse
from cnndsl.testing import programs
from cnndsl.values import NameSymbol, OutputSymbol


def test_an_edge_has_the_positions_of_its_operands() -> None:
    graph = cnndsl.loads("INPUT 8x8x3 -> a: CONV3-4 -> (ID + ID) -> FC-2").graph
    assert sorted(graph.digraph.edges(data="operands")) == [(0, 1, (0,)), (1, 2, (0, 1)), (2, 3, (0,))]


@settings(max_examples=100)
@given(programs())
def test_edges_are_the_inputs_in_executable_order(text: str) -> None:
    graph = cnndsl.loads(text).graph
    assert list(graph.digraph) == list(range(len(graph)))
    for index, attributes in graph.digraph.nodes(data=True):
        node = attributes["node"]
        assert attributes == {"node": node}
        assert isinstance(node, Node)
        assert node.index == index
        assert all(at < index for at in node.inputs)
        inputs = {place: at for at, _, operands in graph.digraph.in_edges(index, data="operands") for place in operands}
        assert tuple(inputs[place] for place in range(len(inputs))) == node.inputs


def test_the_graph_is_frozen() -> None:
    graph = cnndsl.loads("INPUT 8x8x3 -> FC-2").graph
    with pytest.raises(nx.NetworkXError, match=r"[Ff]rozen"):
        graph.digraph.add_edge(0, 5)
    with pytest.raises(AttributeError):
        graph.output = 0  # pyright: ignore[reportAttributeAccessIssue]


def test_an_edge_to_a_merge_of_many_has_its_places_in_order() -> None:
    inputs = tuple(at % 7 for at in range(1000))
    places = operands_by_input(inputs)
    assert list(places) == [0, 1, 2, 3, 4, 5, 6]
    assert all(places[at] == tuple(range(at, 1000, 7)) for at in places)


@pytest.mark.parametrize("name", ["vgg16", "resnet50", "googlenet", "densenet121", "unet"])
def test_the_depth_is_networkx_s_longest_path(name: str) -> None:
    graph = cnndsl.load(name).graph
    assert nx.is_directed_acyclic_graph(graph.digraph)
    before = nx.DiGraph(graph.digraph.subgraph(ancestors(graph.digraph, graph.output)))
    for start, end in before.edges:
        before.edges[start, end]["layers"] = int(is_weighted(graph, graph.nodes[end]))
    assert nx.dag_longest_path_length(before, weight="layers") == depth(graph) > 10


def test_nothing_in_a_graph_belongs_to_the_elaborator_or_the_parser() -> None:
    text = """
    net Tiny(n in 1..3 = 2)
    block Unit(c, f, skip) = CONV3-c -> f -> (ID | @skip)
    INPUT 8x8x4 -> a: CONV3-4 -> for g in RELU, GELU [Unit(4, g, @a)] -> Unit(n, HSWISH, skip=@a)
    """
    graph = cnndsl.loads(text).graph
    calls = [part for part in walk(graph.tree) if isinstance(part, CallPart)]
    assert [call.arguments for call in calls] == [
        (width, NameSymbol(name), OutputSymbol("a")) for width, name in ((4, "RELU"), (4, "GELU"), (2, "HSWISH"))
    ]
    modules = set(re.findall(rb"cnndsl[.][a-z_.]+", pickle.dumps(graph)))
    assert not {name for name in modules if name.startswith((b"cnndsl.elaborate", b"cnndsl.syntax"))}
    assert {b"cnndsl.graph.node", b"cnndsl.values"} <= modules


def test_a_node_costs_at_most_two_kilobytes() -> None:
    file = parse(Source("long.cnn", f"INPUT 8x8x4 -> {' -> '.join(['(CONV3-4 -> BN + ID) -> RELU'] * 2500)}"))
    elaborate(file)
    tracemalloc.start()
    graph = elaborate(file)
    held, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(graph) == 10_001
    assert held < most < 2000 * len(graph)


def test_the_shape_rule_counts_the_inputs_and_the_values() -> None:
    shape = Shape(3, (8, 8))
    assert infer(Add(), [shape, shape]) == infer(Relu(), [shape]) == infer(Input((8, 8, 3)), []) == shape
    for layer, number in ((Relu(), 0), (Relu(), 2), (Add(), 1), (Input(), 1)):
        with pytest.raises(LayerError, match=rf"{layer.kind()} reads .* but {number} (is|are) given"):
            infer(layer, [shape] * number)
    wide = Shape(10**18)
    with limits(digits=20):
        assert infer(Concat(), [wide, wide]) == Shape(2 * 10**18)
    with pytest.raises(LayerError, match=r"more than 10\^18 values"):
        infer(Concat(), [wide, wide])


def test_what_depends_on_what() -> None:
    graph = cnndsl.loads("INPUT 8x8x4 -> a: RELU -> (b: CONV3-4 -> c: CONV3-4 + d: CONV3-4) -> e: RELU").graph
    at = {node.path: node.index for node in graph}
    assert ancestors(graph.digraph, at["c"]) == {0, at["a"], at["b"], at["c"]}
    assert descendants(graph.digraph, at["d"]) == {at["d"], at["add"], at["e"]}
    assert parted(graph.digraph, [at["c"], at["d"]]) == at["a"]


def test_the_annotated_copy_has_what_stats_says() -> None:
    net = cnndsl.load("googlenet")
    graph, stats = net.networkx(), net.stats()
    assert graph.graph["totals"]["params"] == stats.totals.params == 13_004_888
    for row in stats.layers:
        found = graph.nodes[row.node.index]
        assert (found["path"], found["kind"], found["output"]) == (row.node.path, row.node.kind, [*row.node.shape.hwc])
        assert (found["params"], found["macs"]) == (row.cost.params, row.cost.macs)
    assert json.loads(json.dumps(nx.node_link_data(graph, edges="edges")))["nodes"][1]["kind"] == "CONV"
    graph.add_node(len(graph))
    assert len(graph) == len(net.graph) + 1
