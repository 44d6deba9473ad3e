"""TikZ: source that needs the package alone. `make tikz` compiles it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

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
    """320 pixels are 240 points, less than the 252 of a column of IEEE: 9 pixels are 6.75 points."""
    text = tikz(everything(), theme("paper"))
    assert "[x=0.75pt,y=-0.75pt" in text
    assert r"\path[use as bounding box,scale=\cnndslscale] (0,0) rectangle (320,192);" in text
    assert r"min(1,\linewidth/240pt)" in text
    assert r"font=\sffamily\fontsize{6.75pt}{6.75pt}\selectfont] at (76,12.3)" in text
    assert r"\cnndslfit{105pt}{3$\times$3 conv,{} 64,{} /2}" in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="LaTeX is not installed")
def test_a_picture_is_no_wider_than_its_line(tmp_path: Path) -> None:
    """240 by 144 pt is of that size on 300 pt, half of it on 120 pt. A dark ground has 9 pt more on each side."""
    for name in ("paper", "dark"):
        (tmp_path / f"{name}.tex").write_text(tikz(everything(), theme(name)), encoding="utf-8")
    measured = "\n".join(
        rf"\setbox1\hbox{{\linewidth={line}pt\input{{{name}}}\unskip}}\typeout{{IS \the\wd1 \space\the\ht1}}"
        for name, line in (("paper", 300), ("paper", 120), ("dark", 129))
    )
    document = rf"\documentclass{{article}}\usepackage{{tikz}}\begin{{document}}{measured}\end{{document}}"
    (tmp_path / "all.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-draftmode", "all.tex"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    sizes = [float(each) for each in re.findall(r"^IS ([\d.]+)pt ([\d.]+)pt$", said, re.MULTILINE) for each in each]
    assert sizes == pytest.approx([240, 144, 120, 72, 129, 81], abs=0.01)


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
