"""Numbers of parts, against comparing them recursively, and against what they compute."""

from __future__ import annotations

import re
from itertools import combinations

import pytest
from hypothesis import given, settings

import cnndsl
from cnndsl.graph import (
    CallPart,
    ChoicePart,
    Graph,
    IdentityPart,
    LayerPart,
    LoopPart,
    MergePart,
    NamedPart,
    Part,
    ReferencePart,
    SequencePart,
    TapPart,
    inner_parts,
    walk,
)
from cnndsl.graph.equality import PartClasses
from cnndsl.testing import programs


def plain(graph: Graph, part: Part, at: int) -> tuple[list[object], int]:
    """A part as nested lists, sequences opened: the slow way to say the same."""
    if isinstance(part, LayerPart):
        node = graph.nodes[part.node]
        return [(node.layer, tuple(part.node - each for each in node.inputs[1:]))], part.node + 1
    if isinstance(part, ReferencePart):
        return [("reference", at - part.node)], at
    several: list[list[object]] = []
    for each in inner_parts(part):
        found, at = plain(graph, each, at)
        several.append(found)
    if isinstance(part, MergePart):
        return [(graph.nodes[part.node].kind, several)], part.node + 1
    if isinstance(part, TapPart):
        return [("tap", part.training_only, several)], at
    assert isinstance(part, IdentityPart | SequencePart | LoopPart | NamedPart | CallPart | ChoicePart)
    return [each for found in several for each in found], at


def first_nodes(part: Part) -> dict[int, int]:
    """For each part where it begins, by identity."""
    begins: dict[int, int] = {}

    def visit(each: Part, at: int) -> int:
        begins[id(each)] = at
        if isinstance(each, LayerPart):
            return each.node + 1
        for inner in inner_parts(each):
            at = visit(inner, at)
        return each.node + 1 if isinstance(each, MergePart) else at

    visit(part, 0)
    return begins


@settings(max_examples=60, deadline=None)
@given(programs())
def test_numbers_agree_where_the_parts_do(text: str) -> None:
    graph = cnndsl.loads(text).graph
    classes, begins = PartClasses(graph), first_nodes(graph.tree)
    parts = [part for part in walk(graph.tree) if not isinstance(part, IdentityPart | ReferencePart)][:40]
    for one, other in combinations(parts, 2):
        same = plain(graph, one, begins[id(one)])[0] == plain(graph, other, begins[id(other)])[0]
        assert (classes.of(one).exact == classes.of(other).exact) == same
        assert not same or classes.of(one).abstract == classes.of(other).abstract


def unit(text: str) -> tuple[int, int]:
    """The numbers of the part that is labelled `u`, in the numbering of one network."""
    graph = cnndsl.loads(text).graph
    classes = PartClasses(graph, LIKE)
    part = next(each for each in walk(graph.tree) if isinstance(each, NamedPart) and each.name == "u")
    return classes.of(part).exact, classes.of(part).abstract


LIKE = PartClasses(cnndsl.loads("INPUT 1 -> FC-1").graph)
BASIC = "INPUT 8x8x16 -> u: [(CONV3-16 -> BN -> RELU -> CONV3-16 -> BN + ID) -> RELU]"


@pytest.mark.parametrize(
    ("other", "exact", "abstract"),
    [
        (BASIC, True, True),
        (BASIC.replace("8x8x16", "4x4x16"), True, True),
        (BASIC.replace("CONV3", "a: CONV3", 1), True, True),
        ("block B(c) = (CONV3-c -> BN -> RELU -> CONV3-c -> BN + ID) -> RELU\nINPUT 8x8x16 -> u: B(16)", True, True),
        (BASIC.replace("16", "32"), False, True),
        (
            BASIC.replace("CONV3-16", "CONV3-32/2", 1)
            .replace("-> CONV3-16", "-> CONV3-32")
            .replace("ID", "CONV1-32/2"),
            False,
            True,
        ),
        (
            BASIC.replace("CONV3-16", "CONV3-32/2", 1)
            .replace("-> CONV3-16", "-> CONV3-32")
            .replace("ID", "CONV1-32/2 -> BN"),
            False,
            True,
        ),
        (BASIC.replace("CONV3", "CONV5", 1), False, False),
        (BASIC.replace("BN", "GN2", 1), False, False),
        (BASIC.replace(" -> RELU]", "]"), False, False),
        (BASIC.replace("+", "|"), False, False),
    ],
)
def test_what_counts(other: str, exact: bool, abstract: bool) -> None:
    one, two = unit(BASIC), unit(other)
    assert (one[0] == two[0], one[1] == two[1]) == (exact, abstract)


def test_a_repeat_is_what_it_repeats_written_out() -> None:
    repeated = unit("INPUT 8x8x4 -> u: [[CONV3-4 -> RELU]*3]")
    written = unit("INPUT 8x8x4 -> u: [CONV3-4 -> RELU -> [CONV3-4 -> RELU] -> CONV3-4 -> RELU]")
    assert repeated == written


def test_a_reference_counts_by_its_distance() -> None:
    chain = "INPUT 8x8x4 -> a: RELU -> b: RELU -> u: [(CONV3-4 + @{}) -> RELU]"
    assert unit(chain.format("a")) != unit(chain.format("b"))
    assert unit(chain.format("b")) == unit(re.sub("a: RELU", "a: TANH", chain.format("b")))


@pytest.mark.parametrize(("name", "units"), [("resnet18", 1), ("resnet50", 1), ("vgg16", 0)])
def test_units_of_a_network_are_equal_but_for_widths(name: str, units: int) -> None:
    graph = cnndsl.load(name).graph
    classes = PartClasses(graph)
    blocks = [each for each in walk(graph.tree) if isinstance(each, CallPart)]
    assert len({classes.of(each).abstract for each in blocks}) == units
