"""`NONLOCAL`: attention of every position over all others.

Source: Wang, Girshick, Gupta and He 2018, "Non-local Neural Networks", arXiv:1711.07971, Sections 3.2 (embedded
Gaussian) and 3.3 (the block, half of the channels inside, and the subsampling trick). Batch normalisation behind the
last convolution starts at zero, so that a new block changes nothing (Section 4.1).
"""

from __future__ import annotations

from math import prod
from typing import ClassVar

from cnndsl.layers.base import Layer, LayerError, Slot, Tensor, TorchCall, Window, need_spatial, option
from cnndsl.layers.steps import STATISTIC, SWITCH_BYTES, LayerStep
from cnndsl.layers.torch_calls import by_rank
from cnndsl.records import record
from cnndsl.shape import Shape

_NON_LOCAL = '''\
class NonLocal{n}d(nn.Module):
    """Attention of every position over all others, added to what comes in. Wang et al. 2018."""

    def __init__(self, channels: int, inner: int, subsample: bool = False) -> None:
        super().__init__()
        self.theta = nn.Conv{n}d(channels, inner, 1)
        self.phi = nn.Conv{n}d(channels, inner, 1)
        self.g = nn.Conv{n}d(channels, inner, 1)
        self.pool = nn.MaxPool{n}d(2) if subsample else nn.Identity()
        self.W = nn.Sequential(nn.Conv{n}d(inner, channels, 1), nn.BatchNorm{n}d(channels))
        nn.init.zeros_(self.W[1].weight)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        theta = self.theta(input).flatten(2).transpose(1, 2)
        phi = self.pool(self.phi(input)).flatten(2)
        g = self.pool(self.g(input)).flatten(2).transpose(1, 2)
        y = torch.softmax(theta @ phi, 2) @ g
        y = y.transpose(1, 2).unflatten(2, input.shape[2:])
        return input + self.W(y)
'''


@record
class NonLocal(Layer):
    """`NONLOCAL(inner=32, subsample=no)`: adds to each position a mean of all others, weighted by their likeness.

    `inner` is the number of channels inside, by default half of the input's. With `subsample` the others are the maxima
    of blocks of two positions along each axis. Parameters 4*C*inner + 3*inner + 3*C.
    """

    NAMES: ClassVar = ("NONLOCAL",)
    POSITIONAL: ClassVar = ("inner",)
    SEES_ALL: ClassVar = True
    HELPERS: ClassVar = by_rank("NonLocal", _NON_LOCAL)

    inner: int = option("int", 0, minimum=0)
    subsample: bool = option("flag", False)

    def _inner(self, x: Shape) -> int:
        return self.inner or max(1, x.channels // 2)

    def _others(self, x: Shape) -> int:
        """The positions that each one looks at."""
        return prod(extent // 2 for extent in x.spatial) if self.subsample else x.pixels

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_spatial(self.kind(), x)
        if not self._others(x):
            message = f"NONLOCAL takes maxima of 2 positions along each axis, and this is {x}"
            raise LayerError("E0301", message, "subsample=no")
        return x

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        (x,) = inputs
        outer, inner, ones = x.channels, self._inner(x), (1,) * x.rank
        found: list[Tensor] = []
        for name, entering, leaving in (
            ("theta", outer, inner),
            ("phi", outer, inner),
            ("g", outer, inner),
            ("W.0", inner, outer),
        ):
            found += Tensor(f"{name}.weight", (leaving, entering, *ones)), Tensor(f"{name}.bias", (leaving,), "bias")
        return (
            *found,
            Tensor("W.1.weight", (outer,)),
            Tensor("W.1.bias", (outer,), "bias"),
            Tensor("W.1.running_mean", (outer,), "buffer"),
            Tensor("W.1.running_var", (outer,), "buffer"),
            Tensor("W.1.num_batches_tracked", (), "buffer", "int64"),
        )

    def macs(self, *inputs: Shape) -> int:
        """Four convolutions, and two products of matrices: the likenesses, and the means."""
        (x,) = inputs
        return x.pixels * self._inner(x) * (4 * x.channels + 2 * self._others(x))

    def operations(self, *inputs: Shape) -> int:
        """Softmax as SOFTMAX counts it, three for each likeness; a comparison for each value in each block; a product
        and a sum of the normalisation, and the sum with the input."""
        (x,) = inputs
        others = self._others(x)
        compared = 2 * self._inner(x) * others * 2**x.rank if self.subsample else 0
        return 3 * x.pixels * others + compared + 3 * x.numel

    def window(self, *inputs: Shape) -> Window | None:
        """All positions."""
        return None

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Three convolutions, maxima of two of them, the likenesses, their softmax, the means, and the way back."""
        (x,) = inputs
        inner, others = self._inner(x), self._others(x)
        theta, phi, g = (_convolution(0, inner * x.pixels, first) for first in (0, 2, 4))
        steps = [theta, phi, g]
        keys, values = 2, 3  # results are numbered from 1, behind the input
        if self.subsample:
            indices = ((SWITCH_BYTES, inner * others, True),)
            steps += (LayerStep((read,), inner * others, keeps=(0,), extra=indices) for read in (keys, values))
            keys, values = 4, 5
        likeness = len(steps) + 1
        held = (1, keys, values, likeness + 2)  # what names of the module refer to
        statistics = ((STATISTIC, 2 * x.channels, False),)
        return (
            *steps,
            _matrices(1, keys, x.pixels * others),
            LayerStep((likeness,), x.pixels * others, keeps_result=True, on_cuda="full"),
            _matrices(likeness + 1, values, inner * x.pixels),
            _convolution(likeness + 2, x.numel, 6),
            LayerStep((likeness + 3,), x.numel, keeps=(0,), extra=statistics, tensors=(8, 9, 10, 11, 12), in_use=False),
            LayerStep((0, likeness + 4), x.numel, gradient="handed on", promotes=True, holds=held),
        )

    def formula(self, *inputs: Shape) -> str:
        (x,) = inputs
        return f"4*{x.channels}*{self._inner(x)}+{x.channels}"

    def macs_formula(self, *inputs: Shape) -> str:
        (x,) = inputs
        return f"{x.pixels}*{self._inner(x)}*(4*{x.channels}+2*{self._others(x)})"

    def torch(self, *inputs: Shape) -> TorchCall:
        (x,) = inputs
        arguments = (Slot(x.channels, "in_channels"), Slot(self._inner(x), "inner"))
        keywords = (("subsample", Slot(True)),) if self.subsample else ()
        return self.helper_call(f"NonLocal{x.rank}d", arguments, keywords)


def _convolution(read: int, values: int, first: int) -> LayerStep:
    """A convolution with its weight and bias, which are the tensors from `first` on."""
    return LayerStep((read,), values, keeps=(0,), tensors=(first, first + 1), autocast="half", on_cuda="half")


def _matrices(left: int, right: int, values: int) -> LayerStep:
    """A product of two matrices for each image."""
    return LayerStep((left, right), values, keeps=(0, 1), autocast="half", on_cuda="half")
