"""Two networks side by side: which layer of one is which of the other, and what the change does to each figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from difflib import SequenceMatcher
from typing import Literal

from cnndsl.analysis.cost import Cost, costs, network_total
from cnndsl.analysis.depth import depth
from cnndsl.analysis.lecture import lecture_bytes
from cnndsl.analysis.receptive_field import last_map, receptive_fields
from cnndsl.graph import Graph, Node

Verdict = Literal["same", "changed", "removed", "added"]
Key = Callable[[Node], object]


@dataclass(frozen=True, slots=True)
class Pair:
    """A layer of each net, or of one only. `changes` says what differs: (what, before, after)."""

    verdict: Verdict
    before: Node | None
    after: Node | None
    cost_before: Cost
    cost_after: Cost
    changes: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of both networks."""

    name: str
    before: int | tuple[int, ...]
    after: int | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All layers of both nets in order, and the figures of the whole."""

    pairs: tuple[Pair, ...]
    figures: tuple[Figure, ...]

    @property
    def differs(self) -> bool:
        return any(pair.verdict != "same" for pair in self.pairs)


def compare(before: Graph, after: Graph) -> Comparison:
    """Aligns two networks layer by layer: by name and text, then by name, then by kind."""
    costs_before, costs_after = costs(before), costs(after)
    pairs: list[Pair] = []
    for old, new in _aligned(before.nodes, after.nodes, _KEYS):
        cost_old = costs_before[old.index] if old else Cost()
        cost_new = costs_after[new.index] if new else Cost()
        changes = tuple(_changes(before, old, after, new)) if old and new else ()
        verdict: Verdict = "added" if old is None else "removed" if new is None else "changed" if changes else "same"
        pairs.append(Pair(verdict, old, new, cost_old, cost_new, changes))
    figures = zip(_figures(before, costs_before), _figures(after, costs_after), strict=True)
    return Comparison(tuple(pairs), tuple(Figure(name, old, new) for (name, old), (_, new) in figures))


def _names(node: Node) -> tuple[str, ...]:
    """The labels of a path; numbers are left out, one more layer shifts them."""
    return tuple(part for part in node.path.split(".") if not part.isdigit())


_KEYS: tuple[Key, ...] = (
    lambda node: (_names(node), node.text, node.shape),
    lambda node: (_names(node), node.text),
    lambda node: (_names(node), node.kind),
    lambda node: node.kind,
)


def _aligned(
    before: tuple[Node, ...], after: tuple[Node, ...], keys: tuple[Key, ...]
) -> Iterator[tuple[Node | None, Node | None]]:
    """Pairs what agrees in the first key; what lies between is aligned by the others."""
    if not before or not after or not keys:
        yield from ((node, None) for node in before)
        yield from ((None, node) for node in after)
        return
    key, *others = keys
    matcher = SequenceMatcher(None, [key(node) for node in before], [key(node) for node in after], autojunk=False)
    done, done_after = 0, 0
    for block in matcher.get_matching_blocks():
        yield from _aligned(before[done : block.a], after[done_after : block.b], tuple(others))
        done, done_after = block.a + block.size, block.b + block.size
        yield from zip(before[block.a : done], after[block.b : done_after], strict=True)


def _changes(before: Graph, old: Node, after: Graph, new: Node) -> Iterator[tuple[str, str, str]]:
    """What differs between two layers of which one became the other."""
    if old.kind != new.kind:
        yield "kind", old.kind, new.kind
    elif old.layer != new.layer:
        for field in fields(old.layer):
            values = getattr(old.layer, field.name), getattr(new.layer, field.name)
            if values[0] != values[1]:
                yield field.name, _show(values[0]), _show(values[1])
    shapes = [" ".join(map(str, graph.shapes(node))) for graph, node in ((before, old), (after, new))]
    if shapes[0] != shapes[1]:
        yield "input", shapes[0], shapes[1]
    if old.shape != new.shape:
        yield "output", str(old.shape), str(new.shape)


def _show(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _figures(graph: Graph, each: tuple[Cost, ...]) -> Iterator[tuple[str, int | tuple[int, ...]]]:
    total, seen = network_total(graph, each), receptive_fields(graph)
    field = seen[last_map(graph, seen)]
    yield "params", total.params
    yield "weights", total.weights
    yield "macs", total.macs
    yield "flops", total.flops
    yield "operations", total.operations
    yield "activations", total.activations
    yield "memory", lecture_bytes(graph)
    yield "depth", depth(graph)
    yield "receptive_field", field.local.size if field else ()
    yield "output", graph.nodes[graph.output].shape.hwc
