"""A bar of a U in its place, with what is joined before or behind it."""

from __future__ import annotations

from dataclasses import dataclass

from cnndsl.emit.drawing.cards.model import UBar
from cnndsl.emit.drawing.layout.pieces import MERGE
from cnndsl.emit.drawing.layout.sketch import SMALL, PlanePoint
from cnndsl.emit.drawing.layout.ushape_legend import KEY
from cnndsl.emit.drawing.measure import width


@dataclass(eq=False)
class PlacedBar:
    """A bar and its place: left, top, width, height; `copy` is the width of what a link brings along, at its left,
    `behind` that at its right, and `copied` its channels; `key` tells a layer from the usual one of its role."""

    bar: UBar
    x: float
    y: float
    across: float
    height: float
    copy: float = 0
    sums: bool = False
    copied: int = 0
    key: str = ""
    behind: float = 0

    @property
    def anchor(self) -> float:
        """Return where an edge up begins: the middle of the bar, or of the circle of its sum."""
        return sum_at(self)[0] if self.sums else self.centre

    @property
    def has_key_inside(self) -> bool:
        """Return whether there is room for a key in the bar, beside its mark if it has one."""
        taken = 2 * KEY + 2 if self.bar.mark else 0
        return min(self.across, self.height - taken) > 2 * KEY + 1

    @property
    def key_y(self) -> float:
        """Return the height of a key in the bar."""
        return self.middle - (KEY if self.bar.mark else 0)

    @property
    def low(self) -> float:
        """Return where an edge beneath the bar and its marks begins."""
        marks = 11 if self.bar.times > 1 else 0
        return self.bottom + 2 + marks + (2 * KEY + 2 if self.key and not self.has_key_inside else 0)

    @property
    def bottom(self) -> float:
        """Return where the bar ends."""
        return self.y + self.height

    @property
    def centre(self) -> float:
        """Return the middle of its width."""
        return self.x + self.across / 2

    @property
    def right(self) -> float:
        """Return where it ends, with what is joined behind it."""
        return self.x + self.across + self.behind

    @property
    def label_right(self) -> float:
        """Return where the channels above it end, with those of what is joined behind it."""
        own, copied = width(str(self.bar.channels), SMALL), width(str(self.copied), SMALL)
        if not self.behind:
            return self.centre + own / 2
        apart = (self.across + self.behind) / 2
        return self.centre + apart + copied / 2 + max((own + copied) / 2 + 3 - apart, 0) / 2

    @property
    def middle(self) -> float:
        """Return the middle of its height."""
        return self.y + self.height / 2


def sum_at(each: PlacedBar) -> PlanePoint:
    """The middle of the circle of a sum, right of a bar."""
    return each.right + 9 + MERGE, each.middle
