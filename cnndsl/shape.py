"""The volume that a layer takes or gives."""

from __future__ import annotations

from math import prod

from cnndsl.records import record


@record(slots=True)
class Shape:
    """Channels over a grid of 0 to 3 spatial axes; written H x W x C, as the literature writes volumes.

    >>> Shape(64, (56, 56))
    56x56x64
    >>> Shape(1000).numel
    1000
    """

    channels: int
    spatial: tuple[int, ...] = ()

    @property
    def rank(self) -> int:
        """The number of spatial axes."""
        return len(self.spatial)

    @property
    def pixels(self) -> int:
        """The number of positions on the grid."""
        return prod(self.spatial)

    @property
    def numel(self) -> int:
        """The number of values, of one image."""
        return self.channels * self.pixels

    @property
    def hwc(self) -> tuple[int, ...]:
        """The extents as written: the spatial ones, then the channels."""
        return (*self.spatial, self.channels)

    @property
    def is_vector(self) -> bool:
        """True for C values at one position, be it written C or 1x1xC."""
        return self.pixels == 1

    @classmethod
    def of(cls, hwc: tuple[int, ...]) -> Shape:
        """The shape of extents as written."""
        return cls(hwc[-1], hwc[:-1])

    def __repr__(self) -> str:
        return "x".join(map(str, self.hwc))


def axis_names(rank: int) -> tuple[str, ...]:
    """Return what spatial axes are called, the last ones of depth, height and width.

    >>> axis_names(0), axis_names(2)
    ((), ('height', 'width'))
    """
    return ("depth", "height", "width")[3 - rank :]
