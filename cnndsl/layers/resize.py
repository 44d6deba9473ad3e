"""What makes a map larger without weights: `UNPOOL` and `UPSAMPLE`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cnndsl.layers.base import Dims, Layer, LayerError, TorchCall, each_axis, need_spatial, option
from cnndsl.layers.pool import MaxPool
from cnndsl.shape import Shape


@dataclass(frozen=True)
class Unpool(Layer):
    """`UNPOOL2(@pool1)`: puts each value where the named max-pool took its own from, zeros elsewhere.

    The output has the shape of that pool's input. The second input is the pool, whose indices are the switches.
    Source: Zeiler et al. 2011; Badrinarayanan et al. 2017 (SegNet).
    """

    NAMES: ClassVar = ("UNPOOL",)
    SIZE: ClassVar = "kernel"
    STRIDE: ClassVar = "stride"
    POSITIONAL: ClassVar = ("switches",)
    INPUTS: ClassVar = (2, 2)

    kernel: Dims = option("dims", (), "F", minimum=1)
    stride: Dims = option("dims", (), "S", minimum=1)
    switches: str = option("reference", "", required=True)
    pool: MaxPool | None = None
    entering: Shape | None = None

    def output(self, *inputs: Shape) -> Shape:
        x, pooled = inputs
        if x != pooled:
            message = f"the switches are those of {pooled}, and the input is {x}"
            raise LayerError("E0306", message, "unpool where the maps are as large and as many as the pool gave")
        return x if self.entering is None else self.entering

    def torch(self, *inputs: Shape) -> TorchCall | None:
        raise NotImplementedError


@dataclass(frozen=True)
class Upsample(Layer):
    """`UPSAMPLE2(mode=bilinear, align=no)`, `UPSAMPLE(out=28x28)`."""

    NAMES: ClassVar = ("UPSAMPLE",)
    SIZE: ClassVar = "scale"

    scale: Dims = option("dims", (), minimum=1)
    out: Dims = option("dims", (), minimum=1)
    mode: str = option("word", "nearest", words=("nearest", "linear", "bilinear", "trilinear", "bicubic"))
    align: bool = option("flag", False)

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_spatial(self.kind(), x)
        if self.out:
            return Shape(x.channels, each_axis(self.out, x.rank, "output"))
        scale = each_axis(self.scale or (2,), x.rank, "scale")
        return Shape(x.channels, tuple(size * by for size, by in zip(x.spatial, scale, strict=True)))

    def torch(self, *inputs: Shape) -> TorchCall | None:
        raise NotImplementedError
