"""Escapes text for TeX: only uses what every LaTeX sets with its own fonts, and nothing that acts as a command."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from cnndsl.files import FileError
from cnndsl.terminal import clean


class TexCharacterError(FileError):
    """A character that the fonts of LaTeX lack."""

    def __init__(self, character: str) -> None:
        name = unicodedata.name(character, "").lower()
        shown = f"{character!r} (U+{ord(character):04X}{f', {name}' if name else ''})"
        super().__init__(f"the fonts of LaTeX have no {shown}: write a .pdf, or call the part differently")


_SIGNS: Mapping[str, str] = {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"{\char34}",
    **{sign: rf"\{sign}" for sign in "{}$&#_%"},
    # An empty group after each keeps the characters of a ligature apart.
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
    "\u0131": r"\i{}",
    "\u00a1": "!`{}",
    "\u00bf": "?`{}",
    "\u00a2": r"\textcent{}",
    "\u00a4": r"\textcurrency{}",
    "\u00a5": r"\textyen{}",
    "\u00a6": r"\textbrokenbar{}",
    "\u00a8": r"\"{}",
    "\u00ac": r"$\neg$",
    "\u00ae": r"\textregistered{}",
    "\u00af": r"\={}",
    "\u00b4": r"\'{}",
    "\u00b6": r"\P{}",
    "\u00b8": r"\c{}",
    "\u00bc": "$^1/_4$",
    "\u00bd": "$^1/_2$",
    "\u00be": "$^3/_4$",
    "\u0132": "IJ",
    "\u0133": "ij",
    "\u013f": r"L$\cdot$",
    "\u0140": r"l$\cdot$",
    "\u2020": r"\dag{}",
    "\u2021": r"\ddag{}",
    "\u2030": r"\textperthousand{}",
    "\u207a": "$^+$",
    "\u207b": "$^-$",
    "\u20ac": r"\texteuro{}",
    "\u2205": r"$\emptyset$",
    "\u25a0": r"\rule{1.2ex}{1.2ex}",
    "\u25a1": r"{\fboxsep0.5ex\fbox{}}",
    "\u25b2": r"$\bigtriangleup$",
    "\u25bc": r"$\bigtriangledown$",
    "\u25cb": r"$\circ$",
    "\u25cf": r"$\bullet$",
    "\u2713": r"$\surd$",
    "\u2717": r"$\times$",
    # Letters and quotation marks of the encoding T1, which every LaTeX supports besides its own.
    **{
        sign: rf"{{\fontencoding{{T1}}\selectfont{command}}}"
        for sign, command in {
            "\u00ab": r"\guillemotleft{}",
            "\u00bb": r"\guillemotright{}",
            "\u2039": r"\guilsinglleft{}",
            "\u203a": r"\guilsinglright{}",
            "\u201a": r"\quotesinglbase{}",
            "\u201e": r"\quotedblbase{}",
            "\u00d0": r"\DH{}",
            "\u00f0": r"\dh{}",
            "\u00de": r"\TH{}",
            "\u00fe": r"\th{}",
            "\u0110": r"\DJ{}",
            "\u0141": r"\L{}",
            "\u0142": r"\l{}",
            "\u0111": r"\dj{}",
            "\u014a": r"\NG{}",
            "\u014b": r"\ng{}",
            "\u0104": r"\k{A}",
            "\u0105": r"\k{a}",
            "\u0118": r"\k{E}",
            "\u0119": r"\k{e}",
            "\u012e": r"\k{I}",
            "\u012f": r"\k{i}",
            "\u0172": r"\k{U}",
            "\u0173": r"\k{u}",
        }.items()
    },
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
    r"""Return a text as LaTeX source. In code every space counts, and characters are those of the typewriter font.

    Raises TexCharacterError, a FileError, for a character that the fonts of LaTeX lack.

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
    return _accented(character)


def _greek(character: str) -> str:
    """Return the command of a Greek letter: its name in Unicode is that in TeX."""
    if character in _GREEK:
        return _GREEK[character]
    name = unicodedata.name(character, "").rpartition(" ")[2].lower().replace("lamda", "lambda")
    if character in _GREEK_CAPITALS:
        return name.capitalize()
    return name if "α" <= character <= "ω" else ""  # noqa: RUF001 - Greek letters


def _accented(character: str) -> str:
    """Return a letter with a single accent that TeX supports."""
    base, *accents = unicodedata.normalize("NFD", character)
    if not "a" <= base.lower() <= "z" or len(accents) != 1 or accents[0] not in _ACCENTS:
        raise TexCharacterError(character)
    letter = rf"\{base}{{}}" if base in "ij" else base
    return rf"\{_ACCENTS[accents[0]]}{{{letter}}}"
