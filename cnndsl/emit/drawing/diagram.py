"""Draws a network in one call, with links from a file next to its source to the lines of the source."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.drawing.cards.tags import LinkOf, no_link
from cnndsl.emit.drawing.layout.page import WidthName, picture

if TYPE_CHECKING:
    from cnndsl.emit.drawing.display import Picture
    from cnndsl.errors import Span
    from cnndsl.graph.graph import Graph


def diagram(graph: Graph, size: WidthName | None = None, *, link: LinkOf = no_link) -> Picture:
    """Return the folded picture of a network at a width; by default the narrowest that it fits."""
    return picture(model(graph, link=link), size)


def links_from(target: str) -> LinkOf:
    """Return a function that returns the address of a source location, for a picture written to the file `target`.

    Addresses are relative, so that both files can be moved together. Sources that are not files have none.
    """
    folder = Path(target).parent
    known: dict[str, str] = {}

    def link(span: Span) -> str:
        name = span.source.name
        if name not in known:
            is_file = os.path.isfile(name)  # noqa: PTH113 - a Path raises for a name that no file can have
            known[name] = _address(name, folder) if is_file else ""
        return f"{known[name]}#L{span.line}" if known[name] else ""

    return link


def _address(file: str, folder: Path) -> str:
    """Return the relative address of a file; empty if there is none, as on another drive."""
    try:
        relative = os.path.relpath(file, folder)
    except ValueError:
        return ""
    return quote(relative.replace(os.sep, "/"))
