"""The run over lark's tables against lark itself: the same tree wherever lark gives one, and nothing elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from cnndsl.errors import CnnError, Source
from cnndsl.syntax.build import TreeBuilder
from cnndsl.syntax.drive import drive
from cnndsl.syntax.parse import _parse_from, _Stopped
from cnndsl.testing import programs

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("architectures/*.cnn"), *ROOT.glob("tests/gallery/*/*.cnn")])


def by_lark(text: str) -> str | None:
    """Statements and comments, with their places; None for a text that is wrong."""
    try:
        statements, comments = _parse_from(Source("net.cnn", text), 0)
    except (CnnError, _Stopped):
        return None
    return repr((statements, [(each.text, each.span.start, each.span.end) for each in comments]))


def driven(text: str) -> str | None:
    found = drive(text, TreeBuilder(Source("net.cnn", text)))
    if found is None:
        return None
    statements, comments = found
    texts = [str(each).rstrip() for each in comments]
    places = [(each.start_pos, each.start_pos + len(text)) for each, text in zip(comments, texts, strict=True)]
    return repr((statements, [(text, *place) for text, place in zip(texts, places, strict=True)]))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_tree_of_a_file_is_that_of_lark(file: Path) -> None:
    text = file.read_bytes().decode("utf-8", "replace")
    assert driven(text) == by_lark(text)


@settings(max_examples=100)
@given(programs())
def test_the_tree_of_a_drawn_program_is_that_of_lark(text: str) -> None:
    tree = driven(text)
    assert tree is not None
    assert tree == by_lark(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t# only a comment",
        "INPUT 8x8x3 -> CONV{3}x3-{2*4}/2 -> RELU",
        "INPUT 8x8x3 -> CONV3-4*n",
        "INPUT 8x8x3 -> max(ID, RELU)",
        "INPUT 8x8x3 -> maximum(ID)",
        "INPUT 8x8x3 -> A if x else B",
        "INPUT 8x8x3 -> A iffy",
        "INPUT 8x8x3 -> A if xelse B",
        "INPUT 8x8x3 -> A -> for i in 1..3 [B]",
        "INPUT 8x8x3 -> A -> for i, j in (1, 2), (3, 4) [B(i=-j)]",
        "INPUT 8x8x3 -> tap aux(train): A -> in: B -> x{i}y: C",
        "let a = 1 let b = (2 + 3)*4 - -a // 2 % 7",
        "let a = not 1 < 2 and yes or b.c.d == 3x3",
        "let a = 1..2",
        "let a = 1 2",
        "INPUT 8x8x3 -> ",
        "INPUT 8x8x3 -> A}",
        "INPUT 8x8x3 -> Ä",
        'use "a.cnn": A, B',
        'use "a.cnn',
        "net N(a in {1, 2} = 1, b in 1..3)",
        "block A(c = 3) = CONV3-c?",
        "\N{NO-BREAK SPACE}",
        "INPUT 8x8x3 -> [A]*{n + 1} -> [B]?pick",
    ],
)
def test_texts_that_could_be_read_in_two_ways(text: str) -> None:
    assert driven(text) == by_lark(text)
