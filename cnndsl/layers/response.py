"""Normalisation by the size of values, without their mean: `GRN`, `FRN`, `RMSNORM` and `L2NORM`."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from cnndsl.layers.base import Layer, LayerError, Saved, Slot, Tensor, TorchCall, need_spatial, option
from cnndsl.layers.norm import NormOverPositions, affine_tensors
from cnndsl.layers.steps import LayerStep, power, product, quotient, scalar
from cnndsl.layers.torch_calls import changed
from cnndsl.records import record
from cnndsl.shape import Shape

_GLOBAL_RESPONSE_NORM = '''\
class GlobalResponseNorm(nn.Module):
    """Scales each channel by its norm over all positions, relative to the others."""

    def __init__(self, channels: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.zeros(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        positions = list(range(2, x.dim()))
        shape = [-1] + [1] * len(positions)
        norm = torch.linalg.vector_norm(x, dim=positions, keepdim=True)
        norm = norm / (norm.mean(1, keepdim=True) + self.eps)
        scale = 1 + self.weight.reshape(shape) * norm
        return x * scale + self.bias.reshape(shape)
'''


@record
class GlobalResponse(NormOverPositions):
    """`GRN(eps=1e-6)`: x + w_c * x * n_c + b_c, with w and b learned for each channel; both start at 0.

    n_c is the L2 norm of the channel over all positions, divided by the mean of all channels' norms, plus eps. Source:
    Woo et al. 2023, ConvNeXt V2, arXiv:2301.00808, Section 3.2.
    """

    NAMES: ClassVar = ("GRN",)
    HELPERS: ClassVar = {"GlobalResponseNorm": _GLOBAL_RESPONSE_NORM}
    DEFAULTS: ClassVar = (("eps", 1e-6),)

    eps: float = option("number", 1e-6, minimum=1e-12)

    def output(self, *inputs: Shape) -> Shape:
        need_spatial(self.kind(), inputs[0])
        return inputs[0]

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        return affine_tensors(inputs[0].channels)

    def operations(self, *inputs: Shape) -> int:
        """Return four operations per value: a square and an addition for the norm, a product and a sum."""
        return 4 * inputs[0].numel

    def saved(self, *inputs: Shape) -> Saved:
        """Return the input; for each channel its norm, the quotient and the factor; the mean."""
        (x,) = inputs
        return Saved(inputs=(0,), extra=((0, 3 * x.channels + 1, True),))

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return the norms, their mean and the quotient; the factor, the product and the sum."""
        (x,) = inputs
        n, c = x.numel, x.channels
        norm = LayerStep((0,), c, keeps=(0,), keeps_result=True, on_cuda="full", scratch=(0, n), flags=c)
        mean = (LayerStep((1,), 1), scalar(2, 1, added=True))
        weighted = LayerStep((4,), c, keeps=(0,), product=True, tensors=(0,), promotes=True, gradient="broadcast")
        shifted = LayerStep((7,), n, tensors=(1,), promotes=True, gradient="handed on", holds=(4, 6))
        return (norm, *mean, quotient(1, 3, c), weighted, scalar(5, c, added=True), product(0, 6, n), shifted)

    def formula(self, *inputs: Shape) -> str:
        return str(inputs[0].channels)

    def torch(self, *inputs: Shape) -> TorchCall | None:
        arguments = (Slot(inputs[0].channels, "in_channels"),)
        return self.helper_call("GlobalResponseNorm", arguments, changed("eps", self.eps, 1e-6))


_FILTER_RESPONSE_NORM = '''\
class FilterResponseNorm(nn.Module):
    """Divides each channel by its root mean square, with a learned threshold below."""

    def __init__(self, channels: int, eps: float = 1e-6, tlu: bool = True) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.tau = nn.Parameter(torch.zeros(channels)) if tlu else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        positions = list(range(2, x.dim()))
        shape = [-1] + [1] * len(positions)
        square = x.square().mean(positions, keepdim=True)
        scale = self.weight.reshape(shape) * torch.rsqrt(square + self.eps)
        x = x * scale + self.bias.reshape(shape)
        if self.tau is not None:
            x = torch.maximum(x, self.tau.reshape(shape))
        return x
'''


@record
class FilterResponse(NormOverPositions):
    """`FRN(eps=1e-6, tlu=yes)`: max(w_c * x / sqrt(m + eps) + b_c, tau_c), m the mean square of the channel.

    w starts at 1, b and tau at 0. `tlu=no` omits the threshold, which is learned and replaces an activation. Source:
    Singh and Krishnan 2020, arXiv:1911.09737, Section 3.
    """

    NAMES: ClassVar = ("FRN",)
    HELPERS: ClassVar = {"FilterResponseNorm": _FILTER_RESPONSE_NORM}
    DEFAULTS: ClassVar = (("eps", 1e-6), ("tlu", True))

    eps: float = option("number", 1e-6, minimum=1e-12)
    tlu: bool = option("flag", True)

    def output(self, *inputs: Shape) -> Shape:
        need_spatial(self.kind(), inputs[0])
        return inputs[0]

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        channels = inputs[0].channels
        return (*affine_tensors(channels), Tensor("tau", (channels,))) if self.tlu else affine_tensors(channels)

    def operations(self, *inputs: Shape) -> int:
        """Return two operations per value for the mean square, a product and a sum; with `tlu` a maximum."""
        return (4 + self.tlu) * inputs[0].numel

    def saved(self, *inputs: Shape) -> Saved:
        """Return the input; the inverse root and the factor of each channel; with `tlu` the operand of the maximum."""
        (x,) = inputs
        return Saved(inputs=(0,), extra=((0, 2 * x.channels + self.tlu * x.numel, True),))

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return the mean square of each channel, its inverse root and the factor; product, sum and maximum."""
        (x,) = inputs
        n, c = x.numel, x.channels
        mean = (power(0, n), LayerStep((1,), c), scalar(2, c, added=True))
        root = LayerStep((3,), c, keeps_result=True, on_cuda="full", scratch=(0, 2 * c))
        factor = LayerStep((4,), c, keeps=(0,), product=True, tensors=(0,), promotes=True, gradient="broadcast")
        shifted = LayerStep((6,), n, tensors=(1,), promotes=True, gradient="handed on", holds=(2, 5))
        usual = LayerStep((7,), n, keeps=(0,), tensors=(2,), promotes=True, gradient="broadcast", holds=(2, 5))
        maximum = (replace(usual, scratch=(0, n), flags=2 * n),) if self.tlu else ()
        return (*mean, root, factor, product(0, 5, n), shifted, *maximum)

    def formula(self, *inputs: Shape) -> str:
        return f"2*{inputs[0].channels}" if self.tlu else str(inputs[0].channels)

    def torch(self, *inputs: Shape) -> TorchCall | None:
        tlu = () if self.tlu else (("tlu", Slot(False)),)
        arguments = (Slot(inputs[0].channels, "in_channels"),)
        return self.helper_call("FilterResponseNorm", arguments, (*changed("eps", self.eps, 1e-6), *tlu))


_CHANNEL_RMS_NORM = '''\
class ChannelRMSNorm(nn.Module):
    """Divides the channels of each position by their root mean square, or deviation."""

    def __init__(
        self,
        channels: int,
        eps: float = 1e-6,
        affine: bool = True,
        deviation: bool = False,
    ) -> None:
        super().__init__()
        self.eps = eps
        self.deviation = deviation
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.deviation:
            square = x.var(1, keepdim=True)
        else:
            square = x.square().mean(1, keepdim=True)
        x = x * torch.rsqrt(square + self.eps)
        if self.weight is not None:
            x = x * self.weight.reshape([-1] + [1] * (x.dim() - 2))
        return x
'''


@record
class RootMeanSquareNorm(Layer):
    """`RMSNORM(eps=1e-6, affine=yes, by=rms)`: w_c * x / sqrt(m + eps), at each position separately.

    m is the mean square of its channels; with `by=deviation` it is their variance, the sum of squares divided by C - 1.
    w starts at 1. Source: Zhang and Sennrich 2019, arXiv:1910.07467, Section 4; `by=deviation` is timm's SimpleNorm.
    """

    NAMES: ClassVar = ("RMSNORM",)
    ROLE: ClassVar = "normalisation"
    HELPERS: ClassVar = {"ChannelRMSNorm": _CHANNEL_RMS_NORM}
    DEFAULTS: ClassVar = (("eps", 1e-6), ("deviation", False))

    eps: float = option("number", 1e-6, minimum=1e-12)
    affine: bool = option("flag", True)
    by: str = option("word", "rms", words=("rms", "deviation"))

    @property
    def _by_deviation(self) -> bool:
        return self.by == "deviation"

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if self._by_deviation and x.channels == 1:
            raise LayerError(
                "E0309", f"RMSNORM(by=deviation) needs more than one channel, but the input is {x}", "by=rms"
            )
        return x

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        return (Tensor("weight", (inputs[0].channels,)),) if self.affine else ()

    def operations(self, *inputs: Shape) -> int:
        """Return per value two for the mean square, three for the variance; a product, one with the weight."""
        return (3 + self._by_deviation + self.affine) * inputs[0].numel

    def saved(self, *inputs: Shape) -> Saved:
        """Return the input; the factor of each position; the operand that the weight multiplies."""
        (x,) = inputs
        return Saved(inputs=(0,), extra=((0, x.pixels + self.affine * x.numel, True),))

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return the mean square or the variance of each position, its inverse root; the products."""
        (x,) = inputs
        n, pixels = x.numel, x.pixels
        variance = LayerStep((0,), pixels, keeps=(0,), scratch=(0, n + 2 * pixels))
        statistic = (variance,) if self._by_deviation else (power(0, n), LayerStep((1,), pixels))
        at = len(statistic)
        factor = LayerStep((at + 1,), pixels, keeps_result=True, on_cuda="full", scratch=(0, 2 * pixels))
        normalised = replace(product(0, at + 2, n), holds=(at,))
        scaled = LayerStep((at + 3,), n, keeps=(0,), product=True, tensors=(0,), promotes=True, gradient="broadcast")
        weighted = (replace(scaled, holds=(at,)),) if self.affine else ()
        return (*statistic, scalar(at, pixels, added=True), factor, normalised, *weighted)

    def formula(self, *inputs: Shape) -> str:
        return str(inputs[0].channels) if self.affine else ""

    def torch(self, *inputs: Shape) -> TorchCall | None:
        affine = () if self.affine else (("affine", Slot(False)),)
        deviation = (("deviation", Slot(True)),) if self._by_deviation else ()
        keywords = (*changed("eps", self.eps, 1e-6), *affine, *deviation)
        return self.helper_call("ChannelRMSNorm", (Slot(inputs[0].channels, "in_channels"),), keywords)


_L2_NORM = '''\
class L2Norm(nn.Module):
    """Divides the channels of each position by their L2 norm."""

    def __init__(
        self,
        channels: int,
        eps: float = 1e-12,
        affine: bool = False,
        init: float = 1.0,
    ) -> None:
        super().__init__()
        self.eps = eps
        start = torch.full((channels,), float(init))
        self.weight = nn.Parameter(start) if affine else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.normalize(x, dim=1, eps=self.eps)
        if self.weight is not None:
            x = x * self.weight.reshape([-1] + [1] * (x.dim() - 2))
        return x
'''


@record
class EuclideanNorm(Layer):
    """`L2NORM(eps=1e-12, affine=no, init=1)`: w_c * x / max(|x|, eps), |x| the L2 norm of the channels of a position.

    `affine` adds the weight w, which starts at `init`: 20 in SSD. Source: Liu et al. 2015, ParseNet, arXiv:1506.04579,
    Section 3.2; Liu et al. 2016, SSD.
    """

    NAMES: ClassVar = ("L2NORM",)
    ROLE: ClassVar = "normalisation"
    HELPERS: ClassVar = {"L2Norm": _L2_NORM}
    DEFAULTS: ClassVar = (("eps", 1e-12), ("affine", False), ("init", 1.0))

    eps: float = option("number", 1e-12, minimum=1e-12)
    affine: bool = option("flag", False)
    init: float = option("number", 1.0)

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        return (Tensor("weight", (inputs[0].channels,)),) if self.affine else ()

    def operations(self, *inputs: Shape) -> int:
        """Return a square, an addition and a division for each value; a product with the weight."""
        return (3 + self.affine) * inputs[0].numel

    def saved(self, *inputs: Shape) -> Saved:
        """Return the input; each position's norm, and that clamped to eps; what the weight multiplies."""
        (x,) = inputs
        return Saved(inputs=(0,), extra=((0, 2 * x.pixels + self.affine * x.numel, True),))

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return the norms, at least eps; the quotient; the product with the weight."""
        (x,) = inputs
        n, pixels = x.numel, x.pixels
        usual = LayerStep((0,), pixels, keeps=(0,), keeps_result=True, on_cuda="full")
        norm = replace(usual, scratch=(0, n), flags=pixels)
        at_least = LayerStep((1,), pixels, keeps=(0,), flags=pixels)
        weight = LayerStep((3,), n, keeps=(0,), product=True, tensors=(0,), promotes=True, gradient="broadcast")
        return (norm, at_least, quotient(0, 2, n), *(weight,) * self.affine)

    def formula(self, *inputs: Shape) -> str:
        return str(inputs[0].channels) if self.affine else ""

    def torch(self, *inputs: Shape) -> TorchCall | None:
        affine = (("affine", Slot(True)), *changed("init", self.init, 1.0)) if self.affine else ()
        arguments = (Slot(inputs[0].channels, "in_channels"),)
        return self.helper_call("L2Norm", arguments, (*changed("eps", self.eps, 1e-12), *affine))
