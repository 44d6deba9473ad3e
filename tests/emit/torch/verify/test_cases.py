"""Texts that were emitted once and are wrong: each must be told from the network that it should be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cnndsl.layers import HELPERS
from tests.emit.torch.verify.support import refused, told

WRONG = Path(__file__).parent / "wrong"

SETTINGS: dict[str, dict[str, object]] = {"width_rounded_up": {"w": 0.75}, "mobilenet_by_half": {"width": 0.5}}

FORWARD = (
    "group_inner tap_inner block_inner repeat_inner mul_inner group_of_a_tap training_tap_in_group "
    "training_tap_in_block reference_alone order_in_group order_in_block order_in_repeat pool_after_branch "
    "pool_after_branch_joined tap_in_branch tap_before_tap entering_reference entering_label width_by_half "
    "count_by_third width_rounded_up mobilenet_by_half".split()
)
"""Texts that are wrong as they stand."""

CONSTRUCTOR = "slope_by_turn rate_by_turn slope_halved width_normalised width_halved width_by_decimal".split()
"""Texts that are wrong for other arguments than the defaults."""


def read(name: str) -> tuple[str, str]:
    """The program of a case, and its text, with helper classes as they are now."""
    program = (WRONG / f"{name}.cnn").read_text(encoding="utf-8")
    text = (WRONG / f"{name}.py.txt").read_text(encoding="utf-8")
    return program, re.sub(
        r"class (\w+)\(.*?\n(?=\n\n\S)", lambda found: HELPERS.get(found[1], found[0]), text, flags=re.S
    )


def test_every_case_is_tested() -> None:
    assert sorted({*FORWARD, *CONSTRUCTOR}) == sorted(file.stem for file in WRONG.glob("*.cnn"))


@pytest.mark.parametrize("name", FORWARD)
def test_a_wrong_text_differs(name: str) -> None:
    program, text = read(name)
    found = told(program, text, **SETTINGS.get(name, {}))
    assert found
    assert not any("not understood" in each for each in found)


@pytest.mark.parametrize("name", CONSTRUCTOR)
def test_a_wrong_constructor_differs(name: str) -> None:
    program, text = read(name)
    assert told(program, text) == []
    found = refused(program, text)
    assert found
    assert not any("not understood" in each.message for each in found)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("group_inner", "line 20: a tensor is taken apart, which splits the batch"),
        ("order_in_group", "line 18: `self.g[0]` reads the output of a, expected the output of b for g.0"),
        ("reference_alone", "line 31: `M.forward` is called without `a`"),
        ("tap_before_tap", "line 18: `self.g.t` reads the output of s, expected the input for g.t"),
        ("training_tap_in_group", "g.t is computed in evaluation, expected not at all for g.t"),
        ("width_by_half", "line 16: `Conv2d` is given out_channels=32.0, which is not an integer"),
    ],
)
def test_the_message_says_what_is_wrong(name: str, message: str) -> None:
    program, text = read(name)
    assert told(program, text)[0] == message


def test_a_refusal_that_is_missing_is_told() -> None:
    program, text = read("width_halved")
    assert "the class accepts n=11, which the compiler refuses (E0208)" in refused(program, text)[-1].message
