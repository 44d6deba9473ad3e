"""A network as a picture in one call, with links that lead from a file beside its source to the lines of that."""

from __future__ import annotations

import os
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
    """Return the folded picture of a network at a width; without one at the narrowest that it fits."""
    return picture(model(graph, link=link), size)


def links_from(target: str) -> LinkOf:
    """Return what gives the address of a place in a program for a picture that is written into a file.

    Addresses are relative, so that both can be moved together; what is no file has none.
    """
    folder = os.path.dirname(os.path.abspath(target))  # noqa: PTH100, PTH120
    known: dict[str, str] = {}

    def link(span: Span) -> str:
        name = span.source.name
        if name not in known:
            known[name] = _address(name, folder) if os.path.isfile(name) else ""  # noqa: PTH113
        return f"{known[name]}#L{span.line}" if known[name] else ""

    return link


def _address(file: str, folder: str) -> str:
    """The relative address of a file, "" where there is none, as on another drive."""
    try:
        relative = os.path.relpath(file, folder)
    except ValueError:
        return ""
    return quote(relative.replace(os.sep, "/"))
