"""Two networks side by side: which layer of one is which of the other, and what the change does to each figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from difflib import SequenceMatcher
from typing import Literal

from cnndsl.analysis.cost import Cost, costs, network_total
from cnndsl.analysis.depth import depth
from cnndsl.analysis.lecture import lecture_bytes
from cnndsl.analysis.receptive_field import last_map, receptive_fields
from cnndsl.graph import Graph, Node
from cnndsl.records import record

Verdict = Literal["same", "changed", "removed", "added"]


@record(slots=True)
class Pair:
    """A layer of each net, or of one only. `changes` says what differs: (what, before, after)."""

    verdict: Verdict
    before: Node | None
    after: Node | None
    cost_before: Cost
    cost_after: Cost
    changes: tuple[tuple[str, str, str], ...] = ()


@record(slots=True)
class Figure:
    """A figure of both networks."""

    name: str
    before: int | tuple[int, ...]
    after: int | tuple[int, ...]


@record(slots=True)
class Comparison:
    """All layers of both nets in order, and the figures of the whole."""

    pairs: tuple[Pair, ...]
    figures: tuple[Figure, ...]

    @property
    def differs(self) -> bool:
        return any(pair.verdict != "same" for pair in self.pairs)

    @property
    def renamed(self) -> int:
        """How many layers have weights or buffers under another name in the other net."""
        kept = [(pair.before, pair.after, pair.cost_after) for pair in self.pairs]
        return sum(
            bool(cost.params or cost.buffers) and before.path != after.path
            for before, after, cost in kept
            if before and after
        )


def compare(before: Graph, after: Graph) -> Comparison:
    """Aligns two networks layer by layer: by name and text, then by name, then by kind."""
    costs_before, costs_after = costs(before), costs(after)
    aligned = [
        (before.nodes[old] if old is not None else None, after.nodes[new] if new is not None else None)
        for old, new in _aligned(range(len(before)), range(len(after)), _keys(before), _keys(after))
    ]
    became = {old.index: new.index for old, new in aligned if old and new}
    kept = set(became.values())
    pairs: list[Pair] = []
    for old, new in aligned:
        cost_old = costs_before[old.index] if old else Cost()
        cost_new = costs_after[new.index] if new else Cost()
        changes: tuple[tuple[str, str, str], ...] = ()
        if old and new:
            changes = (*_changes(before, old, after, new), *_rewired(before, old, after, new, became, kept))
        verdict: Verdict = "added" if old is None else "removed" if new is None else "changed" if changes else "same"
        pairs.append(Pair(verdict, old, new, cost_old, cost_new, changes))
    figures = zip(_figures(before, costs_before), _figures(after, costs_after), strict=True)
    return Comparison(tuple(pairs), tuple(Figure(name, old, new) for (name, old), (_, new) in figures))


def _labels(node: Node) -> tuple[str, ...]:
    """The labels of a path; numbers are left out, one more layer shifts them."""
    return tuple(part for part in node.path.split(".") if not part.isdigit())


def _keys(graph: Graph) -> list[list[object]]:
    """For each way to recognise a layer, the most exact first, what it goes by for each node."""
    labels = [_labels(node) for node in graph.nodes]
    ways: tuple[Callable[[Node], object], ...] = (
        lambda node: (labels[node.index], node.text, graph.shapes(node), node.shape),
        lambda node: (labels[node.index], node.text),
        lambda node: (labels[node.index], node.kind),
        lambda node: node.kind,
    )
    return [[way(node) for node in graph.nodes] for way in ways]


def _aligned(
    before: range, after: range, keys_before: list[list[object]], keys_after: list[list[object]]
) -> Iterator[tuple[int | None, int | None]]:
    """Pairs what agrees in the first key; what lies between is aligned by the others."""
    if not before or not after or not keys_before:
        yield from ((at, None) for at in before)
        yield from ((None, at) for at in after)
        return
    old, new = keys_before[0][before.start : before.stop], keys_after[0][after.start : after.stop]
    done, done_after = 0, 0
    for start, start_after, size in _blocks(old, new):
        gap, gap_after = before[done:start], after[done_after:start_after]
        yield from _aligned(gap, gap_after, keys_before[1:], keys_after[1:])
        done, done_after = start + size, start_after + size
        yield from zip(before[start:done], after[start_after:done_after], strict=True)


def _blocks(old: list[object], new: list[object]) -> Iterator[tuple[int, int, int]]:
    """Where the two agree, and how far; at last an empty block at their ends.

    What they begin and end with is left out of the search, whose time is quadratic.
    """
    shorter = min(len(old), len(new))
    front = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    back = next((at for at in range(shorter - front) if old[-1 - at] != new[-1 - at]), shorter - front)
    yield 0, 0, front
    middle = old[front : len(old) - back], new[front : len(new) - back]
    for block in SequenceMatcher(None, *middle, autojunk=False).get_matching_blocks():
        yield front + block.a, front + block.b, block.size
    yield len(old) - back, len(new) - back, back


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
    if old.training_only != new.training_only:
        yield "in training only", _show(old.training_only), _show(new.training_only)
    taps = [
        ", ".join(tap.name for tap in graph.taps if tap.node == node.index)
        for graph, node in ((before, old), (after, new))
    ]
    if taps[0] != taps[1]:
        yield "tap", taps[0], taps[1]


def _rewired(
    before: Graph, old: Node, after: Graph, new: Node, became: dict[int, int], kept: set[int]
) -> Iterator[tuple[str, str, str]]:
    """That a layer reads others than it did, of those that both nets have."""
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


def _figures(graph: Graph, each: Mapping[int, Cost]) -> Iterator[tuple[str, int | tuple[int, ...]]]:
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
