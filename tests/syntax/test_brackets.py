"""Brackets beside quotes and comments, before and behind the place at which parsing stops."""

from __future__ import annotations

import pytest

from cnndsl.errors import Source
from cnndsl.syntax.brackets import brackets, closed, opened_at
from cnndsl.syntax.parse_failure import Stop


def stop_at(text: str) -> Stop:
    """The stop at the `!` of a text."""
    at = text.index("!")
    return Stop(Source("net.cnn", text), 0, at, at + 1, "", frozenset())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("([{}])", "([{}])"),
        ('( "[" )', "()"),
        ("( # [\n)", "()"),
        ('( # "\n)', "()"),
        ('( "#" )', "()"),
        ('( "[\n)', "()"),
        ('( # [ "\n) "# ]" {', "(){"),
    ],
)
def test_quotes_and_comments_have_no_brackets(text: str, found: str) -> None:
    assert "".join(char for _, char in brackets(text, 0)) == found


@pytest.mark.parametrize(
    ("text", "opened", "closing"),
    [
        ("a [b ! c]", [2], 8),
        ('"[" [b ! "]" c]', [4], 14),
        ("[b # ]\n! # ]\nc]", [0], 14),
        ('[b "#" ! "#" c]', [0], 14),
        ('["a{n !}": b] c]', [0], 12),
        ('[b ! "]\nc]', [0], 9),
        ("[(b ! ])", [0, 1], -1),
        ("[(b ! ()", [0, 1], -1),
        ("a] ! ]", [], -1),
    ],
)
def test_what_is_open_at_a_place_and_where_it_closes(text: str, opened: list[int], closing: int) -> None:
    assert opened_at(stop_at(text)) == opened
    assert closed(stop_at(text)) == closing
