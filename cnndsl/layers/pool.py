"""Pooling over windows (`POOL`, `AVGPOOL`, `SUMPOOL`, `LPPOOL`), to a given size, and of all (`GAP`, `GMP`).

What undoes a pooling is in `resize`.
"""

from __future__ import annotations

from math import gcd, prod
from typing import ClassVar, Literal, TypeAlias

from cnndsl.layers.base import (
    Dims,
    Layer,
    LayerError,
    Padding,
    Saved,
    Slot,
    TorchCall,
    Window,
    each_axis,
    need_spatial,
    option,
    squeeze,
)
from cnndsl.layers.window import Axis, Reach, as_window, axes, resampled, slide, symmetric
from cnndsl.records import record
from cnndsl.shape import Shape

Keywords: TypeAlias = tuple[tuple[str, Slot | TorchCall], ...]


@record
class SlidingPool(Layer):
    """What all pooling kinds share: `POOL3/2(pad=1, ceil=yes)`.

    The stride defaults to the size, the size to 2. A padding stays smaller than the window, which would otherwise see
    nothing else.
    """

    FAMILY: ClassVar = "pool"
    DEFAULTS: ClassVar = (("stride", "kernel"),)
    SIZE: ClassVar = "kernel"
    STRIDE: ClassVar = "stride"

    kernel: Dims = option("dims", (), "F", minimum=1)
    stride: Dims = option("dims", (), "S", minimum=1)
    pad: Padding = option("padding", "valid", "P", minimum=0, words=("same", "valid", "full"))
    ceil: bool = option("flag", False)

    def __post_init__(self) -> None:
        if not self._adaptive():
            object.__setattr__(self, "kernel", self.kernel or (2,))
            object.__setattr__(self, "stride", self.stride or self.kernel)

    def _adaptive(self) -> Dims:
        """The output's extents where they are asked for; empty for a sliding window."""
        return ()

    def _dilation(self) -> Dims:
        return (1,)

    def _axes(self, x: Shape) -> tuple[Axis, ...]:
        return axes(x, self.kernel, self.stride, self._dilation(), self.pad, self.ceil)

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_spatial(self.kind(), x)
        if self._adaptive():
            return Shape(x.channels, self._adapted(x))
        windows = self._axes(x)
        spatial = slide(windows, self.kind(), x)
        _refuse_blind(windows, self.kind())
        return Shape(x.channels, spatial)

    def _adapted(self, x: Shape) -> Dims:
        if self.kernel or self.stride or self.pad != "valid" or self.ceil or self._dilation() != (1,):
            message = f"{self.kind()} takes either `out`, or a size, stride, padding, dilation and `ceil`"
            raise LayerError("E0305", message, "with `out` the windows follow from the input: leave the rest away")
        return each_axis(self._adaptive(), x.rank, "output")

    def operations(self, *inputs: Shape) -> int:
        """One for each value in each window."""
        (x,) = inputs
        if self._adaptive():
            return x.numel
        return self.output(x).numel * prod(each_axis(self.kernel, x.rank, "kernel"))

    def window(self, *inputs: Shape) -> Window | None:
        (x,) = inputs
        return _adaptive_window(x.spatial, self._adapted(x)) if self._adaptive() else as_window(self._axes(x))

    def remainder(self, *inputs: Shape) -> tuple[int, ...]:
        return () if self._adaptive() else tuple(axis.remainder for axis in self._axes(inputs[0]))

    def even_padding(self, x: Shape) -> Dims | None:
        """The padding that PyTorch does by itself: equal on both sides, half the size at most. None if it cannot."""
        windows = self._axes(x)
        padding = symmetric(windows)
        if padding is None or any(pad > axis.kernel // 2 for pad, axis in zip(padding, windows, strict=True)):
            return None
        return padding

    def _pads(self, x: Shape) -> tuple[int, ...]:
        """Uneven padding as `F.pad` takes it, last axis first: just so much behind that the last window fits."""
        return tuple(pad for axis in reversed(self._axes(x)) for pad in (axis.before, self._behind(axis)))

    def _behind(self, axis: Axis) -> int:
        return _reach(axis) - axis.size

    def scratch(self, *inputs: Shape) -> tuple[int, int]:
        """The padded copy, where PyTorch does not pad by itself."""
        (x,) = inputs
        return 0 if self._adaptive() or self.even_padding(x) is not None else self._padded(x), 0

    def _padded(self, x: Shape) -> int:
        """The number of values after uneven padding."""
        return x.channels * prod(axis.before + axis.size + self._behind(axis) for axis in self._axes(x))

    def _stride(self, x: Shape) -> Keywords:
        """Nothing where the stride is the size, which is PyTorch's default too."""
        if each_axis(self.stride, x.rank, "stride") == each_axis(self.kernel, x.rank, "kernel"):
            return ()
        return (("stride", Slot(squeeze(self.stride), "stride")),)

    def _sliding(self, family: str, x: Shape, extra: Keywords = (), *leading: Slot) -> TorchCall:
        """The module that slides: PyTorch's where it pads like this, else ours, which pads first."""
        arguments = (*leading, Slot(squeeze(self.kernel), "kernel"))
        padding = self.even_padding(x)
        if padding is None:
            keywords = (*self._stride(x), ("pads", Slot(self._pads(x))), *extra)
            return TorchCall(f"Padded{family}{x.rank}d", arguments, keywords, helper=True)
        pads: Keywords = (("padding", Slot(squeeze(padding), "padding")),) if any(padding) else ()
        ceil: Keywords = (("ceil_mode", Slot(True)),) if self.ceil else ()
        return TorchCall(f"nn.{family}{x.rank}d", arguments, (*self._stride(x), *pads, *ceil, *extra))


def _refuse_blind(windows: tuple[Axis, ...], kind: str) -> None:
    """A window that touches padding alone has neither a maximum nor a mean."""
    for axis in windows:
        pad = max(axis.before, axis.after)
        if pad >= axis.extent:
            message = f"a padding of {pad} is as large as the window of {kind}, which spans {axis.extent}"
            raise LayerError("E0305", message, f"pad {axis.extent - 1} at most")
        if pad and axis.dilation > axis.size:
            message = f"with a dilation of {axis.dilation} on {axis.size} positions {kind} has windows in padding alone"
            raise LayerError("E0305", message, f"dilate by {axis.size} at most")


def _reach(axis: Axis) -> int:
    """Where the last window ends, padding before the input not counted."""
    return (axis.output - 1) * axis.stride + axis.extent - axis.before


def _adaptive_window(sizes: Dims, outs: Dims) -> Window | None:
    """Output p is made of the inputs from floor(p*size/out) up to ceil((p+1)*size/out), as PyTorch cuts them."""
    if all(out == 1 for out in outs):
        return None
    reaches: list[Reach] = []
    for size, out in zip(sizes, outs, strict=True):
        step, grow = size // gcd(size, out), out // gcd(size, out)
        reaches.append(Reach(-(step - 1), grow - 1, step, grow))
    return resampled(tuple(reaches))


@record
class MaxPool(SlidingPool):
    """`POOL2`, `POOL3/2(pad=1, dilation=1, ceil=yes)`, `POOL(out=6x6)`: the largest value of each window.

    Padding never wins: it stands for minus infinity.
    """

    NAMES: ClassVar = ("POOL", "MAXPOOL")

    dilation: Dims = option("dims", (1,), minimum=1)
    out: Dims = option("dims", (), minimum=1)

    def _adaptive(self) -> Dims:
        return self.out

    def _dilation(self) -> Dims:
        return self.dilation

    def saved(self, *inputs: Shape) -> Saved:
        """The input, or its padded copy, and the indices."""
        (x,) = inputs
        indices = (8, self.output(x).numel, True)
        if self.out or self.even_padding(x) is not None:
            return Saved(inputs=(0,), extra=(indices,))
        return Saved(extra=((0, self._padded(x), True), indices))

    def torch(self, *inputs: Shape) -> TorchCall | None:
        (x,) = inputs
        if self.out:
            return TorchCall(f"nn.AdaptiveMaxPool{x.rank}d", (Slot(squeeze(self.out), "out"),))
        dilated = any(step != 1 for step in self.dilation)
        return self._sliding("MaxPool", x, (("dilation", Slot(squeeze(self.dilation), "dilation")),) if dilated else ())


@record
class MeanPool(SlidingPool):
    """What `AVGPOOL` and `SUMPOOL` share: torch.nn.AvgPool2d."""

    def even_padding(self, x: Shape) -> Dims | None:
        """As everywhere; but in 3-D PyTorch wants the input as large as the window before it is padded, and a mean has
        in it only the padding that is as large in front."""
        if any(axis.before != axis.after and _reach(axis) > axis.size + axis.before for axis in self._axes(x)):
            return None
        if x.rank == 3 and any(axis.size < axis.kernel for axis in self._axes(x)):
            return None
        return super().even_padding(x)


@record
class AvgPool(MeanPool):
    """`AVGPOOL7`, `AVGPOOL3/1(pad=1, countpad=no)`, `AVGPOOL(out=6x6)`: the mean of each window.

    With `countpad`, as in PyTorch, the zeros of the padding count in the mean.
    """

    NAMES: ClassVar = ("AVGPOOL",)

    countpad: bool = option("flag", True)
    out: Dims = option("dims", (), minimum=1)

    def _adaptive(self) -> Dims:
        return self.out

    def _behind(self, axis: Axis) -> int:
        """At most the padding: what `ceil` lets the last window have beyond it is no part of the mean."""
        return min(super()._behind(axis), axis.after)

    def saved(self, *inputs: Shape) -> Saved:
        """The input, or its padded copy; a global mean keeps nothing."""
        (x,) = inputs
        if self.out:
            return Saved() if self.output(x).pixels == 1 else Saved(inputs=(0,))
        if self.even_padding(x) is not None:
            return Saved(inputs=(0,))
        counts = () if self.countpad else ((0, self.output(x).pixels, False),)
        return Saved(extra=((0, self._padded(x), True), *counts))

    def torch(self, *inputs: Shape) -> TorchCall | None:
        (x,) = inputs
        if self.out:
            return TorchCall(f"nn.AdaptiveAvgPool{x.rank}d", (Slot(squeeze(self.out), "out"),))
        extra: Keywords = () if self.countpad else (("count_include_pad", Slot(False)),)
        if self.even_padding(x) is None and any(_reach(axis) > axis.size + axis.after for axis in self._axes(x)):
            extra = (("ceil_mode", Slot(True)), *extra)
        return self._sliding("AvgPool", x, extra)


@record
class SumPool(MeanPool):
    """`SUMPOOL2`: the sum of each window. With `SCALE` behind it, the subsampling of LeNet-5 (LeCun et al. 1998)."""

    NAMES: ClassVar = ("SUMPOOL",)

    def saved(self, *inputs: Shape) -> Saved:
        """The input, or its padded copy; a sum over a view of windows, in 1-D, keeps nothing."""
        (x,) = inputs
        if x.rank == 1:
            return Saved()
        return Saved(inputs=(0,)) if self.even_padding(x) is not None else Saved(extra=((0, self._padded(x), True),))

    def scratch(self, *inputs: Shape) -> tuple[int, int]:
        """The padded copy, which a sum over windows makes in 1-D in any case: `F.pad` copies where it pads nothing."""
        (x,) = inputs
        return (self._padded(x), 0) if x.rank == 1 else super().scratch(x)

    def torch(self, *inputs: Shape) -> TorchCall | None:
        (x,) = inputs
        if x.rank > 1:
            divisor: Keywords = (("divisor_override", Slot(1)),)
            return self._sliding("SumPool", x) if self.even_padding(x) is None else self._sliding("AvgPool", x, divisor)
        pads = self._pads(x)
        keywords: Keywords = (("pads", Slot(pads)),) if any(pads) else ()
        kernel = Slot(self.kernel[0], "kernel")
        stride = Slot(self.stride[0], "stride")
        return TorchCall("SumPool1d", (kernel, stride), keywords, helper=True)


@record
class LPPool(SlidingPool):
    """`LPPOOL2(p=2)`: (the sum of x^p over each window)^(1/p), as torch.nn.LPPool2d."""

    NAMES: ClassVar = ("LPPOOL",)

    p: float = option("number", 2.0, minimum=1)

    def operations(self, *inputs: Shape) -> int:
        """A power and an addition for each value in each window, and a root for each window."""
        return 2 * super().operations(*inputs) + self.output(*inputs).numel

    def even_padding(self, x: Shape) -> Dims | None:
        """PyTorch's module never pads, and mistakes the size of windows that `ceil` lets overhang."""
        pads = self._pads(x)
        return None if any(pads[::2]) or any(pad > 0 for pad in pads) else (0,) * x.rank

    def saved(self, *inputs: Shape) -> Saved:
        """The input or its padded copy, its powers, and four values for each window."""
        (x,) = inputs
        windows = (0, 4 * self.output(x).numel, True)
        if self.even_padding(x) is not None:
            return Saved(inputs=(0,), extra=((0, x.numel, True), windows))
        return Saved(extra=((0, 2 * self._padded(x), True), windows))

    def scratch(self, *inputs: Shape) -> tuple[int, int]:
        """The padded copy; the powers, or sum, sign and size of each window; the factors of its gradient."""
        (x,) = inputs
        padded, _ = super().scratch(x)
        windows = 3 * self.output(x).numel
        return padded + max(padded or x.numel, windows), windows

    def torch(self, *inputs: Shape) -> TorchCall | None:
        p = int(self.p) if self.p == int(self.p) else float(self.p)
        return self._sliding("LPPool", inputs[0], (), Slot(p, "p"))


@record
class GlobalPool(Layer):
    """What `GAP` and `GMP` share: one value for each channel."""

    FAMILY: ClassVar = "pool"
    MODULE: ClassVar[Literal["Avg", "Max"]] = "Avg"

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_spatial(self.kind(), x)
        return Shape(x.channels, (1,) * x.rank)

    def operations(self, *inputs: Shape) -> int:
        """One for each value of the input."""
        return inputs[0].numel

    def window(self, *inputs: Shape) -> Window | None:
        return None

    def torch(self, *inputs: Shape) -> TorchCall | None:
        return TorchCall(f"nn.Adaptive{self.MODULE}Pool{inputs[0].rank}d", (Slot(1),))


@record
class GlobalAvgPool(GlobalPool):
    """`GAP`: the mean of each channel. Source: Lin et al. 2014, Section 3.2."""

    NAMES: ClassVar = ("GAP",)


@record
class GlobalMaxPool(GlobalPool):
    """`GMP`: the largest value of each channel."""

    NAMES: ClassVar = ("GMP",)
    MODULE: ClassVar = "Max"

    def saved(self, *inputs: Shape) -> Saved:
        return Saved(inputs=(0,), extra=((8, inputs[0].channels, True),))
