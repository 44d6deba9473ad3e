"""Layers that zero values at random in training: `DROPOUT`, `DROPPATH`."""

from __future__ import annotations

from typing import ClassVar

from cnndsl.layers.base import Layer, Saved, Slot, TorchCall, need_spatial, option
from cnndsl.records import record
from cnndsl.shape import Shape


@record
class Dropout(Layer):
    """`DROPOUT(0.5)`: in training, zeroes each value with probability p and divides the others by 1-p.

    With `channels=yes` whole channels are dropped (Tompson et al. 2015). Source: Srivastava et al. 2014.
    """

    CHECKS_RATES: ClassVar = True
    NAMES: ClassVar = ("DROPOUT",)
    ROLE: ClassVar = "arrangement"
    POSITIONAL: ClassVar = ("p",)

    p: float = option("number", 0.5, minimum=0, maximum=1)
    channels: bool = option("flag", False)

    def output(self, *inputs: Shape) -> Shape:
        if self.channels:
            need_spatial("DROPOUT(channels=yes)", inputs[0])
        return inputs[0]

    def saved(self, *inputs: Shape) -> Saved:
        """Return the mask. If p is 0 or 1 nothing is sampled: then a single zero is saved, or nothing."""
        (x,) = inputs
        if self.p == 0:
            return Saved()
        if self.p == 1:
            return Saved(extra=((0, 1, False),))
        return Saved(extra=((0, x.channels, True),)) if self.channels else Saved(extra=((0, x.numel, True),), mask=True)

    def is_elementwise(self, *inputs: Shape) -> bool:
        return not self.channels

    def drops_values(self) -> bool:
        return not self.channels

    def passes(self, training: bool) -> bool:
        return not training or self.p == 0

    def torch(self, *inputs: Shape) -> TorchCall | None:
        family = f"Dropout{inputs[0].rank}d" if self.channels else "Dropout"
        return TorchCall(f"nn.{family}", (Slot(float(self.p), "p"),))


_DROP_PATH = '''\
class DropPath(nn.Module):
    """Stochastic depth: training zeroes whole images with probability `p`."""

    def __init__(self, p: float = 0.1) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training or self.p == 0.0:
            return x
        keep = x.new_empty([x.shape[0]] + [1] * (x.dim() - 1)).bernoulli_(1.0 - self.p)
        return x * (keep / (1.0 - self.p) if self.p < 1.0 else keep)
'''


@record
class DropPath(Layer):
    """`DROPPATH(0.1)`: in training, zeroes the whole branch of an image with probability p (stochastic depth).

    Source: Huang et al. 2016, arXiv:1603.09382; scaled by 1/(1-p) in training instead of 1-p in evaluation.
    """

    NAMES: ClassVar = ("DROPPATH",)
    ROLE: ClassVar = "arrangement"
    POSITIONAL: ClassVar = ("p",)
    HELPERS: ClassVar = {"DropPath": _DROP_PATH}

    p: float = option("number", 0.1, minimum=0, maximum=1)

    def passes(self, training: bool) -> bool:
        return not training or self.p == 0

    def saved(self, *inputs: Shape) -> Saved:
        """Return one factor for each image."""
        return Saved(extra=((0, 1, True),)) if self.p else Saved()

    def torch(self, *inputs: Shape) -> TorchCall | None:
        return self.helper_call("DropPath", (Slot(float(self.p), "p"),))
