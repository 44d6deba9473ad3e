"""Programs with their values written in another way give the same layers."""

from __future__ import annotations

import random

import pytest

from cnndsl.errors import CnnError, Source
from cnndsl.graph import Graph
from cnndsl.network import loads
from cnndsl.syntax.format import format
from cnndsl.syntax.parse import parse
from cnndsl.testing import crossing
from cnndsl.testing.crossings.values import with_values

SEEDS = 300
ROWS = 6


def layers(graph: Graph) -> list[object]:
    """What a graph consists of, but for what is written."""
    return [(node.path, node.layer, node.inputs, node.shape, node.training_only) for node in graph]


@pytest.mark.parametrize("row", range(ROWS))
def test_the_same_layers(row: int) -> None:
    changed = 0
    for seed in range(row, SEEDS, ROWS):
        drawn = crossing(seed)
        text = with_values(drawn.text, random.Random(seed), 0.5)
        changed += text != drawn.text
        try:
            wanted = layers(loads(drawn.text, **drawn.settings).graph)
        except CnnError:
            continue
        assert layers(loads(text, **drawn.settings).graph) == wanted, f"seed {seed}\n{drawn.text}\n{text}"
        tidy = format(parse(Source("drawn.cnn", text)))
        assert layers(loads(tidy, **drawn.settings).graph) == wanted, f"seed {seed}\n{tidy}"
    assert changed > 0.8 * SEEDS / ROWS


def test_all_that_is_new_is_drawn() -> None:
    texts = "\n".join(crossing(seed).text for seed in range(400))
    for written in (
        "let rows",
        "let v",
        "**",
        " else ",
        "sum((",
        "len((",
        ")[2]",
        "[1..1]",
        "rows1=(",
        "={",
        "x{",
        "for r in rates",
    ):
        assert written in texts, written
