"""Text for a terminal: escape unsafe characters, measure the width, and add colours.

This module does not print; it only asks streams whether they are terminals.
"""

from __future__ import annotations

import os
import unicodedata
from typing import Protocol

from cnndsl.records import record

_CONTROL = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Cn"})
_PLAIN = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}


class Stream(Protocol):
    """The part of a stream that `wants_colour` needs."""

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        ...


def wants_colour(stream: Stream) -> bool:
    """Return whether to write colours to a stream: to a terminal that supports them, unless NO_COLOR is set.

    FORCE_COLOR requests them in a pipe as well. Source: no-color.org, force-color.org.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def visible(char: str) -> str:
    r"""Return a printable form of a character: control and direction characters and lone surrogates are escaped.

    >>> visible("\x1b"), visible("\u202e"), visible("é")
    ('\\x1b', '\\u202e', 'é')
    """
    if " " <= char <= "~" or unicodedata.category(char) not in _CONTROL:
        return char
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def clean(text: str) -> str:
    r"""Return a text on one line, with terminal control sequences escaped.

    >>> clean("a\nb\x1b[31m")
    'a\\x0ab\\x1b[31m'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(visible, text))


def width(text: str) -> int:
    """Return the number of columns of a text: two for wide characters, zero for combining ones.

    >>> width("conv"), width("卷积"), width("e\\u0301")
    (4, 4, 1)
    """
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


@record(slots=True)
class Paint:
    """Adds colours to text, or returns it unchanged.

    >>> Paint(False)("error", "bold", "red")
    'error'
    """

    colour: bool

    def __call__(self, text: str, *styles: str) -> str:
        if not self.colour or not text or not styles:
            return text
        return f"\x1b[{';'.join(_PLAIN[style] for style in styles)}m{text}\x1b[0m"
