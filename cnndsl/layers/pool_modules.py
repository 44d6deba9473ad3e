"""The source of the poolings that PyTorch lacks, by number of axes: other paddings, sums."""

from __future__ import annotations

from cnndsl.layers.torch_calls import by_rank

_PADDED = '''\
class {name}{n}d(nn.{module}{n}d):
    """{what} pooling padded as by `F.pad`: each side by itself, the last axis first."""

    def __init__(
        self,
{ahead}        kernel_size: int | {size},
        stride: int | {size} | None = None,
        *,
        pads: tuple[int, ...],
{behind}    ) -> None:
        super().__init__({passed})
        self.pads = pads
{kept}
    def forward(self, input: torch.Tensor) -> torch.Tensor:
'''

_SAME = '''\
class {name}{n}d(nn.Module):
    """{what} pooling padded as TensorFlow's "SAME": ceil(size / stride) positions.

    The padding follows from the size of the input; an odd position is at the end.
    """

    def __init__(
        self,
        kernel_size: int | {size},
        stride: int | {size} | None = None,
{behind}    ) -> None:
        super().__init__()
        step = kernel_size if stride is None else stride
        self.kernel_size = (
            (kernel_size,) * {n} if isinstance(kernel_size, int) else kernel_size
        )
        self.stride = (step,) * {n} if isinstance(step, int) else step
{kept}
    def forward(self, input: torch.Tensor) -> torch.Tensor:
        pads: list[int] = []
        for axis in range({last}, -1, -1):
            size, stride = input.size(axis + 2), self.stride[axis]
            span = {span}
            total = max((-(-size // stride) - 1) * stride + span - size, 0)
            pads += [total // 2, total - total // 2]
'''


def _class(template: str, forward: str, **fields: str) -> str:
    """Return the template of a class by number of axes: one of those above, and the rest of `forward`."""
    for field, text in {"ahead": "", "behind": "", "kept": "", **fields}.items():
        template = template.replace("{" + field + "}", text)
    return template + forward


_PADDED_MAX_POOL = _class(
    _PADDED,
    """\
        x = F.pad(input, self.pads, value=float("-inf"))
        return F.max_pool{n}d(x, self.kernel_size, self.stride, dilation=self.dilation)
""",
    name="PaddedMaxPool",
    module="MaxPool",
    what="Max",
    behind="        dilation: int | {size} = 1,\n",
    passed="kernel_size, stride, dilation=dilation",
)

_PADDED_AVG_POOL = _class(
    _PADDED,
    """\
        mean = self._mean(F.pad(input, self.pads))
        if self.counts_padding:
            return mean
        return mean / self._mean(F.pad(torch.ones_like(input[:1, :1]), self.pads))

    def _mean(self, x: torch.Tensor) -> torch.Tensor:
        return F.avg_pool{n}d(x, self.kernel_size, self.stride, ceil_mode=self.ceil_mode)
""",
    name="PaddedAvgPool",
    module="AvgPool",
    what="Mean",
    behind="        ceil_mode: bool = False,\n        count_include_pad: bool = True,\n",
    passed="kernel_size, stride, ceil_mode=ceil_mode",
    kept="        self.counts_padding = count_include_pad\n",
)

_PADDED_SUM_POOL = _class(
    _PADDED,
    """\
        x = F.pad(input, self.pads)
        return F.avg_pool{n}d(x, self.kernel_size, self.stride, divisor_override=1)
""",
    name="PaddedSumPool",
    module="AvgPool",
    what="Sum",
    passed="kernel_size, stride, divisor_override=1",
)

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

_PADDED_LP_POOL = _class(
    _PADDED,
    """\
        x = F.pad(input, self.pads)
        return F.lp_pool{n}d(x, float(self.norm_type), self.kernel_size, self.stride)
""",
    name="PaddedLPPool",
    module="LPPool",
    what="Norm",
    ahead="        norm_type: float,\n",
    passed="norm_type, kernel_size, stride",
)

_SAME_MAX_POOL = _class(
    _SAME,
    """\
        x = F.pad(input, pads, value=float("-inf"))
        return F.max_pool{n}d(x, self.kernel_size, self.stride, dilation=self.dilation)
""",
    name="SameMaxPool",
    what="Max",
    behind="        dilation: int | {size} = 1,\n",
    kept="        self.dilation = (dilation,) * {n} if isinstance(dilation, int) else dilation\n",
    span="self.dilation[axis] * (self.kernel_size[axis] - 1) + 1",
)

_SAME_AVG_POOL = _class(
    _SAME,
    """\
        mean = self._mean(F.pad(input, pads))
        if self.count_include_pad:
            return mean
        return mean / self._mean(F.pad(torch.ones_like(input[:1, :1]), pads))

    def _mean(self, x: torch.Tensor) -> torch.Tensor:
        return F.avg_pool{n}d(x, self.kernel_size, self.stride)
""",
    name="SameAvgPool",
    what="Mean",
    behind="        count_include_pad: bool = True,\n",
    kept="        self.count_include_pad = count_include_pad\n",
    span="self.kernel_size[axis]",
)

MAX_POOLS = {**by_rank("PaddedMaxPool", _PADDED_MAX_POOL), **by_rank("SameMaxPool", _SAME_MAX_POOL)}
AVG_POOLS = {**by_rank("PaddedAvgPool", _PADDED_AVG_POOL), **by_rank("SameAvgPool", _SAME_AVG_POOL)}
SUM_POOLS = {"SumPool1d": _SUM_POOL, **by_rank("PaddedSumPool", _PADDED_SUM_POOL, (2, 3))}
LP_POOLS = by_rank("PaddedLPPool", _PADDED_LP_POOL)
"""The classes of each layer type by their names."""
