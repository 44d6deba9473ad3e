"""Graphs of networkx against PyTorch modules called by hand, and what is wrong with others."""

from __future__ import annotations

from functools import reduce
from itertools import pairwise
from typing import Any

import networkx as nx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import cnndsl
from cnndsl.diagnostics import render
from cnndsl.errors import CnnError


def built(layers: dict[Any, str], edges: list[tuple[Any, ...]], kind: Any = nx.DiGraph) -> Any:
    graph = kind()
    graph.add_nodes_from((node, {"layer": layer}) for node, layer in layers.items())
    for before, after, *operand in edges:
        graph.add_edge(before, after, **({"operand": operand[0]} if operand else {}))
    return graph


LAYERS = {"CONV3-4": 1, "CONV1-4": 1, "RELU": 1, "BN": 1, "SIGMOID": 1, "+": 0, "MUL": 0, "MAX": 0, "MEAN": 0}


@st.composite
def graphs(draw: st.DrawFn) -> Any:
    """Random graphs on maps of four channels; every value is read."""
    count = draw(st.integers(2, 9))
    graph = built({"x": "INPUT 6x6x4"}, [])
    for at in range(count):
        before = ["x", *(f"n{each}" for each in range(at))]
        layer = draw(st.sampled_from([layer for layer in LAYERS if at or LAYERS[layer]]))
        operands = draw(st.lists(st.sampled_from(before), min_size=2, max_size=3, unique=True)) if at else ["x"]
        if LAYERS[layer]:
            operands = operands[:1]
        graph.add_node(f"n{at}", layer=layer)
        for place, each in enumerate(operands):
            graph.add_edge(each, f"n{at}", operand=place)
    ends = [node for node in graph if not graph.out_degree(node)]
    graph.add_node("end", layer="|" if len(ends) > 1 else "TANH")
    graph.add_edges_from((node, "end", {"operand": place}) for place, node in enumerate(ends))
    return graph


def by_hand(graph: Any, module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Runs the graph with the weights of a module, by the attributes of the nodes alone."""
    values: dict[Any, torch.Tensor] = {}
    for node in nx.topological_sort(graph):
        layer = graph.nodes[node]["layer"]
        several = [
            values[each] for _, each in sorted((data["operand"], at) for at, _, data in graph.in_edges(node, data=True))
        ]
        if layer.startswith("INPUT"):
            values[node] = x
        elif layer in ("RELU", "SIGMOID", "TANH"):
            values[node] = getattr(torch, layer.lower())(several[0])
        elif layer in ("CONV3-4", "CONV1-4", "BN"):
            values[node] = getattr(module, node)(several[0])
        elif layer == "|":
            values[node] = torch.cat(several, 1)
        else:
            # Ties share a gradient in pairs, as in torch.maximum.
            stacked, highest = torch.stack(several), reduce(torch.maximum, several)
            made = {"+": stacked.sum(0), "MUL": stacked.prod(0), "MAX": highest, "MEAN": stacked.mean(0)}
            values[node] = made[layer]
    return values["end"]


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_a_random_graph_computes_what_it_says(graph: Any) -> None:
    net = cnndsl.from_networkx(graph, name="Drawn")
    # In double precision, where sums in another order are the same for any purpose.
    module = net.module().double()
    x = torch.randn(2, 4, 6, 6, dtype=torch.float64)
    for mode in (True, False):
        module.train(mode)
        found: list[list[torch.Tensor]] = []
        for run in (module, lambda given: by_hand(graph, module, given)):
            module.zero_grad()
            y = run(x.clone())
            if y.requires_grad:
                y.square().sum().backward()
            found.append([y.detach(), *(torch.zeros(()) if w.grad is None else w.grad for w in module.parameters())])
        torch.testing.assert_close(*found)


def test_a_residual_unit_is_that_of_a_program() -> None:
    layers = {"x": "INPUT 8x8x4", "conv": "CONV3-4", "relu": "RELU", "sum": "+", "fc": "FC-10"}
    graph = built(layers, [("x", "conv"), ("conv", "relu"), ("relu", "sum"), ("x", "sum"), ("sum", "fc")])
    net = cnndsl.from_networkx(graph, name="Unit")
    program = cnndsl.loads("INPUT 8x8x4 -> (conv: CONV3-4 -> relu: RELU + ID) -> fc: FC-10")
    assert net.name == "Unit"
    assert net.stats().totals == program.stats().totals
    assert list(net.module().state_dict()) == list(program.module().state_dict())
    assert "digraph" in net.render()


@pytest.mark.parametrize("name", ["vgg16_bn", "segnet", "nin", "alexnet", "c3d"])
def test_a_bundled_network_node_by_node(name: str) -> None:
    """The same layers under other names have the same totals. (These set no defaults, which a layer's text lacks.)"""
    net = cnndsl.load(name)
    graph: Any = nx.MultiDiGraph()
    for node in net.graph:
        graph.add_node(node.path, layer=node.text)
        for operand, at in enumerate(node.inputs):
            graph.add_edge(net.graph.nodes[at].path, node.path, operand=operand)
    for tap in net.graph.taps:
        graph.nodes[net.graph.nodes[tap.node].path]["tap"] = tap.name
    for node in net.graph:
        if node.kind == "UNPOOL":
            pool = net.graph.nodes[node.inputs[1]].path.replace(".", "_")
            graph.nodes[node.path]["layer"] = f"{node.text.split('(')[0]}(@{pool})"
    flat = cnndsl.from_networkx(graph)
    assert (flat.stats().totals.params, flat.stats().totals.depth) == (
        net.stats().totals.params,
        net.stats().totals.depth,
    )
    assert len(flat.graph.taps) == len(net.graph.taps)
    assert "class " in flat.source()


def test_both_operands_may_be_the_same() -> None:
    graph = built({"x": "INPUT 2", "sum": "+"}, [])
    graph.add_edge("x", "sum", operands=(0, 1))
    several = built({"x": "INPUT 2", "sum": "+"}, [("x", "sum", 0), ("x", "sum", 1)], nx.MultiDiGraph)
    x = torch.randn(3, 2)
    for each in (graph, several):
        assert torch.equal(cnndsl.from_networkx(each).module()(x), x + x)


def test_nodes_of_any_name_become_labels() -> None:
    layers = {0: "INPUT 8", (1, 2): "FC-4", "a b": "FC-4", "a_b": "FC-4", "forward": "FC-4", "": "FC-2"}
    names = list(layers)
    net = cnndsl.from_networkx(built(layers, list(pairwise(names))))
    assert [node.path for node in net.graph] == ["node0", "_1__2_", "a_b", "a_b_2", "forward_", "node"]


def test_several_inputs() -> None:
    layers = {"a": "FC-3", "left": "INPUT 4", "right": "INPUT 5", "b": "FC-3", "sum": "+"}
    net = cnndsl.from_networkx(built(layers, [("left", "a"), ("right", "b"), ("a", "sum"), ("b", "sum")]))
    program = cnndsl.loads(
        "left = INPUT 4\nright = INPUT 5\na1 = @left -> a: FC-3\nb1 = @right -> b: FC-3\nc = (@a1 + @b1)"
    )
    made, expected = net.module(), program.module()
    expected.load_state_dict(made.state_dict())
    given = {"left": torch.randn(2, 4), "right": torch.randn(2, 5)}
    assert torch.equal(made(**given), expected(**given))
    assert sorted(program.networkx().edges) == [(0, 2), (1, 3), (2, 4), (3, 4)]


def test_further_outputs() -> None:
    layers = {"x": "INPUT 8", "a": "FC-4", "b": "FC-3", "c": "FC-2"}
    graph = built(layers, [("x", "a"), ("a", "b"), ("a", "c")])
    graph.nodes["c"]["tap"] = "aux"
    output, aux = cnndsl.from_networkx(graph).module()(torch.randn(5, 8))
    assert (output.shape, aux.shape) == ((5, 3), (5, 2))


OK = {"x": "INPUT 8x8x3", "a": "CONV3-4", "b": "CONV3-4", "s": "+"}
EDGES: list[tuple[Any, ...]] = [("x", "a"), ("x", "b"), ("a", "s"), ("b", "s")]


@pytest.mark.parametrize(
    ("layers", "edges", "code", "said"),
    [
        (OK | {"a": None}, EDGES, "E0504", "the node a has no layer"),
        (OK | {"a": 3}, EDGES, "E0504", "the layer of a is 3"),
        (OK | {"a": "CNOV3-4"}, EDGES, "E0231", "no layer type or block is called `CNOV3`"),
        (OK | {"a": "CONV3-4 -> RELU"}, EDGES, "E0504", "is not one layer"),
        (OK | {"a": "CONV3-4("}, EDGES, "E0108", "unclosed"),
        (OK | {"a": "+"}, EDGES, "E0504", "ADD reads 2 values or more, but 1 is given"),
        (OK | {"a": "ID"}, EDGES, "E0504", "ID does not"),
        (OK | {"a": "[RELU]"}, EDGES, "E0102", "expected a layer"),
        (OK | {"a": "CONV3-n"}, EDGES, "E0201", "no value is called `n`"),
        (OK | {"a": ""}, EDGES, "E0", ""),
        (OK | {"a": "CONV3-8"}, EDGES, "E0312", "different shapes"),
        (OK | {"a": "FC-4"}, EDGES, "E0312", "different shapes"),
        (OK | {"a": "POOL9"}, EDGES, "E0301", "the window of POOL spans 9"),
        (OK | {"x": "RELU"}, EDGES, "E0504", "no INPUT"),
        (OK | {"x": "INPUT 0x8x3"}, EDGES, "E0227", "must be at least 1, but this is 0"),
        (OK | {"x": "CONV3-3"}, EDGES, "E0504", "no INPUT"),
        (OK | {"y": "INPUT 8x8x3"}, EDGES, "E0504", "nothing reads y"),
        (OK | {"c": "RELU"}, [*EDGES, ("c", "s")], "E0504", "RELU reads 1 value, but 0 are given"),
        (OK, [*EDGES, ("b", "a")], "E0504", "CONV reads 1 value, but 2 are given"),
        (OK, [*EDGES, ("a", "x")], "E0504", "cycle"),
        (OK | {"c": "RELU"}, [*EDGES, ("a", "c")], "E0504", "nothing reads"),
        (OK, [("x", "a"), ("x", "b"), ("a", "s", 0), ("b", "s", 2)], "E0504", "the operands of s are 0, 2"),
        (OK, [("x", "a"), ("x", "b"), ("a", "s", 0), ("b", "s")], "E0504", "the operands of s are"),
        (OK | {"u": "UNPOOL2(@a)"}, [*EDGES, ("s", "u")], "E0306", "UNPOOL needs the switches of a POOL"),
        (OK | {"u": "UNPOOL2"}, [*EDGES, ("s", "u")], "E0", "switches"),
    ],
)
def test_what_is_wrong_is_said_with_the_nodes_name(layers: Any, edges: Any, code: str, said: str) -> None:
    graph = built({node: layer for node, layer in layers.items() if layer is not None}, edges)
    with pytest.raises(CnnError) as caught:
        cnndsl.from_networkx(graph)
    first = caught.value.diagnostics[0]
    assert first.code.startswith(code)
    assert said in first.message
    assert render(caught.value.diagnostics)


def test_a_graph_without_directions_is_none() -> None:
    with pytest.raises(CnnError, match="direction"):
        cnndsl.from_networkx(nx.path_graph(3))


def test_an_output_that_is_not_there() -> None:
    with pytest.raises(CnnError, match="no node is called 'z'"):
        cnndsl.from_networkx(built(OK, EDGES), output="z")
