"""Convolutions with shared weights: `CONV` and `DWCONV`."""

from __future__ import annotations

from collections.abc import Iterator
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
from cnndsl.layers.borders import BORDERS, FILLINGS, PAD_LAYERS, Sides, amount, border_of, check_filling, filled, times
from cnndsl.layers.conv_modules import SOURCES
from cnndsl.layers.formulas import multiplied
from cnndsl.layers.steps import PARAMETER, STATISTIC, LayerStep, pad
from cnndsl.layers.window import Axis, SlidingLayer, axes, slide, symmetric
from cnndsl.records import record
from cnndsl.shape import Shape

INITS = ("default", "kaiming", "kaiming_uniform", "xavier", "xavier_uniform", "normal", "trunc_normal", "zeros", "ones")
"""How weights are initialised; `default` is PyTorch's own way."""
PADDINGS = ("same", "valid", "full", "tfsame", *FILLINGS)


def need_groups(groups: int, x: Shape, filters: int) -> None:
    """Raise LayerError if the groups do not divide the channels on both sides."""
    if x.channels % groups or filters % groups:
        both = f"the {x.channels} channels of the input and the {filters} filters"
        message = f"{both} cannot both be divided into {groups} groups"
        raise LayerError("E0304", message, _other_groups(groups, x.channels, filters))


def _other_groups(groups: int, channels: int, filters: int) -> str:
    """Suggest a fix if groups do not divide the channels: a depthwise convolution, another width, other groups."""
    others = common_divisors(channels, filters)
    if groups == filters:
        return f"for one group per channel, a depthwise convolution, write `DWCONV`; otherwise {others}"
    wrong = filters if filters % groups else channels
    multiples = [each for each in (wrong // groups * groups, (wrong // groups + 1) * groups) if each]
    what = "the width" if filters % groups else "the number of channels that enter"
    if channels % groups and filters % groups:
        what = "the width and the channels that enter"
    such = f", such as {' or '.join(map(str, multiples))}" if wrong == channels or not channels % groups else ""
    return f"for {groups} groups make {what} a multiple of {groups}{such}; otherwise {others}"


@record
class Conv(SlidingLayer):
    """`CONV3-64/2(pad=same, groups=1, dilation=1, bias=yes)`: cross-correlation with F filters.

    Parameters (F_in/groups * k^n) * F_out + F_out. Bare `CONV` is CONV3-64, the first layer of VGG.

    With `standardise=weights` each filter has mean 0 and variance 1 (Qiao et al. 2019, arXiv:1903.10520); `scaled` also
    divides it by the root of its number of weights, and multiplies by `gamma` and by a learned gain for each filter
    (Brock et al. 2021, arXiv:2101.08692, Section 3; the gain is that of arXiv:2102.06171).
    """

    NAMES: ClassVar = ("CONV",)
    ROLE: ClassVar = "convolution"
    INIT: ClassVar = "init"
    SIZE: ClassVar = "kernel"
    WIDTH: ClassVar = "filters"
    STRIDE: ClassVar = "stride"
    HELPERS: ClassVar = SOURCES
    DEFAULTS: ClassVar = (("gamma", 1.0), ("eps", 1e-6))

    kernel: Dims = option("dims", (3,), "F", minimum=1)
    filters: int = option("int", 64, "K", minimum=1)
    stride: Dims = option("dims", (1,), "S", minimum=1)
    pad: Padding = option("padding", "same", "P", minimum=0, words=PADDINGS)
    dilation: Dims = option("dims", (1,), minimum=1)
    groups: int = option("int", 1, minimum=1)
    bias: bool = option("flag", True)
    init: str = option("word", "default", words=INITS)
    border: str = option("word", "zeros", words=BORDERS)
    standardise: str = option("word", "none", words=("none", "weights", "scaled"))
    gamma: float = option("number", 1.0)
    eps: float = option("number", 1e-6, minimum=1e-12)
    frozen: bool = option("flag", False)

    @property
    def is_frozen(self) -> bool:
        return self.frozen

    def _axes(self, x: Shape) -> tuple[Axis, ...]:
        return axes(x, self.kernel, self.stride, self.dilation, amount(self.pad))

    def _sides(self, x: Shape) -> Sides:
        return tuple((axis.before, axis.after) for axis in self._axes(x))

    def _groups(self, x: Shape) -> int:
        return self.groups

    def _filters(self, x: Shape) -> int:
        return self.filters

    def _border(self, x: Shape) -> str:
        """Return the padding mode; zeros if there is no padding that a window reaches."""
        border = border_of(self.pad, self.border)
        if border == "zeros":
            return border
        padding = symmetric(self._axes(x))
        return border if padding is None or any(padding) else "zeros"

    def _follows_size(self, x: Shape) -> bool:
        """Return whether the module computes its padding from the size of its input."""
        return self.pad == "tfsame" and any(size > 1 for size in self.filter_size(x))

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_spatial(self.kind(), x)
        filters, groups = self._filters(x), self._groups(x)
        need_groups(groups, x, filters)
        spatial = slide(self._axes(x), self.kind(), x)
        check_filling(self.kind(), self._border(x), self._sides(x), x)
        self._check(x)
        return Shape(filters, spatial)

    def _check(self, x: Shape) -> None:
        """Raise LayerError for options that exclude each other."""
        if self.border != "zeros" and isinstance(self.pad, str) and self.pad not in ("same", "valid", "full"):
            message = f"`pad={self.pad}` sets the values beyond the border, and so does `border={self.border}`"
            raise LayerError("E0318", message, f"keep one of them: `pad={self.border}` pads as much as `same`")
        is_plain = self._border(x) == "zeros" and self.standardise == "none"
        if not is_plain and self._is_uneven(x) and any(step > 1 for step in self.stride):
            before, after = (times(squeeze(each)) for each in zip(*self._sides(x), strict=True))
            message = (
                f"{self.kind()} pads {before} before and {after} after a map, and takes a stride with that only if"
            )
            help = f"`{PAD_LAYERS[self._border(x)]}({before}, after={after})` before it, and `pad=valid` here"
            raise LayerError("E0318", f"{message} it adds zeros and has plain weights", help)
        if self.standardise != "none" and self._fan_in(x) == 1:
            message = f"each filter of {self.kind()} has a single weight, so it has no variance to divide by"
            raise LayerError("E0309", message, "remove `standardise` here")

    def _is_uneven(self, x: Shape) -> bool:
        """Return whether a constant padding differs between the sides, which PyTorch's module does not support."""
        return not self._follows_size(x) and symmetric(self._axes(x)) is None

    def filter_size(self, *inputs: Shape) -> Dims:
        return each_axis(self.kernel, inputs[0].rank, "kernel")

    def _fan_in(self, x: Shape) -> int:
        """Return the number of weights of each filter."""
        return x.channels // self._groups(x) * prod(self.filter_size(x))

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        (x,) = inputs
        filters = self._filters(x)
        kernel = self.filter_size(x)
        weight = Tensor("weight", (filters, x.channels // self._groups(x), *kernel), frozen=self.frozen)
        bias = (Tensor("bias", (filters,), "bias", frozen=self.frozen),) if self.bias else ()
        gains = (filters, 1, *(1 for _ in kernel))
        gain = (Tensor("gain", gains, frozen=self.frozen),) if self.standardise == "scaled" else ()
        return (weight, *bias, *gain)

    def macs(self, *inputs: Shape) -> int:
        return self.output(*inputs).pixels * self.tensors(*inputs)[0].numel

    def operations(self, *inputs: Shape) -> int:
        """Return, for standardised weights and any batch, three operations per weight for the statistics and two to
        normalise, and one for each gain; else 0."""
        if self.standardise == "none":
            return 0
        weights, filters = self.tensors(*inputs)[0].numel, self._filters(inputs[0])
        return 5 * weights + (filters if self.standardise == "scaled" else 0)

    def _padded(self, x: Shape, at: int) -> tuple[LayerStep, ...]:
        """Return the padded copy of the input, if PyTorch's kernel cannot pad this way: the value `at`, or the next.

        The kernel pads evenly. The odd part is padded first, if the stride is 1 or the padding follows the size.
        """
        windows, border = self._axes(x), self._border(x)
        odd = pad(x.channels * prod(axis.size + axis.after - axis.before for axis in windows))
        if border != "zeros":
            return filled(border, self._sides(x), x, at)
        if self._follows_size(x):
            return () if all(axis.before == axis.after for axis in windows) else (odd,)
        if symmetric(windows) is not None:
            return ()
        if all(axis.stride == 1 for axis in windows):
            return (replace(odd, autocast="half", on_cuda="half", inside=True),)
        return (pad(x.channels * prod(axis.size + axis.before + axis.after for axis in windows)),)

    def saved(self, *inputs: Shape) -> Saved:
        """Return the input, or a padded copy of it, or both; with standardised weights also these, the mean and the
        inverse deviation of each filter, and its gain."""
        (x,) = inputs
        copy, extra = self._padded(x, 1), list[tuple[int, int, bool]]()
        if copy:
            extra.append((0, copy[-1].values, True))
        if self.standardise != "none":
            extra += [(PARAMETER, self.tensors(x)[0].numel, False), *self._standardised(x).extra]
        return Saved(inputs=(0,) if not copy or copy[0].keeps else (), extra=tuple(extra))

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return the standardised weights, if any; the padded copy, if any; the convolution. `padding="same"` pads
        after autocast's cast."""
        (x,) = inputs
        weights = () if self.standardise == "none" else (self._standardised(x),)
        copy = self._padded(x, len(weights) + 1)
        reads = (len(weights) + len(copy) if copy else 0, *range(1, len(weights) + 1))
        tensors = tuple(range(len(weights), 1 + self.bias))
        step = self.single_step(x, reads=reads, keeps=tuple(range(len(reads))), extra=(), tensors=tensors)
        return (*weights, *copy, step)

    def _standardised(self, x: Shape) -> LayerStep:
        """Return the computation of the standardised weights, once for all images."""
        weight, filters = self.tensors(x)[0], self._filters(x)
        is_scaled = self.standardise == "scaled"
        gain = ((PARAMETER, filters, False),) if is_scaled else ()
        extra = ((STATISTIC, 2 * filters, False), *gain)
        own = (0, 1 + self.bias) if is_scaled else (0,)
        return LayerStep((), weight.numel, extra=extra, tensors=own, promotes=True, fixed=True)

    def formula(self, *inputs: Shape) -> str:
        _, fan_in, *kernel = self.tensors(*inputs)[0].shape
        return f"({'*'.join(map(str, (*kernel, fan_in)))})*{self._filters(inputs[0])}{self._gains(inputs[0])}"

    def _gains(self, x: Shape) -> str:
        return f" + {self._filters(x)}" if self.standardise == "scaled" else ""

    def weights_formula(self, *inputs: Shape) -> str:
        return f"{self._product(inputs[0])}{self._gains(inputs[0])}"

    def _product(self, x: Shape) -> str:
        """Return the weights without gains, as a product."""
        groups = "" if self._groups(x) == 1 else f"/{self._groups(x)}"
        return f"({multiplied(self.filter_size(x))}*{x.channels}{groups})*{self._filters(x)}"

    def macs_formula(self, *inputs: Shape) -> str:
        return f"{multiplied(self.output(*inputs).spatial)}*{self._product(inputs[0])}"

    def torch(self, *inputs: Shape) -> TorchCall | None:
        (x,) = inputs
        windows = self._axes(x)
        keywords: list[tuple[str, Slot]] = []
        if any(axis.stride != 1 for axis in windows):
            keywords.append(("stride", Slot(squeeze(self.stride), "stride")))
        keywords += self._padding(x)
        if any(axis.dilation != 1 for axis in windows):
            keywords.append(("dilation", Slot(squeeze(self.dilation), "dilation")))
        if self._groups(x) != 1:
            keywords.append(("groups", Slot(self._groups(x), "groups")))
        if not self.bias:
            keywords.append(("bias", Slot(False)))
        if self._border(x) != "zeros":
            keywords.append(("padding_mode", Slot(self._border(x))))
        if self.standardise == "scaled" and self.gamma != 1:
            keywords.append(("gamma", Slot(float(self.gamma), "gamma")))
        if self.standardise != "none" and self.eps != 1e-6:
            keywords.append(("eps", Slot(float(self.eps), "eps")))
        arguments = (
            Slot(x.channels, "in_channels"),
            Slot(self._filters(x), "filters"),
            Slot(squeeze(self.kernel), "kernel"),
        )
        name = f"{self._prefix(x)}Conv{x.rank}d"
        if name in SOURCES:
            return self.helper_call(name, arguments, tuple(keywords))
        return TorchCall(f"nn.{name}", arguments, tuple(keywords))

    def _prefix(self, x: Shape) -> str:
        """Return the prefix of the class name before PyTorch's."""
        standard = {"none": "", "weights": "Std", "scaled": "ScaledStd"}[self.standardise]
        if self._follows_size(x):
            return f"Same{standard}"
        return "Padded" if self._is_uneven(x) and any(step != 1 for step in self.stride) else standard

    def _padding(self, x: Shape) -> Iterator[tuple[str, Slot]]:
        """Yield the arguments for the padding."""
        if self._follows_size(x):
            return
        windows = self._axes(x)
        padding = symmetric(windows)
        if padding is not None:
            if any(padding):
                yield "padding", Slot(squeeze(padding), "padding")
        elif all(axis.stride == 1 for axis in windows):
            yield "padding", Slot("same")
        else:
            yield "pads", Slot(tuple(n for axis in reversed(windows) for n in (axis.before, axis.after)))


@record
class DepthwiseConv(Conv):
    """`DWCONV3`: a convolution of each channel separately; `DWCONV3-64` has several filters for each channel."""

    NAMES: ClassVar = ("DWCONV",)

    filters: int = option("int", 0, "K", minimum=0)
    groups: int = 1

    def _groups(self, x: Shape) -> int:
        return x.channels

    def _filters(self, x: Shape) -> int:
        if self.filters % x.channels:
            message = f"the width of DWCONV must be a multiple of its {x.channels} input channels, not {self.filters}"
            more = x.channels * max(1, round(self.filters / x.channels))
            help = f"omit the width, or use a multiple, such as `DWCONV3-{more}`"
            raise LayerError("E0304", message, help, width_is_optional=True)
        return self.filters or x.channels
