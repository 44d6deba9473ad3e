"""Convolutions whose weights differ from position to position: `LOCAL`."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from cnndsl.layers.base import (
    Dims,
    Padding,
    Saved,
    Slot,
    Tensor,
    TorchCall,
    each_axis,
    need_spatial,
    option,
)
from cnndsl.layers.steps import LayerStep, pad
from cnndsl.layers.window import Axis, SlidingLayer, axes, slide
from cnndsl.records import record
from cnndsl.shape import Shape

_LOCALLY_CONNECTED = '''\
class LocallyConnected(nn.Module):
    """A convolution with weights of its own at each position; padded as by `F.pad`."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        output_size: tuple[int, ...],
        *,
        stride: tuple[int, ...],
        pads: tuple[int, ...] = (),
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = list(kernel_size)
        self.output_size = list(output_size)
        self.stride = list(stride)
        self.pads = list(pads or (0,) * (2 * len(kernel_size)))
        axes = len(kernel_size)
        self.order = [*range(2, axes + 2), 0, 1, *range(axes + 2, 2 * axes + 2)]
        positions = torch.Size(output_size).numel()
        patch = in_channels * torch.Size(kernel_size).numel()
        self.weight = nn.Parameter(torch.empty(positions, out_channels, patch))
        self.bias = (
            nn.Parameter(torch.empty(out_channels, *output_size)) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        bound = self.weight.shape[2] ** -0.5
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        axes = len(self.kernel_size)
        x = F.pad(x, self.pads)
        for axis in range(axes):
            x = x.unfold(axis + 2, self.kernel_size[axis], self.stride[axis])
        x = x.permute(self.order).clone(memory_format=torch.contiguous_format)
        x = x.flatten(axes + 1).flatten(0, axes - 1).transpose(1, 2)
        x = torch.bmm(self.weight, x)
        x = torch.unflatten(x.permute(2, 1, 0).contiguous(), 2, self.output_size)
        return x if self.bias is None else x + self.bias
'''


@record
class LocallyConnected(SlidingLayer):
    """`LOCAL3-16(pad=valid, bias=yes)`: a convolution whose weights differ from position to position.

    Parameters: pixels * (F_in * k^n * F_out + F_out). Source: Taigman et al. 2014 (DeepFace), Section 2.2.
    """

    NAMES: ClassVar = ("LOCAL",)
    ROLE: ClassVar = "convolution"
    SHARES_WEIGHTS: ClassVar = False
    SIZE: ClassVar = "kernel"
    WIDTH: ClassVar = "filters"
    STRIDE: ClassVar = "stride"
    HELPERS: ClassVar = {"LocallyConnected": _LOCALLY_CONNECTED}

    kernel: Dims = option("dims", (3,), "F", minimum=1)
    filters: int = option("int", 64, "K", minimum=1)
    stride: Dims = option("dims", (1,), "S", minimum=1)
    pad: Padding = option("padding", "same", "P", minimum=0, words=("same", "valid", "full"))
    bias: bool = option("flag", True)

    def _axes(self, x: Shape) -> tuple[Axis, ...]:
        return axes(x, self.kernel, self.stride, (1,), self.pad)

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_spatial(self.kind(), x)
        return Shape(self.filters, slide(self._axes(x), self.kind(), x))

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        (x,) = inputs
        y = self.output(x)
        patch = x.channels * prod(each_axis(self.kernel, x.rank, "kernel"))
        weight = Tensor("weight", (y.pixels, self.filters, patch))
        return (weight, Tensor("bias", (self.filters, *y.spatial), "bias")) if self.bias else (weight,)

    def macs(self, *inputs: Shape) -> int:
        return self.tensors(*inputs)[0].numel

    def saved(self, *inputs: Shape) -> Saved:
        """Return the patch of every position."""
        pixels, _, patch = self.tensors(*inputs)[0].shape
        return Saved(extra=((0, pixels * patch, True),))

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return the padded copy, a view of its windows along each axis, their copy, the products at every position,
        which are then put in order, and the bias."""
        (x,) = inputs
        pixels, filters, patch = self.tensors(x)[0].shape
        windows = self._axes(x)
        extents = [axis.size + axis.before + axis.after for axis in windows]
        steps = [pad(x.channels * prod(extents))]
        for at, axis in enumerate(windows):
            extents[at] = axis.output * axis.extent
            steps.append(LayerStep((len(steps),), x.channels * prod(extents), view=True))
        last = len(steps)
        steps.append(LayerStep((last,), pixels * patch, gradient="handed on"))
        steps.append(
            LayerStep(
                *((last + 1,), pixels * filters),
                keeps=(0,),
                product=True,
                tensors=(0,),
                tensors_first=True,
                autocast="half",
                on_cuda="half",
            )
        )
        steps.append(LayerStep((last + 2,), pixels * filters, gradient="handed on", viewed=not self.bias))
        if self.bias:
            steps.append(LayerStep((last + 3,), pixels * filters, tensors=(1,), promotes=True, gradient="handed on"))
        return tuple(steps)

    def formula(self, *inputs: Shape) -> str:
        (x,) = inputs
        kernel = each_axis(self.kernel, x.rank, "kernel")
        pixels = "*".join(map(str, self.output(x).spatial))
        return f"{pixels}*({'*'.join(map(str, (*kernel, x.channels)))})*{self.filters}"

    def macs_formula(self, *inputs: Shape) -> str:
        return self.formula(*inputs)

    def torch(self, *inputs: Shape) -> TorchCall | None:
        (x,) = inputs
        windows = self._axes(x)
        pads = tuple(n for axis in reversed(windows) for n in (axis.before, axis.after))
        keywords: list[tuple[str, Slot]] = [("stride", Slot(each_axis(self.stride, x.rank, "stride")))]
        if any(pads):
            keywords.append(("pads", Slot(pads)))
        if not self.bias:
            keywords.append(("bias", Slot(False)))
        arguments = (
            Slot(x.channels, "in_channels"),
            Slot(self.filters, "filters"),
            Slot(each_axis(self.kernel, x.rank, "kernel"), "kernel"),
            Slot(self.output(x).spatial),
        )
        return self.helper_call("LocallyConnected", arguments, tuple(keywords))
