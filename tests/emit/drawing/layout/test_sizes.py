"""Sizes of drawings: what the style asks of a width, 320 or 680 pixels less the theme's margin of 3 at each side."""

from __future__ import annotations

import pytest

from cnndsl import load
from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.drawing.layout.page import picture


@pytest.mark.parametrize(("name", "highest"), [("resnet50", 1.5 * 320), ("densenet121", 495)])
def test_a_column_is_as_high_as_its_mock_up(name: str, highest: float) -> None:
    """Mock-up 01 has 326 x 480, mock-up 06 326 x 495: with four panels it is a little over one and a half widths."""
    drawn = picture(model(load(name).graph), "column")
    assert drawn.width + 6 <= 320
    assert drawn.height + 6 <= highest
