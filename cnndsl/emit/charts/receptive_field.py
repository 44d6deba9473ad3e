"""Draws the receptive field of a unit on the map it is measured on, with its size and the part that is padding."""

from __future__ import annotations

from cnndsl.emit.drawing.display import DisplayItem, GroupItem, Picture, RectangleItem, TextItem
from cnndsl.emit.drawing.measure import width
from cnndsl.report.receptive_field import UnitField
from cnndsl.report.receptive_field_plot import PlotArea, plot_area

_LONGEST = 320
"""The length of the longer side in pixels: the width of a column."""
_LARGEST_POSITION = 40
_LINE = 24
"""The height in pixels of a one-dimensional map."""
_NAME, _NOTE = 10, 8.5
_LEADING = 14


def picture(unit: UnitField) -> Picture:
    """Return the picture of a unit's receptive field."""
    area = plot_area(unit)
    scale = min(_LONGEST / max(area.height, area.width), _LARGEST_POSITION)
    across, down = scale * area.width, scale * area.height if area.height > 1 else _LINE
    name, extents, of = _captions(unit)
    baseline = down + 20
    texts = (
        TextItem(0, baseline, name, _NAME, 600),
        TextItem(0, baseline + _LEADING, extents, _NOTE, paint="mute"),
        TextItem(0, baseline + 2 * _LEADING, of, _NOTE, paint="mute"),
    )
    widest = max(across, *(width(each.text, each.size, each.weight) for each in texts))
    title = unit.sight.graph.title
    items = (*_boxes(unit, area, scale), *texts)
    return Picture(title, widest, baseline + 2 * _LEADING + 4, items, f"{title}: {name} {extents}", f"{of}.")


def _captions(unit: UnitField) -> tuple[str, str, str]:
    said = (f"{axis} {first} to {last}" for axis, (first, last) in zip(unit.sight.axes, unit.box, strict=True))
    shape = str(unit.sight.start.shape)
    plane = unit.sight.plane.removesuffix(shape) + shape.replace("x", "\N{MULTIPLICATION SIGN}")
    sees_padding = any(
        first < 0 or last >= extent
        for (first, last), extent in zip(unit.box, unit.sight.start.shape.spatial, strict=True)
    )
    return f"{unit.name} sees", ", ".join(said), f"of {plane}{'; dashed: padding' if sees_padding else ''}"


def _boxes(unit: UnitField, area: PlotArea, scale: float) -> list[DisplayItem]:
    """Return the map, the part of it that the field covers, and the box around both."""
    rows = max(area.rows[0], 0), min(area.rows[1], area.plane[0] - 1)
    columns = max(area.columns[0], 0), min(area.columns[1], area.plane[1] - 1)
    plane = _rectangle(area, (0, area.plane[0] - 1), (0, area.plane[1] - 1), scale, "panel", "hair")
    box = _rectangle(area, area.rows, area.columns, scale, "", "conv-stroke", dash=(5, 4))
    parts = [GroupItem("plane", (plane,), unit.sight.plane)]
    if rows[0] <= rows[1] and columns[0] <= columns[1]:
        seen = _rectangle(area, rows, columns, scale, "conv", "conv-stroke")
        parts.append(GroupItem("seen", (seen,), "seen"))
    return [*parts, GroupItem("box", (box,))]


def _rectangle(
    area: PlotArea,
    rows: tuple[int, int],
    columns: tuple[int, int],
    scale: float,
    fill: str,
    stroke: str,
    dash: tuple[float, ...] = (),
) -> RectangleItem:
    top, left = scale * (rows[0] - area.top), scale * (columns[0] - area.left)
    high = scale * (rows[1] - rows[0] + 1) if area.height > 1 else _LINE
    return RectangleItem(left, top, scale * (columns[1] - columns[0] + 1), high, fill, stroke, 1, dash=dash)
