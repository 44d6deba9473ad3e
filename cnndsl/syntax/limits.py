"""What a text must be before it is worth parsing, and how deep a tree may be.

The limits keep every later walk over the tree within Python's recursion limit, whatever the text.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from cnndsl.errors import CnnError, Diagnostic, Source, Span
from cnndsl.expr import Literal, Name
from cnndsl.syntax import ast

MOST_CHARACTERS = 4_000_000
"""The longest text that is parsed."""
DEEPEST = 50
"""The deepest nesting of brackets, and of constructs within constructs."""

_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


def check_text(source: Source) -> None:
    """Raises CnnError for a text that is too long, nests too deep, or hides something from its reader."""
    text = source.text
    if len(text) > MOST_CHARACTERS:
        message = f"the file has {len(text):,} characters; at most {MOST_CHARACTERS:,} are read"
        raise CnnError(Diagnostic("E0103", message, Span(source, 0, 0)))
    if not text.isascii():
        _check_characters(source)
    _check_brackets(source)


def _check_characters(source: Source) -> None:
    for at, char in enumerate(source.text):
        if char in _BIDI or (char == "\ufeff" and at > 0) or "\ud800" <= char <= "\udfff":
            message = f"the character U+{ord(char):04X} is not allowed, since it cannot be seen"
            raise CnnError(Diagnostic("E0101", message, Span(source, at, at + 1), help="remove it"))


def _check_brackets(source: Source) -> None:
    depth = 0
    for number, line in enumerate(source.text.split("\n"), 1):
        for at, char in enumerate(line.partition("#")[0] if "#" in line else line):
            if char in "([{":
                depth += 1
                if depth > DEEPEST:
                    raise _too_deep(source, number, at)
            elif char in ")]}":
                depth = max(depth - 1, 0)


def _too_deep(source: Source, line: int, column: int) -> CnnError:
    start = sum(len(each) + 1 for each in source.text.split("\n", line - 1)[: line - 1]) + column
    message = f"the brackets nest deeper than {DEEPEST}"
    return CnnError(
        Diagnostic("E0103", message, Span(source, start, start + 1), help="give the inner part a name: `block`")
    )


def check_tree(file: ast.File) -> None:
    """Raises CnnError where constructs nest deeper than is read: `A if a else B if b else …`, `- - - 1`."""
    stack: list[tuple[Any, int]] = [(statement, 0) for statement in file.statements]
    while stack:
        node, depth = stack.pop()
        if depth > 4 * DEEPEST:
            raise CnnError(Diagnostic("E0103", f"constructs nest deeper than {4 * DEEPEST} here", node.span))
        for child in _children(node):
            if isinstance(child, tuple):
                stack.extend((each, depth) for each in child)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            elif is_dataclass(child) and not isinstance(child, _LEAVES):
                stack.append((child, depth + 1))


_LEAVES = (Span, Literal, Name)


def _children(node: Any) -> list[Any]:
    if isinstance(node, tuple):
        return list(node)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return [getattr(node, name) for name in _names(type(node))] if is_dataclass(node) else []


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))
