"""Render a diagnostic for people: the message, the lines with every location underlined, and the suggested fix.

The format is rustc's, as shown in the language reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from cnndsl.diagnostics.excerpt import LONGEST, Mark, excerpt
from cnndsl.errors import Annotation, Diagnostic, MessageText, Source, Span
from cnndsl.terminal import Paint, clean

_SEVERITY = {"error": "red", "warning": "yellow"}
_SHOWN_LINES = 3
"""A location with more lines is shown by its first and its last one."""
_FULL_WIDTH = 120


def full(diagnostic: Diagnostic, *, colour: bool = False) -> str:
    """Return the diagnostic with the lines that it concerns."""
    paint = Paint(colour)
    tint = _SEVERITY.get(diagnostic.severity, "cyan")
    labels = _labels(diagnostic)
    margin = max((len(str(_last_line(label.span))) for _, label in labels), default=1) + 2
    lines = [*_headline(diagnostic, paint, tint)]
    lines += _places(diagnostic, labels, margin, paint, tint)
    if diagnostic.span is None or not _fits(diagnostic, margin):
        lines += [f"{' ' * margin}{paint('=', 'bold', 'blue')} {clean(frame)}" for frame in diagnostic.context]
    if diagnostic.help:
        lines += _help(diagnostic.help, margin, paint)
    return "\n".join(lines)


def message_text(diagnostic: Diagnostic, longest: int = LONGEST) -> MessageText:
    """Return the output of `full` in pieces and without colour. Lines with more characters than `longest` are cut
    around the underlined parts.

    >>> found = Diagnostic("E0312", "the branches differ", Span(Source("net.cnn", "CONV3 -> ID"), 9, 11), "56x56")
    >>> message_text(found).place, message_text(found).excerpt
    ('net.cnn:1:10', ('1 | CONV3 -> ID', '  |          ^^ 56x56'))
    """
    labels = _labels(diagnostic)
    margin = max((len(str(_last_line(label.span))) for _, label in labels), default=1) + 2
    lines = list(_places(diagnostic, labels, margin, Paint(colour=False), "", longest))
    place = lines.pop(0).strip().removeprefix("--> ") if diagnostic.span is not None else ""
    shown = diagnostic.span is not None and _fits(diagnostic, margin)
    frames = tuple(map(clean, diagnostic.context))
    return MessageText(
        diagnostic.code,
        tuple(map(clean, diagnostic.message.split("\n"))),
        place,
        tuple(line.removeprefix(" ") for line in lines[1:]),
        () if shown else frames,
        tuple(map(clean, diagnostic.help.split("\n"))) if diagnostic.help else (),
        frames,
    )


def _headline(diagnostic: Diagnostic, paint: Paint, tint: str) -> Iterable[str]:
    first, *more = diagnostic.message.split("\n")
    yield paint(f"{diagnostic.severity}[{diagnostic.code}]", "bold", tint) + paint(f": {clean(first)}", "bold")
    for line in more:
        yield f"  {clean(line)}"


def _help(text: str, margin: int, paint: Paint) -> Iterable[str]:
    first, *more = text.split("\n")
    yield f"{' ' * margin}{paint('=', 'bold', 'blue')} {paint('help', 'bold', 'cyan')}: {clean(first)}"
    for line in more:
        yield f"{' ' * (margin + 8)}{clean(line)}"


def _labels(diagnostic: Diagnostic) -> list[tuple[bool, Annotation]]:
    """Return the locations to underline, each with whether it is the primary one.

    A primary location without a label of its own that contains one of the others is omitted: the others show it.
    """
    others = [(False, other) for other in diagnostic.others]
    if diagnostic.span is None:
        return others
    primary = (True, Annotation(diagnostic.span, diagnostic.label))
    holds = any(_inside(other.span, diagnostic.span) for _, other in others)
    return others if holds and not diagnostic.label else [primary, *others]


def _inside(inner: Span, outer: Span) -> bool:
    return inner.source is outer.source and outer.start <= inner.start and inner.end <= outer.end


def _last_line(span: Span) -> int:
    return span.source.position(max(span.start, span.end - 1))[0]


def _heading(diagnostic: Diagnostic) -> str:
    return ", ".join([str(diagnostic.span), *diagnostic.context])


def _fits(diagnostic: Diagnostic, margin: int) -> bool:
    return margin + 4 + len(_heading(diagnostic)) <= _FULL_WIDTH


def _places(
    diagnostic: Diagnostic,
    labels: Sequence[tuple[bool, Annotation]],
    margin: int,
    paint: Paint,
    tint: str,
    longest: int = LONGEST,
) -> Iterable[str]:
    """Yield an arrow with the location, then the lines; each further file gets its own arrow."""
    if diagnostic.span is not None:
        heading = _heading(diagnostic) if _fits(diagnostic, margin) else str(diagnostic.span)
        yield f"{' ' * (margin - 1)}{paint('-->', 'bold', 'blue')} {clean(heading)}"
    current = diagnostic.span.source if diagnostic.span else None
    for source in _in_order(label.span.source for _, label in labels):
        marks = [mark for primary, label in labels if label.span.source is source for mark in _marks(primary, label)]
        if source is not current:
            first = min(label.span.start for _, label in labels if label.span.source is source)
            yield f"{' ' * (margin - 1)}{paint(':::', 'bold', 'blue')} {clean(str(Span(source, first, first)))}"
        yield from _snippet(source, marks, margin, paint, tint, longest)


def _in_order(sources: Iterable[Source]) -> list[Source]:
    return list({id(source): source for source in sources}.values())


def _marks(primary: bool, label: Annotation) -> list[tuple[int, Mark]]:
    """Return the underlines of a location with their line numbers; the label goes below the last one."""
    span = label.span
    first, last = span.line, _last_line(span)
    numbers = range(first, last + 1) if last - first < _SHOWN_LINES else (first, last)
    marks: list[tuple[int, Mark]] = []
    for number in numbers:
        line = span.source.line(number)
        indent = len(line) - len(line.lstrip())
        start = span.column - 1 if number == first else indent
        end = span.source.position(span.end)[1] - 1 if number == _end_line(span) else len(line.rstrip())
        if number in (first, last) or end > start:
            marks.append((number, Mark(start, max(end, start + 1), "", primary)))
    number, mark = marks[-1]
    marks[-1] = (number, Mark(mark.start, mark.end, label.text, primary))
    return marks


def _end_line(span: Span) -> int:
    return span.source.position(span.end)[0]


def _snippet(
    source: Source, marks: list[tuple[int, Mark]], margin: int, paint: Paint, tint: str, longest: int
) -> Iterable[str]:
    bar = paint("|", "bold", "blue")
    empty = f"{' ' * margin}{bar}"
    yield empty
    previous = 0
    for number, group in groupby(sorted(marks, key=lambda each: each[0]), key=lambda each: each[0]):
        if previous and number == previous + 2:
            yield from _row(source, previous + 1, [], margin, paint, tint, longest)
        elif previous and number > previous + 2:
            yield paint("...", "bold", "blue")
        yield from _row(source, number, [mark for _, mark in group], margin, paint, tint, longest)
        previous = number


def _row(
    source: Source, number: int, marks: list[Mark], margin: int, paint: Paint, tint: str, longest: int
) -> Iterable[str]:
    bar = paint("|", "bold", "blue")
    gutter = paint(str(number).rjust(margin - 1), "bold", "blue")
    for shown in excerpt(source.line(number), marks, paint, tint, longest):
        code, *under = shown
        yield f"{gutter} {bar} {code}".rstrip()
        for line in under:
            yield f"{' ' * margin}{bar} {line}"
