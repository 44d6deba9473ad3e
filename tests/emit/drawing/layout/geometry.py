"""What is wrong with a picture, in words."""

from __future__ import annotations

from itertools import pairwise

from cnndsl.emit.drawing.display import PathItem, Picture, RectangleItem
from cnndsl.emit.drawing.geometry import findings
from cnndsl.emit.drawing.shapes import flat

NEAR = 1.6
"""So far from what it ends at an edge may stop, in pixels."""


def faults(picture: Picture) -> list[str]:
    """Everything that the checks of `geometry` find."""
    return [f"{each.text!r} {each.problem} {each.other!r} in {each.id!r}" for each in findings(picture)]


def loose_ends(picture: Picture) -> list[tuple[float, float]]:
    """Where edges begin or end at nothing: at no side of a box, and on no other edge."""
    items = list(flat(picture.items))
    boxes = [item for item in items if isinstance(item, RectangleItem) and item.stroke]
    paths = [item for item in items if isinstance(item, PathItem)]
    heads = [_points(item) for item in paths if item.fill and len(item.commands) == 4]
    edges = [_points(item) for item in paths if item.stroke in ("line", "mute")]
    found: list[tuple[float, float]] = []
    for at, edge in enumerate(edges):
        others = [each for number, each in enumerate(edges) if number != at]
        for x, y in (edge[0], _tip(edge[-1], heads)):
            if not any(_is_at(each, x, y) for each in boxes) and not any(_is_on(each, x, y) for each in others):
                found.append((x, y))
    return found


def _tip(end: tuple[float, float], heads: list[list[tuple[float, float]]]) -> tuple[float, float]:
    """The tip of the arrowhead at the end of an edge, if it has one."""
    for left, tip, right in heads:
        if max(abs((left[0] + right[0]) / 2 - end[0]), abs((left[1] + right[1]) / 2 - end[1])) < NEAR:
            return tip
    return end


def _points(item: PathItem) -> list[tuple[float, float]]:
    return [(numbers[-2], numbers[-1]) for _, numbers in item.commands if numbers]


def _is_at(box: RectangleItem, x: float, y: float) -> bool:
    is_inside = box.x - NEAR <= x <= box.x + box.width + NEAR and box.y - NEAR <= y <= box.y + box.height + NEAR
    gaps = (abs(x - box.x), abs(x - box.x - box.width), abs(y - box.y), abs(y - box.y - box.height))
    return is_inside and min(gaps) <= NEAR


def _is_on(edge: list[tuple[float, float]], x: float, y: float) -> bool:
    for (x0, y0), (x1, y1) in pairwise(edge):
        is_beside = min(x0, x1) - NEAR <= x <= max(x0, x1) + NEAR and min(y0, y1) - NEAR <= y <= max(y0, y1) + NEAR
        if is_beside and min(abs(x - x0), abs(x - x1), abs(y - y0), abs(y - y1)) <= NEAR:
            return True
    return False
