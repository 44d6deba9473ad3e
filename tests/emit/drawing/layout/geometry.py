"""Geometry of a display list, for tests: texts on texts, texts outside of their boxes, edges across boxes and texts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TypeAlias

from cnndsl.emit.drawing.display import PathItem, Picture, RectangleItem, TextItem
from cnndsl.emit.drawing.measure import width
from cnndsl.emit.drawing.shapes import flat

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom."""
Segment: TypeAlias = tuple[float, float, float, float]

SLACK = 0.6
CONTAINERS = {"card", "panel", "bg", ""}
EDGES = {"line", "mute", "error", "pool-stroke", "up-stroke"}


def faults(picture: Picture) -> list[str]:
    """Everything that is wrong with a picture, in words."""
    items = list(flat(picture.items))
    texts = [item for item in items if isinstance(item, TextItem)]
    boxes = [item for item in items if isinstance(item, RectangleItem) and item.fill and item.width > 5]
    edges = [item for item in items if isinstance(item, PathItem) and item.stroke in EDGES]
    return [
        *small(texts),
        *overlapping(texts),
        *outside(picture, items),
        *leaving(texts, boxes),
        *crossing(edges, boxes, texts),
    ]


def text_box(text: TextItem) -> Box:
    across = width(text.text, text.size, text.weight, mono=text.mono)
    back = {"start": 0.0, "middle": across / 2, "end": across}[text.anchor]
    if text.turned:
        return (text.x - 0.74 * text.size, text.y + back - across, text.x + 0.22 * text.size, text.y + back)
    return (text.x - back, text.y - 0.74 * text.size, text.x - back + across, text.y + 0.22 * text.size)


def rectangle(item: RectangleItem) -> Box:
    return (item.x, item.y, item.x + item.width, item.y + item.height)


def meet(one: Box, other: Box, slack: float = SLACK) -> bool:
    return (
        one[0] < other[2] - slack
        and other[0] < one[2] - slack
        and one[1] < other[3] - slack
        and other[1] < one[3] - slack
    )


def holds(outer: Box, inner: Box, slack: float = SLACK) -> bool:
    return (
        outer[0] <= inner[0] + slack
        and outer[1] <= inner[1] + slack
        and outer[2] >= inner[2] - slack
        and outer[3] >= inner[3] - slack
    )


def small(texts: list[TextItem]) -> Iterator[str]:
    yield from (f"{text.text!r} has {text.size} px" for text in texts if text.size < 8.5)


def overlapping(texts: list[TextItem]) -> Iterator[str]:
    placed = sorted(((text_box(text), text.text) for text in texts if text.text), key=lambda each: each[0][1])
    for at, (box, text) in enumerate(placed):
        for other, written in placed[at + 1 :]:
            if other[1] > box[3]:
                break
            if meet(box, other):
                yield f"{text!r} and {written!r} overlap"


def outside(picture: Picture, items: list[RectangleItem | PathItem | TextItem]) -> Iterator[str]:
    whole = (0.0, 0.0, picture.width, picture.height)
    for item in items:
        if isinstance(item, TextItem):
            box = text_box(item)
        elif isinstance(item, RectangleItem):
            box = rectangle(item)
        else:
            xs, ys = zip(*points(item), strict=True)
            box = (min(xs), min(ys), max(xs), max(ys))
        if not holds(whole, box, 1.0):
            name = item.text if isinstance(item, TextItem) else type(item).__name__
            yield f"{name!r} at {box} leaves the picture of {picture.width:.0f}x{picture.height:.0f}"


def leaving(texts: list[TextItem], boxes: list[RectangleItem]) -> Iterator[str]:
    """Texts that reach out of the smallest box that their middle is in."""
    for text in texts:
        box = text_box(text)
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        around = [each for each in map(rectangle, boxes) if each[0] <= x <= each[2] and each[1] <= y <= each[3]]
        if not around or not text.text:
            continue
        smallest = min(around, key=lambda each: (each[2] - each[0]) * (each[3] - each[1]))
        if not holds(smallest, box, 1.2):
            yield f"{text.text!r} leaves its box"


def points(path: PathItem) -> list[tuple[float, float]]:
    return [numbers[-2:] for _, numbers in path.commands if numbers]  # type: ignore[misc]


def segments(path: PathItem) -> list[Segment]:
    found = points(path)
    return [(*one, *other) for one, other in pairwise(found)]


def crossing(edges: list[PathItem], boxes: list[RectangleItem], texts: list[TextItem]) -> Iterator[str]:
    obstacles = [(rectangle(box), box.fill) for box in boxes]
    words = [(text_box(text), text.text) for text in texts if text.text]
    for edge in edges:
        parts = segments(edge)
        xs, ys = zip(*points(edge), strict=True)
        whole = (min(xs), min(ys), max(xs), max(ys))
        for box, fill in obstacles:
            if box[0] > whole[2] or box[2] < whole[0] or box[1] > whole[3] or box[3] < whole[1]:
                continue
            if fill in CONTAINERS and holds(box, whole, 0.1):
                continue
            if any(cuts(part, shrunk(box, 0.9)) for part in parts):
                yield f"an edge {whole} crosses a box {fill} {box}"
        for box, text in words:
            if any(cuts(part, shrunk(box, 0.4)) for part in parts):
                yield f"an edge {whole} crosses {text!r}"


def shrunk(box: Box, by: float) -> Box:
    return (box[0] + by, box[1] + by, box[2] - by, box[3] - by)


def cuts(segment: Segment, box: Box) -> bool:
    """Whether a segment meets a box, by Liang and Barsky's clipping."""
    x0, y0, x1, y1 = segment
    if box[0] >= box[2] or box[1] >= box[3]:
        return False
    low, high = 0.0, 1.0
    for start, delta, least, most in ((x0, x1 - x0, box[0], box[2]), (y0, y1 - y0, box[1], box[3])):
        if delta == 0:
            if not least < start < most:
                return False
            continue
        one, other = (least - start) / delta, (most - start) / delta
        low, high = max(low, min(one, other)), min(high, max(one, other))
    return low < high
