"""Pooling that blurs before it subsamples: `BLURPOOL`."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from cnndsl.layers.base import Saved, Slot, Tensor, TorchCall, need_spatial, option
from cnndsl.layers.borders import check_filling, filled
from cnndsl.layers.formulas import multiplied
from cnndsl.layers.steps import CAST, LayerStep, pad
from cnndsl.layers.torch_calls import by_rank
from cnndsl.layers.window import Axis, SlidingLayer, axes, slide
from cnndsl.records import record
from cnndsl.shape import Shape

_BLUR_POOL = '''\
class BlurPool{n}d(nn.Module):
    """Every `stride`-th position of each channel, blurred by a binomial filter."""

    def __init__(
        self, kernel_size: int = 3, stride: int = 2, padding_mode: str = "reflect"
    ) -> None:
        super().__init__()
        self.stride = stride
        self.pads = [(kernel_size + stride - 2) // 2] * {sides}
        self.mode = "constant" if padding_mode == "zeros" else padding_mode
        row = torch.ones(1)
        for _ in range(kernel_size - 1):
            row = (F.pad(row, (0, 1)) + F.pad(row, (1, 0))) / 2
        taps = row
        for _ in range({last}):
            taps = taps.unsqueeze(-1) * row
        self.register_buffer("taps", taps[None, None], persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        channels = x.size(1)
        taps = self.taps.expand(channels, {axes})
        x = F.pad(x, self.pads, mode=self.mode)
        return F.conv{n}d(x, taps, stride=self.stride, groups=channels)
'''


@record
class BlurPool(SlidingLayer):
    """`BLURPOOL3/2(border=reflect)`: a binomial filter on each channel, then every second position of the result.

    It pads by floor((stride + kernel - 2)/2) on each side. The filter is fixed: a buffer that is not in the
    `state_dict`. Source: Zhang 2019 (Making Convolutional Networks Shift-Invariant Again), arXiv:1904.11486, Section
    3.2.
    """

    NAMES: ClassVar = ("BLURPOOL",)
    ROLE: ClassVar = "pooling"
    SIZE: ClassVar = "kernel"
    STRIDE: ClassVar = "stride"
    HELPERS: ClassVar = by_rank("BlurPool", _BLUR_POOL)
    DEFAULTS: ClassVar = (("stride", 2), ("padding_mode", "reflect"))

    kernel: int = option("int", 3, "F", minimum=2)
    stride: int = option("int", 2, "S", minimum=1)
    border: str = option("word", "reflect", words=("reflect", "zeros"))

    @property
    def _side(self) -> int:
        """Return the padding on each side."""
        return (self.stride + self.kernel - 2) // 2

    def _axes(self, x: Shape) -> tuple[Axis, ...]:
        return axes(x, (self.kernel,), (self.stride,), (1,), (self._side,))

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_spatial(self.kind(), x)
        spatial = slide(self._axes(x), self.kind(), x)
        check_filling(self.kind(), self.border, ((self._side, self._side),) * x.rank, x)
        return Shape(x.channels, spatial)

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        return (Tensor("taps", (1, 1, *[self.kernel] * inputs[0].rank), "buffer", persistent=False),)

    def macs(self, *inputs: Shape) -> int:
        """Return the multiply-adds of a depthwise convolution."""
        return self.output(*inputs).numel * self.kernel ** inputs[0].rank

    def macs_formula(self, *inputs: Shape) -> str:
        (x,) = inputs
        return f"{multiplied(self.output(x).spatial)}*({multiplied((self.kernel,) * x.rank)})*{x.channels}"

    def _padded(self, x: Shape) -> tuple[LayerStep, ...]:
        if self.border == "reflect":
            return filled("reflect", ((self._side, self._side),) * x.rank, x)
        return (pad(x.channels * prod(size + 2 * self._side for size in x.spatial)),)

    def saved(self, *inputs: Shape) -> Saved:
        """Return the padded copy, and the input as well if it was mirrored."""
        (copy,) = self._padded(inputs[0])
        return Saved(inputs=(0,) if copy.keeps else (), extra=((0, copy.values, True),))

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return the padded copy, and the convolution. Autocast casts the filter as it repeats it per channel."""
        (x,) = inputs
        taps = ((CAST, x.channels * self.kernel**x.rank, False),)
        return (*self._padded(x), self.single_step(x, reads=(1,), keeps=(0,), extra=taps))

    def torch(self, *inputs: Shape) -> TorchCall | None:
        keywords: list[tuple[str, Slot]] = []
        if self.stride != 2:
            keywords.append(("stride", Slot(self.stride, "stride")))
        if self.border != "reflect":
            keywords.append(("padding_mode", Slot(self.border)))
        return self.helper_call(f"BlurPool{inputs[0].rank}d", (Slot(self.kernel, "kernel"),), tuple(keywords))
