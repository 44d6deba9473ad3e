"""The findings of `lint` rules, with their locations and suggested fixes, and queries that several rules share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cnndsl.analysis.depth import is_dense, is_weighted
from cnndsl.errors import Diagnostic, Help, Span
from cnndsl.graph import Graph, Node
from cnndsl.layers.base import Window
from cnndsl.records import record


@record(slots=True)
class Finding:
    """A violation of a rule, and the suggested fix."""

    span: Span
    message: str
    help: Help = ""

    def diagnostic(self, code: str) -> Diagnostic:
        """Return the finding as the diagnostic of a rule."""
        return Diagnostic(code, self.message, self.span, severity="warning").advised(self.help)


Check = Callable[[Graph], Iterator[Finding]]


def by(extents: tuple[int, ...]) -> str:
    """Format a size as a program writes it.

    >>> by((7, 7))
    '7x7'
    """
    return "x".join(map(str, extents))


def convolutions(graph: Graph) -> Iterator[tuple[Node, tuple[int, ...], Window]]:
    """Yield the layers whose filters slide over their input, each with the size of the filters and its window."""
    for node in graph.layers:
        shapes = graph.shapes(node)
        size, window = node.layer.filter_size(*shapes), node.layer.window(*shapes)
        if size and window is not None:
            yield node, size, window


def shared_filters(graph: Graph, node: Node) -> tuple[int, ...]:
    """Return the size of the filters of a convolution with the same weights everywhere; empty for other layers."""
    return node.layer.filter_size(*graph.shapes(node)) if node.inputs and node.layer.SHARES_WEIGHTS else ()


def magnifies(graph: Graph, node: Node) -> bool:
    """Return whether a pooling has more output positions than input positions, so that it copies values."""
    return node.layer.ROLE == "pooling" and node.shape.pixels > graph.shapes(node)[0].pixels


def reads_map(graph: Graph, node: Node) -> bool:
    """Return whether a dense layer reads a map of more than one pixel."""
    return is_dense(graph, node) and source_of_vector(graph, node).shape.pixels > 1


def source_of_vector(graph: Graph, node: Node) -> Node:
    """Return the node whose map a dense layer reads, whether it is flattened before the layer or by it."""
    before = graph.nodes[node.inputs[0]]
    while before.inputs and not before.shape.rank and not is_weighted(graph, before) and len(before.inputs) == 1:
        before = graph.nodes[before.inputs[0]]
    return before
