"""Small pieces of a drawing."""

from __future__ import annotations

import pytest

from cnndsl.emit.drawing.cards.model import FusedRow, LayerCell
from cnndsl.emit.drawing.display import TextItem
from cnndsl.emit.drawing.layout.pieces import ROW, row

STEM = FusedRow(
    (
        LayerCell(1, "7×7 conv, 64, /2", "conv", short="7×7, 64, /2"),
        LayerCell(2, "BN", "norm"),
        LayerCell(3, "ReLU", "act"),
    )
)


@pytest.mark.parametrize(
    ("most", "label", "lines"),
    [
        (200, "7×7 conv, 64, /2", 1),
        (120, "7×7, 64, /2", 1),
        (90, "7×7 conv, 64, /2", 2),
        (75, "7×7, 64, /2", 2),
    ],
)
def test_a_label_is_shortened_before_its_row_is_broken(most: float, label: str, lines: int) -> None:
    """Three labels of which the first is the longest by far, and 24 px shorter without its word."""
    drawn = row(STEM, most=most)
    assert label in [item.text for item in drawn.sketch.items if isinstance(item, TextItem)]
    assert drawn.height == lines * ROW
