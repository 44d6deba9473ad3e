"""Try out fixes before they are offered, by compiling the changed program.

The code that finds an error proposes a `Fix` without knowing about the program's other errors. This module applies all
fixes of a program at once, then those of the errors that follow, until it compiles. If it does not, each fix is tried
by itself: it must leave no error at its location. A fix that fails is not offered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import monotonic

from cnndsl.elaborate.program import Find, elaborate
from cnndsl.errors import CnnError, Diagnostic, Edit, Fix, Source, Span, edited
from cnndsl.limits import current, limits
from cnndsl.syntax.parse import parse
from cnndsl.values import Value

_MOST_ROUNDS = 12
"""The maximum number of rounds that fix errors uncovered by the previous fixes."""
_SECONDS = 2.0
"""The time limit for trying fixes."""
_MOST_LAYERS = 20_000
"""Networks with more layers are not compiled to try a fix."""
_LONGEST = 200_000
"""The maximum length of a source, in characters, for trying fixes."""


def tried(stop: CnnError, source: Source, settings: Mapping[str, Value], find: Find) -> CnnError:
    """Return the errors without the fixes that do not work."""
    if not any(each.fix for each in stop.diagnostics):
        return stop
    trial = _Trial(source, settings, find)
    together = compatible(stop.diagnostics)
    if len(source.text) <= _LONGEST and trial.ends_well(stop.diagnostics):
        kept = together
    else:
        kept = [each for each in together if trial.helps(each, stop.diagnostics)]
    places = {id(each) for each in kept}
    return CnnError([_marked(each) if id(each) in places else _without(each) for each in stop.diagnostics])


def fixed(source: Source, diagnostics: Sequence[Diagnostic]) -> str:
    """Return the text of a source after the fixes of its diagnostics, omitting fixes that overlap others."""
    edits = [edit for each in compatible(diagnostics) if each.fix for edit in each.fix.edits]
    edits = [edit for edit in edits if edit.span.source.name == source.name]
    return edited(Span(source, 0, len(source.text)), [Edit(_in(source, edit.span), edit.text) for edit in edits])


def _in(source: Source, span: Span) -> Span:
    return Span(source, span.start, span.end)


def _marked(diagnostic: Diagnostic) -> Diagnostic:
    marks = diagnostic.fix.marks if diagnostic.fix else ()
    return replace(diagnostic, others=(*diagnostic.others, *marks)) if marks else diagnostic


def _without(diagnostic: Diagnostic) -> Diagnostic:
    return diagnostic.advised(diagnostic.fix.otherwise) if diagnostic.fix else diagnostic


def compatible(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Return the diagnostics with a fix, omitting those that change what another one changes."""
    kept: list[Diagnostic] = []
    taken: list[Span] = []
    for each in diagnostics:
        spans = [edit.span for edit in each.fix.edits] if each.fix else []
        if spans and not any(_meet(span, other) for span in spans for other in taken):
            kept.append(each)
            taken += spans
    return kept


def _meet(one: Span, other: Span) -> bool:
    if one.source.name != other.source.name:
        return False
    is_same = one.start == other.start and one.end == other.end
    return is_same or (one.start < other.end and other.start < one.end)


class _Trial:
    """Compiles a program with changes."""

    def __init__(self, source: Source, settings: Mapping[str, Value], find: Find) -> None:
        self.source, self.settings, self.find = source, settings, find
        self.end = monotonic() + _SECONDS

    def errors(self, texts: Mapping[str, str]) -> Sequence[Diagnostic]:
        """Return the errors of the program if its files have these texts."""

        def find(name: str, user: Source) -> Source | str:
            found = self.find(name, user)
            return Source(found.name, texts[found.name]) if isinstance(found, Source) and found.name in texts else found

        name = self.source.name
        try:
            with limits(layers=min(_MOST_LAYERS, current().layers)):
                elaborate(parse(Source(name, texts.get(name, self.source.text))), self.settings, find)
        except CnnError as stop:
            return stop.diagnostics
        return ()

    def ends_well(self, diagnostics: Sequence[Diagnostic]) -> bool:
        """Return whether the program compiles after all fixes, and those of the errors that follow."""
        texts: dict[str, str] = {}
        for _ in range(_MOST_ROUNDS):
            fixing = compatible(diagnostics)
            if not fixing or monotonic() > self.end:
                return False
            texts.update(_changed(fixing))
            diagnostics = self.errors(texts)
            if not diagnostics:
                return True
            whole = Fix(tuple(edit for each in fixing if each.fix for edit in each.fix.edits))
            if any(_touches(each, whole) for each in diagnostics):
                return False
        return False

    def helps(self, diagnostic: Diagnostic, before: Sequence[Diagnostic]) -> bool:
        """Return whether one fix alone removes its error and leaves no error at its location."""
        fix = diagnostic.fix
        if fix is None or monotonic() > self.end:
            return False
        after = self.errors(_changed([diagnostic]))
        if any(_is_syntax(each) for each in after) and not any(_is_syntax(each) for each in before):
            return False
        return not any(_touches(each, fix) or _is_same(each, diagnostic) for each in after)


def _changed(diagnostics: Sequence[Diagnostic]) -> dict[str, str]:
    """Return the texts of all files that fixes change, by name."""
    sources = {edit.span.source.name: edit.span.source for each in diagnostics if each.fix for edit in each.fix.edits}
    return {name: fixed(source, diagnostics) for name, source in sources.items()}


def _is_syntax(diagnostic: Diagnostic) -> bool:
    return diagnostic.code.startswith("E01")


def _is_same(one: Diagnostic, other: Diagnostic) -> bool:
    is_here = one.span is not None and other.span is not None and one.span.start == other.span.start
    return is_here and (one.code, one.message) == (other.code, other.message)


def _touches(diagnostic: Diagnostic, fix: Fix) -> bool:
    """Return whether an error of the changed program is located at the change."""
    span, moved = diagnostic.span, 0
    if span is None:
        return False
    places = [edit.span for edit in fix.edits if edit.span.source.name == span.source.name]
    if diagnostic.code == "E0312" and any(edit.text == "(" for edit in fix.edits):
        return min(place.start for place in places) <= span.start <= max(place.end for place in places)
    for edit in sorted(fix.edits, key=lambda each: each.span.start):
        start = edit.span.start + moved
        end = start + len(edit.text)
        if span.source.name == edit.span.source.name and start < span.end and span.start < end:
            return True
        is_stuck = diagnostic.fix is None and not diagnostic.code.startswith("E03")
        if is_stuck and end <= span.start and not span.source.text[end : span.start].strip():
            return True
        moved += len(edit.text) - (edit.span.end - edit.span.start)
    return False
