"""A slide: the spine flows to the right, in lines where it is long, with the panels in rows beneath it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from cnndsl.emit.drawing.cards.model import (
    Branching,
    DrawingModel,
    InsetBox,
    NetCard,
    PanelElement,
    RepeatFrame,
    SpineRow,
    SpineStep,
)
from cnndsl.emit.drawing.layout import card as cards
from cnndsl.emit.drawing.layout.arrange import (
    BETWEEN,
    GUTTER,
    Arrangement,
    alone,
    extent,
    narrowness,
    on_shelves,
    with_legend,
)
from cnndsl.emit.drawing.layout.lanes import stacked
from cnndsl.emit.drawing.layout.legend import chosen, in_columns, legend, legend_width
from cnndsl.emit.drawing.layout.panel import STYLE_COUNT, PanelArtist
from cnndsl.emit.drawing.layout.pieces import Fragment, row
from cnndsl.emit.drawing.layout.sketch import SMALL, Sketch
from cnndsl.emit.drawing.layout.spine import piece_of
from cnndsl.emit.drawing.measure import width

_GAP = 14.0
_LEAD = 10.0
"""Room at both ends of a line for the edge from one line to the next."""
_LABEL = 14.0
_PAD = 6.0
_WIDTHS = (150.0, 124.0, 104.0, 90.0)
_NARROWER, _LINE, _LEFT_OUT, _CUT = 0.05, 0.1, 0.4, 0.3
"""The strain of narrower cards, of each further line, of each panel that is left out, of a legend without room."""


@dataclass(eq=False)
class _Station:
    """A card, or open rows in a frame, and the shape that leaves it."""

    piece: Fragment
    label: str

    @property
    def across(self) -> float:
        return max(self.piece.width, width(self.label, SMALL) + 2)

    @property
    def height(self) -> float:
        return self.piece.height + self.piece.below + (_LABEL if self.label else 0)


def flowing(artist: PanelArtist, model: DrawingModel, room: float) -> Iterator[Arrangement]:
    """Yield the arrangements of a network whose spine is a chain; none of another one. The last panels are left out
    where only some fit."""
    if model.links or not all(model.is_joined[1:]):
        return
    least = min((at for at in range(len(model.panels) + 1) if _may_end(model, at)), default=len(model.panels))
    for count in range(least, len(model.panels) + 1):
        if not _may_end(model, count):
            continue
        shown = _with_fewer(model, count)
        for found in _arrangements(artist, shown, room):
            found.strain += _LEFT_OUT * (len(model.panels) - count)
            yield found


def _may_end(model: DrawingModel, count: int) -> bool:
    """Whether the panels after the first ones can be left out: no step and no other panel needs them."""
    inside = {key for panel in model.panels[:count] for key in _keys(panel.elements)}
    return all(each.key not in inside and each.kind in ("block", "growth") for each in model.panels[count:])


def _keys(elements: Iterable[PanelElement]) -> Iterator[str]:
    for each in elements:
        match each:
            case InsetBox():
                yield each.key or each.title
            case RepeatFrame():
                yield from _keys(each.elements)
            case Branching():
                for branch in each.branches:
                    yield from _keys(branch)
            case _:
                pass


def _with_fewer(model: DrawingModel, count: int) -> DrawingModel:
    """The network with its first panels; the cards write the names of the other blocks instead of their letters."""
    gone = {panel.key for panel in model.panels[count:] if panel.key}
    if not gone:
        return replace(model, panels=model.panels[:count])
    steps = tuple(
        replace(step, lines=tuple(replace(line, key="") if line.key in gone else line for line in step.lines))
        if isinstance(step, NetCard)
        else step
        for step in model.steps
    )
    return replace(model, panels=model.panels[:count], steps=steps)


def _arrangements(artist: PanelArtist, model: DrawingModel, room: float) -> Iterator[Arrangement]:
    """Panels beneath the spine, or at its right."""
    widest = max((artist.natural_width(each) for each in model.panels), default=0)
    least = max((artist.natural_width(each, STYLE_COUNT - 1) for each in model.panels), default=0)
    rooms = [
        room,
        *(
            own
            for own in (room - GUTTER - widest, room - GUTTER - least, 0.6 * room, 0.5 * room)
            if own > 180 and model.panels
        ),
    ]
    for own, (narrower, across) in product(rooms, enumerate(_WIDTHS)):
        lines = _lines(_stations(model, across), own)
        if max(map(_width, lines)) > own + 0.1:
            continue
        high = sum(_height(line) for line in lines) + _GAP * (len(lines) - 1)
        strain = _NARROWER * narrower + _LINE * (len(lines) - 1)
        spine = Arrangement(own, high, lambda lines=lines: _drawn(lines), strain)
        pieces = [station.piece for line in lines for station in line]
        for is_tight in (False, True):
            yield _with_panels(artist, model, pieces, spine, room, is_tight=is_tight)


def _width(line: list[_Station]) -> float:
    return sum(each.across for each in line) + _GAP * (len(line) - 1)


def _with_panels(
    artist: PanelArtist,
    model: DrawingModel,
    pieces: Sequence[Fragment],
    spine: Arrangement,
    room: float,
    *,
    is_tight: bool,
) -> Arrangement:
    if not model.panels:
        return alone(model, pieces, spine, room)
    is_beside = spine.width < room
    x0, y0 = (spine.width + GUTTER, 0.0) if is_beside else (0.0, spine.height + _GAP)
    placed = on_shelves(artist, model.panels, room - x0, is_left=False, is_tight=is_tight, above=BETWEEN)
    letters = with_legend(model, pieces, placed, room - x0)
    right = max(each.x + each.fragment.width for each in placed if each.y == placed[-1].y) + 10
    entries = chosen(model, pieces)
    natural = legend_width(entries)
    if letters and right + natural <= room - x0:
        letters = legend(entries, natural), right, placed[-1].y
    elif letters and is_beside and natural <= spine.width and spine.height < extent(placed, letters)[1]:
        letters = in_columns(entries, spine.width), -x0, spine.height + 2
    across, low = extent(placed, letters)

    def draw() -> Sketch:
        sketch = spine.draw()
        for each in placed:
            sketch.place(each.fragment.sketch, x0 + each.x, y0 + each.y)
        if letters:
            sketch.place(letters[0].sketch, x0 + letters[1], y0 + letters[2])
        return sketch

    is_cut = letters and letters[0].width < natural
    strain = spine.strain + narrowness(artist, placed) + (_CUT if is_cut else 0)
    return Arrangement(max(spine.width, x0 + across), max(spine.height, y0 + low), draw, strain)


def _stations(model: DrawingModel, across: float) -> list[_Station]:
    """The steps of the spine; open rows that follow one another are one station."""
    found: list[_Station] = []
    open_rows: list[SpineStep] = []
    for at, step in enumerate(model.steps):
        is_open = isinstance(step, SpineRow) and not step.is_input
        if is_open:
            open_rows.append(step)
        is_last = at == len(model.steps) - 1
        following = None if is_last else model.steps[at + 1]
        if is_open and isinstance(following, SpineRow) and len(open_rows) < 4:
            continue
        if is_open:
            found.append(_Station(_framed(open_rows, across), _shape(model, at, len(open_rows))))
            open_rows = []
        else:
            is_pill = isinstance(step, SpineRow)
            own = cards.natural_width(step) if isinstance(step, NetCard) else across
            piece = _box(step) or piece_of(step, max(own, 70), cards.CardForm(), ())
            found.append(_Station(piece, "" if is_pill else _shape(model, at, 1)))
    return found


def _box(step: SpineStep) -> Fragment | None:
    """A card of one instance with columns as a box; None for any other step."""
    is_box = isinstance(step, NetCard) and len(step.lines) == 1 and step.times <= 1 and bool(step.lines[0].columns)
    return cards.box(step) if isinstance(step, NetCard) and is_box else None


def _shape(model: DrawingModel, at: int, count: int) -> str:
    """The shape that leaves a step, if it isn't that which enters the first of so many."""
    before = model.steps[at - count].shape if at >= count else ""
    shape = model.steps[at].shape if model.steps[at].shape != before else ""
    last = model.steps[at]
    if at == len(model.steps) - 1 and isinstance(last, SpineRow) and any(cell.role == "fc" for cell in last.row.cells):
        shape = ""
    outer = [f"→ {panel.title}" for panel in model.panels for step in panel.steps if at - count < step <= at]
    return " ".join(dict.fromkeys([shape, *outer])).strip()


def _framed(steps: list[SpineStep], across: float) -> Fragment:
    if len(steps) == 1 and isinstance(steps[0], SpineRow):
        return piece_of(steps[0], min(across, row(steps[0].row).width), cards.CardForm(), ())
    pieces = [piece_of(step, across - 2 * _PAD, cards.CardForm(), ()) for step in steps]
    inner = stacked(pieces, [True] * len(pieces), [""] * len(pieces))
    half = max(inner.left, inner.right) + _PAD
    sketch = Sketch()
    sketch.box(-half, 0, 2 * half, inner.height + 2 * _PAD, "card", "line", 1, 4)
    sketch.place(inner.sketch, 0, _PAD)
    return Fragment(half, half, inner.height + 2 * _PAD, sketch)


def _lines(stations: list[_Station], room: float) -> list[list[_Station]]:
    found: list[list[_Station]] = [[]]
    used = 0.0
    total = _width(stations)
    for each in stations:
        if found[-1] and used + each.across > room - (2 * _LEAD if total > room else 0):
            found.append([])
            used = 0.0
        found[-1].append(each)
        used += each.across + _GAP
    return found


def _height(line: list[_Station]) -> float:
    return max(each.height for each in line)


def _drawn(lines: list[list[_Station]]) -> Sketch:
    """The lines one beneath the other, the stations of each on one axis."""
    sketch = Sketch()
    y = 0.0
    start: tuple[float, float] | None = None
    for number, line in enumerate(lines):
        axis = y + max(each.piece.height for each in line) / 2
        x = _LEAD if len(lines) > 1 else 0.0
        for each in line:
            centre = x + each.across / 2
            left, right = centre - each.piece.left, centre + each.piece.right
            if start is not None and start[1] == axis:
                sketch.line([start, (left, axis)], head=True)
            elif start is not None:
                bend = y - _GAP / 2
                turn = start[0] + 7
                sketch.line([start, (turn, start[1]), (turn, bend), (2, bend), (2, axis), (left, axis)], head=True)
            top = axis - each.piece.height / 2
            sketch.place(each.piece.sketch, centre, top)
            if each.label:
                low = top + each.piece.height + each.piece.below + 10
                sketch.text(centre, low, each.label, SMALL, paint="mute", anchor="middle")
            start = (right - each.piece.below, axis)
            x += each.across + _GAP
        y += _height(line) + (_GAP if number < len(lines) - 1 else 0)
    return sketch
