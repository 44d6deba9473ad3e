"""Networks with errors as pictures: what fails, what is before it and behind it, the messages; nothing overlaps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from cnndsl.diagnostics import render
from cnndsl.diagnostics.full import message_text
from cnndsl.elaborate.program import elaborated_part
from cnndsl.emit.drawing.cards.model import Branching, DrawingModel, FusedRow, NetCard, SpineBranching, SpineRow
from cnndsl.emit.drawing.display import RectangleItem, TextItem
from cnndsl.emit.drawing.failure import failure
from cnndsl.emit.drawing.layout.message import EXCERPT, message_box
from cnndsl.emit.drawing.layout.page import WidthName, picture
from cnndsl.emit.drawing.shapes import flat
from cnndsl.errors import CnnError, Diagnostic, MessageText, Source
from cnndsl.files import read
from cnndsl.finding import used
from cnndsl.graph.partial import PartialGraph
from cnndsl.network import graph_of
from cnndsl.syntax.parse import parse
from cnndsl.testing.mistakes import Mistake, mistakes
from tests.emit.drawing.layout.geometry import faults

WRONG = sorted((Path(__file__).parents[2] / "gallery" / "wrong").glob("[!_]*.cnn"))
UNIT = "block Unit(c, s=1) = (CONV3-c/s -> BN -> RELU -> CONV3-c -> BN + ID) -> RELU\n"
MERGE = f"""{UNIT}INPUT 32x32x3 -> CONV3-32 -> stage1: [Unit(32)*3] -> stage2: [Unit(64, 2) -> Unit(64)*2]
-> stage3: [Unit(128, 2) -> Unit(128)*2] -> GAP -> FC-10"""


def errors_of(source: Source) -> Sequence[Diagnostic]:
    try:
        graph_of(source, {})
    except CnnError as stop:
        return stop.diagnostics
    return ()


def partial_of(source: Source, found: Sequence[Diagnostic]) -> PartialGraph | None:
    try:
        return elaborated_part(parse(source), {}, used, found)
    except CnnError:
        return None


def drawing_of(text: str) -> DrawingModel:
    source = Source("bad.cnn", text)
    found = errors_of(source)
    partial = partial_of(source, found)
    assert partial is not None
    return failure(partial, [message_text(each) for each in found])


def texts_of(drawing: DrawingModel, size: WidthName | None = None) -> list[str]:
    return [item.text for item in flat(picture(drawing, size).items) if isinstance(item, TextItem)]


@pytest.mark.parametrize("file", WRONG, ids=lambda file: file.stem)
def test_wrong_programs(file: Path) -> None:
    """Those of which anything can be made; a contract that fails is no error of shapes."""
    source = read(str(file))
    found = errors_of(source)
    partial = partial_of(source, found) if found else None
    if partial is None:
        return
    sizes: dict[WidthName, float] = {"column": 320, "page": 680}
    for size, widest in sizes.items():
        drawn = picture(failure(partial, [message_text(each, EXCERPT[size]) for each in found]), size)
        assert faults(drawn) == []
        assert drawn.width <= widest - 6  # less the margin of the theme, 3 pixels at each side
        # 8.5 pixels of 0.75 pt are 6.4 pt.
        assert min(item.size for item in flat(drawn.items) if isinstance(item, TextItem)) >= 8.5
    drawing = failure(partial, [message_text(each, 70) for each in found])
    assert faults(picture(drawing, "slide")) == []
    drawn = picture(drawing)
    assert any(isinstance(item, RectangleItem) and item.stroke == "error" for item in flat(drawn.items))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mistakes())
def test_generated_mistakes(mistake: Mistake) -> None:
    source = Source("bad.cnn", mistake.text)
    found = errors_of(source)
    partial = partial_of(source, found)
    if partial is not None:
        assert faults(picture(failure(partial, [message_text(each, 70) for each in found]))) == []


@pytest.mark.parametrize("file", WRONG[::9], ids=lambda file: file.stem)
def test_a_message_is_that_of_the_command_line(file: Path) -> None:
    for found in errors_of(read(str(file))):
        text = message_text(found)
        printed = render([found], colour=False)
        for line in (*text.message, text.place, *text.excerpt, *text.context, *text.help):
            assert line in printed


def test_a_narrow_message_cuts_lines_around_what_is_underlined() -> None:
    """Each window has 60 characters, and begins 16 before a mark; the labels fit in as well."""
    (found,) = errors_of(Source("bad.cnn", "INPUT 32x32x3 -> e: CONV3-8 -> POOL2 -> CONV3-16 -> (CROP(out=@e) | @e)"))
    assert message_text(found).excerpt[0].startswith("1 | INPUT 32x32x3")
    code, mark, again, other = message_text(found, 60).excerpt
    assert code.endswith("(CROP(out=@e …")
    assert mark.index("-------") == code.index("CONV3-8")
    assert mark.endswith("------- outputs 32x32x8")
    assert other.index("^^^^^^^^^^^^ the input is 16x16x16") == again.index("CROP(out=@e)")
    # The number of the line, a bar and an ellipsis at each end are beside the 60 characters.
    assert max(map(len, (code, mark, again, other))) <= 60 + 4 + 2 * 2


def test_what_is_said_of_an_underline_has_room_beside_it_or_stands_beneath() -> None:
    """A column has 314 pixels less 40 of margins, 53 letters of 5.12 pixels; the label and its margin have more."""
    said = "the input is as small as this because of the poolings before it"
    message = MessageText("E0301", ("too small",), "bad.cnn:1:9", ("1 | -> CONV7-8", f"  |    ^^^^^^^ {said}"), (), ())
    box = message_box(message, 314)
    texts = [item.text for item in flat(box.sketch.items) if isinstance(item, TextItem) and item.mono]
    assert box.width == 314
    assert texts[:4] == ["1 | -> CONV7-8", "|", "^^^^^^^", "|"]
    assert "".join(f"{text} " for text in texts[4:] if text != "|").strip() == said


def test_what_is_before_a_failure_is_drawn_and_what_is_behind_it_are_ghosts() -> None:
    """stage1 works. In stage2 the first of three units fails: 32x32x32 come in, and its branch gives 16x16x64."""
    drawing = drawing_of(MERGE)
    stem, one, two, three, head = drawing.steps[1:]
    assert isinstance(stem, SpineRow)
    assert [cell.role for cell in stem.row.cells] == ["conv"]
    assert isinstance(one, NetCard)
    # Each unit has two convolutions without biases' worth of batch norms: 2 * (3*3*32*32 + 32 + 2*32).
    assert (one.state, one.params) == ("", 3 * 2 * (9 * 32 * 32 + 32 + 64))
    assert isinstance(two, NetCard)
    assert [(line.role, line.times, line.is_first) for line in two.lines] == [("failing", 1, True), ("ghost", 2, False)]
    assert isinstance(three, NetCard)
    assert (three.state, three.shape, three.params) == ("ghost", "?", 0)
    assert isinstance(head, SpineRow)
    assert {cell.role for cell in head.row.cells} == {"ghost"}


def test_the_block_that_fails_is_opened_with_its_own_numbers() -> None:
    (panel,) = drawing_of(MERGE).panels
    assert (panel.title, panel.caption) == ("Unit(64, 2)", "in stage2")
    merge, last = panel.elements
    assert isinstance(merge, Branching)
    assert (merge.state, merge.shapes) == ("failing", ("16×16×64", "32×32×32"))
    assert isinstance(last, FusedRow)
    assert [cell.role for cell in last.cells] == ["ghost"]
    assert (panel.entering, panel.leaving) == ("32×32×32", "?")


def test_no_figures_of_a_part_stand_for_the_network() -> None:
    texts = texts_of(drawing_of(MERGE))
    assert "1 error · drawn as far as shapes are known" in texts
    assert not [text for text in texts if "MACs" in text or "multiply-adds" in text or "parameters" in text]
    assert drawing_of(MERGE).description.startswith(
        "bad fails: the branches of `+` have different shapes (bad.cnn:1:66, in Unit"
    )


def test_a_failure_at_the_end_of_a_repeat() -> None:
    drawing = drawing_of(f"{UNIT}INPUT 8x8x16 -> body: [Unit(16)*4 -> Unit(17)] -> GAP")
    card = drawing.steps[1]
    assert isinstance(card, NetCard)
    assert [(line.role, line.times) for line in card.lines] == [("conv", 4), ("failing", 1)]
    assert drawing.panels[0].caption == "in body"


@pytest.mark.parametrize(
    ("inner", "count", "title", "caption", "said"),
    [
        # 32 becomes 26 and 20 in the first Outer, 10 after the pooling; 4 in the second one, too few for another 7x7.
        ("[P(c)]*2 -> POOL2", 3, "P(8)", "repeat 2 of 2 in Outer(8), repeat 2 of 3 in body", "repeat 2 of 2"),
        ("P(c) -> POOL2 -> POOL2", 2, "Outer(8)", "repeat 2 of 2 in body", "repeat 2 of 2"),
    ],
)
def test_iterations_are_those_of_the_message(inner: str, count: int, title: str, caption: str, said: str) -> None:
    text = f"""block P(c) = (CONV7-c(pad=0) | CONV7-c(pad=0)) -> CONV1-c
block Outer(c) = {inner}
INPUT 32x32x3 -> body: [Outer(8)]*{count}"""
    drawing = drawing_of(text)
    assert (drawing.panels[0].title, drawing.panels[0].caption) == (title, caption)
    assert f"in {said}" in drawing.faults[0].message.frames


def test_a_row_of_a_table_fails() -> None:
    rows = "for k, c, s in (3, 8, 1), (5, 16, 2), (3, 24, 2) [(CONV{k}-c -> BN -> CONV1-c/s + ID or CONV1-c)]"
    card = drawing_of(f"INPUT 32x32x8 -> {rows} -> GAP").steps[1]
    assert isinstance(card, NetCard)
    assert card.table is None
    assert [(line.text, line.role) for line in card.lines] == [
        ("k 3, c 8", "conv"),
        ("k 5, c 16, s /2", "failing"),
        ("k 3, c 24, s /2", "ghost"),
    ]


def test_a_layer_that_fails_is_a_row_of_its_own_with_what_enters_it() -> None:
    steps = drawing_of("INPUT 28x28x1 -> CONV5-6 -> TANH -> FC-120 -> RELU -> CONV5-16 -> RELU -> FC-10").steps
    rows = [
        [(cell.text, cell.role, cell.entering) for cell in step.row.cells]
        for step in steps
        if isinstance(step, SpineRow)
    ]
    assert rows[3] == [("5×5 conv, 16", "failing", "120")]
    assert [role for row in rows[4:] for _, role, _ in row] == ["ghost", "ghost"]


def test_what_cannot_be_made_is_drawn_as_it_is_written() -> None:
    drawing = drawing_of("INPUT 8x8x3 -> CNOV3-64/2(pad=0) -> RELU -> FC-clases")
    rows = [[cell.text for cell in step.row.cells] for step in drawing.steps if isinstance(step, SpineRow)]
    assert rows[1:] == [["CNOV3-64/2(pad=0)"], ["ReLU"], ["FC-clases"]]
    assert [fault.step for fault in drawing.faults] == [1, 3]


def test_more_errors_than_there_is_room_for_are_counted() -> None:
    texts = texts_of(drawing_of("INPUT 8x8x3 -> A1 -> A2 -> A3 -> A4 -> A5"))
    assert "5 errors · drawn as far as shapes are known" in texts
    assert "and 2 more errors" in texts


def test_a_skip_over_cards_fails() -> None:
    """225 becomes 112 by pooling, and 224 by the up-convolution: each edge of the merge carries its own shape."""
    text = """INPUT 225x225x1 -> enc: [CONV3-8 -> RELU -> CONV3-8 -> RELU] -> POOL2 -> [CONV3-16 -> RELU]*2
    -> CONVT2-8/2 -> (ID | @enc) -> CONV3-8"""
    drawing = drawing_of(text)
    merge = next(step for step in drawing.steps if isinstance(step, SpineBranching))
    assert merge.element.state == "failing"
    assert {"224×224×8", "225×225×8"} <= set(texts_of(drawing))


def test_a_network_with_an_error_fits_a_slide() -> None:
    """540 pixels with the margins of 3, and no text below the 8.5 of a page. 64 is 32 after a stride, 28 after two
    convolutions without padding; 14 and 8; 4 and 2, where the next window has no place."""
    unit = UNIT.replace("+ ID)", "+ ID or CONV1-c/s)")
    text = """block Stage(c, n) = Unit(c, 2) -> [Unit(c) -> CONV3-c(pad=0)]*n
    INPUT 64x64x3 -> stem: CONV3-16 -> for c, n in (16, 2), (32, 3), (64, 5) [st{c}: Stage(c, n)] -> GAP -> FC-10"""
    found = picture(drawing_of(unit + text), "slide")
    assert (found.width, found.height) == (954, pytest.approx(534, abs=0.5))
    assert faults(found) == []
    assert min(each.size for each in flat(found.items) if isinstance(each, TextItem)) >= 8.5


def test_a_part_beside_the_network_fails() -> None:
    drawing = drawing_of("INPUT 8x8x3 -> CONV3-8 -> RELU -> tap aux (train): [POOL2 -> CONV7-8(pad=0)] -> GAP -> FC-2")
    (panel,) = drawing.panels
    assert (panel.title, panel.state, panel.kind) == ("aux", "failing", "training")
    assert all(
        cell.role not in ("failing", "ghost")
        for step in drawing.steps
        if isinstance(step, SpineRow)
        for cell in step.row.cells
    )


def test_without_an_error_there_is_no_part() -> None:
    assert elaborated_part(parse(Source("good.cnn", "INPUT 8x8x3 -> FC-2")), {}, used, ()) is None


def test_the_row_that_fails_is_not_cut() -> None:
    """Its text is bolder than that of the rows beside it, and wider: the card has room for it."""
    body = "[[CONV3-{16*i} -> RELU]*2 -> POOL2 -> CONV4-{32*i}(pad=valid)]*5"
    drawing = drawing_of(f"INPUT 40x40x3 -> stem: [CONV3-16 -> RELU] -> body: {body} -> GAP -> FC-10")
    assert "Conv block, c = 96" in texts_of(drawing, "page")
