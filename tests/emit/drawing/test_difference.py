"""Two networks as one picture: what is marked, with which sign, and that nothing overlaps."""

from __future__ import annotations

import pytest

from cnndsl import load, loads
from cnndsl.analysis.compare import compare
from cnndsl.analysis.execution import unknown
from cnndsl.emit.drawing.cards.model import DrawingModel, FusedRow, NetCard, SpineBranching, SpineRow
from cnndsl.emit.drawing.difference import difference
from cnndsl.emit.drawing.difference_marks import MARKS
from cnndsl.emit.drawing.display import PathItem, TextItem
from cnndsl.emit.drawing.layout.page import WidthName, picture
from cnndsl.emit.drawing.shapes import flat
from cnndsl.report.diff import differences
from tests.emit.drawing.layout.geometry import faults

SMALL = "INPUT 8x8x3 -> CONV3-4 -> RELU -> POOL2 -> CONV3-8 -> RELU -> FC-2"


def drawn(before: str, after: str) -> DrawingModel:
    one, other = loads(before).graph, loads(after).graph
    found = compare(one, other, unknown)
    return difference(other, found, differences(found), "Net")


def signs(before: str, after: str) -> dict[str, str]:
    """The sign of each marked step of the second network, by the path of the step, and of the steps that are gone."""
    drawing = drawn(before, after)
    return {tag.id: mark.sign for tag, mark in zip(drawing.tags, drawing.marks, strict=False) if mark}


def cells(before: str, after: str, step: int = 1) -> list[tuple[str, str]]:
    """The labels of a row of the spine, and what their colours are those of."""
    row = drawn(before, after).steps[step]
    assert isinstance(row, SpineRow)
    return [(cell.text, cell.role) for cell in row.row.cells]


def rows(before: str, after: str, step: int = 1) -> list[tuple[str, int, str]]:
    """The rows of a card of the second network: their block, how often, their sign."""
    card = drawn(before, after).steps[step]
    assert isinstance(card, NetCard)
    return [(line.title, line.times, line.mark.sign if line.mark else "") for line in card.lines]


def test_what_is_added_removed_and_changed() -> None:
    assert signs(SMALL, SMALL) == {}
    # The fused row CONV, RELU has the path of its last layer.
    assert signs(SMALL, SMALL.replace("CONV3-4 ->", "CONV5-4 ->")) == {"1": "~"}
    assert signs(SMALL, SMALL.replace("-> FC-2", "-> FC-16(bias=no) -> FC-2")) == {"5": "+", "6": "~"}
    assert signs(SMALL, SMALL.replace("-> POOL2 ", "")) == {"removed.2": "−", "3": "~", "4": "~"}


def test_a_row_that_changed_says_which_layers_did() -> None:
    step = drawn(SMALL, SMALL.replace("-> RELU -> POOL2", "-> BN -> RELU -> POOL2")).steps[1]
    assert isinstance(step, SpineRow)
    assert [cell.text for cell in step.row.cells] == ["3×3 conv, 4", "+ BN", "ReLU"]


def test_what_is_gone_stands_where_it_was_in_dashes() -> None:
    """A pooling as a step, a layer that shares a row in it, a branch's layer in the branch; shapes stay as they are."""
    assert cells(SMALL, SMALL.replace("-> POOL2 ", ""), 2) == [("2×2 max pool, /2", "ghost")]
    texts = cells(SMALL, SMALL.replace("CONV3-4 -> RELU", "CONV3-4"))
    assert texts == [("3×3 conv, 4", "conv"), ("− ReLU", "ghost")]
    two = "INPUT 8x8x4 -> (CONV3-4 -> BN -> RELU | CONV1-4) -> FC-2"
    step = drawn(two, two.replace("-> BN ", "")).steps[1]
    assert isinstance(step, SpineBranching)
    assert [row.cells[1].text for row in step.element.branches[0] if isinstance(row, FusedRow)] == ["− BN"]
    end = drawn("INPUT 8x8x4 -> GAP -> FC-2 -> LN -> FC-3", "INPUT 8x8x4 -> GAP -> FC-2 -> LN")
    assert [step.row.cells[0].text for step in end.steps[-1:] if isinstance(step, SpineRow)] == ["FC, 3"]
    shown = [each.text for each in flat(picture(end).items) if isinstance(each, TextItem)]
    assert "2" in shown
    assert not any("−" in text for text in shown if "2" in text)


def test_rows_that_are_gone_alike_are_one() -> None:
    """Each unit of a stage loses the same two layers, which makes one row of them, told three times."""
    unit = "block Unit(c) = (CONV3-c -> BN -> RELU{more} -> CONV3-c + ID) -> RELU\n"
    text = unit + "INPUT 8x8x16 -> body: [Unit(16)*3] -> GAP -> FC-2"
    found = rows(text.format(more=" -> CONV1-c -> BN"), text.format(more=""))
    assert found == [("Unit", 3, "~"), ("1×1 conv, 16, BN", 3, "−")]


def test_a_layer_that_is_gone_after_a_card_was_not_in_it() -> None:
    text = RESIDUAL.replace("-> GAP", "-> POOL2 -> GAP")
    assert rows(text, RESIDUAL) == [("Unit", 3, "")]
    assert signs(text, RESIDUAL)["removed.pool"] == "−"


def test_without_a_difference_the_picture_says_so() -> None:
    assert [(line.sign, line.text) for line in drawn(SMALL, SMALL).foot] == [("=", "no differences")]
    renamed = drawn("INPUT 8x8x3 -> a: CONV3-4", "INPUT 8x8x3 -> b: CONV3-4").foot
    assert renamed[1].text == "1 layer with weights or buffers under another name"


UP = """block Double(c) = [CONV3-c -> BN -> RELU]*2
INPUT 64x64x3 -> d1: Double(16) -> POOL2 -> d2: Double(32) -> POOL2 -> d3: Double(64) -> POOL2 -> Double(128)
-> (UPSAMPLE2 | @d3) -> Double(64) -> (UPSAMPLE2 | @d2) -> Double(32) -> (UPSAMPLE2 | @d1) -> Double(16) -> CONV1-2"""


@pytest.mark.parametrize("size", ["column", "page"])
def test_the_list_of_changes_has_the_room_there_is(size: WidthName) -> None:
    """14 convolutions get another window. On a page there is room for a line each, beneath a column not."""
    found = picture(drawn(UP, UP.replace("[CONV3", "[CONV5")), size)
    texts = [each.text for each in flat(found.items) if isinstance(each, TextItem)]
    assert any(text.endswith(" more") for text in texts) == (size == "column")
    assert not any(text.endswith("…") for text in texts)
    assert faults(found) == []


def test_a_u_shows_links_and_bars_that_are_gone_in_dashes() -> None:
    """Without the link along the second row, and without one of three convolutions in the fourth."""
    before = UP.replace("-> Double(128)", "-> [CONV3-128 -> BN -> RELU]*3")
    other = UP.replace("(UPSAMPLE2 | @d2)", "UPSAMPLE2")
    shape = drawn(before, other).u
    assert shape is not None
    gone = [(shape.bars[each.source].size, each.label) for each in shape.skips if each.is_gone]
    assert gone == [("32²", "− concatenate")]
    assert [(bar.channels, bar.level) for bar in shape.bars if bar.role == "ghost"] == [(128, 3)]
    found = picture(drawn(before, other))
    assert faults(found) == []
    dashed = [each for each in flat(found.items) if isinstance(each, PathItem) and each.dash and each.stroke == "error"]
    assert dashed
    added = drawn(other, before).u
    assert added is not None
    assert [each.label for each in added.skips if each.mark] == ["+"]


def test_a_link_of_a_u_that_takes_an_extent_is_gone_as_a_whole() -> None:
    """The crop reads its size off the upsampled map, which leads the main path: that one did not change."""
    text = """block Two(c) = [CONV3-c(pad=valid) -> RELU]*2
    block Up(c, skip) = [
      u = CONVT2-c/2
      m = (@skip -> CROP(out=@u) | @u)
      y = @m -> Two(c)
    ]
    INPUT 44x44x1 -> a: CONV3-8(pad=valid) -> POOL2 -> b: CONV3-16 -> POOL2 -> c: CONV3-32 -> POOL2 -> CONV3-64
    -> uc: Up(32, @c) -> ub: Up(16, @b) -> ua: Up(8, @a) -> CONV1-2"""
    shape = drawn(text, text.replace("ub: Up(16, @b)", "ub: [CONVT2-16/2 -> Two(16)]")).u
    assert shape is not None
    # 44 - 2 = 42, halved 21, 10, 5; doubled 10, less 4 is 6, doubled 12: the map that the crop fitted.
    assert [each.label for each in shape.skips if each.is_gone] == ["− crop to 12×12"]
    # Only the convolution behind the concatenation has fewer channels to read.
    assert [bar.channels for bar in shape.bars if bar.mark] == [16]
    assert not any(bar.role == "ghost" for bar in shape.bars)


RESIDUAL = """block Unit(c) = (CONV3-c -> BN -> RELU -> CONV3-c -> BN + ID) -> RELU
INPUT 8x8x16 -> body: [Unit(16)*3] -> GAP -> FC-2"""


def test_rows_of_a_card_are_marked_and_not_the_card() -> None:
    longer = RESIDUAL.replace("*3", "*5")
    assert rows(RESIDUAL, RESIDUAL) == [("Unit", 3, "")]
    assert rows(RESIDUAL, longer) == [("Unit", 3, ""), ("Unit", 2, "+")]
    assert rows(longer, RESIDUAL) == [("Unit", 3, ""), ("Unit(16)", 2, "−")]
    assert signs(RESIDUAL, longer) == {}


def test_a_card_of_which_all_changed_is_marked_as_a_whole() -> None:
    wider = RESIDUAL.replace("CONV3-c -> BN -> RELU", "CONV5-c -> BN -> RELU")
    assert signs(RESIDUAL, wider) == {"body": "~"}
    assert rows(RESIDUAL, wider) == [("Unit", 3, "")]


def test_rows_of_a_table_are_marked() -> None:
    text = """block Unit(k, c, s) = CONV{k}-c/s -> BN -> (CONV1-c -> BN + ID)
    INPUT 32x32x8 -> for k, c, s in (3, 8, 1), (5, 16, 2), (3, 32, 2) [Unit(k, c, s)] -> GAP -> FC-2"""
    card = drawn(text, text.replace("(5, 16, 2)", "(7, 16, 2)")).steps[1]
    assert isinstance(card, NetCard)
    assert card.table is not None
    assert [mark.sign if mark else "" for mark in card.table.marks] == ["", "~", ""]


def test_what_is_gone_from_a_table_stands_between_its_rows() -> None:
    """The third of four rows, and one of two convolutions in another branch of the last row's block."""
    text = """block Unit(k, c, s) = (CONV{k}-c/s -> BN -> CONV3-c -> RELU | CONV1-c/s -> CONV3-c -> SILU)
    INPUT 32x32x8 -> for k, c, s in (3, 8, 1), (5, 16, 2), (3, 24, 1), (3, 32, 2) [Unit(k, c, s)] -> GAP -> FC-2"""
    turns: list[tuple[int, str]] = [(3, ""), (3, ""), (1, "−"), (3, "~")]
    for gone, expected in (("(3, 24, 1), ", turns), (" -> CONV3-c -> SILU", [(3, "~"), (1, "−")] * 4)):
        drawing = drawn(text, text.replace(gone, ""))
        card = drawing.steps[1]
        assert isinstance(card, NetCard)
        assert card.table is not None
        marks = [each.sign if each else "" for each in card.table.marks]
        assert list(zip(map(len, card.table.rows), marks, strict=True)) == expected
        assert not any(tag.id.startswith("removed") for tag in drawing.tags)
        assert faults(picture(drawing)) == []


def test_what_is_gone_from_the_beginning_of_a_card_is_its_first_row() -> None:
    text = """block Unit(k, c, s) = (CONV{k}-c/s -> BN -> CONV3-c -> RELU | CONV1-c/s -> CONV3-c -> SILU)
    INPUT 32x32x8 -> stem: CONV3-8
    -> body: [for k, c, s in (3, 8, 1), (5, 16, 2), (7, 24, 2), (7, 32, 2) [Unit(k, c, s)]] -> GAP -> FC-2"""
    drawing = drawn(text, text.replace("(3, 8, 1), ", ""))
    card = next(step for step in drawing.steps if isinstance(step, NetCard))
    # The next one has fewer channels to read.
    assert [line.mark.sign if line.mark else "" for line in card.lines] == ["−", "~", "", ""]
    assert not any(tag.id.startswith("removed") for tag in drawing.tags)
    assert faults(picture(drawing)) == []


def test_layers_that_a_dense_block_has_in_addition_are_marked_in_its_bar() -> None:
    """DenseNet-169 has 32 layers in its third block where DenseNet-121 has 24, and 32 in place of 16 in the fourth
    (Huang et al. 2017, table 1)."""
    one, other = load("densenet121").graph, load("densenet169").graph
    found = compare(one, other, unknown)
    drawing = difference(other, found, [], "")
    assert [step.growth.added for step in drawing.steps if isinstance(step, NetCard) and step.growth] == [0, 0, 8, 16]


def test_a_u_keeps_its_form() -> None:
    one = load("unet").graph
    other = load("unet", classes=3).graph
    found = compare(one, other, unknown)
    drawing = difference(other, found, differences(found), "U")
    assert drawing.u is not None
    assert [bar.mark.sign for bar in drawing.u.bars if bar.mark] == ["~"]
    assert faults(picture(drawing)) == []


def test_marks_differ_by_more_than_colour() -> None:
    assert len({mark.sign for mark in MARKS.values()}) == len({mark.word for mark in MARKS.values()}) == 3


def test_entries_that_say_the_same_are_one() -> None:
    texts = [line.text for line in drawn(RESIDUAL, RESIDUAL.replace("*3", "*9")).foot]
    assert any(text.startswith("body.3 to body.8, 6 times: Unit(16)") for text in texts)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("vgg16", "vgg19"),
        ("vgg19", "vgg16"),
        ("resnet34", "resnet50"),
        ("googlenet", "inception_v2"),
        ("unet", "fcn8s"),
        ("vgg11", "vgg11_bn"),
        ("resnet101", "resnet50"),
        ("resnet50", "resnext50_32x4d"),
        ("densenet121", "densenet169"),
        ("mobilenet_v3_small", "mobilenet_v3_large"),
    ],
)
def test_bundled_networks(before: str, after: str) -> None:
    one, other = load(before).graph, load(after).graph
    found = compare(one, other, unknown)
    drawing = difference(other, found, differences(found), f"{before} → {after}")
    assert faults(picture(drawing)) == []
    texts = [line.text for line in drawing.foot]
    params = load(before).stats().totals.params, load(after).stats().totals.params
    assert any(text.startswith(f"parameters: {params[0]:,} → {params[1]:,}") for text in texts)
