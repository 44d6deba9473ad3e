"""Blocks that take or give several values: each begins and ends at its name."""

from __future__ import annotations

import pytest

from cnndsl import load, loads
from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.drawing.cards.model import InsetBox
from cnndsl.emit.drawing.display import TextItem
from cnndsl.emit.drawing.layout.page import picture
from cnndsl.emit.drawing.mermaid import mermaid
from cnndsl.emit.drawing.shapes import flat
from tests.emit.drawing.layout.geometry import faults, loose_ends

EXCHANGE = """
block Exchange(a, b) = [
  x = @a -> CONV3-16
  y = @b -> CONV3-32
  hi = (@x + @y -> CONV1-16 -> UPSAMPLE(out=@x)) -> RELU
  lo = (@x -> CONV3-32/2 + @y) -> RELU
]
INPUT 32x32x3 -> stem: CONV3-16
half = @stem -> CONV3-32/2
one = Exchange(@stem, @half)
two = Exchange(@one.hi, @one.lo)
output two.hi, two.lo
"""
TOP = """
block Top(a, b) = (@a | @b) -> CONV3-8
INPUT 16x16x4 -> x: CONV3-8 -> y: CONV3-8
p = @y -> Top(@x, @y)
q = @p -> Top(@y, @p)
out = @q -> CONV1-2
"""


@pytest.mark.parametrize(("text", "names", "ends"), [(EXCHANGE, "a b hi lo", 1), (TOP, "a b", 2)])
@pytest.mark.parametrize("size", ["column", "page", "slide"])
def test_every_edge_begins_and_ends_at_something(text: str, names: str, ends: int, size: str) -> None:
    """But for what leaves the network, and what leaves a block that gives one value."""
    drawn = picture(model(loads(text).graph), size)
    words = [item.text for item in flat(drawn.items) if isinstance(item, TextItem)]
    assert [words.count(name) for name in names.split()] == [1] * len(names.split())
    assert len(loose_ends(drawn)) == ends
    assert faults(drawn) == []


def test_the_skips_of_wavenet_leave_its_layers() -> None:
    """Van den Oord et al. 2016, Figure 4: each layer gives what the next one reads, and a skip."""
    panels = model(load("wavenet", cycles=2, layers=3).graph).panels
    assert {name for panel in panels for _, name in panel.outputs} == {"sum", "skip"}


def test_the_ends_of_a_block_in_mermaid() -> None:
    text = mermaid(model(loads(EXCHANGE).graph))
    assert all(f'(["{name}"])' in text for name in ("a", "b", "hi", "lo"))


def test_a_block_in_a_block_stays_closed() -> None:
    """Wang et al. 2019 (HRNet): a module has four residual blocks on each of its two, three or four streams. It is
    drawn once for each number of streams, the blocks of a stream in one box."""
    panels = {len(panel.inputs): panel for panel in model(load("hrnet").graph).panels if panel.title == "Module"}
    for streams, panel in panels.items():
        boxes = [each.title for each in panel.elements if isinstance(each, InsetBox) and each.title.endswith("×4")]
        assert len(boxes) == streams
        assert [name for _, name in panel.outputs] == [f"y{at}" for at in range(streams)]
    assert set(panels) <= {2, 3, 4}
    assert len(panels) >= 2


@pytest.mark.slow
def test_narrow_panels_stand_beside_the_spine() -> None:
    """HRNet's modules of four streams take the whole page and are beneath; its residual block is beside the spine."""
    drawn = picture(model(load("hrnet").graph), "page")
    texts = [item for item in flat(drawn.items) if isinstance(item, TextItem) and item.weight == 600]
    spine = next(item for item in texts if item.text == "s4")
    panel = next(item for item in texts if item.text == "BasicBlock")
    assert panel.x > spine.x + 100
    assert max(item.y for item in texts if item.text == "Module") > panel.y
