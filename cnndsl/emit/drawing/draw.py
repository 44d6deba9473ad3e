"""Renders DOT as a picture, through the available Graphviz: the `dot` program, or the one bundled with pygraphviz."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import PurePath
from shutil import which

from cnndsl.emit.drawing.formats import instead
from cnndsl.files import FileError

FORMATS = ("svg", "png", "pdf", "gv", "dot")
DOT_ENDINGS = (".gv", ".dot")
ADVICE = "for pictures install Graphviz (graphviz.org), or: pip install pygraphviz"


class NoGraphvizError(FileError):
    """No Graphviz is available."""

    def __init__(self) -> None:
        super().__init__(f"there is no Graphviz; {ADVICE}")


def format_of(path: str) -> str:
    """Return the format for a file name's extension. Raises FileError for an unknown one.

    >>> format_of("net.SVG")
    'svg'
    """
    ending = PurePath(path).suffix.removeprefix(".").lower()
    if ending not in FORMATS:
        known = "one of .svg, .png, .pdf, .tex, .mmd, .gv or .dot"
        raise FileError(f"cannot draw {path}: its name must end in {known}{instead(path)}")
    return ending


def draw(text: str, path: str) -> bytes:
    """Return the picture of a DOT text in the format for the file name `path`.

    Raises NoGraphvizError if Graphviz is missing, FileError for an unknown format or if Graphviz fails.
    """
    format = format_of(path)
    if format in ("gv", "dot"):
        return text.encode()
    if which("dot"):
        return _by_program(text, format)
    return _by_library(text, format)


def _by_program(text: str, format: str) -> bytes:
    import graphviz  # pyright: ignore[reportMissingTypeStubs]  # it has types in its source, and no stubs

    try:
        return graphviz.Source(text).pipe(format=format, quiet=True)
    except (graphviz.CalledProcessError, graphviz.ExecutableNotFound) as stop:
        raise FileError(f"Graphviz failed: {str(stop).splitlines()[0]}") from None


def _by_library(text: str, format: str) -> bytes:
    try:
        import pygraphviz  # pyright: ignore[reportMissingTypeStubs]  # there are none
    except ImportError:
        raise NoGraphvizError from None
    with _silenced():
        drawn: object = pygraphviz.AGraph(string=text).draw(format=format, prog="dot")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # no types
    if not isinstance(drawn, bytes):
        raise FileError("Graphviz failed: it drew nothing")
    return drawn


@contextmanager
def _silenced() -> Generator[None]:
    """Keep the messages of C libraries about fonts off the terminal."""
    sys.stderr.flush()
    kept = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
