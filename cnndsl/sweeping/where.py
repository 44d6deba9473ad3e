"""The test of a `--where`: `params < 5M and depth >= 3`.

It is read as an `assert`, and messages point at the text as it was typed. Metrics may be named as in the headings of
tables: `peak in training`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace

from cnndsl.analysis.metric_table import BY_TITLE, METRICS, OF_NETWORKS
from cnndsl.errors import CnnError, Diagnostic, Source, Span, did_you_mean, listed, nearest
from cnndsl.expr import COMPARISONS, error
from cnndsl.expressions import Binary, Call, Expr, Literal, Name, Path, Unary, mapped, operands
from cnndsl.expressions import names as names_of
from cnndsl.records import record
from cnndsl.sweeping.where_fixes import NAMES, where_fix
from cnndsl.syntax import ast
from cnndsl.syntax.parse import parse

_BEFORE = "assert "
_MEMBERS = re.compile(r"\b([A-Za-z_]\w*)\s+in\s*[({\[]([^)}\]]*)[)}\]]?")
_ARITHMETIC = frozenset({"+", "-", "*", "/", "//", "%", "**"})


@record(slots=True)
class Vocabulary:
    """The names that a test may mention: `asked` by their names, `words` as values of those. `refused` has the reason
    why a name is not allowed, and `titles` the name that a heading of a table means."""

    asked: Sequence[str]
    words: Sequence[str] = ()
    refused: Mapping[str, str] = field(default_factory=dict[str, str])
    titles: Mapping[str, str] = field(default_factory=lambda: BY_TITLE)


def condition(text: str, titles: Mapping[str, str] = BY_TITLE) -> Expr:
    """Return the test of a `--where`: `params < 5M and depth >= 3`. Raises CnnError for an invalid one, with its
    meaning if it is written as in other languages."""
    if not text.strip():
        raise CnnError(Diagnostic("E0503", "a test is missing", help="for example, `--where 'params < 5M'`"))
    try:
        return _read(text, titles)
    except CnnError:
        if not (fix := where_fix(text, lambda fixed: _is_test(fixed, titles))):
            raise
    place = Span(Source("--where", text), fix.start, fix.end)
    raise CnnError(Diagnostic("E0503", fix.message, place, help=f"write --where '{fix.text}'"))


def _is_test(text: str, titles: Mapping[str, str]) -> bool:
    try:
        return isinstance(_read(text, titles), Binary | Unary | Call)
    except CnnError:
        return False


def _read(text: str, titles: Mapping[str, str]) -> Expr:
    source = Source("--where", text)
    try:
        statements = parse(Source(source.name, _BEFORE + _without_titles(text, titles))).statements
    except CnnError as stop:
        raise CnnError([_told(each, source) for each in stop.diagnostics]) from None
    if len(statements) != 1 or not isinstance(statements[0], ast.Assert):
        help = "for example, `--where 'params < 5M'`"
        raise CnnError(Diagnostic("E0503", f"`{text}` is not a single test", help=help))
    return _placed(statements[0].test, source)


def mentioned(test: Expr, known: Vocabulary) -> set[str]:
    """Return the names that a test mentions.

    Raises CnnError if it is not a test, mentions something that the vocabulary lacks, or compares bytes with a metric
    that has another unit.
    """
    for each in _walk(test):
        if isinstance(each, Path):
            raise _no_part(each, known)
        if isinstance(each, Name) and each.name not in (*known.asked, *known.words):
            help = known.refused.get(each.name, "") or _near(each.name, known)
            raise error("E0201", f"no value is called `{each.name}` here", each.span, help)
        if isinstance(each, Binary) and each.operator in COMPARISONS:
            _check_units(each, known)
    if isinstance(test, Name | Literal) or (isinstance(test, Binary) and test.operator in _ARITHMETIC):
        help = "compare it with something: `params < 10M`"
        raise error("E0205", f"a test must be yes or no, but `{test.span.text}` is a value", test.span, help)
    return {each.name for each in names_of(test)} & set(known.asked)


def binaries(expr: Expr) -> Iterator[Binary]:
    """Yield every operator between two operands in a test, the outer ones first."""
    return (each for each in _walk(expr) if isinstance(each, Binary))


def _near(name: str, known: Vocabulary) -> str:
    titled = known.titles.get(name, "") or NAMES.get(name.casefold(), "")
    near = did_you_mean(titled) if titled in known.asked else nearest(name, [*known.asked, *known.words])
    return near or f"a test may mention {listed(known.asked, most=len(known.asked))}"


def _no_part(path: Path, known: Vocabulary) -> CnnError:
    dotted, first = ".".join(path.names), path.names[0]
    help = f"compare `{first}` as a whole, as in `{first} == 224x224x3`" if first in known.asked else ""
    message = f"`{dotted}` cannot be used here: a test is about the network as a whole"
    return error("E0204", message, path.span, help or _near(first, known))


def _check_units(expr: Binary, known: Vocabulary) -> None:
    """Raise CnnError if bytes are compared with a metric that is not in bytes."""
    for name, literal in ((expr.left, expr.right), (expr.right, expr.left)):
        if not (isinstance(name, Name) and isinstance(literal, Literal) and literal.text.endswith("B")):
            continue
        if name.name in known.asked and (name.name not in METRICS or METRICS[name.name].unit != "bytes"):
            message = f"`{literal.text}` is in bytes, but `{name.name}` is not"
            in_bytes = [each for each in OF_NETWORKS if METRICS[each].unit == "bytes"]
            help = f"write `{literal.text[:-1]}`; in bytes are {listed(in_bytes)}"
            raise error("E0205", message, literal.span, help)


def _walk(expr: Expr) -> Iterator[Expr]:
    yield expr
    for operand in operands(expr):
        yield from _walk(operand)


def _without_titles(text: str, titles: Mapping[str, str]) -> str:
    """Return the text with names in place of headings that are not names, each of the same length."""
    for title, name in titles.items():
        if not title.isidentifier() and len(name) <= len(title):
            text = re.sub(rf"(?<![\w.-]){re.escape(title)}(?![\w.-])", name.ljust(len(title)), text)
    return text


def _told(diagnostic: Diagnostic, source: Source) -> Diagnostic:
    """Return the error of the text as a program, restated for the text as it was typed."""
    span = diagnostic.span and _moved(diagnostic.span, source)
    message = diagnostic.message.replace("the end of the file", "the end of the test")
    members = _MEMBERS.search(source.text)
    if members:
        names = [each.strip() for each in members[2].split(",") if each.strip()]
        help = f"write it out: `{' or '.join(f'{members[1]} == {name}' for name in names)}`"
        return Diagnostic("E0102", "`in` is not a comparison", Span(source, *members.span()), help=help)
    others = tuple(replace(each, span=_moved(each.span, source)) for each in diagnostic.others)
    return replace(diagnostic, message=message, span=span, others=others)


def _moved(span: Span, source: Source) -> Span:
    start, end = (max(0, at - len(_BEFORE)) for at in (span.start, span.end))
    return Span(source, start, end)


def _placed(expr: Expr, source: Source) -> Expr:
    """Return the expression with the locations that its parts have in the text as it was typed."""
    moved = replace(expr, span=_moved(expr.span, source))
    return mapped(moved, lambda each: _placed(each, source))
