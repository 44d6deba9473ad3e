"""What a drawing says of weights that are used once more, and of windows and figures that the cards do not tell."""

from __future__ import annotations

from cnndsl import loads
from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.drawing.cards.model import NetCard
from cnndsl.emit.drawing.display import TextItem
from cnndsl.emit.drawing.layout.page import WidthName, picture
from cnndsl.emit.drawing.mermaid import mermaid
from cnndsl.emit.drawing.shapes import flat
from cnndsl.graph.graph import Graph
from tests.emit.drawing.layout.geometry import faults


def texts(graph: Graph, size: WidthName | None = None) -> list[str]:
    """The texts of a picture, in which nothing overlaps."""
    found = picture(model(graph), size)
    assert faults(found) == []
    return [each.text for each in flat(found.items) if isinstance(each, TextItem)]


def test_a_card_that_is_applied_again_says_whose_weights_it_has() -> None:
    graph = loads("""block Tower(c) = CONV3-c -> RELU -> POOL2 -> [CONV3-{2*c} -> RELU]*3 -> GAP -> FC-64
    left = INPUT 64x64x1
    right = INPUT 64x64x1
    a = @left -> tower: Tower(16)
    b = @right -> again tower
    d = SUB(@a, @b)
    y = @d -> FC-2""").graph
    assert {step.name: step.weights for step in model(graph).steps if isinstance(step, NetCard)} == {
        "a": "",
        "b": "weights of a",
    }
    for size in ("column", "page", "slide"):
        assert "weights of a" in texts(graph, size)
    assert "weights of a" in mermaid(model(graph))


def test_a_row_that_is_applied_again_says_so_at_its_edge() -> None:
    graph = loads("INPUT 16x16x8 -> first: CONV3-8 -> RELU -> POOL2 -> again first -> SIGMOID -> GAP -> FC-2").graph
    assert "8×8×8, weights of first" in texts(graph)
    inside = loads("INPUT 16x16x8 -> b: [x: CONV3-8 -> POOL2 -> again x -> POOL2 -> [CONV3-8 -> RELU]*2] -> GAP").graph
    for size in ("column", "page", "slide"):
        assert "3×3 conv, 8, weights of b.x" in texts(inside, size)


def test_the_header_tells_parameters_in_training_too() -> None:
    """64 positions of 3 channels: FC has 192·2 + 2 parameters, the auxiliary one 192·4 + 4."""
    found = texts(loads("INPUT 8x8x3 -> RELU -> tap aux(train): FC-4 -> FC-2").graph)
    assert any(text.startswith("386 params, 1.16K in training") for text in found)


def test_a_window_that_is_no_column_of_a_table_is_told() -> None:
    text = """block U(c, s, big) = CONV3-c/s -> RELU -> {choice} -> BN
    INPUT 32x32x8 -> for c, s, big in (8, 1, no), (16, 2, yes), (24, 1, no), (32, 2, yes) [U(c, s, big)] -> GAP"""
    for choice, note in (
        ("CONV5-c if big else CONV3-c", "k = 5 where big, else 3"),
        ("CONV{3 + 2 * (c // 32)}-c", "k = 3 except in the last, else 5"),
    ):
        assert note in texts(loads(text.replace("{choice}", choice)).graph)


def test_a_table_fits_a_column() -> None:
    """Bars get shorter; 314 is what a column of 320 has between its margins."""
    text = """block Inc(a, b, c, p) = (CONV1-a | CONV3-b | CONV5-c | CONV1-p)
    INPUT 32x32x8 -> for a, b, c, p in (16, 32, 8, 8), (32, 64, 16, 16), (32, 64, 16, 8) [Inc(a, b, c, p)] -> GAP"""
    found = picture(model(loads(text).graph), "column")
    assert found.width <= 314
    assert faults(found) == []
