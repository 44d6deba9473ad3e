"""Apply the fixes that messages offer to programs, as a machine does."""

from __future__ import annotations

from collections.abc import Mapping

from cnndsl.errors import CnnError, Source
from cnndsl.fixes import fixed
from cnndsl.graph import Graph, Node
from cnndsl.network import compiled
from cnndsl.values import Value

_MOST_ROUNDS = 20


def after_fixes(text: str, settings: Mapping[str, Value] | None = None) -> str:
    """Return a program after all fixes that are offered for it, and for the errors that then remain, and so on.

    >>> after_fixes("INPUT 8x8x3 -> CONV3-4 RELU")
    'INPUT 8x8x3 -> CONV3-4 -> RELU'
    """
    for _ in range(_MOST_ROUNDS):
        source = Source("net.cnn", text)
        try:
            compiled(source, settings or {})
        except CnnError as stop:
            changed = fixed(source, stop.diagnostics)
            if changed == text:
                return text
            text = changed
        else:
            return text
    return text


def structure(graph: Graph) -> list[object]:
    """Return the structure that two programs share if they mean the same network: for each layer its path, its PyTorch
    code, its inputs and shape; and the outputs."""
    nodes = [(node.path, _module(graph, node), node.inputs, node.shape, node.training_only) for node in graph]
    return [*nodes, graph.output, [(tap.name, tap.node) for tap in graph.taps]]


def _module(graph: Graph, node: Node) -> str:
    return f"{node.kind} {node.layer.torch(*graph.shapes(node))}" if node.inputs else node.kind
