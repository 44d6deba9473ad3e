"""Drawings, read back by Graphviz itself: which boxes, which edges, which frames."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from cnndsl import loads
from cnndsl.emit.drawing.dot import dot
from cnndsl.emit.drawing.draw import draw, format_of
from cnndsl.files import FileError
from cnndsl.network import compiled

pytest.importorskip("pygraphviz")

SVG = "{http://www.w3.org/2000/svg}"


def drawn(text: str, what: str, fold: bool = False) -> list[tuple[str, list[str]]]:
    """The nodes, edges or frames of a picture, each with its title and the texts in it."""
    picture = ElementTree.fromstring(draw(dot(loads(text).graph, fold_repeats=fold), "a.svg"))
    groups = [group for group in picture.iter(f"{SVG}g") if group.get("class") == what]
    return [
        (group.findtext(f"{SVG}title") or "", [each.text or "" for each in group.iter(f"{SVG}text")])
        for group in groups
    ]


def edges(text: str, fold: bool = False) -> list[tuple[str, ...]]:
    return sorted(tuple(title.split("->")) for title, _ in drawn(text, "edge", fold))


def boxes(text: str, fold: bool = False) -> dict[str, str]:
    """What stands in each box."""
    return {title: " ".join(" ".join(texts).split()) for title, texts in drawn(text, "node", fold)}


def test_a_chain() -> None:
    text = "INPUT 8x8x3 -> CONV3-4 -> BN -> RELU -> POOL2 -> FC-10"
    assert list(boxes(text).values()) == ["INPUT 8x8x3", "CONV3-4 BN RELU", "POOL2", "FC-10"]
    assert edges(text) == [("n0", "n1"), ("n1", "n4"), ("n4", "n5")]


def test_volumes_stand_where_they_change() -> None:
    text = "INPUT 8x8x4 -> CONV3-4 -> CONV3-8 -> CONV3-8 -> POOL2 -> CONV3-8"
    assert [(title, " ".join(texts).strip()) for title, texts in drawn(text, "edge")] == [
        ("n0->n1", ""),
        ("n1->n2", ""),
        ("n2->n3", "8x8x8"),
        ("n3->n4", ""),
        ("n4->n5", "4x4x8"),
    ]


def test_branches_and_a_sum_of_twice_the_same() -> None:
    assert edges("INPUT 8x8x4 -> (CONV3-4 + ID)") == [("n0", "n1"), ("n0", "n2"), ("n1", "n2")]
    assert edges("INPUT 8x8x4 -> CONV3-4 -> (ID + ID)") == [("n0", "n1"), ("n1", "n2"), ("n1", "n2")]


def test_nothing_is_stacked_upon_what_others_read() -> None:
    text = "INPUT 8x8x4 -> CONV3-4 -> (RELU + ID)"
    assert list(boxes(text).values()) == ["INPUT 8x8x4", "CONV3-4", "RELU", "+"]


def test_modules_are_frames() -> None:
    text = """
    block Pair(c) = CONV3-c -> RELU
    INPUT 8x8x4 -> stem: [CONV3-4 -> POOL2] -> a: Pair(8) -> FC-2
    """
    assert [texts for _, texts in drawn(text, "cluster")] == [["stem"], ["a: Pair(8)"]]


REPEATED = """
block Residual(c) = (CONV3-c -> RELU + ID)
INPUT 8x8x4 -> stage: [Residual(4)*5] -> FC-2
"""


def test_outputs_that_have_names_are_marked() -> None:
    """`mid` too, which has no layers of its own and so no frame."""
    chains = "a = @c -> CONV3-2\nb = @c -> CONV3-5 -> TANH\noutput b, a, c"
    text = f"INPUT 8x8x3 -> CONV3-4 -> tap mid: ID -> c: CONV3-8\n{chains}"
    assert {title: said for title, said in boxes(text).items() if title.startswith("o")} == dict(
        zip(("o0", "o1", "o2", "o3"), ("b", "a", "c", "mid"), strict=True)
    )
    assert edges(text) == sorted(
        [("n0", "n1"), ("n1", "n2"), ("n2", "n3"), ("n2", "n4"), ("n1", "o3"), ("n2", "o2"), ("n3", "o1"), ("n4", "o0")]
    )
    shapes = {title: " ".join(texts).strip() for title, texts in drawn(text, "edge")}
    assert (shapes["n3->o1"], shapes["n4->o0"], shapes["n2->o2"]) == ("8x8x2", "8x8x5", "")


def test_an_output_in_the_middle_of_a_stack() -> None:
    text = "INPUT 8x8x3 -> c: CONV3-4 -> RELU -> tap aux(train): [FC-2] -> BN -> d: POOL2\noutput d, c"
    assert {"CONV3-4", "RELU", "BN", "c", "d", "FC-2"} <= set(boxes(text).values())
    assert ("n1", "o1") in edges(text)


def test_a_lone_output_has_no_mark() -> None:
    assert not [title for title in boxes("INPUT 8x8x3 -> c: CONV3-4 -> tap aux: FC-2 -> RELU") if title[0] == "o"]


def test_outputs_of_a_folded_repeat() -> None:
    text = "INPUT 8x8x3 -> CONV3-8 -> [u{i}: [CONV3-8 -> RELU]]*3\noutput u3, u1"
    assert {("n2", "o0"), ("n2", "o1")} <= set(edges(text, fold=True))


def test_a_repeat_is_drawn_in_full_unless_folded() -> None:
    assert list(boxes(REPEATED).values()).count("CONV3-4 RELU") == 5
    assert list(boxes(REPEATED, fold=True).values()) == ["INPUT 8x8x4", "CONV3-4 RELU", "+", "FC-2"]
    assert ["×5"] in [texts for _, texts in drawn(REPEATED, "cluster", fold=True)]


def test_a_folded_repeat_keeps_its_way_in_and_out() -> None:
    named = boxes(REPEATED, fold=True)
    assert [(named[start], named[end]) for start, end in edges(REPEATED, fold=True)] == [
        ("INPUT 8x8x4", "CONV3-4 RELU"),
        ("INPUT 8x8x4", "+"),
        ("CONV3-4 RELU", "+"),
        ("+", "FC-2"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        "CONV3-4 -> RELU if i > 1",
        # The same layer types with other options, and with other wires.
        "CONV3-4(dilation=i)",
        "a{i}: RELU -> b{i}: RELU -> c{i}: RELU -> [(ID + @a{i}) if i == 1 else (ID + @b{i})]",
    ],
)
def test_turns_that_differ_are_not_folded(body: str) -> None:
    text = f"INPUT 8x8x4 -> [{body}]*3"
    assert boxes(text, fold=True) == boxes(text)


@pytest.mark.parametrize("name", ['"]; x [label="', "a\\", "&lt;", "</svg><script>", "\x1b[31m", "a\nb", "é卷"])
def test_a_name_cannot_break_out(name: str) -> None:
    from cnndsl.errors import Source

    graph = compiled(Source(f"{name}.cnn", "INPUT 8x8x3 -> POOL2(pad=1)"), {}).graph
    text = dot(graph)
    assert "\x1b" not in text
    picture = draw(text, "a.svg")
    assert picture.count(b'class="node"') == 2
    assert b"<script" not in picture
    assert picture.startswith(b"<?xml")


@pytest.mark.parametrize("path", ["net", "net.bmp", ".svg", "net.svg/"])
def test_an_unknown_ending(path: str) -> None:
    if path.endswith("/"):
        assert format_of(path) == "svg"
        return
    with pytest.raises(FileError, match="its name must end in one of"):
        format_of(path)


def test_nothing_is_said_on_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    draw(dot(loads("INPUT 8x8x3 -> FC-10").graph), "a.png")
    assert capfd.readouterr() == ("", "")
