"""Sizes of drawings: what the style asks of a width, 320 or 680 pixels less the theme's margin of 3 at each side."""

from __future__ import annotations

import pytest

from cnndsl import load
from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.drawing.layout.page import picture


@pytest.mark.parametrize("name", ["resnet50", "densenet121"])
def test_a_column_is_at_most_one_and_a_half_times_as_high_as_it_is_wide(name: str) -> None:
    """Mock-up 01 has 326 x 480, mock-up 06 326 x 495."""
    drawn = picture(model(load(name).graph), "column")
    assert drawn.width + 6 <= 320
    assert drawn.height + 6 <= 1.5 * 320
