"""Writes a picture as PNG, through resvg with only the bundled fonts, so that every machine draws the same."""

from __future__ import annotations

import struct
import zlib
from contextlib import ExitStack
from importlib.resources import as_file

from cnndsl.emit.drawing.display import Picture
from cnndsl.emit.drawing.extras import MissingExtraError
from cnndsl.emit.drawing.measure import FONTS
from cnndsl.emit.drawing.svg import svg
from cnndsl.emit.drawing.themes import Theme
from cnndsl.emit.drawing.truetype import FACES
from cnndsl.files import FileError
from cnndsl.resources import folder

CSS_DPI = 96
_MOST_PIXELS = 200_000_000
_METRE = 0.0254
"""Metres in an inch."""


def png(picture: Picture, theme: Theme, dpi: int) -> bytes:
    """Return a picture as PNG. Raises FileError if resvg is missing or the picture has too many pixels."""
    try:
        import resvg_py
    except ImportError:
        raise MissingExtraError("a PNG", "resvg_py") from None
    scale = dpi / CSS_DPI
    across, down = (round((side + 2 * theme.margin) * scale) for side in (picture.width, picture.height))
    if across * down > _MOST_PIXELS:
        raise FileError(f"a PNG of {across:,} by {down:,} pixels is too large: choose a smaller --dpi, or SVG")
    text = svg(picture, theme, "bundled")
    with ExitStack() as stack:
        files = [str(stack.enter_context(as_file(folder(FONTS) / f"{name}.ttf"))) for name in FACES]
        drawn = resvg_py.svg_to_bytes(svg_string=text, zoom=scale, skip_system_fonts=True, font_files=files)
    return _with_resolution(bytes(drawn), dpi)


def _with_resolution(image: bytes, dpi: int) -> bytes:
    """Return the image with its resolution, which determines its printed size. Source: PNG 1.2, 4.2.4.2."""
    dots = round(dpi / _METRE)
    body = b"pHYs" + struct.pack(">IIB", dots, dots, 1)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    after_header = 8 + 25
    return image[:after_header] + chunk + image[after_header:]
