"""What stands beneath a drawing: signs and what they mean, figures, messages."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.emit.drawing.cards.model import FootLine
from cnndsl.emit.drawing.display import TextItem
from cnndsl.emit.drawing.layout.sketch import SMALL, Sketch
from cnndsl.emit.drawing.measure import width

_LINE = 13.0
_SIGN = 14.0
_ABOVE = 10.0


def foot_width(lines: Sequence[FootLine]) -> float:
    """Return how wide the widest line is."""
    return max([0.0, *(_start(line) + width(line.text, SMALL, mono=line.is_code) + 2 for line in lines)])


def foot(sketch: Sketch, lines: Sequence[FootLine], y: float, across: float) -> float:
    """Draw lines beneath a drawing that ends at `y`, and return where they end."""
    if not lines:
        return y
    y += _ABOVE
    sketch.line([(0, y), (across, y)], paint="hair", line=0.8)
    for line in lines:
        y += _LINE
        if line.sign:
            sketch.text(_SIGN / 2, y + 0.6, line.sign, 10, 700, line.paint, "middle")
        paint = "ink" if line.sign or line.is_code else line.paint
        item = TextItem(_start(line), y, line.text, SMALL, 400, paint, room=across - _start(line), mono=line.is_code)
        sketch.items.append(item)
    return y + 5


def _start(line: FootLine) -> float:
    return _SIGN + 2 if line.sign else 2
