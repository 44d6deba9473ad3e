"""Layers that pool the channels of each position: `CHANNELMAX`, `CHANNELMEAN`."""

from __future__ import annotations

from typing import ClassVar

from cnndsl.layers.base import Layer, Saved, TorchCall
from cnndsl.layers.steps import LayerStep
from cnndsl.records import record
from cnndsl.shape import Shape

_CHANNEL_MAX = '''\
class ChannelMax(nn.Module):
    """The largest value of each position over the channels."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.amax(1, keepdim=True)
'''

_CHANNEL_MEAN = '''\
class ChannelMean(nn.Module):
    """The mean of each position over the channels."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(1, keepdim=True)
'''


@record
class ChannelPool(Layer):
    """The base of both: one output channel, and unchanged positions."""

    ROLE: ClassVar = "pooling"

    def output(self, *inputs: Shape) -> Shape:
        return Shape(1, inputs[0].spatial)

    def channels_formula(self, *inputs: Shape) -> str:
        return "1"

    def operations(self, *inputs: Shape) -> int:
        """Return one operation for each input value."""
        return inputs[0].numel


@record
class ChannelMax(ChannelPool):
    """`CHANNELMAX`: the largest value of each position over the channels.

    Source: Woo et al. 2018, arXiv:1807.06521 (CBAM), Section 3, spatial attention.
    """

    NAMES: ClassVar = ("CHANNELMAX",)
    HELPERS: ClassVar = {"ChannelMax": _CHANNEL_MAX}

    def saved(self, *inputs: Shape) -> Saved:
        """Return input and output, which find the largest value again."""
        return Saved(inputs=(0,), output=True)

    def scratch(self, *inputs: Shape) -> tuple[int, int]:
        """Return, for the backward pass, the gradient of each position, divided among the equal maxima."""
        return 0, inputs[0].pixels

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return a maximum; its backward pass makes a map of where it is, and counts it in 8 bytes a position."""
        (x,) = inputs
        return (self.single_step(x, flags=x.numel + 8 * x.pixels),)

    def torch(self, *inputs: Shape) -> TorchCall | None:
        return self.helper_call("ChannelMax")


@record
class ChannelMean(ChannelPool):
    """`CHANNELMEAN`: the mean of each position over the channels.

    Source: Woo et al. 2018, arXiv:1807.06521 (CBAM), Section 3, spatial attention.
    """

    NAMES: ClassVar = ("CHANNELMEAN",)
    HELPERS: ClassVar = {"ChannelMean": _CHANNEL_MEAN}

    def torch(self, *inputs: Shape) -> TorchCall | None:
        return self.helper_call("ChannelMean")
