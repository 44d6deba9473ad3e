"""After a syntax error, check the rest of a file and report its errors in the same run.

The fixes of syntax errors are applied, anything still invalid is omitted, and the remaining program is elaborated. Of
its errors, those are reported that cannot result from what was changed or omitted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from cnndsl.elaborate.program import Find, elaborate
from cnndsl.elaborate.uncalled import wrong_in_uncalled_blocks
from cnndsl.errors import Annotation, CnnError, Diagnostic, Edit, Source, Span
from cnndsl.fixes import compatible
from cnndsl.limits import current, limits
from cnndsl.linting.usage import names_outside
from cnndsl.syntax import ast
from cnndsl.syntax.masking import masked
from cnndsl.syntax.parse import parse
from cnndsl.values import Value

_LONGEST = 100_000
_MOST_ROUNDS = 12
_MOST_LAYERS = 20_000
_CERTAIN = re.compile(r"E02(0[2-8]|2\d|3[125]|4[0-9])|E03")
"""The errors to report: those about values, options, layers and references, blocks, and shapes."""
_OF_NAMES = re.compile("E0201|E0232")
_OF_SHAPES = re.compile(r"E0208|E03")


def with_more(stop: CnnError, source: Source, settings: Mapping[str, Value], find: Find) -> CnnError:
    """Return the errors of a text; if they are syntax errors, add the errors in the rest of the text."""
    if len(source.text) > _LONGEST or _parses(source):
        return stop
    text = _ChangedText(source)
    diagnostics: Sequence[Diagnostic] = stop.diagnostics
    for _ in range(_MOST_ROUNDS):
        fixing = compatible(diagnostics)
        if not fixing:
            break
        text.apply([edit for each in fixing if each.fix for edit in each.fix.edits])
        try:
            parse(Source(source.name, text.text))
        except CnnError as again:
            diagnostics = again.diagnostics
            continue
        break
    lines = [source.line(each.span.line) for each in stop.diagnostics if each.span is not None]
    more = [each for each in _further(text, lines, settings, find) if not _is_known(each, stop.diagnostics)]
    found = sorted([*stop.diagnostics, *more], key=lambda each: each.span.start if each.span else 0)
    return CnnError(found[: current().errors]) if more else stop


def _parses(source: Source) -> bool:
    try:
        parse(source)
    except CnnError:
        return False
    return True


def _is_known(diagnostic: Diagnostic, known: Sequence[Diagnostic]) -> bool:
    return any(each.span == diagnostic.span for each in known)


class _ChangedText:
    """A text after edits, with the original offset of each of its characters."""

    def __init__(self, source: Source) -> None:
        self.source, self.text = source, source.text
        self.origin = list(range(len(source.text) + 1))
        self.changed: list[tuple[int, int]] = []
        """Ranges of the original that were changed."""

    def apply(self, edits: Sequence[Edit]) -> None:
        for edit in sorted(edits, key=lambda each: -each.span.start):
            start, end = edit.span.start, edit.span.end
            self.changed.append((self.origin[start], self.origin[end]))
            self.text = self.text[:start] + edit.text + self.text[end:]
            self.origin[start:end] = [self.origin[start]] * len(edit.text)

    def span(self, span: Span) -> Span:
        """Map a span of the changed text to the original text."""
        start = self.origin[span.start]
        return Span(self.source, start, max(self.origin[max(span.end - 1, span.start)] + 1, start))


def _stem(word: str) -> str:
    """Return a name without the number that a placeholder may stand for: `map` for `map0`, labelled by `map{i}`."""
    return word.rstrip("0123456789") or word


def _further(text: _ChangedText, lines: Sequence[str], settings: Mapping[str, Value], find: Find) -> list[Diagnostic]:
    """Return the errors of a changed text other than syntax errors, at their locations in the original. `lines` are
    those with syntax errors: the names defined there are unknown."""
    found = masked(text.text)
    if found is None:
        return []
    file, parts = found
    left_out = [text.span(Span(text.source, start, end)) for start, end in parts]
    words = {_stem(word) for start, end in parts for word in re.findall(r"[A-Za-z_]\w*", text.text[start:end])}
    near = {_stem(word) for line in lines for word in re.findall(r"([A-Za-z_]\w*)(?:\{[^{}]*\})*\s*[:=]", line)}
    has_shapes = not any(re.match(r"\s*(?i:input)\b", text.text[start:end]) for start, end in parts)
    changed = [(span.start, span.end) for span in left_out] + text.changed
    result: list[Diagnostic] = []
    for each in _errors(file, settings, find):
        if each.span is None or each.span.source is not file.source or not _CERTAIN.match(each.code):
            continue
        if _OF_SHAPES.match(each.code) and not has_shapes:
            continue
        moved = _moved(each, text, file.source)
        mentioned = {_stem(word) for word in re.findall(r"[A-Za-z_]\w*", each.span.text)}
        unknown = words | near if _OF_NAMES.match(each.code) else words
        if moved.span is not None and not _meets(moved.span, changed) and unknown.isdisjoint(mentioned):
            result.append(moved)
    return result


def _errors(file: ast.File, settings: Mapping[str, Value], find: Find) -> list[Diagnostic]:
    """Return the errors of a program, including those in blocks that the remaining program does not call."""
    known = names_outside(file)
    blocks = [each for each in file.statements if isinstance(each, ast.Block) and each.name not in known]
    with limits(layers=min(_MOST_LAYERS, current().layers)):
        found = wrong_in_uncalled_blocks(file, blocks, settings, find)
        try:
            elaborate(file, settings, find)
        except CnnError as stop:
            found += stop.diagnostics
    return sorted(found, key=lambda each: each.span.start if each.span else 0)


def _meets(span: Span, places: Sequence[tuple[int, int]]) -> bool:
    return any(start < span.end and span.start < end for start, end in places)


def _moved(diagnostic: Diagnostic, text: _ChangedText, source: Source) -> Diagnostic:
    """Return the error at its location in the original text, without a fix if that changes what was already changed."""
    span = text.span(diagnostic.span) if diagnostic.span is not None else None
    others = tuple(
        Annotation(text.span(each.span), each.text) for each in diagnostic.others if each.span.source is source
    )
    moved = replace(diagnostic, span=span, others=others)
    fix = diagnostic.fix
    if fix is None:
        return moved
    edits = tuple(Edit(text.span(each.span), each.text) for each in fix.edits)
    is_same = all(edit.span.text == each.span.text for edit, each in zip(edits, fix.edits, strict=True))
    place = text.span(fix.place) if fix.place is not None else None
    return moved.advised(replace(fix, edits=edits, place=place) if is_same else fix.otherwise)
