"""Whatever the text and the places, a diagnostic can be shown, and shows nothing that a terminal would obey."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from cnndsl.diagnostics import FORMATS, render
from cnndsl.errors import Annotation, Diagnostic, Source, Span
from cnndsl.terminal import clean

TEXTS = st.text(st.one_of(st.sampled_from("ab -\t\n\r\x1b\x00é卷\u0301\u202e\ud800"), st.characters()), max_size=300)


@st.composite
def diagnostics(draw: st.DrawFn) -> Diagnostic:
    sources = [Source(draw(TEXTS), draw(TEXTS)) for _ in range(2)]

    def span() -> Span:
        source = draw(st.sampled_from(sources))
        ends = st.integers(0, len(source.text))
        start, end = sorted((draw(ends), draw(ends)))
        return Span(source, start, end)

    labels = tuple(Annotation(span(), draw(TEXTS)) for _ in range(draw(st.integers(0, 4))))
    place = span() if draw(st.booleans()) else None
    frames = tuple(draw(st.lists(TEXTS, max_size=3)))
    return Diagnostic("E0000", draw(TEXTS), place, draw(TEXTS), labels, frames, draw(TEXTS))


@given(diagnostics())
def test_every_diagnostic_can_be_shown(diagnostic: Diagnostic) -> None:
    for format in FORMATS:
        text = render([diagnostic], format)
        assert all(line == clean(line) for line in text.split("\n"))
        text.encode()
        if format in ("json", "sarif"):
            json.loads(text)
