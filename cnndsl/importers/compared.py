"""Check whether two graphs are the same network: compare all layers and options from the outputs back to the inputs.

Comparing numerical outputs would prove less: with initial weights, many changes have no effect on them. Names are
compared on request.
"""

from __future__ import annotations

from cnndsl.graph import Graph, Node
from cnndsl.layers.merge import MERGES


def difference(made: Graph, wanted: Graph, with_names: bool = False) -> str:
    """Return a description of how two graphs differ; empty if each layer has its counterpart.

    With names, layers with an entry in a weights file must have the same paths, too.

    >>> from cnndsl.network import loads
    >>> one = loads("INPUT 8x8x3 -> (CONV3-3 -> RELU + ID)").graph
    >>> difference(one, loads("INPUT 8x8x3 -> [(CONV3-3 -> RELU + ID)]*1").graph)
    ''
    >>> difference(loads("INPUT 8x8x3 -> CONV3-3 -> RELU").graph, loads("INPUT 8x8x3 -> CONV3-3 -> TANH").graph)
    'TANH is RELU'
    """
    pairs = _Pairs(made, wanted)
    return pairs.difference() or (pairs.renamed() if with_names else "")


class _Pairs:
    def __init__(self, made: Graph, wanted: Graph) -> None:
        self.made, self.wanted = made, wanted
        known: dict[object, int] = {}
        self.classes = _classes(made, known), _classes(wanted, known)
        self.counterparts: dict[int, int] = {}
        """Maps each node of the wanted graph to the node of the generated one."""

    def difference(self) -> str:
        ends = _outputs(self.made), _outputs(self.wanted)
        if len(ends[0]) != len(ends[1]):
            return f"{len(ends[1])} outputs are {len(ends[0])}"
        waiting = list(zip(*ends, strict=True))
        while waiting:
            at, wanted = waiting.pop()
            if wanted in self.counterparts:
                if self.counterparts[wanted] != at:
                    return f"the output of {self.wanted.nodes[wanted].text} is computed twice, or read elsewhere"
                continue
            self.counterparts[wanted] = at
            one, other = self.made.nodes[at], self.wanted.nodes[wanted]
            if told := _unlike(one, other):
                return told
            waiting += zip(self._ordered(one, other), other.inputs, strict=True)
        return "" if len(self.made) == len(self.counterparts) else "there are layers that nothing reads"

    def renamed(self) -> str:
        """Return which layer has a different name, in words; empty if none has."""
        for wanted, at in self.counterparts.items():
            one, other = self.made.nodes[at], self.wanted.nodes[wanted]
            if not other.inputs or not _has_tensors(self.wanted, other):
                continue
            if other.weights_of >= 0 <= one.weights_of:
                one, other = self.made.nodes[one.weights_of], self.wanted.nodes[other.weights_of]
            elif one.weights_of != other.weights_of:
                return f"`{other.path}` has weights of its own" if one.weights_of < 0 else f"`{other.path}` has none"
            if one.path != other.path:
                return f"`{other.path}` is called `{one.path}`"
        return ""

    def _ordered(self, one: Node, other: Node) -> tuple[int, ...]:
        """Return the inputs in the order of the other node's: operands of a sum of two may be swapped."""
        if not _is_sum(one) or len(one.inputs) != 2:
            return one.inputs
        made, wanted = self.classes
        is_turned = made[one.inputs[0]] != wanted[other.inputs[0]]
        return one.inputs[::-1] if is_turned else one.inputs


def _outputs(graph: Graph) -> list[int]:
    """Return the nodes of all outputs, the auxiliary outputs after the others."""
    return [*graph.main_outputs, *(each.node for each in graph.taps if each.is_tap)]


def _is_sum(node: Node) -> bool:
    return type(node.layer) is MERGES["+"]


def _classes(graph: Graph, known: dict[object, int]) -> list[int]:
    """Return a number for each node; nodes with equal computations, apart from their weights, share one."""
    found: list[int] = []
    for node in graph.nodes:
        below = [found[at] for at in node.inputs]
        ordered = sorted(below) if _is_sum(node) and len(below) == 2 else below
        found.append(known.setdefault((node.layer, node.shape, tuple(ordered)), len(known)))
    return found


def _unlike(one: Node, other: Node) -> str:
    if one.layer != other.layer:
        return f"{other.text} is {one.text}" if one.kind != other.kind else f"options of {other.text} differ"
    if one.shape != other.shape or len(one.inputs) != len(other.inputs):
        return f"{other.text} gives {one.shape}, not {other.shape}"
    return ""


def _has_tensors(graph: Graph, node: Node) -> bool:
    """Return whether a layer has an entry in a weights file, its own or that of another layer."""
    return any(each.persistent for each in node.layer.tensors(*graph.shapes(node)))
