"""Layers that drop, cut, pad or reorder values: `DROPOUT`, `FLATTEN`, `ZEROPAD`, `SLICE` and the like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cnndsl.layers.base import Dims, Layer, LayerError, each_axis, need_spatial, option
from cnndsl.shape import Shape


@dataclass(frozen=True)
class Dropout(Layer):
    """`DROPOUT(0.5)`."""

    NAMES: ClassVar = ("DROPOUT",)
    POSITIONAL: ClassVar = ("p",)

    p: float = option("number", 0.5, minimum=0, maximum=1)
    channels: bool = option("flag", False)


@dataclass(frozen=True)
class DropPath(Layer):
    """`DROPPATH(0.1)`."""

    NAMES: ClassVar = ("DROPPATH",)
    POSITIONAL: ClassVar = ("p",)

    p: float = option("number", 0.1, minimum=0, maximum=1)


@dataclass(frozen=True)
class Flatten(Layer):
    """`FLATTEN`."""

    NAMES: ClassVar = ("FLATTEN",)
    VIEW: ClassVar = True

    def output(self, *inputs: Shape) -> Shape:
        return Shape(inputs[0].numel)


@dataclass(frozen=True)
class Identity(Layer):
    """`ID`."""

    NAMES: ClassVar = ("ID", "IDENTITY")
    VIEW: ClassVar = True


@dataclass(frozen=True)
class ZeroPad(Layer):
    """`ZEROPAD(2)`, `ZEROPAD(0, after=1)`."""

    NAMES: ClassVar = ("ZEROPAD",)
    POSITIONAL: ClassVar = ("pad",)

    pad: Dims = option("dims", (1,), "P", minimum=0)
    after: Dims = option("dims", (), minimum=0)

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_spatial(self.kind(), x)
        before = each_axis(self.pad, x.rank, "padding")
        after = each_axis(self.after or self.pad, x.rank, "padding")
        return Shape(x.channels, tuple(map(sum, zip(x.spatial, before, after, strict=True))))


@dataclass(frozen=True)
class PadChannels(Layer):
    """`PADCHANNELS-64/2(where=after)`."""

    NAMES: ClassVar = ("PADCHANNELS",)
    WIDTH: ClassVar = "channels"
    STRIDE: ClassVar = "stride"

    channels: int = option("int", 0, "K", minimum=1, required=True)
    stride: Dims = option("dims", (1,), "S", minimum=1)
    where: str = option("word", "after", words=("after", "both"))

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if self.channels < x.channels:
            raise LayerError("E0308", f"PADCHANNELS-{self.channels} cannot hold the {x.channels} channels of its input")
        steps = each_axis(self.stride, x.rank, "stride") if x.rank else ()
        return Shape(self.channels, tuple(-(-size // step) for size, step in zip(x.spatial, steps, strict=True)))


@dataclass(frozen=True)
class Shuffle(Layer):
    """`SHUFFLE2`."""

    NAMES: ClassVar = ("SHUFFLE",)
    SIZE: ClassVar = "groups"

    groups: int = option("int", 2, minimum=1)


@dataclass(frozen=True)
class Slice(Layer):
    """`SLICE(0, C/2)`."""

    NAMES: ClassVar = ("SLICE",)
    VIEW: ClassVar = True
    POSITIONAL: ClassVar = ("start", "stop")

    start: int = option("int", 0, minimum=0, required=True)
    stop: int = option("int", 0, minimum=1, required=True)

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if not self.start < self.stop <= x.channels:
            raise LayerError("E0308", f"SLICE({self.start}, {self.stop}) is no range of the {x.channels} channels")
        return Shape(self.stop - self.start, x.spatial)


@dataclass(frozen=True)
class Pick(Layer):
    """`PICK(0, 3, 4)`."""

    NAMES: ClassVar = ("PICK",)
    POSITIONAL: ClassVar = ("channels",)

    channels: tuple[int, ...] = option("ints", (), minimum=0, required=True)

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        beyond = [at for at in self.channels if at >= x.channels]
        if beyond:
            raise LayerError("E0308", f"there is no channel {beyond[0]}: the input has {x.channels}, from 0")
        return Shape(len(self.channels), x.spatial)
