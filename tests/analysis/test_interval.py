"""Tracks against brute force: the positions that are seen, one by one."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from cnndsl.analysis.interval import LONGEST, Track, everything, same_centres, slide, union

windows = st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(0, 3), st.integers(1, 3))


def seen(layers: list[tuple[int, int, int, int]], position: int) -> tuple[int, int]:
    """The first and last position of the plane that a position behind the layers sees, by enumerating each window."""
    positions = {position}
    for extent, step, before, grow in reversed(layers):
        behind: set[int] = set()
        for at in positions:
            if grow == 1:
                behind.update(range(at * step - before, at * step - before + extent))
            else:
                # Output p takes input q where p*step = q*grow - before + k for a tap k of the kernel.
                taps = (at * step + before - k for k in range(extent))
                behind.update(tap // grow for tap in taps if tap % grow == 0)
        positions = behind
    return min(positions), max(positions)


def through(layers: list[tuple[int, int, int, int]]) -> Track:
    track = Track()
    for layer in layers:
        track = slide(track, *layer)
    return track


@given(st.lists(windows.filter(lambda each: each[0] >= each[3]), max_size=4), st.integers(0, 20))
def test_a_track_sees_what_enumeration_does(layers: list[tuple[int, int, int, int]], position: int) -> None:
    assert through(layers).at(position) == seen(layers, position)


@given(st.lists(windows.filter(lambda each: each[0] >= each[3]), max_size=4))
def test_size_and_stride_are_those_of_the_ranges(layers: list[tuple[int, int, int, int]]) -> None:
    track = through(layers)
    ranges = [seen(layers, at) for at in range(108)]
    assert track.size == max(last - first + 1 for first, last in ranges)
    assert track.padding == -ranges[0][0]
    # 108 is a multiple of all products of magnifications up to 2*2*3*3*3.
    period = len(track.ranges)
    assert Fraction(ranges[period][0] - ranges[0][0], period) == track.stride if period < 108 else True


def test_two_convolutions_of_3_see_5() -> None:
    assert slide(slide(Track(), 3, 1, 1), 3, 1, 1) == Track(((-2, 2),), 1)


def test_a_union_holds_every_operand() -> None:
    tracks = Track(((0, 1), (0, 2)), 2), Track(((-1, 0),), 1)
    both = union(tracks, 10)
    for at in range(10):
        ranges = [track.at(at) for track in tracks]
        assert both.at(at) == (min(first for first, _ in ranges), max(last for _, last in ranges))


def test_a_union_has_the_shortest_period() -> None:
    """Written with four ranges, moving by 2, the first moves by 1 every two positions, as the second does."""
    slow = Track(((0, 0), (0, 0), (1, 1), (1, 1)), 2)
    assert union((slow, Track(((0, 0), (0, 0)), 1)), 12) == Track(((0, 0), (0, 0)), 1)
    assert union((Track(((0, 0), (1, 1)), 2), Track(((0, 1),), 1)), 12) == Track(((0, 1),), 1)
    # Ranges that only seem to repeat: the third is one too far.
    uneven = Track(((0, 0), (0, 0), (2, 2), (1, 1)), 2)
    assert union((uneven, uneven), 12) == uneven
    assert union((uneven, slow), 12) == Track(((0, 0), (0, 0), (1, 2), (1, 1)), 2)


def test_tracks_of_different_speed_are_bounded() -> None:
    tracks = Track(((0, 2),), 1), Track(((0, 0),), 2)
    both = union(tracks, 6)
    assert all(both.at(at)[0] <= at and both.at(at)[1] >= max(at + 2, 2 * at) for at in range(6))


def test_centres() -> None:
    assert same_centres((Track(((-1, 1),), 2), Track(((0, 0),), 2)), 5)
    assert not same_centres((Track(((-1, 1),), 2), Track(((0, 1),), 2)), 5)
    assert not same_centres((Track(((0, 0),), 1), Track(((0, 0),), 2)), 5)
    # What lies beyond the map does not count.
    apart = Track(((0, 0), (1, 1), (5, 5)), 3), Track(((0, 0), (1, 1), (2, 2)), 3)
    assert (same_centres(apart, 2), same_centres(apart, 3)) == (True, False)
    # At one position alone speed is nothing.
    assert same_centres((Track(((0, 0),), 1), Track(((-1, 1),), 2)), 1)
    assert not same_centres((Track(((0, 0),), 1), Track(((0, 1),), 2)), 1)


def test_everything_is_what_all_positions_see_together() -> None:
    assert everything(Track(((-1, 1),), 2), 4) == Track(((-1, 7),), 0)
    assert everything(Track(((0, 3), (0, 1)), 1), 2) == Track(((0, 3),), 0)


@given(st.lists(windows.filter(lambda each: each[0] >= each[3]), max_size=3), st.integers(1, 40))
def test_everything_is_the_hull_of_all_positions(layers: list[tuple[int, int, int, int]], positions: int) -> None:
    ranges = [seen(layers, at) for at in range(positions)]
    whole = everything(through(layers), positions)
    assert whole == Track(((min(first for first, _ in ranges), max(last for _, last in ranges)),), 0)


@given(st.lists(st.lists(windows.filter(lambda each: each[0] >= each[3]), max_size=2), min_size=2, max_size=3))
def test_a_union_of_whatever_tracks_holds_each(branches: list[list[tuple[int, int, int, int]]]) -> None:
    both = union(tuple(map(through, branches)), 12)
    for at in range(12):
        for branch in branches:
            first, last = seen(branch, at)
            assert both.at(at)[0] <= first <= last <= both.at(at)[1]


@given(st.lists(windows.filter(lambda each: each[0] >= each[3]), max_size=2), st.integers(1, 3), st.integers(0, 3))
def test_a_long_period_is_bounded(layers: list[tuple[int, int, int, int]], step: int, before: int) -> None:
    grow = 3 * LONGEST + 1
    track = slide(through(layers), grow + 2, step, before, grow, 2 * grow)
    assert len(track.ranges) <= LONGEST
    ranges = [seen([*layers, (grow + 2, step, before, grow)], at) for at in (0, 1, grow - before, 2 * grow - 1)]
    for at, (first, last) in zip((0, 1, grow - before, 2 * grow - 1), ranges, strict=True):
        assert track.at(at)[0] <= first <= last <= track.at(at)[1]
    assert track.size <= max(last for _, last in ranges) - min(first for first, _ in ranges) + 20


def test_a_track_that_moves_evenly_is_bounded_closely() -> None:
    """A hundred ranges, each one further, magnified 8192 times: a position sees two neighbours at the most."""
    even, times = Track(tuple((at, at) for at in range(100)), 100), 2 * LONGEST
    for before in (0, 1):
        track = slide(even, times + 1, 1, before, times, times)
        assert (track.block, track.bound) == (2, True)
        assert track.size == 2
        for at in (0, 1, 1000, times - 1):
            first, last = seen([(times + 1, 1, before, times)], at)
            assert track.at(at)[0] <= first <= last <= track.at(at)[1]


def test_a_bound_is_that_of_a_block() -> None:
    """Of 10,000 positions three are a block, the last of which has one: ranges of positions 3k to 3k + 2 together."""
    both = union((Track(), Track(((0, 4999),), 0)), 10_000)
    assert (both.block, len(both.ranges), both.stride) == (3, 3334, 1)
    assert [both.at(at) for at in (-1, 0, 2, 3, 5000, 5001, 9998, 9999, 10_000)] == [
        *[(0, 4999)] * 4,
        *[(0, 5000), (0, 5003), (0, 9998), (0, 9999), (0, 9999)],
    ]
    assert everything(both, 10_000) == Track(((0, 9999),), 0, bound=True)


@given(st.lists(st.lists(windows.filter(lambda each: each[0] >= each[3]), max_size=2), min_size=2, max_size=3))
def test_a_union_on_a_map_is_exact_and_has_no_range_that_no_position_has(
    branches: list[list[tuple[int, int, int, int]]],
) -> None:
    both = union(tuple(map(through, branches)), 12)
    ranges = [[seen(branch, at) for branch in branches] for at in range(12)]
    hulls = [(min(first for first, _ in each), max(last for _, last in each)) for each in ranges]
    assert [both.at(at) for at in range(12)] == hulls
    assert not both.bound
    assert both.size == max(last - first + 1 for first, last in hulls)


def test_beyond_the_map_of_a_union_nothing_is_seen() -> None:
    both = union((Track(((0, 0),), 2), Track(((-1, 4),), 1)), 3)
    assert (both.stride, both.padding, both.size) == (2, 1, 6)
    assert [both.at(at) for at in range(-1, 4)] == [(-1, 4), (-1, 4), (0, 5), (1, 6), (1, 6)]
    # Windows of 3 that move by 2: over padding, 0 and 1; over 1, 2 and padding.
    after = slide(both, 3, 2, 1, positions=2)
    assert [after.at(at) for at in range(2)] == [(-1, 5), (0, 6)]
    assert (after.stride, after.size, after.bound) == (4, 7, False)


def test_a_union_on_too_large_a_map_is_a_bound_and_says_so() -> None:
    both = union((Track(), Track(((0, 0),), 2)), LONGEST + 1)
    assert both.bound
    assert slide(both, 3, 1, 1).bound
    assert everything(both, 5).bound
    assert union((both, Track()), 5).bound
    assert not union((Track(), Track(((0, 0),), 2)), LONGEST).bound


def test_huge_maps_take_no_time() -> None:
    far = 10**18
    assert everything(Track(((0, 1), (0, 2)), 3), far) == Track(((0, 3 * (far // 2 - 1) + 2),), 0)
    both = union((Track(), Track(((0, 0),), 2)), far)
    assert both.at(far - 1)[0] <= far - 1
    assert both.at(far - 1)[1] >= 2 * (far - 1)
    assert not same_centres((Track(((0, 0), (0, 1)), 2), Track(((0, 0),), 1)), far)
    assert slide(Track(), 10**18, 1, 0, 10**18, 10**18).size <= 3
