"""`SCALE`, a learned weight and bias for each channel, or a bare parameter of the module around it."""

from __future__ import annotations

from typing import ClassVar

from cnndsl.layers.base import Layer, LayerError, Saved, Slot, Tensor, TorchCall, option
from cnndsl.layers.norm import affine_tensors
from cnndsl.layers.steps import LayerStep
from cnndsl.layers.torch_calls import changed
from cnndsl.records import record
from cnndsl.shape import Shape

_SCALE = '''\
class Scale(nn.Module):
    """A learned weight and bias for each channel."""

    def __init__(
        self,
        channels: int,
        weight: bool = True,
        bias: bool = True,
        init: float = 1.0,
    ) -> None:
        super().__init__()
        start = torch.full((channels,), float(init))
        self.weight = nn.Parameter(start) if weight else None
        self.bias = nn.Parameter(torch.zeros(channels)) if bias else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shape = [-1] + [1] * (x.dim() - 2)
        if self.weight is not None:
            x = x * self.weight.reshape(shape)
        if self.bias is not None:
            x = x + self.bias.reshape(shape)
        return x
'''


@record
class Scale(Layer):
    """`SCALE(weight=yes, bias=yes, init=1)`: w_c * x + b_c, with w and b learned for each channel; w starts at `init`,
    b at 0.

    After `SUMPOOL2` it is the trainable subsampling of LeCun et al. 1998. With `shared` all channels use one w and one
    b. With `parameter` its tensor belongs to the module around it, named by the layer's label: a `vector` of C values,
    a `map` of Cx1x1, a `batch` of 1xCx1x1, or one value for all channels, a `number` without axes or a `singleton` of
    shape 1.
    """

    NAMES: ClassVar = ("SCALE",)
    ROLE: ClassVar = "normalisation"
    HELPERS: ClassVar = {"Scale": _SCALE}

    weight: bool = option("flag", True)
    bias: bool = option("flag", True)
    init: float = option("number", 1.0)
    parameter: str = option("word", "none", words=("none", "vector", "map", "batch", "number", "singleton"))
    shared: bool = option("flag", False)

    @property
    def is_parameter(self) -> bool:
        """Return whether the tensor belongs to the module around the layer, under the layer's label."""
        return self.parameter != "none"

    def output(self, *inputs: Shape) -> Shape:
        if not (self.weight or self.bias):
            raise LayerError("E0311", "SCALE without a weight and a bias does nothing", "remove it")
        if self.is_parameter and self.weight and self.bias:
            message = f"`parameter={self.parameter}` makes one parameter, but SCALE has a weight and a bias"
            raise LayerError("E0315", message, f"keep the weight: SCALE(bias=no, parameter={self.parameter})")
        if self.is_parameter and self.shared:
            message = f"`shared` is for a SCALE without `parameter`, but this one has `parameter={self.parameter}`"
            raise LayerError(
                "E0315", message, "one value for all channels is `parameter=number` or `parameter=singleton`"
            )
        return inputs[0]

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        if self.is_parameter:
            return (Tensor("", self._extents(inputs[0]), "weight" if self.weight else "bias"),)
        weight, bias = affine_tensors(1 if self.shared else inputs[0].channels)
        return (weight,) * self.weight + (bias,) * self.bias

    def _extents(self, x: Shape) -> tuple[int, ...]:
        """Return the shape of the parameter."""
        each = (x.channels, *(1,) * x.rank)
        extents = {"number": (), "singleton": (1,), "vector": (x.channels,), "map": each, "batch": (1, *each)}
        return extents[self.parameter]

    def operations(self, *inputs: Shape) -> int:
        """Return a multiplication and an addition for each value."""
        return (self.weight + self.bias) * inputs[0].numel

    def saved(self, *inputs: Shape) -> Saved:
        return Saved(inputs=(0,)) if self.weight else Saved()

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return the product, then the sum."""
        n = inputs[0].numel
        weight = LayerStep((0,), n, keeps=(0,), product=True, tensors=(0,), promotes=True, gradient="broadcast")
        bias = LayerStep((int(self.weight),), n, tensors=(int(self.weight),), promotes=True, gradient="handed on")
        return (weight,) * self.weight + (bias,) * self.bias

    def formula(self, *inputs: Shape) -> str:
        if not self.weight:
            return ""
        is_single = self.shared or self.parameter in ("number", "singleton")
        return "1" if is_single else str(inputs[0].channels)

    def torch(self, *inputs: Shape) -> TorchCall | None:
        (x,) = inputs
        if self.is_parameter:
            return self._parameter(x)
        flags = tuple((name, Slot(False)) for name, kept in (("weight", self.weight), ("bias", self.bias)) if not kept)
        arguments = (Slot(1) if self.shared else Slot(x.channels, "in_channels"),)
        return self.helper_call("Scale", arguments, (*flags, *changed("init", self.init, 1.0)))

    def _parameter(self, x: Shape) -> TorchCall:
        """Return the construction of the parameter, and the expression in which it is used."""
        extents = self._extents(x)
        axis = {"vector": 0, "map": 0, "batch": 1}.get(self.parameter)
        sizes = tuple([Slot(size, "in_channels" if at == axis else "") for at, size in enumerate(extents)])
        spread = f"{{1}}.reshape(-1{', 1' * x.rank})" if self.parameter == "vector" and x.rank else "{1}"
        start = Slot(float(self.init), "init") if self.weight else Slot(0.0)
        return TorchCall("nn.Parameter", (*sizes, start), applied=f"{{0}} {'*' if self.weight else '+'} {spread}")
