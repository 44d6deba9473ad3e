"""Parameters, domains, choices: what a file leaves open, and what may be set."""

from __future__ import annotations

from fractions import Fraction

import pytest

from cnndsl.elaborate.parameters import parameters
from cnndsl.errors import Source
from cnndsl.syntax.parse import parse
from tests.elaborate.making import codes, graph, output, wrong

RECIPE = "INPUT 64x64x3 -> [[CONV -> RELU]*N -> POOL?]*M -> [FC -> RELU]*K -> FC"


def known(text: str) -> list[str]:
    return [each.name for each in parameters(parse(Source("net.cnn", text)))]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (RECIPE, "N M K pool"),
        (f"net R(N, M=1, K in 0..2)\n{RECIPE}", "N M K pool"),
        ("INPUT 3 -> FC-10", ""),
        ("net N(a, b)\nINPUT 3 -> FC-a", "a b"),
        # What is defined is not free: lets, blocks and their parameters, variables of a `for`, i, C, kinds, words.
        ("let a = 1\nblock B(b) = FC-b\nINPUT 3 -> B(a) -> for c in 1, 2 [FC-c] -> [FC-{i + C}]*2", ""),
        ("block B(x) = x\nINPUT 8x8x3 -> B(RELU) -> CONV3-4(pad=same)", ""),
        ("INPUT {h}x{w}x3 -> CONV{k}-{4*c}/s -> DROPOUT(p) -> RELU if t", "h w k c s p t"),
        ("INPUT 3 -> FC-a -> FC-a", "a"),
        # Words of options are not free, misspelt or not; those of asserts are not the network's.
        ("INPUT 8x8x3 -> CONV3-4(pad=sam, bias=true)\nassert params < budget", ""),
        ("INPUT 3 -> RELU? -> TANH?", "relu tanh"),
        ("INPUT 3 -> RELU? -> RELU?", "relu1 relu2"),
        ("INPUT 3 -> RELU?a -> TANH?a -> BN?b", "a b"),
        ("INPUT 3 -> x: RELU? -> [RELU]? -> [TANH]? -> FC-4?", "x choice1 choice2 fc"),
        ("block B = RELU\nINPUT 3 -> B? -> [B*2]?", "b choice"),
        # An `x` at the end of a name is part of a size only after a number.
        ("block Box = RELU\nINPUT 3 -> Box?", "box"),
        ("block Box = RELU\nINPUT 3 -> Box? -> Box?", "box1 box2"),
        ("block Box(k) = CONV{k}-3\nINPUT 8x8x3 -> Box3?", "box"),
        ("net N(relu=yes)\nINPUT 3 -> RELU?", "relu"),
    ],
)
def test_the_parameters_of_a_file(text: str, names: str) -> None:
    assert known(text) == names.split()


def test_defaults_and_domains() -> None:
    found = parameters(
        parse(Source("", "net N(a, b=1/2, c in 1..3, d in {3, 5} = 5, e=RELU, f=2*b)\nINPUT 3 -> RELU?"))
    )
    assert [each.default if not hasattr(each.default, "name") else each.default.name for each in found] == [
        None,
        Fraction(1, 2),
        None,
        5,
        "RELU",
        1,
        True,
    ]
    assert [tuple(each.domain) if each.domain is not None else None for each in found] == [
        None,
        None,
        (1, 2, 3),
        (3, 5),
        None,
        None,
        (True, False),
    ]


@pytest.mark.parametrize(
    ("settings", "shape"),
    [
        ({"N": 1, "M": 2, "K": 0}, "1000"),
        ({"N": 2, "M": 0, "K": 1}, "1000"),
        ({"N": 1, "M": 1, "K": 1, "pool": False}, "1000"),
    ],
)
def test_members(settings: dict[str, int], shape: str) -> None:
    assert output(RECIPE, **settings) == shape


def test_a_family_names_what_is_free_and_shows_the_command() -> None:
    (diagnostic,) = wrong(RECIPE)
    assert diagnostic.code == "E0214"
    assert diagnostic.message == "the parameters `N`, `M` and `K` have no value"
    assert diagnostic.help == "set them on the command line: `--set N=2 --set M=2 --set K=2`"
    assert len(diagnostic.others) == 2


def test_a_family_is_told_beside_other_errors() -> None:
    assert codes("INPUT 8x8x3 -> [CONV3-4]*N -> CONV3-{M}(x=1) -> [FOO]*K") == ["E0214", "E0221", "E0231"]


@pytest.mark.parametrize(
    ("text", "settings", "found"),
    [
        ("net N(a=1)\nINPUT 3 -> FC-a", {"b": 2}, ["E0211"]),
        ("INPUT 3 -> FC-1", {"b": 2}, ["E0211"]),
        ("net N(a in 1..3 = 2)\nINPUT 3 -> FC-a", {"a": 4}, ["E0212"]),
        ("net N(a in {RELU, TANH})\nINPUT 3 -> a", {"a": "SIGMOID"}, ["E0212"]),
        ("net N(a in 1..3 = 4)\nINPUT 3 -> FC-a", {}, ["E0212"]),
        ("net N(a in 3..1)\nINPUT 3 -> FC-a", {}, ["E0213"]),
        ("net N(a in 1..1.5)\nINPUT 3 -> FC-a", {}, ["E0213"]),
        ("net N(a in 1..1_000_000 = 1)\nINPUT 3 -> FC-a", {}, ["E0213"]),
        ("net N(a=1/0)\nINPUT 3 -> FC-a", {}, ["E0202"]),
        ("net N(a=1)\nINPUT 3 -> FC-a", {"a": "RELU"}, ["E0226"]),
        ("net N(a=1)\nINPUT 3 -> FC-a", {"a": 0.5}, ["E0208"]),
        ("net N(a=1)\nINPUT 3 -> RELU?a", {}, ["E0205"]),
        ("INPUT 3 -> RELU?", {"relu": 1}, ["E0212"]),
        ("net N(a)\nINPUT 3 -> FC-a", {}, ["E0214"]),
        ("net N(a, b)\nINPUT 3 -> FC-a", {"c": 1, "a": 1}, ["E0211", "E0214"]),
    ],
)
def test_what_can_be_wrong_with_parameters(text: str, settings: dict[str, int], found: list[str]) -> None:
    assert codes(text, **settings) == found


@pytest.mark.parametrize(
    ("text", "settings", "shape"),
    [
        ("net N(a in {3, 2.5} = 3)\nINPUT 3 -> FC-{2*a}", {"a": 2.5}, "5"),
        ("net N(a in {RELU, TANH})\nINPUT 3 -> a", {"a": "TANH"}, "3"),
        ("net N(a in {4x4x2, 8x8x3} = 8x8x3)\nINPUT 8x8x3 -> RELU if a == 8x8x3", {}, "8x8x3"),
        ("net N(n in 0..3 = 0)\nINPUT 3 -> [FC-9]*n", {}, "3"),
        ("net N(n in 0..3 = 0)\nINPUT 3 -> [FC-9]*n", {"n": 1}, "9"),
        ("INPUT 3 -> FC-9?big", {"big": False}, "3"),
        ("block Box = FC-9\nINPUT 3 -> Box?", {"box": False}, "3"),
    ],
)
def test_settings(text: str, settings: dict[str, int], shape: str) -> None:
    assert output(text, **settings) == shape


def test_settings_are_remembered() -> None:
    made = graph("net N(a=1, b=yes)\nlet c = 2*a\nINPUT 3 -> FC-c -> RELU?b", a=5)
    assert made.settings == {"a": 5, "b": True}
    assert set(made.lets) == {"c"}
