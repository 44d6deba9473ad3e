"""`SOFTMAX` and its logarithm: activations that read all channels of a position."""

from __future__ import annotations

from typing import ClassVar

from cnndsl.layers.activation import Activation
from cnndsl.layers.base import Slot
from cnndsl.records import record
from cnndsl.shape import Shape


@record
class Softmax(Activation):
    """`SOFTMAX`: exp(x) over its sum, over the channels at each position."""

    FULL_PRECISION: ClassVar = frozenset({"cuda"})
    NAMES: ClassVar = ("SOFTMAX",)
    MODULE: ClassVar = "Softmax"
    KEEPS: ClassVar = "output"

    def is_elementwise(self, *inputs: Shape) -> bool:
        return False

    def operations(self, *inputs: Shape) -> int:
        """An exponential, an addition and a division for each value."""
        return 3 * inputs[0].numel

    def _arguments(self) -> tuple[tuple[Slot, ...], tuple[tuple[str, Slot], ...]]:
        return (), (("dim", Slot(1)),)


@record
class LogSoftmax(Softmax):
    """`LOGSOFTMAX`: the logarithm of `SOFTMAX`."""

    NAMES: ClassVar = ("LOGSOFTMAX",)
    MODULE: ClassVar = "LogSoftmax"
