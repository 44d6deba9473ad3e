"""A network as a U: a bar for each layer, a row for each size of the feature map, links between bars of a row."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product, takewhile
from math import log2

from cnndsl.emit.drawing.cards.model import GroupTag, UBar, UShape, USkip
from cnndsl.emit.drawing.cards.ushape import gathered
from cnndsl.emit.drawing.cards.words import TIMES
from cnndsl.emit.drawing.layout.looks import GHOST_DASH, box_look
from cnndsl.emit.drawing.layout.pieces import MARK, MERGE, key_disc, mark_disc
from cnndsl.emit.drawing.layout.sketch import SMALL, PlanePoint, Sketch
from cnndsl.emit.drawing.layout.ubar import PlacedBar, sum_at
from cnndsl.emit.drawing.layout.ushape_legend import INDEX_DASH, KEY, keys_of, layers_of, u_legend
from cnndsl.emit.drawing.measure import width

_LEAST, _MOST = 15.0, 84.0
"""The heights of the smallest and the largest feature map."""
_ABOVE = 14.0
"""The space above a row for channels."""
_HEIGHTS = ((1.0, 30.0), (0.8, 24.0), (0.55, 24.0), (0.4, 24.0), (0.3, 24.0), (0.65, 20.0), (0.55, 16.0))
_COUNTED = 24.0
"""Each of `_HEIGHTS` is the share of its full height that a bar has, and the space beneath a row for the edge that
leads down; that space is at least `_COUNTED` if there are counts."""
_GAPS = (28.0, 22.0, 17.0, 13.0, 11.0)
_SKIP_LENGTH = 40.0
_ON_LINE = 36.0
"""How much longer than its label a link is that has the label on its line."""
_SIDE = 9.0
"""The distance from where indices enter a bar to the bend before it."""


def u_sketch(shape: UShape, room: float, tallest: float = 1e9) -> tuple[Sketch, float, float] | None:
    """Return the drawing of a U with its width and height, None if it is wider than the room. If it would be too tall,
    its bars are shorter and its rows closer."""
    for form in (shape, gathered(shape)):
        for slack, gap, (share, below) in product((_ON_LINE, 0.0), _GAPS, _HEIGHTS):
            if below < _COUNTED and any(bar.times > 1 for bar in form.bars):
                continue
            placed = _placed(form, (gap, slack), share, below)
            left, right = _margins(placed)
            if left + max(each.right for each in placed) + right > room:
                continue
            found = _drawn(form, placed, left, room)
            if found[2] <= tallest:
                return found
    return None


def _bar_width(channels: int) -> float:
    return max(2.9 * log2(max(channels, 1)) - 6, 5)


def _placed(shape: UShape, apart: tuple[float, float], share: float, below: float) -> list[PlacedBar]:
    """Return the bars with their positions, the first at x = 0; `apart` is the gap between them, and how much longer
    than their labels links are."""
    gap, slack = apart
    extents = [bar.extent for bar in shape.bars]
    low, high = min(extents), max(extents)
    into = {skip.target: skip for skip in shape.skips if skip.merge >= 0}
    lengths = sorted((_skip_length(skip, slack), skip.target) for skip in shape.skips)
    longest = {target: length for length, target in lengths}
    tops = _tops(shape, low, high, share, below)
    keys = keys_of(shape)
    ends: dict[int, float] = {}
    found: list[PlacedBar] = []
    for at, bar in enumerate(shape.bars):
        across, height = _bar_width(bar.channels), share * _height(bar.extent, low, high)
        skip = into.get(at)
        joined = _bar_width(skip.channels) + 1 if skip and skip.joins else 0.0
        copy, behind = (0.0, joined) if skip and skip.is_behind else (joined, 0.0)
        before = found[-1] if found else None
        if before is None:
            x = 0.0
        elif bar.level != before.bar.level:
            x = before.anchor - across / 2
            if bar.level in ends:
                least = ends[bar.level] + longest.get(at, _SKIP_LENGTH) + copy
                _moved_apart(found, least - x)
                ends[before.bar.level] += max(least - x, 0)
                x = max(x, least)
        else:
            x = ends[bar.level] + max(gap, _label_gap(before, bar))
        place = PlacedBar(
            bar, x, tops[bar.level], across, height, copy, skip is not None and _is_sum(skip), behind=behind
        )
        place.copied = skip.channels if skip and skip.joins else 0
        place.key = keys.get((bar.role, layers_of(bar)), "")
        found.append(place)
        ends[bar.level] = place.right + (2 * MERGE + 9 if place.sums else 0)
    return found


def _skip_length(skip: USkip, slack: float) -> float:
    """Return the least length of a link that has room for its label on it, or beneath it without slack."""
    if _is_sum(skip) or not skip.label:
        return _SKIP_LENGTH
    return max(_SKIP_LENGTH, width(skip.label, SMALL) + 13 + slack)


def _moved_apart(placed: Sequence[PlacedBar], by: float) -> None:
    """Move the last bars of the lowest row apart, so that the very last is beneath the bar that it leads up to. The
    first of them stays beneath the one that leads down to it."""
    level = placed[-1].bar.level
    row = list(takewhile(lambda each: each.bar.level == level, reversed(placed)))[::-1]
    if by <= 0 or len(row) < 2:
        return
    for at, each in enumerate(row):
        each.x += by * at / (len(row) - 1)


def _label_gap(before: PlacedBar, bar: UBar) -> float:
    """Return the least gap with which the channels above two bars don't touch."""
    over = max(width(str(bar.channels), SMALL) - _bar_width(bar.channels), 0) / 2
    return max(before.label_right - before.right, 0) + over + 3


def _height(extent: int, low: int, high: int) -> float:
    return _LEAST + (_MOST - _LEAST) * (extent - low) / max(high - low, 1)


def _tops(shape: UShape, low: int, high: int, share: float, below: float) -> dict[int, float]:
    """Return the top of each row."""
    tallest: dict[int, float] = {}
    for bar in shape.bars:
        tallest[bar.level] = max(tallest.get(bar.level, 0), share * _height(bar.extent, low, high))
    found: dict[int, float] = {}
    y = _ABOVE
    for level in sorted(tallest):
        found[level] = y
        y += tallest[level] + below + _ABOVE
    return found


def _margins(placed: Sequence[PlacedBar]) -> tuple[float, float]:
    """Return the space at the left for the size of the first row, and at the right for that of the last."""
    last = max(placed, key=lambda each: each.right)
    sides = [width(each.bar.size, SMALL) + 8 for each in (placed[0], last)]
    return max(sides[0], 20), max(sides[1] + (2 * MERGE + 10 if last.sums else 0), 20)


def _is_sum(skip: USkip) -> bool:
    return skip.merge >= 0 and not skip.joins


def _drawn(shape: UShape, placed: Sequence[PlacedBar], left: float, room: float) -> tuple[Sketch, float, float]:
    inner = Sketch()
    right = max(each.right for each in placed)
    for at, each in enumerate(placed):
        _bar(inner, each)
        if at:
            _edge(inner, placed, at)
    _sizes(inner, placed)
    bottom = max(each.y + each.height for each in placed) + 16
    ways = [(_way(placed, each), each.label) for each in shape.skips if each.label and not _is_sum(each)]
    is_on_line = all(_has_room(*each) for each in ways)
    for skip in shape.skips:
        link = Sketch()
        _skip(link, placed, skip, is_on_line)
        inner.items += _tagged(link, skip.tag).items
    sketch = Sketch()
    margin = max(left, (room - right) / 2)
    sketch.place(inner, margin, 0)
    low = bottom + 12
    low = u_legend(sketch, shape, low, room)
    return sketch, room, low


def _bar(whole: Sketch, each: PlacedBar) -> None:
    """Draw a bar with its channels, as a group that is named after its path."""
    bar, sketch = each.bar, Sketch()
    if each.copy:
        sketch.box(each.x - each.copy, each.y, each.copy - 1, each.height, "card", "conv-stroke", 0.9, 2, (2.5, 2.0))
    if each.behind:
        x = each.x + each.across + 1
        sketch.box(x, each.y, each.behind - 1, each.height, "card", "conv-stroke", 0.9, 2, (2.5, 2.0))
    look = box_look(bar.role)
    sketch.box(each.x, each.y, each.across, each.height, look.fill, look.stroke, look.line, 2, look.dash)
    if bar.mark:
        mark_disc(sketch, each.centre, each.bottom - 7, bar.mark)
    _channels(sketch, each)
    if each.key:
        aside = KEY - 1 if each.behind and not each.has_key_inside else 0  # a link comes up at its right
        key_disc(sketch, each.centre - aside, each.key_y if each.has_key_inside else each.low - KEY - 1, each.key)
    if bar.times > 1:
        y = each.y + each.height + 10
        sketch.text(each.centre, y, f"{TIMES}{bar.times}", SMALL, 700, anchor="middle")
    whole.items += _tagged(sketch, bar.tag).items


def _tagged(sketch: Sketch, tag: GroupTag | None) -> Sketch:
    return sketch.grouped(tag.id, tag.title, tag.link) if tag else sketch


def _channels(sketch: Sketch, each: PlacedBar) -> None:
    """Draw the channels above a bar, and above the copy that is concatenated before or after it."""
    own, copied = str(each.bar.channels), str(each.copied)
    apart = (each.across + each.copy + each.behind) / 2
    side = -1 if each.behind else 1
    shift = max(width(own, SMALL) / 2 + width(copied, SMALL) / 2 + 3 - apart, 0) / 2 if each.copied else 0
    sketch.text(each.centre + side * shift, each.y - 4, own, SMALL, anchor="middle")
    if each.copied:
        sketch.text(each.centre - side * (apart + shift), each.y - 4, copied, SMALL, anchor="middle")


def _edge(sketch: Sketch, placed: Sequence[PlacedBar], at: int) -> None:
    """Draw the edge from the bar before, or from the circle of its sum."""
    before, each = placed[at - 1], placed[at]
    start = sum_at(before)[0] + MERGE if before.sums else before.right + 1.5
    if each.bar.level == before.bar.level:
        y = before.middle if before.sums else each.y + min(before.height, each.height) / 2
        sketch.line([(start, y), (each.x - 1.5, y)], head=True)
    elif each.bar.level > before.bar.level:
        sketch.line([(each.centre, before.low), (each.centre, each.y - 15)], paint="pool-stroke", head=True)
    elif _is_bent(before, each):
        points: list[PlanePoint] = [(start, before.middle), (each.centre, before.middle)]
        sketch.line([*points, (each.centre, each.low)], paint="up-stroke", head=True)
    else:
        high = before.middle - MERGE if before.sums else before.y - 15
        sketch.line([(each.centre, high), (each.centre, each.low)], paint="up-stroke", head=True)


def _is_bent(before: PlacedBar, each: PlacedBar) -> bool:
    """Return whether the edge up to a bar leaves the one before at its side: it isn't above that."""
    return abs(each.centre - before.anchor) > (0.5 if before.sums else before.across / 2 - 1)


def _link(sketch: Sketch, skip: USkip, points: Sequence[PlanePoint], *, head: bool = True) -> None:
    """Draw the line of a link, dashed if it is removed."""
    dash = GHOST_DASH if skip.is_gone else INDEX_DASH if skip.has_indices else ()
    sketch.line(points, paint=_link_paint(skip), line=1.4, dash=dash, head=head)


def _link_paint(skip: USkip) -> str:
    return skip.mark.paint if skip.mark else "mute"


def _beneath(placed: Sequence[PlacedBar], source: PlacedBar) -> float:
    """Return the height at which a link runs beneath a row and the counts of its bars."""
    row = [each for each in placed if each.bar.level == source.bar.level]
    return source.y + max(each.height + (11 if each.bar.times > 1 else 0) for each in row) + 8


def _skip(sketch: Sketch, placed: Sequence[PlacedBar], skip: USkip, is_on_line: bool) -> None:
    """Draw a link along a row, with the operations on it."""
    source, target = placed[skip.source], placed[skip.target]
    if _is_sum(skip):
        _sum(sketch, placed, skip)
        return
    if target.behind:
        x = target.right - target.behind / 2
        _from_below(sketch, placed, skip, max(_beneath(placed, source), target.low + 3), (x, target.bottom + 1))
        return
    stop = target.x - target.copy - 2
    is_last = not any(source.right < each.x < stop and each.bar.level == source.bar.level for each in placed)
    if not is_last and not skip.has_indices:
        low = _beneath(placed, source)
        x = target.x - target.copy / 2 if target.copy else target.x + 2
        side = source.right + 5
        points = [(source.right + 1, source.y + source.height * 0.8), (side, source.y + source.height * 0.8)]
        _link(sketch, skip, [*points, (side, low), (x, low), (x, target.y + target.height + 1)])
        return
    _labelled(sketch, skip, _way(placed, skip), is_on_line)


def _way(placed: Sequence[PlacedBar], skip: USkip) -> list[PlanePoint]:
    """Return the points of a link along its row; indices come up from the row below, right of the edge down to their
    pool. The label is at the segment in the middle."""
    source, target = placed[skip.source], placed[skip.target]
    if not skip.has_indices:
        y = source.y + min(source.height, target.height) / 2
        return [(source.right + 3, y), (target.x - target.copy - 2, y)]
    after = placed[skip.source + 1]
    gap = after.x - source.right if after.bar.level == source.bar.level else _SIDE
    side, bend = source.right + min(gap, _SIDE) / 2, target.x - _SIDE
    start, high = source.y + source.height / 4, source.y - _ABOVE - 6
    return [(source.right + 1, start), (side, start), (side, high), *_entry(target, bend, high)]


def _entry(target: PlacedBar, bend: float, high: float) -> list[PlanePoint]:
    """Return the last points of a link that comes from below a row and enters a bar from the left."""
    return [(bend, high), (bend, target.middle), (target.x - 2, target.middle)]


def _has_room(way: Sequence[PlanePoint], label: str) -> bool:
    """Return whether the label of a link has room on its line."""
    (start, _), (stop, _) = _middle_segment(way)
    return stop - start >= width(label, SMALL) + 8 + _ON_LINE - (2 * _SIDE if len(way) > 2 else 0)


def _middle_segment(way: Sequence[PlanePoint]) -> tuple[PlanePoint, PlanePoint]:
    at = len(way) // 2 - 1
    return way[at], way[at + 1]


def _labelled(sketch: Sketch, skip: USkip, way: Sequence[PlanePoint], is_on_line: bool) -> None:
    """Draw a link with its label on the line, or beneath it."""
    (start, y), (stop, _) = _middle_segment(way)
    middle, half = (start + stop) / 2, width(skip.label, SMALL) / 2 + 4
    cut = len(way) // 2
    if skip.label and is_on_line:
        _link(sketch, skip, [*way[:cut], (middle - half, y)], head=False)
        _link(sketch, skip, [(middle + half, y), *way[cut:]])
    else:
        _link(sketch, skip, way)
    below = 3 if is_on_line else 11.5
    sketch.text(middle, y + below, skip.label, SMALL, paint=_link_paint(skip), anchor="middle")


def _sum(sketch: Sketch, placed: Sequence[PlacedBar], skip: USkip) -> None:
    """Draw a link that is added: it runs beneath its row and enters the circle from below."""
    source, target = placed[skip.source], placed[skip.target]
    x, y = sum_at(target)
    _from_below(sketch, placed, skip, _beneath(placed, source), (x, y + MERGE))
    sketch.line([(target.right + 1, y), (x - MERGE, y)], head=True)
    sketch.circle(x, y, MERGE, "card", "line")
    sketch.line([(x - 3.4, y), (x + 3.4, y)], paint="ink", line=1.2)
    sketch.line([(x, y - 3.4), (x, y + 3.4)], paint="ink", line=1.2)


def _from_below(sketch: Sketch, placed: Sequence[PlacedBar], skip: USkip, low: float, stop: PlanePoint) -> None:
    """Draw a link beneath its row, at the height `low`, to a point above that."""
    source, target = placed[skip.source], placed[skip.target]
    side = max(source.right + 4.5, source.centre + MARK + 3 if source.bar.mark else 0)
    above = min(source.height * 0.8, source.height - 2 * MARK - 3 if source.bar.mark else source.height)
    start = (source.right + 1, source.y + max(above, 1))
    _link(sketch, skip, [start, (side, start[1]), (side, low), (stop[0], low), stop])
    ends = [each.right for each in placed if each.bar.level == source.bar.level and each.right < target.x]
    if skip.label and target.x - max(ends) > width(skip.label, SMALL) + 24:
        paint = _link_paint(skip)
        sketch.text((target.x + max(ends)) / 2, low - 4, skip.label, SMALL, paint=paint, anchor="middle")


def _sizes(sketch: Sketch, placed: Sequence[PlacedBar]) -> None:
    """Draw the size of the feature map at the left of the first bar of each row, and at the right of the last one."""
    for at, each in enumerate(placed):
        level = each.bar.level
        is_first = at == 0 or placed[at - 1].bar.level < level
        is_last = at == len(placed) - 1 or placed[at + 1].bar.level < level
        if is_first:
            sketch.text(each.x - 5, each.middle + 3, each.bar.size, SMALL, paint="mute", anchor="end")
        if not is_last or (is_first and at < len(placed) - 1):
            continue
        if at < len(placed) - 1 and _is_bent(each, placed[at + 1]):
            sketch.text(each.centre, each.y + each.height + 11, each.bar.size, SMALL, paint="mute", anchor="middle")
        else:
            right = each.right + (2 * MERGE + 9 if each.sums else 0)
            sketch.text(right + 5, each.middle + 3, each.bar.size, SMALL, paint="mute")
