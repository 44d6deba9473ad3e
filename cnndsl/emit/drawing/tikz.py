"""Writes a picture as a TikZ picture, which only needs `\\usepackage{tikz}` and uses the fonts of its document.

A text that is wider in the document than the width reserved for it is compressed to stay in its box. A picture that is
wider than the line is scaled down as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cnndsl.emit.drawing.display import Command, DisplayItem, GroupItem, PathItem, Picture, RectangleItem, TextItem
from cnndsl.emit.drawing.measure import width
from cnndsl.emit.drawing.shapes import drawn, flat, outline
from cnndsl.emit.drawing.svg import number
from cnndsl.emit.drawing.tex_text import tex_text
from cnndsl.emit.drawing.themes import Theme
from cnndsl.terminal import clean

POINT = 0.75
"""Points per CSS pixel, so that a picture of 320 is 240 pt wide, and one of 680 is 510 pt wide."""

_ANCHORS = {"start": "base west", "middle": "base", "end": "base east"}
_FIT = r"\def\cnndslfit#1#2{\setbox0\hbox{#2}\ifdim\wd0>#1\relax\resizebox{#1}{\height}{\box0}\else\box0\fi}"
"""Sets a text in a given width: unchanged, or compressed."""
_WHOLE = r"\ifcsname ver@standalone.cls\endcsname\def\cnndslscale{1}\fi"
"""With the class `standalone`, the page becomes as large as the picture, whatever its line width."""


def _scale(width: float) -> str:
    """Return the code that scales a picture of a width in pixels down to the line width."""
    return rf"\pgfmathsetmacro\cnndslscale{{min(1,\linewidth/{_points(width)})}}{_WHOLE}"


def tikz(picture: Picture, theme: Theme) -> str:
    """Return a picture as an environment `tikzpicture`; a theme with a light ground has no margin."""
    margin = theme.margin if theme.name == "dark" else 0
    corners = f"({number(-margin)},{number(-margin)}) rectangle "
    corners += f"({number(picture.width + margin)},{number(picture.height + margin)})"
    wide = picture.width + 2 * margin
    ground = [rf"\fill[cnndsl bg] {corners};"] if margin else []
    lines = [
        f"% {clean(picture.title)}: written by cnndsl; \\usepackage{{tikz}}",
        rf"\begin{{tikzpicture}}[x={POINT}pt,y=-{POINT}pt,line join=round,inner sep=0pt,outer sep=0pt]",
        _FIT,
        _scale(wide),
        *(rf"\definecolor{{cnndsl {name}}}{{HTML}}{{{theme.value(name)[1:]}}}" for name in _colours(picture, theme)),
        rf"\path[use as bounding box,scale=\cnndslscale] {corners};",
        r"\begin{scope}[transform canvas={scale=\cnndslscale}]",
        *ground,
        *_items(picture.items, theme),
        r"\end{scope}",
        r"\end{tikzpicture}",
    ]
    return "\n".join([*lines, ""])


def _colours(picture: Picture, theme: Theme) -> list[str]:
    """Return the names of the colours that a picture uses."""
    used = {"bg", "ink"}
    for item in flat(picture.items):
        used |= {item.paint} if isinstance(item, TextItem) else {item.fill, item.stroke}
    return sorted(used & theme.colours.keys())


def _items(items: Iterable[DisplayItem], theme: Theme) -> Iterator[str]:
    for item in items:
        if isinstance(item, GroupItem):
            if item.id:
                yield f"% {clean(item.id)}"
            yield from _items(item.items, theme)
        elif isinstance(item, TextItem):
            yield _text(item)
        elif isinstance(item, PathItem):
            yield from _path(item)
        else:
            for each in drawn(item, theme):
                yield from _path(each) if isinstance(each, PathItem) else _rectangle(each)


def _rectangle(item: RectangleItem) -> Iterator[str]:
    if item.radius:
        yield from _path(PathItem(outline(item), item.fill, item.stroke, item.line, item.dash))
    elif options := _options(item):
        right, low = item.x + item.width, item.y + item.height
        corners = f"({number(item.x)},{number(item.y)}) rectangle ({number(right)},{number(low)})"
        yield rf"\path[{options}] {corners};"


def _path(item: PathItem) -> Iterator[str]:
    if options := _options(item):
        yield rf"\path[{options}] {''.join(map(_step, item.commands))};"


def _step(command: Command) -> str:
    letter, values = command
    points = [f"({number(x)},{number(y)})" for x, y in zip(values[::2], values[1::2], strict=True)]
    if letter == "M":
        return f" {points[0]}"
    if letter == "L":
        return f" -- {points[0]}"
    return f" .. controls {points[0]} and {points[1]} .. {points[2]}" if letter == "C" else " -- cycle"


def _options(item: RectangleItem | PathItem) -> str:
    found: list[str] = []
    if item.fill:
        found.append(f"fill=cnndsl {item.fill}")
    if item.stroke:
        found += [f"draw=cnndsl {item.stroke}", f"line width={_points(item.line)}"]
        if item.dash:
            runs = zip(item.dash[::2], item.dash[1::2], strict=False)
            found.append("dash pattern=" + " ".join(f"on {_points(on)} off {_points(off)}" for on, off in runs))
    return ",".join(found)


def _text(item: TextItem) -> str:
    size = _points(item.size)
    family = r"\ttfamily" if item.mono else r"\sffamily"
    series = r"\bfseries" if item.weight >= 600 and not item.mono else ""
    font = rf"font={family}{series}\fontsize{{{size}}}{{{size}}}\selectfont"
    turned = ",rotate=90" if item.turned else ""
    options = f"anchor={_ANCHORS[item.anchor]},text=cnndsl {item.paint},{font}{turned}"
    room = _points(item.room or width(item.text, item.size, item.weight, mono=item.mono))
    place = f"({number(item.x)},{number(item.y)})"
    return rf"\node[{options}] at {place} {{\cnndslfit{{{room}}}{{{tex_text(item.text, code=item.mono)}}}}};"


def _points(pixels: float) -> str:
    return f"{number(pixels * POINT)}pt"
