"""Networks with errors as pictures: up to the place that fails, with the message; nothing overlaps."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnndsl.diagnostics import render
from cnndsl.elaborate.program import elaborated_part
from cnndsl.emit.drawing.display import RectangleItem, TextItem
from cnndsl.emit.drawing.failure import failure
from cnndsl.emit.drawing.layout.page import picture
from cnndsl.emit.drawing.shapes import flat
from cnndsl.errors import CnnError
from cnndsl.files import read
from cnndsl.finding import used
from cnndsl.network import graph_of
from cnndsl.syntax.parse import parse
from tests.emit.drawing.layout.geometry import faults

WRONG = sorted((Path(__file__).parents[2] / "gallery" / "wrong").glob("[!_]*.cnn"))
MERGE = """\
block Unit(c, s=1) = (CONV3-c/s -> BN -> RELU -> CONV3-c -> BN + ID) -> RELU
INPUT 32x32x3 -> CONV3-32 -> stage1: Unit(32)*3 -> stage2: Unit(64, 2) -> GAP -> FC-10"""


@pytest.mark.parametrize("file", WRONG, ids=lambda file: file.stem)
def test_wrong_programs(file: Path) -> None:
    """Those with an input of which anything is known; a contract that fails is no error of shapes."""
    source = read(str(file))
    try:
        graph_of(source, {})
        return
    except CnnError as stop:
        found = stop.diagnostics
    try:
        graph = elaborated_part(parse(source), {}, used)
    except CnnError:
        return
    if graph is None:
        return
    lines = render(found, colour=False).splitlines()
    drawn = picture(failure(graph, found, lines))
    assert faults(drawn) == []
    texts = [item.text for item in flat(drawn.items) if isinstance(item, TextItem)]
    assert found[0].message in "\n".join(texts)
    assert any(isinstance(item, RectangleItem) and item.stroke == "error" for item in flat(drawn.items))


def test_what_is_known_is_drawn(tmp_path: Path) -> None:
    """stage1 works; of the unit that fails two convolutions have a shape, and both shapes stand where they meet."""
    (tmp_path / "bad.cnn").write_text(MERGE)
    source = read(str(tmp_path / "bad.cnn"))
    graph = elaborated_part(parse(source), {}, used)
    assert graph is not None
    assert [node.kind for node in graph].count("CONV") == 1 + 3 * 2 + 2
    with pytest.raises(CnnError) as caught:
        graph_of(source, {})
    drawing = failure(graph, caught.value.diagnostics, ["message"])
    assert drawing.failing == "BN [16x16x64] + ID [32x32x32]"
    assert drawing.description.startswith("bad fails: the branches of `+` have different shapes.")


def test_without_an_error_there_is_no_part(tmp_path: Path) -> None:
    (tmp_path / "good.cnn").write_text("INPUT 8x8x3 -> FC-2")
    assert elaborated_part(parse(read(str(tmp_path / "good.cnn"))), {}, used) is None
