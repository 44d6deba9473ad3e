"""The legend of a U: the meaning of its bars, and the letters of those that are not the usual ones of their colour."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from string import ascii_uppercase

from cnndsl.emit.drawing.cards.model import UBar, UShape
from cnndsl.emit.drawing.cards.words import TIMES
from cnndsl.emit.drawing.layout.pieces import key_disc
from cnndsl.emit.drawing.layout.sketch import SMALL, Sketch
from cnndsl.emit.drawing.measure import width

KEY = 6.2
"""The radius of a key."""
INDEX_DASH = (2.0, 2.0)
"""The dashes of a link that carries the indices of a pool."""
_COPY = "copy, concatenated"
_INDICES = "indices of the maxima"


def layers_of(bar: UBar) -> str:
    """Return the layers of a bar, in words."""
    return ", ".join(bar.notes)


def _kinds(shape: UShape) -> dict[str, list[str]]:
    """Return the layers of each role, the most frequent one first."""
    counts: dict[str, Counter[str]] = {}
    for bar in shape.bars:
        if bar.notes:
            counts.setdefault(bar.role, Counter())[layers_of(bar)] += bar.times
    return {role: [text for text, _ in each.most_common()] for role, each in counts.items()}


def keys_of(shape: UShape) -> dict[tuple[str, str], str]:
    """Return a letter for each layer that is not the most frequent one of its role, in order of appearance."""
    usual = {role: texts[0] for role, texts in _kinds(shape).items()}
    others = dict.fromkeys(
        (bar.role, layers_of(bar)) for bar in shape.bars if bar.notes and layers_of(bar) != usual[bar.role]
    )
    return dict(zip(others, ascii_uppercase, strict=False))


def u_legend(sketch: Sketch, shape: UShape, y: float, room: float) -> float:
    """Draw the meanings of the bars: by their colour, and by a letter for a layer that is not the usual one of the
    colour. Return where the legend ends."""
    keys = keys_of(shape)
    texts = [("", role, text) for role, several in _kinds(shape).items() for text in several[:1]]
    texts += [(key, role, text) for (role, text), key in keys.items()]
    x = 0.0
    for key, role, text in texts:
        sign = 2 * KEY + 4 if key else 14.0
        x, y = _wrapped(x, y, width(text, 9), room)
        if key:
            key_disc(sketch, x + KEY, y + 5, key)
        else:
            sketch.box(x, y, 10, 10, role, f"{role}-stroke", 0.9, 2)
        sketch.text(x + sign, y + 8.5, text, 9, room=room - sign - 2)
        x += sign + width(text, 9) + 16
    if any(skip.joins for skip in shape.skips):
        x, y = _wrapped(x, y, width(_COPY, 9), room)
        sketch.box(x, y, 10, 10, "card", "conv-stroke", 0.9, 2, (2.5, 2.0))
        sketch.text(x + 14, y + 8.5, _COPY, 9)
        x += width(_COPY, 9) + 30
    if any(skip.has_indices for skip in shape.skips):
        x, y = _wrapped(x, y, width(_INDICES, 9) + 8, room)
        sketch.line([(x, y + 5), (x + 18, y + 5)], paint="mute", line=1.4, dash=INDEX_DASH)
        sketch.text(x + 22, y + 8.5, _INDICES, 9)
        x += width(_INDICES, 9) + 38
    for note in _notes(shape):
        x, y = _wrapped(x, y, width(note, SMALL), room)
        sketch.text(x, y + 8.5, note, SMALL, paint="mute")
        x += width(note, SMALL) + 16
    return y + 14


def _notes(shape: UShape) -> list[str]:
    """Return the meanings of the numbers of a U."""
    size = shape.bars[0].size
    found = [f"{size}: {size[:-1]}{TIMES}{size[:-1]}"] if size.endswith("²") else []
    found.append("above: channels")
    if any(_changes(shape, level) for level in {bar.level for bar in shape.bars}):
        found.append("left: size in, right: size out")
    crops = filter(None, (re.fullmatch(r"crop (\d+)", skip.label) for skip in shape.skips))
    return [*found, *(f"{crop[0]}: {crop[1]} off at each side" for crop in islice(crops, 1))]


def _changes(shape: UShape, level: int) -> bool:
    """Return whether the feature maps of a row differ in size."""
    return len({bar.size for bar in shape.bars if bar.level == level}) > 1


def _wrapped(x: float, y: float, across: float, room: float) -> tuple[float, float]:
    """Return where an entry of a legend begins: in the next line if this one has no room for its width."""
    return (0.0, y + 16) if x and x + across + 30 > room else (x, y)
