"""Input sizes as compiling the program with each of them finds them: the oracle of `cnndsl.sizes`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cnndsl.elaborate.program import elaborate
from cnndsl.errors import CnnError, Source
from cnndsl.finding import used
from cnndsl.sweeping.size_search import InputExtents, SizeSearch
from cnndsl.syntax.parse import parse
from cnndsl.values import Value

Weights = frozenset[tuple[str, tuple[int, ...]]]
Compiled = tuple[str, Weights]
"""The output as it is written, and the entries of the `state_dict`."""


def search(text: str, settings: Mapping[str, Value] | None = None) -> SizeSearch:
    return SizeSearch(parse(Source("net.cnn", text)), settings or {}, used)


def compiled(source: Source, volumes: Mapping[str, Value]) -> Compiled | str:
    """What the compiler makes of a program with an input, or the code of its first error."""
    try:
        graph = elaborate(parse(source), volumes, used)
    except CnnError as stop:
        return stop.diagnostics[0].code
    tensors = ((node.path, each) for node in graph for each in graph.tensors(node))
    entries = frozenset((each.entry(path), each.shape) for path, each in tensors if each.persistent)
    return str(graph.nodes[graph.output].shape), entries


def volumes(found: SizeSearch, point: InputExtents) -> dict[str, Value]:
    """The settings that say what enters."""
    settings = [f"input.{name}" for name in found.input_names] or ["input"]
    return {settings[at]: (*point, found.entering[at].channels) for at in found.varied}


def differences(source: Source, points: Iterable[InputExtents]) -> list[str]:
    """Where the search and the compiler disagree: on whether an input works, on the output, and on which inputs have
    the same weights."""
    found = SizeSearch(parse(source), {}, used)
    several = list(points)
    found.solve(several)
    wrong: list[str] = []
    weights: dict[int, Weights] = {}
    for point in several:
        outcome, expected = found.outcomes[point], compiled(source, volumes(found, point))
        if isinstance(expected, str):
            wrong += [f"{point} does not compile: {expected}"] if outcome.works else []
        elif str(outcome.output) != expected[0]:
            wrong.append(f"{point} gives {expected[0]}, not {outcome.output}")
        elif weights.setdefault(outcome.weights, expected[1]) != expected[1]:
            wrong.append(f"{point} has other weights")
    if len(set(weights.values())) < len(weights):
        wrong.append("inputs with the same weights count as different")
    return wrong
