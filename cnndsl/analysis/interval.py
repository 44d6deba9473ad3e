"""Interval arithmetic for receptive fields: the range of positions on one axis that each position of a later map sees.

A `Track` maps position p of a map to the first and last position that it sees on the plane, the map on which fields are
measured. Sliding windows move by the same amount from one position to the next; magnifying layers do so only from one
period to the next, so a track has the ranges of one period. If nothing repeats on the map, as after branches of
different speeds, it has those of all positions; on a map of more than `LONGEST` positions it has those of blocks of
neighbours, which are bounds. Ranges may extend beyond the plane, into padding. Otherwise they are exact, in integers.
No range begins or ends before the previous one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from math import gcd, lcm

from cnndsl.records import record

LONGEST = 4096
"""The most ranges that a track has, so that magnifying layers cannot take unlimited time."""


@record(slots=True)
class Track:
    """The ranges of one period, and how far they advance in the next.

    With a `pace`, which is then the stride, they are the ranges of a whole map, one for each `block` of positions.
    Beyond its ends is padding, through which nothing is seen: positions there have the range of the nearest position of
    the map. The ranges of a `bound` contain what is seen, and may contain more.
    """

    ranges: tuple[tuple[int, int], ...] = ((0, 0),)
    advance: int = 1
    pace: Fraction | None = None
    block: int = 1
    bound: bool = False

    def at(self, position: int) -> tuple[int, int]:
        """Return the first and last position that a position sees.

        >>> Track(((-1, 1),), 2).at(3)
        (5, 7)
        >>> Track(((0, 2), (0, 5)), pace=Fraction(1)).at(3)
        (0, 5)
        """
        if self.pace is not None:
            return self.ranges[min(max(position, 0) // self.block, len(self.ranges) - 1)]
        turns, phase = divmod(position, len(self.ranges))
        first, last = self.ranges[phase]
        return first + turns * self.advance, last + turns * self.advance

    @property
    def size(self) -> int:
        """Return the size of the largest range."""
        return max(last - first + 1 for first, last in self.ranges)

    @property
    def stride(self) -> int | Fraction:
        """Return how far the range moves from one position to the next, on average; of several speeds the highest."""
        step = Fraction(self.advance, len(self.ranges)) if self.pace is None else self.pace
        return step.numerator if step.denominator == 1 else step

    @property
    def padding(self) -> int:
        """Return how far the range of position 0 begins before the plane; negative if it begins inside."""
        return -self.ranges[0][0]


@lru_cache(maxsize=4096)
def slide(track: Track, extent: int, step: int, before: int, grow: int = 1, positions: int = LONGEST) -> Track:
    """Return the track after a window of `extent` positions that moves by `step` and starts `before` positions early.

    `positions` is the size of the new map. A period longer than the map is not kept, and a track whose period is too
    long is not bounded beyond the map.

    With `grow` g, position p sees the inputs q with p <= g*q - before + k <= p for some k below the extent, as in a
    transposed convolution of stride g.

    >>> slide(slide(Track(), 3, 1, 1), 2, 2, 0)
    Track(ranges=((-1, 2),), advance=2, pace=None, block=1, bound=False)
    >>> slide(Track(), 2, 1, 0, grow=2).stride
    Fraction(1, 2)
    """
    period = len(track.ranges)
    if grow == 1 and period == 1 and track.pace is None:
        ((first, last),) = track.ranges
        front = first - track.advance * before
        ends = front, last + track.advance * (extent - 1 - before)
        return Track((ends,), track.advance * step, bound=track.bound)
    shared = gcd(period * grow, step)
    turns = period * grow // shared
    if track.pace is None and turns <= LONGEST:
        ranges = tuple(_seen(track, extent, at * step, before, grow) for at in range(turns))
        return _within(_shortened(Track(ranges, track.advance * (step // shared), bound=track.bound)), positions)
    pace = Fraction(track.stride) * step / grow
    return _tabulated(lambda at: _seen(track, extent, at * step, before, grow), positions, pace, track.bound)


def _seen(track: Track, extent: int, start: int, before: int, grow: int) -> tuple[int, int]:
    if grow == 1:
        low, high = start - before, start - before + extent - 1
    else:
        low, high = -((extent - 1 - before - start) // grow), (start + before) // grow
    low, high = min(low, high), max(low, high)
    return track.at(low)[0], track.at(high)[1]


def _tabulated(at: Callable[[int], tuple[int, int]], positions: int, pace: Fraction, bound: bool) -> Track:
    """Return the track of a map of `positions` positions, each of which has its own range."""
    block = -(-positions // LONGEST)
    if block == 1:
        return Track(tuple(map(at, range(positions))), pace=pace, bound=bound)
    starts = range(0, positions, block)
    ranges = tuple((at(start)[0], at(min(start + block, positions) - 1)[1]) for start in starts)
    return Track(ranges, pace=pace, block=block, bound=True)


def _within(track: Track, positions: int) -> Track:
    """Return the track on a map that may be shorter than the period; ranges beyond the map do not count."""
    if len(track.ranges) <= positions:
        return track
    return Track(track.ranges[:positions], pace=Fraction(track.stride), bound=track.bound)


def _shortened(track: Track) -> Track:
    """Return the track with the shortest period."""
    period = len(track.ranges)
    for shorter in range(1, period):
        if period % shorter or track.advance * shorter % period:
            continue
        part = Track(track.ranges[:shorter], track.advance * shorter // period, bound=track.bound)
        if all(part.at(at) == track.ranges[at] for at in range(period)):
            return part
    return track


def union(tracks: tuple[Track, ...], positions: int) -> Track:
    """Return the smallest track that contains all others on a map of `positions` positions.

    Tracks that move at different speeds, or whose common period is too long, are combined position by position.

    >>> union((Track(((-1, 1),), 2), Track(((0, 2),), 2)), 8)
    Track(ranges=((-1, 2),), advance=2, pace=None, block=1, bound=False)
    >>> union((Track(), Track(((0, 2),), 0)), 4).ranges
    ((0, 2), (0, 2), (0, 2), (0, 3))
    """
    if len(set(tracks)) == 1:
        return tracks[0]
    bound = any(track.bound for track in tracks)
    period = lcm(*(len(track.ranges) for track in tracks))
    if _repeat(tracks) and same_speed(tracks) and period <= LONGEST:
        ranges = tuple(_hull([track.at(at) for track in tracks]) for at in range(period))
        first = tracks[0]
        both = Track(ranges, first.advance * (period // len(first.ranges)), bound=bound)
        return _within(_shortened(both), positions)
    pace = max(Fraction(track.stride) for track in tracks)
    return _tabulated(lambda at: _hull([track.at(at) for track in tracks]), positions, pace, bound)


def _repeat(tracks: tuple[Track, ...]) -> bool:
    return all(track.pace is None for track in tracks)


def same_speed(tracks: tuple[Track, ...]) -> bool:
    """Return whether all tracks move by the same number of positions from unit to unit."""
    return len({track.stride for track in tracks}) == 1


def same_centres(tracks: tuple[Track, ...], positions: int) -> bool:
    """Return whether the ranges of all tracks have the same centre at each of the first positions.

    False if there are too many positions to compare.
    """
    if len(set(tracks)) == 1:
        return True
    if not same_speed(tracks):
        return positions == 1 and len({sum(track.at(0)) for track in tracks}) == 1
    period = positions
    if _repeat(tracks):
        period = min(lcm(*(len(track.ranges) for track in tracks)), positions)
    return period <= LONGEST and all(len({sum(track.at(at)) for track in tracks}) == 1 for at in range(period))


def everything(track: Track, positions: int) -> Track:
    """Return the track on which each position sees what all positions of a map see together."""
    return Track((_extremes(track, positions),), 0, bound=track.bound)


def clipped(track: Track, extent: int) -> Track:
    """Restrict a track that does not move to the plane."""
    ((first, last),) = track.ranges
    return Track(((max(0, first), min(extent - 1, last)),), 0, bound=track.bound)


def _hull(ranges: Sequence[tuple[int, int]]) -> tuple[int, int]:
    return min(first for first, _ in ranges), max(last for _, last in ranges)


def _extremes(track: Track, positions: int) -> tuple[int, int]:
    """Return the first and last position that any unit sees: a phase reaches farthest in its first or last period."""
    if track.pace is not None:
        return _hull(track.ranges)
    period = len(track.ranges)
    ends: list[tuple[int, int]] = []
    for phase, (first, last) in enumerate(track.ranges[:positions]):
        farthest = track.advance * ((positions - 1 - phase) // period)
        ends.append((first, last + farthest))
    return _hull(ends)
