"""How parsing goes on after a mistake, and what it says was expected."""

from __future__ import annotations

import pytest

from cnndsl.errors import CnnError, Diagnostic, Source
from cnndsl.syntax import ast
from cnndsl.syntax.parse import parse


def tree(text: str) -> ast.File:
    return parse(Source("net.cnn", text))


def wrong(text: str) -> list[Diagnostic]:
    with pytest.raises(CnnError) as caught:
        tree(text)
    return list(caught.value.diagnostics)


def places(text: str) -> list[tuple[str, int, int]]:
    """Code, line and column of each error."""
    return [(each.code, each.span.line, each.span.column) for each in wrong(text) if each.span]


def test_parsing_goes_on_at_the_next_statement() -> None:
    text = "net N(\nlet k 3\nlet j = 4\nblock A(c) = CONV3-c]\nuse x: A\n\nINPUT 3 -> ->\nassert\nassert params = 3\n"
    assert places(text) == [
        ("E0108", 1, 6),
        ("E0102", 2, 7),
        ("E0108", 4, 21),
        ("E0102", 5, 5),
        ("E0102", 7, 12),
        ("E0102", 9, 1),
        ("E0102", 9, 15),
    ]


def test_a_mistake_is_told_once() -> None:
    assert len(wrong("default CONV3 -> RELU\nINPUT 3 -> FC-1")) == 1
    assert len(wrong("INPUT 3 -> (A + B -> C\n-> D -> [E\n-> F\nassert yes")) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("let", "expected a name"),
        ("let k", "expected `=`"),
        ("let k =", "expected a value"),
        ("let k = 3 +", "expected a value"),
        ("let k = (3", "unclosed `(`"),
        ("net", "expected a name"),
        ("net N(3)", "expected a name or `)`"),
        ("net N(a in)", "expected a value"),
        ("net N(a in 1)", "expected `..` or an operator"),
        ("net N(a in 1..)", "expected a value"),
        ("net N(a in {1, 2)", "`)` does not close `{`"),
        ("block", "expected a name"),
        ("block A", "expected `=` or `(`"),
        ("block A =", "expected a layer"),
        ("default", "expected a layer"),
        ("cnn", "expected a number"),
        ("cnn one", "expected a number"),
        ("use", "expected a file name in quotes"),
        ('use "a.cnn"', "expected `:`"),
        ('use "a.cnn":', "expected a name"),
        ("assert", "expected a value"),
        ("INPUT ->", "expected a layer"),
        ("INPUT -> [", "expected a layer"),
        ("INPUT -> [A ->", "expected a layer"),
        ("INPUT -> (A +", "expected a layer"),
        ("INPUT -> (A + B", "unclosed `(`"),
        ("INPUT -> MUL(", "expected a layer"),
        ("INPUT -> A*", "expected a number, a name or `{…}`"),
        ("INPUT -> A*{", "expected a value"),
        ("INPUT -> A if", "expected a value"),
        ("INPUT -> A or", "expected a layer"),
        ("INPUT -> tap", "expected a name"),
        ("INPUT -> tap a", "expected `:`"),
        ("INPUT -> a:", "expected a layer"),
        ("INPUT -> for", "expected a name"),
        ("INPUT -> for c", "expected `,` or `in`"),
        ("INPUT -> for c in", "expected a value"),
        ("INPUT -> CONV3(", "unclosed `(`"),
        ("INPUT -> CONV3(pad", "unclosed `(`"),
        ("INPUT -> CONV{", "expected a value"),
    ],
)
def test_what_was_expected(text: str, expected: str | None) -> None:
    if expected is None:
        assert tree(text).statements == ()
    else:
        assert wrong(text)[0].message.startswith(expected)


def test_deep_and_long_texts_are_answered() -> None:
    assert wrong("INPUT 3 -> " + "[" * 100_000)[0].code == "E0103"
    assert wrong("INPUT 3 -> " + "RELU] -> " * 10_000)[0].code == "E0108"
    assert wrong("let k = " + "9" * 100_000)[0].code in ("E0103", "E0104")
    assert len(tree("INPUT 3" + " -> RELU" * 20_000).statements) == 1


def test_the_end_of_a_string_begins_none() -> None:
    """Found by drawing: more than the longest word stood between the strings of two `use` on one line."""
    chain = " -> ".join(["RELU"] * 200)
    text = f'use "a.cnn": A block B = {chain} use "b.cnn": C'
    assert len(parse(Source("net.cnn", text)).statements) == 3
    with pytest.raises(CnnError, match=r"at most 1,000 characters; this one has 1,004"):
        parse(Source("net.cnn", f'use "{"a" * 1000}.cnn": A'))


@pytest.mark.parametrize("breaks", ["\n", "\r\n"])
def test_places_count_lines_of_either_sort(breaks: str) -> None:
    assert places(f"INPUT 3{breaks}-> FC-1{breaks}-> -> FC-2") == [("E0102", 3, 4)]


def test_a_hash_in_quotes_begins_no_comment() -> None:
    """The text ends in its 13th column, behind the quote."""
    (missing,) = wrong('use "a#b.cnn" # c "')
    assert missing.span is not None
    assert (missing.span.start, missing.span.end) == (12, 13)
