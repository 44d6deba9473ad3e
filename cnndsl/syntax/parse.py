"""Text -> syntax tree. Apart from `generate`, this is the only module of the language that imports lark.

lark loads the LALR tables that `generate` saved in `tables.py`, so they are not built from the grammar at every start.
`elaborate` resolves the meaning.
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

_STATEMENT = re.compile(rf"^[ \t]*(?P<word>(?:{'|'.join(STATEMENTS)}|(?i:INPUT))\b)(?!\s*:)", re.MULTILINE)

_SWALLOWED = re.compile(
    r"(?:(?<![=!<>])=|->)\s*(?P<word>(?<!\w)output(?=[ \t]+(?!(?:if|else|or)\b)[A-Za-z0-9_\"]))"
    r"|(?:(?<![=!<>])=|->)[ \t]*\n\s*(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?=[ \t]*=(?!=))"
)
"""A statement read as part of the one before it, which ends with `=` or an arrow; for text without comments."""

_one_at_a_time = Lock()
"""The parser builds one tree at a time; other threads wait."""


@cache
def _parser() -> tuple[Any, TreeBuilder]:
    """Return the parser and the builder that it calls; both are loaded once and used for every source.

    lark stores a parser's options with its tables, so the builder is loaded with them. Its methods are partly untyped.
    """
    from lark import Lark

    from cnndsl.syntax.tables import SAVED

    lark = cast("Any", Lark).load(BytesIO(SAVED))
    return lark, lark.options.transformer


def parse(source: Source) -> ast.File:
    """Return the syntax tree of a source.

    Raises CnnError with every syntax error, up to a limit: after an error, parsing resumes at the next statement.

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
        errors.extend(_run_together(statements))
        if errors:
            break
        file = ast.File(source, statements, comments)
        check_tree(file)
        return file
    raise CnnError(errors)


def where_it_stops(source: Source) -> ast.File | int:
    """Return the tree of a source, or the offset of its first syntax error. Raises CnnError if it is too large."""
    check_text(source)
    try:
        statements, comments = _parse_from(source, 0)
    except _Stopped as stopped:
        return stopped.stop.offset
    except CnnError as wrong:
        at = wrong.diagnostics[0].span
        return at.start if at else 0
    file = ast.File(source, statements, comments)
    check_tree(file)
    return file


class _Stopped(Exception):
    def __init__(self, stop: Stop) -> None:
        super().__init__()
        self.stop = stop


def _parse_from(
    source: Source, start: int, end: int | None = None
) -> tuple[tuple[ast.Statement, ...], tuple[ast.Comment, ...]]:
    """Parse a range of a source. Raises _Stopped where the grammar accepts nothing more, CnnError for the rest."""
    from lark.exceptions import UnexpectedInput, VisitError
    from lark.utils import TextSlice

    end = len(source.text) if end is None else end
    with _one_at_a_time:
        lark, builder = _parser()
        builder.begin(source)
        try:
            statements: Any = lark.parse(TextSlice(source.text, start, end))
        except VisitError as wrong:
            raise wrong.orig_exc from None
        except UnexpectedInput as unexpected:
            raise _Stopped(_stop(source, start, end, unexpected)) from None
        return statements, tuple(builder.comments)


def _blame(source: Source, stop: Stop) -> Stop:
    """Move the stop to the beginning of a statement that was read as part of an incomplete statement before it."""
    text = stop.before + source.text[stop.offset : stop.end]
    begins = [match.span("word") for match in _STATEMENT.finditer(text, 0, len(stop.before))]
    begins += [match.span(match.lastgroup or 0) for match in _SWALLOWED.finditer(text)]
    start, end = max(begins, default=(0, 0))
    if not start:
        return stop
    return _ends_before(source, stop.start, stop.start + start, stop.start + end) or stop


def _ends_before(source: Source, start: int, at: int, end: int) -> Stop | None:
    """Return the stop at a word before which a statement is incomplete. None if the statement is complete there, or if
    the word is the `let` of a block."""
    try:
        _parse_from(source, start, at)
    except _Stopped as earlier:
        is_of_block = source.text[at:end] == "let" and earlier.stop.is_end and earlier.stop.accepts >= {"LET", "LSQB"}
        return None if is_of_block else replace(earlier.stop, offset=at, end=end)
    except CnnError:
        return None
    return None


def _run_together(statements: tuple[ast.Statement, ...]) -> Iterator[Diagnostic]:
    """Yield the errors where one statement ends and the next one begins, though each is well formed."""
    from cnndsl.syntax.expected import describe

    line = 0
    for before, statement in pairwise(statements):
        stop = _swallowed(before, statement) or _joined(before, statement)
        if stop is not None and stop.span.line != line:
            yield describe(stop)
            line = stop.span.line


def _swallowed(before: ast.Statement, statement: ast.Statement) -> Stop | None:
    """Return the stop for `b =` with `output a` on the next line, which is parsed as `b = output` and `a`."""
    if not isinstance(statement, ast.Main):
        return None
    source, start, offset = before.span.source, before.span.start, statement.span.start
    text = Stop(source, start, offset, statement.span.end, "", frozenset()).before
    match = re.search(r"(?:=|->)\s*(output)[ \t]+$", text)
    return _ends_before(source, start, start + match.start(1), start + match.end(1)) if match else None


def _joined(before: ast.Statement, statement: ast.Statement) -> Stop | None:
    """Return the stop for something that follows a statement without the symbol between them. A chain that does not
    begin with INPUT was meant to continue the one before it; `t@2` is parsed as `t` and `@2`, `{n}xk` as `{n}` and
    `xk`."""
    source, start, span = before.span.source, before.span.start, statement.span
    is_option = isinstance(before, ast.Default) and not before.layer.arguments and isinstance(statement, ast.Equation)
    is_unit = isinstance(before, ast.Assert) and re.fullmatch("[KMGkmg](?:illion)?", span.text)
    if (is_option or is_unit) and before.span.line == span.line:
        return Stop(source, start, span.start, span.start + 1, "", frozenset({"$END"}))
    if isinstance(statement, ast.Equation) and not statement.name:
        first, number = statement.body.items[0].span, re.match(r"@[0-9]", span.text)
        is_one_word = before.span.end == span.start and re.search(r"\w$", before.span.text) and number
        accepts = frozenset({"AND", "MINUS", "$END"} if isinstance(before, ast.Assert) else {"COMMA", "$END"})
        return Stop(source, start, first.start, first.end, "REFERENCE", accepts) if is_one_word else None
    if not isinstance(statement, ast.Main):
        return None
    first = statement.chain.items[0]
    layer = first.body if isinstance(first, ast.Label) else first
    if not isinstance(layer, ast.WrittenLayer) or layer.head.upper() == "INPUT":
        return None
    if isinstance(before, ast.Main | ast.Block | ast.Equation):
        accepts = frozenset({"ARROW", "WORD", "$END"})
    elif isinstance(before, ast.Outputs) and before.span.line == span.line:
        accepts = frozenset({"COMMA", "$END"})
    elif before.span.end == span.start and re.match("x[A-Za-z_]", span.text) and before.span.text.endswith("}"):
        accepts = frozenset({"AND", "MINUS", "$END"})
    else:
        return None
    return Stop(source, start, first.span.start, first.span.end, "WORD", accepts)


def _outside(stop: Stop) -> int:
    """Return where to look for the next statement: after the brackets around the stop, if these are closed."""
    from cnndsl.syntax.brackets import closed

    return max(stop.offset, closed(stop))


def _next_statement(source: Source, start: int, after: int) -> int:
    """Return the offset of the statement at or after an error; -1 if there is none."""
    least = max(after, start + 1)
    match = _STATEMENT.search(source.text, source.text.rfind("\n", 0, least) + 1)
    while match is not None and match.start("word") < least:
        match = _STATEMENT.search(source.text, match.end())
    return match.start("word") if match else -1


def _stop(source: Source, start: int, end: int, unexpected: Any) -> Stop:
    """Return the stop for an exception of lark's. lark's exceptions are untyped."""
    from lark.exceptions import UnexpectedToken

    accepts: frozenset[str] = frozenset(unexpected.interactive_parser.accepts())
    if isinstance(unexpected, UnexpectedToken):
        token: Token = cast("Any", unexpected).token
        if token.type == "$END":
            return Stop(source, start, end, end, "", accepts)
        return Stop(source, start, token.start_pos, token.end_pos, token.type, accepts)
    at: int = unexpected.pos_in_stream
    return Stop(source, start, at, at + 1, "", accepts)
