"""Every number of a network that docs/figures.md and the README show is printed by the command above it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import cnndsl
from tests.commands.running import run

ROOT = Path(__file__).parents[1]
FIGURES = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
BLOCKS: list[tuple[str, str]] = re.findall(r"^    \$ cnndsl (.+)\n((?:    .+\n)+)", FIGURES, re.MULTILINE)

OPERATIONS: list[tuple[str, str, str]] = re.findall(r"^\| (`.+`) \| ([0-9,]+) \| ([0-9,]+) \|$", FIGURES, re.MULTILINE)
"""What the table of macs and operations says of layers on an input of 10x10x4."""

OTHERS = {
    "convolution": "CONV3-8(bias=no)",
    "FC": "FC-10(bias=no)",
    "transposed convolution 2x2/2": "CONVT2-4/2(bias=no)",
    "BN at inference": "BN",
    "LN": "LN",
    "ReLU": "RELU",
    "max pooling 2x2": "POOL2",
    "average pooling 2x2": "AVGPOOL2",
    "global average pooling": "GAP",
    "softmax": "SOFTMAX",
    "upsampling, nearest": "UPSAMPLE2",
    "sum, product of branches": "(ID + ID)",
}
"""Rows of the table of other tools, as programs."""


def lines_of(text: str) -> list[str]:
    return [line.removeprefix("    ") for line in text.splitlines()]


@pytest.mark.parametrize(("arguments", "shown"), BLOCKS)
def test_a_block_is_printed_by_its_command(arguments: str, shown: str) -> None:
    """Its lines stand one after the other in what the command prints."""
    result = run(*arguments.split())
    assert result.exit_code == 0, result.output
    printed, wanted = result.stdout.splitlines(), lines_of(shown)
    assert any(printed[at : at + len(wanted)] == wanted for at in range(len(printed)))


def test_there_are_blocks() -> None:
    assert len(BLOCKS) >= 7
    assert len(OPERATIONS) >= 15


@pytest.mark.parametrize(("layers", "macs", "operations"), OPERATIONS)
def test_the_operations_of_layers(layers: str, macs: str, operations: str) -> None:
    for layer in re.findall(r"`(.+?)`", layers.replace("\\|", "|")):
        totals = cnndsl.loads(f"INPUT 10x10x4 -> {layer}").stats().totals
        assert (f"{totals.macs:,}", f"{totals.operations:,}") == (macs, operations)


@pytest.mark.parametrize(("row", "layer"), OTHERS.items())
def test_what_the_table_of_other_tools_says_of_us(row: str, layer: str) -> None:
    """M multiply-adds, by hand; N values enter, O values leave."""
    (cell,) = re.findall(rf"^\| {re.escape(row)} \| (.+?) \|", FIGURES, re.MULTILINE)
    stats = cnndsl.loads(f"INPUT 10x10x4 -> {layer}").stats()
    by_hand = {"convolution": 100 * 9 * 4 * 8, "FC": 400 * 10, "transposed convolution 2x2/2": 100 * 4 * 4 * 4}
    assert stats.totals.macs == by_hand.get(row, 0)
    assert (cell == "M") == (row in by_hand)
    if cell != "M":
        (times, letter) = re.fullmatch(r"0 \((?:operations: )?(\d?)([NO])\)", cell).groups()  # type: ignore[union-attr]
        values = {"N": 400, "O": stats.totals.activations}[letter]
        assert stats.totals.operations == int(times or 1) * values


def test_the_totals_of_the_readme_are_those_of_its_first_program() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    program = re.findall(r"^echo '(.+)' > card.cnn$", readme, re.MULTILINE)
    (shown,) = re.findall(r"^`stats` prints a row for each layer and\n\n((?:    .+\n)+)", readme, re.MULTILINE)
    assert lines_of(shown) == run("stats", "-", stdin=program[0]).stdout.split("\n\n")[-1].splitlines()


YOLO = """
net YOLOv3(classes=80)
default CONV(bias=no)
block Unit(c, k, s=1) = CONV{k}-c/s -> BN -> LEAKYRELU(0.1)
INPUT 416x416x3
-> Unit(32, 3)
-> for c, n in (64, 1), (128, 2), (256, 8), (512, 8), (1024, 4) [
     Unit(c, 3, 2) -> [(Unit(c/2, 1) -> Unit(c, 3) + ID)]*n -> stage{c}: ID
   ]
-> for c in 512, 256, 128 [
     neck{c} = [@neck{2*c} -> Unit(c, 1) -> (UPSAMPLE2 | @stage{2*c})] if c < 512
       -> [Unit(c, 1) -> Unit(2*c, 3)]*2 -> Unit(c, 1)
     yolo{c} = @neck{c} -> Unit(2*c, 3) -> CONV1-{3*(classes+5)}(bias=yes)
   ]
output yolo512, yolo256, yolo128
"""


def test_a_published_total_with_buffers() -> None:
    """darknet's yolov3.weights holds 62,001,757 numbers: parameters, running means and variances."""
    totals = cnndsl.loads(YOLO).stats().totals
    published = 62_001_757
    assert (totals.params, totals.buffer_values) == (61_949_149, 52_608)
    assert totals.params + totals.buffer_values == published
    assert all(f"{each:,}" in FIGURES for each in (published, totals.params, totals.buffer_values))
    assert f"{published:,} values with the parameters" in run("stats", "-", stdin=YOLO).stdout
