"""The base of layer types that bring a map to a size: `out=30x40`, or `out=@x`, the size of another map."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from cnndsl.layers.base import Dims, Layer, LayerError, option
from cnndsl.records import record
from cnndsl.shape import Shape


@record
class Sized(Layer):
    """A layer type with the option `out`: a size, or another map, whose size is read whenever the module runs."""

    INPUTS: ClassVar = (1, 2)

    out: Dims = option("dims", (), minimum=1, like="like", kw_only=True)
    like: bool = field(default=False, kw_only=True)
    """Whether the output has the size of the second input."""

    @property
    def extents_of(self) -> int:
        return int(self.like)

    def _is_adaptive(self) -> bool:
        """Return whether `out` gives the output's size."""
        return self.like or bool(self.out)

    def _wanted(self, *inputs: Shape) -> Dims:
        """Return the size that `out` gives. Raises LayerError if another map gives it, with other axes."""
        x, *others = inputs
        return extents_of(others[0], x.rank) if self.like else self.out


def extents_of(x: Shape, rank: int) -> Dims:
    """Return the size of a map for another map with `rank` axes. Raises LayerError if the number of axes differs."""
    if x.rank != rank:
        axes = "axis" if rank == 1 else "axes"
        message = f"`out` refers to an output with {x.rank} spatial axes, but the input has {rank}"
        if x.rank == 0:
            message = "`out` refers to a vector, which has no size to resize to"
        raise LayerError("E0303", message, f"refer to a map with {rank} spatial {axes}")
    return x.spatial
