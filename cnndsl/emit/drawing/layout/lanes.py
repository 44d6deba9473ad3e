"""Pieces one below the other, with lanes at their right for edges that skip some of them.

This is the general form. It can draw any graph whose pieces are in executable order: an edge leaves at the right side
of a piece, runs in a lane of its own, and enters at the right side of another.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cnndsl.emit.drawing.layout.looks import PLAIN_EDGE, EdgeLook
from cnndsl.emit.drawing.layout.pieces import Fragment
from cnndsl.emit.drawing.layout.sketch import SMALL, Sketch
from cnndsl.emit.drawing.measure import width

LANE = 10.0
"""The distance of lanes."""
LABELLED = 20.0
"""The gap between pieces whose edge carries a shape."""
PLAIN = 12.0
ENDING = 9.0
"""The length of the edge that leaves the network."""
_ENTERED, _LEFT = 0.6, 0.85
"""The share of a side where edges enter; the position in a row where one leaves."""


@dataclass(eq=False)
class Lane:
    """An edge past other pieces: from the piece `source` (-1: the input) to `target`, which it enters at a position of
    its own if `port` is set. Distances of the port are from the target's axis and top."""

    source: int
    target: int
    port: tuple[float, float] | None = None
    paint: str = "line"
    line: float = 1
    dash: tuple[float, ...] = ()
    label: str = ""
    """The shape that it carries into a merge that fails."""
    row: int = -1
    start: int = -1
    """The rows of cards that it leaves and enters, -1 for the card."""
    name: str = ""
    """The name of its value, written along the lane."""


def stacked(
    pieces: Sequence[Fragment],
    joined: Sequence[bool],
    labels: Sequence[str],
    lanes: Sequence[Lane] = (),
    given: Collection[int] = (),
    *,
    names: Sequence[str] = (),
    looks: Sequence[EdgeLook] = (),
) -> Fragment:
    """Draw pieces one below the other on one axis. An arrow leads to each that reads the one before (`joined`), with
    the label of the one before it. `names` are those of stages, at the left of the edge that leads to them; `looks`
    those of the edges, by the piece that they lead to, and last the one that leaves. From the middle of the pieces that
    are `given`, edges will cross the lanes."""
    sketch = Sketch()
    tops: list[float] = []
    y = 0.0
    for at, piece in enumerate(pieces):
        label = labels[at - 1] if at and (joined[at] or "," in labels[at - 1]) else ""
        if at:
            name = names[at] if names else ""
            gap = LABELLED if label or name else PLAIN
            if name:
                sketch.text(-7, y + gap / 2 + 3.5, name, 10, 600, anchor="end")
            look = looks[at] if looks else PLAIN_EDGE
            if joined[at]:
                ends, head = [(0.0, y), (0.0, y + gap)], not piece.parts
                sketch.line(ends, paint=look.paint, line=look.line, dash=look.dash, head=head)
            if label:
                sketch.text(7, y + gap / 2 + 3, label, SMALL, look.weight, look.label)
            y += gap
        tops.append(y)
        sketch.place(piece.sketch, 0, y)
        y += piece.height
    if labels and labels[-1]:
        look = looks[-1] if looks else PLAIN_EDGE
        end = y + ENDING + pieces[-1].below
        sketch.line([(0, y), (0, end)], paint=look.paint, line=look.line, dash=look.dash, head=True)
        sketch.text(7, end - 0.5, labels[-1], SMALL, look.weight, look.label)
        y = end
    elif pieces:
        y += pieces[-1].below
    left = max([piece.left for piece in pieces] + [9 + width(name, 10, 600) for name in names if name], default=0)
    right = max((piece.right for piece in pieces), default=0)
    right = max([right, *(7 + width(label, SMALL, 600 if looks else 400) for label in labels)])
    if lanes:
        right = _drawn(sketch, pieces, tops, lanes, [tops[at] + pieces[at].height / 2 for at in given], right)
    return Fragment(left, right, y, sketch, parts=bool(pieces) and pieces[0].parts)


def _drawn(
    sketch: Sketch,
    pieces: Sequence[Fragment],
    tops: Sequence[float],
    lanes: Sequence[Lane],
    across: Sequence[float],
    right: float,
) -> float:
    """Draw the lanes, and return how far they extend. Shorter ones are further inside. Other edges cross them at the
    heights `across`."""
    entering = _arrivals(lanes)
    taken: list[list[tuple[float, float]]] = []
    furthest = right
    drawn: list[tuple[Lane, float, tuple[float, float]]] = []
    for lane in sorted(lanes, key=lambda each: (each.target - each.source, each.source, each.target)):
        start = _leaving(pieces, tops, lane)
        stop = _entering(pieces, tops, lane, entering)
        number = _free(taken, start[1], stop[1], 2 if lane.name else 1)
        x = right + 8 + LANE * number
        furthest = max(furthest, x + 2)
        points = [start, (x, start[1]), (x, stop[1]), stop]
        if lane.port is not None:
            port = (lane.port[0], tops[lane.target] + lane.port[1])
            points = [start, (x, start[1]), (x, port[1] - 8), (port[0], port[1] - 8), port]
        if start[0] == 0 and lane.source >= 0:
            sketch.dot(*start, paint=lane.paint)
        sketch.line(points, paint=lane.paint, line=lane.line, dash=lane.dash, head=True)
        drawn.append((lane, x, (start[1], stop[1] if lane.port is None else points[-2][1])))
        if lane.label and lane.port is None:
            sketch.text(x - 5, stop[1] - 4, lane.label, SMALL, 600, lane.paint, "end")
    for lane, x, ends in drawn:
        if lane.name:
            passing = [*across, *(y for _, other, heights in drawn if other > x for y in heights)]
            _name(sketch, lane.name, x, ends, passing)
    return furthest


def _name(sketch: Sketch, name: str, x: float, ends: tuple[float, float], passing: Sequence[float]) -> None:
    """Write the name of a value along its lane, where it has the most room between the heights at which other edges
    pass."""
    low, high = min(ends), max(ends)
    heights = [low, *sorted(y for y in passing if low < y < high), high]
    start, stop = max(pairwise(heights), key=lambda each: each[1] - each[0])
    if stop - start > width(name, SMALL) + 8:
        sketch.text(x - 4, (start + stop) / 2, name, SMALL, paint="mute", anchor="middle", turned=True)


def _arrivals(lanes: Sequence[Lane]) -> dict[tuple[int, int], list[Lane]]:
    """Return for each target and its row the lanes that enter it at its side, that of the nearest source first."""
    found: dict[tuple[int, int], list[Lane]] = {}
    for lane in lanes:
        if lane.port is None:
            found.setdefault((lane.target, lane.row), []).append(lane)
    return {end: sorted(each, key=lambda one: (one.source, one.start), reverse=True) for end, each in found.items()}


def _leaving(pieces: Sequence[Fragment], tops: Sequence[float], lane: Lane) -> tuple[float, float]:
    if lane.source < 0:
        return (0, -8)
    piece, top = pieces[lane.source], tops[lane.source]
    if piece.leaving is not None:
        return piece.leaving[0], top + piece.leaving[1]
    if len(piece.rows) > 1:
        high, low = piece.rows[lane.start]  # the last row has the output of the card
        return piece.right, top + high + (low - high) * _LEFT
    return piece.right, top + piece.height * 0.72


def _entering(
    pieces: Sequence[Fragment], tops: Sequence[float], lane: Lane, entering: dict[tuple[int, int], list[Lane]]
) -> tuple[float, float]:
    piece = pieces[lane.target]
    several = entering.get((lane.target, lane.row), [lane])
    place = several.index(lane) if lane in several else 0
    share = (place + 1) / (len(several) + 1)
    top, low = 0.0, piece.height
    if lane.row >= 0 and piece.rows:
        top, low = piece.rows[lane.row]
        share = (place + 0.5) / len(several)
    elif any(target == lane.target and row >= 0 for target, row in entering) and piece.rows:
        low = piece.rows[0][0]
    deep = 1.0 if piece.leaving is not None and piece.leaving[1] > piece.height else _ENTERED
    return (piece.right, tops[lane.target] + top + (low - top) * deep * share)


def _free(taken: list[list[tuple[float, float]]], start: float, stop: float, count: int) -> int:
    """Return the number of the last of `count` adjacent lanes that are free between two heights, which is recorded."""
    low, high = min(start, stop), max(start, stop)

    def is_free(number: int) -> bool:
        spans = taken[number] if number < len(taken) else []
        return all(high < other_low - 2 or low > other_high + 2 for other_low, other_high in spans)

    first = next(at for at in range(len(taken) + 1) if all(is_free(at + by) for by in range(count)))
    taken.extend([] for _ in range(first + count - len(taken)))
    for spans in taken[first : first + count]:
        spans.append((low, high))
    return first + count - 1
