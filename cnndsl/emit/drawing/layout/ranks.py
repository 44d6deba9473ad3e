"""Place the pieces of a graph that is not a chain: in ranks by their longest path, in an order with few crossings.

Layered drawing has four steps (Sugiyama, Tagawa and Toda 1981, "Methods for visual understanding of hierarchical system
structures"): ranks, spots along longer edges, an order in each rank by barycentres, and coordinates. Here the edges of
one source share their spots, so that they part as late as possible. The coordinates of a rank are the nearest to the
wished ones that keep the pieces apart, which pooling finds in linear time. `layered.py` draws edges.

grandalf 0.8, the library for this in Python, has the licences GPL-2 and EPL-1.0, and draws edges straight through
boxes; Graphviz is not written in Python. Neither supports merges that are entered at the side.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

_APART, _BESIDE = 14.0, 9.0
"""The least gap between two pieces, and between an edge and its neighbour."""
_SWEEPS = 8
_STRAIGHT = {0: 1.0, 1: 2.0, 2: 8.0}
"""The weight of an edge's straightness, by how many of its ends are spots on the way (Gansner et al. 1993)."""


@dataclass(eq=False)
class Spot:
    """A piece in its rank, or a spot of an edge over several ranks (`piece` is -1): how far it extends to both sides of
    its axis, its inputs and readers, and the distance from the axis at which each edge enters."""

    rank: int
    left: float
    right: float
    piece: int = -1
    x: float = 0
    place: int = 0
    above: list[Spot] = field(default_factory=list["Spot"])
    below: list[Spot] = field(default_factory=list["Spot"])
    ports: dict[int, float] = field(default_factory=dict[int, float])
    """By the `id` of the spot above."""
    is_ordered: bool = False
    """Whether the spots above are in the order in which they are read."""


def ranked(sizes: Sequence[float], edges: Sequence[tuple[int, int]], most: float) -> list[int]:
    """Return the rank of each piece of a width: one more than the highest rank among its inputs, or a later one that
    isn't full yet. A piece without inputs is directly above its first reader. Edges lead to larger numbers.

    >>> ranked([9] * 5, [(0, 1), (1, 2), (0, 2), (3, 4)], 100), ranked([9] * 4, [(0, 1), (0, 2), (0, 3)], 40)
    ([0, 1, 2, 0, 1], [0, 1, 1, 2])
    """
    found = [0] * len(sizes)
    ends = [0] * len(sizes)
    used: defaultdict[int, float] = defaultdict(float)
    inputs: defaultdict[int, list[int]] = defaultdict(list)
    readers: defaultdict[int, list[int]] = defaultdict(list)
    for source, target in edges:
        inputs[target].append(source)
        readers[source].append(target)
    for at, size in enumerate(sizes):
        rank = 1 + max((found[each] for each in inputs[at]), default=-1)
        while used[rank] and used[rank] + size > most:
            rank += 1
        found[at] = ends[at] = rank
        used[rank] += size + _APART
        for source in inputs[at]:
            for passed in range(ends[source] + 1, rank):
                used[passed] += _BESIDE
            ends[source] = max(ends[source], rank - 1)
    for at in range(len(sizes)):
        if not inputs[at] and readers[at]:
            found[at] = min(found[reader] for reader in readers[at]) - 1
    numbers = {rank: number for number, rank in enumerate(sorted(set(found)))}
    return [numbers[rank] for rank in found]


def spots(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    ranks: Sequence[int],
    ordered: Collection[int] = (),
) -> list[list[Spot]]:
    """Return the spots of each rank in executable order, joined by the edges; a source leads to one spot in a rank. The
    inputs of those that are `ordered` are read in the order of the edges."""
    rows: list[list[Spot]] = [[] for _ in range(max(ranks) + 1)]
    pieces = [Spot(ranks[at], left, right, at, is_ordered=at in ordered) for at, (left, right) in enumerate(sizes)]
    ways: dict[int, list[Spot]] = {}
    for source, target in edges:
        way = ways.setdefault(source, [pieces[source]])
        while way[-1].rank < ranks[target] - 1:
            way.append(Spot(way[-1].rank + 1, 0, 0))
            _join(way[-2], way[-1])
        _join(way[ranks[target] - 1 - ranks[source]], pieces[target])
    for at, piece in enumerate(pieces):
        rows[piece.rank].append(piece)
        for each in ways.get(at, [piece])[1:]:
            rows[each.rank].append(each)
    _number(rows)
    return rows


def _join(one: Spot, other: Spot) -> None:
    one.below.append(other)
    other.above.append(one)


def order(rows: list[list[Spot]]) -> None:
    """Order the spots of each rank by the barycentres of their neighbours, in sweeps down and up; keep the order with
    the fewest operands in a wrong order, and then the fewest crossings."""
    best, least = [list(row) for row in rows], _faults(rows)
    for sweep in range(_SWEEPS):
        if not any(least):
            break
        is_down = sweep % 2 == 0
        for row in rows[1:] if is_down else rows[-2::-1]:
            row.sort(key=_by_those_above if is_down else _by_those_below)
            for place, spot in enumerate(row):
                spot.place = place
        found = _faults(rows)
        if found < least:
            best, least = [list(row) for row in rows], found
    rows[:] = best
    _number(rows)


def _number(rows: Sequence[Sequence[Spot]]) -> None:
    for row in rows:
        for place, spot in enumerate(row):
            spot.place = place


def _by_those_above(spot: Spot) -> float:
    return sum(each.place for each in spot.above) / len(spot.above) if spot.above else spot.place


def _by_those_below(spot: Spot) -> float:
    ends = [each.place + (each.above.index(spot) / len(each.above) if each.is_ordered else 0) for each in spot.below]
    return sum(ends) / len(ends) if ends else spot.place


def _faults(rows: Sequence[Sequence[Spot]]) -> tuple[int, int]:
    """Return how many operands are left of the one before them, and how many edges cross."""
    readers = (spot for row in rows for spot in row if spot.is_ordered)
    wrong = sum(one.place > other.place for each in readers for one, other in pairwise(each.above))
    return wrong, crossings(rows)


def crossings(rows: Sequence[Sequence[Spot]]) -> int:
    """Return how many edges cross; each pair of ranks is counted by a tree of sums (Barth, Jünger and Mutzel 2002)."""
    total = 0
    for upper, lower in pairwise(rows):
        ends = [end for spot in upper for end in sorted(each.place for each in spot.below)]
        sums = [0] * (len(lower) + 1)
        for number, end in enumerate(ends):
            at, before = end + 1, 0
            while at:
                before += sums[at]
                at &= at - 1
            total += number - before
            at = end + 1
            while at <= len(lower):
                sums[at] += 1
                at += at & -at
    return total


def place(rows: Sequence[Sequence[Spot]], room: float) -> None:
    """Give each spot its x, within a width if the ranks have room in it: first from the left, then in sweeps that move
    each as near to its neighbours as the others allow."""
    for row in rows:
        x = row[0].left
        for before, spot in zip([None, *row], row, strict=False):
            x += 0 if before is None else apart(before, spot)
            spot.x = x
    room = max(room, *(row[-1].x + row[-1].right for row in rows))
    for sweep in range(2 * _SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            is_down = sweep % 2 == 0
            sides = (True, True) if sweep >= _SWEEPS else (is_down, not is_down)
            _settle(row, [_wished(spot, sides) for spot in row], room)
    for is_down in (False, True):
        for row in rows if is_down else reversed(rows):
            _settle(row, [_straight(spot, is_down=is_down) for spot in row], room)


def apart(one: Spot, other: Spot) -> float:
    """Return the least distance between the axes of neighbours in a rank."""
    return one.right + other.left + (_APART if one.piece >= 0 and other.piece >= 0 else _BESIDE)


def _settle(row: Sequence[Spot], wishes: Sequence[tuple[float, float]], room: float) -> None:
    """Move the spots of a rank as near as possible to their wishes, with all of them apart and between 0 and `room`. A
    wish has a weight and an x."""
    shift = 0.0
    groups: list[list[float]] = []  # weight, weighted sum, count: each group moves as one
    shifts: list[float] = []
    for before, spot, (weight, wished) in zip([None, *row], row, wishes, strict=False):
        shift += 0 if before is None else apart(before, spot)
        shifts.append(shift)
        groups.append([weight, weight * (wished - shift), 1])
        while len(groups) > 1 and groups[-2][1] / groups[-2][0] > groups[-1][1] / groups[-1][0]:
            last = groups.pop()
            groups[-1] = [one + other for one, other in zip(groups[-1], last, strict=True)]
    low, high = row[0].left, room - row[-1].right - shift
    at = 0
    for weight, total, count in groups:
        for _ in range(int(count)):
            row[at].x = min(max(total / weight, low), high) + shifts[at]
            at += 1


def _wished(spot: Spot, sides: tuple[bool, bool]) -> tuple[float, float]:
    """Return the wished x of a spot, with its weight."""
    wishes: list[tuple[float, float]] = []
    if sides[0]:
        wishes += ((_weight(each, spot), each.x - spot.ports.get(id(each), 0)) for each in spot.above)
    if sides[1]:
        wishes += ((_weight(spot, each), each.x + each.ports.get(id(spot), 0)) for each in spot.below)
    if not wishes:
        return 0.1, spot.x
    total = sum(weight for weight, _ in wishes)
    return total, sum(weight * x for weight, x in wishes) / total


def _straight(spot: Spot, *, is_down: bool) -> tuple[float, float]:
    """Return the wish to be in line with the only neighbour at one side, or otherwise to stay."""
    near = spot.above if is_down else spot.below
    if len(near) == 1:
        upper, lower = (near[0], spot) if is_down else (spot, near[0])
        is_way = upper.piece < 0 and lower.piece < 0
        if is_way or (len(upper.below) == 1 and len(lower.above) == 1):
            return _STRAIGHT[2] if is_way else 2 * _STRAIGHT[2], near[0].x
    return 1, spot.x


def _weight(one: Spot, other: Spot) -> float:
    return _STRAIGHT[(one.piece < 0) + (other.piece < 0)]
