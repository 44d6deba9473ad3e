"""Arrangements of a drawing: the spine in columns, panels beside or beneath it. One of them is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cnndsl.emit.drawing.cards.model import BlockPanel, DrawingModel
from cnndsl.emit.drawing.layout import legend as legends
from cnndsl.emit.drawing.layout.lanes import ENDING, LABELLED, stacked
from cnndsl.emit.drawing.layout.panel import STYLE_COUNT, PanelArtist
from cnndsl.emit.drawing.layout.pieces import Fragment
from cnndsl.emit.drawing.layout.sketch import SMALL, PlanePoint, Sketch
from cnndsl.emit.drawing.layout.spine import SpinePieces, heights, in_ranks, with_heads
from cnndsl.emit.drawing.measure import width

GUTTER = 12.0
BETWEEN = 8.0
_WRAPPED, _BENEATH, _NARROWER = 0.4, 0.3, 0.13
"""The strain of each further column of the spine, of panels beneath it, and of each narrower style of a panel."""
_TURN = 12.0
"""The distance from the top of a column, where an edge enters, to its first piece."""


@dataclass(eq=False)
class Arrangement:
    """A drawing without its header: its size, the function that draws it, and its `strain`: how much it lacks room, 0
    if it has room for everything."""

    width: float
    height: float
    draw: Callable[[], Sketch]
    strain: float = 0


@dataclass(eq=False)
class PanelPlace:
    """A panel and its position, relative to the region for panels."""

    model: BlockPanel
    fragment: Fragment
    x: float
    y: float


def columns(drawn: SpinePieces, count: int) -> Arrangement:
    """Arrange the spine in columns of about the same height; an edge leads up from one to the next."""
    parts = _broken(drawn, count)
    if len(parts) == 1 and drawn.lanes:
        names, looks = drawn.names, drawn.looks
        return single(
            stacked(drawn.pieces, drawn.joined, drawn.labels, drawn.lanes, drawn.given, names=names, looks=looks)
        )
    drawn = with_heads(drawn, parts)
    sizes = [_size(drawn, start, stop) for start, stop in parts]
    across = sum(left + right for left, right, _ in sizes) + GUTTER * (len(sizes) - 1)
    top = _top(drawn, parts)
    tallest = max(
        height + (top if at else 0) + (10 if at < len(sizes) - 1 else 0) for at, (*_, height) in enumerate(sizes)
    )
    strain = _WRAPPED * (len(parts) - 1)
    return Arrangement(across, tallest, lambda: _columns(drawn, parts, sizes, top), strain)


def _ranks(model: DrawingModel, drawn: SpinePieces, room: float) -> Arrangement | None:
    """Arrange a spine that is not a chain in ranks, if no edge leads from it to a panel."""
    made = None if any(each.steps for each in model.panels) else in_ranks(model, drawn, room)
    return None if made is None else single(made)


def single(made: Fragment) -> Arrangement:
    """Return the arrangement of a spine that is one piece."""
    return Arrangement(made.width, made.height, lambda: _single(made))


def _single(made: Fragment) -> Sketch:
    sketch = Sketch()
    sketch.place(made.sketch, made.left, 0)
    return sketch


def _top(drawn: SpinePieces, parts: Sequence[tuple[int, int]]) -> float:
    """Return how far down columns after the first begin, to leave room for the edge that leads to them and its
    labels."""
    has_text = any(drawn.labels[start - 1] or drawn.names[start] for start, _ in parts[1:])
    return _TURN + 12 if has_text else _TURN


def _size(drawn: SpinePieces, start: int, stop: int) -> tuple[float, float, float]:
    """Return how far a column extends to the left and right of its axis, and its height."""
    pieces = drawn.pieces[start:stop]
    left = max(
        [piece.left for piece in pieces] + [9 + width(name, 10, 600) for name in drawn.names[start:stop] if name]
    )
    labels = [*drawn.labels[max(start - 1, 0) : stop - 1], *(drawn.labels[-1:] if stop == len(drawn.pieces) else [])]
    right = max([piece.right for piece in pieces] + [10 + width(label, SMALL) for label in labels])
    tall = heights(drawn)[start:stop]
    gap = tall[0] - pieces[0].height
    ending = ENDING if stop == len(drawn.pieces) and drawn.labels[-1] else 0
    return left, right, sum(tall) - gap + ending + pieces[-1].below


def _columns(
    drawn: SpinePieces, parts: Sequence[tuple[int, int]], sizes: Sequence[tuple[float, float, float]], top: float
) -> Sketch:
    sketch = Sketch()
    x = 0.0
    before: PlanePoint | None = None
    for (start, stop), (left, right, _) in zip(parts, sizes, strict=True):
        joined = [False, *drawn.joined[start + 1 : stop]]
        labels = list(drawn.labels[start:stop])
        if stop < len(drawn.pieces):
            labels[-1] = ""
        names = ["", *drawn.names[start + 1 : stop]]
        looks = [*drawn.looks[start:stop], *drawn.looks[-1:]]
        made = stacked(drawn.pieces[start:stop], joined, labels, names=names, looks=looks)
        axis, y = x + left, 0.0 if before is None else top
        if before is not None:
            _lead(sketch, drawn, start, before, (axis, y), x - GUTTER / 2)
        sketch.place(made.sketch, axis, y)
        before = (axis, y + made.height)
        x += left + right + GUTTER
    return sketch


def _lead(sketch: Sketch, drawn: SpinePieces, start: int, before: PlanePoint, tip: PlanePoint, bend: float) -> None:
    """Draw the edge from the bottom of a column to the top of the next, with the shape and the name of the stage."""
    has_text = bool(drawn.labels[start - 1] or drawn.names[start])
    low, high = before[1] + 8, tip[1] - (LABELLED if has_text else 10)
    if drawn.joined[start]:
        points = [before, (before[0], low), (bend, low), (bend, high), (tip[0], high), tip]
        sketch.line(points, head=not drawn.pieces[start].parts)
    if drawn.labels[start - 1]:
        sketch.text(tip[0] + 7, tip[1] - LABELLED / 2 + 3, drawn.labels[start - 1], SMALL, paint="mute")
    if drawn.names[start]:
        sketch.text(tip[0] - 7, tip[1] - LABELLED / 2 + 3.5, drawn.names[start], 10, 600, anchor="end")


def with_panels(
    artist: PanelArtist, model: DrawingModel, drawn: SpinePieces, count: int, room: float
) -> list[Arrangement]:
    """Return the arrangements of a spine in `count` columns, or in ranks if that is 0, with the panels of the
    network."""
    spine = columns(drawn, count) if count else _ranks(model, drawn, room)
    if spine is None:
        return []
    if not model.panels:
        return [alone(model, drawn.pieces, spine, room)]
    gutter = GUTTER + 6 * sum(len(each.steps) for each in model.panels)
    beside = room - spine.width - gutter
    least = max(artist.least_width(each) for each in model.panels)
    found = [_beneath(artist, model, drawn, spine, room)]
    if beside >= least:
        regions = [_in_columns(artist, model, beside, several) for several in (1, 2, 3, 4)]
        order = sorted(model.panels, key=lambda each: not each.steps)
        regions += [on_shelves(artist, order, beside), on_shelves(artist, order, beside, is_tight=True)]
        found = [_beside(artist, model, drawn, spine, gutter, each, beside) for each in regions if each] + found
    elif placed := _around(artist, model, spine, beside, spine.width + gutter, room):
        found = [_beside(artist, model, drawn, spine, gutter, placed, beside), *found]
    return found


def _around(
    artist: PanelArtist, model: DrawingModel, spine: Arrangement, beside: float, left: float, room: float
) -> list[PanelPlace]:
    """Arrange the panels that fit beside the spine, and the wider ones beneath both; empty if no panel fits, or if
    edges lead to panels. They are placed from the region beside the spine, which begins at `left`."""
    narrow = [each for each in model.panels if artist.least_width(each) <= beside]
    placed = on_shelves(artist, narrow, beside) if narrow else []
    while placed and extent(placed, None)[1] > spine.height:
        narrow.pop()
        placed = on_shelves(artist, narrow, beside) if narrow else []
    if not placed or any(each.steps for each in model.panels):
        return []
    wide = [each for each in model.panels if each not in narrow]
    low = max(spine.height, extent(placed, None)[1]) + 2 * BETWEEN
    beneath = on_shelves(artist, wide, room)
    return [*placed, *(PanelPlace(each.model, each.fragment, each.x - left, each.y + low) for each in beneath)]


def _in_columns(artist: PanelArtist, model: DrawingModel, room: float, count: int) -> list[PanelPlace]:
    """Arrange panels in `count` columns of one width, in order; those that edges lead to are in the first."""
    natural = max(artist.natural_width(each) for each in model.panels)
    least = max(artist.least_width(each) for each in model.panels)
    across = min(max(natural, 148), (room - BETWEEN * (count - 1)) / count)
    if across < least or count > len(model.panels):
        return []
    order = sorted(model.panels, key=lambda each: not each.steps) if count > 1 else list(model.panels)
    made = [artist.panel(each, across) for each in order]
    share = sum(each.height + BETWEEN for each in made) / count
    tops = [0.0] * count
    at = 0
    found: list[PanelPlace] = []
    for panel, each in zip(order, made, strict=True):
        is_full = tops[at] > 0 and tops[at] + each.height / 2 > share
        at += at < count - 1 and is_full and not panel.steps
        found.append(PanelPlace(panel, each, at * (across + BETWEEN), tops[at]))
        tops[at] += each.height + BETWEEN
    return found


def on_shelves(
    artist: PanelArtist,
    models: Sequence[BlockPanel],
    room: float,
    *,
    is_left: bool = True,
    is_tight: bool = False,
    above: float = 2 * BETWEEN,
) -> list[PanelPlace]:
    """Place panels in rows, each at its natural width if there is room for that; narrower if more of them then fit into
    a row and space is tight. Panels that an edge leads to begin a row if it comes from the left, with the space `above`
    over them; `is_left` is whether it does."""
    rows: list[list[BlockPanel]] = []
    for each in models:
        begins = not rows or (bool(each.steps) and is_left)
        if begins or sum(_row_widths(artist, [*rows[-1], each], room, is_tight=is_tight)) > room + BETWEEN:
            rows.append([])
        rows[-1].append(each)
    found: list[PanelPlace] = []
    lowest = 0.0
    for row in rows:
        y = lowest + (0 if not found else above if row[0].steps else BETWEEN)
        x = 0.0
        for each, across in zip(row, _row_widths(artist, row, room, is_tight=is_tight), strict=True):
            made = artist.panel(each, across - BETWEEN)
            found.append(PanelPlace(each, made, x, y))
            x += made.width + BETWEEN
            lowest = max(lowest, y + made.height)
    return found


def _row_widths(artist: PanelArtist, row: Sequence[BlockPanel], room: float, *, is_tight: bool) -> list[float]:
    """Return the widths of adjacent panels with the gap after each, all in the widest style that fits."""
    found: list[float] = []
    for style in range(STYLE_COUNT if is_tight and len(row) > 1 else 1):
        widths = (max(min(artist.natural_width(each, style), room), artist.least_width(each)) for each in row)
        found = [across + BETWEEN for across in widths]
        if sum(found) - BETWEEN <= room:
            break
    return found


def with_legend(
    model: DrawingModel, drawn: Sequence[Fragment], placed: Sequence[PanelPlace], room: float
) -> tuple[Fragment, float, float] | None:
    """Return the legend and its position under the last panel."""
    entries = legends.chosen(model, drawn)
    if not entries:
        return None
    last = placed[-1]
    natural = legends.legend_width(entries)
    if last.x + natural <= room:
        return legends.legend(entries, natural), last.x, last.y + last.fragment.height + 2
    lowest = max(each.y + each.fragment.height for each in placed)
    return legends.legend(entries, min(natural, room)), 0, lowest + 2


def alone(model: DrawingModel, drawn: Sequence[Fragment], spine: Arrangement, room: float) -> Arrangement:
    """Return a spine without panels, with the legend beneath it."""
    entries = legends.chosen(model, drawn)
    if not entries:
        return spine
    made = legends.legend(entries, min(legends.legend_width(entries), room))

    def draw() -> Sketch:
        sketch = spine.draw()
        sketch.place(made.sketch, 0, spine.height + 4)
        return sketch

    return Arrangement(max(spine.width, made.width), spine.height + 4 + made.height, draw, spine.strain)


def extent(placed: Sequence[PanelPlace], legend: tuple[Fragment, float, float] | None) -> tuple[float, float]:
    """Return how far panels and a legend extend to the right and down."""
    across = max(each.x + each.fragment.width for each in placed)
    low = max(each.y + each.fragment.height for each in placed)
    if legend:
        across, low = max(across, legend[1] + legend[0].width), max(low, legend[2] + legend[0].height)
    return across, low


def narrowness(artist: PanelArtist, placed: Sequence[PanelPlace]) -> float:
    """Return how much narrower than their natural width panels are drawn."""
    return _NARROWER * sum(artist.style(each.model, each.fragment.width) for each in placed) / len(placed)


def _beside(
    artist: PanelArtist,
    model: DrawingModel,
    drawn: SpinePieces,
    spine: Arrangement,
    gutter: float,
    placed: list[PanelPlace],
    room: float,
) -> Arrangement:
    """Arrange panels at the right of the spine."""
    entries = legends.chosen(model, drawn.pieces)
    legend = with_legend(model, drawn.pieces, placed, room)
    x0 = spine.width + gutter
    across, low = extent(placed, None)
    if legend and legends.legend_width(entries) > room:
        foot = legends.in_lines(entries, x0 + across)
        legend = foot, -x0, max(low, spine.height) + 2
    across, low = extent(placed, legend)

    def draw() -> Sketch:
        sketch = spine.draw()
        lanes = 0
        for each in placed:
            sketch.place(each.fragment.sketch, x0 + each.x, each.y)
            for number, step in enumerate(each.model.steps):
                share = (number + 1) / (len(each.model.steps) + 1)
                tip = (x0 + each.x, each.y + each.fragment.height * share)
                lane = spine.width + 4 + 6 * lanes
                start = _side(drawn, step)
                _dashed(sketch, each.model, [start, (lane, start[1]), (lane, tip[1]), tip])
                lanes += 1
        if legend:
            sketch.place(legend[0].sketch, x0 + legend[1], legend[2])
        return sketch

    return Arrangement(x0 + across, max(spine.height, low), draw, spine.strain + narrowness(artist, placed))


def _beneath(
    artist: PanelArtist, model: DrawingModel, drawn: SpinePieces, spine: Arrangement, room: float
) -> Arrangement:
    """Arrange panels in rows beneath the spine, those that edges lead to first."""
    placed = on_shelves(artist, sorted(model.panels, key=lambda each: not each.steps), room, is_left=False)
    legend = with_legend(model, drawn.pieces, placed, room)
    across, low = extent(placed, legend)
    y0 = spine.height + 16
    count = sum(len(each.steps) for each in model.panels)

    def draw() -> Sketch:
        sketch = spine.draw()
        lanes = 0
        for each in placed:
            sketch.place(each.fragment.sketch, each.x, y0 + each.y)
            for step in each.model.steps:
                lane = (max(spine.width, across) if each.y else spine.width) + 4 + 6 * lanes
                over = y0 + each.y - 9 - 2 * (lanes % 3)
                tip, start = (each.x + 20 + 8 * (lanes % 10), y0 + each.y), _side(drawn, step)
                _dashed(sketch, each.model, [start, (lane, start[1]), (lane, over), (tip[0], over), tip])
                lanes += 1
        if legend:
            sketch.place(legend[0].sketch, legend[1], y0 + legend[2])
        return sketch

    reach = max(spine.width, across) if any(each.y and each.model.steps for each in placed) else spine.width
    wide = max(across, reach + (6 + 6 * count if count else 0))
    return Arrangement(wide, y0 + low, draw, spine.strain + narrowness(artist, placed) + _BENEATH)


def _side(drawn: SpinePieces, step: int) -> PlanePoint:
    """Return the middle of the right side of a piece of the spine, which is one column."""
    home = drawn.homes[step]
    piece = drawn.pieces[home]
    top = sum(heights(drawn)[: home + 1]) - piece.height
    left = max([each.left for each in drawn.pieces] + [9 + width(name, 10, 600) for name in drawn.names if name])
    return left + piece.right, top + piece.height / 2


def _dashed(sketch: Sketch, model: BlockPanel, points: Sequence[PlanePoint]) -> None:
    sketch.line(points, dash=(4.0, 3.0) if model.kind == "training" else (), paint="mute", head=True)


def _broken(drawn: SpinePieces, count: int) -> list[tuple[int, int]]:
    """Return ranges of pieces for `count` columns, none higher than necessary, broken where a stage begins."""
    tall = heights(drawn)
    if count == 1:
        return [(0, len(tall))]
    allowed = drawn.breaks if sum(drawn.breaks[1:]) >= count - 1 else [True] * len(tall)
    low, high = max(tall), sum(tall)
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (low, middle) if len(_filled(tall, allowed, middle)) <= count else (middle, high)
    return _filled(tall, allowed, high + 0.01)


def _filled(tall: Sequence[float], allowed: Sequence[bool], most: float) -> list[tuple[int, int]]:
    """Return ranges that are filled up to a height; one is higher if it cannot be broken."""
    found: list[tuple[int, int]] = []
    start = last = 0
    used = since = 0.0
    for at, height in enumerate(tall):
        if allowed[at] and at > start:
            last, since = at, 0.0
        if used + height > most and last > start:
            found.append((start, last))
            start, used = last, since
            last = start
        used += height
        since += height
    found.append((start, len(tall)))
    return found
