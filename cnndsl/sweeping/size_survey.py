"""The survey of input sizes: which sizes are tried, and the rules that describe the results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnndsl.analysis.size_rule import rule_of
from cnndsl.errors import CnnError
from cnndsl.sweeping.input_sizes import InputSizes, SizeLine
from cnndsl.sweeping.separate_axes import are_separate
from cnndsl.sweeping.size_search import InputExtents, SizeSearch

SMALLEST_RANGE, LARGEST_RANGE = 512, 2048
"""The largest extent that is tried by default: the first, or up to the second if the input is larger."""
_NEAR = 64
"""The distance from the written input within which another one that works is looked for, if the input is not square."""


def default_range(written: InputExtents) -> int:
    """Return the largest extent that is tried by default: 512, or the next power of two from the largest written
    extent, up to 2048.

    >>> default_range((224, 224)), default_range((572, 572)), default_range((16000,))
    (512, 1024, 2048)
    """
    largest = SMALLEST_RANGE
    while largest < min(max(written), LARGEST_RANGE):
        largest *= 2
    return largest


def input_sizes(search: SizeSearch, up_to: int | None = None) -> InputSizes:
    """Return the input sizes up to `up_to` with which a network works.

    Sizes are squares if the input is one, and there is one axis if it has one. In any other case, and to see whether H
    and W can be chosen independently, each axis varies by itself, the others as they are in a `base` that works: the
    input as it is written, or the nearest to it. Raises ValueError if no input has axes, CnnError if the program has an
    error other than incompatible shapes.
    """
    if not search.varied:
        raise ValueError(f"the input is a vector, {search.entering[0]}: it has no size to vary")
    limit = default_range(search.written) if up_to is None else up_to
    rank = len(search.written)
    together = [(size,) * rank for size in range(1, limit + 1)]
    is_cube = len(set(search.written)) == 1
    search.solve([search.written])
    search.base = _base(search, together, is_cube=is_cube)
    letters = "DHW"[3 - rank :]
    if is_cube or not search.outcomes[search.base].works:
        search.solve(together)
        line = _line(search, letters, tuple(range(rank)), limit)
        if rank == 1 or not search.outcomes[search.base].works or not search.is_replayed:
            return InputSizes(search, [line], limit, is_separate=rank == 1)
    points = [_variations(search.base, axis, limit) for axis in range(rank)]
    search.solve(point for several in points for point in several)
    is_separate = are_separate(search, points)
    lines = [_line(search, letter, (axis,), limit) for axis, letter in enumerate(letters)]
    if is_cube and (not is_separate or len({each.works.ranges for each in lines}) == 1):
        lines = [_line(search, letters, tuple(range(rank)), limit)]
    return InputSizes(search, lines, limit, is_separate=is_separate)


def _variations(base: InputExtents, axis: int, limit: int) -> list[InputExtents]:
    return [(*base[:axis], size, *base[axis + 1 :]) for size in range(1, limit + 1)]


def _base(search: SizeSearch, together: Sequence[InputExtents], *, is_cube: bool) -> InputExtents:
    """Return the input as it is written if it works, otherwise the nearest one that does; the written one if none
    does."""
    written = search.written
    if search.outcomes[written].works:
        return written
    if search.first.replay is not None and not search.first.log.is_about_shapes:
        raise CnnError(search.first.errors)
    near = together if is_cube else list(_near(written))
    search.solve(near)
    working = [each for each in near if search.outcomes[each].works]
    return min(working, key=search.distance) if working else written


def _near(written: InputExtents) -> Iterator[InputExtents]:
    """Yield the inputs near to one that is not square: all axes longer by a number, or rounded to a power of two."""
    for by in range(-_NEAR, _NEAR + 1):
        if min(written) + by > 0:
            yield tuple(each + by for each in written)
    for factor in (2, 4, 8, 16, 32, 64):
        for up in (0, factor - 1):
            point = tuple((each + up) // factor * factor for each in written)
            if min(point) > 0:
                yield point


def _line(search: SizeSearch, axes: str, varied: tuple[int, ...], limit: int) -> SizeLine:
    base = search.base
    outcomes = {
        size: search.outcomes[tuple(size if axis in varied else each for axis, each in enumerate(base))]
        for size in range(1, limit + 1)
    }
    works = [size for size, outcome in outcomes.items() if outcome.works]
    weights = search.outcomes[base].weights
    same = [size for size in works if outcomes[size].weights == weights]
    return SizeLine(axes, varied, base, outcomes, rule_of(works, limit), rule_of(same, limit))
