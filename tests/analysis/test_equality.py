"""Numbers of parts, against comparing them recursively, and against what they compute."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from itertools import combinations

import pytest
from hypothesis import assume, given, settings

import cnndsl
from cnndsl.analysis.equality import PartClasses
from cnndsl.errors import CnnError
from cnndsl.graph import (
    CallPart,
    Graph,
    IdentityPart,
    LayerPart,
    MergePart,
    NamedPart,
    Part,
    ReferencePart,
    TapPart,
    entered,
    nodes_of,
    walk,
)
from cnndsl.testing import Crossing, crossings, programs


class Plain:
    """Parts as nested lists with sequences opened: the slow way to say the same. Every value is called by its relation
    to the part that is asked about, however deep it is read."""

    def __init__(self, graph: Graph, part: Part, entry: int, *, is_abstract: bool) -> None:
        self.graph, self.entry, self.is_abstract = graph, entry, is_abstract
        self.left_out = self.projections(part, entry) if is_abstract else set[int]()
        self.inside = list(nodes_of(part))
        self.others: list[int] = []
        self.said = self.say(part, entry)

    def value(self, node: int) -> object:
        if node == self.entry:
            return "entry"
        if node in self.inside:
            return sum(each not in self.left_out for each in self.inside[: self.inside.index(node)])
        if node not in self.others:
            self.others.append(node)
        return f"other {self.others.index(node)}"

    def layer(self, node: int) -> object:
        layer = self.graph.nodes[node].layer
        options = type(layer).options()
        shown = {each.name: getattr(layer, each.name) for each in fields(layer)}
        for name in [name for name in shown if name in options and options[name].type == "reference"]:
            del shown[name]
        if self.is_abstract:
            shown = {name: shown[name] for name in shown if name in options}
            shown.pop(layer.WIDTH, None)
            shown.pop(layer.STRIDE, None)
        return layer.kind(), shown

    def say(self, part: Part, entry: int) -> list[object]:
        if isinstance(part, LayerPart):
            read = self.graph.nodes[part.node].inputs
            is_again = self.graph.nodes[part.node].weights_of >= 0
            return [(self.layer(part.node), is_again, ["before" if at == entry else self.value(at) for at in read])]
        if isinstance(part, ReferencePart):
            return [] if part.node == entry else [self.value(part.node)]
        is_merge = isinstance(part, MergePart)
        inner = [[] if is_merge and self.is_left_out(each) else self.say(each, at) for each, at in entered(part, entry)]
        if isinstance(part, MergePart):
            return [(self.layer(part.node), inner)]
        if isinstance(part, TapPart):
            return [("tap", part.training_only, inner)]
        return [each for found in inner for each in found]

    def is_left_out(self, part: Part) -> bool:
        inside = list(nodes_of(part))
        return bool(inside) and self.left_out.issuperset(inside)

    def effect(self, part: Part, entry: int) -> set[str]:
        """What the layers of a branch are, in a word each."""
        found: set[str] = set()
        for each, at in every(part, entry):
            if isinstance(each, MergePart | TapPart) or (isinstance(each, ReferencePart) and each.node != at):
                found.add("other")
            if isinstance(each, LayerPart):
                node = self.graph.nodes[each.node]
                size = getattr(node.layer, node.layer.SIZE, ()) if node.layer.SIZE else (1,)
                is_projection = bool(node.layer.WIDTH) and str(size).strip("(,)").replace(", ", "") in (
                    "1",
                    "11",
                    "111",
                )
                word = "norm" if node.layer.ROLE == "normalisation" else "projection" if is_projection else "other"
                found.add(word if node.inputs == (at,) else "other")
        return found

    def projections(self, part: Part, entry: int) -> set[int]:
        found: set[int] = set()
        for each, at in every(part, entry):
            if isinstance(each, MergePart) and self.graph.nodes[each.node].kind == "ADD":
                effects = [self.effect(branch, at) for branch in each.branches]
                if any(effect == {"norm"} or "other" in effect for effect in effects):
                    for branch, effect in zip(each.branches, effects, strict=True):
                        found.update(nodes_of(branch) if "projection" in effect and "other" not in effect else ())
        return found


def every(part: Part, entry: int) -> Iterator[tuple[Part, int]]:
    """All parts of a part, each with the node that enters it."""
    yield part, entry
    for each, at in entered(part, entry):
        yield from every(each, at)


def is_asked(part: Part) -> bool:
    return not isinstance(part, IdentityPart | ReferencePart)


def check(text: str, **values: object) -> None:
    """Hold the numbers of the parts of a program against comparing them."""
    graph = cnndsl.loads(text, **values).graph
    classes = PartClasses(graph)
    parts = [(part, entry) for part, entry in every(graph.tree, -1) if is_asked(part)][:40]
    for (one, entry), (other, entry_of_other) in combinations(parts, 2):
        for is_abstract in (False, True):
            said = [
                Plain(graph, part, at, is_abstract=is_abstract).said
                for part, at in ((one, entry), (other, entry_of_other))
            ]
            mine, its = (
                found.abstract if is_abstract else found.exact for found in (classes.of(one), classes.of(other))
            )
            assert (mine == its) == (said[0] == said[1]), (text, one, other, is_abstract)
        if classes.of(one).exact == classes.of(other).exact:
            assert classes.of(one).abstract == classes.of(other).abstract
            assert_same_forward(graph, (one, entry), (other, entry_of_other))


def assert_same_forward(graph: Graph, *parts: tuple[Part, int]) -> None:
    """Equal parts make the same calls of PyTorch, wired alike, where what comes from outside has the same shapes."""
    (one, entry), (other, entry_of_other) = parts
    became = {entry: entry_of_other}
    for mine, its in zip(nodes_of(one), nodes_of(other), strict=True):
        node, twin = graph.nodes[mine], graph.nodes[its]
        for at, read in zip(node.inputs, twin.inputs, strict=True):
            assert became.setdefault(at, read) == read
        became[mine] = its
        if graph.shapes(node) == graph.shapes(twin):
            assert node.layer.torch(*graph.shapes(node)) == twin.layer.torch(*graph.shapes(twin))
    assert len(set(became.values())) == len(became)


@settings(max_examples=60, deadline=None)
@given(programs())
def test_numbers_agree_where_the_parts_do(text: str) -> None:
    check(text)


@settings(max_examples=60, deadline=None)
@given(crossings())
def test_numbers_agree_where_labels_and_references_cross(found: Crossing) -> None:
    try:
        check(found.text, **found.settings)
    except CnnError:
        assume(False)


@settings(max_examples=60, deadline=None)
@given(crossings())
def test_names_do_not_count(found: Crossing) -> None:
    """The same program under other labels: all labels and references get a letter in front."""
    try:
        graph = cnndsl.loads(found.text, **found.settings).graph
        renamed = cnndsl.loads(re.sub(r"(\b(?=\w+(?:\{\w+\})?:\s)|(?<=@))", "q", found.text), **found.settings).graph
    except CnnError:
        assume(False)
        return
    classes = PartClasses(graph, renamed)
    parts, others = list(walk(graph.tree)), list(walk(renamed.tree))
    assert [classes.of(part) for part in parts] == [classes.of(part) for part in others]


def equal(one: str, other: str) -> tuple[bool, bool]:
    """Whether the parts that are labelled `u` in two programs have equal numbers, exact and abstract."""
    graphs = [cnndsl.loads(text).graph for text in (one, other)]
    classes = PartClasses(*graphs)
    parts = [
        next(each for each in walk(graph.tree) if isinstance(each, NamedPart) and each.name == "u") for graph in graphs
    ]
    mine, its = map(classes.of, parts)
    return mine.exact == its.exact, mine.abstract == its.abstract


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
    assert equal(BASIC, other) == (exact, abstract)


@pytest.mark.parametrize(
    ("one", "other", "abstract"),
    [
        # A sum of nothing but skips is none of a residual unit.
        ("(CONV1-4 + ID)", "(ID + ID)", False),
        # In a concatenation, a 1x1 convolution is a branch like another.
        ("(CONV3-4 | CONV1-4)", "(CONV3-4 | ID)", False),
        # A branch that begins elsewhere is no skip.
        ("a: TANH -> (CONV3-4 -> RELU + @a -> CONV1-4)", "a: TANH -> (CONV3-4 -> RELU + ID)", True),
        ("a: TANH -> RELU -> (CONV3-4 -> RELU + @a -> CONV1-4)", "a: TANH -> RELU -> (CONV3-4 -> RELU + ID)", False),
        # With a function behind it, or more than normalisation, it is no projection.
        ("(CONV3-4 + CONV1-4 -> RELU)", "(CONV3-4 + ID)", False),
        ("(CONV3-4 + CONV1-4 -> BN -> BN -> CONV3-4)", "(CONV3-4 + ID)", False),
        ("(CONV3-4/2 + PADCHANNELS-4/2)", "(CONV3-8 + ID)", True),
    ],
)
def test_projections(one: str, other: str, abstract: bool) -> None:
    width = "8" if "CONV3-8" in other else "4"
    texts = f"INPUT 8x8x4 -> u: [{one}]", f"INPUT 8x8x{width} -> u: [{other}]"
    assert equal(*texts) == (False, abstract)


def test_a_repeat_is_what_it_repeats_written_out() -> None:
    repeated = "INPUT 8x8x4 -> u: [[CONV3-4 -> RELU]*3]"
    written = "INPUT 8x8x4 -> u: [CONV3-4 -> RELU -> [CONV3-4 -> RELU] -> CONV3-4 -> RELU]"
    assert equal(repeated, written) == (True, True)


def test_a_reference_counts_by_its_relation_to_the_part() -> None:
    chain = "INPUT 8x8x4 -> a: RELU -> b: RELU -> u: [(CONV3-4 + @{}) -> RELU]"
    assert equal(chain.format("a"), chain.format("b")) == (False, False)
    assert equal(chain.format("b"), chain.format("b").replace("a: RELU", "a: TANH")) == (True, True)
    # How far away it is does not matter, only that it is not what enters.
    assert equal(chain.format("a"), chain.format("a").replace("b: RELU", "TANH -> b: RELU")) == (True, True)
    # Within the part it matters which layer is read.
    inside = "INPUT 8x8x4 -> u: [a: RELU -> b: RELU -> RELU -> (CONV3-4 + @{}) -> RELU]"
    assert equal(inside.format("a"), inside.format("b")) == (False, False)
    # Two values from outside are not one, and in the other order they are others.
    pair = "INPUT 8x8x4 -> a: RELU -> b: RELU -> RELU -> u: [(@{} | ID | @{} | @{})]"
    assert equal(pair.format("a", "b", "a"), pair.format("b", "a", "b")) == (True, True)
    assert equal(pair.format("a", "b", "a"), pair.format("a", "b", "b")) == (False, False)
    assert equal(pair.format("a", "a", "a"), pair.format("a", "b", "a")) == (False, False)


def test_the_name_of_a_pool_does_not_count() -> None:
    text = "INPUT 8x8x4 -> u: [a: POOL2 -> CONV3-4 -> UNPOOL2(@a)]"
    assert equal(text, text.replace("a:", "z:").replace("@a", "@z")) == (True, True)


@pytest.mark.parametrize(("name", "units"), [("resnet18", 1), ("resnet50", 1), ("vgg16", 0)])
def test_units_of_a_network_are_equal_but_for_widths(name: str, units: int) -> None:
    graph = cnndsl.load(name).graph
    classes = PartClasses(graph)
    blocks = [each for each in walk(graph.tree) if isinstance(each, CallPart)]
    assert len({classes.of(each).abstract for each in blocks}) == units
