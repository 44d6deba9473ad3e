r"""Convert text to LaTeX, and measure its width.

Widths are those of Computer Modern Roman, the font of most LaTeX papers or close to that of their class.
"""

from __future__ import annotations

import re

from cnndsl.terminal import clean

TIMES, DASH, MINUS, AT_MOST, EM_SPACE = "\u00d7", "\u2013", "\u2212", "\u2264", "\u2003"
"""Symbols that are kept as they are. A row is indented by an em space for each level."""
_NOTHING = "\u2060"
"""Put between two characters that would become a ligature."""

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "…": r".\,.\,.",
    TIMES: r"$\times$",
    "→": r"$\rightarrow$",
    AT_MOST: r"$\leq$",
    "µ": r"$\mu$",
    MINUS: r"$-$",
    DASH: "--",
    _NOTHING: "{}",
    EM_SPACE: r"\quad ",
} | {char: f"\\{char}" for char in "&%$#_{}"}

_WORD = re.compile(r".+?(?:[,(\u2192 ]|[./_-](?=\D)|$)")
"""The parts of a text after which a line may be broken."""

_GROUPS = {
    278: "il!',.:;[]`|",
    306: "fj",
    333: "- ",
    361: "I",
    394: "crts()",
    444: "ecz",
    500: "ago?0123456789$*/\\{}" + DASH,
    528: "kqvxyJ",
    556: 'bdhnpuS"µ^~',
    611: "Z",
    653: "FL",
    681: "EP",
    750: "ABHNRTUVXYCw_",
    785: "DGOQK@&+=<>" + TIMES + AT_MOST + MINUS,
    833: "m#%",
    917: "M",
    1000: "→" + EM_SPACE,
    1028: "W",
    1168: "…",
}
_WIDTHS = {char: width for width, chars in _GROUPS.items() for char in chars}
"""Thousandths of the font size that a character takes, or slightly more: similar widths are combined. Source:
cmr10.tfm, cmmi10.tfm, cmsy10.tfm, and ec-lmr10.tfm where a character is wider there."""
_WIDEST = 1028

_OPTICAL = {10: 1.0, 9: 1.0287, 8: 1.0626, 7: 1.1643}
"""How much wider, at most, a character is in the design for a size than in that for 10 pt. Source: cmr9, cmr8, cmr7."""


def width(text: str, size: int) -> float:
    """Return the width of a text on one line in points, at a size of 7 to 10 points.

    >>> round(width("138,357,544", 10), 1)
    50.6
    """
    return sum(_WIDTHS.get(char, _WIDEST) for char in text) * _OPTICAL[size] * size / 1000


def escape(text: str) -> str:
    r"""Escape a text for LaTeX; no two characters become a ligature.

    >>> escape("a_1 -> 50%")
    'a\\_1 -\\textgreater{} 50\\%'
    >>> escape("a--b")
    'a-{}-b'
    """
    separate = re.sub(r"([-,?!])(?=[-,?!`])", rf"\1{_NOTHING}", clean(text))
    return "".join(_SPECIAL.get(char, char) for char in separate)


def unit_of(prefix: str, *, is_size: bool) -> str:
    """Return the unit beside or below a title, for a prefix such as `M`.

    >>> unit_of("M", is_size=True), unit_of("", is_size=False)
    ('(MB)', '')
    """
    unit = f"{prefix}{'B' if is_size else ''}"
    return f"({unit})" if unit else ""


def in_symbols(text: str) -> str:
    """Return a shape or a receptive field as in papers, with symbols for `x` and `at most`."""
    return text.replace("x", TIMES).replace("at most ", f"{AT_MOST} ")


def signed(number: str) -> str:
    """Return a difference with its sign."""
    return f"{MINUS}{number[1:]}" if number.startswith("-") else f"+{number}"


def breakable(text: str, room: float, size: int) -> str:
    r"""Return a text that LaTeX may break after dots, commas, hyphens and the like, and words wider than the space
    anywhere.

    >>> breakable("a.conv_1", 30, 8)
    'a.\\hspace{0pt}conv\\_1'
    """
    if width(text, size) <= room:
        return escape(text)
    return r"\hspace{0pt}".join(
        escape(word) if width(word, size) <= room else r"\hspace{0pt}".join(map(escape, word)) for word in _words(text)
    ).replace(r" \hspace{0pt}", " ")


def lines(text: str, room: float, size: int) -> int:
    """Return the largest number of lines of a text, broken as late as possible."""
    count, used = 1, 0.0
    for word in _words(text):
        taken = width(word, size)
        if used and used + taken > room:
            count, used = count + 1, 0.0
        used += taken
        while used > room:
            count, used = count + 1, used - room
    return count


def _words(text: str) -> list[str]:
    return _WORD.findall(text)
