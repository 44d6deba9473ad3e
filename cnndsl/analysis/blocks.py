"""Match the blocks of two networks: which blocks correspond, and which have no counterpart."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from cnndsl.analysis.alignment import aligned
from cnndsl.analysis.equality import PartClass, PartClasses
from cnndsl.analysis.groups import RowGroup, grouped
from cnndsl.graph import Graph, MergePart, Node, nodes_of, walk
from cnndsl.records import record

SMALLEST = 4
"""Blocks with fewer layers are always compared layer by layer."""
_ALIKE = 0.5
"""Two chains of layers are versions of each other if at least this fraction of their layer types agrees."""
_MOST = 0.75
_ALIKE_ROLES = frozenset({"activation", "normalisation", "pooling"})


@record(slots=True)
class ComparedBlock:
    """A block as tables show it. `units` are the numbers of the block and of the larger parts in it, by
    `PartClass.abstract`; it is a chain if it contains no merge."""

    name: str
    title: str
    nodes: tuple[int, ...]
    parts: tuple[RowGroup, ...]
    number: PartClass
    units: frozenset[int]
    is_chain: bool


@record(slots=True)
class Correspondence:
    """The correspondence between the blocks of two networks, for each network by node. `lone` maps a node to its block
    if the other network has nothing like that block. `places` maps a node to its location in the innermost block that
    has a counterpart.

    A location is the number of the pair of blocks, and the node's position in the block if the blocks correspond layer
    for layer, else -1.
    """

    lone: tuple[Mapping[int, ComparedBlock], Mapping[int, ComparedBlock]]
    places: tuple[Mapping[int, tuple[int, int]], Mapping[int, tuple[int, int]]]


def correspondence(before: Graph, after: Graph) -> Correspondence:
    """Find which blocks of two networks correspond.

    Blocks correspond if they are equal, if they are equal except for widths, strides and projections, if they have the
    same name, if they repeat the same unit, or if they are chains of similar layer types. Blocks that correspond but
    are not equal are compared further inside, except such chains: their layers are aligned as a whole. A chain whose
    layers occur in the other network outside of blocks has a counterpart, too.
    """
    classes = PartClasses(before, after)
    old, new = _Blocks(before, classes), _Blocks(after, classes)
    groups_old, groups_new = grouped(before, "block"), grouped(after, "block")
    names_old, names_new = ({each.path for each in groups} for groups in (groups_old, groups_new))
    opened = list(_opened(before, groups_old, names_new)), list(_opened(after, groups_new, names_old))
    lone: tuple[dict[int, ComparedBlock], dict[int, ComparedBlock]] = {}, {}
    places: tuple[dict[int, tuple[int, int]], dict[int, tuple[int, int]]] = {}, {}
    pending, count = [opened], 0
    while pending:
        several_old, several_new = _shared_repeats_opened(old, new, *pending.pop())
        blocks_old, blocks_new = old.of(several_old), new.of(several_new)
        pairs, alone_old, alone_new = _matched(blocks_old, blocks_new, before, after)
        for pair in pairs:
            count += 1
            in_step = _in_step(before, pair[0], after, pair[1])
            for found, block in zip(places, pair, strict=True):
                found.update((node, (count, at if in_step else -1)) for at, node in enumerate(block.nodes))
        pending += [
            (one.parts, other.parts)
            for one, other in pairs
            if one.number.exact != other.number.exact and not _are_like_chains(before, one, after, other)
        ]
        loose_old, loose_new = old.loose(several_old, blocks_old), new.loose(several_new, blocks_new)
        lone[0].update((at, each) for each in alone_old if not old.is_written_out(each, loose_new) for at in each.nodes)
        lone[1].update((at, each) for each in alone_new if not new.is_written_out(each, loose_old) for at in each.nodes)
    return Correspondence(lone, places)


def _shared_repeats_opened(
    old: _Blocks, new: _Blocks, groups_old: Iterable[RowGroup], groups_new: Iterable[RowGroup]
) -> tuple[list[RowGroup], list[RowGroup]]:
    """Return the groups of both networks, with a repeat replaced by its iterations if the other network has one of
    them, by name or except for widths: its repeat may be longer or shorter, or be written out."""
    sides = (old, list(groups_old)), (new, list(groups_new))
    marks = [
        {
            mark
            for group in groups
            for turn in (group.parts if _is_repeat(group) else (group,))
            for mark in blocks.marks(turn)
        }
        for blocks, groups in sides
    ]
    opened: list[list[RowGroup]] = []
    for (blocks, groups), others in zip(sides, reversed(marks), strict=True):
        opened.append([])
        for group in groups:
            is_shared = _is_repeat(group) and any(not others.isdisjoint(blocks.marks(turn)) for turn in group.parts)
            opened[-1] += group.parts if is_shared else (group,)
    return opened[0], opened[1]


def _is_repeat(group: RowGroup) -> bool:
    return group.times > 1 and not group.path


def _in_step(before: Graph, one: ComparedBlock, after: Graph, other: ComparedBlock) -> bool:
    """Return whether two blocks have the same purposes layer for layer, in the same structure. Another activation or
    another width does not change a layer's position."""
    if len(one.nodes) != len(other.nodes):
        return False
    return list(_wired(before, one)) == list(_wired(after, other))


def _wired(graph: Graph, block: ComparedBlock) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield each layer's purpose, and the positions in the block of the layers it reads, -1 for others."""
    places = {node: at for at, node in enumerate(block.nodes)}
    for node in block.nodes:
        yield purpose(graph.nodes[node]), tuple(places.get(at, -1) for at in graph.nodes[node].inputs)


def purpose(node: Node) -> str:
    """Return what can replace the layer: its type, or its role if all types of that role are interchangeable."""
    return node.layer.ROLE if node.layer.ROLE in _ALIKE_ROLES else node.kind


_WAYS: tuple[tuple[Callable[[ComparedBlock], object], int], ...] = (
    (lambda block: (block.number.exact, block.name), 100),
    (lambda block: block.number.exact, 85),
    (lambda block: (block.number.abstract, block.name), 80),
    (lambda block: block.number.abstract, 50),
    (lambda block: block.name, 40),
)
"""The ways to recognise a block, the most exact first, each with the score of a pair that agrees in it."""


def _matched(
    old: Sequence[ComparedBlock], new: Sequence[ComparedBlock], before: Graph, after: Graph
) -> tuple[list[tuple[ComparedBlock, ComparedBlock]], list[ComparedBlock], list[ComparedBlock]]:
    """Return the pairs of blocks that correspond, and the blocks of each network that have no counterpart."""
    keys_old, keys_new = ([list(map(way, blocks)) for way, _ in _WAYS] for blocks in (old, new))
    worth = [each for _, each in _WAYS]
    places = list(aligned(range(len(old)), range(len(new)), keys_old, keys_new, worth))
    pairs = [(old[at], new[other]) for at, other in places if at is not None and other is not None]
    alone_old = [old[at] for at, other in places if at is not None and other is None]
    alone_new = [new[other] for at, other in places if other is not None and at is None]
    for one in list(alone_old):
        other = next((each for each in alone_new if _is_like(before, one, after, each)), None)
        if other is not None:
            pairs.append((one, other))
            alone_old.remove(one)
            alone_new.remove(other)
    return pairs, alone_old, alone_new


def _is_like(before: Graph, one: ComparedBlock, after: Graph, other: ComparedBlock) -> bool:
    return bool(one.units & other.units) or _are_like_chains(before, one, after, other)


def _are_like_chains(before: Graph, one: ComparedBlock, after: Graph, other: ComparedBlock) -> bool:
    if not one.is_chain or not other.is_chain:
        return False
    kinds = [before.nodes[at].kind for at in one.nodes], [after.nodes[at].kind for at in other.nodes]
    return SequenceMatcher(None, *kinds, autojunk=False).quick_ratio() >= _ALIKE


class _Blocks:
    """The larger blocks of one network."""

    def __init__(self, graph: Graph, classes: PartClasses) -> None:
        self.graph = graph
        self.numbers: dict[tuple[int, int], PartClass] = {}
        self.merges: list[int] = []
        for part in walk(graph.tree):
            inside = list(nodes_of(part))
            if len(inside) >= SMALLEST:
                self.numbers.setdefault((min(inside), max(inside)), classes.of(part))
            if isinstance(part, MergePart):
                self.merges.append(part.node)
        self.merges.sort()
        self.ranges = sorted(self.numbers)

    def marks(self, group: RowGroup) -> set[object]:
        """Return a group's marks, its name and its number by `PartClass.abstract`; empty for other groups."""
        number = self.numbers.get((min(group.nodes), max(group.nodes)))
        return set() if number is None else {number.abstract, *([group.path] if group.path else [])}

    def of(self, groups: Iterable[RowGroup]) -> list[ComparedBlock]:
        """Return the groups that are blocks, in order."""
        found: list[ComparedBlock] = []
        for group in groups:
            first, last = min(group.nodes), max(group.nodes)
            number = self.numbers.get((first, last))
            if len(group.nodes) < SMALLEST or number is None:
                continue
            inside = self.ranges[bisect_left(self.ranges, (first, 0)) : bisect_left(self.ranges, (last + 1, 0))]
            units = frozenset(self.numbers[each].abstract for each in inside if each[1] <= last)
            is_chain = bisect_left(self.merges, first) == bisect_left(self.merges, last + 1)
            found.append(ComparedBlock(group.path, group.title, group.nodes, group.parts, number, units, is_chain))
        return found

    def loose(self, groups: Iterable[RowGroup], blocks: Iterable[ComparedBlock]) -> Counter[str]:
        """Return the types of the layers outside of blocks, each with its number of layers."""
        inside = {at for block in blocks for at in block.nodes}
        return Counter(self.graph.nodes[at].kind for group in groups for at in group.nodes if at not in inside)

    def is_written_out(self, block: ComparedBlock, loose: Counter[str]) -> bool:
        """Return whether a block is a chain most of whose layers occur in the other network outside of blocks."""
        found = Counter(self.graph.nodes[at].kind for at in block.nodes)
        return block.is_chain and (found & loose).total() >= _MOST * len(block.nodes)


def _opened(graph: Graph, groups: Iterable[RowGroup], others: Container[str]) -> Iterator[RowGroup]:
    """Yield the groups, with one of over half of the network opened unless the other has a group of its name."""
    for group in groups:
        if group.parts and 2 * len(group.nodes) > len(graph) and not (group.path and group.path in others):
            yield from _opened(graph, group.parts, others)
        else:
            yield group
