"""Layers that reorder, select or scale values: `FLATTEN`, `SLICE`, `TIMES` and similar ones."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import ClassVar

from cnndsl.layers.base import (
    Cut,
    Dims,
    Layer,
    LayerError,
    Slot,
    TorchCall,
    Window,
    common_divisors,
    each_axis,
    need_spatial,
    option,
    squeeze,
)
from cnndsl.layers.formulas import multiplied
from cnndsl.layers.steps import LayerStep, pad
from cnndsl.records import record
from cnndsl.shape import Shape

_FLATTEN = '''\
class FlattenChannelsLast(nn.Module):
    """All values as a vector, position by position."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.movedim(1, -1).flatten(1)
'''


@record
class Flatten(Layer):
    """`FLATTEN(channels=first)`: all values as one vector, channel by channel.

    With `channels=last` position by position, as in Keras' Flatten and the heads of detectors (Liu et al. 2016, SSD,
    arXiv:1512.02325, whose boxes follow each other).
    """

    GRADIENT: ClassVar = "handed on"
    NAMES: ClassVar = ("FLATTEN",)
    ROLE: ClassVar = "arrangement"
    HELPERS: ClassVar = {"FlattenChannelsLast": _FLATTEN}

    channels: str = option("word", "first", words=("first", "last"))

    def views(self, *inputs: Shape) -> bool:
        """Return whether the channels come first, or there is only one channel or one position."""
        (x,) = inputs
        return self.channels == "first" or x.channels == 1 or x.pixels == 1

    def output(self, *inputs: Shape) -> Shape:
        return Shape(inputs[0].numel)

    def copied(self, *inputs: Shape) -> tuple[Cut, ...]:
        """Return nothing if channels are first: the layer that reads the vector makes the copy."""
        return ("positions",) if self.channels == "last" and self.views(*inputs) else ()

    def channels_formula(self, *inputs: Shape) -> str:
        return multiplied(inputs[0].hwc)

    def window(self, *inputs: Shape) -> Window | None:
        return None

    def torch(self, *inputs: Shape) -> TorchCall | None:
        if self.channels == "last" and inputs[0].rank:
            return self.helper_call("FlattenChannelsLast")
        return TorchCall("nn.Flatten")


@record
class Identity(Layer):
    """`ID`: does nothing."""

    GRADIENT: ClassVar = "handed on"
    NAMES: ClassVar = ("ID", "IDENTITY")
    ROLE: ClassVar = "identity"
    VIEW: ClassVar = True

    def is_identity(self, *inputs: Shape) -> bool:
        return True

    def torch(self, *inputs: Shape) -> TorchCall | None:
        return None


_TIMES = '''\
class Times(nn.Module):
    """Multiplies by a constant."""

    def __init__(self, by: float) -> None:
        super().__init__()
        self.by = by

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.by
'''


@record
class Times(Layer):
    """`TIMES(0.17)`: multiplies by a constant, as for residuals (Szegedy et al. 2016, arXiv:1602.07261, Section 3.3).

    `SCALE` has a learned factor.
    """

    NAMES: ClassVar = ("TIMES",)
    ROLE: ClassVar = "arrangement"
    HELPERS: ClassVar = {"Times": _TIMES}
    POSITIONAL: ClassVar = ("by",)

    by: float = option("number", 1.0, required=True)

    def operations(self, *inputs: Shape) -> int:
        return inputs[0].numel

    def torch(self, *inputs: Shape) -> TorchCall | None:
        return self.helper_call("Times", (Slot(float(self.by), "by"),))


_PAD_CHANNELS = '''\
class PadChannels{n}d(nn.Module):
    """Adds channels of zeros, and takes every `stride`-th position."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int | {size} = 1,
        where: str = "after",
    ) -> None:
        super().__init__()
        added = out_channels - in_channels
        if added < 0:
            raise ValueError(f"{{out_channels}} channels cannot hold {{in_channels}}")
        before = added // 2 if where == "both" else 0
        self.pads = ({zeros}, before, added - before)
        self.stride = (stride,) * {n} if isinstance(stride, int) else stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x[:, :, {steps}]
        return F.pad(x, self.pads)
'''

_PADDINGS_OF_CHANNELS = {
    f"PadChannels{n}d": _PAD_CHANNELS.format(
        n=n,
        size=f"tuple[{', '.join(['int'] * n)}]",
        zeros=", ".join(["0"] * 2 * n),
        steps=", ".join(f":: self.stride[{axis}]" for axis in range(n)),
    )
    for n in (1, 2, 3)
}


@record
class PadChannels(Layer):
    """`PADCHANNELS-64/2(where=after)`: adds channels of zeros up to 64 in total; the stride keeps every second
    position.

    `where=both` puts half of them, rounded down, before the input. This is shortcut A of He et al. 2015,
    arXiv:1512.03385, Section 3.3.
    """

    NAMES: ClassVar = ("PADCHANNELS",)
    ROLE: ClassVar = "arrangement"
    HELPERS: ClassVar = _PADDINGS_OF_CHANNELS
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
            help = f"the width counts the input's channels as well as the zeros, so it must be at least {x.channels}"
            raise LayerError("E0308", message, help)
        steps = each_axis(self.stride, x.rank, "stride")
        return Shape(self.channels, tuple(-(-size // step) for size, step in zip(x.spatial, steps, strict=True)))

    def size_formula(self, *inputs: Shape) -> tuple[str, ...]:
        (x,) = inputs
        sizes = zip(x.spatial, each_axis(self.stride, x.rank, "stride"), strict=True)
        return tuple(f"ceil({size}/{step})" if size % step else f"{size}/{step}" for size, step in sizes)

    def channels_formula(self, *inputs: Shape) -> str:
        return f"{inputs[0].channels} + {self.channels - inputs[0].channels}"

    def window(self, *inputs: Shape) -> Window | None:
        rank = inputs[0].rank
        return Window((1,) * rank, each_axis(self.stride, rank, "stride"), (0,) * rank)

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return a view of every second position along each axis in turn, then the zeros."""
        (x,) = inputs
        y, spatial = self.output(x), list(x.spatial)
        views: list[LayerStep] = []
        for axis, (size, taken) in enumerate(zip(x.spatial, y.spatial, strict=True)):
            if taken < size:
                spatial[axis] = taken
                views.append(LayerStep((len(views),), x.channels * prod(spatial), view=True))
        return (*views, pad(y.numel, len(views)))

    def torch(self, *inputs: Shape) -> TorchCall | None:
        (x,) = inputs
        arguments = (Slot(x.channels, "in_channels"), Slot(self.channels, "channels"))
        strided = any(step != 1 for step in self.stride)
        stride = (("stride", Slot(squeeze(self.stride), "stride")),) if strided else ()
        where = (("where", Slot(self.where)),) if self.where != "after" else ()
        return self.helper_call(f"PadChannels{x.rank}d", arguments, (*stride, *where))


@record
class Shuffle(Layer):
    """`SHUFFLE2`: interleaves the channels, one from each of two groups in turn.

    Source: Zhang et al. 2018 (ShuffleNet), Section 3.1.
    """

    NAMES: ClassVar = ("SHUFFLE",)
    ROLE: ClassVar = "arrangement"
    SIZE: ClassVar = "groups"

    groups: int = option("int", 2, minimum=1)

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_spatial(self.kind(), x)
        if x.channels % self.groups:
            message = f"the {x.channels} channels of the input cannot be divided into {self.groups} groups"
            raise LayerError("E0304", message, common_divisors(x.channels))
        return x

    def torch(self, *inputs: Shape) -> TorchCall | None:
        return TorchCall("nn.ChannelShuffle", (Slot(self.groups, "groups"),))


_SLICE = '''\
class Slice(nn.Module):
    """The channels from `start` up to `stop`, which is left out."""

    def __init__(self, start: int, stop: int) -> None:
        super().__init__()
        self.start = start
        self.stop = stop

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, self.start : self.stop]
'''


@record
class Slice(Layer):
    """`SLICE(0, C/2)`: the channels from the first number, counted from 0, up to the second, which is excluded."""

    NAMES: ClassVar = ("SLICE",)
    ROLE: ClassVar = "arrangement"
    HELPERS: ClassVar = {"Slice": _SLICE}
    VIEW: ClassVar = True
    POSITIONAL: ClassVar = ("start", "stop")
    RANGE: ClassVar = ("start", "stop")

    start: int = option("int", 0, minimum=0, required=True)
    stop: int = option("int", 1, minimum=1, required=True)

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if not self.start < self.stop <= x.channels:
            wrong = "is empty" if self.stop <= self.start else "is out of bounds"
            message = f"the range {self.start} to {self.stop} {wrong}: the input has {x.channels} channels"
            raise LayerError("E0308", message, f"the first channel is 0; `SLICE(0, {x.channels})` takes all of them")
        return Shape(self.stop - self.start, x.spatial)

    def cut(self, *inputs: Shape) -> Cut:
        return "channels"

    def channels_formula(self, *inputs: Shape) -> str:
        return f"{self.stop} - {self.start}"

    def channels_read(self) -> Sequence[int]:
        return range(self.start, self.stop)

    def torch(self, *inputs: Shape) -> TorchCall | None:
        return self.helper_call("Slice", (Slot(self.start, "start"), Slot(self.stop, "stop")))


_PICK = '''\
class Pick(nn.Module):
    """The named channels, in order."""

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.channels = list(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x[:, at : at + 1] for at in self.channels], 1)
'''


@record
class Pick(Layer):
    """`PICK(0, 3, 4)`: the given channels, counted from 0, in that order."""

    NAMES: ClassVar = ("PICK",)
    ROLE: ClassVar = "arrangement"
    HELPERS: ClassVar = {"Pick": _PICK}
    POSITIONAL: ClassVar = ("channels",)

    channels: tuple[int, ...] = option("ints", (0,), minimum=0, required=True)

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        beyond = [at for at in self.channels if at >= x.channels]
        if beyond:
            message = f"there is no channel {beyond[0]}: the input has {x.channels} channels"
            raise LayerError("E0308", message, f"channels are counted from 0 to {x.channels - 1}")
        return Shape(len(self.channels), x.spatial)

    def channels_formula(self, *inputs: Shape) -> str:
        return " + ".join(["1"] * len(self.channels))

    def channels_read(self) -> Sequence[int]:
        return self.channels

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return a view of each channel, whose gradient is zero for the others, then their concatenation."""
        (x,) = inputs
        views = (LayerStep((0,), x.pixels, view=True),) * len(self.channels)
        joined = LayerStep(tuple(range(1, len(views) + 1)), len(views) * x.pixels, gradient="parts", autocast="widest")
        return (*views, joined)

    def torch(self, *inputs: Shape) -> TorchCall | None:
        return self.helper_call("Pick", (Slot(self.channels, "channels"),))
