"""A bar of a U in its position, with the copies that are concatenated before or after it."""

from __future__ import annotations

from dataclasses import dataclass

from cnndsl.emit.drawing.cards.model import UBar
from cnndsl.emit.drawing.layout.pieces import MERGE
from cnndsl.emit.drawing.layout.sketch import SMALL, PlanePoint
from cnndsl.emit.drawing.layout.ushape_legend import KEY
from cnndsl.emit.drawing.measure import width


@dataclass(eq=False)
class PlacedBar:
    """A bar and its position: left, top, width, height; `copy` is the width of the copy that a link adds at its left,
    `behind` that at its right, and `copied` the number of its channels; `key` tells a layer from the usual one of its
    role."""

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
        """Return where it ends, with the copy after it."""
        return self.x + self.across + self.behind

    @property
    def label_right(self) -> float:
        """Return where the channels above it end, with those of the copy after it."""
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
    """Return the middle of the circle of a sum, right of a bar."""
    return each.right + 9 + MERGE, each.middle
