"""Group layers that share an outline: a weight layer with the adjacent normalisations, activations and dropouts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from cnndsl.graph.graph import Graph

ATTACHED = frozenset({"normalisation", "activation", "arrangement", "identity"})
"""The roles of layers that share the outline of the layer next to them."""
_MOST = 6
"""The most layers in one row."""


def fused(graph: Graph, nodes: Iterable[int], given: Collection[int], *, leads: bool = False) -> list[tuple[int, ...]]:
    """Return consecutive layers as rows, in execution order. `given` are the nodes whose output has a name, after which
    a row ends.

    A row never crosses a fork or a merge. If normalisations come first, as in pre-activation networks, they belong to
    the layer that follows, and so do activations at the beginning of a block's branch (`leads`).

    >>> from cnndsl import loads
    >>> graph = loads("INPUT 8x8x3 -> CONV3-4 -> BN -> RELU -> POOL2 -> CONV3-4 -> GAP -> FC-10").graph
    >>> fused(graph, range(1, 8), ())
    [(1, 2, 3), (4,), (5,), (6, 7)]
    """
    return [row for run in _runs(graph, nodes, given) for row in _rows(graph, run, leads)]


def _runs(graph: Graph, nodes: Iterable[int], given: Collection[int]) -> Iterator[list[int]]:
    """Yield maximal chains in which each layer is the only reader of the one before it."""
    run: list[int] = []
    for node in nodes:
        at = graph.nodes[node]
        if run and (at.inputs != (run[-1],) or graph.readers[run[-1]] != (node,) or run[-1] in given):
            yield run
            run = []
        run.append(node)
        if not at.inputs:
            yield run
            run = []
    if run:
        yield run


def _rows(graph: Graph, run: Sequence[int], leads: bool) -> Iterator[tuple[int, ...]]:
    roles = [graph.nodes[node].layer.ROLE for node in run]
    last_main = max((at for at, role in enumerate(roles) if role not in ATTACHED), default=-1)
    before = {"normalisation", "activation"} if roles[0] == "normalisation" else set[str]()
    if roles[0] == "activation" and leads:
        before = {"activation"}
    is_alone = roles[0] == "activation" and not leads
    row: list[int] = []
    has_main = False
    for at, (node, role) in enumerate(zip(run, roles, strict=True)):
        is_main = role not in ATTACHED
        goes_on = not is_main or not has_main or (role == "dense" and _gives_vector(graph, row))
        if has_main and role in before and at < last_main and roles[at - 1] not in before:
            goes_on = False
        if is_alone and is_main and not has_main:
            goes_on = False
        if row and (not goes_on or len(row) == _MOST):
            yield tuple(row)
            row, has_main = [], False
        row.append(node)
        has_main = has_main or is_main
    yield tuple(row)


def _gives_vector(graph: Graph, row: Sequence[int]) -> bool:
    """Return whether the weightless layers of a row end in a global pooling."""
    mains = [graph.nodes[node] for node in row if graph.nodes[node].layer.ROLE not in ATTACHED]
    return all(each.layer.ROLE == "pooling" and each.shape.is_vector for each in mains)
