"""Drawings of generated programs: every node once, nothing overlaps, no edge crosses anything."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from cnndsl import loads
from cnndsl.emit.drawing.cards.every import every_layer
from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.drawing.layout.page import picture, whole
from cnndsl.errors import CnnError
from cnndsl.graph import Graph
from cnndsl.testing.crossings import crossing
from cnndsl.testing.programs import programs
from tests.emit.drawing.cards.test_account import check
from tests.emit.drawing.layout.geometry import faults
from tests.emit.drawing.layout.labels import wrong_figures


def drawn(graph: Graph, *, is_thorough: bool = False) -> None:
    folded = model(graph)
    check(graph, folded)
    assert list(wrong_figures(graph, folded)) == []
    for size in (None, "column", "page", "slide") if is_thorough else (None,):
        assert faults(picture(folded, size)) == []
    if is_thorough:
        unfolded = model(graph, unfold=True)
        check(graph, unfolded)
        assert faults(picture(unfolded)) == []
        assert faults(whole(every_layer(graph))) == []


def of_seed(seed: int) -> Graph | None:
    """The network of a seed, None where the compiler refuses the program."""
    found = crossing(seed)
    try:
        return loads(found.text, **found.settings).graph
    except CnnError:
        return None


@pytest.mark.parametrize("seed", range(24))
def test_crossings(seed: int) -> None:
    graph = of_seed(seed)
    if graph is not None:
        drawn(graph, is_thorough=True)


@pytest.mark.parametrize("seed", [204, 380])
def test_the_edge_to_the_next_line_of_a_slide_crosses_no_label(seed: int) -> None:
    """The last card of a line gives outputs, so that its label is wider than the card."""
    graph = of_seed(seed)
    assert graph is not None
    assert faults(picture(model(graph), "slide")) == []


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 1060, 53))
def test_a_thousand_crossings(first: int) -> None:
    """Twenty times 53 seeds, of which the compiler refuses a few: more than a thousand programs."""
    graphs = [graph for seed in range(first, first + 53) if (graph := of_seed(seed)) is not None]
    assert len(graphs) >= 50
    for graph in graphs:
        drawn(graph, is_thorough=True)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(programs())
def test_generated_programs(text: str) -> None:
    drawn(loads(text).graph)
