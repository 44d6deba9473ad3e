"""Programs that nobody wrote: what the compiler says of them, held against what live modules do.

The number of examples is set by CNNDSL_EXAMPLES: 300 in the ordinary suite, more for `make fuzz`.
"""

from __future__ import annotations

import os
import warnings

import torch
from hypothesis import HealthCheck, given, settings
from torch.utils.flop_counter import FlopCounterMode

from cnndsl.analysis.assertions import check
from cnndsl.analysis.cost import costs
from cnndsl.analysis.execution import unknown
from cnndsl.elaborate import elaborate
from cnndsl.errors import CnnError, Diagnostic, Source
from cnndsl.graph import Graph
from cnndsl.syntax.parse import parse
from cnndsl.testing import Mistake, Reference, mistakes, programs

EXAMPLES = int(os.environ.get("CNNDSL_EXAMPLES", "300"))
examples = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)


def graph_of(text: str) -> Graph:
    return elaborate(parse(Source("drawn.cnn", text)))


def batch(graph: Graph, images: int = 2) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(images, graph.input.channels, *graph.input.spatial)


@examples
@given(programs())
def test_shapes_parameters_and_multiply_adds_are_those_of_live_modules(text: str) -> None:
    graph = graph_of(text)
    reference = Reference(graph)
    reference.train(False)
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter, warnings.catch_warnings():
        # PyTorch says that an even kernel with padding="same" costs a copy.
        warnings.filterwarnings("ignore", "Using padding='same'")
        values = reference.values(batch(graph, images=1))
    facts = costs(graph)
    for node in graph.layers:
        assert tuple(values[node.index].shape[1:]) == (node.shape.channels, *node.shape.spatial), node
        module = reference.modules.get(node.index)
        parameters = sum(each.numel() for each in module.parameters()) if module else 0
        buffers = sum(each.numel() for each in module.buffers()) if module else 0
        assert facts[node.index].params == parameters, node
        assert facts[node.index].buffers == buffers, node
    assert 2 * sum(fact.macs for fact in facts.values()) == counter.get_total_flops()


def said(mistake: Mistake) -> tuple[Diagnostic, ...]:
    """Everything that is wrong with a program."""
    try:
        return tuple(check(graph_of(mistake.text), unknown))
    except CnnError as stop:
        return stop.diagnostics


@examples
@given(mistakes())
def test_a_near_miss_is_told_at_its_place_and_nothing_else_is(mistake: Mistake) -> None:
    found = [(each.code, each.span.start if each.span else None) for each in said(mistake)]
    assert found == [(mistake.code, mistake.offset)]
