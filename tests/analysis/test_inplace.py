"""What may be overwritten, by the rules of autograd: a value that no one else reads and no one keeps.

That each of these runs, and gives the same, is checked on live modules in tests/emit; here is what must be found.
"""

from __future__ import annotations

import pytest

from cnndsl.analysis.inplace import inplace
from cnndsl.network import loads


def found(text: str) -> list[str]:
    graph = loads(text).graph
    return [graph.nodes[at].path for at in sorted(inplace(graph))]


@pytest.mark.parametrize(
    ("chain", "paths"),
    [
        ("c: CONV3-4 -> RELU", ["relu"]),
        ("RELU -> c: CONV3-4", []),  # the input is the caller's
        ("c: CONV3-4 -> RELU -> RELU", ["relu1"]),  # ReLU's gradient needs its own output
        ("c: CONV3-4 -> SIGMOID -> RELU", []),  # so does the sigmoid's
        ("c: CONV3-4 -> (RELU | SIGMOID)", []),  # read twice
        ("c: CONV3-4 -> DROPOUT -> RELU", []),  # in use dropout gives its input itself
        ("c: CONV3-4 -> FLATTEN -> RELU", []),  # a view
        ("c: CONV3-4 -> RELU -> (ID + CONV1-4) -> RELU", ["relu1", "add", "relu2"]),
        (
            "c: CONV3-4 -> (RELU + RELU) -> RELU",
            ["relu3"],
        ),  # a sum keeps nothing, its operands are kept by their makers
        ("c: CONV3-4 -> MUL(BN, ID) -> RELU", ["relu"]),  # a product keeps its operands, not itself
        ("[RELU -> CONV3-4]*2", []),  # the first turn may not, and both are one line of code
        ("c: CONV3-4 -> tap t: RELU -> RELU", []),
    ],
)
def test_overwritten(chain: str, paths: list[str]) -> None:
    assert found(f"INPUT 8x8x3 -> {chain}") == paths
