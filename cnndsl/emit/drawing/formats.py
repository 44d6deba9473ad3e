"""A picture in the format that a file's ending asks for."""

from __future__ import annotations

from pathlib import PurePath

from cnndsl.emit.drawing.display import Picture
from cnndsl.emit.drawing.themes import ThemeName, theme
from cnndsl.files import FileError

PICTURES = ("svg",)
"""The endings of pictures that are laid out by code of our own."""


def format_of(path: str) -> str:
    """Return the format that a file's ending asks for. Raises FileError for an unknown one.

    >>> format_of("net.SVG")
    'svg'
    """
    ending = PurePath(path).suffix.removeprefix(".").lower()
    if ending not in PICTURES:
        raise FileError(f"cannot draw {path}: its name must end in one of {', '.join(f'.{each}' for each in PICTURES)}")
    return ending


def encoded(picture: Picture, format: str, theme_name: ThemeName = "paper", *, as_paths: bool = False) -> bytes:
    """Return a picture in a format, which is one of `PICTURES`. With `as_paths` its texts are outlines."""
    from cnndsl.emit.drawing.svg import svg

    assert format in PICTURES
    return svg(picture, theme(theme_name), as_paths=as_paths).encode()
