"""Compare two networks: match their layers, and report how the change affects each metric."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Literal

from cnndsl.analysis.alignment import aligned
from cnndsl.analysis.blocks import ComparedBlock, Correspondence, correspondence, purpose
from cnndsl.analysis.cost import Cost, costs
from cnndsl.analysis.execution import ExecutionsOf
from cnndsl.analysis.metric_table import METRICS, OF_NETWORKS
from cnndsl.analysis.region import GraphFacts, Region
from cnndsl.graph import Graph, NamedPart, Node, walk
from cnndsl.records import record

Verdict = Literal["same", "changed", "removed", "added"]


@record(slots=True)
class Pair:
    """A layer of each network, or of only one. `changes` lists the differences as (what, before, after); `block` is the
    block that the layer belongs to if the other network has nothing like it."""

    verdict: Verdict
    before: Node | None
    after: Node | None
    cost_before: Cost
    cost_after: Cost
    changes: tuple[tuple[str, str, str], ...] = ()
    block: ComparedBlock | None = None


@record(slots=True)
class Figure:
    """A metric of both networks. `at_most` says for each whether it is a bound."""

    name: str
    before: int | tuple[int, ...]
    after: int | tuple[int, ...]
    at_most: tuple[bool, bool] = (False, False)


@record(slots=True)
class Comparison:
    """All layers of both networks in order, and the metrics of the whole networks."""

    pairs: tuple[Pair, ...]
    figures: tuple[Figure, ...]

    @property
    def differs(self) -> bool:
        """Return whether any layer changed, or is only in one of the networks."""
        return any(pair.verdict != "same" for pair in self.pairs)

    @property
    def renamed(self) -> int:
        """Return how many layers have weights or buffers under a different name in the other network."""
        kept = [(pair.before, pair.after, pair.cost_after) for pair in self.pairs]
        return sum(
            bool(cost.params or cost.buffers) and before.path != after.path
            for before, after, cost in kept
            if before and after
        )


def compare(before: Graph, after: Graph, runs: ExecutionsOf) -> Comparison:
    """Align two networks block by block, and corresponding blocks layer by layer. The alignment follows structure, and
    pairs layers with the same name, text and type as far as possible."""
    costs_before, costs_after = costs(before), costs(after)
    blocks = correspondence(before, after)
    lone = blocks.lone
    both = [
        (before.nodes[old] if old is not None else None, after.nodes[new] if new is not None else None)
        for old, new in _side_by_side(before, after, blocks)
    ]
    became = {old.index: new.index for old, new in both if old and new}
    kept = set(became.values())
    pairs: list[Pair] = []
    for old, new in both:
        cost_old = costs_before[old.index] if old else Cost()
        cost_new = costs_after[new.index] if new else Cost()
        changes: tuple[tuple[str, str, str], ...] = ()
        if old and new:
            changes = (*_changes(before, old, after, new), *_rewired(before, old, after, new, became, kept))
        verdict: Verdict = "added" if old is None else "removed" if new is None else "changed" if changes else "same"
        block = lone[0].get(old.index) if old else lone[1].get(new.index) if new else None
        pairs.append(Pair(verdict, old, new, cost_old, cost_new, changes, block))
    return Comparison(tuple(pairs), tuple(_figures(*(GraphFacts(graph, runs).whole() for graph in (before, after)))))


def _labels(node: Node, given: Container[str]) -> tuple[str, ...]:
    """Return the names in a path, without numbers. Names that are not `given` in the program, such as `conv2`, lose
    theirs too: they change when a layer is added."""
    parts = (part if part in given else part.rstrip("0123456789") for part in node.path.split("."))
    return tuple(filter(None, parts))


_WORTH = (1000, 100, 90, 60, 40, 20)
"""The scores of a pair of layers: for the same position in corresponding blocks, then by `_keys`."""


def _keys(graph: Graph) -> list[list[object]]:
    """Return, for each way to recognise a layer, the most exact first, the key of each node."""
    given = {part.name for part in walk(graph.tree) if isinstance(part, NamedPart)}
    labels = [_labels(node, given) for node in graph.nodes]
    ways: tuple[Callable[[Node], object], ...] = (
        lambda node: (labels[node.index], node.text, graph.shapes(node), node.shape),
        lambda node: (labels[node.index], node.text),
        lambda node: (labels[node.index], node.kind),
        lambda node: node.kind,
        purpose,
    )
    return [[way(node) for node in graph.nodes] for way in ways]


def _keys_within(graph: Graph, nodes: Sequence[int], places: Mapping[int, tuple[int, int]]) -> list[list[object]]:
    """Return the keys of some nodes. The first is the position in a block that corresponds layer for layer; all others
    include the block."""
    found = [places.get(at, (0, -1)) for at in nodes]
    in_step: list[object] = [place if place[1] >= 0 else object() for place in found]
    within: list[list[object]] = [
        [(place[0], key[at]) for at, place in zip(nodes, found, strict=True)] for key in _keys(graph)
    ]
    return [in_step, *within]


def _side_by_side(before: Graph, after: Graph, blocks: Correspondence) -> Iterator[tuple[int | None, int | None]]:
    """Yield the nodes of both networks in order. Nodes of blocks without a counterpart have none either; nodes of a
    block that has one are paired within it."""
    kept = [
        [node.index for node in graph if node.index not in alone]
        for graph, alone in zip((before, after), blocks.lone, strict=True)
    ]
    keys_old, keys_new = (
        _keys_within(graph, nodes, places)
        for graph, nodes, places in zip((before, after), kept, blocks.places, strict=True)
    )
    apart = [deque(sorted(alone)) for alone in blocks.lone]
    for old, new in aligned(range(len(kept[0])), range(len(kept[1])), keys_old, keys_new, _WORTH):
        at_old, at_new = (None if at is None else nodes[at] for at, nodes in zip((old, new), kept, strict=True))
        while apart[0] and at_old is not None and apart[0][0] < at_old:
            yield apart[0].popleft(), None
        while apart[1] and at_new is not None and apart[1][0] < at_new:
            yield None, apart[1].popleft()
        yield at_old, at_new
    yield from ((at, None) for at in apart[0])
    yield from ((None, at) for at in apart[1])


def _changes(before: Graph, old: Node, after: Graph, new: Node) -> Iterator[tuple[str, str, str]]:
    """Yield the differences between the two layers of a pair."""
    if old.kind != new.kind:
        yield "kind", old.kind, new.kind
    elif old.layer != new.layer:
        for name in dict.fromkeys((*old.layer.options(), *(field.name for field in fields(old.layer)))):
            values = getattr(old.layer, name), getattr(new.layer, name)
            if values[0] != values[1]:
                yield name, _show(values[0]), _show(values[1])
    shapes = [" ".join(map(str, graph.shapes(node))) for graph, node in ((before, old), (after, new))]
    if shapes[0] != shapes[1]:
        yield "input", shapes[0], shapes[1]
    if old.shape != new.shape:
        yield "output", str(old.shape), str(new.shape)
    if old.training_only != new.training_only:
        yield "in training only", _show(old.training_only), _show(new.training_only)
    weights = _weights(before, old), _weights(after, new)
    if weights[0] != weights[1]:
        yield "weights of", *weights
    taps = [
        ", ".join(tap.name for tap in graph.taps if tap.node == node.index)
        for graph, node in ((before, old), (after, new))
    ]
    if taps[0] != taps[1]:
        yield "tap", taps[0], taps[1]


def _weights(graph: Graph, node: Node) -> str:
    """Return whose weights a layer has: its own, or those of the layer at a path."""
    return graph.nodes[node.weights_of].path if node.weights_of >= 0 else "its own"


def _rewired(
    before: Graph, old: Node, after: Graph, new: Node, became: dict[int, int], kept: set[int]
) -> Iterator[tuple[str, str, str]]:
    """Yield a change if a layer reads different layers than before, among those that both networks have."""
    meant = [became[at] for at in old.inputs if at in became]
    read = [at for at in new.inputs if at in kept]
    if meant != read and len(meant) == len(read):
        paths = (
            ", ".join(before.nodes[at].path for at in old.inputs),
            ", ".join(after.nodes[at].path for at in new.inputs),
        )
        yield "reads", *paths


def _show(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).strip("(,)").replace(", ", "x")


def _figures(before: Region, after: Region) -> Iterator[Figure]:
    for name, read in OF_NETWORKS.items():
        bounds = METRICS[name].bounds
        yield Figure(name, read(before), read(after), (bounds(before), bounds(after)))
