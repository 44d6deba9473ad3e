"""Programs whose figures users found wrong, as the commands print them. Expectations are PyTorch's or by hand."""

from __future__ import annotations

import pytest

from tests.commands.running import data, run, table

ALIGNED = "INPUT 60x1 -> (ID | AVGPOOL(out=2) -> UPSAMPLE(out=60, mode=linear, align=yes)) -> CONV1-1"


def test_a_field_where_branches_of_different_strides_meet() -> None:
    """The first and the last unit see one of the two means, all between them both."""
    assert "receptive field  60 of 60, at the last map" in run("stats", "-", stdin=ALIGNED).stdout
    for unit, box, drawn in (
        (0, [0, 29], "█" * 30 + "·" * 30),
        (30, [0, 59], "█" * 60),
        (59, [30, 59], "·" * 30 + "█" * 30),
    ):
        options = ("--at", "2", "--unit", str(unit))
        assert data("rf", "-", *options, stdin=ALIGNED)["box"] == [box]
        lines = run("rf", "-", *options, stdin=ALIGNED).stdout.splitlines()
        assert drawn in lines
        assert f"sees     {box[0]} to {box[1]}" in lines or f"sees    {box[0]} to {box[1]}" in lines


@pytest.mark.parametrize(
    ("size", "out", "operations"),
    # Windows from floor(i*size/7) to ceil((i + 1)*size/7): along an axis of 10 they have 2, 3, 2, 2, 2, 3, 2 values.
    [(10, 7, 16**2), (1, 7, 7**2), (5, 7, 11**2), (20, 7, 26**2), (14, 7, 14**2)],
)
def test_operations_of_an_adaptive_pooling(size: int, out: int, operations: int) -> None:
    text = f"INPUT {size}x{size}x1 -> AVGPOOL(out={out}x{out})"
    assert data("stats", "-", stdin=text)["totals"]["operations"] == operations


ONE = "INPUT 8x8x1 -> a: CONV3-1 -> b: CONV8-1(pad=valid) -> c: CONVT8-1/1(pad=valid)"


def test_a_map_of_one_position_is_no_global_operation() -> None:
    """CONV8 sees 8 positions of CONV3, which see 10; what is made of the one position sees the same."""
    rows = table("rf", "-", stdin=ONE)[3:]
    assert [row[3:] for row in rows] == [["3", "1", "1"], ["10", "1", "1"], ["10", "0", "1"]]
    assert "whole" not in run("rf", "-", "--at", "c", stdin=ONE).stdout
    assert data("rf", "-", "--at", "c", stdin=ONE)["layers"][0]["whole"] is False


def test_the_lectures_rule_of_thumb_is_in_its_table_alone() -> None:
    for options in ((), ("--batch", "8"), ("--format", "markdown"), ("--by", "block")):
        text = run("stats", "resnet50", *options).stdout
        assert "twice" not in text
        assert "bwd" not in text
    assert "~*2 for bwd" in run("stats", "resnet50", "--format", "lecture").stdout


def test_lint_prints_the_input_that_it_speaks_of() -> None:
    # (8 - 3)/2 is no integer: of 8 lines 7 are read. Of 8 + 2 windows reach 9, and the tenth is one of the padding.
    text = run("lint", "-", stdin="INPUT 8x8x3 -> CONV3-8/2(pad=0) -> GAP -> FC-2").stdout
    assert "no window of CONV3-8/2(pad=0) reaches the last row and column of its input, 8x8x3" in text
    assert "stride-remainder" not in run("lint", "-", stdin="INPUT 8x8x3 -> CONV3-8/2(pad=1) -> GAP -> FC-2").stdout
