"""TikZ: source that needs the package alone. `make tex` compiles it."""

from __future__ import annotations

import re

import pytest

from cnndsl.emit.drawing.display import GroupItem, Picture, TextItem
from cnndsl.emit.drawing.measure import is_known
from cnndsl.emit.drawing.tex_text import TexCharacterError, tex_text
from cnndsl.emit.drawing.themes import THEMES, ThemeName, theme
from cnndsl.emit.drawing.tikz import tikz
from tests.emit.drawing.pictures import NASTY, everything


@pytest.mark.parametrize("name", THEMES)
def test_every_colour_that_is_used_is_defined(name: ThemeName) -> None:
    text = tikz(everything(), theme(name))
    defined = set(re.findall(r"\\definecolor\{(cnndsl [\w-]+)\}\{HTML\}\{[0-9A-F]{6}\}", text))
    assert set(re.findall(r"(?:fill|draw|text)=(cnndsl [\w-]+)", text)) <= defined
    assert text.count("{") == text.count("}")


def test_lengths_are_points_of_the_page() -> None:
    """320 pixels are 240 points, the width of a column: 9 pixels are 6.75 points."""
    text = tikz(everything(), theme("paper"))
    assert "[x=0.75pt,y=-0.75pt" in text
    assert r"\useasboundingbox (0,0) rectangle (320,192);" in text
    assert r"font=\sffamily\fontsize{6.75pt}{6.75pt}\selectfont] at (76,12.3)" in text
    assert r"\cnndslfit{105pt}{3$\times$3 conv,{} 64,{} /2}" in text


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("a_b", r"a\_b"),
        ("100%", r"100\%"),
        ("{x}$&#", r"\{x\}\$\&\#"),
        ("\\input~^", r"\textbackslash{}input\textasciitilde{}\textasciicircum{}"),
        ("a -> b", r"a -{}\textgreater{} b"),
        ("7×7 ± 1 ≤ α′", r"7$\times$7 $\pm$ 1 $\leq$ $\alpha$$'$"),  # noqa: RUF001 - a Greek letter
        ("Éïñç", r"\'{E}\"{\i{}}\~{n}\c{c}"),
        ("10⁻³ x₁", r"10$^-$$^3$ x$_1$"),
        ("Łódź", r"{\fontencoding{T1}\selectfont\L{}}\'{o}d\'{z}"),
        ("½ €", r"$^1/_2$ \texteuro{}"),
        ("a\nb\x1b", r"a\textbackslash{}x0ab\textbackslash{}x1b"),
    ],
)
def test_text_is_escaped(text: str, source: str) -> None:
    assert tex_text(text) == source


@pytest.mark.parametrize("text", ["卷", "kernel Ħ", "x\u0301\u0302"])
def test_what_the_fonts_of_latex_lack_is_refused(text: str) -> None:
    """Silence would print another name than the program has."""
    with pytest.raises(
        TexCharacterError, match=r"the fonts of LaTeX have no '.' \(U\+[0-9A-F]{4}, .*\): write a \.pdf"
    ):
        tikz(Picture("net", 10, 10, (TextItem(1, 9, text, 9),), "net"), theme("paper"))


def test_code_keeps_its_spaces_and_signs() -> None:
    assert tex_text("  a -> {b}", code=True) == r"\ \ a\ {\char45}{\char62}\ {\char123}b{\char125}"


def test_nothing_that_a_program_says_is_a_command() -> None:
    nasty = "".join(character for character in NASTY if is_known(character) or not character.isprintable())
    known = r"\\(?:textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar|char\d+|[{}$&#_%])"
    assert "\\" not in re.sub(known, "", tex_text(nasty))
    picture = Picture(NASTY, 10, 10, (GroupItem(NASTY + "\n\\input{y}", (TextItem(1, 9, "x", 9),)),), NASTY + "\n\\z")
    comments = [line for line in tikz(picture, theme("paper")).splitlines() if r"\input" in line or r"\z" in line]
    assert all(line.startswith("% ") for line in comments)


def test_the_bundled_characters_are_ascii_for_tex() -> None:
    """But for six letters, all others are set; only a question mark is one."""
    refused: list[str] = []
    for character in filter(is_known, map(chr, range(0x20, 0x2FFF))):
        try:
            texts = tex_text(character), tex_text(character, code=True)
        except TexCharacterError:
            refused.append(character)
            continue
        assert all(text.isascii() for text in texts)
        assert "?" not in texts[0].replace("?`", "") or character == "?"
    assert "".join(refused) == "ĦħĸŦŧſ"
