"""`SOFTMAX` and its logarithm: activations that read all channels of a position."""

from __future__ import annotations

from typing import ClassVar

from cnndsl.layers.activation import Activation
from cnndsl.layers.base import LayerError, Slot, TorchCall, common_divisors, option
from cnndsl.records import record
from cnndsl.shape import Shape


@record
class OverChannels(Activation):
    """The base of `SOFTMAX` and `LOGSOFTMAX`: exponentials divided by their sum."""

    FULL_PRECISION: ClassVar = frozenset({"cuda"})
    KEEPS: ClassVar = "output"

    def is_elementwise(self, *inputs: Shape) -> bool:
        return False

    def operations(self, *inputs: Shape) -> int:
        """Return an exponential, an addition and a division for each value."""
        return 3 * inputs[0].numel

    def _arguments(self) -> tuple[tuple[Slot, ...], tuple[tuple[str, Slot], ...]]:
        return (), (("dim", Slot(1)),)


_RADIX_SOFTMAX = '''\
class RadixSoftmax(nn.Module):
    """Softmax over the splits of each group; the first splits of all groups lead."""

    def __init__(self, radix: int, groups: int = 1) -> None:
        super().__init__()
        self.radix = radix
        self.groups = groups

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        splits = x.unflatten(1, [self.groups, self.radix, -1]).transpose(1, 2)
        return splits.softmax(1).flatten(1, 3)
'''


@record
class Softmax(OverChannels):
    """`SOFTMAX(radix=1, groups=1)`: exp(x) divided by its sum over the channels, at each position.

    With a radix r it is that of split attention: C/r values with r alternatives each, over which the softmax runs. Each
    group of input channels contains its r splits one after the other; the output contains the first split of all
    groups, then the second. Source: Zhang et al. 2020, ResNeSt, arXiv:2004.08955, Section 3.
    """

    NAMES: ClassVar = ("SOFTMAX",)
    MODULE: ClassVar = "Softmax"
    HELPERS: ClassVar = {"RadixSoftmax": _RADIX_SOFTMAX}

    radix: int = option("int", 1, minimum=1)
    groups: int = option("int", 1, minimum=1)

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        parts = self.radix * self.groups
        if self.radix == 1 and self.groups > 1:
            message = f"SOFTMAX has {self.groups} groups but no radix, so the groups have no effect"
            raise LayerError("E0311", message, "remove `groups`, or set the number of splits in each group: radix=2")
        if x.channels % parts:
            wanted = f"{self.groups} groups of {self.radix} splits"
            message = f"the {x.channels} channels of the input cannot be divided into {wanted}"
            raise LayerError("E0304", message, common_divisors(x.channels, option="their product"))
        return x

    def torch(self, *inputs: Shape) -> TorchCall | None:
        if self.radix == 1:
            return super().torch(*inputs)
        groups = () if self.groups == 1 else (("groups", Slot(self.groups, "groups")),)
        return self.helper_call("RadixSoftmax", (Slot(self.radix, "radix"),), groups)


@record
class LogSoftmax(OverChannels):
    """`LOGSOFTMAX`: the logarithm of `SOFTMAX`."""

    NAMES: ClassVar = ("LOGSOFTMAX",)
    MODULE: ClassVar = "LogSoftmax"
