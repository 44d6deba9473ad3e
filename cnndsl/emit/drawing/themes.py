"""The colours of pictures: a table for each theme, and the role that selects the colour of a layer.

The values are checked for contrast, for colour blindness, and for grey print. A theme without colours hatches a bar at
the left of a box instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

from cnndsl.emit.drawing.display import PaintName
from cnndsl.layers.base import Layer, Role
from cnndsl.records import record

ThemeName: TypeAlias = Literal["paper", "dark", "mono"]
THEMES: tuple[ThemeName, ...] = get_args(ThemeName)

PaletteRole: TypeAlias = Literal["conv", "pool", "norm", "act", "fc", "up", "gate", "io"]
"""The role of a box that selects its colour. `gate` is a block that ends in a product; no single layer is one."""
PALETTE: tuple[PaletteRole, ...] = get_args(PaletteRole)

Hatching: TypeAlias = Literal["", "down", "up", "across", "upright", "crossed"]
"""How a theme without colours marks a role: slanted down or up to the right, lines across, upright, or crossed."""

_ROLES: Mapping[Role, PaletteRole] = {
    "convolution": "conv",
    "pooling": "pool",
    "normalisation": "norm",
    "activation": "act",
    "dense": "fc",
    "resize": "up",
}


def role_of(layer: Layer) -> PaletteRole:
    """Return the role in the palette of a layer.

    >>> from cnndsl.layers import find
    >>> role_of(find("CONVT")()), role_of(find("SOFTMAX")()), role_of(find("DROPOUT")())
    ('up', 'act', 'io')
    """
    return "up" if layer.ENLARGES else _ROLES.get(layer.ROLE, "io")


@record(slots=True)
class Theme:
    """The values of all colours, by their names, and the hatching of each role that has one."""

    name: ThemeName
    colours: Mapping[PaintName, str]
    hatches: Mapping[str, Hatching]
    margin: float = 3
    """The margin in pixels around a picture."""

    def value(self, paint: PaintName) -> str:
        """Return the value of a colour as #RRGGBB; empty for no colour."""
        return self.colours[paint] if paint else ""


_SURFACES = ("bg", "panel", "card", "ink", "mute", "line", "hair", "ghost", "error", "error-ground")
_HEAT = "#FBF3E2 #F6D59A #EDA65A #CF6A2B #8C2D12"
_HEAT_INK = "#18212B #18212B #18212B #18212B #FFFFFF"
"""Dark ink or white, whichever has the greater contrast on each step."""


def _theme(name: ThemeName, surfaces: str, fills: str, strokes: str, **hatches: Hatching) -> Theme:
    """Return a theme from its values in the order of the surfaces and of the palette."""
    steps = [f"heat-{step}" for step in range(5)]
    names = (*_SURFACES, *PALETTE, *(f"{role}-stroke" for role in PALETTE), *steps, *(f"{step}-ink" for step in steps))
    values = " ".join((surfaces, fills, strokes, _HEAT, _HEAT_INK)).split()
    return Theme(name, dict(zip(names, values, strict=True)), hatches, 12 if name == "dark" else 3)


_ALL: Mapping[ThemeName, Theme] = {
    "paper": _theme(
        "paper",
        "#FFFFFF #F6F8FA #FFFFFF #18212B #55616D #3A4652 #C9D0D7 #6F7A85 #B3001B #FDE7E9",
        "#BDD0F5 #EC8768 #F3E7BF #FFD572 #A18BC8 #90CAA6 #E29BC1 #F1F3F5",
        "#2A62B4 #B13A12 #96823F #A87700 #553A94 #17794A #A3346F #7E8994",
    ),
    "dark": _theme(
        "dark",
        "#10161D #18212B #202B36 #EDF1F5 #A6B2BE #B6C1CB #3A4652 #8592A0 #FF7B86 #45161C",
        "#26639A #8A4C2E #33271A #544500 #54369A #3A6050 #5F265E #28323D",
        "#86BEF2 #F5A27B #C2AC74 #F0BE4A #C0ABF0 #74CFA4 #EE9CC4 #8A95A0",
    ),
    "mono": _theme(
        "mono",
        "#FFFFFF #FFFFFF #FFFFFF #000000 #4A4A4A #222222 #BDBDBD #6F6F6F #000000 #FFFFFF",
        "#DEDEDE #BCBCBC #FFFFFF #EFEFEF #A8A8A8 #FFFFFF #CDCDCD #FFFFFF",
        " ".join(["#000000"] * 8),
        pool="down",
        norm="across",
        act="upright",
        up="up",
        gate="crossed",
    ),
}


def theme(name: ThemeName) -> Theme:
    """Return a theme by its name."""
    return _ALL[name]
