"""Measures the width of text, so that boxes can be sized for it: from a table of the fonts' widths, which `make fonts`
writes.

Pictures are set in Inter. A viewer that ignores embedded fonts uses another (on Linux DejaVu Sans, which is wider on
average), so the larger of the two widths is reserved.
"""

from __future__ import annotations

from functools import cache

from cnndsl.emit.drawing.display import Weight
from cnndsl.resources import folder
from cnndsl.terminal import clean

FONTS = "emit/drawing/fonts"
"""The folder of the fonts in the package."""

UNITS = 1000
"""The table's units per em."""

UNKNOWN = 1500
"""The width in thousandths of an em reserved for a character that is not in the table: more than any that is, and
more than the usual fonts for other scripts and for emoji need."""

_STYLES: dict[Weight, tuple[str, str]] = {
    400: ("Inter-400", "DejaVu-400"),
    500: ("Inter-500", "DejaVu-400"),
    600: ("Inter-600", "DejaVu-700"),
    700: ("Inter-700", "DejaVu-700"),
}
"""The columns for each weight; DejaVu Sans has two weights, of which viewers choose as CSS says."""


class _Advances(dict[str, int]):
    """The widths of characters in thousandths of an em."""

    def __missing__(self, character: str) -> int:
        return UNKNOWN


@cache
def _table() -> dict[str, _Advances]:
    text = (folder(FONTS) / "advances.txt").read_text(encoding="utf-8")
    characters, *lines = text.removesuffix("\n").split("\n")
    table: dict[str, _Advances] = {}
    for line in lines:
        name, *cells = line.split(" ")
        widths = zip(characters, map(int, cells), strict=True)
        table[name] = _Advances({character: advance for character, advance in widths if advance >= 0})
    return table


def width(text: str, size: float, weight: Weight = 400, *, mono: bool = False) -> float:
    """Return the width in pixels to reserve for a text of a size, whichever of the fonts a viewer draws it with.

    >>> width("ReLU", 10), width("ReLU", 10, 700), width("ab", 10, mono=True)
    (25.99, 28.97, 12.04)
    """
    table = _table()
    columns = ("Mono-400",) if mono else _STYLES[weight]
    safe = clean(text)
    return max(sum(map(table[column].__getitem__, safe)) for column in columns) * size / UNITS


def is_known(character: str) -> bool:
    """Return whether the bundled fonts have a character.

    >>> is_known("é"), is_known("卷")
    (True, False)
    """
    return character in _table()["Inter-400"]


def wrapped(text: str, size: float, room: float, weight: Weight = 400, *, at: str = " ") -> list[str]:
    """Return a text in lines of a maximum width, broken `at` a separator; a word that is wider is shortened.

    >>> wrapped("two convolutions", 10, 65), wrapped("a, b, c (8)", 10, 35, at=", ")
    (['two', 'convolutions'], ['a, b', 'c (8)'])
    """
    found: list[str] = []
    for word in text.split(at) if text else ():
        if found and width(longer := f"{found[-1]}{at}{word}", size, weight) <= room:
            found[-1] = longer
        else:
            found.append(shortened(word, size, room, weight))
    return found


def shortened(text: str, size: float, room: float, weight: Weight = 400) -> str:
    """Return a text that fits a width: unchanged, or its beginning with an ellipsis.

    >>> shortened("classifier.6", 10, 100), shortened("classifier.6", 10, 30)
    ('classifier.6', 'clas…')
    """
    if width(text, size, weight) <= room:
        return text
    ends = range(len(text) - 1, 0, -1)
    return next((short for end in ends if width(short := f"{text[:end].rstrip()}…", size, weight) <= room), "…")
