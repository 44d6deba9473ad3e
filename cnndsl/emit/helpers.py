"""The source of small modules that PyTorch lacks; the emitted file holds those that it needs.

Each is the text of one class, as ruff formats it, and leans on nothing but `torch`, `nn` and `F`
(`torch.nn.functional`). Each can be scripted, compiled, exported and pickled. Nothing here is run by the compiler.
"""

from __future__ import annotations

from collections.abc import Mapping

_PADDED_CONV = '''\
class PaddedConv{n}d(nn.Conv{n}d):
    """A convolution with a padding of its own for each side: `pads` as `F.pad` takes it, last axis first."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, ...],
        *,
        pads: tuple[int, ...],
        stride: int | tuple[int, ...] = 1,
        dilation: int | tuple[int, ...] = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, dilation=dilation, groups=groups, bias=bias
        )
        self.pads = pads

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self._conv_forward(F.pad(x, self.pads), self.weight, self.bias)
'''

_PADDED_MAX_POOL = '''\
class PaddedMaxPool{n}d(nn.MaxPool{n}d):
    """Max pooling with a padding of its own for each side: `pads` as `F.pad` takes it, last axis first."""

    def __init__(
        self,
        kernel_size: int | tuple[int, ...],
        stride: int | tuple[int, ...] | None = None,
        *,
        pads: tuple[int, ...],
        dilation: int | tuple[int, ...] = 1,
    ) -> None:
        super().__init__(kernel_size, stride, dilation=dilation)
        self.pads = pads

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.pad(x, self.pads, value=float("-inf"))
        return F.max_pool{n}d(x, self.kernel_size, self.stride, dilation=self.dilation)
'''

_PADDED_AVG_POOL = '''\
class PaddedAvgPool{n}d(nn.AvgPool{n}d):
    """Average pooling with a padding of its own for each side: `pads` as `F.pad` takes it, last axis first."""

    def __init__(
        self,
        kernel_size: int | tuple[int, ...],
        stride: int | tuple[int, ...] | None = None,
        *,
        pads: tuple[int, ...],
        count_include_pad: bool = True,{signature}
    ) -> None:
        super().__init__(kernel_size, stride{passed})
        self.pads = pads
        self.counts_padding = count_include_pad

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mean = super().forward(F.pad(x, self.pads))
        if self.counts_padding:
            return mean
        return mean / super().forward(F.pad(torch.ones_like(x[:1, :1]), self.pads))
'''

_PADDED_LP_POOL = '''\
class PaddedLPPool{n}d(nn.LPPool{n}d):
    """Power-average pooling with a padding of its own for each side: `pads` as `F.pad` takes it, last axis first."""

    def __init__(
        self,
        norm_type: float,
        kernel_size: int | tuple[int, ...],
        stride: int | tuple[int, ...] | None = None,
        *,
        pads: tuple[int, ...],
    ) -> None:
        super().__init__(norm_type, kernel_size, stride)
        self.pads = pads

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(F.pad(x, self.pads))
'''

_SUM_POOL = '''\
class SumPool1d(nn.Module):
    """The sum of each window; `pads` are the zeros before and after."""

    def __init__(self, kernel_size: int, stride: int, pads: tuple[int, int] = (0, 0)) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride
        self.pads = pads

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.pad(x, self.pads).unfold(2, self.kernel_size, self.stride).sum(-1)
'''

_LOCALLY_CONNECTED = '''\
class LocallyConnected(nn.Module):
    """A convolution whose weights differ from position to position; `pads` as `F.pad` takes it, last axis first."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        output_size: tuple[int, ...],
        *,
        stride: tuple[int, ...],
        pads: tuple[int, ...] = (),
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = list(kernel_size)
        self.output_size = list(output_size)
        self.stride = list(stride)
        self.pads = list(pads or (0,) * (2 * len(kernel_size)))
        positions, patch = math.prod(output_size), in_channels * math.prod(kernel_size)
        self.weight = nn.Parameter(torch.empty(positions, out_channels, patch))
        self.bias = nn.Parameter(torch.empty(out_channels, *output_size)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        bound = self.weight.shape[2] ** -0.5
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        axes = len(self.kernel_size)
        x = F.pad(x, self.pads)
        for axis in range(axes):
            x = x.unfold(axis + 2, self.kernel_size[axis], self.stride[axis])
        order = list(range(2, axes + 2)) + [0, 1] + list(range(axes + 2, 2 * axes + 2))
        patches = x.permute(order).clone(memory_format=torch.contiguous_format).flatten(axes + 1).flatten(0, axes - 1)
        y = torch.bmm(patches, self.weight.transpose(1, 2)).permute(1, 2, 0)
        y = y.reshape([y.shape[0], y.shape[1]] + self.output_size)
        return y if self.bias is None else y + self.bias
'''

_RADIAL_BASIS = '''\
class RadialBasis(nn.Module):
    """The squared distances of a vector from fixed centers; they start at random corners of the cube from -1 to 1."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.register_buffer("centers", torch.randint(2, (out_features, in_features)) * 2.0 - 1.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x.unsqueeze(1) - self.centers).square().sum(-1)
'''

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

_CHANNEL_NORM = '''\
class ChannelNorm(nn.Module):
    """Layer normalization over the channels of each position."""

    def __init__(self, channels: int, eps: float = 1e-5, elementwise_affine: bool = True) -> None:
        super().__init__()
        self.channels = channels
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels)) if elementwise_affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if elementwise_affine else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.layer_norm(x.movedim(1, -1), [self.channels], self.weight, self.bias, self.eps)
        return x.movedim(-1, 1)
'''

_SCALE = '''\
class Scale(nn.Module):
    """A learned weight and bias for each channel."""

    def __init__(self, channels: int, weight: bool = True, bias: bool = True, init: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), init)) if weight else None
        self.bias = nn.Parameter(torch.zeros(channels)) if bias else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shape = [-1] + [1] * (x.dim() - 2)
        if self.weight is not None:
            x = x * self.weight.reshape(shape)
        if self.bias is not None:
            x = x + self.bias.reshape(shape)
        return x
'''

_DROP_PATH = '''\
class DropPath(nn.Module):
    """Stochastic depth: in training, zeroes whole images with probability `p` and divides the others by `1 - p`."""

    def __init__(self, p: float = 0.1) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training or self.p == 0.0:
            return x
        keep = x.new_empty([x.shape[0]] + [1] * (x.dim() - 1)).bernoulli_(1.0 - self.p)
        return x * (keep / (1.0 - self.p) if self.p < 1.0 else keep)
'''

_PAD_CHANNELS = '''\
class PadChannels{n}d(nn.Module):
    """Adds channels of zeros, behind the others or on both sides, and takes every `stride`-th position."""

    def __init__(
        self, in_channels: int, out_channels: int, stride: int | {pair} = 1, where: str = "after"
    ) -> None:
        super().__init__()
        added = out_channels - in_channels
        before = added // 2 if where == "both" else 0
        self.pads = ({zeros}, before, added - before)
        self.stride = (stride,) * {n} if isinstance(stride, int) else stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.pad(x[:, :, {steps}], self.pads)
'''

_SLICE = '''\
class Slice(nn.Module):
    """The channels from `start` up to `stop`, which is left out."""

    def __init__(self, start: int, stop: int) -> None:
        super().__init__()
        self.start = start
        self.stop = stop

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, self.start : self.stop]
'''

_PICK = '''\
class Pick(nn.Module):
    """The named channels, in order."""

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.channels = list(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x[:, at : at + 1] for at in self.channels], 1)
'''


def _pad_channels(n: int) -> str:
    pair = f"tuple[{', '.join(['int'] * n)}]"
    steps = ", ".join(f":: self.stride[{axis}]" for axis in range(n))
    return _PAD_CHANNELS.format(n=n, pair=pair, zeros=", ".join(["0"] * 2 * n), steps=steps)


def _avg_pool(n: int) -> str:
    """PyTorch gives a divisor of their own to averages in 2-D and 3-D only."""
    signature = "\n        divisor_override: int | None = None," if n > 1 else ""
    passed = ", divisor_override=divisor_override" if n > 1 else ""
    return _PADDED_AVG_POOL.format(n=n, signature=signature, passed=passed)


def _every_rank() -> dict[str, str]:
    sources: dict[str, str] = {}
    for n in (1, 2, 3):
        sources[f"PaddedConv{n}d"] = _PADDED_CONV.format(n=n)
        sources[f"PaddedMaxPool{n}d"] = _PADDED_MAX_POOL.format(n=n)
        sources[f"PaddedAvgPool{n}d"] = _avg_pool(n)
        sources[f"PaddedLPPool{n}d"] = _PADDED_LP_POOL.format(n=n)
        sources[f"PadChannels{n}d"] = _pad_channels(n)
    return sources


HELPERS: Mapping[str, str] = {
    **_every_rank(),
    "ChannelNorm": _CHANNEL_NORM,
    "DropPath": _DROP_PATH,
    "LocallyConnected": _LOCALLY_CONNECTED,
    "Pick": _PICK,
    "RadialBasis": _RADIAL_BASIS,
    "Scale": _SCALE,
    "ScaledTanh": _SCALED_TANH,
    "Slice": _SLICE,
    "SumPool1d": _SUM_POOL,
}
"""The source of each class, by its name."""
