"""What all poolings over windows share: sizes, padding, and PyTorch's module where it pads like this."""

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
"""Windows before the input of which each is looked at; more come from no padding that anybody writes."""


PADS = ("same", "valid", "full")


@record
class SlidingPool(SlidingLayer):
    """What all pooling kinds share: `POOL3/2(pad=1, ceil=yes)`.

    The stride defaults to the size, the size to 2. A padding stays smaller than the window, which would otherwise see
    nothing else.
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
        """Whether the output's extents are asked for; no for a sliding window."""
        return False

    def _wanted(self, *inputs: Shape) -> Dims:
        """The extents that are asked for. Raises LayerError where another map has them, of other axes."""
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
        """One for each value in each window."""
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
        """Nothing with `ceil`: a last window reaches what is left over."""
        return () if self._is_adaptive() or self.ceil else super().remainder(*inputs)

    def unread(self, *inputs: Shape) -> tuple[int, ...]:
        """Nothing with `ceil` either."""
        return () if self._is_adaptive() or self.ceil else super().unread(*inputs)

    def size_formula(self, *inputs: Shape) -> tuple[str, ...]:
        return () if self._is_adaptive() else super().size_formula(*inputs)

    def _follows_size(self) -> bool:
        """Whether the module computes its padding from the size of what comes in."""
        return self.pad == "tfsame" and any(size > 1 for size in self.kernel)

    def even_padding(self, x: Shape) -> Dims | None:
        """The padding that PyTorch does by itself: equal on both sides, half the size at most. None if it cannot."""
        if self._follows_size():
            return None
        windows = self._axes(x)
        padding = symmetric(windows)
        if padding is None or any(pad > axis.kernel // 2 for pad, axis in zip(padding, windows, strict=True)):
            return None
        return padding

    def _pads(self, x: Shape) -> tuple[int, ...]:
        """Uneven padding as `F.pad` takes it, last axis first: just so much behind that the last window fits."""
        return tuple(pad for axis in reversed(self._axes(x)) for pad in (axis.before, self._behind(axis)))

    def _behind(self, axis: Axis) -> int:
        return reach(axis) - axis.size

    def _pads_first(self, x: Shape) -> bool:
        """Whether there is a padded copy, because PyTorch does not pad like this by itself."""
        return not self._is_adaptive() and self.even_padding(x) is None

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """The padded copy, if any, and the pooling, which autocast on the CPU runs in fp32 over three axes."""
        x = inputs[0]
        first = (pad(self._padded(x)),) if self._pads_first(x) else ()
        return (*first, self._pooling(len(first), *inputs))

    def _pooling(self, read: int, *inputs: Shape) -> LayerStep:
        """The pooling itself, which keeps what it reads and, of a maximum, the indices."""
        x, kept = inputs[0], self.saved(*inputs)
        indices = tuple(each for each in kept.extra if each[0] == SWITCH_BYTES)
        keeps = (0,) if kept.inputs or kept.extra else ()
        autocast = "full" if x.rank == 3 else "as is"
        return LayerStep((read,), self.output(*inputs).numel, keeps=keeps, extra=indices, autocast=autocast)

    def _padded(self, x: Shape) -> int:
        """The number of values after uneven padding."""
        follows = self._follows_size()
        sides = ((axis, axis.after if follows else self._behind(axis)) for axis in self._axes(x))
        return x.channels * prod(axis.before + axis.size + after for axis, after in sides)

    def _stride(self, x: Shape) -> Keywords:
        """Nothing where the stride is the size, which is PyTorch's default too."""
        if each_axis(self.stride, x.rank, "stride") == each_axis(self.kernel, x.rank, "kernel"):
            return ()
        return (("stride", Slot(squeeze(self.stride), "stride")),)

    def _sliding(self, family: str, x: Shape, extra: Keywords = (), *leading: Slot) -> TorchCall:
        """The module that slides: PyTorch's where it pads like this, else ours, which pads first."""
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
    """A window that touches padding alone has neither a maximum nor a mean."""
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
    """Whether a window touches padding alone: one that begins before an input which its dilation steps over.

    Of each such window the first place that is not before the input counts.

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
    """Where the last window ends, padding before the input not counted."""
    return (axis.output - 1) * axis.stride + axis.extent - axis.before


def _adaptive_reads(size: int, out: int) -> int:
    """How many values all windows of an adaptive pooling read along an axis.

    Window i reads floor(i*size/out) to ceil((i + 1)*size/out): a border that is no integer is read by both sides.

    >>> _adaptive_reads(10, 5), _adaptive_reads(10, 7), _adaptive_reads(1, 7)
    (10, 16, 7)
    """
    return size + out - gcd(size, out)


def _adaptive_window(sizes: Dims, outs: Dims) -> Window | None:
    """Output p is made of the inputs from floor(p*size/out) up to ceil((p+1)*size/out), as PyTorch cuts them."""
    if all(out == 1 for out in outs):
        return None
    reaches: list[Reach] = []
    for size, out in zip(sizes, outs, strict=True):
        step, grow = size // gcd(size, out), out // gcd(size, out)
        reaches.append(Reach(-(step - 1), grow - 1, step, grow))
    return resampled(tuple(reaches))
