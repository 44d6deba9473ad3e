"""Programs that were compiled wrongly once, by kind of fault; each is minimal.

`forward`: the emitted module computes what the graph says, on batches of one, two and three, in training and
evaluation, with gradients. `constructor`: the emitted class made with these arguments is the one that is compiled with
these settings, does not offer the argument, or refuses what the compiler refuses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pytest

from cnndsl import resources
from cnndsl.testing import constructor_differences, differences


@dataclass(frozen=True)
class Case:
    """A program with its settings, and what is checked."""

    text: str
    settings: dict[str, object] = field(default_factory=dict)
    checked: tuple[Literal["forward", "constructor"], ...] = ("forward",)


def small(name: str) -> str:
    """Takes a program of the zoo for a small image, without its contracts."""
    source = resources.architecture(name)
    assert source is not None
    lines = [line for line in source.text.splitlines() if not line.startswith("assert")]
    return "\n".join(lines).replace("INPUT 224x224x3", "INPUT 32x32x3")


CONSTRUCTOR: tuple[Literal["constructor"]] = ("constructor",)
BOTH: tuple[Literal["forward"], Literal["constructor"]] = ("forward", "constructor")

CASES: dict[str, tuple[Case, ...]] = {
    "an inner value of a group, tap, block or repeat is read outside": (
        Case("INPUT 8x8x4 -> b: [l: CONV3-4 -> CONV3-4] -> (ID + @b.l)"),
        Case("INPUT 8x8x4 -> tap t: [c: CONV1-4 -> CONV1-4] -> (ID + @t.c)"),
        Case("block B = a: CONV3-4 -> RELU\nINPUT 8x8x4 -> b: B -> (ID + @b.a)"),
        Case("INPUT 8x8x4 -> r: [CONV3-4 -> a{i}: RELU]*2 -> (ID + @r.a1)"),
        Case("INPUT 8x8x4 -> b: [l: CONV3-4 -> CONV3-4] -> MUL(ID, @b.l)"),
    ),
    "a module that reads only other values hands its own input on": (
        Case("INPUT 8x8x4 -> a: CONV3-4 -> RELU -> g: [tap t: [@a -> CONV1-3]]"),
        Case("INPUT 8x8x4 -> a: CONV3-4 -> CONV3-8 -> g: [tap t: [@a -> CONV1-3]] -> CONV1-2"),
        Case("INPUT 8x8x4 -> a: CONV3-4 -> CONV3-4 -> g: [tap t: [@a -> CONV1-3]] -> CONV1-2"),
    ),
    "a tap in training only, inside of a group or a block": (
        Case("INPUT 8x8x4 -> g: [tap t(train): CONV1-3 -> CONV3-4]"),
        Case("block B = CONV3-4 -> tap t(train): CONV1-3 -> RELU\nINPUT 8x8x4 -> B"),
    ),
    "a reference that no layer computes with": (
        Case("INPUT 8x8x4 -> a: CONV3-4 -> CONV3-4 -> tap b: ID -> m: (BN if no | @a)"),
    ),
    "references in another order than that of the nodes": (
        Case("INPUT 8x8x4 -> a: CONV3-4 -> b: RELU -> RELU -> g: [(@a | @b -> CONV1-4 | ID)]"),
        Case("block B(q, r) = (@q + @r -> CONV1-4 + ID)\nINPUT 8x8x4 -> a: CONV3-4 -> b: RELU -> RELU -> B(@a, @b)"),
        Case("INPUT 8x8x4 -> b: CONV3-4 -> c: RELU -> [m{i}: (ID + @b + @c -> RELU)]*3"),
    ),
    "a parameter of the net in the expression of an option": (
        Case("net N(p=0.1)\nINPUT 8x8x4 -> [CONV1-4 -> LEAKYRELU(p*i)]*3", {"p": 0.3}, CONSTRUCTOR),
        Case("net N(p=0.5)\nINPUT 8x8x4 -> [(ID + CONV1-4 -> DROPPATH(p*i/4))]*4", {"p": 0.2}, CONSTRUCTOR),
        Case("net N(p=0.1)\nINPUT 8x8x4 -> CONV3-4 -> LEAKYRELU(p/2) -> LEAKYRELU(p)", {"p": 0.3}, CONSTRUCTOR),
        Case("net N(n=10)\nINPUT 8x8x4 -> CONV1-n -> LN(affine=no)", {"n": 12}, CONSTRUCTOR),
        Case("net N(n=10)\nINPUT 8x8x4 -> FC-{n/2}", {"n": 21}, CONSTRUCTOR),
        Case("net N(n=100)\nINPUT 8x8x4 -> FC-{0.29*n}", {"n": 50}, CONSTRUCTOR),
    ),
    "a call with several results while another value waits": (
        Case("INPUT 8x8x4 -> (CONV1-4 + p: POOL2 -> UNPOOL2(@p))"),
        Case("INPUT 8x8x4 -> (CONV1-4 | RELU -> p: POOL2 -> UNPOOL2(@p))"),
        Case("INPUT 8x8x4 -> (CONV1-4 + g: [tap t: CONV1-3 -> RELU])"),
        Case("INPUT 8x8x4 -> tap s: CONV1-4 -> g: [tap t: CONV1-4]"),
    ),
    "a reference that equals what enters, in one call of a class": (
        Case("block B(q) = (CONV3-4 + @q)\nINPUT 8x8x4 -> a: CONV3-4 -> B(@a) -> B(@a)"),
        Case("block B = CONV3-4 -> (ID + @a)\nINPUT 8x8x4 -> a: CONV3-4 -> B -> B"),
    ),
    "a branch starts inside of a group and goes on with references alone": (
        Case("INPUT 8x8x4 -> a: CONV3-4 -> b: CONV1-4 -> (g: [c: CONV3-4 -> CONV3-4] + @g.c -> (@a + @b))"),
    ),
    "a parameter that is a fraction": (
        Case("net T(w=1/2)\nINPUT 8x8x3 -> CONV3-{64*w} -> FC-10"),
        Case(small("mobilenet_v1"), {"width": 0.5}, BOTH),
        Case("net T(d=1/3)\nINPUT 8x8x3 -> [CONV3-8]*{round(6*d)} -> FC-10"),
        Case(
            "net T(w=0.25)\nINPUT 8x8x3 -> CONV3-{ceil(64*w/8)*8} -> CONV3-{divisible(48*w)} -> FC-10",
            {"w": 0.75},
            BOTH,
        ),
    ),
}
"""By kind of fault."""

FORWARD = [case for cases in CASES.values() for case in cases if "forward" in case.checked]
CONSTRUCTED = [case for cases in CASES.values() for case in cases if "constructor" in case.checked]


def shown(case: Case) -> str:
    """Shows the program in one line; of a long one its net."""
    line = " ; ".join(case.text.splitlines())
    return line if len(line) < 120 else next(each for each in case.text.splitlines() if each.startswith("net"))


@pytest.mark.parametrize("case", FORWARD, ids=shown)
def test_the_emitted_module_computes_what_the_graph_says(case: Case) -> None:
    assert differences(case.text, case.settings) == []


@pytest.mark.parametrize("case", CONSTRUCTED, ids=shown)
def test_the_class_made_with_arguments_is_the_one_compiled_with_settings(case: Case) -> None:
    assert constructor_differences(case.text, case.settings) == []
