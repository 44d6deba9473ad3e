"""Tables and data: what they hold, what they look like, and what they must not let through."""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from cnndsl import loads
from cnndsl.analysis.metric_table import OF_NETWORKS
from cnndsl.report.formats import FORMATS, render
from cnndsl.report.number_format import human
from cnndsl.report.stats import Stats
from cnndsl.report.table_model import view

SMALL = """net Small(classes=10)
INPUT 8x8x3 -> features: [CONV3-4 -> RELU -> POOL2] -> fc: FC-classes
"""
# By hand: CONV3-4 has 3*3*3*4 = 108 weights and 4 biases and 8*8*108 = 6912 multiply-adds; FC-10 on 4x4x4 has
# 640 weights and 10 biases. Fields: 3, then 3 + 1 for the pooling, of stride 2.


@pytest.fixture
def stats() -> Stats:
    return loads(SMALL).stats()


def test_totals(stats: Stats) -> None:
    totals = stats.totals
    assert (totals.weights, totals.params) == (108 + 640, 112 + 650)
    assert (totals.macs, totals.flops) == (6912 + 640, 2 * (6912 + 640))
    assert totals.activations == 256 + 256 + 64 + 10
    assert totals.memory == totals.memory_bytes == 4 * (192 + 256 + 64 + 10)
    assert totals.receptive_field == (4, 4)
    assert totals.depth == 2


def test_json_has_the_promised_keys(stats: Stats) -> None:
    data = json.loads(stats.render("json"))
    assert list(data) == ["net", "input", "totals", "totals_in_training", "layers"]
    assert (data["net"], data["input"]) == ("Small", [8, 8, 3])
    assert set(data["totals"]) == {*OF_NETWORKS, "memory_bytes"} - {"output"}
    assert data["totals"]["memory_bytes"] == data["totals"]["memory"] == 4 * (192 + 256 + 64 + 10)
    assert data["totals"]["receptive_field"] == 4
    assert data["layers"][0] == {
        "path": "features.0",
        "kind": "CONV",
        "text": "CONV3-4",
        "output": [8, 8, 4],
        "params": 112,
        "weights": 108,
        "macs": 6912,
        "activations": 256,
        "receptive_field": 3,
        "stride": 1,
    }
    assert data["layers"][2]["stride"] == 2
    assert data["layers"][3]["output"] == [10]


def test_json_of_unequal_axes_and_of_none() -> None:
    data = json.loads(loads("INPUT 8x8x3 -> CONV1x7-4").stats().render("json"))
    assert data["layers"][0]["receptive_field"] == [1, 7]
    data = json.loads(loads("INPUT 8 -> FC-4").stats().render("json"))
    assert data["totals"]["receptive_field"] is None
    magnified = json.loads(loads("INPUT 8x8x3 -> UPSAMPLE2").stats().render("json"))
    assert magnified["layers"][0]["stride"] == 0.5


def test_csv_can_be_summed(stats: Stats) -> None:
    rows = list(csv.DictReader(io.StringIO(stats.render("csv"))))
    assert sum(int(row["params"]) for row in rows) == stats.totals.params
    assert [row["path"] for row in rows] == ["features.0", "features.1", "features.2", "fc"]


def test_markdown_is_a_table(stats: Stats) -> None:
    lines = stats.render("markdown").splitlines()
    assert lines[0] == "## Small (classes=10)"
    assert lines[3].startswith("| --- | --- | --- | ---: |")
    assert lines[4].startswith("| features.0 | CONV3-4 | 8x8x4 | 256 | 108 | 112 | 6,912 | 0 | 3 |")
    assert {line.count("|") for line in lines[2:8]} == {10}


def test_the_plain_table(stats: Stats) -> None:
    assert repr(stats) == stats.render("table")
    assert stats.render("table").splitlines() == [
        "Small (classes=10)",
        "",
        "name        layer    output  activations  weights  params  multiply-adds  operations  field",
        "input       INPUT    8x8x3             -        -       -              -           -      -",
        "features.0  CONV3-4  8x8x4           256      108     112          6.91K           -      3",
        "features.1  RELU     8x8x4           256        -       -              -         256      3",
        "features.2  POOL2    4x4x4            64        -       -              -         256      4",
        "fc          FC-10    10               10      640     650            640           -      8",
        "",
        "parameters       762 (748 weights)",
        "multiply-adds    7.55K per image (15.1K flops)",
        "operations       512 per image",
        "activations      586 per image",
        # While POOL2 runs: 762 parameters, the image, the convolution's 256 values, which RELU overwrote, and 64 values
        # with an index of 8 bytes each.
        "memory           5.61KB at inference, 9.54KB in training: 1 image in fp32, SGD, on a CPU",
        "receptive field  4 of 8, at the last map",
        "depth            2 weight layers",
    ]


def test_each_cell_of_the_plain_table_is_a_word(stats: Stats) -> None:
    rows = stats.render("table").splitlines()[2:8]
    assert {len(row.split()) for row in rows} == {9}


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_coloured_table_fits_the_terminal(stats: Stats, width: int) -> None:
    text = render(view(stats), "table", colour=True, width=width)
    assert "\x1b[" in text
    table = re.sub(r"\x1b\[[0-9;]*m", "", text).split("parameters")[0]
    assert max(len(line.rstrip()) for line in table.splitlines()) <= width
    assert "CONV3-4" in table


def test_a_narrow_terminal_cuts_names_and_no_figures() -> None:
    stats = loads(f"INPUT 8x8x3 -> {'a' * 40}: CONV3-4 -> FC-10").stats(8)
    text = render(view(stats), "table", colour=True, width=60)
    table = re.sub(r"\x1b\[[0-9;]*m", "", text).split("parameters")[0]
    assert max(len(line.rstrip()) for line in table.splitlines()) <= 60
    row = next(line.split() for line in table.splitlines() if line.startswith("aa"))
    assert row[0].endswith("…")
    # CONV3-4: 27*4 + 4; FC-10 on 8*8*4 values: 2560 + 10.
    assert {"112", "2.57K"} <= set(table.split())


class _Strict(HTMLParser):
    """Fails where tags do not match."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_is_well_formed_and_fetches_nothing(stats: Stats) -> None:
    text = stats.render("html")
    parser = _Strict()
    parser.feed(text)
    assert not parser.open
    assert {"table", "script", "style"} <= parser.seen
    assert "http" not in text
    assert stats._repr_html_() in text


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_ends_without_a_line_break(stats: Stats, format: str) -> None:
    assert not stats.render(format).endswith("\n")


def test_an_unknown_format(stats: Stats) -> None:
    with pytest.raises(KeyError):
        stats.render("xml")


def test_rounding_never_shows_a_thousand_of_a_unit() -> None:
    assert [human(number) for number in (999, 1000, 999_499, 999_500, 999_999, 10**9 - 1)] == [
        "999",
        "1K",
        "999K",
        "1M",
        "1M",
        "1G",
    ]


def test_parameters_that_are_trained_are_told_where_some_are_not(stats: Stats) -> None:
    """A convolution of 27*4 weights and 4 biases is frozen; FC-10 on 4 channels has 40 weights and 10 biases."""
    frozen = loads("INPUT 8x8x3 -> CONV3-4(frozen=yes) -> GAP -> FC-10").stats()
    lines = [line.split(maxsplit=1) for line in render(view(frozen), "table").splitlines() if line]
    assert ["trainable", "50; 112 frozen"] in lines
    assert not any(line.startswith("trainable") for line in render(view(stats), "table").splitlines())


@pytest.mark.parametrize("written", ["0.05", "0.2872281323269014", "1.7015043497085571", "0.000012345678901", "1e-12"])
def test_a_decimal_argument_is_shown_as_a_decimal(written: str) -> None:
    """Values are exact, and one that is written as a decimal is none of a quotient's: 1.7015043497085571 is NFNet's."""
    net = loads(f"block Unit(c, g) = CONV3-c -> TIMES(g)\nINPUT 8x8x3 -> unit: Unit(4, {written})")
    (row,) = [line for line in net.stats().render("table", depth=1).splitlines() if line.startswith("unit")]
    shown = re.search(r"Unit\(4, ([^)]*)\)", row)
    assert shown is not None
    assert Decimal(shown[1]) == Decimal(written)
