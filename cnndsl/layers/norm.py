"""Normalisation by mean and deviation: `BN`, `LN`, `GN` and `IN`."""

from __future__ import annotations

from typing import ClassVar

from cnndsl.layers.base import (
    Layer,
    LayerError,
    Saved,
    Slot,
    Tensor,
    TorchCall,
    Window,
    common_divisors,
    need_spatial,
    option,
)
from cnndsl.layers.steps import PARAMETER, STATISTIC, LayerStep
from cnndsl.layers.torch_calls import changed
from cnndsl.records import record
from cnndsl.shape import Shape


def affine_tensors(*extents: int) -> tuple[Tensor, Tensor]:
    """Return the weight and the bias of an affine map, both of this shape."""
    return Tensor("weight", extents), Tensor("bias", extents, "bias")


def check_groups(kind: str, groups: int, x: Shape) -> None:
    """Raise LayerError if groups do not divide the channels, or have only one value each."""
    if x.channels % groups:
        message = f"the {x.channels} channels of the input cannot be divided into {groups} groups"
        multiples = " or ".join(str(each * groups) for each in {x.channels // groups, x.channels // groups + 1} - {0})
        help = f"{common_divisors(x.channels)}; {groups} groups need a multiple of {groups} channels: {multiples}"
        raise LayerError("E0304", message, help)
    if x.numel == groups:
        message = f"{kind}{groups} has one value in each group of {x}, so there is nothing to normalise"
        raise LayerError("E0309", message, "use fewer groups, or remove it here")


@record
class BatchNorm(Layer):
    """`BN(eps=1e-5, momentum=0.1, affine=yes)`: normalises each channel over the batch and all positions.

    Parameters 2*C. `momentum` is the share of the new batch in the running statistics, as in PyTorch. Source: Ioffe and
    Szegedy 2015, arXiv:1502.03167.
    """

    NAMES: ClassVar = ("BN",)
    ROLE: ClassVar = "normalisation"
    READ_ANEW: ClassVar = ("eps", "momentum")
    SUBTRACTS_MEAN: ClassVar = True

    eps: float = option("number", 1e-5, minimum=1e-12)
    momentum: float = option("number", 0.1, minimum=0, maximum=1)
    affine: bool = option("flag", True)

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        channels = inputs[0].channels
        buffers = (
            Tensor("running_mean", (channels,), "buffer"),
            Tensor("running_var", (channels,), "buffer"),
            Tensor("num_batches_tracked", (), "buffer", "int64"),
        )
        return (*affine_tensors(channels), *buffers) if self.affine else buffers

    def operations(self, *inputs: Shape) -> int:
        """Return two operations per value, with known statistics: a multiplication and an addition."""
        return 2 * inputs[0].numel

    def saved(self, *inputs: Shape) -> Saved:
        """Return the input, and the batch's mean and inverse deviation of each channel."""
        return Saved(inputs=(0,), extra=((STATISTIC, 2 * inputs[0].channels, False),))

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return one operation, which needs no batch statistics at inference."""
        return (self.single_step(*inputs, in_use=False),)

    def formula(self, *inputs: Shape) -> str:
        return str(inputs[0].channels) if self.affine else ""

    def torch(self, *inputs: Shape) -> TorchCall | None:
        (x,) = inputs
        affine = () if self.affine else (("affine", Slot(False)),)
        keywords = (*changed("eps", self.eps, 1e-5), *changed("momentum", self.momentum, 0.1), *affine)
        return TorchCall(f"nn.BatchNorm{max(x.rank, 1)}d", (Slot(x.channels, "in_channels"),), keywords)


@record
class NormOverPositions(Layer):
    """A normalisation whose statistics come from all positions of a map."""

    ROLE: ClassVar = "normalisation"

    def window(self, *inputs: Shape) -> Window | None:
        return None if inputs[0].pixels > 1 else super().window(*inputs)


@record
class StatisticsOfImage(NormOverPositions):
    """The base of `LN`, `GN` and `IN`: mean and deviation of each image separately."""

    eps: float = option("number", 1e-5, minimum=1e-12)
    affine: bool = option("flag", True)

    def operations(self, *inputs: Shape) -> int:
        """Return three operations per value for the statistics, two to normalise, two for the affine map."""
        return (7 if self.affine else 5) * inputs[0].numel


_CHANNEL_NORM = '''\
class ChannelNorm(nn.Module):
    """Layer normalization over the channels of each position."""

    def __init__(
        self, channels: int, eps: float = 1e-5, elementwise_affine: bool = True
    ) -> None:
        super().__init__()
        self.shape = [channels]
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels)) if elementwise_affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if elementwise_affine else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.movedim(1, -1)
        x = F.layer_norm(x, self.shape, self.weight, self.bias, self.eps)
        return x.movedim(-1, 1)
'''


@record
class LayerNorm(StatisticsOfImage):
    """`LN(over=all, eps=1e-5, affine=yes)`: normalises each image over all values, as torch.nn.LayerNorm.

    With `over=channels` it normalises each position separately, with one weight for each channel (Liu et al. 2022,
    ConvNeXt). Source: Ba et al. 2016, arXiv:1607.06450.
    """

    FULL_PRECISION: ClassVar = frozenset({"cuda"})
    NAMES: ClassVar = ("LN",)
    HELPERS: ClassVar = {"ChannelNorm": _CHANNEL_NORM}

    over: str = option("word", "all", words=("all", "channels"))

    def _by_position(self, x: Shape) -> bool:
        return self.over == "channels" and x.rank > 0

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        (x,) = inputs
        if not self.affine:
            return ()
        return affine_tensors(x.channels) if self._by_position(x) else affine_tensors(x.channels, *x.spatial)

    def window(self, *inputs: Shape) -> Window | None:
        return Layer.window(self, *inputs) if self.over == "channels" else super().window(*inputs)

    def saved(self, *inputs: Shape) -> Saved:
        """Return the input, a mean and an inverse deviation."""
        (x,) = inputs
        return Saved(inputs=(0,), extra=((STATISTIC, 2 * (x.pixels if self._by_position(x) else 1), True),))

    def formula(self, *inputs: Shape) -> str:
        (x,) = inputs
        if not self.affine:
            return ""
        return str(x.channels) if self._by_position(x) else "*".join(map(str, x.hwc))

    def torch(self, *inputs: Shape) -> TorchCall | None:
        (x,) = inputs
        affine = () if self.affine else (("elementwise_affine", Slot(False)),)
        keywords = (*changed("eps", self.eps, 1e-5), *affine)
        if self._by_position(x):
            return self.helper_call("ChannelNorm", (Slot(x.channels, "in_channels"),), keywords)
        extents = Slot((x.channels, *x.spatial), "extents") if x.rank else Slot(x.channels, "in_channels")
        return TorchCall("nn.LayerNorm", (extents,), keywords)


@record
class GroupNorm(StatisticsOfImage):
    """`GN32(eps=1e-5, affine=yes)`: groups of channels of each image. Source: Wu and He 2018, arXiv:1803.08494."""

    FULL_PRECISION: ClassVar = frozenset({"cuda"})
    NAMES: ClassVar = ("GN",)
    COPIES: ClassVar = ("channels", "positions")
    SIZE: ClassVar = "groups"

    groups: int = option("int", 32, minimum=1)

    def output(self, *inputs: Shape) -> Shape:
        check_groups(self.kind(), self.groups, inputs[0])
        return inputs[0]

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        return affine_tensors(inputs[0].channels) if self.affine else ()

    def saved(self, *inputs: Shape) -> Saved:
        """Return the input, a mean and an inverse deviation for each group."""
        return Saved(inputs=(0,), extra=((STATISTIC, 2 * self.groups, True),))

    def formula(self, *inputs: Shape) -> str:
        return str(inputs[0].channels) if self.affine else ""

    def torch(self, *inputs: Shape) -> TorchCall | None:
        affine = () if self.affine else (("affine", Slot(False)),)
        arguments = (Slot(self.groups, "groups"), Slot(inputs[0].channels, "in_channels"))
        return TorchCall("nn.GroupNorm", arguments, (*changed("eps", self.eps, 1e-5), *affine))


@record
class InstanceNorm(StatisticsOfImage):
    """`IN(eps=1e-5, affine=no)`: normalises each channel of each image, as torch.nn.InstanceNorm2d.

    Source: Ulyanov et al. 2016, arXiv:1607.08022.
    """

    DEFAULTS: ClassVar = (("affine", False),)
    NAMES: ClassVar = ("IN",)
    COPIES: ClassVar = ("channels", "positions")

    affine: bool = option("flag", False)

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_spatial(self.kind(), x)
        if x.pixels == 1:
            raise LayerError("E0309", f"IN needs more than one position, but the input is {x}", "remove it here")
        return x

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        return affine_tensors(inputs[0].channels) if self.affine else ()

    def saved(self, *inputs: Shape) -> Saved:
        """Return the input, a mean and an inverse deviation per channel, the weights repeated per image."""
        (x,) = inputs
        repeated = ((PARAMETER, x.channels, True),) if self.affine else ()
        return Saved(inputs=(0,), extra=((STATISTIC, 2 * x.channels, True), *repeated))

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return one operation; a shift is repeated for each image like a weight, but not saved."""
        shifts = inputs[0].channels if self.affine else 0
        return (self.single_step(*inputs, scratch=(shifts, 0), viewed=True),)

    def formula(self, *inputs: Shape) -> str:
        return str(inputs[0].channels) if self.affine else ""

    def torch(self, *inputs: Shape) -> TorchCall | None:
        (x,) = inputs
        affine = (("affine", Slot(True)),) if self.affine else ()
        keywords = (*changed("eps", self.eps, 1e-5), *affine)
        return TorchCall(f"nn.InstanceNorm{x.rank}d", (Slot(x.channels, "in_channels"),), keywords)
