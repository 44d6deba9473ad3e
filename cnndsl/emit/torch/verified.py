"""The emitted text, verified: what leaves the emitter is what the graph says, or nothing leaves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cnndsl.emit.torch.part_queries import Borders
from cnndsl.emit.torch.source import source
from cnndsl.emit.torch.verify import Difference, check_arguments, verify
from cnndsl.graph import Graph
from cnndsl.values import Value

MOST_LAYERS = 20_000
"""Networks with more layers are emitted without being verified."""


class MiscompiledError(Exception):
    """The emitted text is not what the graph says: an internal error. `differences` are what was found, smallest part
    first."""

    def __init__(self, differences: tuple[Difference, ...]) -> None:
        first, *others = differences
        more = f" (and {len(others)} more)" if others else ""
        super().__init__(f"the emitted module differs from the program: {first}{more}")
        self.differences = differences


def verified_source(graph: Graph) -> str:
    """Return the text of the module, after it was verified against the graph.

    Raises CnnError for labels that PyTorch cannot bear, MiscompiledError where text and graph differ.

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
    """Compare the class of a text, made with other arguments, with the graphs that the compiler makes of them.

    `compiled` compiles the program with settings, and raises CnnError where the compiler refuses them. Each argument
    gets two values beside its default, and once all get another one together.
    """
    domains = {name: tuple(domain) for name, domain in graph.domains.items()}
    return check_arguments(text, compiled, graph.settings, domains=domains, plugins=Borders(graph).helpers())


def is_verified(graph: Graph) -> bool:
    """Whether a network is small enough to be verified."""
    return len(graph) <= MOST_LAYERS
