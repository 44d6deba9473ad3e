"""Writes a picture as PDF, through ReportLab: vectors, and text that can be selected and searched."""

# ReportLab states few types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from cnndsl.emit.drawing.display import DisplayItem, GroupItem, PathItem, Picture, RectangleItem, TextItem
from cnndsl.emit.drawing.extras import MissingExtraError
from cnndsl.emit.drawing.geometry import bounds
from cnndsl.emit.drawing.measure import FONTS
from cnndsl.emit.drawing.shapes import drawn, outline, start_of
from cnndsl.emit.drawing.themes import Theme
from cnndsl.emit.drawing.truetype import face_name, shown
from cnndsl.resources import folder
from cnndsl.terminal import clean

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

POINT = 0.75
"""Points per CSS pixel."""


def pdf(picture: Picture, theme: Theme) -> bytes:
    """Return a picture as PDF. Raises FileError if ReportLab is missing."""
    try:
        from reportlab.pdfgen.canvas import Canvas
    except ImportError:
        raise MissingExtraError("a PDF", "reportlab") from None
    width, height = (side + 2 * theme.margin for side in (picture.width, picture.height))
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=(width * POINT, height * POINT), invariant=1, pageCompression=1, lang="en")
    canvas.setTitle(clean(picture.title))
    canvas.setSubject(clean(picture.description))
    canvas.setCreator("cnndsl")
    canvas.scale(POINT, POINT)
    canvas.setFillColor(theme.value("bg"))
    canvas.rect(0, 0, width, height, stroke=0, fill=1)
    canvas.translate(theme.margin, theme.margin)
    canvas.setLineJoin(1)
    _Page(canvas, theme, picture.height).draw(picture.items)
    canvas.save()
    return buffer.getvalue()


class _Page:
    """The page of a picture, whose y axis points upwards."""

    def __init__(self, canvas: Canvas, theme: Theme, height: float) -> None:
        self._canvas = canvas
        self._theme = theme
        self._height = height

    def draw(self, items: Iterable[DisplayItem]) -> None:
        """Draw items in their order."""
        for item in items:
            if isinstance(item, GroupItem):
                self.draw(item.items)
                self._link(item)
            elif isinstance(item, TextItem):
                self._text(item)
            elif isinstance(item, PathItem):
                self._path(item)
            else:
                self._rectangle(item)

    def _rectangle(self, item: RectangleItem) -> None:
        for each in drawn(item, self._theme):
            if isinstance(each, RectangleItem):
                self._path(PathItem(outline(each), each.fill, each.stroke, each.line, each.dash))
            else:
                self._path(each)

    def _path(self, item: PathItem) -> None:
        if not item.fill and not item.stroke:
            return
        path = self._canvas.beginPath()
        for letter, values in item.commands:
            points = [self._height - value if at % 2 else value for at, value in enumerate(values)]
            {"M": path.moveTo, "L": path.lineTo, "C": path.curveTo, "Z": path.close}[letter](*points)
        if item.fill:
            self._canvas.setFillColor(self._theme.value(item.fill))
        if item.stroke:
            self._canvas.setStrokeColor(self._theme.value(item.stroke))
            self._canvas.setLineWidth(item.line)
            self._canvas.setDash(list(item.dash))
        self._canvas.drawPath(path, stroke=bool(item.stroke), fill=bool(item.fill))

    def _text(self, item: TextItem) -> None:
        name = face_name(item.weight, item.mono)
        x, y = start_of(item)
        self._canvas.saveState()
        self._canvas.setFont(_font(name), item.size)
        self._canvas.setFillColor(self._theme.value(item.paint))
        self._canvas.translate(x, self._height - y)
        if item.turned:
            self._canvas.rotate(90)
        self._canvas.drawString(0, 0, shown(item.text, name))
        self._canvas.restoreState()

    def _link(self, group: GroupItem) -> None:
        """Link a group to a web page; links to files are omitted, since the reader's paths are unknown."""
        box = bounds(group)
        if box is not None and group.link.startswith(("https://", "http://")):
            left, top, right, low = box
            place = (left, self._height - low, right, self._height - top)
            self._canvas.linkURL(clean(group.link), place, relative=1)


def _font(name: str) -> str:
    """Register a bundled font with ReportLab, once, and return its registered name."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    known = f"cnndsl-{name}"
    if known not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont(known, BytesIO((folder(FONTS) / f"{name}.ttf").read_bytes())))
    return known
