"""Align two sequences: pair each element of one with its counterpart in the other."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

_MOST = 250_000
"""The most pairs of elements that are scored against each other; longer sequences are split first."""
_NEAR = 32
"""The number of elements on either side of a position that are compared to see how well two sequences agree there."""


def aligned(
    before: range,
    after: range,
    keys_before: Sequence[Sequence[object]],
    keys_after: Sequence[Sequence[object]],
    worth: Sequence[int],
) -> Iterator[tuple[int | None, int | None]]:
    """Yield pairs of positions in order, None where one has no counterpart.

    `keys_before` and `keys_after` have one sequence of keys for each way to recognise an element, the most exact first;
    `worth` has the score of a pair that agrees in each. The pairs maximise the total score (Needleman and Wunsch 1970,
    without a gap penalty); ties go to the earliest. So two similar pairs may score more than one equal pair. In long
    sequences, elements that are unique in both under some key are paired first; the parts between them are halved where
    the halves agree best.

    >>> list(aligned(range(3), range(2), ["abc"], ["ac"], [1]))
    [(0, 0), (1, None), (2, 1)]
    >>> list(aligned(range(2), range(2), [["128", "64"], "CC"], [["64", "32"], "CC"], [3, 2]))
    [(0, 0), (1, 1)]
    """
    if not before or not after:
        yield from ((at, None) for at in before)
        yield from ((None, at) for at in after)
    elif len(before) * len(after) <= _MOST:
        yield from _weighed(before, after, keys_before, keys_after, worth)
    else:
        for old, new in _parted(before, after, keys_before, keys_after, worth):
            yield from aligned(old, new, keys_before, keys_after, worth)


def _parted(
    before: range,
    after: range,
    keys_before: Sequence[Sequence[object]],
    keys_after: Sequence[Sequence[object]],
    worth: Sequence[int],
) -> Iterator[tuple[range, range]]:
    """Split long sequences into parts that are aligned separately: between the elements that are unique under a key
    (the first key that has any), else into halves. This takes as long as sorting."""
    for old, new in zip(keys_before, keys_after, strict=True):
        start, start_after = before.start, after.start
        anchors = list(_unique(before, after, old, new))
        for at, other in anchors:
            yield range(start, at), range(start_after, other)
            yield range(at, at + 1), range(other, other + 1)
            start, start_after = at + 1, other + 1
        if anchors:
            yield range(start, before.stop), range(start_after, after.stop)
            return
    at, other = _middle(before, after, keys_before, keys_after, worth)
    yield range(before.start, at), range(after.start, other)
    yield range(at, before.stop), range(other, after.stop)


def _unique(before: range, after: range, old: Sequence[object], new: Sequence[object]) -> Iterator[tuple[int, int]]:
    """Yield pairs of elements that occur once in each sequence, as many as keep their order (patience sorting)."""
    counts, counts_after = Counter(old[at] for at in before), Counter(new[at] for at in after)
    places = {new[at]: at for at in after if counts_after[new[at]] == 1}
    pairs = [(at, places[old[at]]) for at in before if counts[old[at]] == 1 and old[at] in places]
    ends: list[int] = []
    last: list[int] = []
    links: list[int] = []
    for number, (_, other) in enumerate(pairs):
        pile = bisect_left(ends, other)
        ends[pile : pile + 1] = [other]
        last[pile : pile + 1] = [number]
        links.append(last[pile - 1] if pile else -1)
    found: list[tuple[int, int]] = []
    number = last[-1] if last else -1
    while number >= 0:
        found.append(pairs[number])
        number = links[number]
    yield from reversed(found)


def _middle(
    before: range,
    after: range,
    keys_before: Sequence[Sequence[object]],
    keys_after: Sequence[Sequence[object]],
    worth: Sequence[int],
) -> tuple[int, int]:
    """Return where to halve two sequences: at equal distance from their beginnings, from their ends, or in proportion,
    whichever has the best agreement around it."""
    at = before.start + len(before) // 2
    places = (after.start + at - before.start, after.stop - (before.stop - at), after.start + len(after) // 2)

    def agreement(other: int) -> int:
        """Return the total score of the neighbouring pairs."""
        pairs = ((at + step, other + step) for step in range(-_NEAR, _NEAR))
        return sum(_worth_of(old, new) for old, new in pairs if old in before and new in after)

    def _worth_of(old: int, new: int) -> int:
        keys = zip(keys_before, keys_after, worth, strict=True)
        return next((value for one, other, value in keys if one[old] == other[new]), 0)

    return at, max((each for each in places if after.start <= each <= after.stop), key=agreement)


def _weighed(
    before: range,
    after: range,
    keys_before: Sequence[Sequence[object]],
    keys_after: Sequence[Sequence[object]],
    worth: Sequence[int],
) -> Iterator[tuple[int | None, int | None]]:
    """Yield the pairs with the highest total score. Equal elements at the beginning are paired directly."""
    front = _front(before, after, keys_before[0], keys_after[0])
    yield from zip(before[:front], after[:front], strict=True)
    before, after = before[front:], after[front:]
    rows = list(_worths(before, after, keys_before, keys_after, worth))
    best = [[0] * (len(after) + 1) for _ in range(len(before) + 1)]
    """The best total score of the elements from two positions on."""
    for at in range(len(before) - 1, -1, -1):
        row, below, own = best[at], best[at + 1], rows[at]
        for other in range(len(after) - 1, -1, -1):
            greatest = below[other] if below[other] > row[other + 1] else row[other + 1]
            if own[other] and own[other] + below[other + 1] > greatest:
                greatest = own[other] + below[other + 1]
            row[other] = greatest
    at = other = 0
    while at < len(before) and other < len(after):
        if rows[at][other] and best[at][other] == rows[at][other] + best[at + 1][other + 1]:
            yield before[at], after[other]
            at, other = at + 1, other + 1
        elif best[at][other] == best[at + 1][other]:
            yield before[at], None
            at += 1
        else:
            yield None, after[other]
            other += 1
    yield from ((each, None) for each in before[at:])
    yield from ((None, each) for each in after[other:])


def _worths(
    before: range,
    after: range,
    keys_before: Sequence[Sequence[object]],
    keys_after: Sequence[Sequence[object]],
    worth: Sequence[int],
) -> Iterator[list[int]]:
    """Yield, for each element of the first sequence, its score with each element of the second."""
    places: list[dict[object, list[int]]] = []
    for keys in keys_after:
        found: dict[object, list[int]] = {}
        for number, at in enumerate(after):
            found.setdefault(keys[at], []).append(number)
        places.append(found)
    for at in before:
        row = [0] * len(after)
        for keys, found, value in zip(reversed(keys_before), reversed(places), reversed(worth), strict=True):
            for number in found.get(keys[at], ()):
                row[number] = value
        yield row


def _front(before: range, after: range, old: Sequence[object], new: Sequence[object]) -> int:
    """Return how many elements at the beginning are equal."""
    pairs = zip(before, after, strict=False)
    return next(
        (number for number, (at, other) in enumerate(pairs) if old[at] != new[other]), min(len(before), len(after))
    )
