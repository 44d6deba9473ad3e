"""The source of the convolutions that PyTorch lacks, by number of axes: other paddings, standardised weights."""

from __future__ import annotations

from collections.abc import Mapping

from cnndsl.layers.torch_calls import by_rank

_PADDED = '''\
class PaddedConv{n}d(nn.Conv{n}d):
    """A convolution padded as by `F.pad`: each side by itself, the last axis first."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | {size},
        *,
        pads: tuple[int, ...],
        stride: int | {size} = 1,
        dilation: int | {size} = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            dilation=dilation,
            groups=groups,
            bias=bias,
        )
        self.pads = pads

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return self._conv_forward(F.pad(input, self.pads), self.weight, self.bias)
'''

_PADS = """\
        padding: list[int] = []
        odd: list[int] = []
        for axis in range({last}, -1, -1):
            size, stride = input.size(axis + 2), self.stride[axis]
            span = self.dilation[axis] * (self.kernel_size[axis] - 1) + 1
            total = max((-(-size // stride) - 1) * stride + span - size, 0)
            padding.insert(0, total // 2)
            odd += [0, total % 2]
        if sum(odd) > 0:
            input = F.pad(input, odd)
"""

_PADDED_LIKE_THIS = """\
        return F.conv{n}d(
            input,
            %s,
            self.bias,
            self.stride,
            padding,
            self.dilation,
            self.groups,
        )
"""

_SAME = (
    '''\
class SameConv{n}d(nn.Conv{n}d):
    """A convolution padded as TensorFlow's "SAME": ceil(size / stride) positions.

    The padding follows from the size of the input; an odd zero is at the end.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
'''
    + _PADS
    + _PADDED_LIKE_THIS % "self.weight"
)

_STANDARDISED = '''\
class {name}(nn.Conv{n}d):
    """A convolution whose filters have {what}.{more}"""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | {size},
        stride: int | {size} = 1,
{padding}        dilation: int | {size} = 1,
        groups: int = 1,
        bias: bool = True,
{mode}        *,
{gamma}        eps: float = 1e-6,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
{passed}        )
{gain}        self.eps = eps

    def forward(self, input: torch.Tensor) -> torch.Tensor:
{standardise}{convolve}'''

_PLAIN_PADDING = {
    "more": "",
    "padding": "        padding: str | int | {size} = 0,\n",
    "mode": '        padding_mode: str = "zeros",\n',
    "passed": "".join(f"            {name},\n" for name in ("padding", "dilation", "groups", "bias", "padding_mode")),
    "convolve": "        return self._conv_forward(input, weight, self.bias)\n",
}
_SAME_PADDING = {
    "more": """

    It is padded as TensorFlow's "SAME": the padding follows from the size of the
    input; an odd zero is at the end.
    """,
    "padding": "",
    "mode": "",
    "passed": "".join(f"            {name}={name},\n" for name in ("dilation", "groups", "bias")),
    "convolve": _PADS + _PADDED_LIKE_THIS % "weight",
}
_PLAIN_WEIGHTS = {
    "what": "mean 0 and variance 1",
    "gamma": "",
    "gain": "",
    "standardise": """\
        weight = self.weight.reshape(1, self.out_channels, -1)
        weight = F.batch_norm(weight, None, None, training=True, eps=self.eps)
        weight = weight.reshape_as(self.weight)
""",
}
_SCALED_WEIGHTS = {
    "what": "mean 0, and a learned gain",
    "gamma": "        gamma: float = 1.0,\n",
    "gain": """\
        self.gain = nn.Parameter(torch.ones(out_channels, {ones}))
        self.scale = gamma * self.weight[0].numel() ** -0.5
""",
    "standardise": """\
        gain = self.gain.reshape(-1) * self.scale
        weight = self.weight.reshape(1, self.out_channels, -1)
        weight = F.batch_norm(weight, None, None, gain, training=True, eps=self.eps)
        weight = weight.reshape_as(self.weight)
""",
}


def _standardised(name: str, padding: Mapping[str, str], weights: Mapping[str, str]) -> Mapping[str, str]:
    """Return the classes of a convolution whose filters are standardised whenever it runs."""
    template = _STANDARDISED
    for field, text in {"name": name + "{n}d", **padding, **weights}.items():
        template = template.replace("{" + field + "}", text)
    return by_rank(name, template)


SOURCES: Mapping[str, str] = {
    **by_rank("PaddedConv", _PADDED),
    **by_rank("SameConv", _SAME),
    **_standardised("StdConv", _PLAIN_PADDING, _PLAIN_WEIGHTS),
    **_standardised("ScaledStdConv", _PLAIN_PADDING, _SCALED_WEIGHTS),
    **_standardised("SameStdConv", _SAME_PADDING, _PLAIN_WEIGHTS),
    **_standardised("SameScaledStdConv", _SAME_PADDING, _SCALED_WEIGHTS),
}
"""Each class by its name."""
