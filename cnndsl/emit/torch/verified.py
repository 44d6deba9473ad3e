"""The verified source: the emitter returns only text that agrees with the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cnndsl.emit.torch.part_queries import Borders
from cnndsl.emit.torch.source import source
from cnndsl.emit.torch.verify import Difference, check_arguments, verify
from cnndsl.graph import Graph
from cnndsl.values import Value

MOST_LAYERS = 20_000
"""Maximum number of layers of a network that is verified; larger ones are emitted unverified."""


class MiscompiledError(Exception):
    """Raised if the emitted text does not agree with the graph: an internal error. `differences` are those found,
    smallest part first."""

    def __init__(self, differences: tuple[Difference, ...]) -> None:
        first, *others = differences
        more = f" (and {len(others)} more)" if others else ""
        super().__init__(f"the emitted module differs from the program: {first}{more}")
        self.differences = differences


def verified_source(graph: Graph) -> str:
    """Return the text of the module, verified against the graph.

    Raises CnnError for labels that PyTorch does not accept, MiscompiledError if text and graph differ.

    >>> from cnndsl.network import loads
    >>> "nn.Linear(192, 10)" in verified_source(loads("INPUT 8x8x3 -> FC-10").graph)
    True
    """
    text = source(graph)
    if is_verified(graph):
        outcome = verify(text, graph, plugins=Borders(graph).helpers())
        if outcome.differences:
            raise MiscompiledError(outcome.differences)
    return text


def argument_differences(
    text: str, graph: Graph, compiled: Callable[[Mapping[str, Value]], Graph]
) -> tuple[Difference, ...]:
    """Compare the emitted class, instantiated with other arguments, with the graphs that the compiler builds for them.

    `compiled` compiles the program with settings, and raises CnnError if the compiler rejects them. Each argument gets
    two values other than its default, and once all of them get another one together.
    """
    domains = {name: tuple(domain) for name, domain in graph.domains.items()}
    return check_arguments(text, compiled, graph.settings, domains=domains, plugins=Borders(graph).helpers())


def is_verified(graph: Graph) -> bool:
    """Return whether a network is small enough to be verified."""
    return len(graph) <= MOST_LAYERS
