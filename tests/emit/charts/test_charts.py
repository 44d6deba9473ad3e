"""Charts: no text overlaps, leaves its room or lies on a line, and every format can hold them."""

from __future__ import annotations

import pytest

from cnndsl import loads
from cnndsl.analysis.fit import fit
from cnndsl.emit.charts import memory, receptive_field
from cnndsl.emit.drawing.display import Picture, TextItem
from cnndsl.emit.drawing.formats import PictureOptions, as_bytes
from cnndsl.emit.drawing.geometry import findings
from cnndsl.emit.drawing.shapes import flat
from cnndsl.graph import Graph
from cnndsl.network import load
from cnndsl.report.receptive_field import UnitField, central, sight
from tests.bundled import ZOO

LONG = "a_part_with_a_name_that_is_much_longer_than_anything_that_has_room_on_an_axis"


def words(picture: Picture) -> list[str]:
    return [item.text for item in flat(picture.items) if isinstance(item, TextItem)]


def chart(graph: Graph, *, train: bool = False, limit: int = 24 * 10**9) -> Picture:
    return memory.picture(fit(graph, limit, train=train))


def seen(graph: Graph, path: str) -> Picture:
    report = sight(graph)
    node = graph.by_path[path]
    field = report.fields[node.index]
    assert field is not None
    return receptive_field.picture(UnitField(report, node, field, central(node)))


@pytest.mark.parametrize("name", ZOO)
def test_charts_of_memory_can_be_read(name: str) -> None:
    assert findings(chart(load(name).graph, train=True)) == []


@pytest.mark.parametrize("name", ["lenet5", "vgg16", "googlenet"])
def test_charts_of_a_forward_pass_can_be_read(name: str) -> None:
    assert findings(chart(load(name).graph)) == []


@pytest.mark.parametrize("source", [f"INPUT 9x9x1 -> {LONG}: CONV3 -> {LONG}2: [RELU]*150 -> FC-3", "INPUT 5 -> FC-3"])
def test_charts_of_other_networks_can_be_read(source: str) -> None:
    for limit in (1, 10**6, 10**12):
        assert findings(chart(loads(source).graph, train=True, limit=limit)) == []


def test_a_chart_of_memory_says_what_it_shows() -> None:
    """Of one layer: beside 4 MiB of weights, 60 MiB hold 7,680 images of 1,024 values in and as many out."""
    found = words(chart(loads("INPUT 1024 -> a: FC-1024(bias=no)").graph, limit=2**26))
    assert found[:2] == ["Memory of text over a forward pass, batch of 7680", "dashed: 67.1MB available"]
    assert {"forward", "input", "a", "parameters", "values"} <= set(found)
    assert "gradients" not in found
    assert [text for text in found if text.startswith("peak ")] == ["peak 67.1MB, a"]


@pytest.mark.parametrize("path", ["features.0", "features.30", "features.23"])
def test_a_receptive_field_can_be_read(path: str) -> None:
    assert findings(seen(load("vgg16").graph, path)) == []


def test_a_receptive_field_says_what_it_shows() -> None:
    """The last pooling of VGG-16 sees 212 positions, 32 apart, of which unit 3 has the middle one of 224."""
    title, extents, plane = words(seen(load("vgg16").graph, "features.30"))
    assert title == "unit 3,3 of features.30 sees"
    assert extents == "height 6 to 217, width 6 to 217"
    assert plane == "of the input, 224×224×3"  # noqa: RUF001


def test_padding_is_explained_where_there_is_some() -> None:
    padded = loads("INPUT 4x4x1 -> a: CONV3-1 -> b: CONV9-1").graph
    assert words(seen(padded, "b"))[-1] == "of the input, 4×4×1; dashed: padding"  # noqa: RUF001


def test_a_line_is_a_strip() -> None:
    picture = seen(loads("INPUT 64x1 -> a: CONV3-1").graph, "a")
    assert findings(picture) == []
    assert picture.height < 80


@pytest.mark.parametrize("format", ["svg", "tex"])
def test_charts_have_every_format(format: str) -> None:
    for picture in (chart(load("lenet5").graph, train=True), seen(load("vgg16").graph, "features.0")):
        assert as_bytes(picture, "svg" if format == "svg" else "tex", PictureOptions())
