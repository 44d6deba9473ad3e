"""The arithmetic that `stats --format derivation` writes gives the figures."""

from __future__ import annotations

import pytest

import cnndsl

LAYERS = [
    "INPUT 12x5 -> LSTM-7",
    "INPUT 1x12x5 -> LSTM-7(layers=3, bidirectional=yes)",
    "INPUT 6x8x6 -> NONLOCAL",
    "INPUT 7x9x6 -> NONLOCAL(4, subsample=yes)",
    "INPUT 9x9x6 -> SNCONV3-8/2(groups=2, bias=no)",
]


@pytest.mark.parametrize("text", LAYERS)
def test_formulas_give_the_figures(text: str) -> None:
    graph = cnndsl.loads(text).graph
    layer, x = graph.nodes[1].layer, graph.input
    weights = sum(each.numel for each in layer.tensors(x) if each.role == "weight")
    assert _value(layer.formula(x)) == weights
    assert _value(layer.weights_formula(x)) == weights
    assert _value(layer.macs_formula(x)) == layer.macs(x)
    if layer.channels_formula(x):
        assert _value(layer.channels_formula(x)) == graph.nodes[1].shape.channels


def _value(formula: str) -> float:
    return float(eval(formula, {"__builtins__": {}}))
