"""Coordinate attention, as a layer type in a package of its own: `pip install ./examples/coordatt`, then `COORDATT`.

Source: Hou, Zhou and Feng 2021, "Coordinate Attention for Efficient Mobile Network Design", arXiv:2103.02907,
Section 3.2. The module is that of the authors' code, with the same names of parameters.
"""

from __future__ import annotations

from typing import ClassVar

from cnndsl.layers.base import Layer, LayerError, Saved, Slot, Tensor, TorchCall, Window, need_spatial, option
from cnndsl.records import record
from cnndsl.shape import Shape

FEWEST = 8
"""The fewest channels in between."""

_COORDINATE_ATTENTION = '''\
class CoordinateAttention(nn.Module):
    """Gates from the mean of each row and of each column. Hou et al. 2021."""

    def __init__(self, channels: int, reduction: int = 32) -> None:
        super().__init__()
        inner = max(8, channels // reduction)
        self.conv1 = nn.Conv2d(channels, inner, 1)
        self.bn1 = nn.BatchNorm2d(inner)
        self.act = nn.Hardswish()
        self.conv_h = nn.Conv2d(inner, channels, 1)
        self.conv_w = nn.Conv2d(inner, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        extents = [x.shape[2], x.shape[3]]
        y = torch.cat([x.mean([3], True), x.mean([2], True).transpose(2, 3)], 2)
        y = self.act(self.bn1(self.conv1(y)))
        rows, columns = torch.split(y, extents, 2)
        gate = torch.sigmoid(self.conv_w(columns.transpose(2, 3)))
        return x * gate * torch.sigmoid(self.conv_h(rows))
'''


@record
class CoordinateAttention(Layer):
    """`COORDATT(reduction=32)`: multiplies each value by a gate of its row and by one of its column.

    In between there are C/reduction channels, 8 at least.
    """

    NAMES: ClassVar = ("COORDATT",)
    POSITIONAL: ClassVar = ("reduction",)
    HELPERS: ClassVar = {"CoordinateAttention": _COORDINATE_ATTENTION}

    reduction: int = option("int", 32, minimum=1)

    def _inner(self, x: Shape) -> int:
        return max(FEWEST, x.channels // self.reduction)

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_spatial(self.kind(), x)
        if x.rank != 2:
            message = f"COORDATT needs an input with two spatial axes, and this has {x.rank}: {x}"
            raise LayerError("E0303", message, "MUL(ID, GAP -> FC-C -> SIGMOID) is a gate for any number of axes")
        return x

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        (x,) = inputs
        inner = self._inner(x)
        return (
            *_convolution("conv1", x.channels, inner),
            Tensor("bn1.weight", (inner,)),
            Tensor("bn1.bias", (inner,), "bias"),
            Tensor("bn1.running_mean", (inner,), "buffer"),
            Tensor("bn1.running_var", (inner,), "buffer"),
            Tensor("bn1.num_batches_tracked", (), "buffer", "int64"),
            *_convolution("conv_h", inner, x.channels),
            *_convolution("conv_w", inner, x.channels),
        )

    def macs(self, *inputs: Shape) -> int:
        """Two convolutions of each row and each column."""
        (x,) = inputs
        return 2 * sum(x.spatial) * x.channels * self._inner(x)

    def operations(self, *inputs: Shape) -> int:
        """Two means and two products for each value; for each row and column a normalisation and two functions."""
        (x,) = inputs
        return 4 * x.numel + sum(x.spatial) * (3 * self._inner(x) + x.channels)

    def window(self, *inputs: Shape) -> Window | None:
        """The row and the column of a position: the box around them is all there is."""
        return None

    def saved(self, *inputs: Shape) -> Saved:
        """The input; the means, what each of three layers between them and the gates takes, the gates; and the
        product with the first gate."""
        (x,) = inputs
        lines, inner = sum(x.spatial), self._inner(x)
        values = x.numel + lines * (2 * x.channels + 3 * inner)
        return Saved(inputs=(0,), extra=((0, values, True), (4, 2 * inner, False)))

    def scratch(self, *inputs: Shape) -> tuple[int, int]:
        """The product with the first gate beside both gates and what these are made of; the gradient of a gate at each
        value, before it is summed."""
        (x,) = inputs
        return x.numel + sum(x.spatial) * (x.channels + self._inner(x)), x.numel

    def formula(self, *inputs: Shape) -> str:
        (x,) = inputs
        return f"3*{x.channels}*{self._inner(x)}+{self._inner(x)}"

    def torch(self, *inputs: Shape) -> TorchCall:
        (x,) = inputs
        keywords = () if self.reduction == 32 else (("reduction", Slot(self.reduction, "reduction")),)
        return self.helper_call("CoordinateAttention", (Slot(x.channels, "in_channels"),), keywords)


def _convolution(name: str, entering: int, leaving: int) -> tuple[Tensor, Tensor]:
    return Tensor(f"{name}.weight", (leaving, entering, 1, 1)), Tensor(f"{name}.bias", (leaving,), "bias")
