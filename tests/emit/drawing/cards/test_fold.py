"""Folding, against what the papers say of the networks and against the rules of the drawings."""

from __future__ import annotations

import pytest

from cnndsl import load, loads
from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.drawing.cards.model import CardTable, DrawingModel, GrowthBar, NetCard
from tests.emit.drawing.cards.dump import dump


def folded(name: str) -> DrawingModel:
    return model(load(name).graph)


def cards(drawing: DrawingModel) -> list[NetCard]:
    return [step for step in drawing.steps if isinstance(step, NetCard)]


def lines(card: NetCard) -> list[tuple[str, str, int, bool]]:
    return [(line.key, line.text, line.times, line.is_first) for line in card.lines]


def of_text(text: str) -> str:
    return dump(model(loads(text).graph))


def test_the_stages_of_a_residual_network() -> None:
    """He et al. 2015, Table 1, and rule 3: the badge has the sum, a first iteration that differs a row of its own."""
    drawing = folded("resnet50")
    assert [(card.name, card.times, card.shape) for card in cards(drawing)] == [
        ("layer1", 3, "56×56×256"),
        ("layer2", 4, "28×28×512"),
        ("layer3", 6, "14×14×1024"),
        ("layer4", 3, "7×7×2048"),
    ]
    assert lines(cards(drawing)[1]) == [("B", "c = 128, /2", 1, True), ("A", "c = 128", 3, False)]


def test_an_identity_and_a_projection_are_two_variants() -> None:
    """Rule 4. Twelve of the sixteen blocks have an identity."""
    assert [(panel.key, panel.title, panel.caption, panel.times) for panel in folded("resnet50").panels] == [
        ("A", "Bottleneck", "identity · 12 of 16", 12),
        ("B", "Bottleneck", "projection · first of a stage", 4),
    ]


def test_figures_are_those_of_stats() -> None:
    net = load("resnet50")
    drawing = model(net.graph)
    assert (drawing.params, drawing.macs) == (25_557_032, 4_089_184_256)
    assert sum(card.params for card in cards(drawing)) == 25_557_032 - (7 * 7 * 3 * 64 + 2 * 64) - 2049 * 1000


def test_training_only_outputs_don_t_count() -> None:
    """GoogLeNet without its auxiliary classifiers, as its file says."""
    drawing = folded("googlenet")
    assert (drawing.params, drawing.macs) == (6_624_904, 1_498_376_192)
    (panel,) = [panel for panel in drawing.panels if panel.kind == "training"]
    assert panel.times == 2
    assert [drawing.steps[at].path for at in panel.steps] == ["inception4a", "inception4d"]


def test_a_card_has_a_column_for_each_branch() -> None:
    """Szegedy et al. 2014, Table 1, inception (3a)."""
    card = cards(folded("googlenet"))[0]
    assert card.heads == ("1×1", "1×1 → 3×3", "1×1 → 3×3", "pool → 1×1")
    assert card.lines[0].columns == ("64", "96 → 128", "16 → 32", "32")
    assert [channels for channels, _ in card.lines[0].bar] == [64, 128, 32, 32]


def test_dense_growth_is_a_bar() -> None:
    """Huang et al. 2016, Table 1: 6, 12, 24 and 16 layers of growth 32."""
    assert [card.growth for card in cards(folded("densenet121")) if card.growth] == [
        GrowthBar(64, 6, 32),
        GrowthBar(128, 12, 32),
        GrowthBar(256, 24, 32),
        GrowthBar(512, 16, 32),
    ]


def test_a_for_of_several_names_is_a_table() -> None:
    """Howard et al. 2019, Table 1; equal neighbours are one row."""
    (card,) = cards(folded("mobilenet_v3_large"))
    table = card.table
    assert isinstance(table, CardTable)
    assert table.heads == ("k", "e", "c", "se", "nl", "s")
    assert table.kinds == ("text", "bar", "bar", "flag", "text", "stride")
    assert sum(table.times) == 15
    assert table.rows[0] == ("3", "16", "16", "", "ReLU", "")
    assert table.rows[-1] == ("5", "960", "160", "yes", "h-swish", "")
    assert [size for size in table.sizes if size] == ["112×112", "56×56", "28×28", "14×14", "7×7"]


def test_a_for_of_one_or_two_names_is_a_card_a_row() -> None:
    """Simonyan & Zisserman 2014, Table 1, configuration D."""
    found = cards(folded("vgg16"))
    assert [card.name for card in found] == ["c = 64", "c = 128", "c = 256", "c = 512", "c = 512"]
    assert [[line.times for line in card.lines] for card in found] == [[2, 1], [2, 1], [3, 1], [3, 1], [3, 1]]


def test_a_chain_stays_open() -> None:
    assert of_text("INPUT 8x8x3 -> CONV3-4 -> BN -> RELU -> POOL2 -> FC-10").splitlines()[1:] == [
        "  0   [8×8×3] -> 8×8×3",
        "  1 | [3×3 conv, 4 | BN | ReLU] -> 8×8×4",
        "  2 | [2×2 max pool, /2] -> 4×4×4",
        "  3 | [FC, 10] -> 10",
    ]


def test_blocks_are_equal_by_their_layers_not_by_their_names() -> None:
    text = (
        "block A(c) = (CONV3-c -> RELU -> CONV3-c + ID) -> RELU block B(c) = (CONV3-c -> RELU -> CONV3-c + ID) -> RELU "
        "INPUT 8x8x8 -> s: [A(8) -> B(8) -> A(8)]"
    )
    (card,) = cards(model(loads(text).graph))
    assert [line.times for line in card.lines] == [3]


def test_a_window_makes_another_block() -> None:
    text = "INPUT 8x8x8 -> s: [(CONV3-8 -> RELU -> CONV3-8 + ID) -> (CONV5-8 -> RELU -> CONV3-8 + ID)]"
    drawing = model(loads(text).graph)
    assert [line.times for line in cards(drawing)[0].lines] == [1, 1]
    assert len(drawing.panels) == 2


def test_wiring_makes_another_block() -> None:
    text = "INPUT 8x8x8 -> s: [(a: CONV3-8 -> b: CONV3-8 + ID) -> (c: CONV3-8 -> CONV3-8 + @c)]"
    assert [line.times for line in cards(model(loads(text).graph))[0].lines] == [1, 1]


def test_repeats_that_are_written_out_are_folded() -> None:
    text = "INPUT 8x8x8 -> " + " -> ".join(["(CONV3-8 -> RELU -> CONV3-8 + ID) -> RELU"] * 5) + " -> FC-2"
    assert [card.times for card in cards(model(loads(text).graph))] == [5]


def test_a_gate_is_drawn_closed_and_opened_once() -> None:
    panels = folded("se_resnet50").panels
    assert [panel.title for panel in panels] == ["Bottleneck", "Bottleneck", "Excite"]
    assert "<Excite>" in dump(folded("se_resnet50"))


def test_a_link_over_cards() -> None:
    """Ronneberger et al. 2015, Figure 1: four copies."""
    drawing = folded("unet")
    assert len(drawing.links) == 4
    assert drawing.u is not None
    assert [skip.label for skip in drawing.u.skips] == ["crop 4", "crop 16", "crop 40", "crop 88"]


@pytest.mark.parametrize("name", ["resnet50", "vgg16", "googlenet", "densenet121", "mobilenet_v3_large"])
def test_other_networks_are_no_u(name: str) -> None:
    assert folded(name).u is None


def test_unfolded_there_are_no_cards() -> None:
    drawing = model(load("resnet34").graph, unfold=True)
    assert cards(drawing) == []
    assert drawing.panels == ()


def test_levels_open_parts() -> None:
    assert [card.name for card in cards(model(load("resnet50").graph, levels=1))] == [
        "layer1",
        "layer2",
        "layer3",
        "layer4",
    ]
    assert len(cards(model(load("vgg16").graph, levels=1))) == 1


def test_a_block_that_is_asked_for_is_opened() -> None:
    drawing = model(load("inception_v4").graph, ["ReductionA"])
    assert "ReductionA" in [panel.title for panel in drawing.panels]
