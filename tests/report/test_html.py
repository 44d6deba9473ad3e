"""The HTML page: levels, bars, order, and what it must not let through."""

from __future__ import annotations

import re

from cnndsl import loads

NET = "INPUT 8x8x2 -> a: CONV3-4(bias=no) -> b: CONV1x3-2(bias=no) -> c: [RELU -> POOL2]"


def cells(page: str, name: str) -> list[str]:
    """The cells of the row of a layer."""
    (row,) = [row for row in re.findall(r"<tr data-level.*?</tr>", page, re.DOTALL) if f">{name}</td>" in row]
    return re.findall(r"<td.*?</td>", row, re.DOTALL)


def test_each_number_has_a_bar_of_its_share() -> None:
    page = loads(NET).stats().render("html", columns=["path", "output", "params", "receptive_field"])
    # 3*3*2*4 = 72 weights and 1*3*4*2 = 24 of them, a third.
    assert cells(page, "a")[2] == '<td class="number" data-value="72" style="--part:100.0">72</td>'
    assert cells(page, "b")[2] == '<td class="number" data-value="24" style="--part:33.3">24</td>'
    # The field is 3x5 behind b, 4x6 behind the pooling; the wider axis makes the bar.
    assert cells(page, "b")[3] == '<td class="number" data-value="5" style="--part:83.3">3x5</td>'
    assert cells(page, "b")[1] == '<td data-value="128">8x8x2</td>'


def test_a_zero_has_no_bar() -> None:
    page = loads(NET).stats().render("html", columns=["path", "params"])
    assert 'data-value="0" style="--part:0.0"><span class="none">-</span>' in cells(page, "c.0")[1]


def test_groups_hold_their_layers() -> None:
    page = loads(NET).stats().render("html", depth=1)
    assert re.findall(r'<tr data-level="(\d)"( data-open="\w+")?', page) == [
        ("0", ""),
        ("0", ""),
        ("0", ' data-open="no"'),
        ("1", ""),
        ("1", ""),
    ]


def test_one_file_light_and_dark() -> None:
    page = loads(NET).stats().render("html")
    assert page.count("@media (prefers-color-scheme: dark)") >= 2
    assert not re.search(r"https?:|//|@import|url\(|src=|<link", page)
