"""Branches and their merges: order, absent ones, `or`, shapes that do not go together."""

from __future__ import annotations

import pytest

from tests.elaborate.making import codes, graph, output, paths, wrong


def merged(text: str) -> tuple[tuple[str, ...], str]:
    """The kinds of the layers that the last merge reads, in order, and its output."""
    made = graph(text)
    node = next(node for node in reversed(made.nodes) if len(node.inputs) > 1)
    return tuple(made.nodes[at].kind for at in node.inputs), str(node.shape)


@pytest.mark.parametrize(
    ("text", "kinds", "shape"),
    [
        ("(BN + RELU)", ("BN", "RELU"), "8x8x3"),
        ("(RELU + BN)", ("RELU", "BN"), "8x8x3"),
        ("(BN + ID)", ("BN", "INPUT"), "8x8x3"),
        ("(ID + BN + ID)", ("INPUT", "BN", "INPUT"), "8x8x3"),
        ("(CONV1-2 | CONV3-5 | ID)", ("CONV", "CONV", "INPUT"), "8x8x10"),
        ("MUL(ID, GAP)", ("INPUT", "GAP"), "8x8x3"),
        ("MUL(GAP, ID)", ("GAP", "INPUT"), "8x8x3"),
        ("MUL(ID, CONV3-1)", ("INPUT", "CONV"), "8x8x3"),
        ("MUL(ID, GAP -> FC-3)", ("INPUT", "FC"), "8x8x3"),
        ("MAX(BN, RELU, ID)", ("BN", "RELU", "INPUT"), "8x8x3"),
        ("MEAN(BN, RELU)", ("BN", "RELU"), "8x8x3"),
        ("(FC-4 + FC-4)", ("FC", "FC"), "4"),
        ("(FC-4 | FC-5)", ("FC", "FC"), "9"),
    ],
)
def test_merges(text: str, kinds: tuple[str, ...], shape: str) -> None:
    assert merged(f"INPUT 8x8x3 -> {text}") == (kinds, shape)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(BN if no + RELU + TANH)", "0 1 add"),
        ("(BN if no + RELU)", "0"),
        ("(BN?a + RELU?b + ID)", "0 1 add"),
        ("([BN]*0 + RELU)", "0 add"),
        ("(BN if no + RELU if no)", ""),
    ],
)
def test_absent_branches_are_left_out(text: str, expected: str) -> None:
    assert paths(f"INPUT 8x8x3 -> {text} -> FLATTEN")[:-1] == expected.split()


@pytest.mark.parametrize("text", ["MAX(BN)", "MUL(GAP -> SIGMOID)", "SUB(BN)", "(+ BN)", "(| BN)", "MUL(BN if yes)"])
def test_a_merge_has_two_branches(text: str) -> None:
    assert codes(f"INPUT 8x8x3 -> {text}") == ["E0230"]


def test_a_choice_that_is_off_is_an_absent_branch() -> None:
    assert paths("INPUT 8x8x3 -> (BN?a + RELU)", a=False) == ["0"]


# ID or X


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The identity fits: nothing is made of the projection.
        ("(CONV3-4 + ID or CONV1-4)", "0 add"),
        ("(CONV3-8 + ID or CONV1-8)", "0 1 add"),
        ("(CONV3-4/2 + ID or CONV1-4/2)", "0 1 add"),
        ("(ID or CONV1-8 + CONV3-8)", "0 1 add"),
        ("(CONV3-8 + ID or BN or CONV1-8)", "0 1 add"),
        ("(CONV3-8 + ID or [CONV1-8 -> BN])", "0 1 2 add"),
        ("(CONV3-8 + ID or x: CONV1-8)", "conv x add"),
        ("(CONV3-4 + ID or x: CONV1-4) -> x: RELU", "conv add x"),
        ("MAX(CONV3-8, ID or CONV1-8)", "0 1 max"),
        # Of a concatenation all but the channels must fit.
        ("(CONV3-8 | ID or CONV1-8)", "0 concat"),
        ("(CONV3-8/2 | ID or POOL2)", "0 1 concat"),
        # A gate fits what it opens.
        ("MUL(CONV3-8, GAP or GAP -> FC-8)", "0 1 mul"),
    ],
)
def test_the_first_choice_that_fits(text: str, expected: str) -> None:
    if " or GAP ->" in text:
        assert codes(f"INPUT 8x8x4 -> {text}") == ["E0313"]
    else:
        assert paths(f"INPUT 8x8x4 -> {text}") == expected.split()


def test_what_was_tried_leaves_nothing_behind() -> None:
    made = graph("block B(c) = x: CONV1-c -> tap t: FC-1\nINPUT 8x8x4 -> (ID or B(9) or b: B(8) + CONV3-8) -> b2: RELU")
    assert [node.path for node in made.nodes] == ["input", "b.x", "b.t", "conv", "add", "b2"]
    assert len(made.taps) == 1


@pytest.mark.parametrize(
    "text",
    [
        "ID or RELU",
        "[ID or RELU]",
        "BN -> ID or RELU",
        "(CONV3-4 + BN -> ID or RELU)",
        "a: [ID or RELU]",
        "[ID or RELU]*2",
    ],
)
def test_or_is_a_whole_branch(text: str) -> None:
    assert codes(f"INPUT 8x8x4 -> {text}") == ["E0313"]


# Shapes that do not go together


@pytest.mark.parametrize(
    "text",
    [
        "(CONV3-8 + CONV3-9)",
        "(CONV3-8/2 + ID)",
        "(CONV3-8 | POOL2)",
        "(CONV3-8 + FC-8)",
        "MUL(CONV3-8, CONV3-9)",
        "MUL(ID, POOL2)",
        "MAX(ID, CONV3-9)",
        "MEAN(ID, CONV3-9)",
        "(CONV3-8/2 + ID or CONV1-8)",
    ],
)
def test_every_branch_is_shown_with_its_shape(text: str) -> None:
    (diagnostic,) = wrong(f"INPUT 8x8x4 -> {text}")
    assert diagnostic.code == "E0312"
    labels = [diagnostic.label, *(other.text for other in diagnostic.others)]
    assert len(labels) == 2
    assert all(label.startswith("[") and label.endswith("]") for label in labels)


@pytest.mark.parametrize(
    ("text", "projection"),
    [
        ("(CONV3-8 + ID)", "ID or CONV1-8"),
        ("(CONV3-8/2 + ID)", "ID or CONV1-8/2"),
        ("(ID + CONV3-8/2)", "ID or CONV1-8/2"),
        ("(CONV3-8/2 -> BN -> CONV3-8 -> RELU + ID)", "ID or CONV1-8/2"),
        ("(CONV3-8/2 -> CONV3-8/2 + ID)", "ID or CONV1-8/4"),
        ("(CONV3-8 -> POOL2 + ID)", "ID or CONV1-8/2"),
        ("(a: CONV3-8/2 -> b: BN + ID or CONV1-8)", "ID or CONV1-8/2"),
        ("([CONV3-8/2] + ID)", "ID or CONV1-8/2"),
    ],
)
def test_a_skip_is_offered_the_projection_that_fits(text: str, projection: str) -> None:
    (diagnostic,) = wrong(f"INPUT 16x16x4 -> {text}")
    assert diagnostic.help == f"give the skip a projection: `{projection}`"
    start = text.index("ID or CONV1-8") if "or" in text else text.index("ID")
    skip = text[start:].split(")")[0].split(" +")[0]
    assert output(f"INPUT 16x16x4 -> {text.replace(skip, projection, 1)}")


def test_a_projection_is_written_with_the_names_of_the_file() -> None:
    text = "block B(c, s=1) = (CONV1-c -> CONV3-c/s -> CONV1-{4*c} + ID)\nINPUT 56x56x256 -> B(128, 2)"
    (diagnostic,) = wrong(text)
    assert diagnostic.help == "give the skip a projection: `ID or CONV1-{4*c}/s`"
    assert diagnostic.context == ("in B(128, 2), called at net.cnn:2:20",)
    assert output(text.replace("+ ID", "+ ID or CONV1-{4*c}/s")) == "28x28x512"


def test_the_picture_of_an_error() -> None:
    """The example by which the language was designed, but for the column, which is that of the skip."""
    from cnndsl.diagnostics import render

    text = """# ResNet-50. He et al. 2015.
net ResNet50(classes=1000)



block Bottleneck(c, s=1) = (
    conv1: CONV1-c -> bn1: BN -> RELU -> conv2: CONV3-c/s -> conv3: CONV1-{4*c}
  + ID
) -> RELU



INPUT 224x224x3
-> conv1: CONV7-64/2 -> bn1: BN -> RELU -> POOL3/2(pad=1)
-> widen: CONV1-256
-> RELU
-> layer2: [Bottleneck(128, 2) -> Bottleneck(128)*3]
"""
    assert render(wrong(text)).split("\n") == [
        "error[E0312]: the branches of `+` have different shapes",
        "  --> net.cnn:8:5, in Bottleneck(128, 2), called at net.cnn:17:13",
        "   |",
        " 7 |     conv1: CONV1-c -> bn1: BN -> RELU -> conv2: CONV3-c/s -> conv3: CONV1-{4*c}",
        "   |                                                              ------------------ [28x28x512]",
        " 8 |   + ID",
        "   |     ^^ [56x56x256]",
        "   = help: give the skip a projection: `ID or CONV1-{4*c}/s`",
    ]


@pytest.mark.parametrize(
    ("text", "kinds", "shape"),
    [
        # Of which no branch is left: what comes in goes on.
        ("(CONV3-4 if no + CONV1-4 if no) -> RELU", ["RELU"], "8x8x4"),
        ("(CONV3-8 if no | CONV1-4 if no) -> RELU", ["RELU"], "8x8x4"),
        ("MUL(CONV3-4 if no, CONV1-4 if no) -> RELU", ["RELU"], "8x8x4"),
        # Beside which no branch is left: the last choice.
        ("(CONV3-4 if no + ID or CONV1-8)", ["CONV"], "8x8x8"),
        ("(ID or CONV1-8 + CONV3-4 if no)", ["CONV"], "8x8x8"),
        # An absent branch is none that has to be fitted.
        ("(ID or CONV1-3 + CONV3-5 if no + CONV3-3)", ["CONV", "CONV", "ADD"], "8x8x3"),
        ("(ID or CONV1-3 + CONV3-5 if no + CONV3-4)", ["CONV", "ADD"], "8x8x4"),
    ],
)
def test_what_is_left_of_a_merge(text: str, kinds: list[str], shape: str) -> None:
    made = graph(f"INPUT 8x8x4 -> {text}")
    assert [node.kind for node in made.nodes[1:]] == kinds
    assert str(made.nodes[-1].shape) == shape
