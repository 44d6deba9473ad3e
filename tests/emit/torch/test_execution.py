"""How the emitted module runs, read from its text: expectations are CPython's rules, and what a live module does."""

from __future__ import annotations

import pytest

import cnndsl
from cnndsl.analysis.execution import Execution, Executions, Ran, Released
from cnndsl.emit.torch.execution import executions
from cnndsl.graph import Graph
from tests.bundled import ZOO


def graph_of(chain: str) -> Graph:
    return cnndsl.loads(f"INPUT 8x8x4 -> {chain}").graph


def of(graph: Graph) -> Executions:
    found = executions(graph)
    assert found is not None
    return found


def told(graph: Graph, execution: Execution) -> list[str]:
    """The layers that run by their names, and `-name` where a value is let go of."""
    names = {node.index: node.path.rpartition(".")[2] for node in graph.nodes}
    lines: list[str] = []
    for event in execution:
        if isinstance(event, Ran):
            lines.append(names[event.node])
        elif isinstance(event, Released):
            lines += [f"-{names[at]}" for at in event.nodes]
    return lines


def test_a_chain_lets_go_of_a_value_when_the_next_is_there() -> None:
    """`nn.Sequential` rebinds its variable once a module is done; the caller holds the result."""
    graph = graph_of("a: CONV3-4 -> b: CONV3-4 -> c: TANH")
    assert told(graph, of(graph).evaluation) == ["a", "b", "-a", "c", "-b"]


def test_what_only_training_needs_runs_as_soon_as_it_can() -> None:
    graph = graph_of("a: CONV3-4 -> tap s(train): [b: GAP -> c: FC-2] -> d: CONV3-4 -> f: FC-2")
    found = of(graph)
    assert [each for each in told(graph, found.training) if each[0] != "-"] == ["a", "b", "c", "d", "f"]
    assert [each for each in told(graph, found.evaluation) if each[0] != "-"] == ["a", "d", "f"]


@pytest.mark.parametrize("part", ["B", "[B]*2", "p: [CONV3-4 -> TANH -> CONV3-4]"])
def test_a_module_holds_what_came_in_until_it_is_done(part: str) -> None:
    """Whoever calls a module holds its arguments: torch.nn.Module._call_impl."""
    graph = cnndsl.loads(f"block B = CONV3-4 -> TANH -> CONV3-4\nINPUT 8x8x4 -> a: CONV3-4 -> {part} -> z: TANH").graph
    lines = told(graph, of(graph).evaluation)
    at = lines.index("-a")
    assert sum(each[0] != "-" and each not in ("a", "z") for each in lines[:at]) == 3


def test_a_sum_of_three_is_made_step_by_step() -> None:
    """`a + b` is there before `c` runs."""
    graph = graph_of("(a: TANH + b: SIGMOID + c: RELU) -> FC-2")
    ran = [event for event in of(graph).evaluation if isinstance(event, Ran)]
    names = [(graph.nodes[event.node].path.rpartition(".")[2], event.step, event.is_last) for event in ran[:5]]
    assert names == [
        ("a", 0, True),
        ("b", 0, True),
        ("add", 0, False),
        ("c", 0, True),
        ("add", 1, True),
    ]


def test_indices_of_a_pooling_are_let_go_of() -> None:
    graph = graph_of("p: POOL2 -> c: CONV1-4 -> u: UNPOOL2(@p) -> CONV1-4")
    p = graph.by_path["p"].index
    released = [at for event in of(graph).training if isinstance(event, Released) for at in event.nodes]
    assert released.count(-1 - p) == 1


@pytest.mark.parametrize("zoo_name", ZOO)
def test_every_zoo_network_is_followed(zoo_name: str) -> None:
    """Each layer with parameters or a gradient of its own runs once in all its operations, and no value is let go of
    twice."""
    graph = cnndsl.load(zoo_name).graph
    for training, execution in ((True, of(graph).training), (False, of(graph).evaluation)):
        wanted = {
            node.index
            for node in graph.layers
            if (training or not node.training_only)
            and not node.layer.VIEW
            and not node.layer.passes(training)
            and not node.layer.is_identity(*graph.shapes(node))
        }
        done = [event.node for event in execution if isinstance(event, Ran) and event.is_last]
        released = [at for event in execution if isinstance(event, Released) for at in event.nodes]
        assert len(done) == len(set(done))
        assert wanted <= set(done)
        assert len(released) == len(set(released))
