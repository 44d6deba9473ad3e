"""Legends: each symbol that is drawn is explained, and none that isn't."""

from __future__ import annotations

import pytest

from cnndsl import load, loads
from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.drawing.cards.model import NetCard, RepeatFrame
from cnndsl.emit.drawing.display import TextItem
from cnndsl.emit.drawing.layout.page import WidthName, picture
from cnndsl.emit.drawing.shapes import flat
from tests.emit.drawing.cards.dump import dump


def explained(name: str) -> dict[str, str]:
    return {entry.symbol: entry.text for entry in model(load(name).graph).legend if entry.symbol}


def texts(name: str, size: WidthName) -> list[str]:
    return [item.text for item in flat(picture(model(load(name).graph), size).items) if isinstance(item, TextItem)]


def test_letters_of_a_block() -> None:
    """Iandola et al. 2016, Section 3.2: a module squeezes to s and expands to e and e channels, 2e together."""
    drawing = model(load("squeezenet1_1").graph)
    assert explained("squeezenet1_1") == {"c′": "channels that come in", "s, e": "widths"}
    assert drawing.panels[0].leaving == "2e"


def test_names_of_a_table() -> None:
    """Sandler et al. 2018, Table 2: each line repeats n times, with c channels, stride s first, expansion t."""
    assert explained("mobilenet_v2") == {
        "t": "multiple of c′",
        "c": "width",
        "n": "how often",
        "s, /s": "stride of the first of a row, else 1",
        "c′": "channels that come in",
    }


def test_one_letter_for_the_channels_that_come_in() -> None:
    drawing = model(load("densenet121").graph)
    assert [panel.entering for panel in drawing.panels[:2]] == ["C", "C"]
    assert [entry.beside for entry in drawing.legend if entry.text == "channels that come in"] == ["C"]


def test_when_dashed_parts_are_there() -> None:
    """Sandler et al. 2018, Section 3.4 and Figure 4: expansion by a factor above 1, a shortcut at stride 1 between
    equals; Howard et al. 2019, Table 1: squeeze-and-excite in the lines that say so, and 16 of 16 channels aren't
    expanded."""
    assert model(load("mobilenet_v2").graph).panels[0].notes == ("1×1 where t > 1", "identity where s = 1 and c′ = c")
    assert model(load("mobilenet_v3_large").graph).panels[0].notes == (
        "1×1 where e ≠ c′",
        "Excite where se",
        "identity where s = 1 and c′ = c",
    )


ROWS = "for c, s, p in (16, 1, 0.1), (16, 1, 0.2), (32, 2, 0.3), (32, 1, 0.4)"
MAIN = "CONV3-c/s -> RELU -> CONV3-c -> DROPOUT(p)"


@pytest.mark.parametrize(
    ("body", "notes"),
    [
        # p = 0.3 and s = 2 happen to go together; the program asks for s.
        (f"({MAIN} + [CONV1-c/s] if s > 1 else [ID])", ["1×1 where s > 1"]),
        (f"({MAIN} + [ID] if s == 1 else [CONV1-c/s])", ["1×1 unless s = 1"]),
        (f"({MAIN} + ID or CONV1-c/s)", ["1×1 where the shape changes"]),
        # Without a condition a part that one row lacks is told by its place.
        ("[CONV3-c/s -> RELU]*{s} -> DROPOUT(p)", ["3×3 in the 3rd"]),
    ],
)
def test_a_condition_is_that_of_the_program(body: str, notes: list[str]) -> None:
    drawing = model(loads(f"INPUT 32x32x16 -> {ROWS} [{body}] -> GAP").graph)
    assert [*drawing.panels[0].notes] == notes


def test_a_condition_of_an_inner_block_is_told_in_the_names_of_the_table() -> None:
    inner = "block Inner(w, wide) = CONV3-w -> RELU -> BN if wide "
    outer = "block Outer(n, deep, k) = (Inner(n, deep) -> CONV{k}-n + CONV1-n) "
    rows = "for c, d, k in (16, yes, 3), (32, no, 5), (64, no, 3)"
    drawing = model(loads(f"{inner}{outer}INPUT 32x32x16 -> {rows} [Outer(c, d, k)] -> GAP").graph)
    assert drawing.panels[0].notes == ("BN where d",)


def test_how_often_something_repeats_is_what_the_program_says() -> None:
    """n - 1 and k - 1 are the same numbers here."""
    rows = "for c, k, n in (16, 3, 3), (32, 5, 5), (64, 3, 3)"
    drawing = model(
        loads(f"INPUT 32x32x16 -> {rows} [CONV{{k}}-c/2 -> BN -> [CONV3-c -> RELU]*{{n - 1}}] -> GAP").graph
    )
    frames = [each for each in drawing.panels[0].elements if isinstance(each, RepeatFrame)]
    assert [each.text for each in frames] == ["×(n - 1)"]


@pytest.mark.parametrize(
    "name", ["alexnet", "densenet121", "googlenet", "resnet18", "squeezenet1_1", "vgg16", "xception"]
)
@pytest.mark.parametrize("size", ["column", "page"])
def test_the_example_of_a_figure_is_drawn(name: str, size: WidthName) -> None:
    """It stands in a card and in the legend; where no card has figures the legend has none."""
    found = texts(name, size)
    if "parameters of the box" in found:
        assert found.count(found[found.index("parameters of the box") - 1]) >= 2


@pytest.mark.parametrize("size", ["column", "page"])
def test_all_cards_have_their_parameters_or_none_has(size: WidthName) -> None:
    found = texts("densenet121", size)
    assert len({figure in found for figure in ("335K", "920K", "2.84M", "2.16M")}) == 1


def test_a_card_that_is_called_after_its_widths_says_parameters() -> None:
    assert "38.7K parameters" in texts("vgg16", "column")
    assert "c = 64" not in texts("vgg16", "column")


def test_the_bar_of_branches_is_explained_where_it_is_drawn() -> None:
    assert "what each branch adds" in texts("googlenet", "page")
    assert "what each branch adds" not in texts("googlenet", "column")


def test_projections_that_some_stages_lack_are_counted() -> None:
    """He et al. 2015, Table 1: the first stage of ResNet-18 keeps its width, so that three of eight have one."""
    assert [panel.caption for panel in model(load("resnet18").graph).panels] == [
        "identity · 5 of 8",
        "projection · 3 of 8",
    ]


def test_a_row_that_stands_once_says_so_beside_others() -> None:
    assert texts("resnet18", "column").count("×1") == 3


def test_layers_that_enlarge_say_by_how_much() -> None:
    assert "[2×2 up-conv, 4, ×2]" in dump(model(loads("INPUT 8x8x3 -> CONVT2-4/2").graph))


def test_widths_that_are_multiples_of_a_name() -> None:
    """Xie et al. 2016, Table 1: 128, 128, 256 in the first stage, c being 64."""
    steps = model(load("resnext50_32x4d").graph)
    assert any(isinstance(step, NetCard) and step.table for step in steps.steps)
    assert "[1×1, 2c | BN | ReLU]" in dump(steps)
    assert "[1×1, 4c | BN]" in dump(steps)
