"""Functions that the drawing commands share: writing a picture, by its options and the ending of its file."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, cast

import click

from cnndsl.commands.common import AnyFunction
from cnndsl.commands.types import OneOf, WholeNumber

if TYPE_CHECKING:
    from cnndsl.emit.drawing.display import Picture
    from cnndsl.emit.drawing.formats import PictureOptions

ENDINGS = ".svg, .png, .pdf or .tex"
THEME_NAMES = ("paper", "dark", "mono")
LETTERINGS = ("font", "paths")
DEFAULT_DPI = 288


def picture_options(function: AnyFunction) -> AnyFunction:
    """Add `--theme`, `--text` and `--dpi`, which reach the command as one argument, `options`."""

    @wraps(function)
    def command(*args: Any, theme: Any, text: str, dpi: int, **given: Any) -> Any:
        from cnndsl.emit.drawing.formats import PictureOptions

        return function(*args, options=PictureOptions(theme, text == "paths", dpi), **given)

    for option in (
        click.option(
            "--dpi",
            type=WholeNumber(36, 2400),
            default=DEFAULT_DPI,
            help=f"The resolution of a PNG in pixels per inch, from 36 to 2400.  [default: {DEFAULT_DPI}]",
        ),
        click.option(
            "--text",
            type=OneOf(LETTERINGS),
            default="font",
            show_default=True,
            help="Embed the font in an SVG, or draw text as outlines.",
        ),
        click.option(
            "--theme",
            type=OneOf(THEME_NAMES),
            default="paper",
            show_default=True,
            help="The colours: for paper, for a dark page, or shades of grey.",
        ),
    ):
        command = option(command)
    return cast("AnyFunction", command)


def check_picture(path: str | None) -> None:
    """Raise FileError for a file whose ending is not a picture format."""
    if path is not None:
        from cnndsl.emit.drawing.formats import picture_format

        picture_format(path)


def write_picture(path: str, picture: Picture, options: PictureOptions, *, force: bool) -> None:
    """Write a picture in the format of the file's ending. Raises FileError if that fails."""
    from cnndsl.emit.drawing.formats import as_bytes, picture_format
    from cnndsl.files import write

    write(path, as_bytes(picture, picture_format(path), options), force=force)
