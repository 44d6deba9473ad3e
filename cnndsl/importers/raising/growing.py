"""Growing concatenations: if the operands of one begin or end with all operands of another, it reads that one instead.

Implementations of DenseNet keep a list and concatenate all of it in each layer; a program concatenates one more value
to the previous result. Both give the same values.
"""

from __future__ import annotations

from dataclasses import replace

from cnndsl.graph import Graph, Node, wired
from cnndsl.layers.merge import MERGES

Operands = tuple[int, ...]


def growing(graph: Graph) -> Graph:
    """Return the graph in which each concatenation reads the largest earlier one that it extends.

    >>> from cnndsl.network import loads
    >>> text = "INPUT 4x4x1 -> a: CONV1-2 -> b: (@input | ID) -> c: CONV1-3 -> d: (@input | @a | ID) -> FC-2"
    >>> [node.inputs for node in growing(loads(text.replace("@input", "@z").replace("a:", "z: ID -> a:")).graph)]
    [(), (0,), (0, 1), (2,), (2, 3), (4,)]
    """
    known: dict[Operands, int] = {}
    whole: dict[int, Operands] = {}
    nodes: list[Node] = []
    readers: dict[int, list[int]] = {}
    for node in graph.nodes:
        if type(node.layer) is not MERGES["|"]:
            nodes.append(node)
            continue
        parts = [whole.get(at, (at,)) for at in node.inputs]
        joined = _joined(node.inputs, parts, known)
        operands = tuple([each for part in parts for each in part])
        known.setdefault(operands, node.index)
        whole[node.index] = operands
        nodes.append(replace(node, inputs=joined))
        for at in set(joined) - set(node.inputs):
            readers.setdefault(at, []).append(node.index)
    for at, several in readers.items():
        nodes[at] = replace(nodes[at], path=_common([nodes[each].path for each in (at, *several)]))
    return replace(graph, digraph=wired(nodes)) if readers else graph


def _joined(inputs: Operands, parts: list[Operands], known: dict[Operands, int]) -> Operands:
    """Return the operands with the longest known prefix or suffix replaced by its concatenation."""
    for count in range(len(inputs) - 1, 1, -1):
        for start in (0, len(inputs) - count):
            taken = parts[start : start + count]
            at = known.get(tuple([each for part in taken for each in part]))
            if at is not None:
                return (*inputs[:start], at, *inputs[start + count :])
    return inputs


def _common(paths: list[str]) -> str:
    """Return a path in the innermost module that contains all of these."""
    modules = [path.split(".")[:-1] for path in paths]
    found: list[str] = []
    for several in zip(*modules, strict=False):
        if len(set(several)) > 1:
            break
        found.append(several[0])
    return ".".join([*found, paths[0].rpartition(".")[2]])
