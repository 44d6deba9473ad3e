"""The base of poolings over windows: sizes, padding, and PyTorch's module if it supports the padding."""

from __future__ import annotations

from math import gcd, prod
from typing import ClassVar

from cnndsl.layers.base import (
    Dims,
    Keywords,
    LayerError,
    Padding,
    Slot,
    TorchCall,
    Window,
    each_axis,
    need_spatial,
    option,
    squeeze,
)
from cnndsl.layers.steps import SWITCH_BYTES, LayerStep, pad
from cnndsl.layers.window import Axis, Reach, SlidingLayer, axes, resampled, slide, symmetric
from cnndsl.records import record
from cnndsl.shape import Shape

_MOST_EARLY = 100_000
"""The most windows before the input that are checked one by one; no realistic padding has more."""


PADS = ("same", "valid", "full")


@record
class SlidingPool(SlidingLayer):
    """The base of all poolings over windows: `POOL3/2(pad=1, ceil=yes)`.

    The stride defaults to the size, the size to 2. The padding must be smaller than the window, or a window could see
    only padding.
    """

    ROLE: ClassVar = "pooling"
    DEFAULTS: ClassVar = (("stride", "kernel"),)
    SIZE: ClassVar = "kernel"
    STRIDE: ClassVar = "stride"

    kernel: Dims = option("dims", (), "F", minimum=1)
    stride: Dims = option("dims", (), "S", minimum=1)
    pad: Padding = option("padding", "valid", "P", minimum=0, words=PADS)
    ceil: bool = option("flag", False)

    def __post_init__(self) -> None:
        if not self._is_adaptive():
            object.__setattr__(self, "kernel", self.kernel or (2,))
            object.__setattr__(self, "stride", self.stride or self.kernel)

    def _is_adaptive(self) -> bool:
        """Return whether the output's size is given by `out`; false for a sliding window."""
        return False

    def _wanted(self, *inputs: Shape) -> Dims:
        """Return the size that `out` gives. Raises LayerError if another map gives it, with other axes."""
        return ()

    def _dilation(self) -> Dims:
        return (1,)

    def _axes(self, x: Shape) -> tuple[Axis, ...]:
        return axes(x, self.kernel, self.stride, self._dilation(), self.pad, self.ceil)

    def output(self, *inputs: Shape) -> Shape:
        x = inputs[0]
        need_spatial(self.kind(), x)
        if len(inputs) > 1 and not self.extents_of:
            message = f"{self.kind()} takes one input, or two to copy the size of the second"
            raise LayerError("E0305", message, "say `out=@x`")
        if self._is_adaptive():
            return Shape(x.channels, self._adapted(*inputs))
        if self.pad == "tfsame" and self.ceil:
            message = "`pad=tfsame` already rounds up; `ceil` would add windows outside the padding"
            raise LayerError("E0305", message, "remove `ceil`")
        windows = self._axes(x)
        spatial = slide(windows, self.kind(), x)
        _refuse_blind(windows, self.kind())
        return Shape(x.channels, spatial)

    def _adapted(self, *inputs: Shape) -> Dims:
        if self.kernel or self.stride or self.pad != "valid" or self.ceil or self._dilation() != (1,):
            message = f"{self.kind()} takes either `out`, or a size, stride, padding, dilation and `ceil`"
            raise LayerError("E0305", message, "with `out` the windows follow from the input: remove the others")
        return each_axis(self._wanted(*inputs), inputs[0].rank, "output")

    def operations(self, *inputs: Shape) -> int:
        """Return one operation for each value in each window."""
        x = inputs[0]
        if self._is_adaptive():
            sides = zip(x.spatial, self._adapted(*inputs), strict=True)
            return x.channels * prod(_adaptive_reads(size, out) for size, out in sides)
        return self.output(x).numel * prod(each_axis(self.kernel, x.rank, "kernel"))

    def window(self, *inputs: Shape) -> Window | None:
        x = inputs[0]
        if self._is_adaptive():
            return _adaptive_window(x.spatial, self._adapted(*inputs))
        return super().window(x)

    def remainder(self, *inputs: Shape) -> tuple[int, ...]:
        """Return nothing with `ceil`: a last window covers the remainder."""
        return () if self._is_adaptive() or self.ceil else super().remainder(*inputs)

    def unread(self, *inputs: Shape) -> tuple[int, ...]:
        """Return nothing with `ceil` either."""
        return () if self._is_adaptive() or self.ceil else super().unread(*inputs)

    def size_formula(self, *inputs: Shape) -> tuple[str, ...]:
        return () if self._is_adaptive() else super().size_formula(*inputs)

    def _follows_size(self) -> bool:
        """Return whether the module computes its padding from the size of its input."""
        return self.pad == "tfsame" and any(size > 1 for size in self.kernel)

    def even_padding(self, x: Shape) -> Dims | None:
        """Return the padding that PyTorch supports: equal on both sides, at most half the size. None if it cannot."""
        if self._follows_size():
            return None
        windows = self._axes(x)
        padding = symmetric(windows)
        if padding is None or any(pad > axis.kernel // 2 for pad, axis in zip(padding, windows, strict=True)):
            return None
        return padding

    def _pads(self, x: Shape) -> tuple[int, ...]:
        """Return uneven padding as `F.pad` takes it, last axis first: at the end just enough for the last window."""
        return tuple(pad for axis in reversed(self._axes(x)) for pad in (axis.before, self._behind(axis)))

    def _behind(self, axis: Axis) -> int:
        return reach(axis) - axis.size

    def _pads_first(self, x: Shape) -> bool:
        """Return whether there is a padded copy, because PyTorch does not support the padding itself."""
        return not self._is_adaptive() and self.even_padding(x) is None

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return the padded copy, if any, and the pooling, which autocast on the CPU runs in fp32 for three axes."""
        x = inputs[0]
        first = (pad(self._padded(x)),) if self._pads_first(x) else ()
        return (*first, self._pooling(len(first), *inputs))

    def _pooling(self, read: int, *inputs: Shape) -> LayerStep:
        """Return the pooling itself, which saves what it reads and, for a maximum, the indices."""
        x, kept = inputs[0], self.saved(*inputs)
        indices = tuple(each for each in kept.extra if each[0] == SWITCH_BYTES)
        keeps = (0,) if kept.inputs or kept.extra else ()
        autocast = "full" if x.rank == 3 else "as is"
        return LayerStep((read,), self.output(*inputs).numel, keeps=keeps, extra=indices, autocast=autocast)

    def _padded(self, x: Shape) -> int:
        """Return the number of values after uneven padding."""
        follows = self._follows_size()
        sides = ((axis, axis.after if follows else self._behind(axis)) for axis in self._axes(x))
        return x.channels * prod(axis.before + axis.size + after for axis, after in sides)

    def _stride(self, x: Shape) -> Keywords:
        """Return the stride, or nothing if it equals the size, which is PyTorch's default too."""
        if each_axis(self.stride, x.rank, "stride") == each_axis(self.kernel, x.rank, "kernel"):
            return ()
        return (("stride", Slot(squeeze(self.stride), "stride")),)

    def _sliding(self, family: str, x: Shape, extra: Keywords = (), *leading: Slot) -> TorchCall:
        """Return the sliding module: PyTorch's if it supports the padding, else ours, which pads first."""
        arguments = (*leading, Slot(squeeze(self.kernel), "kernel"))
        padding = self.even_padding(x)
        if self._follows_size():
            return self.helper_call(f"Same{family}{x.rank}d", arguments, (*self._stride(x), *extra))
        if padding is None:
            keywords = (*self._stride(x), ("pads", Slot(self._pads(x))), *extra)
            return self.helper_call(f"Padded{family}{x.rank}d", arguments, keywords)
        pads: Keywords = (("padding", Slot(squeeze(padding), "padding")),) if any(padding) else ()
        ceil: Keywords = (("ceil_mode", Slot(True)),) if self.ceil else ()
        return TorchCall(f"nn.{family}{x.rank}d", arguments, (*self._stride(x), *pads, *ceil, *extra))


def _refuse_blind(windows: tuple[Axis, ...], kind: str) -> None:
    """Raise LayerError for a window that touches only padding: it has neither a maximum nor a mean."""
    for axis in windows:
        pad = max(axis.before, axis.after)
        if pad >= axis.extent:
            message = f"a padding of {pad} is as large as the window of {kind}, which spans {axis.extent}"
            raise LayerError("E0305", message, f"pad by at most {axis.extent - 1}")
        if axis.dilation > axis.size and _is_blind(axis):
            noun = "position" if axis.size == 1 else "positions"
            message = f"with a dilation of {axis.dilation} on {axis.size} {noun} {kind} has windows of padding only"
            raise LayerError("E0305", message, f"dilate by at most {axis.size}")


def _is_blind(axis: Axis) -> bool:
    """Return whether a window touches only padding: one that begins before an input that its dilation skips.

    For each such window only the first position that is not before the input needs to be checked.

    >>> _is_blind(Axis(size=1, kernel=3, stride=1, dilation=2, before=2, after=2))
    False
    >>> _is_blind(Axis(size=1, kernel=3, stride=1, dilation=2, before=3, after=3))
    True
    """
    early = min(axis.output, -(-axis.before // axis.stride))
    if early > _MOST_EARLY:
        return True
    return any((at * axis.stride - axis.before) % axis.dilation >= axis.size for at in range(early))


def reach(axis: Axis) -> int:
    """Return where the last window ends, not counting padding before the input."""
    return (axis.output - 1) * axis.stride + axis.extent - axis.before


def _adaptive_reads(size: int, out: int) -> int:
    """Return how many values all windows of an adaptive pooling read along an axis, in total.

    Window i reads floor(i*size/out) to ceil((i + 1)*size/out): both neighbours read a position that a boundary divides.

    >>> _adaptive_reads(10, 5), _adaptive_reads(10, 7), _adaptive_reads(1, 7)
    (10, 16, 7)
    """
    return size + out - gcd(size, out)


def _adaptive_window(sizes: Dims, outs: Dims) -> Window | None:
    """Return the window: output p reads inputs from floor(p*size/out) up to ceil((p+1)*size/out), as in PyTorch."""
    if all(out == 1 for out in outs):
        return None
    reaches: list[Reach] = []
    for size, out in zip(sizes, outs, strict=True):
        step, grow = size // gcd(size, out), out // gcd(size, out)
        reaches.append(Reach(-(step - 1), grow - 1, step, grow))
    return resampled(tuple(reaches))
