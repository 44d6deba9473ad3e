"""Two networks side by side."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

import cnndsl
from cnndsl.analysis.alignment import aligned
from cnndsl.analysis.compare import Comparison, compare
from cnndsl.analysis.cost import Cost
from cnndsl.analysis.execution import unknown


def between(before: str, after: str) -> Comparison:
    load = [cnndsl.loads(text) if "INPUT" in text else cnndsl.load(text) for text in (before, after)]
    return compare(load[0].graph, load[1].graph, unknown)


def verdicts(comparison: Comparison) -> list[str]:
    return [pair.verdict for pair in comparison.pairs]


def test_a_net_is_the_same_as_itself() -> None:
    comparison = between("vgg16", "vgg16")
    assert not comparison.differs
    assert all(figure.before == figure.after for figure in comparison.figures)


def test_an_inserted_layer_shifts_nothing() -> None:
    before = "INPUT 8x8x3 -> CONV3-4 -> RELU -> CONV3-8 -> RELU -> FC-10"
    after = "INPUT 8x8x3 -> CONV3-4 -> RELU -> CONV3-4 -> RELU -> CONV3-8 -> RELU -> FC-10"
    assert verdicts(between(before, after)).count("added") == 2
    assert set(verdicts(between(before, after))) == {"same", "added"}
    assert set(verdicts(between(after, before))) == {"same", "removed"}


def test_a_changed_option_is_named() -> None:
    comparison = between("INPUT 8x8x3 -> a: CONV3-4 -> b: FC-10", "INPUT 8x8x3 -> a: CONV5-8 -> b: FC-10")
    _, conv, fc = comparison.pairs
    assert conv.changes == (
        ("kernel", "3", "5"),
        ("filters", "4", "8"),
        ("output", "8x8x4", "8x8x8"),
    )
    assert fc.changes == (("input", "8x8x4", "8x8x8"),)
    figures = {figure.name: (figure.before, figure.after) for figure in comparison.figures}
    assert figures["params"] == (112 + 2570, 8 * 76 + 5130)


def test_batch_normalisation_is_what_the_bn_form_adds() -> None:
    comparison = between("vgg16", "vgg16_bn")
    added = [pair for pair in comparison.pairs if pair.verdict == "added"]
    assert [pair.after.kind for pair in added if pair.after] == ["BN"] * 13
    assert set(verdicts(comparison)) == {"same", "added"}


@pytest.mark.parametrize(
    ("before", "after", "counts"),
    [
        # Simonyan and Zisserman 2014, Table 1: A with normalisation behind its 8 convolutions.
        ("vgg11", "vgg11_bn", {"same": 30, "added": 8}),
        # A-LRN has 8 convolutions and a normalisation that C has not; C has 5 more, each with RELU.
        ("vgg_a_lrn", "vgg_c", {"same": 30, "removed": 1, "added": 10}),
        # D and E differ in 3 convolutions, each with RELU.
        ("vgg16", "vgg19", {"same": 40, "added": 6}),
    ],
)
def test_chains_of_one_family_are_compared_as_a_whole(before: str, after: str, counts: dict[str, int]) -> None:
    assert Counter(verdicts(between(before, after))) == counts


def test_another_wire_is_a_change() -> None:
    before = "INPUT 8x8x4 -> a: CONV3-4 -> b: CONV3-4 -> (c: CONV3-4 + @a)"
    after = "INPUT 8x8x4 -> a: CONV3-4 -> b: CONV3-4 -> (c: CONV3-4 + @b)"
    comparison = between(before, after)
    assert verdicts(comparison) == ["same", "same", "same", "same", "changed"]
    assert comparison.pairs[-1].changes == (("reads", "c, a", "c, b"),)


def changes(before: str, after: str) -> dict[str, tuple[tuple[str, str, str], ...]]:
    """What changed, by the layer's name in the second net."""
    pairs = between(before, after).pairs
    return {pair.after.path: pair.changes for pair in pairs if pair.after and pair.changes}


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ("a: CONV3-4", "a: CONV3-4(bias=no)", (("bias", "yes", "no"),)),
        ("a: CONV3-4", "a: CONV1x3-4", (("kernel", "3", "1x3"),)),
        ("a: CONV3-4", "a: CONV3-4(pad=1)", (("pad", "same", "1"),)),
        ("a: PICK(0, 1)", "a: PICK(0, 2)", (("channels", "0x1", "0x2"),)),
        ("a: DROPOUT", "a: DROPOUT(0.25)", (("p", "0.5", "0.25"),)),
        ("a: CONV3-4 -> tap s: GAP", "a: CONV3-4 -> tap t: GAP", ()),
    ],
)
def test_changes_are_shown_as_they_are_written(
    before: str, after: str, changed: tuple[tuple[str, str, str], ...]
) -> None:
    assert changes(f"INPUT 8x8x3 -> {before}", f"INPUT 8x8x3 -> {after}").get("a", ()) == changed


def test_taps_and_what_exists_in_training_only() -> None:
    plain = "INPUT 8x8x3 -> a: CONV3-4 -> RELU"
    tapped = "INPUT 8x8x3 -> a: CONV3-4 -> tap side: GAP -> RELU"
    comparison = between(plain.replace("RELU", "tap s: GAP -> RELU"), plain.replace("RELU", "tap t: GAP -> RELU"))
    assert [pair.changes for pair in comparison.pairs if pair.changes] == [(("tap", "s", "t"),)]
    assert between(tapped, tapped).differs is False
    trained = between(plain.replace("RELU", "tap s: GAP"), plain.replace("RELU", "tap s(train): GAP"))
    assert [pair.changes for pair in trained.pairs if pair.changes] == [(("in training only", "no", "yes"),)]


def test_figures_of_both() -> None:
    before, after = "INPUT 8x8x3 -> CONV3-4 -> RELU -> FC-10", "INPUT 8x8x3 -> CONV3-4 -> RELU -> CONV3-4 -> FC-10"
    figures = {figure.name: (figure.before, figure.after) for figure in between(before, after).figures}
    before_training, after_training = figures.pop("training")
    assert figures["saved"][0] + 4 * 2682 < before_training < after_training
    # 108 + 4, 2560 + 10; 144 + 4 more. 64*108 and 2560 multiply-adds, 64*144 more; 256 comparisons.
    assert figures == {
        "params": (2682, 2830),
        "weights": (2668, 2812),
        "macs": (9472, 18688),
        "flops": (18944, 37376),
        "operations": (256, 256),
        # What the layers give, as `stats` counts it: without the input.
        "activations": (256 + 256 + 10, 256 + 256 + 256 + 10),
        "memory": (4 * (192 + 256 + 10), 4 * (192 + 256 + 256 + 10)),
        # Parameters, the image, the map and the scores; with another convolution its map as well.
        "inference": (4 * (2682 + 192 + 256 + 10), 4 * (2830 + 192 + 256 + 256)),
        # The image, the map after RELU, log-probabilities, the class (8 bytes), and the sum of weights.
        "saved": (4 * (192 + 256 + 10) + 8 + 4, 4 * (192 + 256 + 256 + 10) + 8 + 4),
        "biases": (14, 18),
        "trainable": (2682, 2830),
        "buffers": (0, 0),
        "buffer_values": (0, 0),
        "depth": (2, 3),
        "receptive_field": ((3, 3), (5, 5)),
        "output": ((10,), (10,)),
    }


def test_another_kind_is_another_layer() -> None:
    assert verdicts(between("INPUT 8x8x3 -> a: CONV3-4", "INPUT 8x8x3 -> a: LOCAL3-4")) == ["same", "removed", "added"]


def test_layers_are_recognised_by_name_before_by_place() -> None:
    """Two convolutions change their places: the names say so, not the texts."""
    comparison = between(
        "INPUT 8x8x3 -> a: CONV3-4 -> b: CONV5-4 -> c: CONV7-4", "INPUT 8x8x3 -> b: CONV5-4 -> c: CONV7-4"
    )
    assert verdicts(comparison) == ["same", "removed", "changed", "same"]
    assert comparison.pairs[2].changes == (("input", "8x8x4", "8x8x3"),)
    assert comparison.pairs[1].cost_after == Cost()
    assert comparison.pairs[1].cost_before.weights == 108


def test_costs_stand_beside_their_layers() -> None:
    comparison = between("INPUT 8x8x3 -> a: CONV3-4", "INPUT 8x8x3 -> a: CONV3-4 -> b: CONV1-2")
    assert [pair.cost_after.params for pair in comparison.pairs] == [0, 112, 10]
    assert [pair.cost_before.params for pair in comparison.pairs] == [0, 112, 0]


@pytest.mark.parametrize(
    ("before", "after", "renamed"),
    [
        ("a: CONV3-4 -> RELU", "z: CONV3-4 -> RELU", 1),
        ("a: CONV3-4 -> b: RELU", "a: CONV3-4 -> z: RELU", 0),
        ("a: CONV3-4 -> b: BN(affine=no)", "a: CONV3-4 -> z: BN(affine=no)", 1),
        ("a: CONV3-4", "a: CONV3-4 -> b: CONV1-4", 0),
    ],
)
def test_renamed_layers_are_those_with_weights_or_buffers(before: str, after: str, renamed: int) -> None:
    assert between(f"INPUT 8x8x3 -> {before}", f"INPUT 8x8x3 -> {after}").renamed == renamed


def test_other_wires_of_layers_that_both_have() -> None:
    before = "INPUT 8x8x4 -> a: CONV3-4 -> b: CONV3-4 -> (c: CONV3-4 | @a | @b)"
    after = "INPUT 8x8x4 -> a: CONV3-4 -> b: CONV3-4 -> (c: CONV3-4 | @b | @a)"
    assert changes(before, after) == {"concat": (("reads", "c, a, b", "c, b, a"),)}
    # A layer put between is not a wire of its own.
    after = "INPUT 8x8x4 -> a: CONV3-4 -> RELU -> b: CONV3-4 -> (c: CONV3-4 | @a | @b)"
    assert changes(before, after) == {}


def test_long_nets_of_like_layers_are_aligned() -> None:
    """Layers that occur often are no noise, though both ends are others."""
    middle = "[CONV3-4 -> RELU]*120"
    comparison = between(
        f"INPUT 8x8x4 -> a: CONV1-4 -> {middle} -> b: CONV1-4", f"INPUT 8x8x4 -> c: RELU6 -> {middle} -> d: RELU6"
    )
    assert verdicts(comparison) == ["same", "removed", "added", *["same"] * 240, "removed", "added"]


def test_stages_of_more_units_have_more_units() -> None:
    """ResNet-34 has the 8 units of ResNet-18 and 8 more, of 7 layers each (He et al. 2015, Table 1)."""
    found = between("resnet18", "resnet34")
    assert sorted(set(verdicts(found))) == ["added", "same"]
    assert verdicts(found).count("added") == 8 * 7
    assert found.renamed == 0


@pytest.mark.parametrize("other", ["wide_resnet50_2", "resnext50_32x4d"])
def test_a_net_of_the_same_structure_has_layer_for_layer(other: str) -> None:
    """Each of the 16 units changes in its first three layers, in the normalisation and RELU of the second convolution,
    and in the convolution that reads it: 16 times 7."""
    found = between("resnet50", other)
    assert sorted(set(verdicts(found))) == ["changed", "same"]
    assert verdicts(found).count("changed") == 16 * 7


def test_a_repeat_and_its_turns_written_out_are_the_same() -> None:
    block = "block B = CONV3-4 -> BN -> RELU -> CONV1-4\n"
    repeated, written = "INPUT 8x8x4 -> [B]*3 -> FC-2", "INPUT 8x8x4 -> B -> [B]*2 -> FC-2"
    assert not between(block + repeated, block + written).differs
    assert verdicts(between(block + repeated, block + written.replace("*2", "*3"))).count("added") == 4


def test_layers_of_equal_blocks_go_by_their_position() -> None:
    """By their texts, the second convolution of one would be the first of the other."""
    found = between(
        "INPUT 8x8x4 -> u: [CONV3-8 -> CONV3-16 -> RELU -> POOL2]",
        "INPUT 8x8x4 -> u: [CONV3-4 -> CONV3-8 -> RELU -> POOL2]",
    )
    assert set(verdicts(found)) == {"same", "changed"}


UP = "INPUT 16x16x3 -> e: Double(8) -> POOL2 -> Double(16) -> CONVT2-8/2 -> {merge}Double(8) -> CONV1-2"


@pytest.mark.parametrize(
    ("merge", "counts"),
    [
        # Besides the concatenation only the convolution that read it: 8 channels in place of 16.
        ("", {"same": 21, "changed": 1, "removed": 1}),
        ("(@e | ID) -> DROPOUT -> ", {"same": 23, "added": 1}),
    ],
)
def test_layers_behind_a_merge_that_is_gone_keep_their_places(merge: str, counts: dict[str, int]) -> None:
    """The second convolution of a block is as the first one is once the merge is gone."""
    block = "block Double(c) = [CONV3-c -> BN -> RELU]*2\n"
    found = between(block + UP.format(merge="(@e | ID) -> "), block + UP.format(merge=merge))
    assert Counter(verdicts(found)) == counts


def test_another_activation_is_a_change_of_that_layer() -> None:
    """All six of them, in whatever blocks, and together with a merge that is gone."""
    block = "block Double(c) = [CONV3-c -> BN -> LEAKYRELU(0.1)]*2\n"
    found = between(
        block + UP.format(merge="(@e | ID) -> "), block.replace("LEAKYRELU(0.1)", "RELU") + UP.format(merge="")
    )
    assert Counter(verdicts(found)) == {"same": 15, "changed": 7, "removed": 1}
    assert changes("INPUT 8x8x3 -> CONV3-4 -> RELU", "INPUT 8x8x3 -> CONV3-4 -> SILU") == {
        "1": (("kind", "RELU", "SILU"),)
    }


@pytest.mark.parametrize("seed", range(12))
def test_a_layer_of_another_width_is_a_change(seed: int) -> None:
    """Whatever the widths around it are: equal ones do not draw it to another place."""
    random = Random(seed)
    widths = [random.choice((16, 32, 64)) for _ in range(8)]
    other = list(widths)
    other[random.randrange(8)] = random.choice((16, 32, 64, 128))
    nets = ["INPUT 32x32x3 -> " + " -> ".join(f"CONV3-{width} -> RELU" for width in row) for row in (widths, other)]
    assert set(verdicts(between(*nets))) <= {"same", "changed"}


def test_a_first_unit_that_gets_a_projection_stays_the_first() -> None:
    """A wider stem leads to a projection in the first unit; the unit that the stage has more is its last."""
    unit = "block Unit(c) = (CONV3-c -> BN -> RELU -> CONV3-c -> BN + ID or down: CONV1-c) -> RELU\n"
    found = between(
        unit + "INPUT 8x8x3 -> CONV3-16 -> stage: [Unit(16)*3] -> GAP -> FC-2",
        unit + "INPUT 8x8x3 -> CONV3-24 -> stage: [Unit(16)*4] -> GAP -> FC-2",
    )
    added = [pair.after.path.rpartition(".")[0] for pair in found.pairs if pair.after and not pair.before]
    # The unit has two convolutions with normalisation, two activations and a sum.
    assert Counter(added) == {"stage.0": 1, "stage.3": 7}
    assert "removed" not in verdicts(found)


def test_long_sequences_are_parted_before_they_are_weighed() -> None:
    """600 layers a network are more pairs than are weighed at once."""
    row = "INPUT 8x8x4 -> {first} -> [CONV3-4 -> RELU]*300 -> {last}"
    found = between(row.format(first="CONV1-4", last="GAP"), row.format(first="BN", last="FC-2"))
    assert Counter(verdicts(found)) == {"same": 601, "removed": 2, "added": 2}


def test_long_chains_that_differ_everywhere_are_halved() -> None:
    """1,000 convolutions in each, all alike, and 1,000 activations of another type."""
    before = ["stem", *["conv", "relu"] * 1000]
    after = ["new stem", *["conv", "gelu"] * 1000]
    purposes = [[("conv" if each == "conv" else "other") for each in texts] for texts in (before, after)]
    found = list(aligned(range(2001), range(2001), [before, purposes[0]], [after, purposes[1]], [100, 20]))
    assert found == [(at, at) for at in range(2001)]


def test_a_branch_that_loses_a_layer_keeps_the_others() -> None:
    """Inception: a block `Conv` of one branch goes, which shifts the numbers of those after it."""
    more = " -> Conv(8, 3)"
    text = f"""block Conv(c, k=1) = CONV{{k}}-c -> BN
    INPUT 8x8x8 -> (one: Conv(8) | Conv(8){more}{more} | AVGPOOL3/1(pad=same) -> Conv(8)) -> GAP"""
    found = between(text, text.replace(more, "", 1))
    assert Counter(verdicts(found)) == {"same": 12, "removed": 2}
