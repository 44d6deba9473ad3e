"""Maps the constructor call of a helper class with sliding windows to its form: what the class's source computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod

from cnndsl.emit.torch.verify.forms import SAME
from cnndsl.emit.torch.verify.given import CallArguments
from cnndsl.emit.torch.verify.leaves import Forms, LeafModule
from cnndsl.emit.torch.verify.lower import PLAIN_WEIGHTS, border_of, check_groups, conv_pads, of_flat, window
from cnndsl.emit.torch.verify.settle import Pads
from cnndsl.emit.torch.verify.values import Trouble


def _pads(given: CallArguments, rank: int) -> Pads:
    """Return the paddings as `F.pad` takes them: pairs, the last axis first; axes that are not listed have zero."""
    flat = given.integers("pads")
    if len(flat) % 2 or len(flat) > 2 * rank:
        raise Trouble(f"`{given.name}` is given {len(flat)} pads for {rank} axes")
    return ((0, 0),) * (rank - len(flat) // 2) + of_flat(flat)


def _conv(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    channels, features = given.whole("in_channels"), given.whole("out_channels")
    kernel, stride = given.extents("kernel_size", rank), given.extents("stride", rank)
    dilation, groups = given.extents("dilation", rank), given.whole("groups")
    check_groups(given, channels, features, groups)
    pads, bias = _pads(given, rank), given.flag("bias")
    rest = (dilation, groups, bias, "", "zeros", *PLAIN_WEIGHTS)
    return forms.leaf(("conv", rank, channels, features, kernel, stride, pads, *rest), memory="copies")


def _conv_same(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    """Return the leaf; the constructor is that of PyTorch's convolution, but the helper computes its own padding."""
    given.must_be("padding", 0)
    given.must_be("padding_mode", "zeros")
    return _special_conv(rank, given, forms, SAME, PLAIN_WEIGHTS)


def _standardised(way: str, *, same: bool) -> Callable[[int, CallArguments, Forms], LeafModule]:
    """Return the rule of a convolution with standardised weights."""

    def lower(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
        weights = (way, given.real("gamma") if way == "scaled" else 1.0, given.real("eps"))
        if same:
            return _special_conv(rank, given, forms, SAME, weights)
        spanned = (given.extents("kernel_size", rank), given.extents("stride", rank), given.extents("dilation", rank))
        pads, copies = conv_pads(rank, given, *spanned)
        return _special_conv(rank, given, forms, pads, weights, *border_of(given, pads, copies))

    return lower


def _special_conv(
    rank: int,
    given: CallArguments,
    forms: Forms,
    pads: object,
    weights: tuple[object, ...],
    border: str = "zeros",
    copies: bool = False,
) -> LeafModule:
    channels, features = given.whole("in_channels"), given.whole("out_channels")
    groups = given.whole("groups")
    check_groups(given, channels, features, groups)
    kernel, stride, dilation = (given.extents(key, rank) for key in ("kernel_size", "stride", "dilation"))
    if weights != PLAIN_WEIGHTS and channels // groups * prod(kernel) == 1:
        raise Trouble(f"`{given.name}` standardises filters of one weight, which PyTorch refuses")
    rest = (dilation, groups, given.flag("bias"), "", border, *weights)
    form = ("conv", rank, channels, features, kernel, stride, pads, *rest)
    return forms.leaf(form, memory="copies" if copies else "")


def _max_pool(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    kernel, stride = window(rank, given)
    dilation = given.extents("dilation", rank)
    return forms.leaf(("maxpool", rank, kernel, stride, _pads(given, rank), False, dilation), memory="copies")


def _avg_pool(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    kernel, stride = window(rank, given)
    ceil, counted = given.flag("ceil_mode"), given.flag("count_include_pad")
    return forms.leaf(("avgpool", rank, kernel, stride, _pads(given, rank), ceil, counted), memory="copies")


def _same_max_pool(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    kernel, stride = window(rank, given)
    dilation = given.extents("dilation", rank)
    return forms.leaf(("maxpool", rank, kernel, stride, SAME, False, dilation), memory="copies")


def _same_avg_pool(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    kernel, stride = window(rank, given)
    counted = given.flag("count_include_pad")
    return forms.leaf(("avgpool", rank, kernel, stride, SAME, False, counted), memory="copies")


def _sum_pool(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    kernel, stride = window(rank, given)
    return forms.leaf(("sumpool", rank, kernel, stride, _pads(given, rank), False), memory="copies")


def _sum_pool_1d(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    kernel, stride = (given.whole("kernel_size"),), (given.whole("stride"),)
    return forms.leaf(("sumpool", 1, kernel, stride, _pads(given, 1), False), memory="copies")


def _lp_pool(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    kernel, stride = window(rank, given)
    norm = given.real("norm_type")
    if norm == 0:
        raise Trouble(f"`{given.name}` has the norm 0")
    return forms.leaf(("lppool", rank, norm, kernel, stride, _pads(given, rank), False), memory="copies")


def _locally_connected(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    kernel, size, stride = (given.integers(key, least=1) for key in ("kernel_size", "output_size", "stride"))
    rank = len(kernel)
    if len(size) != rank or len(stride) != rank:
        raise Trouble(f"`{given.name}` is given extents of different lengths")
    channels, features = given.whole("in_channels"), given.whole("out_channels")
    pads, bias = _pads(given, rank), given.flag("bias")
    return forms.leaf(("local", rank, channels, features, kernel, size, stride, pads, bias), memory="copies")


def _blur_pool(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    kernel, stride = given.whole("kernel_size"), given.whole("stride")
    given.must_be("padding_mode", "reflect", "zeros")
    border = given["padding_mode"]
    return forms.leaf(("blur", rank, kernel, stride, border), memory="copies" if border == "zeros" else "")


def _channel_conv(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    kernel, bias = given.whole("kernel_size"), given.flag("bias")
    given.must_be("padding_mode", "zeros", "circular")
    if kernel % 2 == 0:
        raise Trouble(f"`{given.name}` has the even kernel {kernel}")
    border = given["padding_mode"] if kernel > 1 else "zeros"
    return forms.leaf(("channelconv", kernel, bias, border, ""), memory="copies" if border == "circular" else "")


SLIDING_BY_RANK: Mapping[str, Callable[[int, CallArguments, Forms], LeafModule]] = {
    "PaddedConv": _conv,
    "SameConv": _conv_same,
    "StdConv": _standardised("weights", same=False),
    "ScaledStdConv": _standardised("scaled", same=False),
    "SameStdConv": _standardised("weights", same=True),
    "SameScaledStdConv": _standardised("scaled", same=True),
    "PaddedMaxPool": _max_pool,
    "SameMaxPool": _same_max_pool,
    "SameAvgPool": _same_avg_pool,
    "PaddedAvgPool": _avg_pool,
    "PaddedSumPool": _sum_pool,
    "PaddedLPPool": _lp_pool,
    "BlurPool": _blur_pool,
}
"""The classes that exist for one, two and three axes, without the number of axes in their name."""

SLIDING: Mapping[str, Callable[[int, CallArguments, Forms], LeafModule]] = {
    "ChannelConv": _channel_conv,
    "LocallyConnected": _locally_connected,
    "SumPool1d": _sum_pool_1d,
}
"""All other classes."""
