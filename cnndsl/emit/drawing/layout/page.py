"""The page without its margin, which the theme adds: header, spine in as many columns as it takes, panels, legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cnndsl.emit.drawing.cards.model import BlockPanel, DrawingModel, NetCard
from cnndsl.emit.drawing.display import Picture
from cnndsl.emit.drawing.layout import panel as panels
from cnndsl.emit.drawing.layout import spine as spines
from cnndsl.emit.drawing.layout.lanes import stacked
from cnndsl.emit.drawing.layout.panel import PanelArtist
from cnndsl.emit.drawing.layout.sketch import SMALL, Sketch
from cnndsl.emit.drawing.layout.spine import SpinePieces
from cnndsl.emit.drawing.measure import width
from cnndsl.report.number_format import human

WidthName: TypeAlias = Literal["column", "page", "slide"]

WIDTHS: dict[str, float] = {"column": 314, "page": 674, "slide": 936}
TALLEST: dict[str, float] = {"column": 512, "page": 900, "slide": 540}
_TOP = 33.0
_GUTTER = 14.0
_BETWEEN = 8.0


@dataclass(eq=False)
class _Arrangement:
    """A drawing without its header."""

    sketch: Sketch
    width: float
    height: float


def picture(model: DrawingModel, size: WidthName | None = None) -> Picture:
    """Return the picture of a network at a width; without one in the narrowest that it fits."""
    artist = PanelArtist()
    if size is None:
        found = _arranged(artist, model, "column")
        is_small = found.width <= WIDTHS["column"] + 0.5 and found.height + _TOP <= TALLEST["column"]
        size = "column" if is_small and not _wants_page(model) else "page"
    return _with_header(model, _arranged(artist, model, size), WIDTHS[size])


def _wants_page(model: DrawingModel) -> bool:
    """Whether cards have columns, which a column of a paper has no room for."""
    return any(isinstance(step, NetCard) and (step.table or step.heads) for step in model.steps)


def _with_header(model: DrawingModel, found: _Arrangement, least: float) -> Picture:
    across = max(least, found.width)
    sketch = Sketch()
    is_small = across < 500
    words = ("params", "MACs") if is_small else ("parameters", "multiply-adds")
    figures = [f"{human(model.params)} {words[0]}"] if model.params else []
    figures += [f"{human(model.macs)} {words[1]}"] if model.macs else []
    text = " · ".join(figures)
    sketch.text(across, 16.5, text, SMALL if is_small else 9, paint="mute", anchor="end")
    room = across - width(text, SMALL if is_small else 9) - 8
    sketch.text(0, 17, model.name, 13 if is_small else 14, 700, room=room)
    sketch.line([(0, 25), (across, 25)], paint="hair", line=0.8)
    sketch.place(found.sketch, 0, _TOP)
    height = _TOP + found.height + 1
    return Picture(model.name, across, height, tuple(sketch.items), model.name, model.description)


def _arranged(artist: PanelArtist, model: DrawingModel, size: WidthName) -> _Arrangement:
    """The best of the arrangements that fit: the lowest, or where all are too wide the narrowest."""
    room, tallest = WIDTHS[size], TALLEST[size] - _TOP
    is_wide = size != "column" and _wants_page(model)
    natural = spines.natural_width(model, is_wide=is_wide)
    options: list[_Arrangement] = []
    for across in _spine_widths(artist, model, natural, size, is_wide):
        drawn = spines.spine(model, across, is_wide=is_wide)
        most = 1 if model.links or any(each.steps for each in model.panels) else 5
        for columns in range(1, most + 1):
            found = _with_panels(artist, model, drawn, columns, room)
            options.append(found)
            if found.height <= tallest and found.width <= room + 0.5:
                break
    fitting = [each for each in options if each.width <= room + 0.5]
    low = [each for each in fitting if each.height <= tallest]
    if low:
        return low[0]
    return min(fitting, key=lambda each: each.height) if fitting else min(options, key=lambda each: each.width)


def _spine_widths(
    artist: PanelArtist, model: DrawingModel, natural: float, size: WidthName, is_wide: bool
) -> list[float]:
    """Widths of the spine to try, the one that gives texts room first."""
    if is_wide:
        beside = WIDTHS[size] - _GUTTER - 5 - max([artist.natural_width(each) for each in model.panels] or [0])
        lanes = 6 * sum(len(each.steps) for each in model.panels)
        return [min(max(natural, 300, beside - lanes), 420) if beside > natural else max(natural, 300)]
    room = WIDTHS[size]
    half = (room - _GUTTER) / 2
    widest = min(max(natural, 90), half if size == "column" else 220)
    found = [widest]
    if model.panels:
        found.append(room - _GUTTER - 5 - max(artist.natural_width(each) for each in model.panels))
    found += [130, 116] if size == "column" else [150, 128]
    return [widest, *sorted({each for each in found[1:] if 100 <= each < widest}, reverse=True)]


def _with_panels(artist: PanelArtist, model: DrawingModel, drawn: SpinePieces, count: int, room: float) -> _Arrangement:
    spine = _columns(drawn, count)
    taps = [each for each in model.panels if each.steps]
    gutter = _GUTTER + 6 * sum(len(each.steps) for each in taps)
    beside = room - spine.width - gutter
    least = max((artist.least_width(each) for each in model.panels), default=0)
    if not model.panels or beside >= least:
        return _beside(artist, model, drawn, spine, gutter, beside)
    return _beneath(artist, model, drawn, spine, room)


def _beside(
    artist: PanelArtist, model: DrawingModel, drawn: SpinePieces, spine: _Arrangement, gutter: float, room: float
) -> _Arrangement:
    """Panels in one column or more at the right of the spine."""
    sketch = Sketch()
    sketch.place(spine.sketch, 0, 0)
    if not model.panels:
        return _Arrangement(sketch, spine.width, spine.height)
    x0 = spine.width + gutter
    least = max([artist.least_width(each) for each in model.panels] or [100])
    natural = max([min(artist.natural_width(each), 260) for each in model.panels] or [120])
    count = max(1, min(len(model.panels), int((room + _BETWEEN) // (max(natural, 150) + _BETWEEN))))
    best: _Arrangement | None = None
    for several in range(1, count + 1):
        across = min(max(natural, 148), (room - _BETWEEN * (several - 1)) / several)
        across = max(across, least) if several == 1 else across
        if across < least:
            break
        found = _panel_columns(artist, model, drawn, x0, spine, across, several)
        if best is None or found.height < best.height - 1:
            best = found
        if found.height <= spine.height + 24:
            break
    assert best is not None
    both = Sketch()
    both.place(sketch, 0, 0)
    both.place(best.sketch, 0, 0)
    return _Arrangement(both, best.width, max(spine.height, best.height))


def _panel_columns(
    artist: PanelArtist,
    model: DrawingModel,
    drawn: SpinePieces,
    x0: float,
    spine: _Arrangement,
    across: float,
    count: int,
) -> _Arrangement:
    order = sorted(model.panels, key=lambda each: not each.steps) if count > 1 else list(model.panels)
    made = [artist.panel(each, across) for each in order]
    sketch = Sketch()
    tops = [0.0] * count
    right = x0
    share = sum(each.height + _BETWEEN for each in made) / count
    at_column = lanes = 0
    for model_panel, each in zip(order, made, strict=True):
        is_full = tops[at_column] and tops[at_column] + each.height / 2 > share
        if at_column < count - 1 and is_full and not model_panel.steps:
            at_column += 1
        x = x0 + at_column * (across + _BETWEEN)
        y = tops[at_column]
        sketch.place(each.sketch, x, y)
        if model_panel.steps:
            _leads(sketch, model_panel, drawn, spine, (x, y, each.height), lanes)
            lanes += len(model_panel.steps)
        tops[at_column] = y + each.height + _BETWEEN
        right = max(right, x + each.width)
    if model.letters:
        x = x0 + at_column * (across + _BETWEEN)
        found = panels.legend(model.letters, across)
        sketch.place(found.sketch, x, tops[at_column])
        tops[at_column] += found.height
        right = max(right, x + across)
    return _Arrangement(sketch, right, max(tops))


def _leads(
    sketch: Sketch,
    model: BlockPanel,
    drawn: SpinePieces,
    spine: _Arrangement,
    box: tuple[float, float, float],
    lanes: int,
) -> None:
    """Edges from steps of the spine to the panel of an output beside it."""
    x, y, height = box
    tops = _tops(drawn)
    left = max(piece.left for piece in drawn.pieces)
    dash = (4.0, 3.0) if model.kind == "training" else ()
    for number, step in enumerate(model.steps):
        piece = drawn.pieces[step]
        start = (left + piece.right, tops[step] + piece.height / 2)
        lane = spine.width + 4 + 6 * (lanes + number)
        target = y + height * (number + 1) / (len(model.steps) + 1)
        sketch.line([start, (lane, start[1]), (lane, target), (x, target)], dash=dash, paint="mute", head=True)


def _beneath(
    artist: PanelArtist, model: DrawingModel, drawn: SpinePieces, spine: _Arrangement, room: float
) -> _Arrangement:
    """Panels in rows beneath the spine."""
    sketch = Sketch()
    sketch.place(spine.sketch, 0, 0)
    y = spine.height + 16
    x = 0.0
    lowest = y
    right = spine.width
    order = sorted(model.panels, key=lambda each: not each.steps)
    lanes = 0
    for each in order:
        natural = min(artist.natural_width(each), room)
        made = artist.panel(each, max(natural, artist.least_width(each)))
        if x and x + made.width > room:
            x, y = 0.0, lowest + _BETWEEN
        sketch.place(made.sketch, x, y)
        for step in each.steps:
            _falls(sketch, each, drawn, spine, step, lanes, (x + 20 + 8 * lanes, y))
            lanes += 1
        x += made.width + _BETWEEN
        lowest = max(lowest, y + made.height)
        right = max(right, x - _BETWEEN)
    if lanes:
        right = max(right, spine.width + 6 + 6 * lanes)
    if model.letters:
        found = panels.legend(model.letters, room)
        sketch.place(found.sketch, 0, lowest + 6)
        lowest += 6 + found.height
    return _Arrangement(sketch, right, lowest)


def _falls(
    sketch: Sketch,
    model: BlockPanel,
    drawn: SpinePieces,
    spine: _Arrangement,
    step: int,
    number: int,
    tip: tuple[float, float],
) -> None:
    """An edge from a step of the spine down to a panel beneath it."""
    piece = drawn.pieces[step]
    left = max(each.left for each in drawn.pieces)
    start = (left + piece.right, _tops(drawn)[step] + piece.height / 2)
    lane = spine.width + 4 + 6 * number
    over = spine.height + 4 + 2 * (number % 4)
    dash = (4.0, 3.0) if model.kind == "training" else ()
    points = [start, (lane, start[1]), (lane, over), (tip[0], over), tip]
    sketch.line(points, dash=dash, paint="mute", head=True)


def _tops(drawn: SpinePieces) -> list[float]:
    """The top of each piece where the spine is one column."""
    found: list[float] = []
    y = 0.0
    for piece, height in zip(drawn.pieces, spines.heights(drawn), strict=True):
        y += height
        found.append(y - piece.height)
    return found


def _columns(drawn: SpinePieces, count: int) -> _Arrangement:
    """The spine in columns of about the same height; an edge leads up from one to the next."""
    parts = _broken(drawn, count)
    sketch = Sketch()
    x = 0.0
    tallest = 0.0
    before: tuple[float, float] | None = None
    for start, stop in parts:
        lanes = drawn.lanes if len(parts) == 1 else ()
        joined = [False, *drawn.joined[start + 1 : stop]] if start else drawn.joined[start:stop]
        labels = drawn.labels[start:stop]
        if stop < len(drawn.pieces):
            labels = [*labels[:-1], ""]
        names = [*([""] if start else drawn.names[:1]), *drawn.names[start + 1 : stop]]
        made = stacked(drawn.pieces[start:stop], joined, labels, lanes, names=names)
        top = 0.0 if before is None else 14.0
        axis = x + made.left
        wide = made.width
        if before is not None and drawn.joined[start]:
            bend = x - _GUTTER / 2
            low = before[1] + 8
            sketch.line([before, (before[0], low), (bend, low), (bend, 4), (axis, 4), (axis, top)], head=True)
            tallest = max(tallest, low + 2)
            if drawn.labels[start - 1]:
                sketch.text(axis + 8, 2, drawn.labels[start - 1], SMALL, paint="mute")
                wide = max(wide, made.left + 10 + width(drawn.labels[start - 1], SMALL))
            if drawn.names[start]:
                sketch.text(axis - 10, 0, drawn.names[start], 10, 600, anchor="end")
        sketch.place(made.sketch, axis, top)
        before = (axis, top + made.height)
        tallest = max(tallest, top + made.height)
        x += wide + _GUTTER
    return _Arrangement(sketch, x - _GUTTER, tallest)


def _broken(drawn: SpinePieces, count: int) -> list[tuple[int, int]]:
    """Ranges of pieces for so many columns, none higher than it must be, broken where a stage begins."""
    heights = spines.heights(drawn)
    allowed = drawn.breaks if sum(drawn.breaks[1:]) >= count - 1 else [True] * len(heights)
    low, high = max(heights, default=0), sum(heights)
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if len(_filled(heights, allowed, middle)) <= count else (middle, high)
    return _filled(heights, allowed, high + 0.01)


def _filled(heights: Sequence[float], allowed: Sequence[bool], most: float) -> list[tuple[int, int]]:
    """Ranges that are filled up to a height; one is higher where it cannot be broken."""
    found: list[tuple[int, int]] = []
    start, used, last = 0, 0.0, 0
    at = 0
    while at < len(heights):
        if used + heights[at] > most and last > start:
            found.append((start, last))
            start, used = last, sum(heights[last:at])
            last = start
        if allowed[at] and at > start:
            last = at
        used += heights[at]
        if used > most and last > start and last == at:
            found.append((start, at))
            start, used, last = at, heights[at], at
        at += 1
    found.append((start, len(heights)))
    return found
