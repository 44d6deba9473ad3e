"""Check a source before it is parsed, and the depth of its tree.

The limits keep every later walk over the tree within Python's recursion limit. `cnndsl.limits` defines their values.
"""

from __future__ import annotations

import re
from functools import cache

from cnndsl.errors import CnnError, Diagnostic, Source, Span
from cnndsl.expressions import Name
from cnndsl.limits import current
from cnndsl.syntax import ast

# Control characters except tab, line feed, form feed and a carriage return before a line feed; direction marks;
# characters that only some editors show as the end of a line; the byte order mark; halves of surrogate pairs.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
    "|\r(?!\n)"
)
_BRACKETS = re.compile(r'#[^\n]*|"[^"\n]*"|[(\[{)\]}]')


def check_text(source: Source) -> None:
    """Raise CnnError if a source is too long, nests too deep, or hides something from its reader."""
    text, most = source.text, current().characters
    if len(text) > most:
        message = f"the file has {len(text):,} characters; the limit is {most:,}"
        raise CnnError(Diagnostic("E0103", message, Span(source, 0, 0)))
    _check_characters(source)
    _check_words(source)
    _check_brackets(source)


def _check_characters(source: Source) -> None:
    hidden = _HIDDEN.search(source.text)
    if hidden is None:
        return
    place = Span(source, hidden.start(), hidden.end())
    if hidden[0] == "\r":
        message = "a lone carriage return does not end a line, though some editors show it as one"
        raise CnnError(Diagnostic("E0101", message, place, help="save the file with Unix or Windows line endings"))
    message = f"the character U+{ord(hidden[0]):04X} is not allowed, because it is invisible"
    raise CnnError(Diagnostic("E0101", message, place, help="remove it"))


def _check_words(source: Source) -> None:
    most = current().word
    for match in _long_words(most).finditer(source.text):
        length = len(match[0].strip('"'))
        if match[0][0] != "#" and length > most:
            message = f"a word may have at most {most:,} characters; this one has {length:,}"
            raise CnnError(Diagnostic("E0103", message, Span(source, match.start(), match.start() + 20)))


@cache
def _long_words(most: int) -> re.Pattern[str]:
    """Match comments, strings of any length (so that the end of one begins no other), and words that are too long."""
    return re.compile(rf'#[^\n]*|(?<![A-Za-z0-9_.])[A-Za-z0-9_.]{{{most + 1},}}|"[^"\n]*"?')


def _check_brackets(source: Source) -> None:
    depth, most = 0, current().nesting
    for match in _BRACKETS.finditer(source.text):
        if match[0] in "([{":
            depth += 1
            if depth > most:
                place = Span(source, match.start(), match.end())
                message = f"parentheses and square brackets nest deeper than {most}"
                raise CnnError(Diagnostic("E0103", message, place, help="give the inner part a name: `block`"))
        elif match[0] in ")]}":
            depth = max(depth - 1, 0)


def check_tree(file: ast.File) -> None:
    """Raise CnnError if constructs nest too deep: `A if a else B if b else …`, `- - - 1`."""
    most = 4 * current().nesting
    stack: list[tuple[ast.SyntaxNode, int]] = [(statement, 0) for statement in file.statements]
    while stack:
        node, depth = stack.pop()
        if depth > most and not isinstance(node, Name):
            raise CnnError(Diagnostic("E0103", f"constructs nest deeper than {most} here", node.span))
        for part in ast.parts(node):
            if isinstance(part, list):
                stack.extend((each, depth) for each in part)
            else:
                stack.append((part, depth + 1))
