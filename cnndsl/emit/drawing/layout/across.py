"""The inside of a block that flows to the right, for slides: rows on an axis, skips above it, branches as lines.

Each piece is drawn along an axis at y = 0, from x = 0: an edge enters at its left and leaves at its right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cnndsl.emit.drawing.cards.model import BlockPanel, Branching, FusedRow, InsetBox, PanelElement, RepeatFrame
from cnndsl.emit.drawing.cards.operands import is_ordered
from cnndsl.emit.drawing.layout.interior import skip_of
from cnndsl.emit.drawing.layout.pieces import (
    BAR,
    MERGE,
    ROW,
    Fragment,
    badge,
    cell_width,
    inset,
    merge,
    merge_sign,
    row,
)
from cnndsl.emit.drawing.layout.sketch import SMALL, PlanePoint, Sketch
from cnndsl.emit.drawing.measure import width

_GAP = 9.0
_OUT, _IN = 7.0, 10.0
"""The distance from where branches part to their first boxes, and from the last ones to where they are merged."""
_ABOVE, _BETWEEN = 11.0, 6.0
"""The gap between the main line and a skip above it; the gap between branches."""
_DASH = (4.0, 3.0)
_FRAME = 12.0


@dataclass(eq=False)
class Strip:
    """A piece along an axis: its length, how far it extends above the axis and below it, its shapes."""

    length: float
    up: float
    down: float
    sketch: Sketch


def lying(panel: BlockPanel) -> Strip | None:
    """Draw the inside of a panel along an axis; None if the block is not series-parallel, or has a picture of its
    own."""
    if panel.links or panel.inputs or panel.outputs or not all(panel.joined[1:]) or panel.kind == "growth":
        return None
    return _chain(panel.elements)


def station(element: PanelElement) -> Fragment:
    """Draw an element along an axis at half of its height."""
    strip = _piece(element)
    half = max(strip.up, strip.down)
    sketch = Sketch()
    sketch.place(strip.sketch, -strip.length / 2, half)
    return Fragment(strip.length / 2, strip.length / 2, 2 * half, sketch)


def _chain(elements: Sequence[PanelElement]) -> Strip:
    sketch = Sketch()
    x, up, down = 0.0, 0.0, 0.0
    for at, element in enumerate(elements):
        piece = _piece(element)
        if at:
            sketch.line([(x, 0), (x + _GAP, 0)], head=not _parts(element))
            x += _GAP
        sketch.place(piece.sketch, x, 0)
        x += piece.length
        up, down = max(up, piece.up), max(down, piece.down)
    return Strip(x, up, down, sketch)


def _parts(element: PanelElement) -> bool:
    return isinstance(element, Branching) and bool(element.branches)


def _piece(element: PanelElement) -> Strip:
    match element:
        case FusedRow():
            return _turned(short_row(element))
        case InsetBox():
            return _turned(inset(element))
        case RepeatFrame():
            return _framed(element)
        case Branching():
            if not element.branches:
                return _turned(merge(element))
            skip = skip_of(element)
            return _lines(element) if skip is None else _over(element, skip)


def short_row(fused: FusedRow) -> Fragment:
    """Return a weight layer with the others beneath it, or normalisations with the weight layer beneath them."""
    widths = [cell_width(cell) for cell in fused.cells]
    first, rest = widths[0], sum(widths[1:])
    if fused.cells[0].role == "norm":
        first, rest = sum(widths[:-1]), widths[-1]
    return row(fused, most=max(first + BAR, rest, max(widths) + BAR) + 0.1)


def _turned(piece: Fragment) -> Strip:
    """Return a piece by itself, its middle on the axis."""
    sketch = Sketch()
    sketch.place(piece.sketch, piece.left, -piece.height / 2)
    return Strip(piece.width, piece.height / 2, piece.height / 2, sketch)


def _over(element: Branching, skip: int) -> Strip:
    """Draw a main branch on the axis, the other one above it; beneath it if it is the last in a concatenation."""
    main = _chain(element.branches[1 - skip])
    over = [_piece(each) for each in element.branches[skip]]
    length = max(main.length, sum(each.length for each in over) + _GAP * (len(over) - 1) + 2 * _GAP if over else 0)
    name = "identity" if not over and element.word == "sum" and width("identity", SMALL) + 8 < length else ""
    side = 1 if skip == 1 and is_ordered(element) else -1
    inner = max((each.up if side > 0 else each.down for each in over), default=0)
    y = side * ((main.down if side > 0 else main.up) + _ABOVE + inner)
    sketch = Sketch()
    sketch.dot(3, 0)
    start = 3 + _OUT
    merge_x = start + length + _GAP + MERGE
    sketch.line([(0, 0), (start, 0)], head=bool(element.branches[1 - skip]))
    sketch.place(main.sketch, start, 0)
    sketch.line([(start + main.length, 0), (merge_x - MERGE, 0)], head=True)
    dash = _DASH if element.optional and element.optional[skip] else ()
    points: list[PlanePoint] = [(3, 0), (3, y)]
    x = start + (length - sum(each.length for each in over) - _GAP * max(len(over) - 1, 0)) / 2
    for each in over:
        sketch.line([*points, (x, y)], dash=dash, head=True)
        sketch.place(each.sketch, x, y)
        points = [(x + each.length, y)]
        x += each.length + _GAP
    sketch.line([*points, (merge_x, y), (merge_x, side * MERGE)], dash=dash, head=True)
    if name:
        sketch.text(start + length / 2, y - 4, name, SMALL, paint="mute", anchor="middle")
    sketch.place(merge_sign(element), merge_x, 0)
    outer = abs(y) + max([each.down if side > 0 else each.up for each in over] + [12.0 if name else 2.0])
    up, down = (main.up, outer) if side > 0 else (outer, main.down)
    return Strip(merge_x + MERGE, max(up, MERGE), max(down, MERGE), sketch)


def _lines(element: Branching) -> Strip:
    """Draw branches one above the other, from a line at their left to a box at their right that merges them."""
    pieces = [_chain(branch) if branch else Strip(_GAP, ROW / 2, 0, Sketch()) for branch in element.branches]
    for at, count in enumerate(element.counts):
        pieces[at] = _several(pieces[at], count) if count > 1 else pieces[at]
    total = sum(each.up + each.down for each in pieces) + _BETWEEN * (len(pieces) - 1)
    longest = max(each.length for each in pieces)
    start, stop = 4 + _OUT, 4 + _OUT + longest + _IN
    sketch = Sketch()
    y = -total / 2 if len(pieces) > 1 else -pieces[0].up  # a single one is on the axis
    sketch.line([(0, 0), (4, 0)])
    for at, each in enumerate(pieces):
        y += each.up
        dash = _DASH if element.optional and element.optional[at] else ()
        is_empty = not element.branches[at]
        sketch.line([(4, 0), (4, y), (start, y)], dash=dash, head=not is_empty)
        sketch.place(each.sketch, start, y)
        sketch.line([(start + (0 if is_empty else each.length), y), (stop, y)], dash=dash, head=True)
        y += each.down + _BETWEEN
    half = max(total / 2, width(element.word, 9, 500) / 2 + 5)
    sketch.box(stop, -half, ROW, 2 * half, "card", "line", 1)
    sketch.text(stop + ROW / 2 + 3.2, 0, element.word, 9, 500, anchor="middle", turned=True)
    return Strip(stop + ROW, half, half, sketch)


def _framed(element: RepeatFrame) -> Strip:
    """Draw elements in a frame with their number of iterations."""
    head = not _parts(element.elements[0])
    return _in_frame(_chain(element.elements), element.text or element.times, head=head)


def _several(inner: Strip, count: int) -> Strip:
    """Draw a branch in a frame with the number of such branches; outlines behind the frame show that too."""
    made = _in_frame(inner, count, head=True)
    sketch = Sketch()
    for by in (4.0, 2.0):
        right, low = made.length + by, made.down + by
        sketch.line([(by + 4, low), (right, low), (right, by + 4 - made.up)], paint="hair")
    sketch.place(made.sketch, 0, 0)
    return Strip(made.length, made.up, made.down + 4, sketch)


def _in_frame(inner: Strip, times: int | str, *, head: bool) -> Strip:
    sketch = Sketch()
    across = max(inner.length + 2 * _FRAME, 44)
    up, down = inner.up + 18, inner.down + 5
    sketch.box(0, -up, across, up + down, "", "hair", 1, 4)
    badge(sketch, across - 4, -up + 3, times)
    start = (across - inner.length) / 2
    sketch.line([(0, 0), (start, 0)], head=head)
    sketch.place(inner.sketch, start, 0)
    sketch.line([(start + inner.length, 0), (across, 0)])
    return Strip(across, up, down, sketch)
