"""Draw the receptive field of a unit on the feature map on which it is measured: the area to draw, and the drawing as
text.

For 3-D inputs, draws the last two axes; for 1-D inputs, a single row.
"""

from __future__ import annotations

from cnndsl.records import record
from cnndsl.report.receptive_field import UnitField

INPUT, SEEN, PADDING = "··", "██", "░░"
LEGEND = f"{INPUT} not seen   {SEEN} seen   {PADDING} padding that is seen"
_MOST_ROWS = 32


@record(slots=True)
class PlotArea:
    """The map from position 0 on, and the box from its first to its last position; rows, then columns."""

    plane: tuple[int, int]
    rows: tuple[int, int]
    columns: tuple[int, int]

    @property
    def top(self) -> int:
        """Return the first row to draw, counted on the map."""
        return min(0, self.rows[0])

    @property
    def left(self) -> int:
        """Return the first column to draw, counted on the map."""
        return min(0, self.columns[0])

    @property
    def height(self) -> int:
        """Return the number of rows to draw."""
        return max(self.plane[0] - 1, self.rows[1]) - self.top + 1

    @property
    def width(self) -> int:
        """Return the number of columns to draw."""
        return max(self.plane[1] - 1, self.columns[1]) - self.left + 1


def plot_area(unit: UnitField) -> PlotArea:
    """Return the area to draw for a unit."""
    plane, box = unit.sight.start.shape.spatial, unit.box
    if len(plane) == 1:
        return PlotArea((1, plane[0]), (0, 0), box[0])
    return PlotArea((plane[-2], plane[-1]), box[-2], box[-1])


def text(unit: UnitField, width: int = 72) -> str:
    """Return the drawing in at most `width` columns; two characters are a square of positions."""
    scene = plot_area(unit)
    side = max(1, -(-scene.height // _MOST_ROWS), -(-2 * scene.width // max(width, 16)))
    high = side if scene.height > 1 else 1
    lines: list[str] = []
    for top in range(scene.top, scene.top + scene.height, high):
        cells = [_cell(scene, (top, left), (high, side)) for left in range(scene.left, scene.left + scene.width, side)]
        lines.append("".join(cells).rstrip())
    scale = f"   one mark is {f'{side} x ' * (high > 1)}{side} positions" if side > 1 else ""
    return "\n".join([*lines, "", LEGEND + scale])


def _cell(scene: PlotArea, first: tuple[int, int], size: tuple[int, int]) -> str:
    """Return the characters of a square: whether its positions are in the receptive field, and whether its middle is on
    the map."""
    middle = (start + extent // 2 for start, extent in zip(first, size, strict=True))
    inside = all(0 <= at < extent for at, extent in zip(middle, scene.plane, strict=True))
    boxes = zip((scene.rows, scene.columns), first, size, strict=True)
    if all(box[0] < start + extent and start <= box[1] for box, start, extent in boxes):
        return SEEN if inside else PADDING
    return INPUT if inside else "  "
