"""Layers that slide over channels instead of positions: `CHANNELCONV`."""

from __future__ import annotations

from typing import ClassVar

from cnndsl.layers.base import Layer, LayerError, Saved, Slot, Tensor, TorchCall, option
from cnndsl.layers.borders import filled
from cnndsl.layers.conv import INITS
from cnndsl.layers.steps import LayerStep
from cnndsl.records import record
from cnndsl.shape import Shape

_CHANNEL_CONV = '''\
class ChannelConv(nn.Conv1d):
    """A convolution along the channels of a vector, or of a map of one position."""

    def __init__(
        self, kernel_size: int, bias: bool = False, padding_mode: str = "zeros"
    ) -> None:
        super().__init__(
            1,
            1,
            kernel_size,
            padding=kernel_size // 2,
            bias=bias,
            padding_mode=padding_mode,
        )

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        x = input.flatten(1).unsqueeze(1)
        return self._conv_forward(x, self.weight, self.bias).reshape(input.shape)
'''


@record
class ChannelConv(Layer):
    """`CHANNELCONV5`: a convolution of one filter along the channels of a vector, or of a map of one position.

    Parameters k, and 1 with `bias`. Source: Wang et al. 2020 (ECA-Net), arXiv:1910.03151, Section 3.2; with
    `border=circular` the first channel follows the last one, as in timm's CecaModule.
    """

    NAMES: ClassVar = ("CHANNELCONV",)
    ROLE: ClassVar = "convolution"
    INIT: ClassVar = "init"
    SIZE: ClassVar = "kernel"
    HELPERS: ClassVar = {"ChannelConv": _CHANNEL_CONV}
    DEFAULTS: ClassVar = (("bias", False),)

    kernel: int = option("int", 3, "F", minimum=1)
    bias: bool = option("flag", False)
    border: str = option("word", "zeros", words=("zeros", "circular"))
    init: str = option("word", "default", words=INITS)

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if x.pixels > 1:
            message = f"CHANNELCONV slides over channels, but the input {x} has {x.pixels} positions"
            raise LayerError("E0319", message, "GAP before it leaves one: `MUL(ID, GAP -> CHANNELCONV3 -> SIGMOID)`")
        if self.kernel % 2 == 0:
            message = f"the kernel {self.kernel} of CHANNELCONV has no centre"
            raise LayerError("E0319", message, f"use {self.kernel + 1}")
        if self.border == "circular" and self.kernel // 2 > x.channels:
            message = f"the kernel {self.kernel} of CHANNELCONV would go more than once around {x.channels} channels"
            raise LayerError("E0319", message, f"use {2 * x.channels + 1} at most")
        return x

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        weight = Tensor("weight", (1, 1, self.kernel))
        return (weight, Tensor("bias", (1,), "bias")) if self.bias else (weight,)

    def macs(self, *inputs: Shape) -> int:
        return self.kernel * inputs[0].channels

    def _padded(self, x: Shape) -> tuple[LayerStep, ...]:
        """Return the copy with the channels from the other end, if PyTorch's kernel does not pad itself."""
        side, channels = self.kernel // 2, Shape(1, (x.channels,))
        return filled("circular", ((side, side),), channels) if side and self.border == "circular" else ()

    def saved(self, *inputs: Shape) -> Saved:
        """Return the input, or its padded copy."""
        copy = self._padded(inputs[0])
        return Saved(extra=((0, copy[-1].values, True),)) if copy else Saved(inputs=(0,))

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return the copy, if any, and a convolution of a view, whose result is viewed in the input's shape."""
        copy = self._padded(inputs[0])
        return (*copy, self.single_step(*inputs, reads=(len(copy),), keeps=(0,), extra=(), viewed=True))

    def formula(self, *inputs: Shape) -> str:
        return str(self.kernel)

    def macs_formula(self, *inputs: Shape) -> str:
        return f"{inputs[0].channels}*{self.kernel}"

    def torch(self, *inputs: Shape) -> TorchCall | None:
        keywords: list[tuple[str, Slot]] = [("bias", Slot(True))] if self.bias else []
        if self.border != "zeros" and self.kernel > 1:
            keywords.append(("padding_mode", Slot(self.border)))
        return self.helper_call("ChannelConv", (Slot(self.kernel, "kernel"),), tuple(keywords))
