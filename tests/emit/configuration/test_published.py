"""Configuration tables against those of the papers, which are typed here by hand."""

from __future__ import annotations

import re

import pytest

from cnndsl import load, loads
from cnndsl.emit.configuration.build import configuration
from cnndsl.emit.configuration.model import ConfigurationTable, StageBlock

RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
HE = {
    "112": ["7x7, 64, /2"] * 5,
    "56": [
        "3x3 max pool, /2 [3x3, 64; 3x3, 64]x2",
        "3x3 max pool, /2 [3x3, 64; 3x3, 64]x3",
        "3x3 max pool, /2 [1x1, 64; 3x3, 64; 1x1, 256]x3",
        "3x3 max pool, /2 [1x1, 64; 3x3, 64; 1x1, 256]x3",
        "3x3 max pool, /2 [1x1, 64; 3x3, 64; 1x1, 256]x3",
    ],
    "28": [
        "[3x3, 128; 3x3, 128]x2",
        "[3x3, 128; 3x3, 128]x4",
        "[1x1, 128; 3x3, 128; 1x1, 512]x4",
        "[1x1, 128; 3x3, 128; 1x1, 512]x4",
        "[1x1, 128; 3x3, 128; 1x1, 512]x8",
    ],
    "14": [
        "[3x3, 256; 3x3, 256]x2",
        "[3x3, 256; 3x3, 256]x6",
        "[1x1, 256; 3x3, 256; 1x1, 1024]x6",
        "[1x1, 256; 3x3, 256; 1x1, 1024]x23",
        "[1x1, 256; 3x3, 256; 1x1, 1024]x36",
    ],
    "7": [
        "[3x3, 512; 3x3, 512]x2",
        "[3x3, 512; 3x3, 512]x3",
        "[1x1, 512; 3x3, 512; 1x1, 2048]x3",
        "[1x1, 512; 3x3, 512; 1x1, 2048]x3",
        "[1x1, 512; 3x3, 512; 1x1, 2048]x3",
    ],
    "1": ["GAP FC 1000"] * 5,
}
"""He et al. 2015, arXiv:1512.03385, Table 1, by the size of the output; the softmax is part of the loss here."""

VGGS = ("vgg11", "vgg_a_lrn", "vgg13", "vgg_c", "vgg16", "vgg19")
SIMONYAN = {
    "vgg11": "conv3-64 / conv3-128 / conv3-256 conv3-256 / conv3-512 conv3-512 / conv3-512 conv3-512",
    "vgg_a_lrn": "conv3-64 LRN / conv3-128 / conv3-256 conv3-256 / conv3-512 conv3-512 / conv3-512 conv3-512",
    "vgg13": "conv3-64 conv3-64 / conv3-128 conv3-128 / conv3-256 conv3-256 / conv3-512 conv3-512"
    " / conv3-512 conv3-512",
    "vgg_c": "conv3-64 conv3-64 / conv3-128 conv3-128 / conv3-256 conv3-256 conv1-256 / conv3-512 conv3-512 conv1-512"
    " / conv3-512 conv3-512 conv1-512",
    "vgg16": "conv3-64 conv3-64 / conv3-128 conv3-128 / conv3-256 conv3-256 conv3-256 / conv3-512 conv3-512 conv3-512"
    " / conv3-512 conv3-512 conv3-512",
    "vgg19": "conv3-64 conv3-64 / conv3-128 conv3-128 / conv3-256 conv3-256 conv3-256 conv3-256"
    " / conv3-512 conv3-512 conv3-512 conv3-512 / conv3-512 conv3-512 conv3-512 conv3-512",
}
"""Simonyan & Zisserman 2014, arXiv:1409.1556, Table 1, columns A to E: a slash is a maxpool. After the last one come
FC-4096, FC-4096 and FC-1000."""
MILLIONS = (133, 133, 133, 134, 138, 144)
"""Table 2: A and A-LRN have 133 million parameters together."""


def table(*names: str) -> ConfigurationTable:
    return configuration([load(name).graph for name in names])


def plain(block: StageBlock) -> str:
    text = "; ".join(block.texts).replace("\u00d7", "x")
    return f"[{text}]x{block.times}" if block.has_brackets else text


def by_size(found: ConfigurationTable, network: int) -> dict[str, str]:
    sizes: dict[str, list[str]] = {}
    for row in found.rows:
        sizes.setdefault(str(row.outputs[0][0]), []).extend(map(plain, row.cells[network]))
    return {size: " ".join(blocks) for size, blocks in sizes.items() if blocks}


def test_the_table_of_the_resnet_paper() -> None:
    found = table(*RESNETS)
    for network in range(len(RESNETS)):
        assert by_size(found, network) == {size: cells[network] for size, cells in HE.items()}


def test_the_rows_of_the_resnet_paper() -> None:
    """The paper calls them conv2_x to conv5_x; the names here are torchvision's."""
    found = table(*RESNETS)
    names = ["conv1", "pool", "layer1", "layer2", "layer3", "layer4", "head"]
    assert [row.name for row in found.rows] == names
    assert [row.is_common for row in found.rows] == [True, True, False, False, False, False, True]
    assert found.notes[0] == "The first block of layer2, layer3 and layer4 has a stride of 2."


def test_the_totals_of_the_resnet_paper() -> None:
    """1.8, 3.6 and 11.3 billion multiply-adds in Table 1; those of the bottlenecks are a little more in torchvision's
    form, which has the stride in the 3x3 convolution."""
    macs = [each.macs / 10**9 for each in table(*RESNETS).totals]
    assert macs[:2] == pytest.approx([1.8, 3.6], abs=0.07)
    assert macs[4] == pytest.approx(11.3, abs=0.25)


def as_in_the_paper(blocks: list[StageBlock]) -> list[str]:
    """The layers one by one, called as in the paper, without the adaptive pooling that torchvision added."""
    found: list[str] = []
    for block in blocks:
        for text in [text.replace("\u00d7", "x") for text in block.texts] * block.times:
            text = re.sub(r"(\d)x\1, (\d+)", r"conv\1-\2", text).replace("FC ", "FC-")
            found += [] if text == "avg pool to 7x7" else ["maxpool" if text == "2x2 max pool, /2" else text]
    return found


@pytest.mark.parametrize("network", range(len(VGGS)))
def test_the_table_of_the_vgg_paper(network: int) -> None:
    blocks = [block for row in table(*VGGS).rows for block in row.cells[network]]
    wanted = SIMONYAN[VGGS[network]].replace("/", "maxpool").split()
    assert as_in_the_paper(blocks) == [*wanted, "maxpool", "FC-4096", "FC-4096", "FC-1000"]


def test_what_all_vggs_share_spans_their_columns() -> None:
    """The paper's maxpool and FC rows do."""
    rows = table(*VGGS).rows
    pools = [row for row in rows if [plain(block) for block in row.cells[0]] == ["2x2 max pool, /2"]]
    assert len(pools) == 5
    assert all(row.is_common for row in pools)
    assert rows[-1].is_common
    assert [round(each.params / 10**6) for each in table(*VGGS).totals] == list(MILLIONS)


def test_the_blocks_of_the_densenet_paper() -> None:
    """Huang et al. 2016, arXiv:1608.06993, Table 1: 6, 12, 24 and 16 or 32 layers of 1x1 and 3x3, growth 32."""
    found = table("densenet121", "densenet169")
    dense = [row for row in found.rows if row.name.startswith("denseblock")]
    assert [[plain(cell[0]) for cell in row.cells] for row in dense] == [
        ["[1x1, 128; 3x3, 32]x6"] * 2,
        ["[1x1, 128; 3x3, 32]x12"] * 2,
        ["[1x1, 128; 3x3, 32]x24", "[1x1, 128; 3x3, 32]x32"],
        ["[1x1, 128; 3x3, 32]x16", "[1x1, 128; 3x3, 32]x32"],
    ]


def test_the_branches_of_inception_3a() -> None:
    """Szegedy et al. 2014, arXiv:1409.4842, Table 1: 64; 96, 128; 16, 32; pool, 32."""
    found = table("googlenet_2014")
    (row,) = [row for row in found.rows if row.name == "inception_3a"]
    arrow = " \u2192 "
    assert [text.replace("\u00d7", "x") for text in row.cells[0][0].texts] == [
        "1x1, 64",
        f"1x1, 96{arrow}3x3, 128",
        f"1x1, 16{arrow}5x5, 32",
        f"3x3 max pool{arrow}1x1, 32",
    ]


def only_row(program: str) -> list[str]:
    """The blocks of a network of one stage."""
    found = configuration([loads(program).graph])
    return [plain(block) for row in found.rows for block in row.cells[0]]


def test_names_do_not_count() -> None:
    unit = "block A = CONV3-4 -> RELU -> CONV1-4 block B = CONV3-4 -> RELU -> CONV1-4 "
    assert only_row(f"{unit} INPUT 8x8x4 -> part: [first: A -> second: B]") == ["[3x3, 4; 1x1, 4]x2"]


@pytest.mark.parametrize("other", ["CONV3-4 -> CONV1-4", "CONV3-4(dilation=2) -> RELU -> CONV1-4"])
def test_parts_that_differ_in_anything_else_are_not_one(other: str) -> None:
    unit = f"block A = CONV3-4 -> RELU -> CONV1-4 block B = {other} "
    assert len(only_row(f"{unit} INPUT 8x8x4 -> part: [A -> B]")) == 2


def test_other_widths_are_another_block() -> None:
    unit = "block A(c) = (CONV3-c -> RELU -> CONV3-8 + ID) "
    assert only_row(f"{unit} INPUT 8x8x8 -> A(4)*2 -> A(6)") == ["[3x3, 4; 3x3, 8]x2", "[3x3, 6; 3x3, 8]x1"]


def test_a_projection_has_no_line_and_a_gate_has_one() -> None:
    program = "INPUT 8x8x4 -> (CONV3-8/2 -> CONV3-8 + CONV1-8/2) -> MUL(ID, GAP -> CONV1-8)"
    assert only_row(program) == ["[3x3, 8, /2; 3x3, 8]x1", "product with GAP \u2192 1x1, 8"]


def test_auxiliary_outputs_are_named_beneath() -> None:
    assert any("aux1" in note for note in table("googlenet").notes)


def test_blocks_that_differ_in_what_is_not_shown_say_so() -> None:
    """The first block of a group of WRN has its BN and ReLU before the fork, the others after it."""
    assert any("listed apart" in note for note in table("wrn").notes)
    assert not any("listed apart" in note for note in table(*RESNETS).notes)
