"""Text for a terminal: what is safe to print there, how wide it is, and its colours.

It neither prints nor looks at any stream but to ask whether it is a terminal.
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
    """What `wants_colour` must know of a stream."""

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        ...


def wants_colour(stream: Stream) -> bool:
    """Whether colours belong on a stream: on a terminal that knows them, unless NO_COLOR says otherwise.

    FORCE_COLOR asks for them in a pipe as well. Source: no-color.org, force-color.org.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def visible(char: str) -> str:
    r"""A character as it may be printed: controls, marks of direction and lone surrogates are escaped.

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
    r"""A text that cannot steer the terminal, on one line.

    >>> clean("a\nb\x1b[31m")
    'a\\x0ab\\x1b[31m'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(visible, text))


def width(text: str) -> int:
    """The number of columns that a text takes: two for wide characters, none for combining ones.

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
    """Puts text into colours, or leaves it as it is.

    >>> Paint(False)("error", "bold", "red")
    'error'
    """

    colour: bool

    def __call__(self, text: str, *styles: str) -> str:
        if not self.colour or not text or not styles:
            return text
        return f"\x1b[{';'.join(_PLAIN[style] for style in styles)}m{text}\x1b[0m"
