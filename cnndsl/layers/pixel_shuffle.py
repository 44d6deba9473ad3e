"""Layers that move positions to channels and back: `PIXELSHUFFLE`, `PIXELUNSHUFFLE`."""

from __future__ import annotations

from typing import ClassVar

from cnndsl.layers.base import Cut, Layer, LayerError, Slot, TorchCall, Window, need_spatial, option
from cnndsl.layers.window import Reach, resampled
from cnndsl.records import record
from cnndsl.shape import Shape

_DEPTH_TO_SPACE = '''\
class DepthToSpace(nn.Module):
    """Blocks of positions from channels: place by place, at each all channels."""

    def __init__(self, block_size: int) -> None:
        super().__init__()
        self.block_size = block_size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        b = self.block_size
        n, c, h, w = x.shape
        x = x.reshape(n, b, b, c // (b * b), h, w).permute(0, 3, 4, 1, 5, 2)
        return x.reshape(n, c // (b * b), h * b, w * b)
'''

_SPACE_TO_DEPTH = '''\
class SpaceToDepth(nn.Module):
    """Channels from blocks of positions: place by place, at each all channels."""

    def __init__(self, block_size: int) -> None:
        super().__init__()
        self.block_size = block_size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        b = self.block_size
        n, c, h, w = x.shape
        x = x.reshape(n, c, h // b, b, w // b, b).permute(0, 3, 5, 1, 2, 4)
        return x.reshape(n, c * b * b, h // b, w // b)
'''

_REORG = '''\
class Reorg(nn.Module):
    """The reorg layer of Darknet: of the input as a larger map with fewer channels."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        s = self.stride
        n, c, h, w = x.shape
        x = x.reshape(n, c // (s * s), h, s, w, s).permute(0, 3, 5, 1, 2, 4)
        return x.reshape(n, c * s * s, h // s, w // s)
'''


def _need_plane(kind: str, x: Shape) -> None:
    """Raise LayerError unless the input has two spatial axes."""
    need_spatial(kind, x)
    if x.rank != 2:
        resizing = "UPSAMPLE enlarges" if kind == "PIXELSHUFFLE" else "a stride of CONV or POOL shrinks"
        message = f"{kind} takes a map of two axes, but this input has {x.rank}"
        raise LayerError("E0303", message, f"{resizing} maps of any number of axes")


@record
class PixelShuffle(Layer):
    """`PIXELSHUFFLE2`: makes a map twice as large in both directions from every four channels; as
    torch.nn.PixelShuffle.

    Output channel c at (y, x) is an input channel at (y // r, x // r), for a factor r. With `order=channels` it is
    c*r^2 + r*(y mod r) + x mod r (Shi et al. 2016, arXiv:1609.05158, Equation 4), with `order=blocks` (r*(y mod r) + x
    mod r)*C + c for C channels of the output, as in TensorFlow's depth_to_space.
    """

    ROLE: ClassVar = "resize"
    NAMES: ClassVar = ("PIXELSHUFFLE",)
    SIZE: ClassVar = "factor"
    HELPERS: ClassVar = {"DepthToSpace": _DEPTH_TO_SPACE}

    factor: int = option("int", 2, minimum=1)
    order: str = option("word", "channels", words=("channels", "blocks"))

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        _need_plane(self.kind(), x)
        square = self.factor**2
        if x.channels % square:
            message = f"{self.factor}*{self.factor} must divide the {x.channels} channels of the input"
            help = f"{self.kind()}{self.factor} divides the channels by {self.factor}*{self.factor} = {square}"
            raise LayerError("E0304", message, f"{help}: CONV3-{{64*{square}}} before it gives 64", divisor=square)
        return Shape(x.channels // square, tuple(size * self.factor for size in x.spatial))

    def views(self, *inputs: Shape) -> bool:
        """Return whether the output is one block with one channel, in order."""
        return _is_moved(self.order, self.factor) and inputs[0].numel == self.factor**2

    def size_formula(self, *inputs: Shape) -> tuple[str, ...]:
        return tuple(f"{size}*{self.factor}" for size in inputs[0].spatial)

    def channels_formula(self, *inputs: Shape) -> str:
        return f"{inputs[0].channels}/({self.factor}*{self.factor})"

    def window(self, *inputs: Shape) -> Window | None:
        return resampled((Reach(0, self.factor - 1, 1, self.factor),) * inputs[0].rank)

    def torch(self, *inputs: Shape) -> TorchCall | None:
        factor = (Slot(self.factor, "factor"),)
        if _is_moved(self.order, self.factor):
            return self.helper_call("DepthToSpace", factor)
        return TorchCall("nn.PixelShuffle", factor)


@record
class PixelUnshuffle(Layer):
    """`PIXELUNSHUFFLE2(order=channels)`: turns each block of 2x2 positions into one with four times the channels.

    With `order=channels` channel c at position (y, x) of a block becomes c*r^2 + r*y + x, as in
    torch.nn.PixelUnshuffle; with `order=blocks` (r*y + x)*C + c, as in TensorFlow's space_to_depth and in TResNet
    (Ridnik et al. 2020, arXiv:2003.13630, Section 2.1). `order=darknet` is the reorg layer of YOLOv2 (Redmon and
    Farhadi 2016, arXiv:1612.08242) as Darknet computes it (reorg_cpu in src/blas.c): it moves the blocks of its input's
    memory read as a map of C/r^2 channels, r times as large.
    """

    ROLE: ClassVar = "arrangement"
    NAMES: ClassVar = ("PIXELUNSHUFFLE",)
    SIZE: ClassVar = "factor"
    HELPERS: ClassVar = {"SpaceToDepth": _SPACE_TO_DEPTH, "Reorg": _REORG}

    factor: int = option("int", 2, minimum=1)
    order: str = option("word", "channels", words=("channels", "blocks", "darknet"))

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        _need_plane(self.kind(), x)
        if any(size % self.factor for size in x.spatial):
            least = "x".join(str(-(-size // self.factor) * self.factor) for size in x.spatial)
            message = f"{self.factor} must divide the extents of the input {x}"
            raise LayerError("E0304", message, f"add ZEROPAD(out={least}) before it")
        square = self.factor**2
        if self.order == "darknet" and x.channels % square:
            message = f"{self.factor}*{self.factor} must divide the {x.channels} channels of the input"
            raise LayerError("E0304", message, "only order=darknet requires this")
        return Shape(x.channels * square, tuple(size // self.factor for size in x.spatial))

    def copied(self, *inputs: Shape) -> tuple[Cut, ...]:
        """Return the copied views: Darknet's order reads across lines; a block made a position is contiguous."""
        is_read = (self.order == "darknet" and self.factor > 1) or self.views(*inputs)
        return ("positions",) if is_read else ()

    def views(self, *inputs: Shape) -> bool:
        """Return whether the output is the block itself, in order: if there is only one, with one channel."""
        return _is_moved(self.order, self.factor) and inputs[0].numel == self.factor**2

    def size_formula(self, *inputs: Shape) -> tuple[str, ...]:
        return tuple(f"{size}/{self.factor}" for size in inputs[0].spatial)

    def channels_formula(self, *inputs: Shape) -> str:
        return f"{inputs[0].channels}*({self.factor}*{self.factor})"

    def mixes_axes(self, *inputs: Shape) -> bool:
        """Return False: Darknet's order mixes the values along the axes, not the sizes."""
        return False

    def window(self, *inputs: Shape) -> Window | None:
        """Return the block; None for Darknet's order, in which positions at one edge come from the other."""
        if self.order == "darknet" and self.factor > 1:
            return None
        return Window((self.factor,) * 2, (self.factor,) * 2, (0, 0))

    def torch(self, *inputs: Shape) -> TorchCall | None:
        factor = (Slot(self.factor, "factor"),)
        if _is_moved(self.order, self.factor):
            return self.helper_call("SpaceToDepth" if self.order == "blocks" else "Reorg", factor)
        return TorchCall("nn.PixelUnshuffle", factor)


def _is_moved(order: str, factor: int) -> bool:
    """Return whether the order of the channels differs from PyTorch's. A factor of 1 has only one order."""
    return order != "channels" and factor > 1
