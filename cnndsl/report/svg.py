"""The pieces of an SVG drawing: everything is escaped, and the colours follow a light or dark surrounding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from string import Template

from cnndsl.terminal import clean

_MARGIN = 16
_LIGHT = {
    "page": "#ffffff",
    "panel": "#f1f4f8",
    "ink": "#1c2430",
    "soft": "#687284",
    "line": "#c9d0da",
    "accent": "#2f6fde",
    "alarm": "#c8372d",
}
_DARK = {
    "page": "#14181f",
    "panel": "#1f2630",
    "ink": "#e4e8ef",
    "soft": "#95a0b3",
    "line": "#3d4756",
    "accent": "#6aa1ff",
    "alarm": "#ff7b6e",
}
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: $ink }
.soft { fill: $soft } .strong { font-weight: 600 } .page { fill: $page }
"""


def _css(style: str, more: Mapping[str, tuple[str, str]]) -> str:
    """The rules with their colours, and again with those for dark surroundings; no variables, which few programs
    but browsers know."""
    light, dark = (
        Template(style).substitute(palette, **{name: each[at] for name, each in more.items()})
        for at, palette in enumerate((_LIGHT, _DARK))
    )
    return f"{light}@media (prefers-color-scheme: dark) {{{dark}}}\n"


def document(
    width: float,
    height: float,
    title: str,
    body: Iterable[str],
    style: str,
    colours: Mapping[str, tuple[str, str]] | None = None,
) -> str:
    """A drawing of so many pixels with a margin around it; the title is what it is for those who cannot see it.

    In the style `$ink` and the like are the palette's, and those of `colours`, each in a light and a dark one.
    """
    wide, high = width + 2 * _MARGIN, height + 2 * _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{number(wide)}" height="{number(high)}" '
        f'viewBox="{-_MARGIN} {-_MARGIN} {number(wide)} {number(high)}" role="img">\n'
        f"<title>{_text(title)}</title>\n<style>{_css(_STYLE + style, colours or {})}</style>\n"
        f"{rect(-_MARGIN, -_MARGIN, wide, high, 'page')}\n" + "\n".join(body) + "\n</svg>\n"
    )


def number(value: float) -> str:
    """A coordinate, short.

    >>> number(3.0), number(2 / 3)
    ('3', '0.67')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".")


def rect(x: float, y: float, width: float, height: float, name: str, tip: str = "") -> str:
    """A rectangle of a class; the tip is shown when the pointer rests on it."""
    place = f'x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
    inside = f"><title>{_text(tip)}</title></rect>" if tip else "/>"
    return f'<rect class="{name}" {place}{inside}'


def text(x: float, y: float, words: str, name: str = "", turn: float = 0) -> str:
    """Words that begin at a point; turned, they end there."""
    turned = f' transform="rotate({number(turn)} {number(x)} {number(y)})" text-anchor="end"' if turn else ""
    return f'<text class="{name}" x="{number(x)}" y="{number(y)}"{turned}>{_text(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, name: str) -> str:
    """A line of a class."""
    return f'<line class="{name}" x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}"/>'


def _text(words: str) -> str:
    return escape(clean(words))
