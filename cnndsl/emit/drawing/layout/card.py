"""Cards: a name, parameters, the number of iterations; a row for each run of equal iterations; columns, bars,
tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cnndsl.emit.drawing.cards.model import CardLine, GrowthBar, NetCard, StepMark
from cnndsl.emit.drawing.cards.words import TIMES, growth_text
from cnndsl.emit.drawing.display import Weight
from cnndsl.emit.drawing.layout.card_table import PAD, table_body, table_width
from cnndsl.emit.drawing.layout.looks import BoxLook, box_look
from cnndsl.emit.drawing.layout.pieces import BAR, Fragment, badge, badge_width, key_disc, row
from cnndsl.emit.drawing.layout.sketch import SMALL, Sketch
from cnndsl.emit.drawing.measure import width
from cnndsl.report.number_format import human


@dataclass(frozen=True)
class CardForm:
    """The common properties of the cards of a drawing: whether branches have columns, the widths of these and of the
    names before them, and whether the first line has parameters."""

    is_wide: bool = False
    names: float = 0
    columns: tuple[float, ...] = ()
    has_params: bool = True


def form(cards: Sequence[NetCard], across: float, *, is_wide: bool) -> CardForm:
    """Return the form of the cards of a drawing."""
    branching = [each for each in cards if is_wide and len(each.lines) == 1 and each.lines[0].columns]
    count = max((len(each.lines[0].columns) for each in branching), default=0)
    alike = [each for each in branching if len(each.lines[0].columns) == count]
    columns = tuple(max(_column_width(each, at) for each in alike) for at in range(count))
    plain = [each for each in cards if each not in branching and not is_single(each, is_wide=is_wide)]
    has_room = all(_has_room(each, _head_room(each, across)) for each in plain)
    return CardForm(is_wide, max(map(_name_width, branching), default=0), columns, has_room)


def _head_room(card: NetCard, across: float) -> float:
    return across - 2 * PAD - 2 - (badge_width(card.times) + 5 if card.times > 1 else 0)


def _has_room(card: NetCard, room: float) -> bool:
    """Return whether the first line of a card has room for its parameters."""
    if not card.params or card.is_told or card.table is not None:
        return True
    return width(human(card.params), SMALL) + 4 + width(card.name or card.title, 10, 600) <= room


_HEAD = 18.0
_LINE = 16.0
"""The height of a row."""
_FURTHER = 11.0
"""The height of a further line of its text."""
_BREAKS = re.compile(r"(?<=,) | (?=[→|])")
_BETWEEN = 2.0
_WIDEST_ROW = 220.0
_MARK = 30.0
"""The space for `1st` or `×n` at the right of a row."""


def natural_width(card: NetCard) -> float:
    """Return the width of a card that has room for all its texts."""
    badge_room = 34 if card.times > 1 else 0
    head = width(card.name, 10, 600) + width(card.weights or human(card.params), SMALL) + badge_room + 2 * PAD + 16
    if card.table is not None:
        return table_width(card)
    is_box = is_single(card, is_wide=False) and not card.lines[0].text
    return max([head, _box_width(card) if is_box else 0, *(_line_width(card, line) for line in card.lines)])


def _line_width(card: NetCard, line: CardLine) -> float:
    if line.row is not None:
        inner = row(line.row).width
        return inner + (_MARK if line.times > 1 else 0) + 2 * PAD
    text = _label(line)
    mark = _MARK if _mark(card, line) else 0
    return width(text, 9, box_look(line.role).weight) + (18 if line.key else 8) + mark + 2 * PAD + 6


def _label(line: CardLine) -> str:
    if line.key:
        return line.text or line.title
    return ", ".join(each for each in (line.title, line.text) if each)


def card(card: NetCard, across: float, form: CardForm, *, with_heads: bool = False) -> Fragment:
    """Draw a card of a width."""
    is_wide = form.is_wide
    if is_single(card, is_wide=is_wide):
        line = card.lines[0]
        return _single(card, line, min(across, 240), has_channels=not line.text, is_opened=bool(line.key))
    if card.table is not None:
        across = max(across, table_width(card, is_narrow=not is_wide))
        head = Sketch()
        low = _header(head, card, across, form)
        return _framed(card, table_body(head, card.table, low, across), across)
    if is_wide and len(card.lines) == 1 and card.lines[0].columns:
        return _columns(card, card.lines[0], across, form, with_heads and bool(card.heads))
    if card.growth is not None and card.lines:
        return _framed(card, _growth(card, card.growth, across, form), across)
    body = Sketch()
    y = _header(body, card, across, form)
    marks: list[tuple[float, float, StepMark]] = []
    rows: list[tuple[float, float]] = []
    for at, line in enumerate(card.lines):
        y += _BETWEEN if at else 0
        height = _line(body, line, y, across, _mark(card, line))
        if line.mark:
            marks.append((y, y + height, line.mark))
        rows.append((y, y + height))
        y += height
    return _framed(card, Fragment(across / 2, across / 2, y + PAD - 1, body, marks=marks, rows=rows), across)


def is_single(card: NetCard, *, is_wide: bool) -> bool:
    """Return whether a card is a single instance of a block that is opened elsewhere, and drawn as one box."""
    if len(card.lines) != 1 or card.times > 1:
        return False
    if card.state and card.lines[0].row is None and _label(card.lines[0]) == card.name:
        return True
    if not card.lines[0].key:
        return False
    return not (is_wide and card.lines[0].columns)


def box(card: NetCard, *, is_opened: bool) -> Fragment:
    """Draw a card of one instance as a box with its output channels, and the values of an opened block."""
    line = card.lines[0]
    further = max(width(_further(line), 9) if is_opened else 0, width(card.weights, 9)) + _inset(line) + 7
    across = max(_box_width(card), further)
    return _single(card, line if is_opened else replace(line, text=""), across, has_channels=True, is_opened=is_opened)


def _box_width(card: NetCard) -> float:
    """Return the width of a box with its name and its output channels."""
    return _inset(card.lines[0]) + width(card.name, 9, 500) + 9 + width(_channels(card), 9) + 7


def _channels(card: NetCard) -> str:
    return f"→ {card.shape.rpartition(TIMES)[2]}"


def _inset(line: CardLine) -> float:
    """Return where the text of a box begins."""
    return 23.0 if line.key else 10.0


def _further(line: CardLine) -> str:
    """Return the differences for which there is no room beside a name: the widths of branches in their order."""
    return " | ".join(line.columns).replace(" → ", "→") if line.columns and line.text else line.text


def _single(card: NetCard, line: CardLine, across: float, *, has_channels: bool, is_opened: bool) -> Fragment:
    """Draw a box with key, name, and differences, beneath the name if necessary; with `has_channels`, its output
    channels are at its right if nothing else is."""
    sketch = Sketch()
    x = -across / 2
    inset = _inset(line)
    room = across - inset - 7
    rest = room - width(card.name, 9, 500) - 8
    is_beside = bool(line.text) and not line.columns and width(line.text, 9) <= rest
    is_told = bool(line.text) and is_opened and not card.state and not is_beside
    beneath = [*(wrapped(_further(line), room) if is_told else ()), *([card.weights] if card.weights else ())]
    height = _LINE + _FURTHER * len(beneath)
    look = box_look(line.role)
    sketch.box(x, 0, across, height, look.fill, look.stroke, look.line, dash=look.dash)
    if not card.state:
        sketch.box(x, 0, BAR, height, look.stroke, radius=3, hatch=line.role, rounded="left")
    if line.key:
        key_disc(sketch, x + 13, height / 2, line.key)
    channels = _channels(card)
    text = line.text if is_beside else channels if has_channels and width(channels, 9) <= rest else ""
    if text and not card.state:
        sketch.text(across / 2 - 6, _LINE / 2 + 3.2, text, 9, 400, look.ink, "end")
        room -= width(text, 9) + 6
    sketch.text(x + inset, _LINE / 2 + 3.2, card.name, 9, look.weight, look.ink, room=room)
    for number, part in enumerate(beneath, 1):
        sketch.text(x + inset, _LINE / 2 + 3.2 + _FURTHER * number, part, 9, 400, look.ink, room=across - inset - 7)
    return Fragment(across / 2, across / 2, height, sketch)


def _framed(card: NetCard, body: Fragment, across: float) -> Fragment:
    """Draw the outline, with two more behind it if the card represents several."""
    sketch = Sketch()
    x = -across / 2
    behind = 4.0 if card.times > 1 else 0.0
    if behind:
        for by in (4.0, 2.0):
            right, bottom = x + across + by, body.height + by
            sketch.line([(x + 4 + by, bottom), (right, bottom), (right, 4 + by)], paint="hair", line=1)
    look = box_look(card.state) if card.state else BoxLook("card", "line", 1)
    sketch.box(x, 0, across, body.height, "card", look.stroke, look.line, 4, look.dash)
    sketch.place(body.sketch, 0, 0)
    half = across / 2
    return Fragment(half, half + behind, body.height, sketch, below=behind, marks=body.marks, rows=body.rows)


def _mark(card: NetCard, line: CardLine) -> str:
    """Return the iterations that a row represents. If one row of a card states them, all rows of blocks do; the only
    row doesn't repeat what the badge says."""
    if len(card.lines) == 1 and line.times == card.times:
        return ""
    if line.times > 1 or line.is_first:
        return f"{TIMES}{line.times}" if line.times > 1 else "1st"
    several = any(each.times > 1 or each.is_first for each in card.lines)
    return f"{TIMES}1" if several and line.row is None else ""


def _header(sketch: Sketch, card: NetCard, across: float, form: CardForm) -> float:
    """Draw the first line: name, parameters, badge. Return where the rows begin."""
    left, right = -across / 2 + PAD + 2, across / 2 - PAD
    if card.times > 1:
        right -= badge(sketch, right, 4.5, card.times, box_look(card.state).stroke if card.state else "ink") + 5
    params = human(card.params) if card.params and form.has_params else ""
    name = card.name or card.title
    if params and card.is_told:
        sketch.text(left, 14.5, f"{params} parameters", SMALL, paint="mute", room=right - left)
        return _HEAD + 1
    if params and _has_room(card, right - left):
        sketch.text(right, 14.5, params, SMALL, paint="mute", anchor="end")
        right -= width(params, SMALL) + 4
    if not name and not card.times > 1 and not params and not card.weights:
        return PAD
    low = 0.0
    if card.weights:
        is_beside = width(card.weights, SMALL) + 4 + width(name, 10, 600) <= right - left
        low = 0 if is_beside else _FURTHER
        x, anchor = (right, "end") if is_beside else (left, "start")
        sketch.text(x, 14.5 + low, card.weights, SMALL, paint="mute", anchor=anchor, room=right - left)
        right -= width(card.weights, SMALL) + 4 if is_beside else 0
    ink = box_look(card.state).ink if card.state else "ink"
    sketch.text(left, 14.5, name, 10, 600, ink, room=max(right - left, 8))
    return _HEAD + 1 + low


def _line(sketch: Sketch, line: CardLine, y: float, across: float, mark: str) -> float:
    """Draw a row of a card. Return its height."""
    left, right = -across / 2 + PAD, across / 2 - PAD
    if line.row is not None:
        room = right - left - (width(mark, 9, 600) + 5 if mark else 0)
        drawn = row(line.row, least=min(room, _WIDEST_ROW), most=room)
        room = drawn.width
        right = min(right, left + room + (width(mark, 9, 600) + 5 if mark else 0))
        sketch.place(drawn.sketch, left + room / 2, y)
        if mark:
            sketch.text(right, y + drawn.height / 2 + 3.2, mark, 9, 600, anchor="end")
        return drawn.height
    look = box_look(line.role)
    x = left + (20 if line.key else 6)
    stop = right - 5 - (width(mark, 9, 700) + 4 if mark else 0)
    texts = wrapped(_label(line), stop - x, look.weight)
    height = _LINE + _FURTHER * (len(texts) - 1)
    sketch.box(left, y, right - left, height, look.fill, look.stroke, look.line, dash=look.dash)
    if line.key:
        key_disc(sketch, left + 10.5, y + height / 2, line.key)
    if mark:
        sketch.text(right - 5, y + height / 2 + 3.2, mark, 9, 400 if line.is_first else 700, look.ink, "end")
    for number, text in enumerate(texts):
        sketch.text(x, y + _LINE / 2 + 3.2 + _FURTHER * number, text, 9, look.weight, look.ink, room=stop - x)
    return height


def wrapped(text: str, room: float, weight: Weight = 500) -> list[str]:
    """Return a label in lines that fit a width if it can be broken: after commas, before arrows and branches.

    >>> wrapped("c = 64, /2", 100), wrapped("a 128, b1 128, b3 192, c1 32", 80)
    (['c = 64, /2'], ['a 128, b1 128,', 'b3 192, c1 32'])
    """
    lines = [""]
    for part in _BREAKS.split(text):
        if lines[-1] and width(f"{lines[-1]} {part}", 9, weight) > room:
            lines.append(part)
        else:
            lines[-1] = f"{lines[-1]} {part}".strip()
    return lines


def _growth(card: NetCard, growth: GrowthBar, across: float, form: CardForm) -> Fragment:
    """Draw a bar of the input channels, and a cell for each layer that adds some."""
    sketch = Sketch()
    _header(sketch, card, across, form)
    left, room = -across / 2 + PAD + 2, across - 2 * PAD - 4
    line = card.lines[0]
    if line.key:
        key_disc(sketch, across / 2 - PAD - 6, 34.9, line.key)
    total = growth.entering + growth.layers * growth.growth
    scale = room / _SCALE_CHANNELS if total <= _SCALE_CHANNELS else room / total
    y = 18.5
    first = growth.entering * scale
    sketch.box(left, y, first, 9, "io", "io-stroke", 0.8, 0)
    cell = growth.growth * scale
    for at in range(growth.layers):
        sketch.box(left + first + at * cell, y, cell, 9, "conv", "conv-stroke", 0.6, 0)
    if growth.added:
        before = left + first + (growth.layers - growth.added) * cell
        sketch.box(before, y + 9.6, growth.added * cell, 2.4, "up-stroke", radius=0)
    free = room - (16 if line.key else 0)
    texts = (growth_text(growth), growth_text(replace(growth, added=0)))
    text = next((each for each in texts if width(each, SMALL) <= free), texts[-1])
    sketch.text(left, y + 20, text, SMALL, paint="mute", room=free)
    return Fragment(across / 2, across / 2, y + 23.5, sketch)


_SCALE_CHANNELS = 1024
"""The number of channels that fills the width of a card; with more, the scale of that card is reduced."""


def columns_width(card: NetCard) -> float:
    """Return the width of a card with a column for each branch, 0 without columns."""
    if len(card.lines) != 1 or not card.lines[0].columns:
        return 0
    inner = sum(_column_width(card, at) for at in range(len(card.lines[0].columns)))
    return _name_width(card) + inner + 78 + 2 * PAD


def _name_width(card: NetCard) -> float:
    return width(card.name, 10, 600) + (38 if card.times > 1 else 0) + (20 if card.lines[0].key else 0) + 14


def _column_width(card: NetCard, at: int) -> float:
    head = card.heads[at] if at < len(card.heads) else ""
    return max(width(card.lines[0].columns[at], 9), width(head, SMALL), 24) + 14


def _columns(card: NetCard, line: CardLine, across: float, form: CardForm, with_heads: bool) -> Fragment:
    """Draw a card with a column for each branch, and a bar of the channels that each adds."""
    body = Sketch()
    left, right = -across / 2 + PAD + 4, across / 2 - PAD - 2
    y = 12.0 if with_heads else 0.0
    body.text(left, y + 20.5, card.name, 10, 600, room=_name_width(card))
    x = left + width(card.name, 10, 600) + 8
    if line.key:
        key_disc(body, x + 6, y + 17, line.key)
        x += 18
    if card.times > 1:
        badge(body, x + 28, y + 10.5, card.times)
    start = x = left + max(form.names, 60)
    room = right - 74 - x
    is_alike = len(line.columns) == len(form.columns)
    inner = form.columns if is_alike else [_column_width(card, at) for at in range(len(line.columns))]
    stretch = max(room / sum(inner), 1)
    for at, (text, own) in enumerate(zip(line.columns, inner, strict=True)):
        centre = x + own * stretch / 2
        if with_heads and card.heads[at]:
            body.text(centre, 11, card.heads[at], SMALL, paint="mute", anchor="middle")
        body.text(centre, y + 14.5, text, 9, 500, anchor="middle", room=own * stretch)
        x += own * stretch
    body.text(right, y + 14.5, card.shape, SMALL, anchor="end")
    body.text(right, y + 26, card.weights or human(card.params), SMALL, paint="mute", anchor="end")
    total = sum(channels for channels, _ in line.bar)
    scale = room / max(_SCALE_CHANNELS, total)
    x = start
    for at, (channels, role) in enumerate(line.bar):
        fill = role if at % 2 == 0 or role != "conv" else "conv-stroke"
        body.box(x, y + 20, channels * scale, 6.5, fill, f"{role}-stroke", 0.7, 0)
        x += channels * scale
    return _framed(card, Fragment(across / 2, across / 2, y + 32, body), across)
