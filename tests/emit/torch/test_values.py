"""What powers, choices, lists and the values of a block are in emitted code."""

from __future__ import annotations

import pytest

from cnndsl.network import loads
from cnndsl.testing import constructor_differences, differences

TCN = "net N(n=4, c=8)\nINPUT 64x8 -> for k in 0..n - 1 [CONV3-8(dilation=2**k) -> RELU] -> CONV1-c"
POWERS = """block U(k, p) = CONV3-8(dilation=2**k) -> DROPOUT(p**k) -> DROPOUT(2**-k)
INPUT 64x8 -> U(1, 0.5) -> U(2, 0.25)"""
CHOICE = """net N(wide=no)
block Se(r) = let m = C/4 if wide else C/r let two = 2*m MUL(ID, GAP -> FC-m -> RELU -> FC-two -> FC-C -> SIGMOID)
INPUT 8x8x16 -> Se(8) -> CONV3-32 -> Se(16)"""
STAGES = """net N(w=(4, 8, 8), d=(1, 3, 2))
block Unit(c, s) = (CONV3-c/s + ID or CONV1-c/s)
INPUT 8x8x4 -> for k in 1..len(w) [stage{k}: [Unit(w[k], 2 if i == 1 and k > 1 else 1)]*{d[k]}]"""
WALKED = "net N(w=(4, 8, 16))\nINPUT 8x8x3 -> for c in w [CONV3-c -> RELU]"
HIDDEN = """net N(c=4)
let m = 5
block B(c) = let m = c + 1 CONV1-m -> CONV1-c
block D(c) = let m = (c, 2)[1] CONV1-m
INPUT 8x8x3 -> B(2) -> B(3) -> D(4) -> CONV1-m -> CONV1-c"""

PROGRAMS = {"tcn": TCN, "powers": POWERS, "choice": CHOICE, "stages": STAGES, "walked": WALKED, "hidden": HIDDEN}


@pytest.mark.parametrize("name", PROGRAMS)
def test_they_run_as_their_graphs(name: str) -> None:
    assert differences(PROGRAMS[name], {}) == []


@pytest.mark.parametrize(
    ("name", "settings"),
    [("tcn", {"c": 5}), ("tcn", {"n": 2}), ("choice", {"wide": True}), ("walked", {"w": (2, 3)}), ("hidden", {"c": 7})],
)
def test_they_run_with_other_settings(name: str, settings: dict[str, object]) -> None:
    assert differences(PROGRAMS[name], settings) == []
    assert constructor_differences(PROGRAMS[name], settings) == []


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("tcn", ["for k in range(4):", "nn.Conv1d(8, 8, 3, padding=2**k, dilation=2**k)", "nn.Conv1d(8, c, 1)"]),
        ("powers", ["dilation=2**k", "nn.Dropout(1 / 2**k)"]),
        ("stages", ["for k, w, d in ((1, 4, 1), (2, 8, 3), (3, 8, 2)):", "*[Unit(w, w, 1) for _ in range(d - 1)]"]),
        ("walked", ["for c in (4, 8, 16):", "nn.Conv2d(channels, c, 3, padding=1)"]),
        ("hidden", ["nn.Conv2d(in_channels, c + 1, 1)", "nn.Conv2d(c + 1, c, 1)", "nn.Conv2d(4, 5, 1)"]),
    ],
)
def test_they_read_as_a_person_writes_them(name: str, lines: list[str]) -> None:
    source = loads(PROGRAMS[name]).source()
    for line in lines:
        assert line in source, source


def test_an_exponent_is_no_argument_of_the_class() -> None:
    """Python's `2 ** -1` is a float, where the compiler refuses: so the class has no argument `n`."""
    text = "net N(n=2, c=3)\nINPUT 8x8x3 -> CONV1-{2**n} -> CONV1-{c if c > 2 else 2} -> FC-10"
    assert "def __init__(self) -> None:" in loads(text).source()
