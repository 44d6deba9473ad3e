"""Layers that see a whole vector: `FC`, `RBF`; and the network's `INPUT`."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from cnndsl.layers.base import Cut, Layer, Saved, Slot, Tensor, TorchCall, Window, option
from cnndsl.layers.conv import INITS
from cnndsl.layers.formulas import multiplied
from cnndsl.layers.steps import LayerStep, power, summed
from cnndsl.records import record
from cnndsl.shape import Shape


@record
class Input(Layer):
    """`INPUT 224x224x3`: the input of the network, H x W x C. The compiler creates it; it is not looked up."""

    NAMES: ClassVar = ("INPUT",)
    ROLE: ClassVar = "input"
    INPUTS: ClassVar = (0, 0)

    volume: tuple[int, ...] = (224, 224, 3)

    def output(self, *inputs: Shape) -> Shape:
        return Shape.of(self.volume)

    def window(self, *inputs: Shape) -> Window | None:
        rank = len(self.volume) - 1
        return Window((1,) * rank, (1,) * rank, (0,) * rank)

    def torch(self, *inputs: Shape) -> TorchCall | None:
        return None


_POINTWISE_LINEAR = '''\
class PointwiseLinear{n}d(nn.Linear):
    """A linear layer over the channels of each position."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return F.conv{n}d(input, self.weight[:, :, {axes}], self.bias)
'''
_POINTWISE_LINEARS = {
    f"PointwiseLinear{n}d": _POINTWISE_LINEAR.format(n=n, axes=", ".join(["None"] * n)) for n in (1, 2, 3)
}


@record
class Dense(Layer):
    """`FC-4096(bias=yes)`: fully connected; a spatial input is flattened, channels first. Bare `FC` is FC-1000.

    Parameters: H*W*C * features + features. With `over=channels` it is applied to each position separately, with C *
    features + features parameters. It computes the same as a 1x1 convolution, but its weight is a matrix, as in
    published code (Liu et al. 2022, arXiv:2201.03545, whose blocks end with two of them).
    """

    NAMES: ClassVar = ("FC",)
    ROLE: ClassVar = "dense"
    INIT: ClassVar = "init"
    WIDTH: ClassVar = "features"
    HELPERS: ClassVar = _POINTWISE_LINEARS

    features: int = option("int", 1000, "K", minimum=1)
    bias: bool = option("flag", True)
    init: str = option("word", "default", words=INITS)
    over: str = option("word", "all", words=("all", "channels"))
    frozen: bool = option("flag", False)

    @property
    def is_frozen(self) -> bool:
        return self.frozen

    def _by_position(self, x: Shape) -> bool:
        return self.over == "channels" and x.rank > 0

    def _entering(self, x: Shape) -> int:
        """Return how many values each output is a weighted sum of."""
        return x.channels if self._by_position(x) else x.numel

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return Shape(self.features, x.spatial if self._by_position(x) else ())

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        weight = Tensor("weight", (self.features, self._entering(inputs[0])), frozen=self.frozen)
        return (weight, Tensor("bias", (self.features,), "bias", frozen=self.frozen)) if self.bias else (weight,)

    def macs(self, *inputs: Shape) -> int:
        return self.output(*inputs).pixels * self._entering(inputs[0]) * self.features

    def copied(self, *inputs: Shape) -> tuple[Cut, ...]:
        return ("positions",) if self.over == "all" else ()

    def window(self, *inputs: Shape) -> Window | None:
        return super().window(*inputs) if self.over == "channels" else None

    def saved(self, *inputs: Shape) -> Saved:
        return Saved(inputs=(0,))

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return a matrix product, which saves its weights only for the gradient of its input. At each position it is a
        convolution with a view of the weights."""
        if self._by_position(inputs[0]):
            return (self.single_step(*inputs, recast=(0,)),)
        return (self.single_step(*inputs, product=True),)

    def formula(self, *inputs: Shape) -> str:
        (x,) = inputs
        is_map = x.pixels > 1 and not self._by_position(x)
        return multiplied((*(x.hwc if is_map else (x.channels,)), self.features))

    def macs_formula(self, *inputs: Shape) -> str:
        (x,) = inputs
        return multiplied((*x.hwc, self.features)) if self._by_position(x) else self.formula(x)

    def torch(self, *inputs: Shape) -> TorchCall | None:
        (x,) = inputs
        keywords = () if self.bias else (("bias", Slot(False)),)
        if self._by_position(x):
            arguments = (Slot(x.channels, "in_channels"), Slot(self.features, "features"))
            return self.helper_call(f"PointwiseLinear{x.rank}d", arguments, keywords)
        arguments = (Slot(x.numel, "in_features"), Slot(self.features, "features"))
        return TorchCall("nn.Linear", arguments, keywords, flatten=x.rank > 0)


_RADIAL_BASIS = '''\
class RadialBasis(nn.Module):
    """The squared distances from fixed centers, which start as random signs."""

    centers: torch.Tensor

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        signs = torch.randint(2, (out_features, in_features)) * 2.0 - 1.0
        self.register_buffer("centers", signs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x.unsqueeze(1) - self.centers).square().sum(-1)
'''


@record
class RadialBasis(Layer):
    """`RBF-10`: output i is the squared distance of the input from a fixed centre, sum_j (x_j - w_ij)^2.

    The centres are set by hand: a buffer, not parameters. Source: LeCun et al. 1998, Section II.B.
    """

    NAMES: ClassVar = ("RBF",)
    ROLE: ClassVar = "dense"
    WIDTH: ClassVar = "features"
    HELPERS: ClassVar = {"RadialBasis": _RADIAL_BASIS}

    features: int = option("int", 10, "K", minimum=1)

    def output(self, *inputs: Shape) -> Shape:
        return Shape(self.features)

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        return (Tensor("centers", (self.features, inputs[0].numel), "buffer"),)

    def operations(self, *inputs: Shape) -> int:
        """Return a difference, a square and an addition for each weight."""
        return 3 * inputs[0].numel * self.features

    def window(self, *inputs: Shape) -> Window | None:
        return None

    def saved(self, *inputs: Shape) -> Saved:
        return Saved(extra=((0, inputs[0].numel * self.features, True),))

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return the differences, their squares and the sums of these."""
        n = inputs[0].numel * self.features
        difference = LayerStep((0,), n, tensors=(0,), promotes=True, gradient="handed on")
        return (difference, power(1, n), summed(2, self.features))

    def torch(self, *inputs: Shape) -> TorchCall | None:
        (x,) = inputs
        arguments = (Slot(x.numel, "in_features"), Slot(self.features, "features"))
        return replace(self.helper_call("RadialBasis", arguments), flatten=x.rank > 0)
