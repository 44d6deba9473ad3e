"""Text -> syntax tree. The only file that imports lark.

The LALR tables are generated from `grammars/cnn.lark` into `tables.py` (`python -m cnndsl.syntax.generate`), so that
no start pays for building them. Meaning is not this module's: see `elaborate`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from lark import Lark
from lark.exceptions import UnexpectedInput, UnexpectedToken, VisitError
from lark.utils import TextSlice

from cnndsl.errors import CnnError, Diagnostic, Source, Span
from cnndsl.syntax import ast
from cnndsl.syntax.build import Builder, Token
from cnndsl.syntax.expected import describe
from cnndsl.syntax.limits import check_text, check_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

_STATEMENT = re.compile(r"^[ \t]*(?:cnn|net|use|let|default|block|assert|INPUT)\b", re.MULTILINE)


@cache
def _parser() -> tuple[Lark, Builder, list[Token]]:
    """The parser, the builder that it calls and the comments that it passes over: made once, used for each source."""
    from cnndsl.syntax.tables import DATA, MEMO

    builder, comments = Builder(), list[Token]()

    def keep(token: Token) -> Token:
        comments.append(token)
        return token

    load: Any = getattr(Lark, "_load_from_dict")  # noqa: B009 - what lark's own standalone parsers are made with
    return load(DATA, MEMO, transformer=builder, lexer_callbacks={"COMMENT": keep}), builder, comments


def parse(source: Source) -> ast.File:
    """The syntax tree of a source.

    Raises CnnError with every syntax error: after one, parsing goes on at the next statement.

    >>> parse(Source("net.cnn", "INPUT 8x8x3 -> CONV3-4")).statements[0].chain.items[1].head
    'CONV3'
    """
    check_text(source)
    errors: list[Diagnostic] = []
    start = 0
    while start >= 0:
        try:
            statements, comments = _parse_from(source, start)
        except CnnError as stop:
            errors.extend(stop.diagnostics)
            start = _next_statement(source, start, stop.diagnostics[0])
            continue
        if errors:
            break
        file = ast.File(source, statements, comments)
        check_tree(file)
        return file
    raise CnnError(errors)


def _parse_from(source: Source, start: int) -> tuple[tuple[ast.Statement, ...], tuple[ast.Comment, ...]]:
    lark, builder, comments = _parser()
    builder.source = source
    comments.clear()
    try:
        statements: Any = lark.parse(TextSlice(source.text, start, len(source.text)))  # pyright: ignore[reportUnknownMemberType]
    except VisitError as stop:
        raise stop.orig_exc from None
    except UnexpectedInput as stop:
        raise CnnError(_diagnostic(source, stop)) from None
    return statements, tuple(_comments(source, comments))


def _comments(source: Source, tokens: list[Token]) -> Iterator[ast.Comment]:
    for token in tokens:
        start = token.start_pos
        text = str(token).rstrip()
        yield ast.Comment(text, Span(source, start, start + len(text)))


def _next_statement(source: Source, start: int, error: Diagnostic) -> int:
    """Where the statement after an error begins; -1 where there is none."""
    at = error.span.end if error.span else len(source.text)
    match = _STATEMENT.search(source.text, max(at, start + 1))
    return match.start() if match else -1


def _diagnostic(source: Source, stop: Any) -> Diagnostic:
    """What lark says of a text that it cannot read, in the user's words. lark's exceptions are untyped."""
    text = source.text
    if isinstance(stop, UnexpectedToken):
        token: Token = cast("Any", stop).token
        expected: set[str] = cast("Any", stop).expected
        if token.type == "$END":
            end = len(text.rstrip())
            return describe(Span(source, max(end - 1, 0), end), None, expected)
        return describe(Span(source, token.start_pos, token.end_pos), str(token), expected)
    at: int = stop.pos_in_stream
    allowed: set[str] = stop.allowed or set()
    return describe(Span(source, at, at + 1), None if at >= len(text) else text[at], allowed)
