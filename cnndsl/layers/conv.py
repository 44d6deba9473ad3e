"""Convolutions with shared weights: `CONV` and `DWCONV`."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import ClassVar

from cnndsl.layers.base import (
    Dims,
    LayerError,
    Padding,
    Saved,
    Slot,
    Tensor,
    TorchCall,
    common_divisors,
    each_axis,
    need_spatial,
    option,
    squeeze,
)
from cnndsl.layers.formulas import multiplied
from cnndsl.layers.steps import LayerStep, pad
from cnndsl.layers.torch_calls import by_rank
from cnndsl.layers.window import Axis, SlidingLayer, axes, slide, symmetric
from cnndsl.records import record
from cnndsl.shape import Shape

INITS = ("default", "kaiming", "kaiming_uniform", "xavier", "xavier_uniform", "normal", "trunc_normal", "zeros", "ones")
"""How weights are drawn; `default` is PyTorch's own way."""


def need_groups(groups: int, x: Shape, filters: int) -> None:
    """Raises LayerError where the groups do not divide the channels on both sides."""
    if x.channels % groups or filters % groups:
        message = f"{groups} groups must divide both the {x.channels} channels of the input and the {filters} filters"
        raise LayerError("E0304", message, common_divisors(x.channels, filters))


_PADDED_CONV = '''\
class PaddedConv{n}d(nn.Conv{n}d):
    """A convolution padded as by `F.pad`: each side by itself, the last axis first."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | {size},
        *,
        pads: tuple[int, ...],
        stride: int | {size} = 1,
        dilation: int | {size} = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            dilation=dilation,
            groups=groups,
            bias=bias,
        )
        self.pads = pads

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return self._conv_forward(F.pad(input, self.pads), self.weight, self.bias)
'''


@record
class Conv(SlidingLayer):
    """`CONV3-64/2(pad=same, groups=1, dilation=1, bias=yes)`: cross-correlation with F filters.

    Parameters (F_in/groups * k^n) * F_out + F_out. Bare `CONV` is CONV3-64, the first layer of VGG.
    """

    NAMES: ClassVar = ("CONV",)
    ROLE: ClassVar = "convolution"
    INIT: ClassVar = "init"
    SIZE: ClassVar = "kernel"
    WIDTH: ClassVar = "filters"
    STRIDE: ClassVar = "stride"
    HELPERS: ClassVar = by_rank("PaddedConv", _PADDED_CONV)

    kernel: Dims = option("dims", (3,), "F", minimum=1)
    filters: int = option("int", 64, "K", minimum=1)
    stride: Dims = option("dims", (1,), "S", minimum=1)
    pad: Padding = option("padding", "same", "P", minimum=0, words=("same", "valid", "full"))
    dilation: Dims = option("dims", (1,), minimum=1)
    groups: int = option("int", 1, minimum=1)
    bias: bool = option("flag", True)
    init: str = option("word", "default", words=INITS)

    def _axes(self, x: Shape) -> tuple[Axis, ...]:
        return axes(x, self.kernel, self.stride, self.dilation, self.pad)

    def _groups(self, x: Shape) -> int:
        return self.groups

    def _filters(self, x: Shape) -> int:
        return self.filters

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_spatial(self.kind(), x)
        filters, groups = self._filters(x), self._groups(x)
        need_groups(groups, x, filters)
        return Shape(filters, slide(self._axes(x), self.kind(), x))

    def filter_size(self, *inputs: Shape) -> Dims:
        return each_axis(self.kernel, inputs[0].rank, "kernel")

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        (x,) = inputs
        filters = self._filters(x)
        kernel = self.filter_size(x)
        weight = Tensor("weight", (filters, x.channels // self._groups(x), *kernel))
        return (weight, Tensor("bias", (filters,), "bias")) if self.bias else (weight,)

    def macs(self, *inputs: Shape) -> int:
        return self.output(*inputs).pixels * self.tensors(*inputs)[0].numel

    def saved(self, *inputs: Shape) -> Saved:
        """The input; or, where the padding is uneven, a copy of it with so much padding as makes the rest even."""
        (x,) = inputs
        windows = self._axes(x)
        if symmetric(windows) is not None:
            return Saved(inputs=(0,))
        if all(axis.stride == 1 for axis in windows):
            return Saved(
                extra=((0, x.channels * prod(axis.size + axis.after - axis.before for axis in windows), True),)
            )
        return Saved(extra=((0, x.channels * prod(axis.size + axis.before + axis.after for axis in windows), True),))

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """The padded copy, if any, and the convolution; `padding="same"` pads what autocast has cast already."""
        copies = self.saved(*inputs).extra
        if not copies:
            return super().steps(*inputs)
        ((_, values, _),) = copies
        inside = all(axis.stride == 1 for axis in self._axes(inputs[0]))
        padded = pad(values)
        if inside:
            padded = replace(padded, autocast="half", on_cuda="half", inside=True)
        return (padded, self.single_step(*inputs, reads=(1,), keeps=(0,), extra=()))

    def formula(self, *inputs: Shape) -> str:
        _, fan_in, *kernel = self.tensors(*inputs)[0].shape
        return f"({'*'.join(map(str, (*kernel, fan_in)))})*{self._filters(inputs[0])}"

    def weights_formula(self, *inputs: Shape) -> str:
        (x,) = inputs
        if self._groups(x) == 1:
            return self.formula(x)
        return f"({multiplied(self.filter_size(x))}*{x.channels}/{self._groups(x)})*{self._filters(x)}"

    def macs_formula(self, *inputs: Shape) -> str:
        return f"{multiplied(self.output(*inputs).spatial)}*{self.weights_formula(*inputs)}"

    def torch(self, *inputs: Shape) -> TorchCall | None:
        (x,) = inputs
        windows = self._axes(x)
        padding = symmetric(windows)
        keywords: list[tuple[str, Slot]] = []
        if any(axis.stride != 1 for axis in windows):
            keywords.append(("stride", Slot(squeeze(self.stride), "stride")))
        if padding is None and all(axis.stride == 1 for axis in windows):
            keywords.append(("padding", Slot("same")))
        elif padding is not None and any(padding):
            keywords.append(("padding", Slot(squeeze(padding), "padding")))
        if any(axis.dilation != 1 for axis in windows):
            keywords.append(("dilation", Slot(squeeze(self.dilation), "dilation")))
        if self._groups(x) != 1:
            keywords.append(("groups", Slot(self._groups(x), "groups")))
        if not self.bias:
            keywords.append(("bias", Slot(False)))
        arguments = (
            Slot(x.channels, "in_channels"),
            Slot(self._filters(x), "filters"),
            Slot(squeeze(self.kernel), "kernel"),
        )
        if padding is None and any(axis.stride != 1 for axis in windows):
            pads = tuple(n for axis in reversed(windows) for n in (axis.before, axis.after))
            return self.helper_call(f"PaddedConv{x.rank}d", arguments, (*keywords, ("pads", Slot(pads))))
        return TorchCall(f"nn.Conv{x.rank}d", arguments, tuple(keywords))


@record
class DepthwiseConv(Conv):
    """`DWCONV3`: a convolution of each channel by itself; `DWCONV3-64` draws several filters for each channel."""

    NAMES: ClassVar = ("DWCONV",)

    filters: int = option("int", 0, "K", minimum=0)
    groups: int = 1

    def _groups(self, x: Shape) -> int:
        return x.channels

    def _filters(self, x: Shape) -> int:
        return self.filters or x.channels
