"""The bundled fonts as this reads them, beside fonttools, and the fonts that it makes, beside the specification."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO

import pytest
from fontTools.pens.boundsPen import BoundsPen
from fontTools.ttLib import TTFont

from cnndsl.emit.drawing.measure import FONTS
from cnndsl.emit.drawing.truetype import FACES, GlyphCommand, face, glyph_outline, shown, text_width, woff
from cnndsl.resources import folder

TEXTS = ("a", "ReLU", "7×7 conv, 64, /2", "ÄÖÜßéñ", "αβγ ≤ ′ →", "  ", "".join(map(chr, range(0x20, 0x7F))))


def whole(name: str) -> TTFont:
    return TTFont(BytesIO((folder(FONTS) / f"{name}.ttf").read_bytes()))


def draw(commands: tuple[GlyphCommand, ...], pen: BoundsPen) -> None:
    for letter, values in commands:
        points = list(zip(values[::2], values[1::2], strict=True))
        {"M": pen.moveTo, "L": pen.lineTo, "Q": pen.qCurveTo, "Z": pen.closePath}[letter](*points)


@pytest.mark.parametrize("name", FACES)
def test_every_glyph_is_where_fonttools_draws_it(name: str) -> None:
    font = whole(name)
    glyphs, widths = font.getGlyphSet(), font["hmtx"].metrics
    for code, glyph in font.getBestCmap().items():
        theirs, ours = BoundsPen(glyphs), BoundsPen(None)
        glyphs[glyph].draw(theirs)
        draw(glyph_outline(chr(code), name), ours)
        assert text_width(chr(code), 1000, name) == pytest.approx(widths[glyph][0])
        if theirs.bounds is None:
            assert ours.bounds is None
            continue
        left, top, right, low = ours.bounds
        assert (left, -low, right, -top) == pytest.approx(theirs.bounds, abs=1e-6)


def test_a_text_is_as_wide_as_its_letters() -> None:
    """Twice the letters in twice the size are four times as wide."""
    assert text_width("HH", 18, "Inter-400") == pytest.approx(4 * text_width("H", 9, "Inter-400"))


def tables(data: bytes) -> Iterator[tuple[str, bytes, int, int]]:
    """The tables of a WOFF: name, stored bytes, original length, checksum."""
    signature, _, length, count, reserved = struct.unpack_from(">4sIIHH", data)
    assert (signature, length, reserved) == (b"wOFF", len(data), 0)
    for at in range(count):
        tag, start, stored, original, checksum = struct.unpack_from(">4sIIII", data, 44 + 20 * at)
        assert start % 4 == 0
        yield tag.decode(), data[start : start + stored], original, checksum


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", FACES)
def test_a_table_is_deflated_exactly_if_it_is_shorter_then(name: str, text: str) -> None:
    """Readers take a table of the original length as it is (WOFF 1.0, section 5)."""
    names: list[str] = []
    for tag, stored, original, checksum in tables(woff(name, text)):
        assert len(stored) <= original
        body = zlib.decompress(stored) if len(stored) < original else stored
        padded = body + bytes(-len(body) % 4)
        assert len(body) == original
        assert sum(struct.unpack(f">{len(padded) // 4}I", padded)) % 2**32 == checksum
        names.append(tag)
    assert names == sorted(names)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", FACES)
def test_an_embedded_font_has_its_characters(name: str, text: str) -> None:
    made, font = TTFont(BytesIO(woff(name, text))), whole(name)
    assert set(made.getBestCmap()) == set(map(ord, text))
    for code, glyph in made.getBestCmap().items():
        assert made["glyf"][glyph] == font["glyf"][font.getBestCmap()[code]]
        assert made["hmtx"][glyph] == font["hmtx"][font.getBestCmap()[code]]
    assert made["maxp"].numGlyphs == len(set(text)) + 1


def test_what_a_font_lacks_is_shown_as_a_square() -> None:
    assert shown("a卷b", "Inter-400") == "a□b"
    assert shown("a\x1b", "Mono-400") == "a\\x1b"
    assert {"□"} <= face("Mono-400").glyphs.keys()
    assert set(TTFont(BytesIO(woff("Inter-400", "a卷"))).getBestCmap()) == {ord("a")}
