"""Every node of a network is shown exactly once, times how often it repeats: folded, opened and unfolded."""

from __future__ import annotations

import pytest

from cnndsl import load
from cnndsl.emit.drawing.cards.account import opened, shown
from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.drawing.cards.model import DrawingModel, NetCard
from cnndsl.graph import Graph
from tests.bundled import ZOO


def check(graph: Graph, drawing: DrawingModel) -> None:
    assert shown(drawing) == dict.fromkeys(range(len(graph)), 1)
    for panel, (drawn, wanted) in opened(drawing).items():
        assert drawn == wanted, panel


@pytest.mark.parametrize("name", ZOO)
def test_every_node_once(name: str) -> None:
    graph = load(name).graph
    for drawing in (model(graph), model(graph, levels=1), model(graph, levels=2), model(graph, unfold=True)):
        check(graph, drawing)


@pytest.mark.parametrize("name", ZOO)
def test_repeats_multiply(name: str) -> None:
    """The instances of a row have as many nodes each, so that ×n times the panel is what they are."""  # noqa: RUF002
    for step in model(load(name).graph).steps:
        if isinstance(step, NetCard):
            for line in step.lines:
                assert len(line.nodes) == line.times
                assert len({len(nodes) for nodes in line.nodes}) == 1
