"""Ranks: what reads stands lower, few crossings, and no edge through a box, for known cells and random graphs."""

from __future__ import annotations

from random import Random

import networkx as nx
import pytest

from cnndsl import from_networkx, loads
from cnndsl.emit.drawing.cards.every import every_layer
from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.drawing.cards.model import NetCard
from cnndsl.emit.drawing.display import Picture, TextItem
from cnndsl.emit.drawing.layout.layered import layered
from cnndsl.emit.drawing.layout.page import picture, whole
from cnndsl.emit.drawing.layout.pieces import MERGE, Fragment
from cnndsl.emit.drawing.layout.ranks import crossings, order, ranked, spots
from cnndsl.emit.drawing.layout.sketch import Sketch
from cnndsl.emit.drawing.shapes import flat
from cnndsl.graph import Graph
from tests.emit.drawing.cards.test_account import check
from tests.emit.drawing.layout.geometry import faults

NASNET = """
block Sep(k, c, s=1) = RELU -> DWCONV{k}/s -> CONV1-c -> BN -> RELU -> DWCONV{k} -> CONV1-c -> BN
block Fit(c) = RELU -> CONV1-c -> BN
block Normal(c, prev, here) = [
  p = @prev -> Fit(c)
  h = @here -> Fit(c)
  b1 = (@h -> Sep(3, c) + @h)
  b2 = (@p -> Sep(3, c) + @h -> Sep(5, c))
  b3 = (@h -> AVGPOOL3/1(pad=same) + @p)
  b4 = (@p -> AVGPOOL3/1(pad=same) + @p -> AVGPOOL3/1(pad=same))
  b5 = (@p -> Sep(5, c) + @p -> Sep(3, c))
  out = (@p | @b1 | @b2 | @b3 | @b4 | @b5)
]
INPUT 32x32x3 -> stem: [CONV3-32 -> BN]
n1 = Normal(44, @stem, @stem)
n2 = Normal(44, @stem, @n1)
n3 = Normal(44, @n1, @n2)
head = @n3 -> RELU -> GAP -> FC-10
"""
"""The normal cell of NASNet-A (Zoph et al. 2018, Figure 4): five sums, of which and one input the output is joined."""


def wired(count: int, seed: int) -> Graph:
    """A network that is wired at random, as in Xie et al. 2019 (`docs/networkx.md`)."""
    graph = nx.connected_watts_strogatz_graph(count, 4, 0.75, seed=seed)
    wiring = nx.DiGraph((min(edge), max(edge)) for edge in graph.edges)
    net = nx.DiGraph()
    net.add_node("image", layer="INPUT 8x8x4")
    for at in sorted(wiring):
        sources = [f"n{each}" for each in sorted(wiring.predecessors(at))] or ["image"]
        if len(sources) > 1:
            net.add_node(f"s{at}", layer="+")
            net.add_edges_from((each, f"s{at}", {"operand": number}) for number, each in enumerate(sources))
            sources = [f"s{at}"]
        net.add_node(f"n{at}", layer="CONV3-4")
        net.add_edge(sources[0], f"n{at}")
    ends = [f"n{each}" for each in wiring if not wiring.out_degree(each)]
    net.add_node("out", layer="MEAN" if len(ends) > 1 else "RELU")
    net.add_edges_from((each, "out", {"operand": number}) for number, each in enumerate(ends))
    return from_networkx(net, name="Wired").graph


@pytest.mark.parametrize("size", ["column", "page"])
def test_a_cell_of_nasnet(size: str) -> None:
    graph = loads(NASNET).graph
    drawing = model(graph)
    check(graph, drawing)
    assert [step.name for step in drawing.steps if isinstance(step, NetCard)] == ["n1", "n2", "n3"]
    cell = next(panel for panel in drawing.panels if panel.title == "Normal")
    assert cell.inputs == ("prev", "here")
    assert cell.times == 3
    # 2 edges enter, 2 lie between the rows of a Fit, 5 Seps and 3 pools read one value, 5 sums 2 and the join 6
    assert len(cell.links) + sum(cell.joined) == 2 + 2 + 8 + 5 * 2 + 6
    drawn = picture(drawing, size)  # type: ignore[arg-type]
    assert faults(drawn) == []
    texts = [item.text for item in flat(drawn.items) if isinstance(item, TextItem)]
    assert (texts.count("Sep, k = 3"), texts.count("Sep, k = 5")) == (3, 2)


@pytest.mark.parametrize("seed", range(12))
def test_networks_that_are_wired_at_random(seed: int) -> None:
    graph = wired(6 + 2 * seed, seed)
    drawing = model(graph)
    check(graph, drawing)
    for size in (None, "column", "page", "slide"):
        assert faults(picture(drawing, size)) == []  # type: ignore[arg-type]
    assert faults(whole(every_layer(graph))) == []


def test_every_layer_is_once_in_a_drawing_of_all() -> None:
    graph = wired(16, 1)
    check(graph, every_layer(graph))


def boxes(count: int, random: Random) -> list[Fragment]:
    """Boxes of various sizes."""
    found: list[Fragment] = []
    for _ in range(count):
        half, height = random.uniform(10, 70), random.choice((17, 28, 60))
        sketch = Sketch()
        sketch.box(-half, 0, 2 * half, height, "conv", "conv-stroke")
        found.append(Fragment(half, half, height, sketch))
    return found


@pytest.mark.parametrize("seed", range(100))
def test_no_edge_of_a_random_graph_crosses_a_box(seed: int) -> None:
    random = Random(seed)
    count = random.randint(3, 30)
    pieces = boxes(count, random)
    edges = sorted(
        {(random.randrange(target), target) for target in range(1, count) for _ in range(random.choice((1, 1, 2, 3)))}
    )
    degrees = [sum(target == at for _, target in edges) for at in range(count)]
    rounds = {at for at in range(count) if 2 <= degrees[at] <= 3 and random.random() < 0.7}
    for at in rounds:
        sketch = Sketch()
        sketch.circle(0, MERGE, MERGE, "card", "line")
        pieces[at] = Fragment(MERGE, MERGE, 2 * MERGE, sketch)
    made = layered(pieces, edges, rounds, random.choice((200, 500, 2000)))
    assert made is not None
    moved = Sketch()
    moved.place(made.sketch, made.left, 0)
    assert faults(Picture("graph", made.width, made.height, tuple(moved.items), "A graph")) == []


def test_the_same_graph_is_drawn_the_same() -> None:
    edges = [(0, 1), (0, 2), (1, 3), (2, 3), (0, 3), (3, 4), (1, 4)]
    drawn = [layered(boxes(5, Random(7)), edges, {3}, 300) for _ in range(2)]
    assert drawn[0] is not None
    assert drawn[1] is not None
    assert drawn[0].sketch.items == drawn[1].sketch.items


def test_ranks_are_longest_paths() -> None:
    """A diamond with a tail, by hand: 0 to 1 and 2, 1 to 3, both to 4; the second source stands above its reader."""
    assert ranked([9] * 6, [(0, 1), (0, 2), (1, 3), (2, 4), (3, 4), (5, 4)][:5], 1e9) == [0, 1, 1, 2, 3, 0]


def test_an_order_without_crossings_is_found() -> None:
    """Two sources, each with its own target, written crosswise."""
    rows = spots([(5, 5)] * 4, [(0, 3), (1, 2)], [0, 0, 1, 1])
    assert crossings(rows) == 1
    order(rows)
    assert crossings(rows) == 0
