"""Which range of one axis each position of a later map sees: the arithmetic behind receptive fields.

A `Track` gives for position p of a map the first and last position of the plane it is measured on. Sliding windows
move by the same amount from one position to the next; magnifying layers do so only from one period to the next, so
a track holds the ranges of one period. Where nothing repeats on the map, as after branches of different speeds, it
holds those of all positions. Ranges may lie outside the plane: that is padding. Exact, in integers, up to maps of
`LONGEST_PERIOD` positions.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import ceil, floor, gcd, lcm

from cnndsl.records import record

LONGEST_PERIOD = 4096
"""A track that needs more ranges is bounded by one that moves evenly, so that no magnification takes all time."""


@record(slots=True)
class Track:
    """The ranges of one period, and by how much they lie further on in the next.

    With a `pace` they are those of all positions of a map. Beyond its ends is padding, through which nothing is seen:
    what lies there has the range of the nearest position. The pace is the stride, which cannot be read off the ranges.
    A `bound` has ranges that hold what is seen, and may hold more.
    """

    ranges: tuple[tuple[int, int], ...] = ((0, 0),)
    advance: int = 1
    pace: Fraction | None = None
    bound: bool = False

    def at(self, position: int) -> tuple[int, int]:
        """The first and last position that are seen.

        >>> Track(((-1, 1),), 2).at(3)
        (5, 7)
        >>> Track(((0, 2), (0, 5)), pace=Fraction(1)).at(3)
        (0, 5)
        """
        if self.pace is not None:
            return self.ranges[min(max(position, 0), len(self.ranges) - 1)]
        turns, phase = divmod(position, len(self.ranges))
        first, last = self.ranges[phase]
        return first + turns * self.advance, last + turns * self.advance

    @property
    def size(self) -> int:
        """The extent of the largest range."""
        return max(last - first + 1 for first, last in self.ranges)

    @property
    def stride(self) -> int | Fraction:
        """How far the range moves from one position to the next, on average; of several speeds the highest."""
        step = Fraction(self.advance, len(self.ranges)) if self.pace is None else self.pace
        return step.numerator if step.denominator == 1 else step

    @property
    def padding(self) -> int:
        """How far the range of position 0 begins ahead of the plane; negative where it begins inside."""
        return -self.ranges[0][0]


@lru_cache(maxsize=4096)
def slide(track: Track, extent: int, step: int, before: int, grow: int = 1, positions: int = LONGEST_PERIOD) -> Track:
    """The track behind a window of `extent` positions that moves by `step` and starts `before` ahead.

    `positions` are those of the new map. A longer period than the map is not kept, and beyond the map a track with
    too long a period is not bounded.

    With `grow` g, position p sees the inputs q with p <= g*q - before + k <= p for some k below the extent, as in a
    transposed convolution of stride g.

    >>> slide(slide(Track(), 3, 1, 1), 2, 2, 0)
    Track(ranges=((-1, 2),), advance=2, pace=None, bound=False)
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
    if track.pace is None and turns <= LONGEST_PERIOD:
        ranges = tuple(_seen(track, extent, at * step, before, grow) for at in range(turns))
        return _within(_shortened(Track(ranges, track.advance * (step // shared), bound=track.bound)), positions)
    if positions > LONGEST_PERIOD:
        return _evenly(track, extent, step, before, grow, positions)
    ranges = tuple(_seen(track, extent, at * step, before, grow) for at in range(positions))
    return Track(ranges, pace=Fraction(track.stride) * step / grow, bound=track.bound)


def _seen(track: Track, extent: int, start: int, before: int, grow: int) -> tuple[int, int]:
    if grow == 1:
        low, high = start - before, start - before + extent - 1
    else:
        low, high = -((extent - 1 - before - start) // grow), (start + before) // grow
    low, high = min(low, high), max(low, high)
    return track.at(low)[0], track.at(high)[1]


def _evenly(track: Track, extent: int, step: int, before: int, grow: int, positions: int) -> Track:
    """What `slide` gives, bounded by a track of one range.

    Range k of the old track lies at most so far from where an even motion would have it; position p of the new map
    sees from (p*step + lowest)/grow to (p*step + highest)/grow of the old positions.
    """
    rate = Fraction(track.stride)
    ahead = min(first - rate * at for at, (first, _) in enumerate(track.ranges))
    behind = max(last - rate * at for at, (_, last) in enumerate(track.ranges))
    lowest = min(before + 1 - extent, before + 1 - grow)
    highest = max(before, before + grow - extent)
    speed = rate * step / grow
    advance = floor(speed)
    first = floor(ahead + rate * lowest / grow)
    last = ceil(behind + rate * highest / grow + (speed - advance) * (positions - 1))
    return Track(((first, last),), advance, bound=True)


def _within(track: Track, positions: int) -> Track:
    """The same on a map that may be shorter than the period; ranges that no unit of it has do not count."""
    if len(track.ranges) <= positions:
        return track
    return Track(track.ranges[:positions], pace=Fraction(track.stride), bound=track.bound)


def _shortened(track: Track) -> Track:
    """The same with the shortest period."""
    period = len(track.ranges)
    for shorter in range(1, period):
        if period % shorter or track.advance * shorter % period:
            continue
        part = Track(track.ranges[:shorter], track.advance * shorter // period, bound=track.bound)
        if all(part.at(at) == track.ranges[at] for at in range(period)):
            return part
    return track


def union(tracks: tuple[Track, ...], positions: int) -> Track:
    """The smallest track that contains all others on a map of so many positions.

    Tracks that move at different speeds, or whose common period is too long, are put together position by position;
    on a map with too many they are bounded by one that moves evenly.

    >>> union((Track(((-1, 1),), 2), Track(((0, 2),), 2)), 8)
    Track(ranges=((-1, 2),), advance=2, pace=None, bound=False)
    >>> union((Track(), Track(((0, 2),), 0)), 4).ranges
    ((0, 2), (0, 2), (0, 2), (0, 3))
    """
    if len(set(tracks)) == 1:
        return tracks[0]
    bound = any(track.bound for track in tracks)
    period = lcm(*(len(track.ranges) for track in tracks))
    if _repeat(tracks) and same_speed(tracks) and period <= LONGEST_PERIOD:
        ranges = tuple(_hull([track.at(at) for track in tracks]) for at in range(period))
        first = tracks[0]
        both = Track(ranges, first.advance * (period // len(first.ranges)), bound=bound)
        return _within(_shortened(both), positions)
    if positions > LONGEST_PERIOD:
        return _bound(tracks, positions)
    ranges = tuple(_hull([track.at(at) for track in tracks]) for at in range(positions))
    return Track(ranges, pace=max(Fraction(track.stride) for track in tracks), bound=bound)


def _repeat(tracks: tuple[Track, ...]) -> bool:
    return all(track.pace is None for track in tracks)


def same_speed(tracks: tuple[Track, ...]) -> bool:
    """Return whether two tracks move by the same number of positions from unit to unit."""
    return len({track.stride for track in tracks}) == 1


def same_centres(tracks: tuple[Track, ...], positions: int) -> bool:
    """True where the ranges of all tracks have the same centre at each of the first positions.

    False where these are too many to be looked at.
    """
    if len(set(tracks)) == 1:
        return True
    if not same_speed(tracks):
        return positions == 1 and len({sum(track.at(0)) for track in tracks}) == 1
    period = positions
    if _repeat(tracks):
        period = min(lcm(*(len(track.ranges) for track in tracks)), positions)
    return period <= LONGEST_PERIOD and all(len({sum(track.at(at)) for track in tracks}) == 1 for at in range(period))


def everything(track: Track, positions: int) -> Track:
    """What all positions of a map see together, whichever is asked."""
    return Track((_extremes(track, positions, 0),), 0, bound=track.bound)


def clipped(track: Track, extent: int) -> Track:
    """A track that does not move, within the plane."""
    ((first, last),) = track.ranges
    return Track(((max(0, first), min(extent - 1, last)),), 0, bound=track.bound)


def _hull(ranges: list[tuple[int, int]]) -> tuple[int, int]:
    return min(first for first, _ in ranges), max(last for _, last in ranges)


def _bound(tracks: tuple[Track, ...], positions: int) -> Track:
    speed = max(floor(track.stride) for track in tracks)
    return Track((_hull([_extremes(track, positions, speed) for track in tracks]),), speed, bound=True)


def _extremes(track: Track, positions: int, speed: int) -> tuple[int, int]:
    """The first and last position that any of so many sees, from a frame that moves along at some speed.

    Each phase of a period drifts evenly in such a frame, so it is farthest off in its first or its last turn.
    """
    if track.pace is not None:
        return _hull([(first - speed * at, last - speed * at) for at, (first, last) in enumerate(track.ranges)])
    period = len(track.ranges)
    drift = track.advance - speed * period
    ends: list[tuple[int, int]] = []
    for phase, (first, last) in enumerate(track.ranges[:positions]):
        farthest = drift * ((positions - 1 - phase) // period)
        ends.append((first - speed * phase + min(0, farthest), last - speed * phase + max(0, farthest)))
    return _hull(ends)
