"""Legends: each symbol that is drawn is explained, and none that isn't."""

from __future__ import annotations

import pytest

from cnndsl import load, loads
from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.drawing.cards.model import NetCard
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
        "t": "multiple of C",
        "c": "width",
        "n": "how often",
        "s, /s": "stride, 1 where left out",
        "C": "channels that come in",
    }


def test_one_letter_for_the_channels_that_come_in() -> None:
    drawing = model(load("densenet121").graph)
    assert [panel.entering for panel in drawing.panels[:2]] == ["C", "C"]
    assert [entry.beside for entry in drawing.legend if entry.text == "channels that come in"] == ["C"]


def test_when_dashed_parts_are_there() -> None:
    """Sandler et al. 2018, Section 3.4 and Figure 4: no expansion where t = 1, a shortcut at stride 1 between equals;
    Howard et al. 2019, Table 1: squeeze-and-excite in the lines that say so, and 16 of 16 channels aren't expanded."""
    assert model(load("mobilenet_v2").graph).panels[0].notes == (
        "1×1 not where t = 1",
        "identity where the shape stays",
    )
    assert model(load("mobilenet_v3_large").graph).panels[0].notes == (
        "1×1 not where e = 16",
        "Excite where se",
        "identity where the shape stays",
    )


@pytest.mark.parametrize(
    "name", ["alexnet", "densenet121", "googlenet", "resnet18", "squeezenet1_1", "vgg16", "xception"]
)
@pytest.mark.parametrize("size", ["column", "page"])
def test_the_example_of_a_figure_is_drawn(name: str, size: WidthName) -> None:
    """It stands in a card and in the legend; where no card has figures the legend has none."""
    found = texts(name, size)
    if "parameters of a part" in found:
        assert found.count(found[found.index("parameters of a part") - 1]) >= 2


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
