"""The transpose of a convolution: `CONVT`."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from cnndsl.layers.base import (
    Dims,
    Layer,
    LayerError,
    Padding,
    Saved,
    Slot,
    Tensor,
    TorchCall,
    Window,
    each_axis,
    need_spatial,
    option,
    squeeze,
)
from cnndsl.layers.conv import INITS, need_groups
from cnndsl.layers.formulas import further, multiplied, spanned
from cnndsl.layers.window import Reach, resampled
from cnndsl.records import record
from cnndsl.shape import Shape


@record
class ConvTranspose(Layer):
    """`CONVT2-64/2(pad=0, out_pad=0, groups=1, dilation=1, bias=yes)`: the transpose of a strided convolution.

    Output = (W - 1)*stride - 2*pad + e + out_pad (torch.nn.ConvTranspose2d). As in PyTorch, a number as padding removes
    that much from both sides; `same`, the default, makes the output stride*W if e - stride is even and not negative;
    `valid` removes nothing. With `init=bilinear` it starts as an interpolation of each channel (Long et al. 2015,
    arXiv:1411.4038, Section 3.3), and stays one with `frozen=yes`.
    """

    NAMES: ClassVar = ("CONVT",)
    ROLE: ClassVar = "convolution"
    ENLARGES: ClassVar = True
    INIT: ClassVar = "init"
    SIZE: ClassVar = "kernel"
    WIDTH: ClassVar = "filters"
    STRIDE: ClassVar = "stride"

    kernel: Dims = option("dims", (2,), "F", minimum=1)
    filters: int = option("int", 64, "K", minimum=1)
    stride: Dims = option("dims", (1,), "S", minimum=1)
    pad: Padding = option("padding", "same", "P", minimum=0, words=("same", "valid"))
    out_pad: Dims = option("dims", (0,), minimum=0)
    dilation: Dims = option("dims", (1,), minimum=1)
    groups: int = option("int", 1, minimum=1)
    bias: bool = option("flag", True)
    init: str = option("word", "default", words=(*INITS, "bilinear"))
    frozen: bool = option("flag", False)

    @property
    def is_frozen(self) -> bool:
        return self.frozen

    def _numbers(self, x: Shape) -> list[tuple[int, int, int, int, int]]:
        """Return for each axis: extent, stride, padding, output padding, size of the input."""
        rank = x.rank
        kernel, stride = each_axis(self.kernel, rank, "kernel"), each_axis(self.stride, rank, "stride")
        dilation = each_axis(self.dilation, rank, "dilation")
        out_pad = each_axis(self.out_pad, rank, "output padding")
        extents = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
        if self.pad == "same":
            pads = tuple(self._same(e, s, x) for e, s in zip(extents, stride, strict=True))
        else:
            pads = (0,) * rank if isinstance(self.pad, str) else each_axis(self.pad, rank, "padding")
        return list(zip(extents, stride, pads, out_pad, x.spatial, strict=True))

    def _same(self, extent: int, stride: int, x: Shape) -> int:
        if extent < stride or (extent - stride) % 2:
            wanted = "the kernel must be at least the stride, and both even or both odd"
            message = f"with `pad=same`, {wanted}: they are {extent} and {stride}"
            if x.pixels == 1 and extent > stride:
                help = f"to make a map of {extent} positions per axis from a single one, use `pad=valid`"
                raise LayerError("E0307", message, help, "pad=valid")
            raise LayerError("E0307", message, self._paddings(extent, stride), self._options(extent, stride))
        return (extent - stride) // 2

    def grown(self, by: Dims) -> tuple[str, Dims] | None:
        rank = len(by)
        more = tuple(a + b for a, b in zip(each_axis(self.out_pad, rank, "output padding"), by, strict=True))
        fits = all(a < step for a, step in zip(more, each_axis(self.stride, rank, "stride"), strict=True))
        return ("out_pad", more) if fits else None

    def _paddings(self, extent: int, stride: int) -> str:
        """Return a hint: the options that make the output `stride` times as large."""
        options = self._options(extent, stride)
        if not options:
            return "say how much to cut from both sides: pad=1"
        return f"to make the map {stride} times as large: {options}"

    def _options(self, extent: int, stride: int) -> str:
        """Return the options that make the output `stride` times as large; empty if axes differ, or no option does."""
        pad = max(0, (extent - stride + 1) // 2)
        extra = 2 * pad - extent + stride
        if extra >= stride or any(len(set(each)) > 1 for each in (self.kernel, self.stride, self.dilation)):
            return ""
        return f"pad={pad}, out_pad={extra}"

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_spatial(self.kind(), x)
        need_groups(self.groups, x, self.filters)
        if self.init == "bilinear" and (self.filters != x.channels or self.groups not in (1, x.channels)):
            message = (
                f"`init=bilinear` keeps channels apart, but CONVT has {self.filters} filters for {x.channels} channels"
            )
            if self.filters == x.channels:
                message = f"`init=bilinear` keeps channels apart, but there are {self.groups} groups"
            raise LayerError("E0320", message, f"use {x.channels} filters, in 1 group or in {x.channels}")
        spatial: list[int] = []
        for extent, stride, less, extra, size in self._numbers(x):
            if extra and extra >= stride:
                raise LayerError("E0307", f"the output padding {extra} must be smaller than the stride {stride}")
            spatial.append((size - 1) * stride - 2 * less + extent + extra)
        if min(spatial) < 1:
            raise LayerError("E0301", f"the padding of {self.kind()} removes its whole output")
        return Shape(self.filters, tuple(spatial))

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        (x,) = inputs
        kernel = each_axis(self.kernel, x.rank, "kernel")
        weight = Tensor("weight", (x.channels, self.filters // self.groups, *kernel), frozen=self.frozen)
        return (weight, Tensor("bias", (self.filters,), "bias", frozen=self.frozen)) if self.bias else (weight,)

    def macs(self, *inputs: Shape) -> int:
        return inputs[0].pixels * self.tensors(*inputs)[0].numel

    def window(self, *inputs: Shape) -> Window | None:
        (x,) = inputs
        spacing = each_axis(self.dilation, x.rank, "dilation")
        window = resampled(
            tuple(Reach(-pad, extent - 1 - pad, 1, stride) for extent, stride, pad, _, _ in self._numbers(x))
        )
        strides = each_axis(self.stride, x.rank, "stride")
        gaps = tuple(gap if stride > 1 else 1 for gap, stride in zip(spacing, strides, strict=True))
        return replace(window, spacing=gaps) if max(gaps) > 1 else window

    def saved(self, *inputs: Shape) -> Saved:
        return Saved(inputs=(0,))

    def formula(self, *inputs: Shape) -> str:
        fan_in, fan_out, *kernel = self.tensors(*inputs)[0].shape
        return f"({'*'.join(map(str, (*kernel, fan_in)))})*{fan_out}"

    def weights_formula(self, *inputs: Shape) -> str:
        (x,) = inputs
        if self.groups == 1:
            return self.formula(x)
        kernel = multiplied(each_axis(self.kernel, x.rank, "kernel"))
        return f"({kernel}*{x.channels})*{self.filters}/{self.groups}"

    def macs_formula(self, *inputs: Shape) -> str:
        """Return the product in which every position of the input, not of the output, is multiplied by all weights."""
        return f"{multiplied(inputs[0].spatial)}*{self.weights_formula(*inputs)}"

    def size_formula(self, *inputs: Shape) -> tuple[str, ...]:
        (x,) = inputs
        kernel, dilation = each_axis(self.kernel, x.rank, "kernel"), each_axis(self.dilation, x.rank, "dilation")
        return tuple(
            f"({size} - 1)*{stride} - 2*{pad} + {extent}{further(extra)}"
            for extent, (_, stride, pad, extra, size) in zip(
                map(spanned, kernel, dilation), self._numbers(x), strict=True
            )
        )

    def torch(self, *inputs: Shape) -> TorchCall | None:
        (x,) = inputs
        numbers = self._numbers(x)
        pads = tuple(pad for _, _, pad, _, _ in numbers)
        keywords: list[tuple[str, Slot]] = []
        if any(stride != 1 for stride in self.stride):
            keywords.append(("stride", Slot(squeeze(self.stride), "stride")))
        if any(pads):
            keywords.append(("padding", Slot(squeeze(pads), "padding")))
        if any(self.out_pad):
            keywords.append(("output_padding", Slot(squeeze(self.out_pad), "out_pad")))
        if self.groups != 1:
            keywords.append(("groups", Slot(self.groups, "groups")))
        if not self.bias:
            keywords.append(("bias", Slot(False)))
        if any(step != 1 for step in self.dilation):
            keywords.append(("dilation", Slot(squeeze(self.dilation), "dilation")))
        arguments = (
            Slot(x.channels, "in_channels"),
            Slot(self.filters, "filters"),
            Slot(squeeze(self.kernel), "kernel"),
        )
        return TorchCall(f"nn.ConvTranspose{x.rank}d", arguments, tuple(keywords))
