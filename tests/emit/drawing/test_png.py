"""PNG: the bundled fonts draw it, all of the text, in the resolution that is asked for."""

from __future__ import annotations

import struct
import sys
import zlib

import pytest

pytest.importorskip("resvg_py")

from cnndsl.emit.drawing.display import Picture, TextItem, Weight
from cnndsl.emit.drawing.png import png
from cnndsl.emit.drawing.svg import svg
from cnndsl.emit.drawing.themes import theme
from cnndsl.emit.drawing.truetype import glyph_outline, text_width
from cnndsl.files import FileError
from tests.emit.drawing.pictures import NASTY, everything, text_alone


def size(image: bytes) -> tuple[int, int]:
    return struct.unpack_from(">II", image, 16)


def chunks(image: bytes) -> dict[bytes, bytes]:
    """The chunks of a PNG by their names; those of the data together."""
    found: dict[bytes, bytes] = {}
    place = 8
    while place < len(image):
        (length,) = struct.unpack_from(">I", image, place)
        name, body = image[place + 4 : place + 8], image[place + 8 : place + 8 + length]
        assert zlib.crc32(name + body) == struct.unpack_from(">I", image, place + 8 + length)[0]
        found[name] = found.get(name, b"") + body
        place += 12 + length
    return found


def rows(image: bytes) -> list[bytes]:
    """The rows of an image of eight bits a channel, without their filters (PNG 1.2, section 6)."""
    channels = {2: 3, 6: 4}[image[25]]
    across, down = size(image)
    data, length = zlib.decompress(chunks(image)[b"IDAT"]), across * channels
    last, found = bytes(length), list[bytes]()
    for row in range(down):
        start = row * (length + 1)
        kind, line = data[start], bytearray(data[start + 1 : start + 1 + length])
        for at in range(length):
            left = line[at - channels] if at >= channels else 0
            corner = last[at - channels] if at >= channels else 0
            line[at] = (line[at] + _guess(kind, left, last[at], corner)) % 256
        last = bytes(line)
        found.append(last[::channels])
    return found


def _guess(kind: int, left: int, above: int, corner: int) -> int:
    if kind < 4:
        return (0, left, above, (left + above) // 2)[kind]
    guess = left + above - corner
    return min((left, above, corner), key=lambda each: abs(guess - each))


def ink(picture: Picture) -> float:
    """How many pixels are covered, by the darkness of their red."""
    lines = rows(png(picture, theme("mono"), 288))
    return sum(255 - value for line in lines for value in line) / 255


def area(text: str, size: float, name: str) -> float:
    """The area of a text's letters in square pixels, by Gauss's formula; a quadratic curve adds two thirds of its
    triangle (Archimedes)."""
    total, last, first = 0.0, (0.0, 0.0), (0.0, 0.0)
    for letter, values in (command for character in text for command in glyph_outline(character, name)):
        if letter == "M":
            first = last = values[0], values[1]
            continue
        end = first if letter == "Z" else (values[-2], values[-1])
        total += cross(last, end) / 2
        if letter == "Q":
            control = values[0], values[1]
            total += (cross(last, control) + cross(control, end) + cross(end, last)) / 3
        last = end
    return abs(total) * (size / 1000) ** 2


def cross(one: tuple[float, float], other: tuple[float, float]) -> float:
    return one[0] * other[1] - one[1] * other[0]


@pytest.mark.parametrize(
    ("text", "mono"),
    [("HITTLE", False), ("7×7 conv, 64", False), ("αβ → ≤ ±1", False), ("CONV3-64", True)],
)
def test_all_of_a_text_is_drawn(text: str, mono: bool) -> None:
    """As many pixels as the outlines have area: resvg draws nothing for a text whose font it does not find."""
    name = "Mono-400" if mono else "Inter-400"
    assert ink(text_alone(text, mono=mono)) == pytest.approx(9 * area(text, 10, name), rel=0.04)


@pytest.mark.parametrize("weight", [400, 500, 600, 700])
def test_every_weight_is_found(weight: Weight) -> None:
    """A heavier text is darker."""
    picture = Picture("net", 100, 30, (TextItem(4, 20, "weight", 12, weight),), "Text")
    assert ink(picture) == pytest.approx(9 * area("weight", 12, f"Inter-{weight}"), rel=0.04)


def test_what_the_fonts_lack_is_not_left_out() -> None:
    assert ink(text_alone("卷")) == pytest.approx(9 * area("□", 10, "Inter-400"), rel=0.04)
    assert ink(text_alone(NASTY)) > 100


def test_outlines_draw_what_the_font_draws() -> None:
    """SVG with its texts as outlines, turned and anchored, beside the same with a font."""
    import resvg_py

    text = svg(everything(), theme("mono"), "paths")
    outlined = rows(bytes(resvg_py.svg_to_bytes(svg_string=text, zoom=3, skip_system_fonts=True)))
    lettered = rows(png(everything(), theme("mono"), 288))
    differences = (
        abs(a - b) for one, other in zip(outlined, lettered, strict=True) for a, b in zip(one, other, strict=True)
    )
    assert max(differences) < 100


def test_a_size_is_that_of_the_outlines() -> None:
    lines = rows(png(text_alone("HHHH"), theme("mono"), 288))
    columns = [at for line in lines for at, value in enumerate(line) if value < 128]
    assert max(columns) - min(columns) == pytest.approx(3 * text_width("HHHH", 10, "Inter-400"), abs=8)


@pytest.mark.parametrize(("dpi", "across"), [(96, 326), (288, 978), (600, 2038)])
def test_a_resolution(dpi: int, across: int) -> None:
    """Pixels for 326 CSS pixels, of which 96 are an inch; a PNG counts dots per metre."""
    image = png(everything(), theme("paper"), dpi)
    assert size(image) == (across, round(198 * dpi / 96))
    assert struct.unpack(">IIB", chunks(image)[b"pHYs"]) == (round(dpi / 0.0254), round(dpi / 0.0254), 1)


def test_a_picture_of_too_many_pixels_is_refused() -> None:
    """With 3 pixels of margin on each side and three dots to a pixel."""
    with pytest.raises(
        FileError, match=r"a PNG of 9,018 by 90,018 pixels is too large: choose a smaller --dpi, or SVG"
    ):
        png(Picture("net", 3000, 30_000, (), "Large"), theme("paper"), 288)


def test_without_resvg_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(FileError, match=r"a PNG needs resvg_py: pip install resvg_py"):
        png(everything(), theme("paper"), 96)
