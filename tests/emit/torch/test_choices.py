"""Blocks that choose other steps in other places: one class, a flag where modules cannot stand in for one another."""

from __future__ import annotations

import pytest

from cnndsl.emit.torch.source import source
from tests.emit.torch.checking import check, emitted
from tests.random.test_oracles import test_the_emitted_module_computes_what_the_graph_says as computes_what_it_says
from tests.random.test_programs import graph_of

CALLS = "INPUT 8x8x4 -> B(4) -> B(4, no) -> B(4) -> B(4, no)\n"
ONE_CLASS = {
    "a merge or a chain": "CONV3-c -> [(ID + CONV3-c)] if rich else [CONV1-c]",
    "a merge or nothing": "CONV3-c -> [(ID + CONV3-c)] if rich -> RELU",
    "a merge or another": "CONV3-c -> [(ID + CONV3-c)] if rich else [(ID | CONV1-c) -> CONV1-c]",
    "more ahead of the same": "e: CONV1-c -> [(ID + CONV3-c)] if rich else [BN -> RELU -> (ID + CONV3-c)] -> TANH",
    "one branch more of three": "a: CONV3-c -> b: CONV3-c -> (@a | @b | CONV1-c | ID if rich) -> CONV1-c",
    "a branch more that has layers": "(CONV3-c + CONV1-c + [CONV1-c -> BN] if rich) -> RELU",
    "a value more in the middle": "a: CONV3-c -> b: CONV3-c -> (@a | @b if rich | CONV1-4) -> CONV1-c",
    "the first value more": "a: CONV3-c -> b: CONV3-c -> (@a if rich | @b | CONV1-4) -> CONV1-c",
    "a mean of three or two": "a: CONV3-c -> MEAN(ID, b: CONV3-c, [d: CONV1-c -> TANH] if rich) -> e: CONV1-c",
    "the largest of three or two": "a: CONV3-c -> MAX(TANH, CONV3-c, @a if rich) -> CONV1-c",
    "two branches more": "a: CONV3-c -> b: TANH -> (@a | @b if rich | d: CONV1-4 | [e: CONV1-4] if rich) -> f: CONV1-c",
    "one branch or another": "a: CONV3-c -> b: CONV1-4 -> (TANH | @a if rich | @b if not rich | ID if rich)",
    "nothing is left but the value": "a: CONV3-c -> (ID + [b: CONV3-c] if rich) -> d: CONV1-c",
    "nothing is left but a chain": "a: CONV3-c -> (CONV3-c -> BN | @a if rich | ID if rich) -> CONV1-c",
    "merges in a repeat": "a: CONV3-c -> [(CONV3-c | CONV1-c | ID if rich and i > 1) -> CONV1-c]*2 -> RELU",
    "a merge that lacks a branch in one that does": "a: CONV3-c -> (ID | CONV1-c | (ID | TANH | @a if rich) if rich)",
    "a merge as a branch": "a: CONV3-c -> (CONV3-c + (CONV1-c | CONV1-c | @a if rich) -> CONV1-c) -> RELU",
    "an attribute that has the name of the flag": "residual: CONV3-c -> [(ID + CONV3-c)] if rich else [CONV1-c]",
}


SEVERAL = {
    "the same to begin with": "TANH -> [CONV3-c -> (ID + CONV3-c)] if rich else [CONV3-c -> MUL(ID, GAP -> CONV1-c)]",
    "a reference": "e: CONV3-c -> RELU -> [CONV3-c -> (ID + @e)] if rich else [(ID | @e) -> CONV1-c]",
    "layers more in the middle": "(CONV3-c | CONV1-c if rich | CONV1-4) -> CONV1-c",
}
LACKING = """
block B(c, n) = a: CONV3-c -> b: CONV1-c -> (@a | @b | CONV3-c | ID if n > 1 | @a if n > 2) -> CONV1-c
INPUT 8x8x4 -> B(4, 1) -> B(4, 2) -> B(4, 3) -> B(4, 2)
"""


@pytest.mark.parametrize("body", ONE_CLASS.values(), ids=ONE_CLASS)
def test_it_computes_what_the_graph_says(body: str) -> None:
    text = f"block B(c, rich=yes) = {body}\n{CALLS}"
    assert source(graph_of(text)).count("class B") == 1
    computes_what_it_says.hypothesis.inner_test(text)  # type: ignore[attr-defined]


@pytest.mark.parametrize("body", SEVERAL.values(), ids=SEVERAL)
def test_what_no_flag_can_say_has_two_classes(body: str) -> None:
    text = f"block B(c, rich=yes) = {body}\n{CALLS}"
    assert source(graph_of(text)).count("(nn.Module") == 2
    computes_what_it_says.hypothesis.inner_test(text)  # type: ignore[attr-defined]


def test_merges_that_lack_one_branch_or_two_are_classes_by_their_wiring() -> None:
    assert source(graph_of(LACKING)).count("class B") == 3
    computes_what_it_says.hypothesis.inner_test(LACKING)  # type: ignore[attr-defined]


def test_a_flag_is_called_after_the_value_that_is_merged() -> None:
    text = f"block B(c, rich=yes) = a: CONV3-c -> (CONV3-c | TANH | @a if rich) -> CONV1-C\n{CALLS}"
    written = source(graph_of(text))
    assert "self.with_a = rich" in written
    assert "nn.Conv2d(2 * c + (c if rich else 0), in_channels, 1)" in written


def test_a_stride_inside_another_class_says_when_a_projection_is_there() -> None:
    """As in RegNetX-400MF, whose first stage halves the map and keeps the channels."""
    text = """
    block ConvBN(k, c, s=1) = CONV{k}-c/s -> BN
    block Unit(c, s) = (ID or proj: ConvBN(1, c, s) + f: [ConvBN(3, c, s) -> RELU]) -> RELU
    INPUT 16x16x4 -> Unit(4, 2) -> Unit(4, 1) -> Unit(6, 1) -> Unit(8, 2)
    """
    source = emitted(text)
    assert "if s != 1 or in_channels != c:" in source
    assert "class Unit2(" not in source
    check(text)
