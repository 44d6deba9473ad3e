"""Which blocks of two networks correspond."""

from __future__ import annotations

import pytest

import cnndsl
from cnndsl.analysis.blocks import correspondence
from cnndsl.analysis.compare import compare
from cnndsl.analysis.execution import unknown

RES = "block Res(c, s=1) = (CONV3-c/s -> BN -> RELU -> CONV3-c -> BN + ID or CONV1-c/s) -> RELU\n"
DENSE = "block Dense(g) = (ID | BN -> RELU -> CONV1-4*1 -> CONV3-g)\n"


def lone(before: str, after: str) -> tuple[list[str], list[str]]:
    """The names of the blocks of each network that the other has nothing like."""
    found = correspondence(cnndsl.loads(before).graph, cnndsl.loads(after).graph).lone
    one, other = (list(dict.fromkeys(block.name for block in each.values())) for each in found)
    return one, other


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        # Equal blocks under other names, and blocks of other widths.
        (f"{RES}INPUT 8x8x4 -> a: Res(4) -> b: Res(8, 2)", f"{RES}INPUT 8x8x4 -> x: Res(4) -> y: Res(16, 2)", ([], [])),
        # One more unit, in front.
        (f"{RES}INPUT 8x8x4 -> b: Res(4)", f"{RES}INPUT 8x8x4 -> a: Res(8) -> b: Res(4)", ([], ["a"])),
        # A repeat of the same unit more often, looked into.
        (f"{RES}INPUT 8x8x4 -> s: [Res(4)*2]", f"{RES}INPUT 8x8x4 -> s: [Res(4)*4]", ([], ["s.2", "s.3"])),
        # A block of the same name that has changed is compared layer by layer.
        (f"{RES}INPUT 8x8x4 -> a: Res(4)", "INPUT 8x8x4 -> a: [CONV3-4 -> BN -> RELU -> POOL2]", ([], [])),
        # Chains of much the same layers, under other names.
        (
            "INPUT 8x8x4 -> a: [CONV3-4 -> RELU -> CONV3-4 -> RELU]",
            "INPUT 8x8x4 -> b: [CONV3-8 -> BN -> RELU -> CONV3-8 -> BN -> RELU]",
            ([], []),
        ),
        # A chain that the other network has written out.
        (
            "INPUT 8x8x4 -> a: CONV3-4 -> head: [FC-8 -> RELU -> FC-4 -> RELU]",
            "INPUT 8x8x4 -> a: CONV3-4 -> b: FC-8 -> RELU -> c: FC-4 -> RELU",
            ([], []),
        ),
        # Families that have nothing in common.
        (
            f"{RES}INPUT 8x8x4 -> a: Res(4) -> b: Res(8) -> fc: FC-2",
            f"{DENSE}INPUT 8x8x4 -> x: Dense(4) -> y: Dense(4) -> fc: FC-2",
            (["a", "b"], ["x", "y"]),
        ),
    ],
)
def test_which_blocks_correspond(before: str, after: str, found: tuple[list[str], list[str]]) -> None:
    assert lone(before, after) == found
    assert lone(after, before) == found[::-1]


@pytest.mark.parametrize("other", ["densenet121", "googlenet", "vgg16", "resnet101"])
def test_each_layer_has_one_place(other: str) -> None:
    before, after = cnndsl.load("resnet50").graph, cnndsl.load(other).graph
    pairs = compare(before, after, unknown).pairs
    assert [pair.before.index for pair in pairs if pair.before] == list(range(len(before)))
    assert [pair.after.index for pair in pairs if pair.after] == list(range(len(after)))
    assert all(pair.block is None or pair.verdict in ("added", "removed") for pair in pairs)


def test_networks_of_two_families_have_no_residual_unit_in_common() -> None:
    found, others = correspondence(cnndsl.load("resnet50").graph, cnndsl.load("densenet121").graph).lone
    assert {block.name for block in found.values()} == {"layer1", "layer2", "layer3", "layer4"}
    # Six, twelve, twenty-four and sixteen dense layers, three of the blocks with a transition behind them (Huang et al.
    # 2017, Table 1), of seven layers each and four in a transition.
    counts = sorted(len(block.nodes) for block in {id(block): block for block in others.values()}.values())
    assert counts == [6 * 7 + 4, 12 * 7 + 4, 16 * 7, 24 * 7 + 4]
