"""A configuration table in each of its formats: what is in it, that it fits, and that nothing reaches it unescaped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from cnndsl import load
from cnndsl.emit.configuration.build import configuration
from cnndsl.emit.configuration.data import as_json, as_markdown
from cnndsl.emit.configuration.model import ColumnTotals, ConfigurationRow, ConfigurationTable, StageBlock, StageLine
from cnndsl.emit.configuration.page import page
from cnndsl.emit.configuration.paper import latex
from cnndsl.emit.configuration.picture import PictureWidth, picture
from cnndsl.emit.drawing.display import DisplayItem, GroupItem, Picture, RectangleItem, TextItem
from cnndsl.emit.drawing.geometry import findings
from cnndsl.emit.drawing.measure import width
from cnndsl.emit.drawing.svg import svg
from cnndsl.emit.drawing.themes import theme

RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
POISON = "a<i>&\\_$|x\x1b"


def table(*names: str) -> ConfigurationTable:
    return configuration([load(name).graph for name in names])


def test_markdown() -> None:
    lines = as_markdown(table("resnet18", "resnet50")).splitlines()
    assert lines[2] == "| stage | output | ResNet18 | ResNet50 |"
    assert "| layer1 | 56\u00d756 | \\[3\u00d73, 64<br>3\u00d73, 64\\] \u00d72 |" in lines[6]
    assert {line.count("|") for line in lines[2:] if line.startswith("|")} == {5}


def test_json_has_exact_counts() -> None:
    found = json.loads(as_json(table("resnet18", "resnet50")))
    assert [each["params"] for each in found["networks"]] == [11_689_512, 25_557_032]
    layer2 = next(row for row in found["rows"] if row["name"] == "layer2")
    assert layer2["outputs"] == [[28, 28]]
    assert layer2["cells"][1][0]["times"] == 4
    assert layer2["cells"][1][0]["only_first_strided"] is True
    assert [line["text"] for line in layer2["cells"][1][0]["lines"]] == [
        "1\u00d71, 128",
        "3\u00d73, 128",
        "1\u00d71, 512",
    ]


def test_latex_has_brackets_and_spans() -> None:
    text = latex(table("resnet18", "resnet50"))
    assert r"\multicolumn{2}{c}{7$\times$7, 64, /2}" in text
    assert r"$\left[\begin{tabular}{@{}l@{}}3$\times$3, 64\\3$\times$3, 64\end{tabular}\right]{\times}2$" in text
    assert r"parameters (M)} & 11.69 & 25.56 \\" in text


def test_five_resnets_fit_the_text_of_a_page() -> None:
    text = latex(table(*RESNETS))
    assert text.count(r"\begin{tabular}{@{}lccccc@{}}") == 1
    assert text.count(r"\begin{table*}") == 1


def test_what_does_not_fit_a_column_goes_into_tables_of_the_same_number() -> None:
    text = latex(table(*RESNETS), "column")
    assert text.count(r"\begin{table}") == 2
    assert text.count(r"\addtocounter{table}{-1}") == text.count(r"\label") == 1
    assert all(text.count(name) > 1 for name in ("ResNet18", "ResNet152"))


class Cells(HTMLParser):
    """The number of columns of each row."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[int] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append(0)
        if tag in ("td", "th"):
            self.rows[-1] += int(dict(attrs).get("colspan") or 1)


def test_html_has_whole_rows() -> None:
    assert set(Cells(page(table(*RESNETS))).rows) == {7}


def flat(items: Iterable[DisplayItem]) -> Iterator[DisplayItem]:
    for item in items:
        if isinstance(item, GroupItem):
            yield from flat(item.items)
        else:
            yield item


def texts(found: Picture) -> list[TextItem]:
    return [item for item in flat(found.items) if isinstance(item, TextItem)]


def span(item: TextItem) -> tuple[float, float]:
    wide = width(item.text, item.size, item.weight)
    start = item.x - {"start": 0.0, "middle": wide / 2, "end": wide}[item.anchor]
    return start, start + wide


@pytest.mark.parametrize("names", [RESNETS, ("vgg11", "vgg_a_lrn", "vgg_c"), ("googlenet",), ("mobilenet_v3_large",)])
@pytest.mark.parametrize("made_for", ["column", "page", "slide"])
def test_texts_stay_in_the_picture_and_apart(names: tuple[str, ...], made_for: PictureWidth) -> None:
    found = picture(table(*names), made_for)
    assert findings(found) == []
    every = texts(found)
    assert min(item.size for item in every) >= 8.5
    for item in every:
        left, right = span(item)
        assert left >= -0.01
        assert right <= found.width + 0.01
        assert not item.room or right - left <= item.room + 0.01
        assert item.size <= item.y <= found.height
    for at, one in enumerate(every):
        for other in every[at + 1 :]:
            if abs(one.y - other.y) < min(one.size, other.size) * 0.9:
                assert span(one)[1] <= span(other)[0] + 0.01 or span(other)[1] <= span(one)[0] + 0.01, (one, other)


def test_bars_are_to_scale() -> None:
    """Parameters: 11,689,512 and 25,557,032; multiply-adds: 1,814,073,344 and 4,089,184,256."""
    found = picture(table("resnet18", "resnet50"))
    bars = [item.width for item in flat(found.items) if isinstance(item, RectangleItem) and item.height == 7]
    assert bars[0] / bars[1] == pytest.approx(11_689_512 / 25_557_032)
    assert bars[2] / bars[3] == pytest.approx(1_814_073_344 / 4_089_184_256)


def test_five_resnets_have_the_size_of_a_page() -> None:
    found = picture(table(*RESNETS))
    assert found.width == 680
    assert found.height < 900


def test_svg_is_well_formed() -> None:
    root = ElementTree.fromstring(svg(picture(table("resnet18", "resnet50")), theme("dark")))
    assert root.tag.endswith("svg")


def test_nothing_of_a_program_reaches_a_format_unescaped() -> None:
    line = StageLine(POISON, "", "conv")
    row = ConfigurationRow(POISON, ((1, 1),), ((StageBlock((line,), 2),),))
    poisoned = ConfigurationTable(POISON, (POISON,), (row,), (ColumnTotals(1, 1, (1, 1), False),), (POISON,))
    assert "<i>" not in page(poisoned)
    assert r"\textbackslash{}\_\$\textbar{}x" in latex(poisoned)
    markdown = as_markdown(poisoned)
    assert "<i>" not in markdown
    assert "$|x" not in markdown
    assert json.loads(as_json(poisoned))["title"] == POISON
    drawn = svg(picture(poisoned), theme("paper"))
    assert "<i>" not in drawn
    ElementTree.fromstring(drawn)
    assert not any("\x1b" in text for text in (page(poisoned), latex(poisoned), markdown, drawn))
