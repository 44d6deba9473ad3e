"""Widths of texts. Expectations: the advances that the fonts' own files state, and published ones of DejaVu."""

from __future__ import annotations

import re

import pytest
from fontTools.ttLib import TTFont

from cnndsl.emit.drawing.display import Weight
from cnndsl.emit.drawing.measure import FONTS, is_known, width
from cnndsl.resources import folder

LABELS = ["ResNet-50", "7×7 conv, 64, /2", "112×112×64", "25.6M params · 4.09G MACs", "c′ → αβ ≤ −1", "Ünïcödé"]


def in_the_file(text: str, name: str) -> float:
    """The width of a text in ems, of the bundled font's own tables."""
    with (folder(FONTS) / name).open("rb") as stream:
        font = TTFont(stream)
        glyphs, widths = font.getBestCmap(), font["hmtx"].metrics
        return sum(widths[glyphs[ord(character)]][0] for character in text) / font["head"].unitsPerEm


@pytest.mark.parametrize("text", LABELS)
@pytest.mark.parametrize("weight", [400, 500, 600, 700])
def test_no_text_is_wider_than_what_is_reserved(text: str, weight: Weight) -> None:
    assert width(text, 9, weight) >= 9 * in_the_file(text, f"Inter-{weight}.ttf") - 1e-6


def test_digits_are_as_wide_as_dejavu_sans() -> None:
    """1,303 of 2,048 units a digit, and 717 a full stop; Inter's are narrower but for the stop."""
    assert width("4444444444", 2048) == pytest.approx(13_179, abs=200)
    assert width("1111111111", 2048) == pytest.approx(10 * 1303, abs=10)


def test_code_is_as_wide_as_dejavu_sans_mono() -> None:
    """1,233 of 2,048 units each."""
    assert width("INPUT -> CONV3", 2048, mono=True) == pytest.approx(14 * 1233, abs=14)


def test_what_no_font_has_takes_the_widest() -> None:
    known = "".join(chr(at) for at in range(0x20, 0x2FFF) if is_known(chr(at)))
    assert len(known) > 400
    widest = max(width(character, 10, 700) for character in known)
    for strange in ("卷", "🙂", "\ue000", "\x00", "\ud800"):
        assert not is_known(strange)
        assert width(strange, 10) >= widest
        assert width(strange, 10, mono=True) >= widest


def test_every_sign_of_diagrams_is_there() -> None:
    assert all(map(is_known, "×′″±−≤≥≈≠∞√∑∏∆←↑→↓↔⇒…·–—“”‘’²³½αβγΔΣΩωµ"))  # noqa: RUF001 - what the font has
    assert all(is_known(chr(at)) for at in range(0x20, 0x7F))


def test_the_fonts_are_small_and_come_with_their_licences() -> None:
    files = {entry.name: entry.read_bytes() for entry in folder(FONTS).iterdir()}
    assert sum(map(len, files.values())) < 250_000
    assert {re.split("[-.]", name)[0] for name in files if name.endswith(".ttf")} == {"Inter", "Mono"}
    assert b"SIL OPEN FONT LICENSE" in files["LICENSE-Inter.txt"]
    assert b"Bitstream" in files["LICENSE-DejaVu.txt"]


def test_kerning_cannot_change_a_width() -> None:
    """The fonts have no features, so that a browser sets the characters as they were measured."""
    for weight in (400, 500, 600, 700):
        with (folder(FONTS) / f"Inter-{weight}.ttf").open("rb") as stream:
            font = TTFont(stream)
            assert not {"GPOS", "GSUB", "kern"} & set(font.keys())
            assert font["OS/2"].usWeightClass == weight
            assert font["name"].getDebugName(1) == "Inter"
