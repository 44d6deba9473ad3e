"""Which names are known where: values, shapes, defaults, labels, blocks."""

from __future__ import annotations

import pytest

from tests.elaborate.making import codes, graph, output, wrong

# Shapes


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        # Outside of blocks, the shape that enters the layer.
        ("INPUT 8x8x4 -> CONV3-{2*C} -> CONV3-{2*C}", "8x8x16"),
        ("INPUT 8x6x4 -> CONV3-H -> CONV3-{H + W + C}", "8x6x22"),
        ("INPUT 8x8x4 -> [CONV3-{2*C}]*C", "8x8x64"),
        ("INPUT 8x8x4 -> (CONV3-{2*C} | CONV3-{3*C})", "8x8x20"),
        ("INPUT 9x4 -> CONV3-W", "9x9"),
        ("INPUT 5x6x7x4 -> CONV3-{100*D + 10*H + W}", "5x6x7x567"),
        ("INPUT 12 -> FC-{C/2}", "6"),
        ("INPUT 8x8x4 -> for k in C..C+1 [CONV{k}-{2*C}]", "8x8x16"),
        # Inside, the shape that enters the call, wherever in the body.
        ("block A = CONV3-{2*C} -> CONV3-{2*C}\nINPUT 8x8x4 -> A -> A", "8x8x16"),
        ("block A = [CONV3-{2*C} -> POOL2]*2 -> CONV3-H\nINPUT 8x8x4 -> A", "2x2x8"),
        ("block A = B -> CONV3-C\nblock B = CONV3-{3*C}\nINPUT 8x8x4 -> A", "8x8x4"),
        # An argument is evaluated where the call stands.
        ("block A(c) = CONV3-1 -> CONV3-c\nINPUT 8x8x4 -> A(2*C)", "8x8x8"),
        ("block A(c=2*C) = CONV3-1 -> CONV3-c\nINPUT 8x8x4 -> A", "8x8x8"),
    ],
)
def test_the_shape_at_hand(text: str, shape: str) -> None:
    assert output(text) == shape


@pytest.mark.parametrize(
    "text",
    [
        "let a = C\nINPUT 8x8x4 -> CONV3-a",
        "default CONV3-{C}\nINPUT 8x8x4 -> CONV",
        "INPUT 8x8xC",
        "INPUT 9x4 -> CONV3-H",
        "INPUT 8x8x4 -> CONV3-D",
    ],
)
def test_where_there_is_no_shape(text: str) -> None:
    assert set(codes(text)) <= {"E0201", "E0102"}


# Values


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("let a = 2\nlet b = a*3\nINPUT 8x8x3 -> CONV3-b", "8x8x6"),
        ("INPUT 8x8x3 -> CONV3-b\nlet b = 6", "8x8x6"),
        ("net N(a=2)\nlet b = a*3\nINPUT 8x8x3 -> CONV3-b", "8x8x6"),
        ("net N(a=2, b=a*3)\nINPUT 8x8x3 -> CONV3-b", "8x8x6"),
        ("let a = 2\nblock A(a) = CONV3-a\nINPUT 8x8x3 -> A(5)", "8x8x5"),
        ("let a = 2\nblock A(b=a) = CONV3-{a + b}\nINPUT 8x8x3 -> A", "8x8x4"),
        ("block A(b, c=b + 1) = CONV3-c\nINPUT 8x8x3 -> A(4)", "8x8x5"),
        ("let a = 2\nINPUT 8x8x3 -> for a in 7, 9 [CONV3-a] -> CONV3-{C + a}", "8x8x11"),
        ("INPUT 8x8x3 -> [[CONV3-{i}]*2]*3", "8x8x2"),
        ("INPUT 8x8x3 -> [CONV3-{10*i} -> [CONV3-{C + i}]*2]*3", "8x8x33"),
    ],
)
def test_values(text: str, shape: str) -> None:
    assert output(text) == shape


@pytest.mark.parametrize(
    "text",
    [
        "block A = CONV3-i\nINPUT 8x8x3 -> [A]*2",
        "block A = CONV3-c\nINPUT 8x8x3 -> for c in 1, 2 [A]",
        "block A(c) = B\nblock B = CONV3-c\nINPUT 8x8x3 -> A(4)",
        "net N\nINPUT 8x8x3 -> [CONV3-3]*2 -> CONV3-i",
        "let a = b\nlet b = 1\nINPUT 8x8x3 -> CONV3-a",
        "let a = a\nINPUT 8x8x3 -> CONV3-3",
    ],
)
def test_values_that_are_not_seen(text: str) -> None:
    found = codes(text)
    assert set(found) <= {"E0201", "E0214"}


# Defaults


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("INPUT 8x8x3 -> CONV3-4", 3 * 9 * 4 + 4),
        ("default CONV(bias=no)\nINPUT 8x8x3 -> CONV3-4", 3 * 9 * 4),
        ("default CONV(bias=no)\nINPUT 8x8x3 -> CONV3-4(bias=yes)", 3 * 9 * 4 + 4),
        ("default CONV5-2\nINPUT 8x8x3 -> CONV -> CONV3", 3 * 25 * 2 + 2 + 2 * 9 * 2 + 2),
        ("default CONV5-2\ndefault CONV(bias=no)\nINPUT 8x8x3 -> CONV", 3 * 25 * 2),
        ("default CONV(bias=no)\ndefault CONV(bias=yes)\nINPUT 8x8x3 -> CONV3-4", 3 * 9 * 4 + 4),
        # It is of one kind.
        ("default CONV(bias=no)\nINPUT 8x8x3 -> DWCONV3", 3 * 9 + 3),
        # It holds for what stands behind it.
        ("INPUT 8x8x3 -> CONV3-4\ndefault CONV(bias=no)", 3 * 9 * 4 + 4),
        ("block A = CONV3-4\ndefault CONV(bias=no)\nINPUT 8x8x3 -> A -> CONV3-4", 3 * 9 * 4 + 4 + 4 * 9 * 4),
        ("default FC-7\nINPUT 8 -> FC", 8 * 7 + 7),
    ],
)
def test_defaults(text: str, params: int) -> None:
    made = graph(text)
    shapes = [node.layer.tensors(*made.shapes(node)) for node in made.layers]
    assert sum(tensor.numel for tensors in shapes for tensor in tensors) == params


# Labels and references


@pytest.mark.parametrize(
    "text",
    [
        "INPUT 8x8x3 -> a: BN -> RELU -> (ID + @a)",
        "a: INPUT 8x8x3 -> RELU -> (ID + @a)",
        "INPUT 8x8x3 -> a: BN -> b: [RELU -> (ID + @a)]",
        "INPUT 8x8x3 -> a: [BN -> b: RELU] -> (ID + @a.b) -> (ID + @a)",
        "INPUT 8x8x3 -> [a{i}: BN -> RELU -> (ID + @a{i})]*2 -> (ID + @a1 + @a{1 + 1})",
        "block A(x) = (ID + @x)\nINPUT 8x8x3 -> a: BN -> A(@a) -> A(x=@a)",
        "block A = (ID + @a)\nINPUT 8x8x3 -> a: BN -> A",
        "block A = x: BN -> y: RELU\nINPUT 8x8x3 -> a: A -> (ID + @a.x)",
        "INPUT 8x8x3 -> tap t: BN -> (ID + @t)",
    ],
)
def test_references(text: str) -> None:
    assert [node for node in graph(text).nodes if len(node.inputs) > 1]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("INPUT 8x8x3 -> (ID + @a) -> a: BN", ["E0232"]),
        ("INPUT 8x8x3 -> a: [b: BN] -> (ID + @b)", ["E0232"]),
        ("INPUT 8x8x3 -> a: BN -> (ID + @a.b)", ["E0232"]),
        ("block A = x: BN\nINPUT 8x8x3 -> A -> (ID + @x)", ["E0232"]),
        ("INPUT 8x8x3 -> a: BN -> RELU -> @a", ["E0233"]),
        ("a: INPUT 8x8x3 -> @a -> BN", ["E0233"]),
        ("INPUT 8x8x3 -> a: BN -> [@a -> RELU]*2", ["E0233"]),
        # `if` and `else` bind tighter than `->`: without brackets the second branch would be a chain of both layers.
        ("INPUT 8x8x3 -> a: BN -> (@a -> RELU if 1 == 1 else @a -> GELU | ID)", ["E0233"]),
        ("INPUT 8x8x3 -> a: BN -> RELU -> @a if 1 == 2 -> GELU", ["E0233"]),
        ("INPUT 8x8x3 -> a: BN -> RELU -> b: [@a -> BN]", ["E0233"]),
        ("block A(x) = @x -> BN\nINPUT 8x8x3 -> a: BN -> RELU -> A(@a)", ["E0233"]),
        ("INPUT 8x8x3 -> a: BN -> CONV3-{@a}", ["E0226"]),
    ],
)
def test_references_that_lead_nowhere(text: str, found: list[str]) -> None:
    assert codes(text) == found


def test_a_reference_that_comes_too_early_shows_what_it_means() -> None:
    (diagnostic,) = wrong("INPUT 8x8x3\n-> (ID + @late)\n-> late: BN")
    assert diagnostic.others[0].span.line == 3


# What always runs and what does not


@pytest.mark.parametrize(
    "text",
    [
        "INPUT 8x8x3 -> tap a(train): BN -> RELU -> (ID + @a)",
        "INPUT 8x8x3 -> tap a(train): [x: BN -> RELU] -> tap b: [@a.x -> RELU]",
    ],
)
def test_what_exists_in_training_only_is_used_in_training_only(text: str) -> None:
    assert codes(text) == ["E0234"]


def test_taps_for_training_may_use_each_other() -> None:
    made = graph("INPUT 8x8x3 -> tap a(train): BN -> tap b(train): [@a -> RELU] -> FC-1")
    assert [node.training_only for node in made.nodes] == [False, True, True, False]


def test_chains_that_an_if_chooses_from_are_in_brackets() -> None:
    text = "net N(t=yes)\nINPUT 8x8x3 -> a: BN -> ([@a -> CONV1-4] if t else [@a -> CONV1-5] | ID)"
    assert [output(text, t=each) for each in (True, False)] == ["8x8x7", "8x8x8"]
