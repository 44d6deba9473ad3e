"""Protobuf's text format against its specification (protobuf.dev/reference/protobuf/textformat-spec)."""

from __future__ import annotations

from typing import Any

import pytest

from cnndsl.errors import CnnError, Source
from cnndsl.importers.prototxt import Message, parsed
from cnndsl.limits import limits


def plain(message: Message) -> list[Any]:
    return [
        (each.name, plain(each.value) if isinstance(each.value, Message) else each.value) for each in message.fields
    ]


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("", []),
        ("# nothing but a comment", []),
        ('name: "a" # one\n x: 1', [("name", "a"), ("x", "1")]),
        ("a { b: 1 }", [("a", [("b", "1")])]),
        ("a: { b: 1 } a < b: 2 >", [("a", [("b", "1")]), ("a", [("b", "2")])]),
        ("x: [1, 2, 3]", [("x", "1"), ("x", "2"), ("x", "3")]),
        ("x: []", []),
        ("x: 1, y: 2; z { }", [("x", "1"), ("y", "2"), ("z", [])]),
        ("s: \"a\" 'b'", [("s", "ab")]),
        ('s: \'it "is"\' t: "# no comment"', [("s", 'it "is"'), ("t", "# no comment")]),
        (
            "x: -1.5e-3 y: .5 z: 2. w: 1f pool: MAX",
            [("x", "-1.5e-3"), ("y", ".5"), ("z", "2."), ("w", "1f"), ("pool", "MAX")],
        ),
    ],
)
def test_fields(text: str, fields: list[Any]) -> None:
    assert plain(parsed(Source("net.prototxt", text))) == fields


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: ", (1, 2)),
        ("a {\n  b: 1", (2, 6)),
        ("a }", (1, 3)),
        ("x: 3x3", (1, 5)),
        ('x: "open\ny: 1', (1, 4)),
        ("x:: 1", (1, 3)),
        ("x: größe", (1, 6)),
        ("[ext]: 1", (1, 1)),
    ],
)
def test_other_texts_are_errors_where_they_end_to_be_this(text: str, place: tuple[int, int]) -> None:
    with pytest.raises(CnnError) as error:
        parsed(Source("net.prototxt", text))
    (found,) = error.value.diagnostics
    assert found.code == "E0505"
    assert found.span is not None
    assert (found.span.line, found.span.column) == place


def test_messages_nest_as_they_like() -> None:
    assert len(parsed(Source("net.prototxt", "a {" * 5000 + "}" * 5000)).fields) == 1


def test_a_long_file_is_not_read() -> None:
    with limits(characters=10), pytest.raises(CnnError, match="more than 10 characters"):
        parsed(Source("net.prototxt", "x: 1 " * 3))


@pytest.mark.parametrize(
    ("ask", "text", "message"),
    [
        (lambda found: found.word("x"), "x: 1 x: 2", "`x` is given 2 times"),
        (lambda found: found.word("x"), "x { }", "`x` must be a value"),
        (lambda found: found.number("x"), "x: 1.5", "whole number"),
        (lambda found: found.decimal("x", 0), "x: MAX", "must be a number"),
        (lambda found: found.truth("x"), "x: 2", "true or false"),
        (lambda found: found.message("x"), "x: 1", "must be a message"),
        (lambda found: found.message("x"), "x { } x { }", "given 2 times"),
    ],
)
def test_a_value_of_another_type_is_an_error(ask: Any, text: str, message: str) -> None:
    with pytest.raises(CnnError, match=message):
        ask(parsed(Source("net.prototxt", text)))


def test_fields_that_nobody_asks_for_are_found() -> None:
    found = parsed(Source("net.prototxt", "a { b: 1 } c: 2 d { e: 1 }"))
    found.known("c", "d")
    found.message("a").number("b")
    found.check()
    other = parsed(Source("net.prototxt", "a { b: 1 }"))
    other.message("a")
    with pytest.raises(CnnError, match="`b` of `a` is unknown"):
        other.check()
