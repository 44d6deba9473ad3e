"""Writes a picture as SVG: text stays text, its characters are embedded, and a description serves screen readers.

There are no scripts and nothing is loaded from elsewhere. Everything that comes from a program is escaped.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from html import escape
from typing import Literal, TypeAlias

from cnndsl.emit.drawing.display import Command, DisplayItem, GroupItem, PathItem, Picture, RectangleItem, TextItem
from cnndsl.emit.drawing.measure import UNITS
from cnndsl.emit.drawing.shapes import drawn, flat, is_invisible, outline, start_of
from cnndsl.emit.drawing.themes import Theme
from cnndsl.emit.drawing.truetype import FACES, GlyphCommand, face, face_name, glyph_outline, shown, woff
from cnndsl.records import record
from cnndsl.terminal import clean

_SANS = "Inter, Helvetica, Arial, sans-serif"
_MONO = "'DejaVu Sans Mono', Menlo, Consolas, monospace"
_LINK = re.compile(r"https?://|file://|[^:]*$|[^:/?#]*[/?#]", re.IGNORECASE)
"""The start of a valid link: a scheme that shows a page, or none."""


Lettering: TypeAlias = Literal["embedded", "paths", "bundled"]
"""The source of the letters of a picture: embedded fonts, outlines, or bundled fonts that the renderer has."""


@record(slots=True)
class _Style:
    """The style of a picture: its theme, its lettering, the families of its two fonts, the assigned ids, and for
    outlines the id of each character of each font."""

    theme: Theme
    lettering: Lettering
    sans: str
    mono: str
    ids: _Ids
    glyphs: Mapping[tuple[str, str], str]


class _Ids:
    """Ids that are valid and unique, each starting with the name of the picture."""

    def __init__(self, name: str) -> None:
        self._prefix = _id(name) if re.match(r"[A-Za-z_]", name) else f"n{_id(name)}"
        self._taken: set[str] = set()

    def new(self, name: str) -> str:
        """Return the id for a name."""
        wanted = found = f"{self._prefix}-{_id(name)}"
        number = 1
        while found in self._taken:
            number += 1
            found = f"{wanted}-{number}"
        self._taken.add(found)
        return found


def _id(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)


def svg(picture: Picture, theme: Theme, lettering: Lettering = "embedded") -> str:
    """Return a picture as SVG."""
    ids = _Ids(picture.name)
    title, description = ids.new("title"), ids.new("description")
    style, letters = _lettered(picture, theme, lettering, ids)
    margin = theme.margin
    width, height = number(picture.width + 2 * margin), number(picture.height + 2 * margin)
    corner = number(-margin)
    labelled = f'aria-labelledby="{title}{f" {description}" if picture.description else ""}"'
    place = f'width="{width}" height="{height}" viewBox="{corner} {corner} {width} {height}"'
    # Without this some browsers round the width of each letter to whole pixels.
    setting = f'font-family="{style.sans}" text-rendering="geometricPrecision"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {place} role="img" {labelled} {setting}>',
        f'<title id="{title}">{_text(picture.title)}</title>',
        *([f'<desc id="{description}">{_text(picture.description)}</desc>'] if picture.description else []),
        *([letters] if letters else []),
        f'<rect x="{corner}" y="{corner}" width="{width}" height="{height}" fill="{theme.value("bg")}"/>',
        *_items(picture.items, style),
        "</svg>",
    ]
    return "\n".join([*parts, ""])


def _lettered(picture: Picture, theme: Theme, lettering: Lettering, ids: _Ids) -> tuple[_Style, str]:
    """Return the style of a picture, and the fonts or outlines that the file embeds for it."""
    faces = _characters(picture)
    if lettering == "paths":
        glyphs, outlines = _definitions(faces, ids)
        return _Style(theme, lettering, _SANS, _MONO, ids, glyphs), outlines
    if lettering == "bundled" or not faces:
        return _Style(theme, lettering, _SANS, _MONO, ids, {}), ""
    mark = sha256(repr(sorted(faces.items())).encode()).hexdigest()[:8]
    fonts = f"<style>{''.join(_font_face(name, used, mark) for name, used in faces.items())}</style>"
    return _Style(theme, lettering, f"Inter-{mark}, {_SANS}", f"Mono-{mark}, {_MONO}", ids, {}), fonts


def _characters(picture: Picture) -> dict[str, str]:
    """Return the characters of each bundled font that a picture uses."""
    used: dict[str, set[str]] = {name: set() for name in FACES}
    for item in flat(picture.items):
        if isinstance(item, TextItem):
            used[face_name(item.weight, item.mono)].update(clean(item.text))
    return {name: "".join(sorted(characters)) for name, characters in used.items() if characters}


def _font_face(name: str, characters: str, mark: str) -> str:
    family, _, weight = name.partition("-")
    data = b64encode(woff(name, characters)).decode()
    source = f"url(data:font/woff;base64,{data}) format('woff')"
    return f"@font-face{{font-family:{family}-{mark};font-weight:{weight};src:{source}}}"


def _items(items: Iterable[DisplayItem], style: _Style) -> Iterator[str]:
    for item in items:
        if isinstance(item, GroupItem):
            yield from _group(item, style)
        elif isinstance(item, TextItem):
            yield _outlined(item, style) if style.lettering == "paths" else _written(item, style)
        elif isinstance(item, PathItem):
            yield _path(item, style.theme)
        else:
            yield from (_shape(each, style.theme) for each in drawn(item, style.theme))


def _group(item: GroupItem, style: _Style) -> Iterator[str]:
    tooltip = f"<title>{_text(item.title, lines=True)}</title>" if item.title else ""
    address = clean(item.link)
    is_link = bool(address) and _LINK.match(address) is not None
    start, end = (f'<a href="{escape(address)}">', "</a>") if is_link else ("", "")
    name = f' id="{style.ids.new(item.id)}"' if item.id else ""
    yield f"{start}<g{name}>{tooltip}"
    yield from _items(item.items, style)
    yield f"</g>{end}"


def _shape(item: RectangleItem | PathItem, theme: Theme) -> str:
    if isinstance(item, PathItem):
        return _path(item, theme)
    if item.radius and item.rounded != "both":
        return _path(PathItem(outline(item), item.fill, item.stroke, item.line, item.dash), theme)
    place = " ".join(
        f'{name}="{number(value)}"'
        for name, value in (("x", item.x), ("y", item.y), ("width", item.width), ("height", item.height))
    )
    corners = f' rx="{number(item.radius)}"' if item.radius else ""
    paint = ' fill="none" pointer-events="all"' if is_invisible(item) else _painted(item, theme)
    return f"<rect {place}{corners}{paint}/>"


def _path(item: PathItem, theme: Theme) -> str:
    return f'<path d="{path_data(item.commands)}"{_painted(item, theme)}/>'


def path_data(commands: Iterable[Command | GlyphCommand]) -> str:
    """Return a path as the value of the attribute `d`.

    >>> path_data([("M", (0, 1.5)), ("L", (2, 0.333)), ("Z", ())])
    'M0 1.5L2 0.33Z'
    """
    return "".join(f"{letter}{' '.join(map(number, values))}" for letter, values in commands)


def _painted(item: RectangleItem | PathItem, theme: Theme) -> str:
    """Return the attributes for fill and stroke."""
    paint = f' fill="{theme.value(item.fill) or "none"}"'
    if not item.stroke:
        return paint
    joined = ' stroke-linejoin="round"' if isinstance(item, PathItem) else ""
    dash = f' stroke-dasharray="{" ".join(map(number, item.dash))}"' if item.dash else ""
    return f'{paint} stroke="{theme.value(item.stroke)}" stroke-width="{number(item.line)}"{dash}{joined}'


def _written(item: TextItem, style: _Style) -> str:
    place = f'x="{number(item.x)}" y="{number(item.y)}" font-size="{number(item.size)}"'
    weight = f' font-weight="{item.weight}"' if item.weight != 400 and not item.mono else ""
    anchor = f' text-anchor="{item.anchor}"' if item.anchor != "start" else ""
    turned = f' transform="rotate(-90 {number(item.x)} {number(item.y)})"' if item.turned else ""
    family = f' font-family="{style.mono}" xml:space="preserve"' if item.mono else ""
    paint = f' fill="{style.theme.value(item.paint)}"'
    text = shown(item.text, face_name(item.weight, item.mono)) if style.lettering == "bundled" else item.text
    return f"<text {place}{weight}{anchor}{turned}{family}{paint}>{_text(text)}</text>"


def _outlined(item: TextItem, style: _Style) -> str:
    """Return a text as the outlines of its characters, with its words for screen readers."""
    name, scale = face_name(item.weight, item.mono), number(item.size / UNITS, 5)
    x, y = map(number, start_of(item))
    turned = " rotate(-90)" if item.turned else ""
    place = f'transform="translate({x} {y}){turned} scale({scale})"'
    letters, across = list[str](), 0
    for character in shown(item.text, name):
        letters.append(f'<use href="#{style.glyphs[name, character]}" x="{across}"/>')
        across += face(name).advance(face(name).glyphs[character])
    words, paint = _text(item.text), style.theme.value(item.paint)
    return f'<g {place} role="img" aria-label="{words}" fill="{paint}">{"".join(letters)}</g>'


def _definitions(faces: Mapping[str, str], ids: _Ids) -> tuple[dict[tuple[str, str], str], str]:
    """Return the id of each character of each font, and the outlines that have these ids."""
    glyphs = {
        (name, character): ids.new(f"{name}-{ord(character):x}")
        for name, characters in faces.items()
        for character in shown(characters, name)
    }
    paths = (
        f'<path id="{glyph}" d="{path_data(glyph_outline(each, name))}"/>' for (name, each), glyph in glyphs.items()
    )
    return glyphs, f"<defs>{''.join(paths)}</defs>"


def _text(text: str, *, lines: bool = False) -> str:
    return "\n".join(escape(clean(line)) for line in text.split("\n")) if lines else escape(clean(text))


def number(value: float, digits: int = 2) -> str:
    """Return a coordinate as a short string.

    >>> number(3.0), number(2 / 3), number(-0.001)
    ('3', '0.67', '0')
    """
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
