"""Pieces of a graph that is not a chain, in ranks: edges run straight down, and across only between two ranks.

So an edge crosses no piece: in each rank that it passes it takes a spot, as a piece does. Edges of one source share
their path, and part at dots.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cnndsl.emit.drawing.layout.pieces import MERGE, Fragment
from cnndsl.emit.drawing.layout.ranks import Spot, apart, order, place, ranked, spots
from cnndsl.emit.drawing.layout.sketch import Sketch

_TRACK = 7.0
"""The distance of two edges that run across."""
_LEAVING, _ENTERING = 6.0, 12.0
"""From a rank to the first edge across beneath it, and from the last one to the next rank."""
_BARE = 13.0
"""The gap between two ranks if all edges run straight down."""
SIDE = MERGE + 9
"""How far from the axis of a merge an edge runs down that enters at its side."""
_NEAR, _SLANT = 7.0, 3.0
"""How far from its axis a piece may be entered, and how far a spot may be moved, so that an edge is straight."""
_SAME = 0.01
_DOT = 2.5
_OFF = 5.0
"""The least distance of an edge from the next piece of the rank."""
_CLOSE = 4.0
"""The least distance between edges of different sources."""
_SHIFTS = (4.0, -4.0, 8.0, -8.0)
_SHARES = (0.0, 0.8, 0.6, 0.45)
"""The share of the width that the pieces of a rank may take (0: no limit); edges and bends need space too."""
_HOPELESS = 3.0
"""A drawing wider than this many times the room does not fit with fewer pieces in a rank either."""
MOST_SPOTS = 10_000
"""The most spots of a drawing."""


@dataclass(eq=False)
class _Net:
    """The edges from a spot to the next rank: where each ends, and the height of its horizontal part."""

    source: Spot
    ends: list[tuple[Spot, float]]
    track: int = -1

    @property
    def span(self) -> tuple[float, float]:
        xs = [self.source.x, *(x for _, x in self.ends)]
        return min(xs), max(xs)

    @property
    def is_straight(self) -> bool:
        return all(x == self.source.x for _, x in self.ends)


def layered(
    pieces: Sequence[Fragment],
    edges: Sequence[tuple[int, int]],
    rounds: Collection[int],
    room: float,
    *,
    is_left: bool = True,
    ordered: Collection[int] = (),
) -> Fragment | None:
    """Draw pieces that edges join, each to a later one, within a width if possible. `rounds` are the merges that are
    circles; edges enter those that are `ordered` in their order from left to right, if possible. The axis is that of
    the first piece; if it is left, that is beneath the last one. Return None if the drawing would have too many
    spots."""
    found: Fragment | None = None
    for share in _SHARES:
        most = room * share if share else float("inf")
        found = _in_ranks(pieces, edges, rounds, most, room, is_left=is_left, ordered=ordered)
        if found is None or found.width <= room or found.width > _HOPELESS * room:
            break
    return found


def _in_ranks(
    pieces: Sequence[Fragment],
    edges: Sequence[tuple[int, int]],
    rounds: Collection[int],
    most: float,
    room: float,
    *,
    is_left: bool,
    ordered: Collection[int],
) -> Fragment | None:
    least = [SIDE + 1 if at in rounds else 0 for at in range(len(pieces))]
    sizes = [(max(each.left, own), max(each.right, own)) for each, own in zip(pieces, least, strict=True)]
    ranks = ranked([left + right for left, right in sizes], edges, most)
    if is_left and ranks[-1] < max(ranks):  # the edge that leaves must pass lower pieces
        edges = [*edges, (len(pieces) - 1, len(pieces))]
        sizes, ranks = [*sizes, (1.0, 1.0)], [*ranks, max(ranks) + 1]
    far: dict[int, int] = {}
    for source, target in edges:
        far[source] = max(far.get(source, 0), ranks[target] - ranks[source] - 1)
    if sum(far.values()) > MOST_SPOTS:
        return None
    rows = spots(sizes, edges, ranks, ordered)
    order(rows)
    for row in rows:
        for spot in row:
            _give_ports(spot, spot.piece in rounds)
    place(rows, room - 2 * _TRACK)
    ends = [*pieces, Fragment(1, 1, 0, Sketch())] if len(sizes) > len(pieces) else pieces
    return _drawn(ends, rows, rounds)


def _give_ports(spot: Spot, is_round: bool) -> None:
    """Set where edges enter a piece: a circle at its top and its sides, a box side by side at its top."""
    above = sorted(spot.above, key=lambda each: each.place)
    if len(above) < 2:
        return
    if is_round:
        places = {2: (-SIDE, SIDE), 3: (-SIDE, 0.0, SIDE)}[len(above)]
        if [each.piece < 0 for each in above] == [False, True]:
            places = (0.0, SIDE)
        elif [each.piece < 0 for each in above] == [True, False]:
            places = (-SIDE, 0.0)
    else:
        room = min(spot.left, spot.right) - 8
        places = tuple(room * (2 * at / (len(above) - 1) - 1) for at in range(len(above)))
    spot.ports = {id(each): x for each, x in zip(above, places, strict=True)}


def _drawn(pieces: Sequence[Fragment], rows: Sequence[Sequence[Spot]], rounds: Collection[int]) -> Fragment:
    sketch = Sketch()
    y = 0.0
    reach = [0.0, 0.0]
    for upper, lower in pairwise([*rows, []]):
        band = max((pieces[spot.piece].height for spot in upper if spot.piece >= 0), default=0)
        nets = _nets(upper, lower, rounds)
        _keep_apart(nets, lower, rounds)
        count = _give_tracks(nets)
        gap = _LEAVING + _TRACK * (count - 1) + _ENTERING if count else _BARE
        for spot in upper:
            low = y
            if spot.piece >= 0:
                piece = pieces[spot.piece]
                sketch.place(piece.sketch, spot.x, y)
                low = y + piece.height
            if spot.below:
                sketch.line([(spot.x, low), (spot.x, y + band)])
            reach = [min(reach[0], spot.x - spot.left), max(reach[1], spot.x + spot.right)]
        for net in nets:
            _draw_net(sketch, net, (y + band, y + band + gap), pieces, rounds)
            reach = [min(reach[0], net.span[0] - _DOT), max(reach[1], net.span[1] + _DOT)]
        y += band + (gap if lower else 0)
    first = next(spot for row in rows for spot in row if spot.piece == 0)
    last = next(spot for row in rows for spot in row if spot.piece == len(pieces) - 1)
    moved = Sketch()
    moved.place(sketch, -first.x, 0)
    return Fragment(first.x - reach[0], reach[1] - first.x, y, moved, exit=last.x - first.x)


def _nets(upper: Sequence[Spot], lower: Sequence[Spot], rounds: Collection[int]) -> list[_Net]:
    """Return the edges that leave a rank, with the positions where they enter the next one; nearly straight ones become
    straight."""
    found: list[_Net] = []
    for spot in upper:
        ends = [(target, _end(spot, target, lower, rounds)) for target in spot.below]
        if ends:
            found.append(_Net(spot, sorted(ends, key=lambda end: end[1])))
    return found


def _end(spot: Spot, target: Spot, lower: Sequence[Spot], rounds: Collection[int]) -> float:
    """Return where an edge enters a spot."""
    port = target.ports.get(id(spot), 0)
    x = target.x + port
    by = spot.x - x
    if target.piece < 0 and abs(by) <= _SLANT:
        target.x = spot.x
        return spot.x
    if target.piece in rounds and port:
        is_outside = by > 0 if port > 0 else by < 0
        side = target.place + (1 if port > 0 else -1)
        other = lower[side] if 0 <= side < len(lower) else None
        is_free = other is None or (
            other.x - other.left - _OFF > spot.x if port > 0 else other.x + other.right + _OFF < spot.x
        )
        return spot.x if is_outside and is_free else x
    is_alone = target.piece >= 0 and target.piece not in rounds and len(target.above) == 1
    return spot.x if abs(by) < _SAME or (is_alone and abs(by) <= _NEAR) else x


def _keep_apart(nets: Sequence[_Net], lower: Sequence[Spot], rounds: Collection[int]) -> None:
    """Move ends that are beneath the start of another edge, so that no two vertical edges overlap."""
    for net in nets:
        others = [each.source.x for each in nets if each is not net]
        for at, (target, x) in enumerate(net.ends):
            if x == net.source.x or _are_far(x, others):
                continue
            taken = [end for each in nets for spot, end in each.ends if (spot, end) != (target, x)]
            room = _room(net.source, target, lower, rounds)
            free = (x + by for by in _SHIFTS if room[0] <= x + by <= room[1])
            end = next((each for each in free if _are_far(each, others) and _are_far(each, taken)), x)
            net.ends[at] = (target, end)
            if target.piece < 0:
                target.x = end
        net.ends.sort(key=lambda end: end[1])


def _are_far(x: float, others: Sequence[float]) -> bool:
    return all(abs(x - each) >= _CLOSE for each in others)


def _room(spot: Spot, target: Spot, lower: Sequence[Spot], rounds: Collection[int]) -> tuple[float, float]:
    """Return the range of x in which an edge may enter a spot."""
    if target.piece in rounds:
        port = target.ports.get(id(spot), 0)
        x = target.x + port
        return (x, x + _CLOSE) if port > 0 else (x - _CLOSE, x) if port else (x - _CLOSE, x + _CLOSE)
    if target.piece >= 0:
        return target.x - target.left + _CLOSE, target.x + target.right - _CLOSE
    low, high = target.x - 2 * _CLOSE, target.x + 2 * _CLOSE
    if target.place:
        low = max(low, lower[target.place - 1].x + apart(lower[target.place - 1], target) - _OFF)
    if target.place + 1 < len(lower):
        high = min(high, lower[target.place + 1].x - apart(target, lower[target.place + 1]) + _OFF)
    return low, high


def _give_tracks(nets: Sequence[_Net]) -> int:
    """Give each net with a horizontal part a height of its own if others have one too, and return how many there are.

    Of those that run to the right, the one that begins furthest right is the highest, and vice versa on the other side:
    then no two of them cross twice.
    """
    moving = [net for net in nets if not net.is_straight]

    def rank(net: _Net) -> tuple[float, float]:
        low, high = net.span
        is_right = high - net.source.x >= net.source.x - low
        return (0.0, -net.source.x) if is_right else (1.0, net.source.x)

    done: list[_Net] = []
    for net in sorted(moving, key=rank):
        low, high = net.span
        net.track = 1 + max(
            (each.track for each in done if each.span[0] < high + _CLOSE and low < each.span[1] + _CLOSE), default=-1
        )
        done.append(net)
    return 1 + max((net.track for net in done), default=-1)


def _draw_net(
    sketch: Sketch,
    net: _Net,
    between: tuple[float, float],
    pieces: Sequence[Fragment],
    rounds: Collection[int],
) -> None:
    """Draw the edges of a net between two ranks: one down to the horizontal part, one to each side, and those that part
    from them."""
    top, low = between
    x, y = net.source.x, top + _LEAVING + _TRACK * net.track
    xs = [end for _, end in net.ends]
    parts = net.track >= 0 and len(xs) > 1
    if parts:
        sketch.line([(x, top), (x, y)])
    for target, end in net.ends:
        is_last = end in (xs[0], xs[-1]) and end != x
        start = [(x, y), (end, y)] if is_last else [(end, y)]
        points = [*(start if parts else [(x, top)] if end == x else [(x, top), (x, y), (end, y)]), (end, low)]
        if target.piece in rounds and target.ports.get(id(net.source)):
            points += [(end, low + MERGE), (target.x + (MERGE if end > target.x else -MERGE), low + MERGE)]
        end_piece = pieces[target.piece] if target.piece >= 0 else None
        sketch.line(points, head=end_piece is not None and end_piece.height > 0 and not end_piece.parts)
        if parts and not is_last:
            sketch.dot(end, y)
    if parts and xs[0] < x < xs[-1]:
        sketch.dot(x, y)
