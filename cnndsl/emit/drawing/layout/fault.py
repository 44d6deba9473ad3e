"""The page of a network with errors: the spine, the failing block opened at its right, and the messages."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from cnndsl.emit.drawing.cards.model import DrawingModel
from cnndsl.emit.drawing.display import RectangleItem
from cnndsl.emit.drawing.layout import spine as spines
from cnndsl.emit.drawing.layout.arrange import Arrangement, columns
from cnndsl.emit.drawing.layout.looks import HEAVY
from cnndsl.emit.drawing.layout.message import HEADLINE, MOST_MESSAGES, excerpt_width, message_box, more_box
from cnndsl.emit.drawing.layout.panel import PanelArtist
from cnndsl.emit.drawing.layout.pieces import Fragment
from cnndsl.emit.drawing.layout.sketch import PlanePoint, Sketch
from cnndsl.emit.drawing.layout.spine import SpinePieces, heights
from cnndsl.emit.drawing.shapes import flat

_GUTTER, _LANE, _BETWEEN = 16.0, 7.0, 10.0
_NARROWEST, _WIDEST = 100.0, 200.0


@dataclass(eq=False)
class FaultBox:
    """A panel or a message, the number of the error that leads to it (-1 for none), how far down a line enters it, and
    its position; `x` is 0 beneath the spine."""

    fragment: Fragment
    error: int
    port: float
    x: float = 0
    y: float = 0


def with_faults(model: DrawingModel, room: float) -> Arrangement:
    """Return the arrangement of a network with errors: the failing block and the messages beside the spine; beneath it
    those for which there is no room."""
    drawn = spines.spine(model, max(min(spines.natural_width(model, is_wide=False), _WIDEST), _NARROWEST))
    spine = columns(drawn, 1)
    shown = model.faults[:MOST_MESSAGES]
    left = spine.width + _GUTTER + _LANE * len(shown)
    artist = PanelArtist(room)
    is_beside = [all(artist.least_width(each) <= room - left for each in model.panels)]
    is_beside.append(is_beside[0] and all(excerpt_width(each.message) <= room - left for each in shown))
    places = [_place(drawn, each.step) for each in shown]
    lanes = _LANE * sum(map(bool, places))
    beneath = room - (lanes if lanes > _LANE else 0)
    boxes = [*_panels(artist, model, room - left if is_beside[0] else beneath)]
    count = len(boxes)
    boxes += _messages(model, {each.error for each in boxes}, room - left if is_beside[1] else beneath)
    low = 0.0
    for at, each in enumerate(boxes):
        if is_beside[at >= count]:
            each.x = left
        elif not any(not other.x for other in boxes[:at]):
            low = max(low, spine.height + _GUTTER + _LANE)
        each.y = low
        low += each.fragment.height + _BETWEEN
    _shift(boxes, places, spine.height)

    def draw() -> Sketch:
        sketch = spine.draw()
        for each in boxes:
            sketch.place(each.fragment.sketch, each.x, each.y)
        _lead(sketch, places, boxes, spine.width)
        return sketch

    outer = room - beneath
    wide = max(each.x + each.fragment.width + (0 if each.x else outer) for each in boxes)
    return Arrangement(max(wide, spine.width + lanes + 4), max(spine.height, low - _BETWEEN), draw)


def _shift(boxes: Sequence[FaultBox], places: Sequence[Sequence[PlanePoint]], height: float) -> None:
    """Move the boxes beside a longer spine down to the failing part."""
    first = boxes[0]
    start = next((each for each in places if each), ())
    if not start or not all(each.x for each in boxes):
        return
    by = min(start[-1][1] - first.port, height - boxes[-1].y - boxes[-1].fragment.height)
    for each in boxes:
        each.y += max(by, 0)


def _panels(artist: PanelArtist, model: DrawingModel, across: float) -> Iterator[FaultBox]:
    """Yield the failing block, opened."""
    for panel in model.panels:
        number = next((at for at, each in enumerate(model.faults) if each.is_opened), 0)
        yield FaultBox(artist.panel(panel, across), number, 13)


def _messages(model: DrawingModel, opened: Collection[int], across: float) -> Iterator[FaultBox]:
    """Yield the messages, and the number of further ones."""
    for number, fault in enumerate(model.faults[:MOST_MESSAGES]):
        yield FaultBox(message_box(fault.message, across), -1 if number in opened else number, HEADLINE)
    further = len(model.faults) - MOST_MESSAGES
    if further > 0:
        yield FaultBox(more_box(further, across), -1, 0)


def _place(drawn: SpinePieces, step: int) -> list[PlanePoint]:
    """Return where the line begins that leads from a failing part in a piece of the spine: at the right side of the
    piece; beneath it if that is a circle, since edges enter a circle at its side."""
    if step < 0:
        return []
    piece = drawn.pieces[step]
    top = sum(heights(drawn)[: step + 1]) - piece.height
    left = max(each.left for each in drawn.pieces)
    boxes = [item for item in flat(piece.sketch.items) if isinstance(item, RectangleItem)]
    first = next((each for each in boxes if each.fill == "error-ground"), None)
    if first is None:
        return [(left + piece.right, top + piece.height / 2)]
    middle = top + first.y + first.height / 2
    if first.radius < first.height / 2:
        right = max(
            each.x + each.width for each in boxes if each.y <= first.y + first.height / 2 <= each.y + each.height
        )
        return [(left + right, middle)]
    by = first.radius * 0.93
    return [
        (left + first.x + first.radius + by, middle + by),
        (left + first.x + first.width, middle + first.radius + 3),
    ]


def _lead(sketch: Sketch, starts: Sequence[Sequence[PlanePoint]], boxes: Sequence[FaultBox], right: float) -> None:
    """Draw lines from failing parts to their panel or message; no two in the same direction cross."""
    leads = [(start, box) for box in boxes if box.error >= 0 and (start := starts[box.error])]
    is_down = sum(box.y + box.port - start[-1][1] for start, box in leads) > 0
    for number, (start, box) in enumerate(leads):
        lane = right + 6 + _LANE * (len(leads) - 1 - number if is_down else number)
        if box.x:
            way = [(lane, box.y + box.port), (box.x, box.y + box.port)]
        elif number == 0:
            way = [(lane, box.y - 6), (24, box.y - 6), (24, box.y)]
        else:
            lane = max(each.fragment.width for each in boxes) + _LANE * (len(leads) - number)
            way = [(lane, box.y + box.port), (box.fragment.width, box.y + box.port)]
        sketch.line([*start, (lane, start[-1][1]), *way], paint="error", line=HEAVY)
