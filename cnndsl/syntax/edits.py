"""Helpers for edits of a source: which part of it is code, where a statement ends, a fix with several edits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from cnndsl.errors import Edit, Fix, Source, Span
from cnndsl.syntax.parse_failure import QUOTE_OR_COMMENT, STATEMENTS

_BEGINS = re.compile(
    rf"^[ \t]*(?:(?:{'|'.join(STATEMENTS)}|output|(?i:INPUT))\b(?!\s*:)|[A-Za-z_]\w*\s*=(?!=))", re.MULTILINE
)
_LONGEST = 20_000
"""The number of characters around a location in which edits are searched for."""


def code(source: Source, start: int = 0, end: int | None = None) -> str:
    """Return a part of a source with spaces in place of comments and quotes.

    >>> code(Source("", 'a "b" # c'))
    'a        '
    """
    text = source.text[start : len(source.text) if end is None else end]
    return re.sub(QUOTE_OR_COMMENT, lambda match: " " * len(match[0]), text)


def statement_end(source: Source, at: int) -> int:
    """Return where the statement that contains an offset ends, as far as the text shows it."""
    found = _BEGINS.search(source.text, at, at + _LONGEST)
    return found.start() if found else min(len(source.text), at + _LONGEST)


def line_of(source: Source, at: int) -> Span:
    """Return the line that contains an offset, without surrounding spaces."""
    start = source.text.rfind("\n", 0, at) + 1
    end = source.text.find("\n", at)
    line = source.text[start : end if end >= 0 else len(source.text)]
    return Span(source, start + len(line) - len(line.lstrip()), start + len(line.rstrip()))


def fix(source: Source, edits: Iterable[tuple[int, int, str]], advice: str, place: Span) -> Fix:
    """Return a fix with several edits, each with its start, its end and its replacement."""
    return Fix(tuple(Edit(Span(source, start, end), text) for start, end, text in edits), advice, place)


def word_at(source: Source, at: int) -> Span:
    """Return the text around an offset between spaces."""
    start, end = at, at
    while start > 0 and not source.text[start - 1].isspace():
        start -= 1
    while end < len(source.text) and not source.text[end].isspace():
        end += 1
    return Span(source, start, end)


def named(char: str, written: str) -> str:
    """Return the advice for a character that looks like another one, with its Unicode name.

    >>> named("\u2013", "-")
    'this is an en dash (U+2013); type an ordinary hyphen: {}'
    """
    name = unicodedata.name(char, "unusual character").lower()
    wanted = {"-": "an ordinary hyphen", "x": "the letter x", " ": "an ordinary space"}.get(written, f"`{written}`")
    return f"this is a{'n' if name[0] in 'aeiou' else ''} {name} (U+{ord(char):04X}); type {wanted}: {{}}"
