"""The arithmetic of sliding windows: padding is defined only here.

Let e = dilation*(kernel-1)+1. `same` pads e-1 in total, floor half of it before the input; `valid` nothing; `full` e-1
on both sides; a number that much on both sides. `tfsame` pads max((ceil(W/stride) - 1)*stride + e - W, 0) in total,
floor half of it before the input (tensorflow.org/api_docs/python/tf/nn, "Notes on padding").

Output = floor((W + pads - e)/stride) + 1, or ceil with PyTorch's rule that the last window starts inside the input or
the padding before it (torch.nn.MaxPool2d, `ceil_mode`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from cnndsl.layers.base import Dims, Layer, LayerError, Padding, Window, each_axis
from cnndsl.layers.formulas import spanned
from cnndsl.records import record
from cnndsl.shape import Shape


@record(slots=True)
class Axis:
    """A window along one axis of the input."""

    size: int
    kernel: int
    stride: int
    dilation: int
    before: int
    after: int
    ceil: bool = False

    @property
    def extent(self) -> int:
        """Return e, the number of positions from the first to the last that the kernel touches.

        >>> Axis(size=32, kernel=3, stride=1, dilation=2, before=0, after=0).extent
        5
        """
        return self.dilation * (self.kernel - 1) + 1

    @property
    def output(self) -> int:
        """Return the number of window positions; below 1 if the window does not fit.

        >>> Axis(size=224, kernel=11, stride=4, dilation=1, before=2, after=2).output
        55
        >>> Axis(size=112, kernel=3, stride=2, dilation=1, before=0, after=0, ceil=True).output
        56
        """
        room = self.size + self.before + self.after - self.extent
        if room < 0:
            return 0
        steps = -(-room // self.stride) if self.ceil else room // self.stride
        if self.ceil and steps * self.stride >= self.size + self.before:
            steps -= 1
        return steps + 1

    @property
    def formula(self) -> str:
        """Return the formula of the output; it has `floor` or `ceil` only if the division leaves a remainder.

        >>> Axis(size=227, kernel=11, stride=4, dilation=1, before=0, after=0).formula
        '(227 - 11 + 2*0)/4 + 1'
        >>> Axis(size=8, kernel=3, stride=2, dilation=2, before=1, after=2).formula
        '(8 - (2*(3 - 1) + 1) + 1 + 2)/2 + 1'
        >>> Axis(size=112, kernel=3, stride=2, dilation=1, before=0, after=0, ceil=True).formula
        'ceil((112 - 3 + 2*0)/2) + 1'
        """
        padding = f"2*{self.before}" if self.before == self.after else f"{self.before} + {self.after}"
        steps = f"({self.size} - {spanned(self.kernel, self.dilation)} + {padding})/{self.stride}"
        if self.remainder:
            steps = f"{'ceil' if self.ceil else 'floor'}({steps})"
        room = self.size + self.before + self.after - self.extent
        most = -(-room // self.stride) if self.ceil else room // self.stride
        return f"{steps} + 1" if self.output == most + 1 else f"{steps} + 1 - 1"

    @property
    def remainder(self) -> int:
        """Return the remainder of the division by the stride."""
        return (self.size + self.before + self.after - self.extent) % self.stride

    @property
    def unread(self) -> int:
        """Return how many of the last positions of the input no window reaches, beyond the gap between any two windows.

        >>> Axis(size=224, kernel=7, stride=2, dilation=1, before=3, after=3).unread  # one of the padding
        0
        >>> Axis(size=224, kernel=7, stride=2, dilation=1, before=0, after=0).unread
        1
        >>> Axis(size=56, kernel=1, stride=2, dilation=1, before=0, after=0).unread  # as every second one
        0
        """
        return max(0, self.remainder - self.after - max(0, self.stride - self.extent))


def axes(
    x: Shape, kernel: Dims, stride: Dims, dilation: Dims = (1,), pad: Padding = "valid", ceil: bool = False
) -> tuple[Axis, ...]:
    """Return the window along each axis of the input. Raises LayerError if a number of axes does not match."""
    return _axes(x.spatial, kernel, stride, dilation, pad, ceil)


@lru_cache(maxsize=4096)
def _axes(spatial: Dims, kernel: Dims, stride: Dims, dilation: Dims, pad: Padding, ceil: bool) -> tuple[Axis, ...]:
    """Compute the same, cached for all layers that have these numbers: every property of a layer needs it."""
    rank = len(spatial)
    kernel, stride = each_axis(kernel, rank, "kernel"), each_axis(stride, rank, "stride")
    dilation = each_axis(dilation, rank, "dilation")
    if pad == "tfsame":
        front, back = _tensorflow_pads(spatial, kernel, stride, dilation)
    else:
        front, back = _pads(kernel, dilation, pad)
    return tuple(
        Axis(*numbers, ceil=ceil) for numbers in zip(spatial, kernel, stride, dilation, front, back, strict=True)
    )


def _pads(kernel: Dims, dilation: Dims, pad: Padding) -> tuple[Dims, Dims]:
    overlap = tuple(d * (k - 1) for k, d in zip(kernel, dilation, strict=True))
    if pad == "same":
        front = tuple(e // 2 for e in overlap)
        return front, tuple(e - f for e, f in zip(overlap, front, strict=True))
    if pad == "full":
        return overlap, overlap
    both = (0,) * len(kernel) if isinstance(pad, str) else each_axis(pad, len(kernel), "padding")
    return both, both


def _tensorflow_pads(spatial: Dims, kernel: Dims, stride: Dims, dilation: Dims) -> tuple[Dims, Dims]:
    """Return the padding that gives ceil(W/stride) windows, the last of which ends where the padding does.

    >>> _tensorflow_pads((224, 225), (3, 3), (2, 2), (1, 1))
    ((0, 1), (1, 1))
    """
    totals = tuple(
        max((-(-size // s) - 1) * s + d * (k - 1) + 1 - size, 0)
        for size, k, s, d in zip(spatial, kernel, stride, dilation, strict=True)
    )
    return tuple(total // 2 for total in totals), tuple(total - total // 2 for total in totals)


def slide(windows: tuple[Axis, ...], kind: str, x: Shape) -> Dims:
    """Return the spatial size of the output. Raises LayerError if a window does not fit into the padded input."""
    spatial = tuple(axis.output for axis in windows)
    for axis in windows:
        if axis.output < 1:
            padded = axis.size + axis.before + axis.after
            room = f"{padded}, padding included" if padded > axis.size else f"{padded}"
            message = f"the window of {kind} spans {axis.extent} positions, but the input {x} has only {room}"
            raise LayerError("E0301", message, "remove an earlier pooling or stride, or use a larger input")
    return spatial


def as_window(windows: tuple[Axis, ...]) -> Window:
    """Return the windows in the form that receptive fields use."""
    return Window(
        tuple(axis.extent for axis in windows),
        tuple(axis.stride for axis in windows),
        tuple(axis.before for axis in windows),
    )


@record
class SlidingLayer(Layer):
    """The base of layers that slide windows over their input."""

    def _axes(self, x: Shape) -> tuple[Axis, ...]:
        """Return the window along each axis."""
        raise NotImplementedError

    def window(self, *inputs: Shape) -> Window | None:
        return as_window(self._axes(inputs[0]))

    def remainder(self, *inputs: Shape) -> tuple[int, ...]:
        return tuple(axis.remainder for axis in self._axes(inputs[0]))

    def unread(self, *inputs: Shape) -> tuple[int, ...]:
        return tuple(axis.unread for axis in self._axes(inputs[0]))

    def size_formula(self, *inputs: Shape) -> tuple[str, ...]:
        return tuple(axis.formula for axis in self._axes(inputs[0]))


@record(slots=True)
class Reach:
    """The positions that resampling reads along one axis: output p needs the inputs q with lowest <= step*p - grow*q <=
    highest.

    The output has grow/step times as many positions as the input.
    """

    lowest: int
    highest: int
    step: int
    grow: int

    @property
    def before(self) -> int:
        """Return how far before the input it begins: in inputs without magnification, else in places between them."""
        return self.highest if self.grow == 1 else -self.lowest


def resampled(reaches: tuple[Reach, ...]) -> Window:
    """Return the window of a resampling with one reach for each axis.

    >>> resampled((Reach(lowest=0, highest=1, step=1, grow=2),))
    Window(extent=(2,), step=(1,), before=(0,), grow=(2,), spacing=())
    >>> resampled((Reach(lowest=-2, highest=0, step=3, grow=1),))
    Window(extent=(3,), step=(3,), before=(0,), grow=(1,), spacing=())
    """
    return Window(
        tuple(reach.highest - reach.lowest + 1 for reach in reaches),
        tuple(reach.step for reach in reaches),
        tuple(reach.before for reach in reaches),
        tuple(reach.grow for reach in reaches),
    )


def symmetric(windows: tuple[Axis, ...]) -> Dims | None:
    """Return the padding, equal on both sides, that gives the same result; None if there is none.

    Padding after the input that no window reaches can have any size.

    >>> symmetric((Axis(size=32, kernel=2, stride=2, dilation=1, before=0, after=1),))
    (0,)
    >>> symmetric((Axis(size=32, kernel=2, stride=1, dilation=1, before=0, after=1),)) is None
    True
    """
    for axis in windows:
        if axis.before != axis.after and replace(axis, after=axis.before).output != axis.output:
            return None
    return tuple(axis.before for axis in windows)
