"""The message of an error in a box, word for word as the command line prints it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence

from cnndsl.emit.drawing.display import TextItem, Weight
from cnndsl.emit.drawing.layout.looks import HEAVY
from cnndsl.emit.drawing.layout.pieces import Fragment
from cnndsl.emit.drawing.layout.sketch import SMALL, Sketch
from cnndsl.emit.drawing.measure import width
from cnndsl.errors import MessageText

_SAID = re.compile(r"( +\|)([ |]*[-^][-^ ]*(?= )|)(.+)")
"""A line beneath a line of the program: its margin, its underlines, the text for the last of them."""
_PAD = 12.0
_LINE = 12.5
_TITLE = 10.0
MOST_MESSAGES = 3
"""The most errors whose messages are shown; the others are counted."""
HEADLINE = 19.0
"""The height of the code and the message, at which an edge may lead to the box."""


EXCERPT: Mapping[str, int] = {"column": 44, "page": 70, "slide": 70}
"""The most characters of a program line for which a message has room, besides its number and two ellipses."""


def excerpt_width(message: MessageText) -> float:
    """Return the box width that the lines of the program need."""
    return max((width(line, SMALL, mono=True) for line in message.excerpt), default=0) + 2 * _PAD + 16


def message_box(message: MessageText, across: float) -> Fragment:
    """Draw a message of a width; texts for a line of the program are broken if they don't fit. Its left side is at x =
    0."""
    inner = Sketch()
    y = _headline(inner, message, across)
    for note in (message.place, *message.context):
        y = _paragraph(inner, note, _PAD, y + _LINE, across - _PAD) if note else y
    if message.excerpt:
        y = _excerpt(inner, list(_broken(message.excerpt, across - 2 * _PAD - 16)), y + 9, across)
    for at, line in enumerate(message.help):
        y = _help(inner, line, y + 15 - 2 * bool(at), across, is_first=not at)
    height = y + 9
    sketch = Sketch()
    sketch.box(0, 0, across, height, "error-ground", "error", HEAVY, 5)
    sketch.box(0, 0, 5, height, "error", radius=5, rounded="left")
    sketch.place(inner, 0, 0)
    return Fragment(0, across, height, sketch)


def more_box(count: int, across: float) -> Fragment:
    """Draw the number of further errors."""
    sketch = Sketch()
    sketch.text(_PAD, 12, f"and {count} more error{'s' * (count > 1)}", SMALL, 600, "error", room=across - _PAD)
    return Fragment(0, across, 18, sketch)


def _headline(sketch: Sketch, message: MessageText, across: float) -> float:
    """Draw the code and the message; return the baseline of its last line."""
    pill = width(message.code, SMALL, 700) + 12
    sketch.box(_PAD, HEADLINE - 7.5, pill, 15, "error", radius=7.5)
    sketch.text(_PAD + pill / 2, HEADLINE + 3.1, message.code, SMALL, 700, "bg", "middle")
    y, x = HEADLINE + 3.6, _PAD + pill + 9
    for number, line in enumerate(_lines(message.message, _TITLE, 600, across - _PAD - x)):
        y += _LINE + 1 if number else 0
        sketch.text(x, y, line, _TITLE, 600)
    return y + 4


def _paragraph(sketch: Sketch, text: str, x: float, y: float, right: float) -> float:
    for number, line in enumerate(_lines([text], SMALL, 400, right - x)):
        y += _LINE if number else 0
        sketch.text(x, y, line, SMALL, paint="mute")
    return y


def _help(sketch: Sketch, text: str, y: float, across: float, *, is_first: bool) -> float:
    start = _PAD + width("help:", SMALL, 600) + 5
    if is_first:
        sketch.text(_PAD, y, "help:", SMALL, 600)
    for number, line in enumerate(_lines([text], SMALL, 400, across - _PAD - start)):
        y += _LINE if number else 0
        sketch.text(start, y, line, SMALL)
    return y


def _excerpt(sketch: Sketch, lines: Sequence[str], y: float, across: float) -> float:
    """Draw the lines of the program on a background of their own; return where that ends."""
    sketch.box(_PAD, y, across - 2 * _PAD, _LINE * len(lines) + 9, "card", "hair", 0.8)
    y += 1
    for line in lines:
        y += _LINE
        is_underline = not line.lstrip()[:1].isdigit()
        for at, word in _words(line):
            paint = "error" if is_underline else "ink"
            x = _PAD + 8 + width(" " * at, SMALL, mono=True)
            sketch.items.append(TextItem(x, y, word, SMALL, 400, paint, mono=True))
    return y + 8


def _broken(lines: Sequence[str], room: float) -> Iterator[str]:
    """Yield the lines of an excerpt; the text for an underline is placed beneath it if it has no room beside it."""
    most = int(room / width(" ", SMALL, mono=True))
    for line in lines:
        match = _SAID.fullmatch(line)
        if width(line, SMALL, mono=True) <= room or not match:
            yield line if width(line, SMALL, mono=True) <= room else f"{line[: most - 1]}…"
            continue
        start = match[1]
        if match[2]:
            yield f"{start}{match[2]}"
        texts = textwrap.wrap(match[3], max(most - len(start), 1))
        longest = max(map(len, texts))
        indent = max(min(len(start + match[2]) - len(match[2].lstrip()), most - longest), len(start))
        yield from (f"{start:{indent}}{text}" for text in texts)


def _words(line: str) -> Iterator[tuple[int, str]]:
    """Yield the parts of a line that are separated by two spaces or more, with their columns: formats treat spaces
    differently."""
    at = 0
    for word in line.split("  "):
        text = word.lstrip(" ")
        if text.rstrip(" "):
            yield at + len(word) - len(text), text.rstrip(" ")
        at += len(word) + 2


def _parts(word: str, size: float, weight: Weight, room: float) -> Iterator[str]:
    """Yield a word, in pieces if it is longer than a line, as a path may be."""
    start = 0
    for stop in range(1, len(word) + 1):
        if stop > start + 1 and width(word[start:stop], size, weight) > room:
            yield word[start : stop - 1]
            start = stop - 1
    yield word[start:]


def _lines(texts: Sequence[str], size: float, weight: Weight, room: float) -> Iterator[str]:
    """Yield texts in lines of a width, broken between words."""
    for text in texts:
        line = ""
        for word in (part for each in text.split(" ") for part in _parts(each, size, weight, room)):
            longer = f"{line} {word}" if line else word
            if line and width(longer, size, weight) > room:
                yield line
                longer = word
            line = longer
        yield line
