"""The formats of a picture: SVG, PNG, PDF and TikZ, each written from the same display list."""

from __future__ import annotations

from pathlib import PurePath
from typing import Literal, TypeAlias, get_args

from cnndsl.emit.drawing.display import Picture
from cnndsl.emit.drawing.themes import ThemeName, theme
from cnndsl.files import FileError
from cnndsl.records import record

PictureFormat: TypeAlias = Literal["svg", "png", "pdf", "tex"]
_INSTEAD = {
    **dict.fromkeys(("jpg", "jpeg", "gif", "bmp", "tif", "tiff", "webp"), "png"),
    **dict.fromkeys(("eps", "ps"), "pdf"),
    **dict.fromkeys(("htm", "html", "svgz", "drawio"), "svg"),
}
"""The closest supported format for the extension of each unsupported one."""
FORMATS: tuple[PictureFormat, ...] = get_args(PictureFormat)
"""The formats by file extension; `tex` is TikZ."""


@record(slots=True)
class PictureOptions:
    """Options for writing a picture: the theme, whether text in SVG becomes outlines, the dots per inch of a PNG."""

    theme: ThemeName = "paper"
    as_paths: bool = False
    dpi: int = 288


def picture_format(path: str) -> PictureFormat:
    """Return the format for a file name's extension. Raises FileError for an unknown one.

    >>> picture_format("net.SVG")
    'svg'
    """
    ending = PurePath(path).suffix.removeprefix(".").lower()
    ending = "tex" if ending == "tikz" else ending
    for format in FORMATS:
        if ending == format:
            return format
    *others, last = (f".{each}" for each in FORMATS)
    raise FileError(f"cannot draw {path}: its name must end in {', '.join(others)} or {last}{instead(path)}")


def as_bytes(picture: Picture, format: PictureFormat, options: PictureOptions) -> bytes:
    """Return a picture in a format. Raises FileError if the dependencies of the format are not installed."""
    chosen = theme(options.theme)
    if format == "svg":
        from cnndsl.emit.drawing.svg import svg

        return svg(picture, chosen, "paths" if options.as_paths else "embedded").encode()
    if format == "png":
        from cnndsl.emit.drawing.png import png

        return png(picture, chosen, options.dpi)
    if format == "pdf":
        from cnndsl.emit.drawing.pdf import pdf

        return pdf(picture, chosen)
    from cnndsl.emit.drawing.tikz import tikz

    return tikz(picture, chosen).encode()


def instead(path: str) -> str:
    """Return a suggested file name for one with the extension of another picture format, after a semicolon.

    >>> instead("net.jpg"), instead("net"), instead("net.xyz")
    ('; write net.png', '; write net.svg', '')
    """
    if path.endswith("/"):
        return "; add the name of a file"
    name, dot, ending = path.rpartition(".")
    if not dot or "/" in ending:
        return f"; write {path}.svg"
    other = _INSTEAD.get(ending.lower(), "")
    return f"; write {name}.{other}" if other else ""
