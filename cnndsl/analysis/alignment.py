"""Two sequences side by side: what in one is what in the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

_MOST = 250_000
"""So many pairs of elements are weighed against each other; longer sequences are parted first."""


def aligned(
    before: range,
    after: range,
    keys_before: Sequence[Sequence[object]],
    keys_after: Sequence[Sequence[object]],
    worth: Sequence[int],
) -> Iterator[tuple[int | None, int | None]]:
    """Yield pairs of positions in order, None where one has no counterpart.

    There is a key for each way to recognise an element, the most exact first, and what a pair is worth that agrees in
    it. The pairs are those of the greatest worth together (Needleman and Wunsch 1970, without a penalty for gaps), the
    earliest of them: two pairs that are alike may be worth more than one that is equal. Long sequences are paired
    in the first key, and what lies between by the others.

    >>> list(aligned(range(3), range(2), ["abc"], ["ac"], [1]))
    [(0, 0), (1, None), (2, 1)]
    >>> list(aligned(range(2), range(2), [["128", "64"], "CC"], [["64", "32"], "CC"], [3, 2]))
    [(0, 0), (1, 1)]
    """
    if not before or not after or not keys_before:
        yield from ((at, None) for at in before)
        yield from ((None, at) for at in after)
        return
    old, new = keys_before[0][before.start : before.stop], keys_after[0][after.start : after.stop]
    if len(before) * len(after) <= _MOST:
        yield from _weighed(before, after, keys_before, keys_after, worth)
        return
    done, done_after = 0, 0
    for start, start_after, size in _blocks(old, new):
        gap, gap_after = before[done:start], after[done_after:start_after]
        yield from aligned(gap, gap_after, keys_before[1:], keys_after[1:], worth[1:])
        done, done_after = start + size, start_after + size
        yield from zip(before[start:done], after[start_after:done_after], strict=True)


def _weighed(
    before: range,
    after: range,
    keys_before: Sequence[Sequence[object]],
    keys_after: Sequence[Sequence[object]],
    worth: Sequence[int],
) -> Iterator[tuple[int | None, int | None]]:
    """The pairs of the greatest worth. What the sequences begin with is paired as it is."""
    front = _front(before, after, keys_before[0], keys_after[0])
    yield from zip(before[:front], after[:front], strict=True)
    before, after = before[front:], after[front:]
    rows = list(_worths(before, after, keys_before, keys_after, worth))
    best = [[0] * (len(after) + 1) for _ in range(len(before) + 1)]
    """The worth of what comes from two positions on."""
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
    """What each element of the first sequence is worth beside each of the second."""
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
    """How many elements at the beginning are equal."""
    pairs = zip(before, after, strict=False)
    return next(
        (number for number, (at, other) in enumerate(pairs) if old[at] != new[other]), min(len(before), len(after))
    )


def _blocks(old: Sequence[object], new: Sequence[object]) -> Iterator[tuple[int, int, int]]:
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
