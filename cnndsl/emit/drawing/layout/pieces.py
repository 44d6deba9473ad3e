"""Small pieces: fused rows, badges, keys, merges. Each is drawn around an axis at x = 0, from y = 0 downwards."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cnndsl.emit.drawing.cards.model import Branching, FusedRow, InsetBox, LayerCell, StepMark
from cnndsl.emit.drawing.cards.words import TIMES
from cnndsl.emit.drawing.display import RectangleItem
from cnndsl.emit.drawing.layout.looks import BoxLook, box_look
from cnndsl.emit.drawing.layout.sketch import PlanePoint, Sketch
from cnndsl.emit.drawing.measure import width

ROW = 17.0
"""The height of a layer's box."""
LINE = 11.0
"""The height of a line of text in a box of several."""
BAR = 3.5
"""The width of the bar at the left of a layer's box."""
MARK = 6.2
"""The radius of the disc of a mark."""
MERGE = 6.5
"""The radius of a merge."""
_PAD = 4.5
_TIGHTER = 4.0
"""How much narrower a cell may be, so that its row keeps to one line."""
_WIDER = 8.0
"""How much wider a box with labels in several lines may be, so that one of them keeps to a line."""
_TEXT = 9.0
_OPTIONAL = (2.5, 2.0)
_SUM = 88.0
"""The largest width of a merge that shows the sum of its channels."""
_KEYED = 14.0
"""Room for a key before a title."""
_NAMED = re.compile(r"([^\d,]+) (\d.*)")
"""A label that begins with a name, which values follow."""


@dataclass(eq=False)
class Fragment:
    """A piece of a drawing around an axis at x = 0: how far it extends to the left and right, its height, its shapes.
    An edge enters at the top and leaves at the bottom of the axis."""

    left: float
    right: float
    height: float
    sketch: Sketch
    leaving: PlanePoint | None = None
    """Where an edge that skips the next piece leaves, from the axis and the top; by default at the right side."""
    below: float = 0
    """How far the outlines behind it extend beneath it, in the gap before the next piece."""
    marks: Sequence[tuple[float, float, StepMark]] = ()
    """The marks of rows of a card, each with the start and end of its range."""
    exit: float = 0
    """The distance from the axis at which an edge leaves beneath it."""
    rows: Sequence[tuple[float, float]] = ()
    """The start and end of each row of a card."""
    has_inputs: bool = False
    """Whether it shows its inputs, so that no edge leads to its top."""
    parts: bool = False
    """Whether it begins where edges part, so that the edge which leads there has no arrowhead."""

    @property
    def width(self) -> float:
        """Return its total width."""
        return self.left + self.right


def row(fused: FusedRow, least: float = 0, most: float = 1e9) -> Fragment:
    """Draw a fused row at least `least` wide; if it is wider than `most`, with short labels or in several lines."""
    forms = [(each, [cell_width(cell) for cell in each.cells]) for each in (fused, _with_short_labels(fused))]
    for shown, widths in forms:
        by = max(sum(widths) + BAR - most, 0) / len(widths)
        if by <= _TIGHTER:
            return _row(shown, [own - by for own in widths], least)
    for shown, widths in forms:
        if max(widths) + BAR <= most:
            return _folded_row(shown, widths, least, most)
    return narrow_row(fused)


def _with_short_labels(fused: FusedRow) -> FusedRow:
    return FusedRow(tuple(replace(cell, text=cell.short or cell.text) for cell in fused.cells))


def _row(fused: FusedRow, widths: Sequence[float], least: float) -> Fragment:
    across = max(sum(widths) + BAR, least)
    sketch = Sketch()
    _line_of_cells(sketch, fused.cells, widths, across, 0)
    _optional_outline(sketch, fused, across, ROW)
    return Fragment(across / 2, across / 2, ROW, sketch)


def narrow_row(fused: FusedRow) -> Fragment:
    """Draw a fused row for a lane or a column: a box for each cell, one below the other, labels in several lines."""
    split = [_split(cell.text) for cell in fused.cells]
    most = max(width(line, _TEXT, 500) for lines in split for line in lines) + _WIDER
    whole = [width(cell.text, _TEXT, 500) <= most for cell in fused.cells]
    texts = [[cell.text] if whole[at] else split[at] for at, cell in enumerate(fused.cells)]
    across = max(width(line, _TEXT, 500) for lines in texts for line in lines) + 2 * _PAD - 1 + BAR
    sketch = Sketch()
    y = 0.0
    for at, (cell, lines) in enumerate(zip(fused.cells, texts, strict=True)):
        height = max(ROW, LINE * len(lines) + 5) if at == 0 else LINE * len(lines) + 3
        x = -across / 2
        look = box_look(cell.role)
        sketch.box(x, y, across, height, look.fill, look.stroke, look.line, dash=look.dash)
        if at == 0:
            _bar(sketch, x, y, height, cell.role)
        for number, line in enumerate(lines):
            middle = y + height / 2 + (number - (len(lines) - 1) / 2) * LINE
            room = across - BAR - 1
            sketch.text(BAR / 2, middle + 0.36 * _TEXT, line, _TEXT, look.weight, look.ink, "middle", room)
        y += height
    _optional_outline(sketch, fused, across, y)
    return Fragment(across / 2, across / 2, y, sketch)


def inset(box: InsetBox, least: float = 0) -> Fragment:
    """Draw a part that stays closed."""
    before = _KEYED if box.key else 0
    across = max(width(box.title, _TEXT, 500) + 2 * _PAD + BAR + before, least)
    sketch = Sketch()
    look = box_look(box.role)
    sketch.box(-across / 2, 0, across, ROW, look.fill, look.stroke, look.line, dash=look.dash)
    _bar(sketch, -across / 2, 0, ROW, box.role)
    if box.key:
        key_disc(sketch, -across / 2 + BAR + 9, ROW / 2, box.key)
    x, room = (BAR + before) / 2, across - BAR - before - 2
    sketch.text(x, ROW / 2 + 0.36 * _TEXT, box.title, _TEXT, look.weight, look.ink, "middle", room)
    if box.is_optional:
        sketch.box(-across / 2 - 2, -2, across + 4, ROW + 4, "", "mute", 0.8, 4, _OPTIONAL)
    return Fragment(across / 2, across / 2, ROW, sketch)


def merge_sign(element: Branching) -> Sketch:
    """Draw the circle of a merge around the origin, with its sign; two strokes stand for a concatenation."""
    sketch = Sketch()
    look = _merge_look(element)
    sketch.items.append(
        RectangleItem(-MERGE, -MERGE, 2 * MERGE, 2 * MERGE, look.fill, look.stroke, look.line, MERGE, look.dash)
    )
    for start, end in _SIGNS.get("||" if element.word == "concatenate" else element.sign, _SIGNS["×"]):
        sketch.line([start, end], line=1.2, paint=look.ink)
    if element.state == "failing":
        sketch.line([(-9, 9), (9, -9)], line=look.line, paint=look.ink)
    return sketch


_SIGNS: Mapping[str, tuple[tuple[PlanePoint, PlanePoint], ...]] = {
    "||": (((-1.8, -3), (-1.8, 3)), ((1.8, -3), (1.8, 3))),
    "+": (((-3.4, 0), (3.4, 0)), ((0, -3.4), (0, 3.4))),
    "×": (((-2.5, -2.5), (2.5, 2.5)), ((-2.5, 2.5), (2.5, -2.5))),
    "": (),
}
"""The strokes of each symbol."""


def _merge_look(element: Branching) -> BoxLook:
    return box_look(element.state) if element.state else BoxLook("card", "line", 1)


def has_sign(element: Branching) -> bool:
    """Return whether a merge is drawn as a circle."""
    return bool(element.sign)


def merge(element: Branching) -> Fragment:
    """Draw a merge by itself: a circle, or a box with its name."""
    if not has_sign(element):
        return merge_box(element)
    sketch = Sketch()
    sketch.place(merge_sign(element), 0, MERGE)
    return Fragment(MERGE, MERGE, 2 * MERGE, sketch, (0, 2 * MERGE + 2.5))


def merge_box(element: Branching, least: float = 0) -> Fragment:
    """Draw a merge as a box with its name, and the channels of a concatenation if there is room for them, if necessary
    beneath the name."""
    text = element.word
    if element.counts and not element.widths:
        text = f"{text} of {sum(element.counts)}"
    texts = [text]
    terms = _terms(element)
    if terms and len(terms) <= 8:
        total = f"{' + '.join(terms)} = {sum(element.widths)}"
        room = max(least, width(text, _TEXT, 500) + 2 * _PAD, _SUM)
        forms = ([f"{text}: {total}"], max(least, 120)), ([text, total], room)
        fitting = (form for form, most in forms if width(form[-1], _TEXT, 500) + 2 * _PAD <= most)
        texts = next(fitting, texts)
    look = _merge_look(element)
    across = max([width(each, _TEXT, look.weight) + 2 * _PAD for each in texts] + [least])
    height = ROW + LINE * (len(texts) - 1)
    sketch = Sketch()
    sketch.box(-across / 2, 0, across, height, look.fill, look.stroke, look.line, dash=look.dash)
    for at, each in enumerate(texts):
        y = ROW / 2 + 0.36 * _TEXT + LINE * at
        sketch.text(0, y, each, _TEXT, look.weight, look.ink, "middle", across - 2)
    return Fragment(across / 2, across / 2, height, sketch)


def _terms(element: Branching) -> list[str]:
    """Return the channels that branches add to a concatenation, with equal ones combined."""
    first = 0
    found: list[str] = []
    for count in element.counts or (1,) * len(element.widths) if element.widths else ():
        own = str(element.widths[first])
        found.append(f"{count}{TIMES}{own}" if count > 1 else own)
        first += count
    return found


def badge_width(times: int | str) -> float:
    """Return the width of the pill with `×n`."""
    return width(_times(times), 9, 700) + 9


def badge(sketch: Sketch, right: float, y: float, times: int | str, paint: str = "ink") -> float:
    """Draw a dark pill with `×n` that ends at x = `right`, and return its width."""
    across = badge_width(times)
    sketch.box(right - across, y, across, 12.5, paint, radius=6.25)
    sketch.text(right - across / 2, y + 9.5, _times(times), 9, 700, "bg", "middle")
    return across


def _times(times: int | str) -> str:
    return times if isinstance(times, str) else f"{TIMES}{times}"


def mark_bar(sketch: Sketch, x: float, y: float, height: float, mark: StepMark) -> None:
    """Draw the bar beside a changed part: solid if it is new, otherwise dashed."""
    if mark.sign == "+":
        sketch.box(x, y, 3.5, height, mark.paint, radius=1)
        return
    count = max(round(height / 5), 1)
    for at in range(count):
        sketch.box(x, y + at * height / count, 3.5, min(height / count, 3.2), mark.paint, radius=0)


def mark_disc(sketch: Sketch, x: float, y: float, mark: StepMark) -> None:
    """Draw the symbol of a mark in a disc around a point."""
    sketch.circle(x, y, MARK, mark.paint, "bg", 0.8)
    sketch.text(x, y + 2.6, mark.sign, 8.5, 700, "bg", "middle")


def key_disc(sketch: Sketch, x: float, y: float, key: str) -> None:
    """Draw the letter of a block in a disc around a point."""
    sketch.circle(x, y, 6.2, "line", "", 0)
    sketch.text(x, y + 3.1, key, 8.5, 700, "bg", "middle")


def cell_width(cell: LayerCell) -> float:
    """Return the width of a layer's box in a row."""
    return width(cell.text, _TEXT, 600 if cell.role == "failing" else 500) + 2 * _PAD - 1


def _line_of_cells(
    sketch: Sketch,
    cells: Sequence[LayerCell],
    widths: Sequence[float],
    across: float,
    y: float,
    *,
    has_bar: bool = True,
) -> None:
    """Draw one line of cells; the first weight layer takes the remaining width."""
    bar = BAR if has_bar else 0
    spare = across - bar - sum(widths)
    main = next((at for at, cell in enumerate(cells) if cell.role in ("conv", "fc", "pool", "up")), len(cells) - 1)
    x = -across / 2
    for at, (cell, own) in enumerate(zip(cells, widths, strict=True)):
        wide = own + (spare if at == main else 0) + (bar if at == 0 else 0)
        is_last = at == len(cells) - 1
        side = "both" if at == 0 and is_last else "left" if at == 0 else "right"
        radius = 3 if at == 0 or is_last else 0
        look = box_look(cell.role)
        sketch.box(x, y, wide, ROW, look.fill, look.stroke, look.line, radius, look.dash, rounded=side)
        inset = bar if at == 0 else 0
        if inset:
            _bar(sketch, x, y, ROW, cell.role)
        sketch.text(
            x + inset + (wide - inset) / 2,
            y + ROW / 2 + 0.36 * _TEXT,
            cell.text,
            _TEXT,
            look.weight,
            look.ink,
            "middle",
            wide - inset - 2,
        )
        x += wide


def _folded_row(fused: FusedRow, widths: Sequence[float], least: float, most: float) -> Fragment:
    """Draw a row in several lines of at most the width `most`."""
    lines: list[list[int]] = [[]]
    used = BAR
    is_first_main = fused.cells[0].role in ("conv", "fc", "pool", "up")
    for at, own in enumerate(widths):
        if lines[-1] and (used + own > most or (is_first_main and at == 1)):
            lines.append([])
            used = 0
        lines[-1].append(at)
        used += own
    widest = max(sum(widths[at] for at in line) + (BAR if not number else 0) for number, line in enumerate(lines))
    across = min(max(widest, least), max(most, least))
    sketch = Sketch()
    for number, line in enumerate(lines):
        cut = [min(widths[at], across - (0 if number else BAR)) for at in line]
        _line_of_cells(sketch, [fused.cells[at] for at in line], cut, across, number * ROW, has_bar=not number)
    height = ROW * len(lines)
    _optional_outline(sketch, fused, across, height)
    return Fragment(across / 2, across / 2, height, sketch)


def _optional_outline(sketch: Sketch, fused: FusedRow, across: float, height: float) -> None:
    if any(cell.is_optional for cell in fused.cells):
        sketch.box(-across / 2 - 2, -2, across + 4, height + 4, "", "mute", 0.8, 4, _OPTIONAL)


def _split(text: str) -> list[str]:
    """Return a label in lines: the window, then width and stride; or a name, then its values.

    >>> _split("3, 4c, /s"), _split("ReLU"), _split("crop 4, 16"), _split("pointwise FC, 64")
    (['3', '4c, /s'], ['ReLU'], ['crop', '4, 16'], ['pointwise', 'FC', '64'])
    """
    if named := _NAMED.fullmatch(text):
        return [named[1], named[2]]
    first, comma, rest = text.partition(", ")
    lines = first.split(" ", 1) if len(first) > 9 else [first]
    return [*lines, rest] if comma else lines


def _bar(sketch: Sketch, x: float, y: float, height: float, role: str) -> None:
    """Draw the bar at the left of a layer's box."""
    look = box_look(role)
    if look.dash:
        return
    hatch = role if look.weight == 500 else ""
    sketch.box(x, y, BAR, height, look.stroke, radius=3, hatch=hatch, rounded="left")
