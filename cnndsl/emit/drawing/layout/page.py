"""The page without its margin, which the theme adds: header, spine in as many columns as it takes, panels, legend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Literal, TypeAlias

from cnndsl.emit.drawing.cards.model import DrawingModel, NetCard
from cnndsl.emit.drawing.display import Picture
from cnndsl.emit.drawing.layout import spine as spines
from cnndsl.emit.drawing.layout.arrange import GUTTER, Arrangement, with_panels
from cnndsl.emit.drawing.layout.fault import with_faults
from cnndsl.emit.drawing.layout.foot import foot, foot_width
from cnndsl.emit.drawing.layout.panel import PanelArtist
from cnndsl.emit.drawing.layout.sketch import SMALL, Sketch, moved, scaled
from cnndsl.emit.drawing.layout.slide import flowing
from cnndsl.emit.drawing.layout.ushape import u_sketch
from cnndsl.emit.drawing.measure import width
from cnndsl.report.number_format import human

WidthName: TypeAlias = Literal["column", "page", "slide"]

SLIDE = 1.42
"""A slide is laid out smaller and enlarged, so that no text on it has less than 12 pixels."""
WIDTHS: Mapping[str, float] = {"column": 314, "page": 674, "slide": 936 / SLIDE}
TALLEST: Mapping[str, float] = {"column": 474, "page": 894, "slide": 534 / SLIDE}
_TOP = 32.0
_MOST_COLUMNS = 6
_TOO_TALL = 4.0
_NO_COLUMNS = 0.3
"""The strain of cards whose branches have no columns."""
_EMPTY = 0.08
"""The strain of a page whose width is not used."""
_SQUEEZED = 1.2
"""The strain of a spine that is drawn without any of the width that it needs."""


def picture(model: DrawingModel, size: WidthName | None = None) -> Picture:
    """Return the picture of a network at a width; without one at the narrowest that it fits. One with errors has a
    page."""
    if model.faults:
        drawn = _with_header(model, with_faults(model, WIDTHS[size or "page"]), WIDTHS[size or "page"])
        return _enlarged(drawn) if size == "slide" else drawn
    if model.u is not None and size != "column":
        name = size or "page"
        room = TALLEST[name] - _TOP - 1
        if (found := u_sketch(model.u, WIDTHS[name], room)) is not None:
            sketch, across, height = found
            drawn = _with_header(model, Arrangement(across, height, lambda: sketch), WIDTHS[name])
            return _enlarged(drawn) if size == "slide" else drawn
    artist = PanelArtist()
    if size is None:
        if not _wants_page(model):
            found = _arranged(artist, model, "column")
            if found.width <= WIDTHS["column"] + 0.5 and found.height + _TOP <= TALLEST["column"]:
                return _with_header(model, found, WIDTHS["column"])
        size = "page"
    found = _with_header(model, _arranged(artist, model, size), WIDTHS[size])
    return _enlarged(found) if size == "slide" else found


def _enlarged(picture: Picture) -> Picture:
    """The picture at the size of a slide, the content in its middle if it is lower."""
    items = tuple(scaled(item, SLIDE) for item in picture.items)
    across, height = (max(side * SLIDE, least) for side, least in ((picture.width, 954), (picture.height, 534)))
    left = (across - picture.width * SLIDE) / 2
    return replace(picture, width=across, height=height, items=tuple(moved(item, left, 0) for item in items))


def _wants_page(model: DrawingModel) -> bool:
    """Whether cards have columns, which a column of a paper has no room for."""
    return any(isinstance(step, NetCard) and (step.table or step.heads) for step in model.steps)


def _with_header(model: DrawingModel, found: Arrangement, least: float) -> Picture:
    sketch = Sketch()
    is_small = max(least, found.width) < WIDTHS["slide"]
    is_filled = least != WIDTHS["page"]
    words = ("params", "MACs") if is_small else ("parameters", "multiply-adds")
    figures = [f"{human(model.params)} {words[0]}"] if model.params else []
    figures += [f"{human(model.macs)} {words[1]}"] if model.macs else []
    text, size = " · ".join(figures), SMALL if is_small else 9.0
    paint = "mute"
    if model.faults:
        count = "1 error" if len(model.faults) == 1 else f"{len(model.faults)} errors"
        text, paint = f"{count} · drawn as far as shapes are known", "error"
    natural = width(model.name, 13 if is_small else 14, 700) + width(text, size) + 16
    across = max(least if is_filled else min(natural, least), found.width, foot_width(model.foot))
    sketch.text(across, 16.5, text, size, paint=paint, anchor="end")
    room = across - width(text, size) - 8
    sketch.text(0, 17, model.name, 13 if is_small else 14, 700, room=room)
    sketch.line([(0, 25), (across, 25)], paint="hair", line=0.8)
    sketch.place(found.draw(), 0, _TOP)
    low = foot(sketch, model.foot, _TOP + found.height + 1, across)
    return Picture(model.name, across, low, tuple(sketch.items), model.name, model.description)


def _arranged(artist: PanelArtist, model: DrawingModel, size: WidthName) -> Arrangement:
    """The best of the arrangements that are narrow enough; if there is none, the narrowest."""
    options = list(flowing(artist, model, WIDTHS[size])) if size == "slide" and not model.marks else []
    if not options:
        options = list(_options(artist, model, size))
    fitting = [each for each in options if each.width <= WIDTHS[size] + 0.5]
    if not fitting:
        return min(options, key=lambda each: each.width)
    inside = [each for each in fitting if each.height <= TALLEST[size] - _TOP - 1]
    if size == "slide" and inside:  # nothing may leave its frame
        fitting = inside
    return min(fitting, key=lambda each: _cost(each, WIDTHS[size], TALLEST[size] - _TOP))


def _cost(found: Arrangement, widest: float, tallest: float) -> float:
    """How good an arrangement is, less being better: low, but with room for all; above all not too tall. Of two that
    are as low the wider one is better: its panels are beside each other."""
    too_tall = _TOO_TALL * max(found.height / tallest - 1, 0)
    return found.height / tallest + found.strain + too_tall + _EMPTY * (1 - found.width / widest)


def _options(artist: PanelArtist, model: DrawingModel, size: WidthName) -> Iterator[Arrangement]:
    """Arrangements, the better ones first."""
    forms = (True, False) if size != "column" and _wants_page(model) else (False,)
    is_one = bool(model.links) or any(each.steps for each in model.panels)
    for is_wide in forms:
        natural = spines.natural_width(model, is_wide=is_wide)
        for across in _spine_widths(artist, model, natural, size, is_wide):
            drawn = spines.spine(model, across, is_wide=is_wide)
            for count in range(1, 2 if is_one else _MOST_COLUMNS + 1):
                for found in with_panels(artist, model, drawn, count, WIDTHS[size]):
                    found.strain += 0 if is_wide else _SQUEEZED * max(1 - across / min(natural, 220), 0)
                    found.strain += _NO_COLUMNS if len(forms) > 1 and not is_wide else 0
                    yield found


def _spine_widths(
    artist: PanelArtist, model: DrawingModel, natural: float, size: WidthName, is_wide: bool
) -> list[float]:
    """Widths of the spine to try, the one that gives texts room first."""
    room = WIDTHS[size]
    beside = room - GUTTER - 5 - max([artist.natural_width(each) for each in model.panels] or [0])
    if is_wide:
        lanes = 6 * sum(len(each.steps) for each in model.panels)
        return [min(max(natural, 300, beside - lanes), 420) if beside > natural else max(natural, 300)]
    half = (room - GUTTER) / 2
    widest = min(max(natural, 90), half if size == "column" else 220)
    narrower = [*([beside] if model.panels else []), *((130, 116) if size == "column" else (150, 128))]
    return [widest, *sorted({each for each in narrower if 100 <= each < widest}, reverse=True)]
