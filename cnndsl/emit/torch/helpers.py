"""The source of small modules that PyTorch lacks; the emitted file holds those that it needs.

Each is the text of one class, as ruff formats it by default, and leans on nothing but `torch`, `nn` and `F`
(`torch.nn.functional`). Each can be scripted, compiled, exported and pickled. Nothing here is run by the compiler.
"""

from __future__ import annotations

from collections.abc import Mapping

_PADDED_CONV = '''\
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

_PADDED_MAX_POOL = '''\
class PaddedMaxPool{n}d(nn.MaxPool{n}d):
    """Max pooling padded as by `F.pad`: each side by itself, the last axis first."""

    def __init__(
        self,
        kernel_size: int | {size},
        stride: int | {size} | None = None,
        *,
        pads: tuple[int, ...],
        dilation: int | {size} = 1,
    ) -> None:
        super().__init__(kernel_size, stride, dilation=dilation)
        self.pads = pads

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        x = F.pad(input, self.pads, value=float("-inf"))
        return F.max_pool{n}d(x, self.kernel_size, self.stride, dilation=self.dilation)
'''

_PADDED_AVG_POOL = '''\
class PaddedAvgPool{n}d(nn.AvgPool{n}d):
    """Mean pooling padded as by `F.pad`: each side by itself, the last axis first."""

    def __init__(
        self,
        kernel_size: int | {size},
        stride: int | {size} | None = None,
        *,
        pads: tuple[int, ...],
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, ceil_mode=ceil_mode)
        self.pads = pads
        self.counts_padding = count_include_pad

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        mean = self._mean(F.pad(input, self.pads))
        if self.counts_padding:
            return mean
        return mean / self._mean(F.pad(torch.ones_like(input[:1, :1]), self.pads))

    def _mean(self, x: torch.Tensor) -> torch.Tensor:
        return F.avg_pool{n}d(x, self.kernel_size, self.stride, ceil_mode=self.ceil_mode)
'''

_PADDED_SUM_POOL = '''\
class PaddedSumPool{n}d(nn.AvgPool{n}d):
    """Sum pooling padded as by `F.pad`: each side by itself, the last axis first."""

    def __init__(
        self,
        kernel_size: int | {size},
        stride: int | {size} | None = None,
        *,
        pads: tuple[int, ...],
    ) -> None:
        super().__init__(kernel_size, stride, divisor_override=1)
        self.pads = pads

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        x = F.pad(input, self.pads)
        return F.avg_pool{n}d(x, self.kernel_size, self.stride, divisor_override=1)
'''

_PADDED_LP_POOL = '''\
class PaddedLPPool{n}d(nn.LPPool{n}d):
    """Norm pooling padded as by `F.pad`: each side by itself, the last axis first."""

    def __init__(
        self,
        norm_type: float,
        kernel_size: int | {size},
        stride: int | {size} | None = None,
        *,
        pads: tuple[int, ...],
    ) -> None:
        super().__init__(norm_type, kernel_size, stride)
        self.pads = pads

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        x = F.pad(input, self.pads)
        return F.lp_pool{n}d(x, float(self.norm_type), self.kernel_size, self.stride)
'''

_SUM_POOL = '''\
class SumPool1d(nn.Module):
    """The sum of each window; `pads` are the zeros before and after."""

    def __init__(
        self, kernel_size: int, stride: int, pads: tuple[int, int] = (0, 0)
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride
        self.pads = pads

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.pad(x, self.pads).unfold(2, self.kernel_size, self.stride).sum(-1)
'''

_LOCALLY_CONNECTED = '''\
class LocallyConnected(nn.Module):
    """A convolution with weights of its own at each position; padded as by `F.pad`."""

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
        axes = len(kernel_size)
        self.order = [*range(2, axes + 2), 0, 1, *range(axes + 2, 2 * axes + 2)]
        positions = torch.Size(output_size).numel()
        patch = in_channels * torch.Size(kernel_size).numel()
        self.weight = nn.Parameter(torch.empty(positions, out_channels, patch))
        self.bias = (
            nn.Parameter(torch.empty(out_channels, *output_size)) if bias else None
        )
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
        x = x.permute(self.order).clone(memory_format=torch.contiguous_format)
        x = x.flatten(axes + 1).flatten(0, axes - 1).transpose(1, 2)
        x = torch.bmm(self.weight, x)
        x = torch.unflatten(x.permute(2, 1, 0).contiguous(), 2, self.output_size)
        return x if self.bias is None else x + self.bias
'''

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

_TIMES = '''\
class Times(nn.Module):
    """Multiplies by a constant."""

    def __init__(self, by: float) -> None:
        super().__init__()
        self.by = by

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.by
'''

_DROP_PATH = '''\
class DropPath(nn.Module):
    """Stochastic depth: training zeroes whole images with probability `p`."""

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
    """Adds channels of zeros, and takes every `stride`-th position."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int | {size} = 1,
        where: str = "after",
    ) -> None:
        super().__init__()
        added = out_channels - in_channels
        before = added // 2 if where == "both" else 0
        self.pads = ({zeros}, before, added - before)
        self.stride = (stride,) * {n} if isinstance(stride, int) else stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x[:, :, {steps}]
        return F.pad(x, self.pads)
'''

_CROP = '''\
class Crop{n}d(nn.Module):
    """Leaves out a margin of each side; `after` where the far side differs."""

    def __init__(
        self,
        margin: int | {size},
        after: int | {size} | None = None,
    ) -> None:
        super().__init__()
        far = margin if after is None else after
        self.before = (margin,) * {n} if isinstance(margin, int) else margin
        self.after = (far,) * {n} if isinstance(far, int) else far

    def forward(self, x: torch.Tensor) -> torch.Tensor:
{crops}
        return x
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


def _every_rank() -> dict[str, str]:
    sources: dict[str, str] = {}
    for n in (1, 2, 3):
        size = f"tuple[{', '.join(['int'] * n)}]"
        sources[f"PaddedConv{n}d"] = _PADDED_CONV.format(n=n, size=size)
        sources[f"PaddedMaxPool{n}d"] = _PADDED_MAX_POOL.format(n=n, size=size)
        sources[f"PaddedAvgPool{n}d"] = _PADDED_AVG_POOL.format(n=n, size=size)
        sources[f"PaddedLPPool{n}d"] = _PADDED_LP_POOL.format(n=n, size=size)
        steps = ", ".join(f":: self.stride[{axis}]" for axis in range(n))
        crops = "\n".join(
            f"        x = x[{':, ' * (axis + 2)}self.before[{axis}] : x.shape[{axis + 2}] - self.after[{axis}]]"
            for axis in range(n)
        )
        sources[f"Crop{n}d"] = _CROP.format(n=n, size=size, crops=crops)
        zeros = ", ".join(["0"] * 2 * n)
        sources[f"PadChannels{n}d"] = _PAD_CHANNELS.format(n=n, size=size, zeros=zeros, steps=steps)
    for n in (2, 3):
        sources[f"PaddedSumPool{n}d"] = _PADDED_SUM_POOL.format(n=n, size=f"tuple[{', '.join(['int'] * n)}]")
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
    "Times": _TIMES,
}
"""The source of each class, by its name."""
