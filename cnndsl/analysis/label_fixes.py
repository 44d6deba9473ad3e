"""Fixes for labels that name one layer but are meant for several: `stem: CONV3-32 -> BN -> RELU`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from cnndsl.analysis.region import GraphFacts, Region
from cnndsl.errors import Edit, Fix, Span
from cnndsl.graph import Graph

_FOLLOWING = re.compile(r"[ \t]*->[ \t]*[A-Za-z][\w{}/.*+-]*(?:\([^()\n]*\))?(?![\w:(*]|[ \t]*(?::|\*|\bif\b|\bor\b))")


def wider(label: str, region: Region, facts: GraphFacts, holds: Callable[[Region], bool]) -> Fix | None:
    """Return the fix that extends a label of one layer to as many of the layers after it in its line as an assertion
    needs to hold; None if the label names several layers already, or the assertion does not hold then either."""
    if len(region.nodes) != 1:
        return None
    (first,) = region.nodes
    graph, span = facts.graph, first.span
    text = span.source.text
    before = re.search(rf"(?<![\w.]){re.escape(label.rpartition('.')[2])}[ \t]*:[ \t]*$", text[: span.start][-200:])
    if before is None:
        return None
    end, best = span.end, -1
    for at in range(first.index + 1, len(graph.nodes)):
        following = _FOLLOWING.match(text, end)
        node = graph.nodes[at]
        if following is None or node.span.end != following.end() or node.inputs != (at - 1,):
            break
        end = following.end()
        if holds(facts.region(graph.nodes[first.index : at + 1], at)):
            best = end
    if best < 0:
        return None
    source = span.source
    edits = (Edit(Span(source, span.start, span.start), "["), Edit(Span(source, best, best), "]"))
    start = span.start - len(before[0])
    advice = f"`{label}` names {span.text} alone; square brackets let it name what follows too: {{}}"
    return Fix(edits, advice, Span(source, start, best))


def numbered(names: Sequence[str], graph: Graph) -> str:
    """Return what to write for `layer1.conv1` if `layer1` is a repeat with numbered parts; otherwise empty."""
    for at in range(1, len(names)):
        outer, inner = ".".join(names[:at]), ".".join(names[at:])
        numbers = [each[len(outer) + 1 :] for each in graph.parts if re.fullmatch(rf"{re.escape(outer)}\.[0-9]+", each)]
        first = next((number for number in numbers if graph.named(f"{outer}.{number}.{inner}") is not None), None)
        if first is not None:
            listed = (
                f"{', '.join(numbers[:-1])} and {numbers[-1]}" if len(numbers) < 4 else f"{numbers[0]} to {numbers[-1]}"
            )
            are = f"the parts {listed}" if len(numbers) > 1 else f"the part {listed}"
            return f"`{outer}` has {are}: `{outer}.{first}.{inner}`"
    return ""
