"""Text for TeX: what every LaTeX with its own fonts sets, and nothing that it would take for a command."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from cnndsl.terminal import clean

UNKNOWN = "?"
"""What is set for a character that Computer Modern lacks."""

_SIGNS: Mapping[str, str] = {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"{\char34}",
    **{sign: rf"\{sign}" for sign in "{}$&#_%"},
    # An empty group after each keeps the signs of a ligature apart.
    **{sign: f"{sign}{{}}" for sign in "-'`?!,"},
    "\u00a0": "~",
    "\u00a3": r"\pounds{}",
    "\u00a7": r"\S{}",
    "\u00a9": r"\copyright{}",
    "\u00d7": r"$\times$",
    "\u00b7": r"$\cdot$",
    "\u00b1": r"$\pm$",
    "\u00f7": r"$\div$",
    "\u00b0": r"$^\circ$",
    "\u00b5": r"$\mu$",
    "\u2032": r"$'$",
    "\u2033": r"$''$",
    "\u2212": r"$-$",
    "\u2010": "-{}",
    "\u2011": "-{}",
    "\u2013": "--",
    "\u2014": "---",
    "\u2018": "`{}",
    "\u2019": "'{}",
    "\u201c": "``",
    "\u201d": "''",
    "\u2022": r"$\bullet$",
    "\u2026": r"\dots{}",
    "\u2190": r"$\leftarrow$",
    "\u2191": r"$\uparrow$",
    "\u2192": r"$\rightarrow$",
    "\u2193": r"$\downarrow$",
    "\u2194": r"$\leftrightarrow$",
    "\u2195": r"$\updownarrow$",
    "\u2197": r"$\nearrow$",
    "\u2198": r"$\searrow$",
    "\u21d2": r"$\Rightarrow$",
    "\u21d4": r"$\Leftrightarrow$",
    "\u2202": r"$\partial$",
    "\u2206": r"$\Delta$",
    "\u220f": r"$\prod$",
    "\u2211": r"$\sum$",
    "\u221a": r"$\surd$",
    "\u221e": r"$\infty$",
    "\u222b": r"$\int$",
    "\u2248": r"$\approx$",
    "\u2260": r"$\neq$",
    "\u2264": r"$\leq$",
    "\u2265": r"$\geq$",
    "\u00df": r"\ss{}",
    "\u00e6": r"\ae{}",
    "\u00c6": r"\AE{}",
    "\u00f8": r"\o{}",
    "\u00d8": r"\O{}",
    "\u0153": r"\oe{}",
    "\u0152": r"\OE{}",
    "\u0142": r"\l{}",
    "\u0141": r"\L{}",
    "\u0131": r"\i{}",
}

_ACCENTS = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "=",
    "\u0306": "u",
    "\u0307": ".",
    "\u0308": '"',
    "\u030a": "r",
    "\u030b": "H",
    "\u030c": "v",
    "\u0327": "c",
}
"""The command of TeX for each combining character."""

_GREEK_WITHOUT_COMMAND = {"Α": "A", "Β": "B", "Ε": "E", "Ζ": "Z", "Η": "H", "Ι": "I", "Κ": "K", "Μ": "M"} | {  # noqa: RUF001 - they look alike
    "Ν": "N", "Ο": "O", "Ρ": "P", "Τ": "T", "Υ": "Y", "Χ": "X", "ο": "o"  # noqa: RUF001 - they look alike
}  # fmt: skip
"""Letters that Computer Modern draws as the Latin ones."""
_GREEK = {"ς": "varsigma", "ϕ": "phi", "ϵ": "epsilon", "φ": "varphi", "ε": "varepsilon"}
_GREEK_CAPITALS = "ΓΔΘΛΞΠΣΦΨΩ"


def tex_text(text: str, *, code: bool = False) -> str:
    r"""Return a text as LaTeX source. In code every space counts, and the signs are those of the typewriter face.

    >>> tex_text("c_1 & 50%"), tex_text("a  _", code=True)
    ('c\\_1 \\& 50\\%', 'a\\ \\ {\\char95}')
    """
    return "".join(map(_code if code else _character, clean(text)))


def _code(character: str) -> str:
    if character == " ":
        return r"\ "
    plain = character.isalnum() or character not in _SIGNS or not character.isascii()
    return _character(character) if plain else rf"{{\char{ord(character)}}}"


def _character(character: str) -> str:
    if known := _SIGNS.get(character):
        return known
    if " " <= character <= "~":
        return character
    if character in _GREEK_WITHOUT_COMMAND:
        return f"${_GREEK_WITHOUT_COMMAND[character]}$"
    if name := _greek(character):
        return rf"$\{name}$"
    form, _, _ = unicodedata.decomposition(character).partition(" ")
    if form in ("<super>", "<sub>") and (raised := unicodedata.normalize("NFKC", character)).isalnum():
        return f"${'^' if form == '<super>' else '_'}{raised}$"
    return _accented(unicodedata.normalize("NFD", character))


def _greek(character: str) -> str:
    """The command of a Greek letter: its name in Unicode is that in TeX."""
    if character in _GREEK:
        return _GREEK[character]
    name = unicodedata.name(character, "").rpartition(" ")[2].lower().replace("lamda", "lambda")
    if character in _GREEK_CAPITALS:
        return name.capitalize()
    return name if "α" <= character <= "ω" else ""  # noqa: RUF001 - Greek letters


def _accented(parts: str) -> str:
    """A letter with the one accent that TeX knows."""
    base, *accents = parts
    if not "a" <= base.lower() <= "z" or len(accents) != 1 or accents[0] not in _ACCENTS:
        return UNKNOWN
    letter = rf"\{base}{{}}" if base in "ij" else base
    return rf"\{_ACCENTS[accents[0]]}{{{letter}}}"
