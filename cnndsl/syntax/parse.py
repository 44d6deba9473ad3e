"""Text -> syntax tree. With `generate` the only file that imports lark.

lark loads the LALR tables that `generate` saved in `tables.py`, so that no start pays for building them from the
grammar. Meaning is not this module's: see `elaborate`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from io import BytesIO
from itertools import pairwise
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from cnndsl.errors import CnnError, Diagnostic, Source
from cnndsl.limits import current
from cnndsl.syntax import ast
from cnndsl.syntax.build import Token, TreeBuilder
from cnndsl.syntax.limits import check_text, check_tree
from cnndsl.syntax.parse_failure import STATEMENTS, Stop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lark import Lark

_STATEMENT = re.compile(rf"^[ \t]*(?P<word>(?:{'|'.join(STATEMENTS)}|(?i:INPUT))\b)(?!\s*:)", re.MULTILINE)

_one_at_a_time = Lock()
"""The parser builds one tree at a time; other threads wait."""


@cache
def _parser() -> tuple[Lark, TreeBuilder]:
    """The parser and the builder that it calls: loaded once, used for each source.

    lark keeps a parser's options with its tables, so the builder is loaded with them.
    """
    from lark import Lark

    from cnndsl.syntax.tables import SAVED

    lark: Any = Lark.load(BytesIO(SAVED))  # pyright: ignore[reportUnknownMemberType]
    return lark, lark.options.transformer


def parse(source: Source) -> ast.File:
    """The syntax tree of a source.

    Raises CnnError with every syntax error, up to a limit: after one, parsing goes on at the next statement.

    >>> parse(Source("net.cnn", "INPUT 8x8x3 -> CONV3-4")).statements[0].chain.items[1].head
    'CONV3'
    """
    check_text(source)
    errors: list[Diagnostic] = []
    start, most = 0, current().errors
    while start >= 0 and len(errors) < most:
        try:
            statements, comments = _parse_from(source, start)
        except _Stopped as stopped:
            from cnndsl.syntax.expected import describe

            stop = _blame(source, stopped.stop)
            errors.append(describe(stop))
            start = _next_statement(source, start, _outside(stop))
            continue
        except CnnError as wrong:
            errors.extend(wrong.diagnostics)
            at = wrong.diagnostics[0].span
            start = _next_statement(source, start, at.end if at else len(source.text))
            continue
        errors.extend(_missing_arrows(statements))
        if errors:
            break
        file = ast.File(source, statements, comments)
        check_tree(file)
        return file
    raise CnnError(errors)


class _Stopped(Exception):
    def __init__(self, stop: Stop) -> None:
        super().__init__()
        self.stop = stop


def _parse_from(
    source: Source, start: int, end: int | None = None
) -> tuple[tuple[ast.Statement, ...], tuple[ast.Comment, ...]]:
    """Statements and comments of a part of a source. Raises _Stopped where the grammar ends, CnnError for the rest."""
    from lark.exceptions import UnexpectedInput, VisitError
    from lark.utils import TextSlice

    end = len(source.text) if end is None else end
    with _one_at_a_time:
        lark, builder = _parser()
        builder.begin(source)
        try:
            statements: Any = lark.parse(TextSlice(source.text, start, end))  # pyright: ignore[reportUnknownMemberType]
        except VisitError as wrong:
            raise wrong.orig_exc from None
        except UnexpectedInput as unexpected:
            raise _Stopped(_stop(source, start, end, unexpected)) from None
        return statements, tuple(builder.comments)


def _blame(source: Source, stop: Stop) -> Stop:
    """A statement that ends too early swallows the beginning of the next one: then the stop is there."""
    begins = [match.start("word") for match in _STATEMENT.finditer(source.text, stop.start, stop.offset)]
    if not begins or begins[-1] <= stop.start:
        return stop
    at = begins[-1]
    try:
        _parse_from(source, stop.start, at)
    except _Stopped as earlier:
        match = _STATEMENT.match(source.text, source.text.rfind("\n", 0, at) + 1)
        return replace(earlier.stop, offset=at, end=match.end("word") if match else at + 1)
    except CnnError:
        return stop
    return stop


def _missing_arrows(statements: tuple[ast.Statement, ...]) -> Iterator[Diagnostic]:
    """Chains that follow a chain and do not begin with INPUT: they were meant to go on with it. One a line."""
    line = 0
    for before, statement in pairwise(statements):
        if not isinstance(before, ast.Main | ast.Block) or not isinstance(statement, ast.Main):
            continue
        first = statement.chain.items[0]
        layer = first.body if isinstance(first, ast.Label) else first
        if isinstance(layer, ast.WrittenLayer) and layer.head.upper() != "INPUT" and first.span.line != line:
            from cnndsl.syntax.expected import describe

            span, line = first.span, first.span.line
            accepts = frozenset({"__ANON_0", "WORD", "$END"})
            yield describe(Stop(span.source, before.span.start, span.start, span.end, "WORD", accepts))


def _outside(stop: Stop) -> int:
    """Where to look for the next statement: behind the brackets around the place, where these are closed."""
    from cnndsl.syntax.brackets import closed

    return max(stop.offset, closed(stop))


def _next_statement(source: Source, start: int, after: int) -> int:
    """Where the statement at or after an error begins; -1 where there is none."""
    least = max(after, start + 1)
    match = _STATEMENT.search(source.text, source.text.rfind("\n", 0, least) + 1)
    while match is not None and match.start("word") < least:
        match = _STATEMENT.search(source.text, match.end())
    return match.start("word") if match else -1


def _stop(source: Source, start: int, end: int, unexpected: Any) -> Stop:
    """What lark says of a place at which it cannot go on. lark's exceptions are untyped."""
    from lark.exceptions import UnexpectedToken

    accepts: frozenset[str] = frozenset(unexpected.interactive_parser.accepts())
    if isinstance(unexpected, UnexpectedToken):
        token: Token = cast("Any", unexpected).token
        if token.type == "$END":
            return Stop(source, start, end, end, "", accepts)
        return Stop(source, start, token.start_pos, token.end_pos, token.type, accepts)
    at: int = unexpected.pos_in_stream
    return Stop(source, start, at, at + 1, "", accepts)
