"""What drawn and broken programs have found, each once more by itself. New finds go here, then they are mended."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cnndsl.errors import CnnError
from tests.random import test_oracles, test_programs
from tests.random.test_programs import graph_of

RIGHT = {
    "a slice of one channel lies in memory as no copy of it does": "INPUT 5x5x2 -> SLICE(start=1, stop=2) -> FC-2",
    "a number without a point is no integer tensor": "INPUT 4x4x2 -> SCALE(init=2) -> CONV1-2",
    "nor is one that an argument holds": "block B(s) = SCALE(init=s) -> STARRELU(bias=s)\nINPUT 4x4x2 -> B(3) -> B(2)",
    "a dropout of nothing hands its input on, and what follows may write over it": (
        "INPUT 4x4x2 -> a: CONV1-2 -> DROPOUT(0) -> RELU -> (ID + @a)"
    ),
    "the first turn reads what the last does not": "INPUT 4x4x2 -> a: CONV1-2 -> [RELU -> CONV1-2]*3 -> (ID + @a)",
    "a block called like a keyword": "block class() = CONV1-2 -> RELU\nINPUT 4x4x2 -> class() -> class()",
    "taps for training in the order of the file": (
        "INPUT 4x4x2 -> a: CONV1-2 -> tap one(train): [CONV1-3] -> b: CONV1-2 -> tap two(train): [FC-2] -> GAP -> FC-3"
    ),
    "an output that depends on no weight": "INPUT 4x4x2 -> tap side: POOL2 -> CONV1-2 -> FC-2",
    "a sixth activation, and the one that is called so": "INPUT 4x4x2 -> [CONV1-2 -> RELU]*7 -> RELU6",
    "a set of switches for an odd map": "INPUT 5x7x2 -> pool: POOL2 -> UNPOOL2(@pool)",
}
KEPT = {
    "a dropout of everything keeps one zero": "INPUT 12x1\n-> DROPOUT(p=1, channels=yes)",
    "statistics of an image and the copy of what they are written over": "INPUT 5x5x1\n-> GN1 -> CELU -> CONV1-2",
}
WRONG = {
    "CELU divides by it": ("INPUT 4x4x2 -> CELU(alpha=", "0)", "E0227"),
    "a label that Python cannot bear": ("INPUT 4x4x2 -> ", "in: CONV3-4", "E0106"),
    "an unpooling without its pooling": ("INPUT 4x4x2 -> ", "UNPOOL2", "E0225"),
    "an option where there is none": ("INPUT 4x4x2 -> ID(", "size=3)", "E0221"),
    "a range that runs down is not empty in silence": ("INPUT 4x4x2 -> for i in ", "5..1 [CONV3-i]", "E0213"),
    "half a version": ("", "cnn 1.5\nINPUT 4x4x2 -> FC-2", "E0105"),
    "names before the network": ("let a = b\n", "net N(b=2)\nINPUT 4x4x2 -> FC-a", "E0217"),
}
ORACLES: list[Callable[[str], None]] = [
    test_programs.test_shapes_parameters_and_multiply_adds_are_those_of_live_modules,
    test_oracles.test_the_emitted_module_computes_what_the_graph_says,
    test_oracles.test_formatting_keeps_the_meaning,
]


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
@pytest.mark.parametrize("oracle", ORACLES, ids=lambda each: each.__name__.removeprefix("test_"))
def test_right(text: str, oracle: Callable[[str], None]) -> None:
    oracle.hypothesis.inner_test(text)  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_bytes_kept(text: str) -> None:
    test_oracles.check_bytes_kept(test_oracles.behind_a_convolution(text))


@pytest.mark.parametrize(("before", "rest", "code"), WRONG.values(), ids=WRONG)
def test_wrong(before: str, rest: str, code: str) -> None:
    """The code, at its place, and nothing else."""
    with pytest.raises(CnnError) as stop:
        graph_of(before + rest)
    found = [(each.code, each.span and each.span.start) for each in stop.value.diagnostics]
    assert found == [(code, len(before))]
