"""Pooling over a sliding window, adaptive and global pooling: `POOL`, `AVGPOOL`, `SUMPOOL`, `LPPOOL`, `GAP`, `GMP`.

What undoes a pooling is in `resize`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar, Literal

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
from cnndsl.layers.window import Axis, as_window, axes, slide, symmetric
from cnndsl.shape import Shape

Keywords = list[tuple[str, Slot | TorchCall]]


@dataclass(frozen=True)
class SlidingPool(Layer):
    """What all pooling kinds share: `POOL3/2(pad=1, ceil=yes)`.

    The stride defaults to the size, the size to 2. Padding holds no values: a maximum never takes it, an average
    counts it as zeros. It stays smaller than the window, which would otherwise see nothing else.
    """

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
        if self.kernel or self.stride or self.pad != "valid" or self.ceil:
            message = f"{self.kind()} takes either out, or a size, stride, pad and ceil"
            raise LayerError("E0305", message, "leave the size away: the windows follow from out")
        return each_axis(self._adaptive(), x.rank, "output")

    def operations(self, *inputs: Shape) -> int:
        """One for each value in each window."""
        (x,) = inputs
        if self._adaptive():
            return x.numel
        return self.output(x).numel * prod(each_axis(self.kernel, x.rank, "kernel"))

    def window(self, *inputs: Shape) -> Window | None:
        (x,) = inputs
        if not self._adaptive():
            return as_window(self._axes(x))
        return _adaptive_window(x.spatial, self._adapted(x))

    def remainder(self, *inputs: Shape) -> tuple[int, ...]:
        (x,) = inputs
        if self._adaptive():
            return tuple(size % out for size, out in zip(x.spatial, self._adapted(x), strict=True))
        return tuple(axis.remainder for axis in self._axes(x))

    def _even_padding(self, x: Shape) -> Dims | None:
        """The padding that PyTorch can do by itself: equal on both sides, at most half the window."""
        windows = self._axes(x)
        padding = symmetric(windows)
        if padding is None or any(pad > axis.extent // 2 for pad, axis in zip(padding, windows, strict=True)):
            return None
        return padding

    def _pads(self, x: Shape) -> tuple[int, ...]:
        """Uneven padding as `F.pad` takes it, last axis first: just so much behind that the last window fits."""
        pads: list[int] = []
        for axis in reversed(self._axes(x)):
            reach = (axis.output - 1) * axis.stride + axis.extent
            pads += [axis.before, reach - axis.size - axis.before]
        return tuple(pads)

    def _sliding(self, family: str, x: Shape, extra: Keywords) -> TorchCall:
        """The module that slides: PyTorch's where its padding does, else one that pads unevenly."""
        kernel, stride = each_axis(self.kernel, x.rank, "kernel"), each_axis(self.stride, x.rank, "stride")
        padding = self._even_padding(x)
        keywords: Keywords = []
        if stride != kernel:
            keywords.append(("stride", Slot(squeeze(self.stride), "stride")))
        if padding is None:
            keywords.append(("pads", Slot(self._pads(x))))
        elif any(padding):
            keywords.append(("padding", Slot(squeeze(padding), "padding")))
        if self.ceil and padding is not None:
            keywords.append(("ceil_mode", Slot(True)))
        name = f"Padded{family}{x.rank}d" if padding is None else f"nn.{family}{x.rank}d"
        return TorchCall(name, (Slot(squeeze(self.kernel), "kernel"),), (*keywords, *extra), helper=padding is None)


def _refuse_blind(windows: tuple[Axis, ...], kind: str) -> None:
    """A window that touches padding alone has no maximum."""
    for axis in windows:
        pad = max(axis.before, axis.after)
        if pad >= axis.extent:
            message = f"a padding of {pad} is as large as the window of {kind}, which spans {axis.extent}"
            raise LayerError("E0305", message, f"pad at most {axis.extent - 1}")
        if pad and axis.dilation > axis.size:
            message = f"with a dilation of {axis.dilation} on {axis.size} positions {kind} has windows in padding alone"
            raise LayerError("E0305", message, f"dilate at most by {axis.size}")


def _adaptive_window(sizes: Dims, outs: Dims) -> Window | None:
    """Where the input is a multiple of the output, adaptive pooling slides; one output sees everything."""
    if all(out == 1 for out in outs):
        return None
    steps = tuple(-(-size // out) for size, out in zip(sizes, outs, strict=True))
    return Window(steps, steps, (0,) * len(steps))


@dataclass(frozen=True)
class MaxPool(SlidingPool):
    """`POOL2`, `POOL3/2(pad=1, dilation=1, ceil=yes)`, `POOL(out=6x6)`: the largest value of each window."""

    NAMES: ClassVar = ("POOL", "MAXPOOL")

    dilation: Dims = option("dims", (1,), minimum=1)
    out: Dims = option("dims", (), minimum=1)

    def _adaptive(self) -> Dims:
        return self.out

    def _dilation(self) -> Dims:
        return self.dilation

    def saved(self, *inputs: Shape) -> Saved:
        return Saved(inputs=(0,), extra=((8, self.output(*inputs).numel, True),))

    def torch(self, *inputs: Shape) -> TorchCall | None:
        (x,) = inputs
        if self.out:
            return TorchCall(f"nn.AdaptiveMaxPool{x.rank}d", (Slot(squeeze(self.out), "out"),))
        dilated = any(step != 1 for step in self.dilation)
        return self._sliding("MaxPool", x, [("dilation", Slot(squeeze(self.dilation), "dilation"))] if dilated else [])


@dataclass(frozen=True)
class AvgPool(SlidingPool):
    """`AVGPOOL7`, `AVGPOOL3/1(pad=1, countpad=no)`, `AVGPOOL(out=6x6)`: the mean of each window.

    With `countpad`, as in PyTorch, the zeros of the padding count in the mean.
    """

    NAMES: ClassVar = ("AVGPOOL",)

    countpad: bool = option("flag", True)
    out: Dims = option("dims", (), minimum=1)

    def _adaptive(self) -> Dims:
        return self.out

    def saved(self, *inputs: Shape) -> Saved:
        return Saved(inputs=(0,))

    def torch(self, *inputs: Shape) -> TorchCall | None:
        (x,) = inputs
        if self.out:
            return TorchCall(f"nn.AdaptiveAvgPool{x.rank}d", (Slot(squeeze(self.out), "out"),))
        return self._sliding("AvgPool", x, [] if self.countpad else [("count_include_pad", Slot(False))])


@dataclass(frozen=True)
class SumPool(SlidingPool):
    """`SUMPOOL2`: the sum of each window. With `SCALE` behind it, the subsampling of LeNet-5 (LeCun et al. 1998)."""

    NAMES: ClassVar = ("SUMPOOL",)

    def saved(self, *inputs: Shape) -> Saved:
        return Saved(inputs=(0,))

    def torch(self, *inputs: Shape) -> TorchCall | None:
        (x,) = inputs
        call = self._sliding("AvgPool", x, [("divisor_override", Slot(1))])
        if x.rank > 1:
            return call
        return TorchCall("SumPool1d", call.arguments, call.keywords[:-1], helper=True)


@dataclass(frozen=True)
class LPPool(SlidingPool):
    """`LPPOOL2(p=2)`: the p-norm of each window (torch.nn.LPPool2d)."""

    NAMES: ClassVar = ("LPPOOL",)

    p: float = option("number", 2.0, minimum=1)

    def torch(self, *inputs: Shape) -> TorchCall | None:
        raise NotImplementedError


@dataclass(frozen=True)
class GlobalPool(Layer):
    """What `GAP` and `GMP` share: one value for each channel."""

    FAMILY: ClassVar[Literal["Avg", "Max"]] = "Avg"

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
        return TorchCall(f"nn.Adaptive{self.FAMILY}Pool{inputs[0].rank}d", (Slot(1),))


@dataclass(frozen=True)
class GlobalAvgPool(GlobalPool):
    """`GAP`: the mean of each channel. Source: Lin et al. 2014, Section 3.2."""

    NAMES: ClassVar = ("GAP",)


@dataclass(frozen=True)
class GlobalMaxPool(GlobalPool):
    """`GMP`: the largest value of each channel."""

    NAMES: ClassVar = ("GMP",)
    FAMILY: ClassVar = "Max"

    def saved(self, *inputs: Shape) -> Saved:
        return Saved(inputs=(0,), extra=((8, inputs[0].channels, True),))
