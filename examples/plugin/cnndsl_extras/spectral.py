"""`SNCONV`: a convolution whose weights have a largest singular value of 1.

Source: Miyato, Kataoka, Koyama and Yoshida 2018, "Spectral Normalization for Generative Adversarial Networks",
arXiv:1802.05957, Section 2.1; torch.nn.utils.parametrizations.spectral_norm, whose names of tensors it has.
"""

from __future__ import annotations

from dataclasses import fields, replace
from math import prod
from typing import ClassVar

from cnndsl.layers.base import LayerError, Slot, Tensor, TorchCall, option
from cnndsl.layers.conv import Conv
from cnndsl.layers.steps import PARAMETER, LayerStep
from cnndsl.layers.torch_calls import by_rank
from cnndsl.records import record
from cnndsl.shape import Shape

_SPECTRAL_CONV = '''\
class SpectralConv{n}d(nn.Conv{n}d):
    """A convolution whose weights are divided by their largest singular value. Miyato et al. 2018."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | {size},
        stride: int | {size} = 1,
        padding: int | {size} | str = 0,
        dilation: int | {size} = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        iterations: int = 1,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)
        nn.utils.parametrizations.spectral_norm(self, n_power_iterations=iterations)
'''

_TAKEN = ("kernel", "filters", "stride", "pad", "dilation", "groups", "bias")
"""The options of CONV that it has too."""


@record
class SpectralConv(Conv):
    """`SNCONV3-64/2(iterations=1)`: CONV with spectral normalisation, which training estimates by power iterations.

    What is kept of the weights and the products of a power iteration are for a whole batch; multiply-adds are those of
    the convolution alone.
    """

    NAMES: ClassVar = ("SNCONV",)
    HELPERS: ClassVar = by_rank("SpectralConv", _SPECTRAL_CONV)

    iterations: int = option("int", 1, minimum=1, maximum=100)

    @property
    def _convolution(self) -> Conv:
        """The convolution, with weights as they are."""
        return Conv(**{each.name: getattr(self, each.name) for each in fields(Conv)})

    def output(self, *inputs: Shape) -> Shape:
        y = super().output(*inputs)
        for each in fields(Conv):
            if each.name not in _TAKEN and getattr(self, each.name) != each.default:
                message = f"SNCONV has no `{each.name}`: its weights are computed anew in each step"
                raise LayerError("E0305", message, f"leave `{each.name}` away")
        if self._convolution.torch(*inputs).name != f"nn.Conv{inputs[0].rank}d":
            message = "SNCONV pads both sides alike, and this padding is larger on one side"
            raise LayerError("E0305", message, "a kernel of odd size, or a padding in numbers: pad=1")
        return y

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        """The bias, then what the parametrisation registers: the weights, and a vector for each of their two sides."""
        weight, *bias = self._convolution.tensors(*inputs)
        filters, *fan_in = weight.shape
        return (
            *bias,
            replace(weight, name="parametrizations.weight.original"),
            Tensor("parametrizations.weight.0._u", (filters,), "buffer"),
            Tensor("parametrizations.weight.0._v", (prod(fan_in),), "buffer"),
        )

    def macs(self, *inputs: Shape) -> int:
        return self._convolution.macs(*inputs)

    def formula(self, *inputs: Shape) -> str:
        return self._convolution.formula(*inputs)

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """The normalisation, which reads no value of the network and keeps both vectors; and the convolution, whose
        last step keeps the weights that it is given, once a batch."""
        *first, last = self._convolution.steps(*inputs)
        *bias, weight, u, v = self.tensors(*inputs)
        numbers = tuple(range(len(bias) + 3))
        vectors = (PARAMETER, u.numel + v.numel + 1, False)
        made = LayerStep((), extra=(vectors,), tensors=numbers[-3:], in_use=False, once=4 * weight.numel)
        behind = [replace(each, reads=tuple(at + 1 if at else 0 for at in each.reads)) for each in first]
        kept = (*last.extra, (0, weight.numel, False))
        reads = (*(at + 1 if at else 0 for at in last.reads), 1)
        convolved = replace(last, reads=reads, extra=kept, tensors=numbers[:-3], in_use=True, once=weight.numel)
        return (made, *behind, convolved)

    def torch(self, *inputs: Shape) -> TorchCall:
        call = self._convolution.torch(*inputs)
        iterations = () if self.iterations == 1 else (("iterations", Slot(self.iterations, "iterations")),)
        keywords = (*call.keywords, *iterations)
        return self.helper_call(f"SpectralConv{inputs[0].rank}d", call.arguments, keywords)
