"""The shape of a layer's input or output."""

from __future__ import annotations

from math import prod

from cnndsl.records import record


@record(slots=True)
class Shape:
    """Channels over a grid of 0 to 3 spatial axes; written H x W x C, as in the literature.

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
        """The number of values per image."""
        return self.channels * self.pixels

    @property
    def hwc(self) -> tuple[int, ...]:
        """The sizes as written: the spatial ones, then the channels."""
        return (*self.spatial, self.channels)

    @property
    def is_vector(self) -> bool:
        """Whether there is only one position, written as C or as 1x1xC."""
        return self.pixels == 1

    @classmethod
    def of(cls, hwc: tuple[int, ...]) -> Shape:
        """Return the shape with these sizes, in the order in which they are written."""
        return cls(hwc[-1], hwc[:-1])

    def __repr__(self) -> str:
        return "x".join(map(str, self.hwc))


def axis_names(rank: int) -> tuple[str, ...]:
    """Return the names of spatial axes: the last ones of depth, height and width.

    >>> axis_names(0), axis_names(2)
    ((), ('height', 'width'))
    """
    return ("depth", "height", "width")[3 - rank :]
