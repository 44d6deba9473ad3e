"""The source of the poolings that PyTorch lacks, by rank: other paddings, sums."""

from __future__ import annotations

from cnndsl.layers.torch_calls import by_rank

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

_SAME_MAX_POOL = '''\
class SameMaxPool{n}d(nn.Module):
    """Max pooling padded as TensorFlow's "SAME": ceil(size / stride) positions.

    The padding follows from the size of the input; an odd position is at the end.
    """

    def __init__(
        self,
        kernel_size: int | {size},
        stride: int | {size} | None = None,
        dilation: int | {size} = 1,
    ) -> None:
        super().__init__()
        step = kernel_size if stride is None else stride
        self.kernel_size = (
            (kernel_size,) * {n} if isinstance(kernel_size, int) else kernel_size
        )
        self.stride = (step,) * {n} if isinstance(step, int) else step
        self.dilation = (dilation,) * {n} if isinstance(dilation, int) else dilation

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        pads: list[int] = []
        for axis in range({last}, -1, -1):
            size, stride = input.size(axis + 2), self.stride[axis]
            span = self.dilation[axis] * (self.kernel_size[axis] - 1) + 1
            total = max((-(-size // stride) - 1) * stride + span - size, 0)
            pads += [total // 2, total - total // 2]
        x = F.pad(input, pads, value=float("-inf"))
        return F.max_pool{n}d(x, self.kernel_size, self.stride, dilation=self.dilation)
'''

_SAME_AVG_POOL = '''\
class SameAvgPool{n}d(nn.Module):
    """Mean pooling padded as TensorFlow's "SAME": ceil(size / stride) positions.

    The padding follows from the size of the input; an odd position is at the end.
    """

    def __init__(
        self,
        kernel_size: int | {size},
        stride: int | {size} | None = None,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        step = kernel_size if stride is None else stride
        self.kernel_size = (
            (kernel_size,) * {n} if isinstance(kernel_size, int) else kernel_size
        )
        self.stride = (step,) * {n} if isinstance(step, int) else step
        self.count_include_pad = count_include_pad

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        pads: list[int] = []
        for axis in range({last}, -1, -1):
            size, stride = input.size(axis + 2), self.stride[axis]
            span = self.kernel_size[axis]
            total = max((-(-size // stride) - 1) * stride + span - size, 0)
            pads += [total // 2, total - total // 2]
        mean = self._mean(F.pad(input, pads))
        if self.count_include_pad:
            return mean
        return mean / self._mean(F.pad(torch.ones_like(input[:1, :1]), pads))

    def _mean(self, x: torch.Tensor) -> torch.Tensor:
        return F.avg_pool{n}d(x, self.kernel_size, self.stride)
'''

MAX_POOLS = {**by_rank("PaddedMaxPool", _PADDED_MAX_POOL), **by_rank("SameMaxPool", _SAME_MAX_POOL)}
AVG_POOLS = {**by_rank("PaddedAvgPool", _PADDED_AVG_POOL), **by_rank("SameAvgPool", _SAME_AVG_POOL)}
SUM_POOLS = {"SumPool1d": _SUM_POOL, **by_rank("PaddedSumPool", _PADDED_SUM_POOL, (2, 3))}
LP_POOLS = by_rank("PaddedLPPool", _PADDED_LP_POOL)
"""The classes of each layer type by their names."""
