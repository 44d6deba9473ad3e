"""Rules of sizes: they have exactly the sizes that they were made of, and so do their words."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnndsl.analysis.size_rule import SizeRule, ranges_of, rule_of

LIMIT = 200


def read(text: str, up_to: int) -> set[int]:
    """The sizes that the words of a rule mean, read without looking at its fields."""
    if text == "none":
        return set()
    listed, _, regular = text.rpartition("; ")
    if re.fullmatch(r"\d+( to \d+)?(, \d+( to \d+)?)*", regular):
        return _ranges(regular)
    term, _, least = regular.rpartition(", at least ") if ", at least " in regular else (regular, "", "1")
    if regular.startswith("at least "):
        term, least = "any", regular.removeprefix("at least ")
    holds = _test(term)
    return _ranges(listed) | {size for size in range(int(least), up_to + 1) if holds(size)}


def _ranges(text: str) -> set[int]:
    found: set[int] = set()
    for each in filter(None, text.split(", ")):
        first, _, last = each.partition(" to ")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def _test(term: str) -> Callable[[int], bool]:
    if term == "any":
        return lambda _: True
    if term.startswith("multiples of "):
        return lambda size: size % int(term.split()[-1]) == 0
    tests = [_between(each) for each in term.split(" or ")]
    return lambda size: any(test(size) for test in tests)


def _between(text: str) -> Callable[[int], bool]:
    first, _, last = text.partition(" to ")
    modulus, low = _linear(first)
    _, high = _linear(last or first)
    return lambda size: any((size - each) % modulus == 0 for each in range(low, high + 1))


def _linear(text: str) -> tuple[int, int]:
    """`16k + 12` as 16 and 12."""
    match = re.fullmatch(r"(\d+)k(?: ([+-]) (\d+))?", text)
    assert match is not None, text
    return int(match[1]), int(f"{match[2] or '+'}{match[3] or 0}")


def shown_whole(rule: SizeRule) -> bool:
    return " more" not in rule.text


@given(st.sets(st.integers(1, LIMIT)))
def test_any_set(sizes: set[int]) -> None:
    check(sizes)


@given(
    st.integers(1, 40),
    st.sets(st.integers(0, 39), min_size=1, max_size=6),
    st.integers(1, 120),
    st.sets(st.integers(1, 60), max_size=5),
)
def test_regular_sets(modulus: int, remainders: set[int], minimum: int, extra: set[int]) -> None:
    check({size for size in range(minimum, LIMIT + 1) if size % modulus in remainders} | extra)


def check(sizes: set[int]) -> None:
    rule = rule_of(sizes, LIMIT)
    assert {size for size in range(-3, LIMIT + 4) if size in rule} == sizes
    assert set(rule) == sizes
    assert len(rule) == len(sizes)
    if shown_whole(rule):
        assert read(rule.text, LIMIT) == sizes, rule.text


@pytest.mark.parametrize(
    ("sizes", "text"),
    [
        ((), "none"),
        (range(1, 513), "any"),
        (range(32, 513), "at least 32"),
        (range(32, 513, 32), "multiples of 32"),
        (range(64, 513, 32), "multiples of 32, at least 64"),
        (range(28, 513, 16), "16k + 12, at least 28"),
        (range(12, 513, 16), "16k + 12"),
        ([size for size in range(1, 513) if size % 32 in (0, 25, 26, 27, 28, 29, 30, 31)], "32k - 7 to 32k"),
        ([1, *range(4, 513, 4)], "1; multiples of 4"),
        ([3, 4, *range(7, 513)], "3 to 4; at least 7"),
        ([size for size in range(1, 513) if size % 4], "4k + 1 to 4k + 3"),
        ([size for size in range(1, 513) if size % 6 in (1, 3)], "6k + 1 or 6k + 3"),
        (range(224, 256), "224 to 255"),
        ([224], "224"),
        (range(1, 100, 7), "1, 8, 15, 22, 29, 36, 43, 50 and 7 more"),
    ],
)
def test_words(sizes: range | list[int], text: str) -> None:
    assert rule_of(sizes, 512).text == text


def test_two_periods_are_no_rule() -> None:
    assert rule_of({128, 256}, 300).text == "128, 256"


def test_nearest_sizes() -> None:
    rule = rule_of(range(32, 513, 32), 512)
    assert [rule.nearest(size) for size in (300, 5, 32, 600)] == [(288, 320), (0, 32), (0, 64), (512, 0)]


def test_ranges() -> None:
    assert ranges_of([5, 1, 2, 2]) == ((1, 2), (5, 5))
