"""What the picture of each bundled network tells beside what is seen: names, figures, a sentence, no internals."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from cnndsl import load, loads
from cnndsl.emit.drawing.cards.words import dims_text, shape_text
from cnndsl.emit.drawing.diagram import diagram
from cnndsl.emit.drawing.display import GroupItem, TextItem
from cnndsl.emit.drawing.shapes import flat
from cnndsl.emit.drawing.svg import svg
from cnndsl.emit.drawing.themes import theme
from tests.bundled import ZOO

INTERNAL = re.compile(r"the output|@|`|/1(?![0-9×])|\bNone\b")  # noqa: RUF001
FIGURES = re.compile(r".+: \S+, ([\d,]+) parameters, ([\d,]+) multiply-adds")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", ZOO)
def test_groups_have_ids_and_figures(name: str) -> None:
    """The steps of the spine, or the bars of a U, have all parameters between them, but for outputs beside it."""
    network = load(name)
    root = ElementTree.fromstring(network._repr_svg_())
    groups = [each for each in root.iter(f"{SVG}g") if each.get("id")]
    assert groups
    ids = [each.get("id") for each in root.iter() if each.get("id")]
    assert len(ids) == len(set(ids))
    prefix = re.sub(r"[^A-Za-z0-9_.-]", "_", network.name)
    assert all(each is not None and each.startswith(f"{prefix}-") for each in ids)
    titles = [each.findtext(f"{SVG}title", "") for each in groups]
    lines = [line for title in titles for line in title.split("\n")]
    found = [match for line in lines if (match := FIGURES.fullmatch(line))]
    assert len(found) >= len(groups) - len(network.graph.inputs)
    if not network.graph.taps:
        for at, whole in ((1, network.stats().totals.params), (2, network.stats().totals.macs)):
            assert sum(int(each[at].replace(",", "")) for each in found) == whole


@pytest.mark.parametrize("name", ZOO)
def test_a_sentence_for_who_doesn_t_see_it(name: str) -> None:
    network = load(name)
    root = ElementTree.fromstring(network._repr_svg_())
    assert root.findtext(f"{SVG}title") == network.name
    sentence = root.findtext(f"{SVG}desc", "")
    assert sentence.startswith(network.name)
    assert sentence.endswith(".")
    assert shape_text(network.graph.input) in sentence
    assert "parameters" in sentence


@pytest.mark.parametrize("name", ZOO)
def test_labels_have_no_internals(name: str) -> None:
    texts = [item.text for item in flat(diagram(load(name).graph).items) if isinstance(item, TextItem)]
    assert [text for text in texts if INTERNAL.search(text)] == []
    written = re.sub(r'tooltip="[^"]*"', "", load(name).render())
    labels = re.findall(r">([^<>\n]+)<|label=\"([^\"]*)\"", written)
    assert [label for pair in labels for label in pair if re.search(r"the output|`|/1\b", label)] == []


@pytest.mark.parametrize("name", ZOO)
def test_the_last_layer_has_its_shape(name: str) -> None:
    graph = load(name).graph
    texts = [item.text for item in flat(diagram(graph).items) if isinstance(item, TextItem)]
    shape = graph.nodes[graph.output].shape
    sizes = {f"{shape.spatial[0]}²", dims_text(shape.spatial, shape.rank)} if shape.spatial else set[str]()
    is_told = any(text == shape_text(shape) or text.startswith(f"{shape_text(shape)},") for text in texts)
    assert is_told or (sizes & set(texts) and str(shape.channels) in texts)


def test_links_are_where_parts_are_written() -> None:
    """A card leads to the call or the repeat that it shows, a row to its layer."""
    text = "block B(c) = CONV3-c -> (CONV3-c\n + ID)\nINPUT 8x8x3\n-> CONV3-8\n-> a: B(16)*3\n-> b: B(32)*2\n-> FC-2"
    drawn = diagram(loads(text).graph, link=lambda span: f"net.cnn#L{span.line}")
    links = {item.id: item.link for item in drawn.items if isinstance(item, GroupItem)}
    assert links == {
        "input": "net.cnn#L3",
        "conv": "net.cnn#L4",
        "a": "net.cnn#L5",
        "b": "net.cnn#L6",
        "fc": "net.cnn#L7",
    }
    assert "<a href" not in svg(diagram(loads(text).graph), theme("paper"))
