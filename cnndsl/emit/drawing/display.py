"""The display list: the items of a picture, before it is written as SVG, PNG, PDF or TikZ.

Lengths are CSS pixels at 100 %, x to the right and y down. Colours are names of the palette (`PaintName`), which a
theme turns into values when the picture is written. This module is independent of networks, fonts and file formats.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from cnndsl.records import record

PaintName: TypeAlias = str
"""A colour by its name: a surface (`ink`, `mute`, `line`, `hair`, `panel`, `card`, `ghost`, `error`, `error-ground`,
`bg`), the fill of a role (`conv`, `pool`, `norm`, `act`, `fc`, `up`, `gate`, `io`), its stroke (`conv-stroke`), or a
step of the heat scale (`heat-0` to `heat-4`) with the colour of text on it (`heat-0-ink`)."""

Weight: TypeAlias = Literal[400, 500, 600, 700]

Command: TypeAlias = tuple[Literal["M", "L", "C", "Z"], tuple[float, ...]]
"""A step of a path: move or line to a point, a cubic curve with two control points, or back to the start."""


@record(slots=True)
class RectangleItem:
    """A rectangle whose corners are rounded by a radius on both sides or on one.

    `hatch` belongs on the bar at the left of a box, not on the box, and names its role. A theme with colours fills the
    bar. A theme without draws the role's pattern instead, 6 pixels wide, or nothing for a role that has none. Without
    fill and stroke it is invisible and catches the pointer, for a tooltip.
    """

    x: float
    y: float
    width: float
    height: float
    fill: PaintName = ""
    stroke: PaintName = ""
    line: float = 0
    radius: float = 0
    dash: tuple[float, ...] = ()
    hatch: str = ""
    rounded: Literal["both", "left", "right"] = "both"


@record(slots=True)
class PathItem:
    """Lines and curves."""

    commands: tuple[Command, ...]
    fill: PaintName = ""
    stroke: PaintName = ""
    line: float = 0
    dash: tuple[float, ...] = ()


@record(slots=True)
class TextItem:
    """One line of text, its baseline at y. `room` is the maximum width; `turned` reads upwards."""

    x: float
    y: float
    text: str
    size: float
    weight: Weight = 400
    paint: PaintName = "ink"
    anchor: Literal["start", "middle", "end"] = "start"
    room: float = 0
    turned: bool = False
    mono: bool = False


@record(slots=True)
class GroupItem:
    """Items that belong together: `id` comes from a path of the network, `title` is a tooltip, `link` an address."""

    id: str
    items: tuple[DisplayItem, ...]
    title: str = ""
    link: str = ""


DisplayItem: TypeAlias = RectangleItem | PathItem | TextItem | GroupItem


@record(slots=True)
class Picture:
    """A picture. Its ids start with `name`; `title` and `description` serve readers who cannot see it.

    Writers add the theme's margin on all sides.
    """

    name: str
    width: float
    height: float
    items: tuple[DisplayItem, ...]
    title: str
    description: str = ""
