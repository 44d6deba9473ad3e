"""The page without its margin, which the theme adds: header, spine in one or more columns, panels, legend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

from cnndsl.emit.drawing.cards.model import DrawingModel, NetCard
from cnndsl.emit.drawing.display import Picture
from cnndsl.emit.drawing.layout import spine as spines
from cnndsl.emit.drawing.layout.arrange import GUTTER, Arrangement, columns, single, with_panels
from cnndsl.emit.drawing.layout.fault import with_faults
from cnndsl.emit.drawing.layout.foot import foot, foot_height, foot_width
from cnndsl.emit.drawing.layout.joins import with_one_form
from cnndsl.emit.drawing.layout.message import MOST_MESSAGES, message_box, more_box
from cnndsl.emit.drawing.layout.panel import PanelArtist
from cnndsl.emit.drawing.layout.sketch import SMALL, Sketch, moved, scaled
from cnndsl.emit.drawing.layout.slide import SCALES, flowing
from cnndsl.emit.drawing.layout.ushape import u_sketch
from cnndsl.emit.drawing.measure import width
from cnndsl.report.number_format import human

WidthName: TypeAlias = Literal["column", "page", "slide"]

WIDTHS: Mapping[str, float] = {"column": 314, "page": 674, "slide": 954 / SCALES[0]}
TALLEST: Mapping[str, float] = {"column": 474, "page": 894, "slide": 534 / SCALES[0]}
SLIDE_SIZE = 954.0, 534.0
"""The size of a slide less the theme's margin."""
_SLIDE_TOP = 45.0
_HIGHER = 0.45
"""The share of a slide's free height that is above the drawing."""
_DESCENT = 2.0
"""How far a label at the lower end of a network extends beneath it on a slide."""
_LOWEST = 6.0
"""The space beneath a network with errors, which may be as high as a slide."""
_TOP = 32.0
_ABOVE_MESSAGES = 10.0
_MOST_COLUMNS = 6
_TOO_TALL = 4.0
_NO_COLUMNS = 0.3
"""The strain of cards whose branches have no columns."""
_ROW = 220.0
"""The largest width of a row in a picture without a width."""
_LANES = 8.0
"""The strain of lanes if ranks are possible."""
_NO_FIGURES = 0.25
"""The strain of cards without their parameters."""
_EMPTY = 0.08
"""The strain of a page whose width is not used."""
_SQUEEZED = 1.2
"""The strain of a spine that is drawn with none of the width that it needs."""


def picture(model: DrawingModel, size: WidthName | None = None) -> Picture:
    """Return the picture of a network at a width; without one, at the narrowest that it fits. A network with errors
    gets a page."""
    model = with_one_form(model)
    if size == "slide":
        return _slide(model)
    if model.faults:
        return _with_header(model, with_faults(model, WIDTHS[size or "page"]), size or "page")
    if model.u is not None and size != "column":
        name = size or "page"
        if (found := u_sketch(model.u, WIDTHS[name], TALLEST[name] - _TOP - 1)) is not None:
            sketch, across, height = found
            return _with_header(model, Arrangement(across, height, lambda: sketch), name)
    if size is None:
        if not _wants_page(model):
            found = _arranged(PanelArtist(WIDTHS["column"]), model, "column")
            low = found.height + _TOP + foot_height(model.foot, WIDTHS["column"])
            if found.width <= WIDTHS["column"] + 0.5 and low <= TALLEST["column"]:
                return _with_header(model, found, "column")
        size = "page"
    return _with_header(model, _arranged(PanelArtist(WIDTHS[size]), model, size), size)


def _slide(model: DrawingModel) -> Picture:
    """Return the picture of a network on a slide: its title in the size of slides, the rest enlarged, in the middle."""
    beneath = Sketch()
    low = _beneath(beneath, model, 0, WIDTHS["slide"]) * SCALES[0]
    across, height = SLIDE_SIZE[0], SLIDE_SIZE[1] - _SLIDE_TOP - low
    found, scale = _on_slide(model, across, height)
    free = max(height - found.height * scale, 0)
    across = max(across, found.width * scale)
    bottom = _SLIDE_TOP + found.height * scale + max(free, _DESCENT)
    sketch = Sketch()
    text, paint = _told(model, ("parameters", "multiply-adds"))
    sketch.text(across, 25, text, 14, paint=paint, anchor="end")
    room = across - width(text, 14) - 12
    sketch.text(0, 25, model.name, 24, 700, room=room)
    sketch.line([(0, 37), (across, 37)], paint="hair", line=0.8)
    left = (across - found.width * scale) / 2
    top = _SLIDE_TOP + _HIGHER * max(free - _DESCENT, 0)
    sketch.items += (moved(scaled(item, scale), left, top) for item in found.draw().items)
    sketch.items += (moved(scaled(item, SCALES[0]), 0, bottom) for item in beneath.items)
    return Picture(model.name, across, bottom + low, tuple(sketch.items), model.name, model.description)


def _on_slide(model: DrawingModel, across: float, height: float) -> tuple[Arrangement, float]:
    """Return the content of a slide, and its scale."""
    scale = SCALES[0]
    if model.faults:
        found = with_faults(model, across / scale)
        return found, max(min(scale, (height - _LOWEST) / found.height), 1)
    if model.u is not None and (drawn := u_sketch(model.u, across / scale, height / scale)) is not None:
        sketch, wide, high = drawn
        return Arrangement(wide, high, lambda: sketch), scale
    return flowing(model, across, height) or (_arranged(PanelArtist(across / scale), model, "slide"), scale)


def _told(model: DrawingModel, words: tuple[str, str]) -> tuple[str, str]:
    """Return the text in the header beside the name, and its colour: metrics, or the number of errors."""
    if model.faults:
        count = "1 error" if len(model.faults) == 1 else f"{len(model.faults)} errors"
        return f"{count} · drawn as far as shapes are known", "error"
    training = f", {human(model.params + model.training_params)} in training" if model.training_params else ""
    figures = [f"{human(model.params)} {words[0]}{training}"] if model.params or training else []
    figures += [f"{human(model.macs)} {words[1]}"] if model.macs else []
    return " · ".join(figures), "mute"


def whole(model: DrawingModel) -> Picture:
    """Return the picture of a network in ranks, without a limit on its size."""
    model = with_one_form(model)
    drawn = spines.spine(model, _ROW)
    made = spines.in_ranks(model, drawn, float("inf"), always=True)
    arranged = columns(drawn, 1) if made is None else single(made)
    return _with_header(model, arranged, "page")


def _wants_page(model: DrawingModel) -> bool:
    """Return whether cards have columns, for which a column of a paper has no room."""
    return any(isinstance(step, NetCard) and (step.table or step.heads) for step in model.steps)


def _with_header(model: DrawingModel, found: Arrangement, size: WidthName) -> Picture:
    least, lowest = WIDTHS[size], TALLEST[size]
    sketch = Sketch()
    is_small = max(least, found.width) < WIDTHS["slide"]
    is_filled = size != "page"
    words = ("params", "MACs") if is_small else ("parameters", "multiply-adds")
    text, paint = _told(model, words)
    small = SMALL if is_small else 9.0
    natural = width(model.name, 13 if is_small else 14, 700) + width(text, small) + 16
    across = max(least if is_filled else min(natural, least), found.width)
    messages = min(least, WIDTHS["column"]) if model.broken else 0
    across = max(across, foot_width(model.foot, least), messages)
    sketch.text(across, 16.5, text, small, paint=paint, anchor="end")
    room = across - width(text, small) - 8
    sizes = (13 if is_small else 14, 12, 11, 10)
    title = next((each for each in sizes if width(model.name, each, 700) <= room), sizes[0])
    sketch.text(0, 17, model.name, title, 700, room=room)
    sketch.line([(0, 25), (across, 25)], paint="hair", line=0.8)
    sketch.place(found.draw(), 0, _TOP)
    low = _beneath(sketch, model, _TOP + found.height + 1, across, lowest)
    return Picture(model.name, across, low, tuple(sketch.items), model.name, model.description)


def _beneath(sketch: Sketch, model: DrawingModel, y: float, across: float, lowest: float = 0) -> float:
    """Draw the content beneath a drawing that ends at `y`: lines, of which a list may extend down to `lowest`, and the
    messages of assertions. Return where it ends."""
    y = foot(sketch, model.foot, y, across, lowest)
    boxes = [message_box(each, across) for each in model.broken[:MOST_MESSAGES]]
    if further := len(model.broken) - len(boxes):
        boxes.append(more_box(further, across))
    for box in boxes:
        sketch.place(box.sketch, 0, y + _ABOVE_MESSAGES)
        y += _ABOVE_MESSAGES + box.height
    return y


def _arranged(artist: PanelArtist, model: DrawingModel, size: WidthName) -> Arrangement:
    """Return the best of the arrangements that are narrow enough; if there is none, the narrowest."""
    options = list(_options(artist, model, size))
    fitting = [each for each in options if each.width <= WIDTHS[size] + 0.5]
    if not fitting:
        return min(options, key=lambda each: each.width)
    inside = [each for each in fitting if each.height <= TALLEST[size] - _TOP - 1]
    if size == "slide" and inside:  # nothing may leave its frame
        fitting = inside
    return min(fitting, key=lambda each: _cost(each, WIDTHS[size], TALLEST[size] - _TOP))


def _cost(found: Arrangement, widest: float, tallest: float) -> float:
    """Return the cost of an arrangement: lower pages cost less, but all needs room; above all it must not be too tall.
    Of two that are equally low, the wider one costs less: its panels are beside each other."""
    too_tall = _TOO_TALL * max(found.height / tallest - 1, 0)
    return found.height / tallest + found.strain + too_tall + _EMPTY * (1 - found.width / widest)


def _options(artist: PanelArtist, model: DrawingModel, size: WidthName) -> Iterator[Arrangement]:
    """Yield arrangements, better ones first."""
    forms = (True, False) if size != "column" and _wants_page(model) else (False,)
    is_one = bool(model.links) or any(each.steps for each in model.panels)
    is_parallel = bool(model.links) and not all(model.is_joined[1:])
    for is_wide in forms:
        natural = spines.natural_width(model, is_wide=is_wide)
        for across in _spine_widths(artist, model, natural, size, is_wide):
            drawn = spines.spine(model, across, is_wide=is_wide)
            for count in range(0 if is_parallel else 1, 2 if is_one else _MOST_COLUMNS + 1):
                for found in with_panels(artist, model, drawn, count, WIDTHS[size]):
                    found.strain += 0 if is_wide else _SQUEEZED * max(1 - across / min(natural, 220), 0)
                    found.strain += 0 if drawn.has_figures else _NO_FIGURES
                    found.strain += _LANES if is_parallel and count else 0
                    found.strain += _NO_COLUMNS if len(forms) > 1 and not is_wide else 0
                    yield found


def _spine_widths(
    artist: PanelArtist, model: DrawingModel, natural: float, size: WidthName, is_wide: bool
) -> list[float]:
    """Return widths of the spine to try, first the one that has room for all texts."""
    room = WIDTHS[size]
    beside = room - GUTTER - 5 - max([artist.natural_width(each) for each in model.panels] or [0])
    if is_wide:
        lanes = 6 * sum(len(each.steps) for each in model.panels)
        return [min(max(natural, 300, beside - lanes), 420) if beside > natural else max(natural, 300)]
    half = (room - GUTTER) / 2
    widest = min(max(natural, 90), half if size == "column" else 220)
    narrower = [*([beside] if model.panels else []), *((130, 116) if size == "column" else (150, 128))]
    return [widest, *sorted({each for each in narrower if 100 <= each < widest}, reverse=True)]
