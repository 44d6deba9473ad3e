"""Layers that drop, cut, pad, reorder or scale values: `DROPOUT`, `FLATTEN`, `CROP`, `SLICE`, `TIMES` and the like."""

from __future__ import annotations

from typing import ClassVar

from cnndsl.layers.base import (
    Dims,
    Layer,
    LayerError,
    Saved,
    Slot,
    TorchCall,
    Window,
    common_divisors,
    each_axis,
    need_spatial,
    option,
    squeeze,
)
from cnndsl.records import record
from cnndsl.shape import Shape


@record
class Dropout(Layer):
    """`DROPOUT(0.5)`: in training, zeroes each value with probability p and divides the others by 1-p.

    With `channels=yes` whole channels are dropped (Tompson et al. 2015). Source: Srivastava et al. 2014.
    """

    FAMILY: ClassVar = "arrange"
    CHECKS_RATES: ClassVar = True
    NAMES: ClassVar = ("DROPOUT",)
    POSITIONAL: ClassVar = ("p",)

    p: float = option("number", 0.5, minimum=0, maximum=1)
    channels: bool = option("flag", False)

    def output(self, *inputs: Shape) -> Shape:
        if self.channels:
            need_spatial("DROPOUT(channels=yes)", inputs[0])
        return inputs[0]

    def saved(self, *inputs: Shape) -> Saved:
        """The mask. Nothing is drawn where p is 0 or 1: then a single zero is kept, or nothing."""
        (x,) = inputs
        if self.p == 0:
            return Saved()
        if self.p == 1:
            return Saved(extra=((0, 1, False),))
        return Saved(extra=((0, x.channels, True),)) if self.channels else Saved(extra=((0, x.numel, True),), mask=True)

    def is_elementwise(self, *inputs: Shape) -> bool:
        return not self.channels

    def passes(self, training: bool) -> bool:
        return not training or self.p == 0

    def torch(self, *inputs: Shape) -> TorchCall | None:
        family = f"Dropout{inputs[0].rank}d" if self.channels else "Dropout"
        return TorchCall(f"nn.{family}", (Slot(float(self.p), "p"),))


@record
class DropPath(Layer):
    """`DROPPATH(0.1)`: in training, zeroes the whole branch for an image with probability p: stochastic depth.

    Source: Huang et al. 2016, arXiv:1603.09382; scaled by 1/(1-p) in training instead of 1-p in evaluation.
    """

    FAMILY: ClassVar = "arrange"
    NAMES: ClassVar = ("DROPPATH",)
    POSITIONAL: ClassVar = ("p",)

    p: float = option("number", 0.1, minimum=0, maximum=1)

    def passes(self, training: bool) -> bool:
        return not training or self.p == 0

    def saved(self, *inputs: Shape) -> Saved:
        """One factor for each image."""
        return Saved(extra=((0, 1, True),)) if self.p else Saved()

    def torch(self, *inputs: Shape) -> TorchCall | None:
        return TorchCall("DropPath", (Slot(float(self.p), "p"),), helper=True)


@record
class Flatten(Layer):
    """`FLATTEN`: all values as one vector, channel by channel."""

    FAMILY: ClassVar = "arrange"
    GRADIENT: ClassVar = "handed on"
    NAMES: ClassVar = ("FLATTEN",)
    VIEW: ClassVar = True

    def output(self, *inputs: Shape) -> Shape:
        return Shape(inputs[0].numel)

    def window(self, *inputs: Shape) -> Window | None:
        return None

    def torch(self, *inputs: Shape) -> TorchCall | None:
        return TorchCall("nn.Flatten")


@record
class Identity(Layer):
    """`ID`: nothing at all."""

    FAMILY: ClassVar = "arrange"
    GRADIENT: ClassVar = "handed on"
    NAMES: ClassVar = ("ID", "IDENTITY")
    VIEW: ClassVar = True

    def is_identity(self, *inputs: Shape) -> bool:
        return True

    def torch(self, *inputs: Shape) -> TorchCall | None:
        return None


@record
class ZeroPad(Layer):
    """`ZEROPAD(2)`, `ZEROPAD(1x3)`, `ZEROPAD(0, after=1)`: zeros around the map; `after` where the far side differs."""

    FAMILY: ClassVar = "arrange"
    NAMES: ClassVar = ("ZEROPAD",)
    POSITIONAL: ClassVar = ("pad", "after")

    pad: Dims = option("dims", (1,), "P", minimum=0, required=True)
    after: Dims = option("dims", (), minimum=0)

    def _sides(self, x: Shape) -> tuple[tuple[int, int], ...]:
        """For each axis the zeros before and after."""
        before, after = each_axis(self.pad, x.rank, "padding"), each_axis(self.after or self.pad, x.rank, "padding")
        return tuple(zip(before, after, strict=True))

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_spatial(self.kind(), x)
        grown = (size + before + after for size, (before, after) in zip(x.spatial, self._sides(x), strict=True))
        return Shape(x.channels, tuple(grown))

    def window(self, *inputs: Shape) -> Window | None:
        sides = self._sides(inputs[0])
        return Window((1,) * len(sides), (1,) * len(sides), tuple(before for before, _ in sides))

    def torch(self, *inputs: Shape) -> TorchCall | None:
        (x,) = inputs
        sides = self._sides(x)
        if len({side for pair in sides for side in pair}) == 1:
            return TorchCall(f"nn.ZeroPad{x.rank}d", (Slot(squeeze(self.pad), "pad"),))
        return TorchCall(f"nn.ZeroPad{x.rank}d", (Slot(tuple(side for pair in reversed(sides) for side in pair)),))


@record
class Crop(Layer):
    """`CROP(4)`, `CROP(1x3)`, `CROP(0, after=1)`: leaves out a margin of the map; `after` where the far side differs.

    It brings a map to the size of one that lost its border to valid convolutions (Ronneberger et al. 2015, U-Net).
    """

    FAMILY: ClassVar = "arrange"
    NAMES: ClassVar = ("CROP",)
    VIEW: ClassVar = True
    POSITIONAL: ClassVar = ("margin", "after")

    margin: Dims = option("dims", (1,), minimum=0, required=True)
    after: Dims = option("dims", (), minimum=0)

    def _sides(self, x: Shape) -> tuple[tuple[int, int], ...]:
        """For each axis the positions left out before and after."""
        before, after = each_axis(self.margin, x.rank, "margin"), each_axis(self.after or self.margin, x.rank, "margin")
        return tuple(zip(before, after, strict=True))

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_spatial(self.kind(), x)
        left = tuple(size - before - after for size, (before, after) in zip(x.spatial, self._sides(x), strict=True))
        if min(left) < 1:
            message = f"CROP leaves nothing of {x}"
            raise LayerError("E0301", message, "the margins of both sides must be smaller than the map")
        return Shape(x.channels, left)

    def window(self, *inputs: Shape) -> Window | None:
        sides = self._sides(inputs[0])
        return Window((1,) * len(sides), (1,) * len(sides), tuple(-before for before, _ in sides))

    def torch(self, *inputs: Shape) -> TorchCall | None:
        (x,) = inputs
        after = (("after", Slot(squeeze(self.after), "after")),) if self.after else ()
        return TorchCall(f"Crop{x.rank}d", (Slot(squeeze(self.margin), "margin"),), after, helper=True)


@record
class Times(Layer):
    """`TIMES(0.17)`: multiplies by a constant, as residuals are (Szegedy et al. 2016, arXiv:1602.07261, Section 3.3).

    A factor that is learned is `SCALE`.
    """

    FAMILY: ClassVar = "arrange"
    NAMES: ClassVar = ("TIMES",)
    POSITIONAL: ClassVar = ("by",)

    by: float = option("number", 1.0, required=True)

    def operations(self, *inputs: Shape) -> int:
        return inputs[0].numel

    def torch(self, *inputs: Shape) -> TorchCall | None:
        return TorchCall("Times", (Slot(float(self.by), "by"),), helper=True)


@record
class PadChannels(Layer):
    """`PADCHANNELS-64/2(where=after)`: channels of zeros up to 64 in all; a stride takes every second position.

    `where=both` puts half of them, rounded down, in front.
    It is shortcut A of He et al. 2015, arXiv:1512.03385, Section 3.3.
    """

    FAMILY: ClassVar = "arrange"
    NAMES: ClassVar = ("PADCHANNELS",)
    WIDTH: ClassVar = "channels"
    STRIDE: ClassVar = "stride"

    channels: int = option("int", 0, "K", minimum=1, required=True)
    stride: Dims = option("dims", (1,), "S", minimum=1)
    where: str = option("word", "after", words=("after", "both"))

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_spatial(self.kind(), x)
        if self.channels < x.channels:
            message = f"PADCHANNELS-{self.channels} is too narrow for the {x.channels} channels of its input"
            raise LayerError(
                "E0308", message, "its width is that of the output: the channels of the input and the zeros"
            )
        steps = each_axis(self.stride, x.rank, "stride")
        return Shape(self.channels, tuple(-(-size // step) for size, step in zip(x.spatial, steps, strict=True)))

    def window(self, *inputs: Shape) -> Window | None:
        rank = inputs[0].rank
        return Window((1,) * rank, each_axis(self.stride, rank, "stride"), (0,) * rank)

    def torch(self, *inputs: Shape) -> TorchCall | None:
        (x,) = inputs
        arguments = (Slot(x.channels, "in_channels"), Slot(self.channels, "channels"))
        strided = any(step != 1 for step in self.stride)
        stride = (("stride", Slot(squeeze(self.stride), "stride")),) if strided else ()
        where = (("where", Slot(self.where)),) if self.where != "after" else ()
        return TorchCall(f"PadChannels{x.rank}d", arguments, (*stride, *where), helper=True)


@record
class Shuffle(Layer):
    """`SHUFFLE2`: deals the channels out, one from each of two groups in turn.

    Source: Zhang et al. 2018 (ShuffleNet), Section 3.1.
    """

    FAMILY: ClassVar = "arrange"
    NAMES: ClassVar = ("SHUFFLE",)
    SIZE: ClassVar = "groups"

    groups: int = option("int", 2, minimum=1)

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_spatial(self.kind(), x)
        if x.channels % self.groups:
            message = f"{self.groups} groups must divide the {x.channels} channels of the input"
            raise LayerError("E0304", message, common_divisors(x.channels))
        return x

    def torch(self, *inputs: Shape) -> TorchCall | None:
        return TorchCall("nn.ChannelShuffle", (Slot(self.groups, "groups"),))


@record
class Slice(Layer):
    """`SLICE(0, C/2)`: the channels from the first number, counted from 0, up to the second, which is left out."""

    FAMILY: ClassVar = "arrange"
    NAMES: ClassVar = ("SLICE",)
    VIEW: ClassVar = True
    POSITIONAL: ClassVar = ("start", "stop")

    start: int = option("int", 0, minimum=0, required=True)
    stop: int = option("int", 1, minimum=1, required=True)

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if not self.start < self.stop <= x.channels:
            message = f"SLICE({self.start}, {self.stop}) is no range of the {x.channels} channels of the input"
            raise LayerError("E0308", message, f"the first is 0, and SLICE(0, {x.channels}) takes all")
        return Shape(self.stop - self.start, x.spatial)

    def torch(self, *inputs: Shape) -> TorchCall | None:
        return TorchCall("Slice", (Slot(self.start, "start"), Slot(self.stop, "stop")), helper=True)


@record
class Pick(Layer):
    """`PICK(0, 3, 4)`: the named channels, counted from 0, in that order."""

    FAMILY: ClassVar = "arrange"
    NAMES: ClassVar = ("PICK",)
    POSITIONAL: ClassVar = ("channels",)

    channels: tuple[int, ...] = option("ints", (0,), minimum=0, required=True)

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        beyond = [at for at in self.channels if at >= x.channels]
        if beyond:
            message = f"there is no channel {beyond[0]}: the input has {x.channels}"
            raise LayerError("E0308", message, f"channels are counted from 0 to {x.channels - 1}")
        return Shape(len(self.channels), x.spatial)

    def scratch(self, *inputs: Shape) -> tuple[int, int]:
        """The gradient of each channel, among zeros for the others."""
        return 0, inputs[0].numel

    def torch(self, *inputs: Shape) -> TorchCall | None:
        return TorchCall("Pick", (Slot(self.channels, "channels"),), helper=True)
