"""Find tests for optional parts: comparisons of a block's numbers that hold exactly where the part is present."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cnndsl.importers.raising.progress import is_place
from cnndsl.importers.raising.terms import Formula, TermNumber, TermValue
from cnndsl.records import record

NumberRow = tuple[str, list[TermValue]]
"""A parameter with its value at each call site; None where the value does not matter."""


@record(slots=True)
class _Comparison:
    """`left == right`, or `left != right`; `right` may be a number."""

    left: NumberRow
    right: NumberRow
    is_equal: bool

    @property
    def text(self) -> str:
        return f"{self.left[0]} {'==' if self.is_equal else '!='} {self.right[0]}"

    def holds(self, at: int) -> bool | None:
        """Return whether it holds at one call site; None if a value is undetermined."""
        one, other = self.left[1][at], self.right[1][at]
        return None if one is None or other is None else (one == other) == self.is_equal


def found_test(
    wanted: Sequence[TermValue], given: Sequence[NumberRow], entering: Sequence[TermNumber] | None
) -> Formula | None:
    """Return a test that holds exactly where it should, and fix undetermined values; None if there is no such test.

    Args:
        wanted: Whether it holds at each call site; None where that does not matter.
        given: The parameters.
        entering: The input channels.
    """
    places = [at for at, value in enumerate(wanted) if value is not None]
    known = [*_comparisons(given, entering, len(wanted))]
    for each in known:
        if _settled(each, wanted, places):
            return Formula(each.text)
    for one in known:
        for other in known:
            if _is_pair(one, other) and _both(one, other, wanted, places):
                return Formula(f"{one.text} and {other.text}")
    return None


def _is_pair(one: _Comparison, other: _Comparison) -> bool:
    """Return whether two comparisons may form one test: of a stride or channels, and of channels or a position."""
    if not one.is_equal or one.right[0] == "0":
        return False
    return other.right[0] == "0" or (other.is_equal and one.right[0] == "1" != other.right[0])


def _comparisons(
    given: Sequence[NumberRow], entering: Sequence[TermNumber] | None, count: int
) -> Iterator[_Comparison]:
    rows = [each for each in given if all(value is None or type(value) is int for value in each[1])]
    widths = [each for each in rows if re.fullmatch(r"c\d*", each[0])]
    if entering and all(type(each) is int for each in entering):
        widths.insert(0, ("C", list(entering)))
    one: NumberRow = ("1", [1] * count)
    for is_equal in (True, False):
        for each in rows:
            if re.fullmatch(r"[es]\d*", each[0]):
                yield _Comparison(each, one, is_equal)
        for at, each in enumerate(widths):
            for other in widths[at + 1 :]:
                yield (
                    _Comparison(other, each, is_equal)
                    if each[0] == "C" and not is_equal
                    else _Comparison(each, other, is_equal)
                )
    nothing: NumberRow = ("0", [0] * count)
    yield from (_Comparison(each, nothing, False) for each in rows if is_place(each[0]))


def _settled(each: _Comparison, wanted: Sequence[TermValue], places: Sequence[int]) -> bool:
    """Return whether a comparison holds where it should; make undetermined values equal where they must be."""
    free: list[int] = []
    for at in places:
        found = each.holds(at)
        if found is None:
            may_settle = "C" in (each.left[0], each.right[0]) or each.left[0] == "e"
            if not may_settle or wanted[at] != each.is_equal:
                return False
            free.append(at)
        elif found != wanted[at]:
            return False
    if 2 * len(free) >= len(places):
        return False
    for at in free:
        one, other = each.left[1], each.right[1]
        if one[at] is None:
            one[at] = other[at]
        else:
            other[at] = one[at]
    return True


def _both(one: _Comparison, other: _Comparison, wanted: Sequence[TermValue], places: Sequence[int]) -> bool:
    return all((one.holds(at) is True and other.holds(at) is True) == wanted[at] for at in places)
