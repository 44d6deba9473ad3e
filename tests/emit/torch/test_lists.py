"""Repeats over lists: a loop runs over the items, as a person writes it."""

from __future__ import annotations

import pytest

from tests.emit.torch.checking import check, emitted

UNIT = "block Unit(c, s=1) = CONV3-c/s -> BN -> RELU\n"
LISTS = [
    f"{UNIT} let widths = (4, 6, 8, 5) INPUT 16x16x3 -> for i in 1..4 [Unit(widths[i]) -> POOL2] -> CONV1-2",
    f"{UNIT} let widths = (4, 6, 8, 5) INPUT 16x16x3 -> [Unit(widths[i]) -> POOL2]*4 -> CONV1-2",
    f"net N(widths=(4, 6, 8, 5)) {UNIT} INPUT 16x16x3 -> for i in 1..4 [Unit(widths[i]) -> POOL2] -> CONV1-2",
    f"{UNIT} block F(widths) = for i in 1..len(widths) [Unit(widths[i]) -> POOL2] INPUT 16x16x3 -> F((4, 6, 8, 5))",
]


@pytest.mark.parametrize("text", LISTS)
def test_a_loop_runs_over_a_list(text: str) -> None:
    source = emitted(text)
    assert " in (4, 6, 8, 5):\n" in source
    assert source.count("Unit(") == 2  # the class and one call
    check(text)


def test_columns_of_a_table_and_lists_stand_side_by_side() -> None:
    text = f"""
    {UNIT}
    let n = (2, 3, 2)
    let widths = (4, 6, 8)
    INPUT 16x16x3
    -> for j, s in (1, 1), (2, 2), (3, 2) [layer{{j}}: [Unit(widths[j], s) -> Unit(widths[j])*{{n[j]-1}}]]
    """
    assert "for j, s, n, width in ((1, 1, 2, 4), (2, 2, 3, 6), (3, 2, 2, 8)):" in emitted(text)
    check(text)


def test_a_list_is_counted_by_the_innermost_name() -> None:
    """Within the repeat `i` is the number of its own iteration, so that `widths[i]` is 4, then 6, in each row."""
    text = f"""
    {UNIT} let widths = (4, 6, 8)
    INPUT 16x16x3 -> for i in 1..3 [CONV1-{{widths[i]}} -> [Unit(widths[i])]*2 -> POOL2]
    """
    check(text)


def test_a_block_that_has_a_list_of_its_own_hides_that_of_the_file() -> None:
    text = f"""
    {UNIT} let widths = (4, 6, 8)
    block F(widths) = [Unit(widths[i]) -> POOL2]*3
    block G(widths) = CONV1-widths -> [Unit(C) -> RELU]*3
    INPUT 16x16x3 -> F((5, 7, 9)) -> G(3)
    """
    assert "in (5, 7, 9):" in emitted(text)
    assert "(4, 6, 8)" not in emitted(text)
    check(text)


def test_calls_with_other_lists_have_the_numbers_written_out() -> None:
    text = f"""
    {UNIT}
    block F(widths) = [Unit(widths[i]) -> POOL2]*3
    INPUT 64x64x3 -> F((5, 7, 9)) -> F((6, 7, 8))
    """
    check(text)


def test_branches_of_an_each_take_their_numbers_from_lists() -> None:
    text = """
    let rates = (1, 2, 4)
    let widths = (4, 6, 8)
    INPUT 16x16x3 -> aspp: [(| each i in 1..3 [convs.{i-1}: CONV3-{widths[i]}(dilation=rates[i])])] -> CONV1-2
    """
    assert "in ((1, 4), (2, 6), (4, 8))" in emitted(text)
    check(text)
