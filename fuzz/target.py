"""What must hold for any bytes whatever: a result or a located error, in no time.

`check` is the property; `run.py` looks for bytes that break it, and tests/hostile holds the corpus against it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from cnndsl import diagnostics
from cnndsl.analysis.assertions import check as broken_contracts
from cnndsl.analysis.execution import unknown
from cnndsl.elaborate.program import elaborate
from cnndsl.errors import CnnError, Diagnostic, Source
from cnndsl.files import decode
from cnndsl.finding import used
from cnndsl.graph import Graph
from cnndsl.limits import limits
from cnndsl.network import Network
from cnndsl.report.formats import FORMATS
from cnndsl.syntax.format import format
from cnndsl.syntax.parse import parse


class Broken(Exception):
    """A property that does not hold."""


def check(data: bytes, *, seconds: float = 1.0, layers: int = 2000) -> Graph | None:
    """Reads, formats, elaborates and counts a program; the graph where it is one. Raises Broken where that goes wrong.

    Whatever else is raised is a mistake too.
    """
    started = time.process_time()
    with limits(layers=layers):
        graph = _network(data)
        if graph is not None:
            stats = Network(graph).stats()
            for form in FORMATS:
                stats.render(form)
    taken = time.process_time() - started
    if taken > seconds:
        raise Broken(f"took {taken:.1f} s")
    return graph


def _network(data: bytes) -> Graph | None:
    try:
        source = decode("fuzz.cnn", data)
        _formats(source)
        graph = elaborate(parse(source), {}, used)
        wrong: Sequence[Diagnostic] = broken_contracts(graph, unknown)
    except CnnError as stop:
        graph, wrong = None, stop.diagnostics
        if not wrong:
            raise Broken("an error that says nothing") from None
    _located(wrong)
    return graph


def _formats(source: Source) -> None:
    """The formatter's text is a program that the formatter leaves as it is, and whose network is the same."""
    text = format(parse(source))
    try:
        again = format(parse(Source("formatted.cnn", text)))
    except CnnError as stop:
        raise Broken(f"what the formatter wrote is no program: {stop}") from None
    if again != text:
        raise Broken("formatting twice is not formatting once")
    if _meaning(source.text) != _meaning(text):
        raise Broken("formatting changed the meaning")


def _meaning(text: str) -> object:
    """The layers of a network and where they stand; of what is none the codes of what is wrong."""
    try:
        graph = elaborate(parse(Source("meaning.cnn", text)), {}, used)
    except CnnError as stop:
        return sorted(each.code for each in stop.diagnostics)
    return [(node.path, node.layer, node.inputs, node.shape) for node in graph.nodes], graph.output


def _located(found: Sequence[Diagnostic]) -> None:
    for each in found:
        if each.span is None:
            raise Broken(f"no place: {each}")
        if not 0 <= each.span.start <= each.span.end <= len(each.span.source.text):
            raise Broken(f"outside of the text: {each.span.start} to {each.span.end}, {each}")
        if not each.message or len(each.message) > 5000:
            raise Broken(f"a message of {len(each.message)} characters")
    for form in diagnostics.FORMATS:
        shown = diagnostics.render(found, form)
        if any(char in shown for char in "\x1b\0\x9b\u202e"):
            raise Broken(f"something that steers a terminal, as {form}")
