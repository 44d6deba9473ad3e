"""What the checks of a picture find, on pictures whose mistakes can be seen in the numbers."""

from __future__ import annotations

import pytest

from cnndsl.emit.drawing.display import Command, DisplayItem, GroupItem, PathItem, Picture, RectangleItem, TextItem
from cnndsl.emit.drawing.geometry import GeometryFinding, bounds, findings, text_box
from cnndsl.emit.drawing.measure import width
from tests.emit.drawing.pictures import everything


def found(*items: DisplayItem) -> list[GeometryFinding]:
    return findings(Picture("net", 200, 100, items, "A picture"))


def line(*points: tuple[float, float]) -> PathItem:
    commands: list[Command] = [("L", point) for point in points]
    return PathItem((("M", points[0]), *commands[1:]), stroke="line", line=1)


def test_nothing_is_wrong_with_what_is_right() -> None:
    assert findings(everything()) == []


def test_two_texts_overlap() -> None:
    assert found(
        GroupItem("a", (TextItem(10, 50, "first", 10),)), GroupItem("b", (TextItem(20, 55, "second", 10),))
    ) == [GeometryFinding("overlaps", "first", "a", "second")]
    assert found(TextItem(10, 50, "first", 10), TextItem(10, 60, "second", 10)) == []
    assert found(TextItem(50, 50, "left", 10, anchor="end"), TextItem(50, 50, "right", 10)) == []


def test_a_text_leaves_its_room() -> None:
    needed = width("7 by 7", 9, 500)
    assert found(TextItem(10, 50, "7 by 7", 9, 500, room=needed - 1)) == [
        GeometryFinding("leaves its room", "7 by 7", "")
    ]
    assert found(TextItem(10, 50, "7 by 7", 9, 500, room=needed)) == []
    assert found(TextItem(10, 90, "7 by 7", 9, 500, room=needed - 1, turned=True))[0].problem == "leaves its room"


@pytest.mark.parametrize(
    "item",
    [
        TextItem(190, 50, "right", 10),
        TextItem(3, 50, "left", 10, anchor="end"),
        TextItem(50, 5, "above", 10),
        TextItem(50, 99.5, "below", 10),
        TextItem(50, 20, "turned upwards", 10, turned=True),
    ],
)
def test_a_text_leaves_the_picture(item: TextItem) -> None:
    assert found(item) == [GeometryFinding("leaves the picture", item.text, "")]


def test_the_box_of_a_turned_text_reads_upwards() -> None:
    across = width("turned", 10)
    assert text_box(TextItem(50, 90, "turned", 10, turned=True)) == pytest.approx((42.6, 90 - across, 52, 90))
    middle = text_box(TextItem(50, 60, "turned", 10, anchor="middle", turned=True))
    assert middle == pytest.approx((42.6, 60 - across / 2, 52, 60 + across / 2))


def test_a_line_crosses_a_text() -> None:
    text = GroupItem("label", (TextItem(50, 50, "words", 10),))
    edge = GroupItem("edge", (line((0, 47), (190, 47)),))
    assert found(text, edge) == found(edge, text) == [GeometryFinding("is crossed by", "words", "label", "edge")]
    assert found(text, line((0, 40), (190, 40))) == []
    assert found(text, line((45, 0), (45, 100)), line((48, 0), (48, 100))) == []
    assert len(found(text, line((0, 0), (150, 100)))) == 1


def test_a_curve_crosses_a_text_that_its_ends_do_not_see() -> None:
    text = TextItem(80, 50, "words", 10)
    curve = PathItem((("M", (0, 90)), ("C", (90, 30, 110, 30, 199, 90))), stroke="line", line=1)
    assert len(found(text, curve)) == 1


def test_the_edge_of_a_box_crosses_a_text_that_sticks_out() -> None:
    box = RectangleItem(40, 40, 30, 16, "conv", "conv-stroke", 0.9)
    assert found(box, TextItem(44, 52, "much too long", 9)) == [
        GeometryFinding("is crossed by", "much too long", "", "")
    ]
    assert found(box, TextItem(44, 52, "fits", 9)) == []


def test_what_is_covered_crosses_nothing() -> None:
    edge, box = line((0, 47), (190, 47)), RectangleItem(40, 40, 60, 16, "card", "line", 1)
    text = TextItem(44, 51, "words", 9)
    assert found(edge, box, text) == [GeometryFinding("is crossed by", "card", "")]
    assert [each.text for each in found(box, edge, text)] == ["words", "card"]
    assert len(found(edge, RectangleItem(40, 40, 60, 16, "", "line", 1), text)) == 1


def test_what_nobody_sees_crosses_nothing() -> None:
    assert found(TextItem(44, 51, "words", 9), RectangleItem(50, 40, 60, 16)) == []


def test_bounds() -> None:
    group = GroupItem("", (RectangleItem(5, 6, 10, 20), line((0, 50), (7, 60)), GroupItem("", ())))
    assert bounds(group) == (0, 6, 15, 60)
    assert bounds(GroupItem("", ())) is None
    circle = PathItem((("M", (0, 5)), ("C", (0, 11, 10, 11, 10, 5)), ("Z", ())))
    assert bounds(circle) == pytest.approx((0, 5, 10, 9.5), abs=0.01)


def test_many_texts_are_checked_in_time() -> None:
    """Twenty thousand texts and lines; each text would have as many neighbours without a grid."""
    items: list[DisplayItem] = []
    for at in range(20_000):
        x, y = 60 * (at % 20), 20 * (at // 20) + 20
        items += (TextItem(x, y, "label", 9), line((x, y + 5), (x + 50, y + 5)))
    assert findings(Picture("net", 1300, 20_100, tuple(items), "Many")) == []


def test_an_edge_goes_through_a_box_or_ends_at_it() -> None:
    box, panel = RectangleItem(40, 40, 60, 16, "conv", "line", 1), RectangleItem(20, 20, 120, 60, "panel", "hair", 1)
    assert [each.text for each in found(box, line((70, 20), (70, 80)))] == ["conv"]
    assert found(box, line((70, 20), (70, 40))) == []
    assert found(panel, line((70, 30), (70, 70))) == []
    assert [each.text for each in found(panel, line((70, 30), (70, 90)))] == ["panel"]


def test_the_sign_of_a_merge_is_no_edge() -> None:
    circle = RectangleItem(50, 50, 13, 13, "error-ground", "error", 1.8, 6.5)
    slash = PathItem((("M", (47.5, 65.5)), ("L", (65.5, 47.5))), "", "error", 1.8)
    assert found(circle, slash) == []


def test_texts_are_large_enough_and_keep_to_their_boxes() -> None:
    box = RectangleItem(40, 40, 30, 16, "conv", "line", 1)
    assert [each.problem for each in found(TextItem(10, 50, "tiny", 8))] == ["is too small"]
    problems = [each.problem for each in found(box, TextItem(55, 51, "longer than its box", 9, anchor="middle"))]
    assert "leaves its box" in problems


def test_shapes_leave_the_picture() -> None:
    assert [each.text for each in found(RectangleItem(190, 40, 30, 16, "conv", "line", 1))] == ["conv"]
    assert [each.text for each in found(line((190, 10), (210, 10)))] == ["line"]
