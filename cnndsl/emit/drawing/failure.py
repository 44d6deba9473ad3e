"""The drawing of a network with an error, up to the place that fails, with the message beneath."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.drawing.cards.model import DrawingModel, FootLine
from cnndsl.emit.drawing.cards.tags import LinkOf, no_link
from cnndsl.errors import Diagnostic, Span
from cnndsl.graph.graph import Graph
from cnndsl.terminal import clean

_MERGE = "E0312"


def failure(
    graph: Graph, diagnostics: Sequence[Diagnostic], lines: Sequence[str], link: LinkOf = no_link
) -> DrawingModel:
    """Return the drawing of the layers whose shapes are known, and of what fails behind them. `lines` are the message
    as it is printed."""
    drawing = model(graph, link=link)
    first = diagnostics[0]
    count = "1 error" if len(diagnostics) == 1 else f"{len(diagnostics)} errors"
    note = FootLine(f"{count}; drawn as far as shapes are known", "!", "error")
    foot = (note, *(FootLine(clean(line), is_code=True) for line in lines))
    description = f"{graph.title} fails: {clean(first.message)}. What is known: {drawing.description}"
    return replace(drawing, foot=foot, failing=_failing(first), description=description, ends=(), u=None)


def _failing(found: Diagnostic) -> str:
    """What fails, as it is written; of a merge the ends of its branches with their shapes."""
    if found.span is None:
        return found.code
    if found.code != _MERGE or not found.others:
        return _line(found.span) or found.code
    sign = found.message.partition("`")[2].partition("`")[0]
    ends = [*((each.span, each.text) for each in found.others), (found.span, found.label)]
    return f" {sign} ".join(f"{_line(span)} {text}" for span, text in ends)


def _line(span: Span) -> str:
    return clean(span.text.partition("\n")[0].strip())
