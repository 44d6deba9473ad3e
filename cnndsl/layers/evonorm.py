"""`EVONORM`, a normalisation and an activation in one."""

from __future__ import annotations

from typing import ClassVar

from cnndsl.layers.base import Saved, Slot, Tensor, TorchCall, option
from cnndsl.layers.norm import NormOverPositions, affine_tensors, check_groups
from cnndsl.layers.steps import LayerStep, product, scalar
from cnndsl.layers.torch_calls import changed
from cnndsl.records import record
from cnndsl.shape import Shape

_EVO_NORM = '''\
class EvoNorm(nn.Module):
    """EvoNorm-S0: x * sigmoid(v * x) over the deviation of its group of channels."""

    def __init__(
        self, channels: int, groups: int = 32, eps: float = 1e-5, act: bool = True
    ) -> None:
        super().__init__()
        self.groups = groups
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.v = nn.Parameter(torch.ones(channels)) if act else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        grouped = x.unflatten(1, [self.groups, -1])
        var = grouped.var(list(range(2, grouped.dim())), unbiased=False)
        std = (var + self.eps).sqrt().repeat_interleave(grouped.shape[2], 1)
        shape = [-1] + [1] * (x.dim() - 2)
        scale = (self.weight / std).unflatten(1, shape)
        if self.v is not None:
            x = x * torch.sigmoid(x * self.v.reshape(shape))
        return x * scale + self.bias.reshape(shape)
'''


@record
class EvoNorm(NormOverPositions):
    """`EVONORM32(eps=1e-5, act=yes)`: w_c * x * sigmoid(v_c * x) / sqrt(variance of the group + eps) + b_c.

    Groups of channels as in `GN`; their mean is not subtracted. This is EvoNorm-S0; `act=no` omits the sigmoid and v. w
    and v start at 1, b at 0. Source: Liu et al. 2020, arXiv:2004.02967, Section 5.
    """

    NAMES: ClassVar = ("EVONORM",)
    SIZE: ClassVar = "groups"
    HELPERS: ClassVar = {"EvoNorm": _EVO_NORM}
    DEFAULTS: ClassVar = (("act", True),)

    groups: int = option("int", 32, minimum=1)
    eps: float = option("number", 1e-5, minimum=1e-12)
    act: bool = option("flag", True)

    def output(self, *inputs: Shape) -> Shape:
        check_groups(self.kind(), self.groups, inputs[0])
        return inputs[0]

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        channels = inputs[0].channels
        return (*affine_tensors(channels), Tensor("v", (channels,))) if self.act else affine_tensors(channels)

    def operations(self, *inputs: Shape) -> int:
        """Return three per value for the variance and two to normalise; with `act` two products and a sigmoid."""
        return (8 if self.act else 5) * inputs[0].numel

    def saved(self, *inputs: Shape) -> Saved:
        """Return the input; with `act` the sigmoid and its product; the deviations, and each channel's factor."""
        (x,) = inputs
        return Saved(inputs=(0,), extra=((0, 2 * self.act * x.numel + self.groups + 2 * x.channels, True),))

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return deviations and factors, the activation, product and sum."""
        (x,) = inputs
        n, c, groups = x.numel, x.channels, self.groups
        variance = LayerStep((0,), groups, keeps=(0,), scratch=(0, n + 2 * groups))
        deviation = (scalar(1, groups, added=True), LayerStep((2,), groups, keeps_result=True), LayerStep((3,), c))
        factor = LayerStep((4,), c, keeps=(0,), tensors=(0,), promotes=True, gradient="broadcast")
        gate = LayerStep((0,), n, keeps=(0,), product=True, tensors=(2,), promotes=True, gradient="broadcast")
        gated = (gate, LayerStep((6,), n, keeps_result=True), product(0, 7, n)) if self.act else ()
        last = 5 + len(gated)
        value = last if self.act else 0
        shifted = LayerStep((last + 1,), n, tensors=(1,), promotes=True, gradient="handed on", holds=(1, 4, 5, value))
        return (variance, *deviation, factor, *gated, product(value, 5, n), shifted)

    def formula(self, *inputs: Shape) -> str:
        return f"2*{inputs[0].channels}" if self.act else str(inputs[0].channels)

    def torch(self, *inputs: Shape) -> TorchCall | None:
        arguments = (Slot(inputs[0].channels, "in_channels"), Slot(self.groups, "groups"))
        act = () if self.act else (("act", Slot(False)),)
        return self.helper_call("EvoNorm", arguments, (*changed("eps", self.eps, 1e-5), *act))
