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
    found = cards(folded("vgg16"))[:-1]  # the last one is the classifier, which has a repeat as well
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
    assert [card.name for card in cards(model(load("vgg16").graph, levels=1))] == ["features", "classifier"]


def test_an_opened_part_has_its_name_at_the_card_that_begins_it() -> None:
    assert [(card.stage, card.name) for card in cards(model(load("resnet18").graph, levels=2))] == [
        ("layer1", "BasicBlock"),
        ("layer2", "BasicBlock"),
        ("layer3", "BasicBlock"),
        ("layer4", "BasicBlock"),
    ]


UNIT = "block B(c) = (CONV3-c -> BN -> RELU -> CONV3-c -> BN + ID) -> RELU "
IR = "block P(c) = CONV1-c -> BN -> RELU block IR(c, e) = P(e) -> BN -> DWCONV3/2 -> BN -> P(c) -> BN "


@pytest.mark.parametrize(
    ("text", "times"),
    [
        # B alone is repeated, not the convolution after it.
        (UNIT + "INPUT 8x8x16 -> s: [B(16)*2 -> CONV3-32] -> t: [CONV3-64 -> B(64)*2] -> GAP", [1, 1]),
        (UNIT + "INPUT 8x8x16 -> s: [B(16)*2] -> GAP", [2]),
        # Each of the three parts holds two P, but none is a repeat.
        (IR + "INPUT 64x64x4 -> a: [IR(4, 8)] -> b: [IR(4, 8)] -> c: [IR(4, 8)] -> GAP -> FC-2", [1, 1, 1]),
        (IR + "INPUT 64x64x4 -> IR(4, 8) -> IR(8, 16) -> GAP -> FC-2", [2]),
        # The first iteration projects, and is a variant of the same block.
        ("INPUT 8x8x4 -> s: [[(CONV3-8 -> RELU -> CONV3-8 + ID or CONV1-8) -> RELU]*3] -> GAP", [3]),
    ],
)
def test_the_badge_counts_iterations_of_one_block(text: str, times: list[int]) -> None:
    """Rule 3: a card that has anything else claims no repeat of the whole, since its rows say what repeats."""
    assert [card.times for card in cards(model(loads(text).graph))] == times


@pytest.mark.parametrize(
    ("text", "names", "rows"),
    [
        ("body: [CONV3-8 -> RELU]*2", ["body"], [2]),
        ("body: [[CONV3-8 -> RELU]*2]", ["body"], [2]),
        ("CONV3-8 -> body: [CONV3-8 -> BN -> RELU -> CONV5-8]*3", ["body"], [3]),
    ],
)
def test_a_label_before_a_repeat_is_the_title_of_a_card(text: str, names: list[str], rows: list[int]) -> None:
    found = cards(model(loads(f"INPUT 32x32x3 -> {text} -> GAP -> FC-10").graph))
    assert [card.name for card in found] == names
    assert [line.times for line in found[0].lines] == rows


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("[(CONV3-16 -> RELU -> CONV3-16 + ID) -> RELU]*3", "Residual block"),
        ("[(CONV1-4 -> RELU -> CONV3-4 -> RELU -> CONV1-16 + ID) -> RELU]*3", "Bottleneck block"),
        ("[(CONV1-64 -> RELU6 -> DWCONV3 -> RELU6 -> CONV1-16 + ID)]*3", "Inverted residual block"),
        ("[(ID | BN -> RELU -> CONV3-12)]*3", "Dense layer"),
        ("[(CONV1-8 | CONV1-8 -> CONV3-8 | POOL3/1(pad=1) -> CONV1-8)]*3", "Inception block"),
        ("[DWCONV3 -> BN -> RELU -> CONV1-32 -> BN -> RELU]*3", "Depthwise separable conv"),
        ("[unit{i}: [(CONV3-16 -> RELU -> CONV3-16 + ID)]]*3", "unit"),
    ],
)
def test_parts_without_names_have_the_terms_of_papers(text: str, name: str) -> None:
    drawing = model(loads(f"INPUT 32x32x3 -> CONV3-16 -> {text} -> GAP -> FC-10").graph)
    (card,) = cards(drawing)
    assert (card.name, card.lines[0].title, drawing.panels[0].title) == (name, name, name)


def test_a_number_is_no_name_without_the_part_around_it() -> None:
    block = "block U(c) = (CONV3-c -> RELU -> CONV3-c + ID)"
    stages = "stages: [0: [U(16)*2] -> 1: [U(16) -> U(16) -> RELU]]"
    text = f"{block} INPUT 32x32x16 -> CONV3-16 -> {stages} -> GAP -> FC-10"
    assert [card.name for card in cards(model(loads(text).graph))] == ["stages.0", "stages.1"]


def test_a_table_is_called_after_its_block_or_else_after_the_label_of_the_for() -> None:
    rows = "for k, c, s in (3, 16, 1), (5, 24, 2), (3, 24, 1)"
    body = "(CONV{k}-c/s -> RELU -> CONV3-c + CONV1-c/s)"
    text = f"INPUT 32x32x8 -> CONV3-8 -> blocks: {rows} [{body}] -> GAP"
    assert [card.name for card in cards(model(loads(text).graph))] == ["blocks"]
    text = f"block U(k, c, s) = {body} INPUT 32x32x8 -> CONV3-8 -> blocks: {rows} [U(k, c, s)] -> GAP"
    assert [(card.stage, card.name) for card in cards(model(loads(text).graph))] == [("blocks", "U")]


def test_a_block_that_is_asked_for_is_opened() -> None:
    drawing = model(load("inception_v4").graph, ["ReductionA"])
    assert "ReductionA" in [panel.title for panel in drawing.panels]


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        ("CROP(2)", "crop 2"),
        ("CROP(0, after=1)", "crop 1 after"),
        ("CROP(H//4, after=1x2)", "crop 4 before, 1×2 after"),
        ("CROP(out=12)", "crop to 12×12"),
        ("CROP(out=@small)", "crop to 8×8"),
        ("ZEROPAD(0x1, after=2)", "zero pad 0×1 before, 2 after"),
        ("ZEROPAD(1, after=1)", "zero pad 1"),
        ("ZEROPAD(out=20)", "zero pad to 20×20"),
        ("REFLECTPAD(0, after=1)", "reflect pad 1 after"),
    ],
)
def test_margins_are_told_of_both_sides(layer: str, text: str) -> None:
    """The map has 16 positions along each axis, of which H//4 are 4."""
    found = of_text(f"INPUT 16x16x3 -> tap small: POOL2 -> {layer}")
    assert f"[{text}]" in found


PAIRS = """block Basic(c) = (CONV3-c -> BN -> RELU -> CONV3-c -> BN + ID) -> RELU
block Pair(c) = [Basic(c) -> Basic(c)]
INPUT 32x32x16 -> g1: [Pair(16)] -> CONV3-32/2 -> g2: [Pair(32) -> CONV1-32] -> g3: [Basic(32)*2 -> Pair(32)*3]
-> GAP -> FC-10"""


def test_one_call_of_a_block_is_no_repeat_of_what_is_in_it() -> None:
    """`Pair` has two `Basic` in it, and is a row of the card `g3`, so it is one of `g1` and of `g2` too."""
    for levels in (None, 2):
        cards = [step for step in model(loads(PAIRS).graph, levels=levels).steps if isinstance(step, NetCard)]
        rows = [(line.title, line.times) for card in cards for line in card.lines if not line.row]
        pairs = [times for title, times in rows if title == "Pair"]
        assert pairs == ([1, 1, 3] if levels is None else [1, 3])
        assert all(card.times == sum(line.times for line in card.lines) for card in cards if card.times > 1)


PYRAMID = """block Two(c) = [CONV3-c -> RELU]*2
block Up(c, skip) = [u = CONVT2-c/2 m = (@skip | @u) y = @m -> Two(c)]
INPUT 64x64x3 -> c2: [Two(16) -> POOL2] -> c3: [Two(32) -> POOL2] -> c4: Two(64)
p3 = (@c4 -> UPSAMPLE(out=@c3) | @c3 -> CONV1-48)
p2 = (@p3 -> UPSAMPLE(out=@c2) | @c2 -> CONV1-48)
h3 = @p3 -> tap a3(train): CONV1-4 -> CONV3-8
h2 = @p2 -> tap a2(train): CONV1-4 -> CONV3-8
output h3, h2"""


def test_a_panel_tells_what_holds_in_all_its_instances() -> None:
    """The levels of a pyramid have names and sizes of their own: 16x16 and 32x32."""
    panels = {panel.title: panel for panel in model(loads(PYRAMID).graph).panels}
    assert "c3, c2" in panels["p3, p2"].inputs
    (beside,) = [panel for panel in panels.values() if panel.kind == "training"]
    assert (beside.title, beside.leaving) == ("a3, a2", "")


def test_a_panel_counts_no_calls_if_it_does_not_know_of_all() -> None:
    """`Pair` has two of the calls of `Basic`; a panel of 2 of 12 would tell less than the truth."""
    captions = {panel.title: panel.caption for panel in model(loads(PAIRS).graph).panels}
    assert captions == {"Pair": "5 times", "Basic": ""}


def test_cards_of_one_block_are_called_after_their_paths() -> None:
    """The keys of torchvision's SqueezeNet 1.1 have the modules 3, 4, 6, 7 and 9 to 12 of its `features`."""
    names = [card.name.replace("\N{EN DASH}", " to ") for card in cards(model(load("squeezenet1_1").graph))]
    assert names == ["features.3 to 4", "features.6 to 7", "features.9 to 12"]


def test_a_card_of_several_kinds_of_layers_has_no_colour_of_one() -> None:
    """Huang et al. 2016, Section 3: a transition is a convolution and a pooling."""
    found = {card.name: card.lines[0].role for card in cards(model(load("densenet121").graph))}
    assert found == {f"denseblock{at}": "conv" for at in range(1, 5)} | {f"transition{at}": "io" for at in range(1, 4)}


def test_the_part_with_most_parameters_is_a_card() -> None:
    """AlexNet's three FC layers: 9216*4096 + 4096*4096 + 4096*1000 weights, and a bias for each output."""
    params = {card.name: card.params for card in cards(model(load("alexnet").graph))}
    assert params["classifier"] == 9217 * 4096 + 4097 * 4096 + 4097 * 1000
