"""Pooling over windows (`POOL`, `AVGPOOL`, `SUMPOOL`, `LPPOOL`), to a given size, and over everything (`GAP`, `GMP`).

`resize` contains the inverse of pooling.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from cnndsl.layers.base import (
    Dims,
    Keywords,
    Layer,
    Padding,
    Saved,
    Slot,
    TorchCall,
    TorchFunction,
    Window,
    need_spatial,
    option,
    squeeze,
)
from cnndsl.layers.pool_modules import AVG_POOLS, LP_POOLS, MAX_POOLS, SUM_POOLS
from cnndsl.layers.sized import Sized
from cnndsl.layers.sliding_pool import PADS, SlidingPool, reach
from cnndsl.layers.steps import SWITCH_BYTES, LayerStep, absolute, pad, power, product, scalar, summed
from cnndsl.layers.window import Axis
from cnndsl.records import record
from cnndsl.shape import Shape


@record
class MaxPool(Sized, SlidingPool):
    """`POOL2`, `POOL3/2(pad=1, dilation=1, ceil=yes)`, `POOL(out=6x6)`: the largest value of each window.

    Padding counts as minus infinity, so it is never the maximum.
    """

    NAMES: ClassVar = ("POOL", "MAXPOOL")
    KEEPS_ONE: ClassVar = True
    HELPERS: ClassVar = MAX_POOLS

    pad: Padding = option("padding", "valid", "P", minimum=0, words=(*PADS, "tfsame"))
    dilation: Dims = option("dims", (1,), minimum=1)

    def _dilation(self) -> Dims:
        return self.dilation

    def saved(self, *inputs: Shape) -> Saved:
        """Return the input, or its padded copy, and the indices."""
        x = inputs[0]
        indices = (SWITCH_BYTES, self.output(*inputs).numel, True)
        if self._is_adaptive() or self.even_padding(x) is not None:
            return Saved(inputs=(0,), extra=(indices,))
        return Saved(extra=((0, self._padded(x), True), indices))

    def torch(self, *inputs: Shape) -> TorchCall | TorchFunction:
        x = inputs[0]
        if self.like:
            return TorchFunction(f"F.adaptive_max_pool{x.rank}d({{0}}, {{1}}.shape[2:])")
        if self.out:
            return TorchCall(f"nn.AdaptiveMaxPool{x.rank}d", (Slot(squeeze(self.out), "out"),))
        dilated = any(step != 1 for step in self.dilation)
        return self._sliding("MaxPool", x, (("dilation", Slot(squeeze(self.dilation), "dilation")),) if dilated else ())


@record
class MeanPool(SlidingPool):
    """The base of `AVGPOOL` and `SUMPOOL`: torch.nn.AvgPool2d."""

    def even_padding(self, x: Shape) -> Dims | None:
        """Return the same as the base class, with two exceptions: in 3-D PyTorch requires an input as large as the
        window before padding, and a mean includes only as much padding after the map as there is before it."""
        if any(axis.before != axis.after and reach(axis) > axis.size + axis.before for axis in self._axes(x)):
            return None
        if x.rank == 3 and any(axis.size < axis.kernel for axis in self._axes(x)):
            return None
        return super().even_padding(x)


@record
class AvgPool(Sized, MeanPool):
    """`AVGPOOL7`, `AVGPOOL3/1(pad=1, countpad=no)`, `AVGPOOL(out=6x6)`: the mean of each window.

    With `countpad`, as in PyTorch, the zeros of the padding count in the mean. With `pad=tfsame` they count in timm's
    AvgPool2dSame as well, but not in TensorFlow's own average pooling (`countpad=no`).
    """

    NAMES: ClassVar = ("AVGPOOL",)
    HELPERS: ClassVar = AVG_POOLS

    pad: Padding = option("padding", "valid", "P", minimum=0, words=(*PADS, "tfsame"))
    countpad: bool = option("flag", True)

    def _behind(self, axis: Axis) -> int:
        """Return at most the padding: what `ceil` lets the last window have beyond it is not part of the mean."""
        return min(super()._behind(axis), axis.after)

    def saved(self, *inputs: Shape) -> Saved:
        """Return the input, or its padded copy; a global mean saves nothing."""
        x = inputs[0]
        if self._is_adaptive():
            return Saved() if self.output(*inputs).pixels == 1 else Saved(inputs=(0,))
        if self.even_padding(x) is not None:
            return Saved(inputs=(0,))
        counts = () if self.countpad else ((0, self.output(x).pixels, False),)
        return Saved(extra=((0, self._padded(x), True), *counts))

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return the usual steps; if zeros do not count, the quotient by the count, for one image and channel."""
        x = inputs[0]
        pooled = super().steps(*inputs)
        if not self._pads_first(x) or self.countpad:
            return pooled
        y = self.output(x)
        return (*pooled, LayerStep((2,), y.numel, extra=((0, y.pixels, False),)))

    def torch(self, *inputs: Shape) -> TorchCall | TorchFunction:
        x = inputs[0]
        if self.like:
            return TorchFunction(f"F.adaptive_avg_pool{x.rank}d({{0}}, {{1}}.shape[2:])")
        if self.out:
            return TorchCall(f"nn.AdaptiveAvgPool{x.rank}d", (Slot(squeeze(self.out), "out"),))
        extra: Keywords = () if self.countpad else (("count_include_pad", Slot(False)),)
        if self.even_padding(x) is None and any(reach(axis) > axis.size + axis.after for axis in self._axes(x)):
            extra = (("ceil_mode", Slot(True)), *extra)
        return self._sliding("AvgPool", x, extra)


@record
class SumPool(MeanPool):
    """`SUMPOOL2`: the sum of each window. Followed by `SCALE`, it is the subsampling of LeNet-5 (LeCun et al. 1998)."""

    NAMES: ClassVar = ("SUMPOOL",)
    HELPERS: ClassVar = SUM_POOLS

    def saved(self, *inputs: Shape) -> Saved:
        """Return the input, or its padded copy; in 1-D a sum over a view of windows saves nothing."""
        (x,) = inputs
        if x.rank == 1:
            return Saved()
        return Saved(inputs=(0,)) if self.even_padding(x) is not None else Saved(extra=((0, self._padded(x), True),))

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return in 1-D a padded copy (`F.pad` copies even without padding), a view of its windows, their sums."""
        (x,) = inputs
        if x.rank > 1:
            return super().steps(x)
        y = self.output(x)
        return (pad(self._padded(x)), LayerStep((1,), y.numel * self.kernel[0], view=True), summed(2, y.numel))

    def torch(self, *inputs: Shape) -> TorchCall | None:
        (x,) = inputs
        if x.rank > 1:
            divisor: Keywords = (("divisor_override", Slot(1)),)
            return self._sliding("SumPool", x) if self.even_padding(x) is None else self._sliding("AvgPool", x, divisor)
        pads = self._pads(x)
        keywords: Keywords = (("pads", Slot(pads)),) if any(pads) else ()
        kernel = Slot(self.kernel[0], "kernel")
        stride = Slot(self.stride[0], "stride")
        return self.helper_call("SumPool1d", (kernel, stride), keywords)


@record
class LPPool(SlidingPool):
    """`LPPOOL2(p=2)`: (the sum of x^p over each window)^(1/p), as torch.nn.LPPool2d."""

    NAMES: ClassVar = ("LPPOOL",)
    HELPERS: ClassVar = LP_POOLS

    p: float = option("number", 2.0, minimum=1)

    def operations(self, *inputs: Shape) -> int:
        """Return a power and an addition for each value in each window, and a root for each window."""
        return 2 * super().operations(*inputs) + self.output(*inputs).numel

    def even_padding(self, x: Shape) -> Dims | None:
        """Return None if PyTorch's module cannot: it never pads, and miscounts windows that `ceil` lets overhang."""
        pads = self._pads(x)
        return None if any(pads[::2]) or any(pad > 0 for pad in pads) else (0,) * x.rank

    def saved(self, *inputs: Shape) -> Saved:
        """Return the input or its padded copy, its powers, and four values for each window."""
        (x,) = inputs
        windows = (0, 4 * self.output(x).numel, True)
        if self.even_padding(x) is not None:
            return Saved(inputs=(0,), extra=((0, x.numel, True), windows))
        return Saved(extra=((0, 2 * self._padded(x), True), windows))

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return powers of the input or of its padded copy and their mean; its sign times its absolute value, times the
        window's number of values; the root (torch.nn.functional.lp_pool2d)."""
        (x,) = inputs
        y = self.output(x).numel
        first = (pad(self._padded(x)),) if self._pads_first(x) else ()
        at = len(first)
        rest = (
            LayerStep((at + 2,), y),
            absolute(at + 2, y),
            LayerStep((at + 4,), y, keeps_result=True),
            product(at + 3, at + 5, y),
            scalar(at + 6, y),
            power(at + 7, y),
        )
        powers = power(at, self._padded(x) if first else x.numel)
        held = (at + 2, at) if first else (at + 2,)
        return (*first, powers, self._pooling(at + 1, x), *(replace(each, holds=held) for each in rest))

    def torch(self, *inputs: Shape) -> TorchCall | None:
        p = int(self.p) if self.p == int(self.p) else float(self.p)
        return self._sliding("LPPool", inputs[0], (), Slot(p, "p"))


@record
class GlobalPool(Layer):
    """The base of `GAP` and `GMP`: one value for each channel."""

    ROLE: ClassVar = "pooling"
    MODULE: ClassVar[Literal["Avg", "Max"]] = "Avg"

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_spatial(self.kind(), x)
        return Shape(x.channels, (1,) * x.rank)

    def operations(self, *inputs: Shape) -> int:
        """Return one operation for each value of the input."""
        return inputs[0].numel

    def window(self, *inputs: Shape) -> Window | None:
        return None

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return one operation, which autocast on the CPU runs in fp32 for three axes."""
        return (self.single_step(*inputs, autocast="full" if inputs[0].rank == 3 else "as is"),)

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
        return Saved(inputs=(0,), extra=((SWITCH_BYTES, inputs[0].channels, True),))
