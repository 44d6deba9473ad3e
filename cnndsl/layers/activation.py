"""Activations: `RELU`, `SIGMOID`, `GELU` and similar functions.

All preserve the shape. What autograd saves differs: some functions can be differentiated from their output, the others
from their input.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from cnndsl.layers.base import Layer, Saved, Slot, Tensor, TorchCall, option
from cnndsl.layers.steps import LayerStep, absolute, power, quotient, scalar
from cnndsl.layers.torch_calls import changed
from cnndsl.records import record
from cnndsl.shape import Shape


@record
class Activation(Layer):
    """A function of each value separately.

    `MODULE` is PyTorch's class, `KEEPS` what its backward pass needs. `INPLACE` says how it can overwrite its input:
    `free` at no cost, `copy` with a copy of the input in training.
    """

    ROLE: ClassVar = "activation"
    MODULE: ClassVar[str] = ""
    KEEPS: ClassVar[Literal["input", "output"]] = "input"
    INPLACE: ClassVar[Literal["", "free", "copy"]] = ""

    def operations(self, *inputs: Shape) -> int:
        """Return one operation per value: an evaluation of the function, whatever it costs."""
        return inputs[0].numel

    def is_elementwise(self, *inputs: Shape) -> bool:
        return not self.tensors(*inputs)

    def saved(self, *inputs: Shape) -> Saved:
        if self.KEEPS == "output":
            return Saved(output=True)
        return Saved(inputs=(0,), copies=self.INPLACE == "copy")

    def torch(self, *inputs: Shape) -> TorchCall | None:
        return TorchCall(f"nn.{self.MODULE}", *self._arguments(), inplace=bool(self.INPLACE))

    def _arguments(self) -> tuple[tuple[Slot, ...], tuple[tuple[str, Slot], ...]]:
        return (), ()


@record
class Relu(Activation):
    """`RELU`: max(0, x). Source: Nair and Hinton 2010; Krizhevsky et al. 2012, Section 3.1."""

    NAMES: ClassVar = ("RELU",)
    MODULE: ClassVar = "ReLU"
    KEEPS: ClassVar = "output"
    INPLACE: ClassVar = "free"


@record
class Relu6(Activation):
    """`RELU6`: min(max(0, x), 6). Source: Krizhevsky 2010, Section 3; Howard et al. 2017."""

    NAMES: ClassVar = ("RELU6",)
    MODULE: ClassVar = "ReLU6"
    INPLACE: ClassVar = "copy"


@record
class LeakyRelu(Activation):
    """`LEAKYRELU(0.01)`: x, and slope*x where x is negative. Source: Maas et al. 2013."""

    NAMES: ClassVar = ("LEAKYRELU", "LRELU")
    POSITIONAL: ClassVar = ("slope",)
    MODULE: ClassVar = "LeakyReLU"
    INPLACE: ClassVar = "free"

    slope: float = option("number", 0.01, minimum=0)

    def _arguments(self) -> tuple[tuple[Slot, ...], tuple[tuple[str, Slot], ...]]:
        return (Slot(float(self.slope), "slope"),), ()


@record
class PRelu(Activation):
    """`PRELU(shared=no, init=0.25)`: a leaky ReLU with a learned slope for each channel, or one for all channels with
    `shared`.

    Source: He et al. 2015, arXiv:1502.01852, Section 2.1.
    """

    NAMES: ClassVar = ("PRELU",)

    shared: bool = option("flag", False)
    init: float = option("number", 0.25)

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        return (Tensor("weight", (1 if self.shared else inputs[0].channels,)),)

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return one operation, which autocast runs in 2 bytes; the slopes' gradient is per value, then summed."""
        return (self.single_step(*inputs, autocast="half", on_cuda="half", gradient="broadcast", makes_all=True),)

    def formula(self, *inputs: Shape) -> str:
        return "1" if self.shared else str(inputs[0].channels)

    def torch(self, *inputs: Shape) -> TorchCall | None:
        arguments = () if self.shared else (Slot(inputs[0].channels, "in_channels"),)
        keywords = () if self.init == 0.25 else (("init", Slot(float(self.init), "init")),)
        return TorchCall("nn.PReLU", arguments, keywords)


_STAR_RELU = '''\
class StarReLU(nn.Module):
    """scale * relu(x)**2 + bias, both learned."""

    def __init__(self, scale: float = 0.8944, bias: float = -0.4472) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((1,), float(scale)))
        self.bias = nn.Parameter(torch.full((1,), float(bias)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x) ** 2 * self.scale + self.bias
'''


@record
class StarRelu(Activation):
    """`STARRELU(scale=0.8944, bias=-0.4472)`: scale*relu(x)^2 + bias; scale and bias are single learned numbers.

    Their initial values give mean 0 and variance 1 for a standard normal input: 2/sqrt(5) and -1/sqrt(5). Source: Yu et
    al. 2022, MetaFormer Baselines for Vision, arXiv:2210.13452, Section 3.1.
    """

    NAMES: ClassVar = ("STARRELU",)
    HELPERS: ClassVar = {"StarReLU": _STAR_RELU}
    DEFAULTS: ClassVar = (("scale", 0.8944), ("bias", -0.4472))

    scale: float = option("number", 0.8944)
    bias: float = option("number", -0.4472)

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        return (Tensor("scale", (1,)), Tensor("bias", (1,), "bias"))

    def operations(self, *inputs: Shape) -> int:
        """Return a maximum, a square, a product and a sum for each value."""
        return 4 * inputs[0].numel

    def saved(self, *inputs: Shape) -> Saved:
        """Return the output of the ReLU, and its square."""
        return Saved(extra=((0, 2 * inputs[0].numel, True),))

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return the ReLU and its square, then product and sum with the learned numbers."""
        n = inputs[0].numel
        scaled = LayerStep((2,), n, keeps=(0,), product=True, tensors=(0,), promotes=True, gradient="broadcast")
        shifted = LayerStep((3,), n, tensors=(1,), promotes=True, gradient="handed on")
        return (LayerStep((0,), n, keeps_result=True), power(1, n), scaled, shifted)

    def formula(self, *inputs: Shape) -> str:
        return "1"

    def torch(self, *inputs: Shape) -> TorchCall | None:
        numbers = (*changed("scale", self.scale, 0.8944), *changed("bias", self.bias, -0.4472))
        return self.helper_call("StarReLU", (), numbers)


@record
class Sigmoid(Activation):
    """`SIGMOID`: 1/(1 + exp(-x))."""

    NAMES: ClassVar = ("SIGMOID",)
    MODULE: ClassVar = "Sigmoid"
    KEEPS: ClassVar = "output"


_SCALED_TANH = '''\
class ScaledTanh(nn.Module):
    """scale * tanh(slope * x)."""

    def __init__(self, scale: float = 1.0, slope: float = 1.0) -> None:
        super().__init__()
        self.scale = scale
        self.slope = slope

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(x * self.slope) * self.scale
'''


@record
class Tanh(Activation):
    """`TANH(scale=1, slope=1)`: scale*tanh(slope*x); LeCun et al. 1998 use scale=1.7159, slope=2/3."""

    NAMES: ClassVar = ("TANH",)
    MODULE: ClassVar = "Tanh"
    HELPERS: ClassVar = {"ScaledTanh": _SCALED_TANH}

    scale: float = option("number", 1.0)
    slope: float = option("number", 1.0)

    def _is_plain(self) -> bool:
        return self.scale == 1 and self.slope == 1

    def saved(self, *inputs: Shape) -> Saved:
        """Return the value of tanh, which is the output only if nothing scales it."""
        return Saved(output=True) if self._is_plain() else Saved(extra=((0, inputs[0].numel, True),))

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return tanh; with a scale, with a product on both sides."""
        n = inputs[0].numel
        if self._is_plain():
            return super().steps(*inputs)
        return (scalar(0, n), LayerStep((1,), n, keeps_result=True), scalar(2, n))

    def torch(self, *inputs: Shape) -> TorchCall | None:
        if self._is_plain():
            return TorchCall("nn.Tanh")
        numbers = (("scale", Slot(float(self.scale), "scale")), ("slope", Slot(float(self.slope), "slope")))
        return self.helper_call("ScaledTanh", (), numbers)


@record
class Alpha(Activation):
    """The base of `ELU` and `CELU`: alpha*(exp(x) - 1), or a similar function, where x is negative."""

    POSITIONAL: ClassVar = ("alpha",)
    INPLACE: ClassVar = "free"

    alpha: float = option("number", 1.0, minimum=0)

    def _arguments(self) -> tuple[tuple[Slot, ...], tuple[tuple[str, Slot], ...]]:
        return (), () if self.alpha == 1 else (("alpha", Slot(float(self.alpha), "alpha")),)


@record
class Elu(Alpha):
    """`ELU(1)`: x, and alpha*(exp(x) - 1) where x is negative. Source: Clevert et al. 2016."""

    NAMES: ClassVar = ("ELU",)
    MODULE: ClassVar = "ELU"


@record
class Celu(Alpha):
    """`CELU(1)`: x, and alpha*(exp(x/alpha) - 1) where x is negative. Source: Barron 2017."""

    NAMES: ClassVar = ("CELU",)
    MODULE: ClassVar = "CELU"

    alpha: float = option("number", 1.0, minimum=1e-6)


@record
class Selu(Activation):
    """`SELU`: a scaled ELU that keeps mean and variance. Source: Klambauer et al. 2017."""

    NAMES: ClassVar = ("SELU",)
    MODULE: ClassVar = "SELU"
    INPLACE: ClassVar = "free"


@record
class Gelu(Activation):
    """`GELU(approximate=no)`: x * the normal distribution function at x. Source: Hendrycks and Gimpel 2016."""

    NAMES: ClassVar = ("GELU",)
    MODULE: ClassVar = "GELU"

    approximate: bool = option("flag", False)

    def _arguments(self) -> tuple[tuple[Slot, ...], tuple[tuple[str, Slot], ...]]:
        return (), (("approximate", Slot("tanh")),) if self.approximate else ()


@record
class Silu(Activation):
    """`SILU`: x * sigmoid(x), also called swish. Source: Elfwing et al. 2017; Ramachandran et al. 2017."""

    NAMES: ClassVar = ("SILU", "SWISH")
    MODULE: ClassVar = "SiLU"
    INPLACE: ClassVar = "copy"


@record
class HardSigmoid(Activation):
    """`HSIGMOID`: relu6(x + 3)/6. Source: Howard et al. 2019, Section 5.2."""

    NAMES: ClassVar = ("HSIGMOID", "HARDSIGMOID")
    MODULE: ClassVar = "Hardsigmoid"
    INPLACE: ClassVar = "copy"


@record
class HardSwish(Activation):
    """`HSWISH`: x * relu6(x + 3)/6. Source: Howard et al. 2019, Section 5.2."""

    NAMES: ClassVar = ("HSWISH", "HARDSWISH")
    MODULE: ClassVar = "Hardswish"
    INPLACE: ClassVar = "copy"


@record
class Mish(Activation):
    """`MISH`: x * tanh(softplus(x)). Source: Misra 2019."""

    NAMES: ClassVar = ("MISH",)
    MODULE: ClassVar = "Mish"
    INPLACE: ClassVar = "copy"


@record
class Softplus(Activation):
    """`SOFTPLUS(beta=1)`: log(1 + exp(beta*x))/beta."""

    FULL_PRECISION: ClassVar = frozenset({"cuda"})
    NAMES: ClassVar = ("SOFTPLUS",)
    MODULE: ClassVar = "Softplus"

    beta: float = option("number", 1.0)

    def _arguments(self) -> tuple[tuple[Slot, ...], tuple[tuple[str, Slot], ...]]:
        return (), () if self.beta == 1 else (("beta", Slot(float(self.beta), "beta")),)


@record
class Softsign(Activation):
    """`SOFTSIGN`: x/(1 + |x|)."""

    NAMES: ClassVar = ("SOFTSIGN",)
    MODULE: ClassVar = "Softsign"

    def saved(self, *inputs: Shape) -> Saved:
        """Return the input and the denominator."""
        return Saved(inputs=(0,), extra=((0, inputs[0].numel, True),))

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return the denominator, and the quotient by it."""
        n = inputs[0].numel
        return (absolute(0, n), scalar(1, n, added=True), quotient(0, 2, n))


@record
class HardTanh(Activation):
    """`HARDTANH`: min(max(-1, x), 1)."""

    NAMES: ClassVar = ("HARDTANH", "HTANH")
    MODULE: ClassVar = "Hardtanh"
    INPLACE: ClassVar = "copy"


@record
class LogSigmoid(Activation):
    """`LOGSIGMOID`: log(1/(1 + exp(-x)))."""

    NAMES: ClassVar = ("LOGSIGMOID",)
    MODULE: ClassVar = "LogSigmoid"

    def saved(self, *inputs: Shape) -> Saved:
        """Return the input and, on the CPU, its exponential."""
        return Saved(inputs=(0,), extra=((0, inputs[0].numel, True),))
