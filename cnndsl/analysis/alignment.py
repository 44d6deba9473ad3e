"""Two sequences side by side: what in one is what in the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher


def aligned(
    before: range, after: range, keys_before: Sequence[Sequence[object]], keys_after: Sequence[Sequence[object]]
) -> Iterator[tuple[int | None, int | None]]:
    """Yield pairs of positions in order, None where one has no counterpart.

    There is a key for each way to recognise an element, the most exact first: what agrees in the first is paired, and
    what lies between is aligned by the others.

    >>> list(aligned(range(3), range(2), ["abc"], ["ac"]))
    [(0, 0), (1, None), (2, 1)]
    """
    if not before or not after or not keys_before:
        yield from ((at, None) for at in before)
        yield from ((None, at) for at in after)
        return
    old, new = keys_before[0][before.start : before.stop], keys_after[0][after.start : after.stop]
    done, done_after = 0, 0
    for start, start_after, size in _blocks(old, new):
        gap, gap_after = before[done:start], after[done_after:start_after]
        yield from aligned(gap, gap_after, keys_before[1:], keys_after[1:])
        done, done_after = start + size, start_after + size
        yield from zip(before[start:done], after[start_after:done_after], strict=True)


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
