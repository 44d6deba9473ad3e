"""`LRN`, normalisation by the squares of neighbouring channels or positions."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import ClassVar

from cnndsl.layers.base import Layer, LayerError, Saved, Slot, TorchCall, Window, need_spatial, option
from cnndsl.layers.steps import LayerStep, pad, power, product, quotient, scalar
from cnndsl.layers.torch_calls import by_rank, changed
from cnndsl.records import record
from cnndsl.shape import Shape

_POSITION_RESPONSE_NORM = '''\
class PositionResponseNorm{n}d(nn.Module):
    """Local response normalization over the positions around, in each channel."""

    def __init__(
        self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
    ) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mean = F.avg_pool{n}d(x.square(), self.size, 1, self.size // 2)
        return x / (mean * self.alpha + self.k) ** self.beta
'''
_OVER_VOLUMES = _POSITION_RESPONSE_NORM.replace(
    "F.avg_pool{n}d(x.square(), self.size, 1, self.size // 2)",
    "F.avg_pool{n}d(square, self.size, 1)",
).replace("        mean =", "        square = F.pad(x.square(), {sides} * [self.size // 2])\n        mean =")
"""The template for three axes: it adds the zeros beforehand, as `avg_pool3d` rejects maps smaller than its window."""


@record
class LocalResponseNorm(Layer):
    """`LRN5(alpha=0.0001, beta=0.75, k=1)`: x / (k + alpha/n * the sum of x^2 over n channels)^beta.

    As in PyTorch and Caffe, alpha is divided by n; the paper does not divide it: its n=5, alpha=0.0001, k=2 are
    `LRN5(alpha=0.0005, k=2)`. With `over=positions` the sum is over the surrounding n x n positions of the same
    channel, with zeros beyond the map, and alpha is divided by n*n: Caffe's WITHIN_CHANNEL, which cuda-convnet calls
    normalisation within maps. Source: Krizhevsky et al. 2012, Section 3.3; Jia et al. 2014, arXiv:1408.5093.
    """

    NAMES: ClassVar = ("LRN",)
    ROLE: ClassVar = "normalisation"
    SIZE: ClassVar = "size"
    HELPERS: ClassVar = {
        **by_rank("PositionResponseNorm", _POSITION_RESPONSE_NORM, (1, 2)),
        **by_rank("PositionResponseNorm", _OVER_VOLUMES, (3,)),
    }
    DEFAULTS: ClassVar = (("alpha", 1e-4), ("beta", 0.75), ("k", 1.0))

    size: int = option("int", 5, "n", minimum=1)
    alpha: float = option("number", 1e-4)
    beta: float = option("number", 0.75)
    k: float = option("number", 1.0, minimum=0)
    over: str = option("word", "channels", words=("channels", "positions"))

    @property
    def _within_channel(self) -> bool:
        return self.over == "positions"

    def output(self, *inputs: Shape) -> Shape:
        need_spatial(self.kind(), inputs[0])
        if self._within_channel and self.size % 2 == 0:
            message = f"the size of LRN(over=positions) must be odd, not {self.size}"
            raise LayerError(
                "E0227", message, f"LRN{self.size - 1}(over=positions) or LRN{self.size + 1}(over=positions)"
            )
        return inputs[0]

    def window(self, *inputs: Shape) -> Window | None:
        rank = inputs[0].rank
        if not self._within_channel:
            return super().window(*inputs)
        return Window((self.size,) * rank, (1,) * rank, (self.size // 2,) * rank)

    def operations(self, *inputs: Shape) -> int:
        """Return per value an addition per summand; a square, a product, an addition, a power and a division."""
        (x,) = inputs
        return (self.size ** (x.rank if self._within_channel else 1) + 5) * x.numel

    def saved(self, *inputs: Shape) -> Saved:
        """Return the input, its squares (possibly padded), and the denominator before and after the power."""
        (x,) = inputs
        return Saved(inputs=(0,), extra=((0, self._padded(x) + 2 * x.numel, True),))

    def _padded(self, x: Shape) -> int:
        """Return the number of squares that are averaged, including the zeros that are added beforehand."""
        more = self.size - 1
        if not self._within_channel:
            return (x.channels + more) * x.pixels
        return x.channels * prod(extent + more for extent in x.spatial) if x.rank > 2 else x.numel

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return squares, padded and averaged, times alpha, plus k, to the power beta; then the quotient by that.

        Over the channels of a map of two axes and more, and over positions of three, `avg_pool3d` averages; autocast on
        the CPU runs it in fp32.
        """
        (x,) = inputs
        n = x.numel
        if self._within_channel and x.rank < 3:
            means = LayerStep((1,), n, keeps=(0,))
            chain = (scalar(2, n), scalar(3, n, added=True), power(4, n), replace(quotient(0, 5, n), holds=(2,)))
            return (power(0, n), means, *chain)
        averages = LayerStep((2,), n, keeps=(0,), autocast="full" if x.rank > 1 else "as is")
        padded = pad(self._padded(x), 1)
        if self._within_channel:
            last = replace(quotient(0, 6, n), holds=(2, 3))
            return (power(0, n), padded, averages, scalar(3, n), scalar(4, n, added=True), power(5, n), last)
        added = replace(scalar(4, n, added=True), holds=(3,))
        chain = (scalar(3, n), added, replace(power(5, n), holds=(3,)), quotient(0, 6, n))
        return (product(0, 0, n), padded, averages, *chain)

    def torch(self, *inputs: Shape) -> TorchCall | None:
        (x,) = inputs
        usual = (*changed("alpha", self.alpha, 1e-4), *changed("beta", self.beta, 0.75), *changed("k", self.k, 1.0))
        if self._within_channel:
            return self.helper_call(f"PositionResponseNorm{x.rank}d", (Slot(self.size, "size"),), usual)
        return TorchCall("nn.LocalResponseNorm", (Slot(self.size, "size"),), usual)
