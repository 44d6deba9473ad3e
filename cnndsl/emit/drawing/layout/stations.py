"""The spine of a slide: stations, which are cards or open rows, in lines that flow to the right."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from cnndsl.emit.drawing.cards.ends import told_ends
from cnndsl.emit.drawing.cards.model import BlockPanel, DrawingModel, NetCard, SpineBranching, SpineRow, SpineStep
from cnndsl.emit.drawing.cards.shared import edge_text
from cnndsl.emit.drawing.layout import card as cards
from cnndsl.emit.drawing.layout.across import short_row, station
from cnndsl.emit.drawing.layout.lanes import stacked
from cnndsl.emit.drawing.layout.pieces import Fragment, row
from cnndsl.emit.drawing.layout.sketch import SMALL, Sketch
from cnndsl.emit.drawing.layout.spine import piece_of
from cnndsl.emit.drawing.measure import width, wrapped

GAP = 14.0
_LEAD = 10.0
"""The space at both ends of a line for the edge from one line to the next."""
_LABEL, _LINE = 14.0, 11.0
"""The height of a label of one line, and of each further line."""
_WRAPPED = 120.0
"""The width at which labels of narrower stations are broken into lines."""
_PAD = 6.0
WIDEST = 150.0
"""The width of rows that are not limited by space."""


@dataclass(eq=False)
class Station:
    """A card, or open rows in a frame, and its output shape."""

    piece: Fragment
    label: Sequence[str]
    """The lines of the label."""
    begins_with_box: bool = True
    """Whether the edge that leads to it ends at its box; otherwise branches part from the edge."""

    @property
    def across(self) -> float:
        """Return its width with its label."""
        return max([self.piece.width, *(width(each, SMALL) + 2 for each in self.label)])

    @property
    def beneath(self) -> float:
        """Return how far it extends below the axis, with its label."""
        label = _LABEL + _LINE * (len(self.label) - 1) if self.label else 0
        return self.piece.height / 2 + self.piece.below + label


def line_width(line: list[Station]) -> float:
    """Return the width of a line."""
    return sum(each.across for each in line) + GAP * (len(line) - 1)


def stations(model: DrawingModel, panels: Sequence[BlockPanel], across: float) -> list[Station]:
    """Return the steps of the spine as stations with rows of a width; consecutive open rows share a station up to a
    pooling, or, with 0, each has its own."""
    found: list[Station] = []
    open_rows: list[SpineStep] = []
    opened = frozenset(panel.block for panel in model.panels)
    for at, step in enumerate(model.steps):
        is_open = isinstance(step, SpineRow) and not step.is_input
        if isinstance(step, SpineRow) and is_open and not across:
            found.append(_labelled(short_row(step.row), _label(model, panels, at, 1)))
            continue
        if is_open:
            open_rows.append(step)
        is_last = at == len(model.steps) - 1
        following = None if is_last else model.steps[at + 1]
        if is_open and isinstance(following, SpineRow) and len(open_rows) < 4 and not _ends_stage(step):
            continue
        if is_open:
            found.append(_labelled(_framed(open_rows, across), _label(model, panels, at, len(open_rows))))
            open_rows = []
        else:
            is_pill = isinstance(step, SpineRow)
            own = cards.natural_width(step) if isinstance(step, NetCard) else across or WIDEST
            piece = _flat(step, opened) or piece_of(step, max(own, 70), cards.CardForm(), ())
            parts = isinstance(step, SpineBranching) and bool(step.element.branches)
            found.append(_labelled(piece, [] if is_pill else _label(model, panels, at, 1), begins_with_box=not parts))
    return found


def _ends_stage(step: SpineStep) -> bool:
    """Return whether a row pools and isn't the last before a classifier."""
    roles = {cell.role for cell in step.row.cells} if isinstance(step, SpineRow) else set[str]()
    return "pool" in roles and "fc" not in roles


def is_boxed(step: SpineStep) -> TypeGuard[NetCard]:
    """Return whether a step is a card that is drawn as a box: of one instance, with columns or without a key."""
    if not isinstance(step, NetCard) or len(step.lines) != 1 or step.times > 1 or step.table or step.growth:
        return False
    line = step.lines[0]
    return bool(line.columns) or (line.row is None and not line.key and bool(step.name))


def _flat(step: SpineStep, opened: Collection[int]) -> Fragment | None:
    """Return branches along the axis, or a card as a box; None for any other step. `opened` are the blocks that have a
    panel."""
    if isinstance(step, SpineBranching):
        return station(step.element)
    return cards.box(step, is_opened=step.lines[0].block in opened) if is_boxed(step) else None


def _labelled(piece: Fragment, label: Sequence[str], *, begins_with_box: bool = True) -> Station:
    """Return a station with a label of several parts: on one line if they fit, otherwise each on as many as
    necessary."""
    whole = ", ".join(label)
    room = max([piece.width, _WRAPPED, *(width(each, SMALL) for each in whole.split(", "))])
    parts = [whole] if width(whole, SMALL) <= room else label
    return Station(piece, [line for part in parts for line in wrapped(part, SMALL, room, at=", ")], begins_with_box)


def _label(model: DrawingModel, panels: Sequence[BlockPanel], at: int, count: int) -> list[str]:
    """Return the label of `count` steps: their output shape if it isn't the input shape of the first, but that of the
    network's output always. Further outputs, and outputs with names, are added."""
    before = model.steps[at - count].shape if at >= count else ""
    own = model.steps[at].shape
    steps = range(at - count + 1, at + 1)
    told = told_ends([end for end in model.ends if end.step in steps], own)
    outer = [
        f"→ {panel.title}"
        if any(each.nodes == panel.nodes for each in model.panels) or panel.kind != "training"
        else f"→ {panel.title} in training"
        for panel in panels
        for step in panel.steps
        if step in steps
    ]
    text = edge_text(model.steps[at])
    shape = text if text != before or at == len(model.steps) - 1 else own if told else ""
    first = " ".join(dict.fromkeys([shape, *outer])).strip()
    return [first, *told] if first else told


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


def lines_of(stations: list[Station], room: float) -> list[list[Station]]:
    """Return stations in lines of a width."""
    found: list[list[Station]] = [[]]
    used = 0.0
    total = line_width(stations)
    for each in stations:
        if found[-1] and used + each.across > room - (2 * _LEAD if total > room else 0):
            found.append([])
            used = 0.0
        found[-1].append(each)
        used += each.across + GAP
    return found


def line_height(line: list[Station]) -> float:
    """Return the height of a line."""
    return max(each.piece.height for each in line) / 2 + max(each.beneath for each in line)


def drawn_lines(lines: list[list[Station]]) -> Sketch:
    """Draw lines, one below the other, the stations of each on one axis."""
    sketch = Sketch()
    y = 0.0
    start: tuple[float, float] | None = None
    end = 0.0
    """Where a line ends with its labels."""
    for number, line in enumerate(lines):
        axis = y + max(each.piece.height for each in line) / 2
        x = _LEAD if len(lines) > 1 else 0.0
        for each in line:
            centre = x + each.across / 2
            left, right = centre - each.piece.left, centre + each.piece.right
            if start is not None and start[1] == axis:
                sketch.line([start, (left, axis)], head=each.begins_with_box)
            elif start is not None:
                bend = y - GAP / 2
                turn = max(start[0], end) + 7
                sketch.line(
                    [start, (turn, start[1]), (turn, bend), (2, bend), (2, axis), (left, axis)],
                    head=each.begins_with_box,
                )
            top = axis - each.piece.height / 2
            sketch.place(each.piece.sketch, centre, top)
            for at, text in enumerate(each.label):
                low = top + each.piece.height + each.piece.below + 10 + _LINE * at
                sketch.text(centre, low, text, SMALL, paint="mute", anchor="middle")
            start = (right - each.piece.below, axis)
            x += each.across + GAP
        end = x - GAP
        y += line_height(line) + (GAP if number < len(lines) - 1 else 0)
    return sketch
