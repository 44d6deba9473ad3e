"""Blocks that choose other steps in other places: one class, a flag where modules cannot stand in for one another."""

from __future__ import annotations

import pytest

from cnndsl.emit.torch.source import source
from tests.random.test_oracles import test_the_emitted_module_computes_what_the_graph_says as computes_what_it_says
from tests.random.test_programs import graph_of

CALLS = "INPUT 8x8x4 -> B(4) -> B(4, no) -> B(4) -> B(4, no)\n"
ONE_CLASS = {
    "a merge or a chain": "CONV3-c -> [(ID + CONV3-c)] if rich else [CONV1-c]",
    "a merge or nothing": "CONV3-c -> [(ID + CONV3-c)] if rich -> RELU",
    "a merge or another": "CONV3-c -> [(ID + CONV3-c)] if rich else [(ID | CONV1-c) -> CONV1-c]",
    "the same to begin with": "TANH -> [CONV3-c -> (ID + CONV3-c)] if rich else [CONV3-c -> MUL(ID, GAP -> CONV1-c)]",
    "a reference": "e: CONV3-c -> RELU -> [CONV3-c -> (ID + @e)] if rich else [(ID | @e) -> CONV1-c]",
    "more ahead of the same": "e: CONV1-c -> [(ID + CONV3-c)] if rich else [BN -> RELU -> (ID + CONV3-c)] -> TANH",
    "an attribute that has the name of the flag": "residual: CONV3-c -> [(ID + CONV3-c)] if rich else [CONV1-c]",
}


@pytest.mark.parametrize("body", ONE_CLASS.values(), ids=ONE_CLASS)
def test_it_computes_what_the_graph_says(body: str) -> None:
    text = f"block B(c, rich=yes) = {body}\n{CALLS}"
    assert source(graph_of(text)).count("class B(") == 1
    computes_what_it_says.hypothesis.inner_test(text)  # type: ignore[attr-defined]
