"""ONNX's poolings, and means and maxima over whole axes."""

from __future__ import annotations

from cnndsl.importers.onnx_models.maker import OnnxMaker
from cnndsl.importers.onnx_models.statistics import reduced
from cnndsl.importers.onnx_models.views import OnnxView
from cnndsl.importers.onnx_models.windows import SlidingWindow, brief, window, words
from cnndsl.layers.base import Layer, Padding
from cnndsl.layers.channel_pool import ChannelMax, ChannelMean
from cnndsl.layers.margin import ZeroPad
from cnndsl.layers.pool import AvgPool, GlobalAvgPool, GlobalMaxPool, LPPool, MaxPool, SumPool
from cnndsl.layers.resize import Unpool


def _window(maker: OnnxMaker, at: int) -> SlidingWindow:
    shape = maker.shape(at)
    if not shape.rank:
        raise maker.wrong("a pooling of a vector has no counterpart")
    return window(maker, shape.spatial)


def _is_nothing(found: SlidingWindow) -> bool:
    """Return whether every window is a single position: an adaptive pooling to the size that the map already has."""
    return {*found.kernel, *found.stride} == {1} and not found.is_padded


def maximum(maker: OnnxMaker) -> None:
    """Add max pooling; padding is never the maximum."""
    at = maker.plain()
    found, node = _window(maker, at), maker.node
    if node.whole("storage_order", 0):
        raise maker.wrong("switches in another order have no counterpart")
    if _is_nothing(found):
        maker.give(at)
        return
    pad = words(found, "valid")
    if pad is None:
        raise maker.wrong(f"a padding of {found.before} before and {found.after} after has no counterpart")
    ceil = bool(node.whole("ceil_mode", 0))
    pooled = maker.add(MaxPool(brief(found.kernel), brief(found.stride), pad, ceil, dilation=brief(found.dilation)), at)
    maker.give(pooled)
    if len(node.outputs) > 1:
        maker.pools[node.outputs[1]] = pooled


def unpooled(maker: OnnxMaker) -> None:
    """Add unpooling to the positions of a pooling's maxima."""
    at, pool = maker.plain(), maker.pools.get(maker.node.reads(1))
    if pool is None:
        raise maker.wrong("its switches are those of no `MaxPool`")
    found = _window(maker, at)
    node = maker.made.node(pool)
    layer = Unpool(brief(found.kernel), brief(found.stride)).referring(node.layer, maker.shape(node.inputs[0]))
    given = maker.add(layer, at, pool)
    dims = maker.model.dims.get(maker.node.outputs[0])
    if dims is not None and dims[2:] != maker.shape(given).spatial:
        raise maker.wrong(f"a map of {dims[2:]} has no counterpart: the pooling's input is {maker.shape(given)}")
    maker.give(given)


def mean(maker: OnnxMaker) -> None:
    """Add average pooling, with or without padding zeros in the mean; uneven padding that counts becomes a layer."""
    at = maker.plain()
    found, node = _window(maker, at), maker.node
    if set(found.dilation) != {1}:
        raise maker.wrong("a mean of positions apart has no counterpart")
    if _is_nothing(found):
        maker.give(at)
        return
    at, pad = _evened(maker, at, found, bool(node.whole("count_include_pad", 0)))
    counts = not found.is_padded or bool(node.whole("count_include_pad", 0))
    ceil = bool(node.whole("ceil_mode", 0))
    maker.give(maker.add(AvgPool(brief(found.kernel), brief(found.stride), pad, ceil, countpad=counts), at))


def _evened(maker: OnnxMaker, at: int, found: SlidingWindow, has_zeros: bool) -> tuple[int, Padding]:
    """Return the node to pool and its padding; zeros are added first if the padding is uneven and counts."""
    pad = words(found, "valid")
    if pad is not None:
        return at, pad
    if not has_zeros:
        raise maker.wrong(f"a padding of {found.before} before and {found.after} after has no counterpart")
    return maker.add(ZeroPad(brief(found.before), brief(found.after)), at), "valid"


def total(maker: OnnxMaker) -> None:
    """Add sum pooling: the mean of each window times its size."""
    at = maker.plain()
    found, node = _window(maker, at), maker.node
    at, pad = _evened(maker, at, found, has_zeros=True)
    maker.give(maker.add(SumPool(brief(found.kernel), brief(found.stride), pad, bool(node.whole("ceil_mode", 0))), at))


def powers(maker: OnnxMaker) -> None:
    """Add LP pooling: the p-th root of the sum of p-th powers."""
    at = maker.plain()
    found, node = _window(maker, at), maker.node
    if set(found.dilation) != {1}:
        raise maker.wrong("powers of positions apart have no counterpart")
    if node.op == "LpPool" and node.whole("p", 2) % 2:
        raise maker.wrong("odd powers of absolute values have no counterpart: those of PyTorch keep the sign")
    at, pad = _evened(maker, at, found, has_zeros=True)
    ceil = bool(node.whole("ceil_mode", 0))
    maker.give(maker.add(LPPool(brief(found.kernel), brief(found.stride), pad, ceil, p=node.number("p", 2)), at))


def everywhere(maker: OnnxMaker, layer: Layer) -> None:
    """Add a global pooling over all positions."""
    maker.give(maker.add(layer, maker.plain()))


def over_axes(maker: OnnxMaker, positions: Layer, channels: Layer) -> None:
    """Add a reduction over all positions, or over the channels at each position."""
    view = maker.whole()
    axes = [axis - 1 for axis in reduced(maker.model, maker.node)]
    if min(axes, default=-1) < 0:
        raise maker.wrong("a mean or maximum of the images of a batch has no counterpart")
    shape = maker.shape(view.node)
    gone = {axis for at in axes if (axis := maker.axis_of(view, at)) is not None}
    gone = {axis for axis in gone if (shape.channels, *shape.spatial)[axis] > 1}
    wide = {axis for axis, size in enumerate(shape.spatial, 1) if size > 1}
    node = view.node
    if gone == wide and wide:
        node = maker.add(positions, node)
    elif gone == {0} and shape.rank:
        node = maker.add(channels, node)
    elif gone:
        raise maker.wrong(f"a mean or maximum over the axes {tuple(axis + 1 for axis in axes)} has no counterpart")
    elif shape.rank and wide == set() and set(range(1, len(view.groups))) <= set(axes):
        node = maker.add(positions, node)
    maker.give(_without(view, node, axes, bool(maker.node.whole("keepdims", 1))))


def _without(view: OnnxView, node: int, axes: list[int], keeps: bool) -> OnnxView:
    groups = [() if at in axes else group for at, group in enumerate(view.groups)]
    return view.over(node, groups if keeps else [group for at, group in enumerate(groups) if at not in axes])


def means(maker: OnnxMaker) -> None:
    """Add a mean over axes."""
    over_axes(maker, GlobalAvgPool(), ChannelMean())


def maxima(maker: OnnxMaker) -> None:
    """Add a maximum over axes."""
    over_axes(maker, GlobalMaxPool(), ChannelMax())
