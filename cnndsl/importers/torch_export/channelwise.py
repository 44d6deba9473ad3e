"""Operators over channels or over positions: norms, `linear`, `softmax`, means and sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

from cnndsl.importers.torch_export.calls import OperatorCall
from cnndsl.importers.torch_export.elementwise import rounded, whole_spatial, with_weight
from cnndsl.importers.torch_export.shapes import part
from cnndsl.importers.torch_export.steps import FixedValue, Unsaid
from cnndsl.importers.torch_export.trace import ProgramTrace
from cnndsl.importers.torch_export.views import CHANNELS, Stretch, View, full
from cnndsl.layers.activation import Sigmoid
from cnndsl.layers.channel_pool import ChannelMax, ChannelMean
from cnndsl.layers.dense import Dense
from cnndsl.layers.merge import Add, Mul
from cnndsl.layers.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm
from cnndsl.layers.pool import GlobalAvgPool, GlobalMaxPool
from cnndsl.layers.response import RootMeanSquareNorm
from cnndsl.layers.softmax import LogSoftmax, Softmax
from cnndsl.shape import Shape


def _batch_norm(trace: ProgramTrace, call: OperatorCall) -> View:
    x = call.view("input")
    call.pass_over("cudnn_enabled")
    names = ("weight", "bias", "running_mean", "running_var")
    found = {name: call.weight(name) for name in names}
    if found["running_mean"] is None or found["running_var"] is None:
        raise Unsaid("it has no running statistics")
    if not trace.is_channels(x, 1):
        x = trace.settled(x)
    if (found["weight"] is None) != (found["bias"] is None):
        raise Unsaid("it has a weight and no bias, or a bias and no weight")
    if call["momentum"] is None:
        raise Unsaid("its running statistics are means of all batches")
    layer = BatchNorm(rounded(call["eps"]), rounded(call["momentum"]), found["weight"] is not None)
    return x.of(trace.layer(layer, [x.at], found, is_of_batch=bool(call["training"])))


def _layer_norm(trace: ProgramTrace, call: OperatorCall) -> View:
    """Read a norm over the channels or all values; if it has only a weight, that becomes a separate parameter."""
    x, extents = call.view("input"), call.numbers("normalized_shape")
    call.pass_over("cudnn_enable")
    weights = {name: call.weight(name) for name in ("weight", "bias")}
    given = [each for each in weights.values() if each is not None]
    eps, is_affine = rounded(call["eps"]), len(given) == 2
    tensors = weights if is_affine else {}
    if len(extents) == 1 and trace.is_channels(x, -1):
        layer = LayerNorm(eps, is_affine, "channels" if trace.shape(x.at).rank else "all")
        made = x.of(trace.layer(layer, [x.at], tensors))
        if len(given) != 1:
            return made
        return with_weight(trace, made, given[0], "mul" if weights["bias"] is None else "add")
    at = trace.value(x)
    shape = trace.shape(at)
    if extents != (shape.channels, *shape.spatial) or len(given) == 1:
        raise Unsaid("it is neither over channels nor over all values, or it has a weight and no bias")
    return trace.whole(trace.layer(LayerNorm(eps, is_affine), [at], tensors))


def _group_norm(trace: ProgramTrace, call: OperatorCall) -> View:
    """Read a norm over groups of channels; if it has only a weight, that becomes a separate parameter."""
    x = call.view("input")
    call.pass_over("cudnn_enabled")
    weights = {name: call.weight(name) for name in ("weight", "bias")}
    given = [each for each in weights.values() if each is not None]
    layer = GroupNorm(rounded(call["eps"]), len(given) == 2, call["num_groups"])
    made = trace.whole(trace.layer(layer, [trace.value(x)], weights if len(given) == 2 else {}))
    return _with_one(trace, made, weights) if len(given) == 1 else made


def _with_one(trace: ProgramTrace, x: View, weights: Mapping[str, FixedValue | None]) -> View:
    """Apply the one parameter of a norm that has a weight and no bias, or a bias and no weight."""
    weight, bias = weights["weight"], weights["bias"]
    if weight is not None:
        return with_weight(trace, x, _spread(x, weight), "mul")
    assert bias is not None
    return with_weight(trace, x, _spread(x, bias), "add")


def _spread(x: View, weight: FixedValue) -> FixedValue:
    """Return a per-channel parameter, laid along the second dimension of a tensor."""
    return replace(weight, extents=(*weight.extents, *(1,) * (len(x.dims) - 2)))


def _instance_norm(trace: ProgramTrace, call: OperatorCall) -> View:
    x = call.view("input")
    call.pass_over("cudnn_enabled", "momentum")
    weights = {name: call.weight(name) for name in ("weight", "bias")}
    if call["running_mean"] is not None or call["running_var"] is not None or not call["use_input_stats"]:
        raise Unsaid("it has running statistics")
    at = trace.value(x)
    layer = InstanceNorm(rounded(call["eps"]), weights["weight"] is not None)
    return trace.whole(trace.layer(layer, [at], weights))


def _linear(trace: ProgramTrace, call: OperatorCall) -> View:
    x, weight, bias = call.view("input"), call.weight("weight"), call.weight("bias")
    assert weight is not None
    tensors, features = {"weight": weight, "bias": bias}, weight.extents[0]
    if trace.is_channels(x, -1):
        shape = trace.shape(x.at)
        over = "channels" if shape.pixels > 1 else "all"
        return trace.rechannelled(x, -1, trace.layer(Dense(features, bias is not None, over=over), [x.at], tensors))
    if len(x.dims) != 2:
        raise Unsaid("it is along an axis")
    at = x.at if _is_in_order(trace, x) else trace.value(x)
    return trace.whole(trace.layer(Dense(features, bias is not None), [at], tensors))


def _is_in_order(trace: ProgramTrace, x: View) -> bool:
    """Return whether a vector holds all values of a map channel by channel, as FC reads a map."""
    shape = trace.shape(x.at)
    axes = (shape.channels, *shape.spatial)
    return x.dims[1:] == (tuple([each for at, size in enumerate(axes, CHANNELS) for each in full(at, size)]),)


def _softmax(trace: ProgramTrace, call: OperatorCall) -> View:
    x, number = call.view("self"), call["dim"]
    call.pass_over("dtype") if call["dtype"] in (None, call.node.meta["val"].dtype) else None
    is_log = call.name == "log_softmax"
    if trace.is_channels(x, number):
        return trace.each(LogSoftmax() if is_log else Softmax(), x)
    dim = x.dim(number)
    parts = [each for dimension in x.dims for each in dimension if each.axis == CHANNELS]
    if is_log or len(x.dims[dim]) != 1 or x.dims[dim][0].axis != CHANNELS:
        raise Unsaid("it is not over the channels")
    radix = x.dims[dim][0]
    outer = [each for each in parts if each.stride > radix.stride]
    inner = [each for each in parts if each.stride < radix.stride]
    if len(outer) > 1 or len(inner) > 1 or (inner and inner[0].stride != 1):
        raise Unsaid("it is over a part of the channels")
    groups, rest = outer[0].size if outer else 1, inner[0].size if inner else 1
    at = trace.layer(Softmax(radix.size, groups), [x.at])
    moved = {radix: Stretch(CHANNELS, groups * rest, radix.size)}
    if outer:
        moved[outer[0]] = Stretch(CHANNELS, rest, groups)
    dims = [tuple([moved.get(each, each) for each in dimension]) for dimension in x.dims]
    return View(at, tuple(dims))


def _over(call: OperatorCall) -> tuple[int, ...]:
    """Return the dimensions that are reduced."""
    found: Any = call["dim"]
    if found is None:
        raise Unsaid("it is over the batch")
    return tuple(cast("list[int]", found)) if isinstance(found, list | tuple) else (int(found),)


def _without(x: View, dims: tuple[int, ...], keeps: bool) -> tuple[Any, ...]:
    """Return the remaining dimensions; reduced ones have size 1 or are removed."""
    gone = {x.dim(each) for each in dims}
    return tuple([() if at in gone else each for at, each in enumerate(x.dims) if keeps or at not in gone])


def _mean_of_axis(trace: ProgramTrace, x: View, dims: tuple[int, ...]) -> int | None:
    """Return a mean over some axes, which `patterns` combines into one over all; None unless the axes are whole."""
    shape = trace.shape(x.at)
    axes = {each.axis - 2 for number in dims for each in x.dims[x.dim(number)]}
    wholes = [
        x.dims[x.dim(number)] == full(2 + at, shape.spatial[at]) for number, at in zip(dims, sorted(axes), strict=False)
    ]
    if not axes or min(axes) < 0 or len(axes) != len(dims) or not all(wholes):
        return None
    left = Shape(shape.channels, tuple([1 if at in axes else size for at, size in enumerate(shape.spatial)]))
    return trace.operation("mean over axes", [x.at], left)


def _mean(trace: ProgramTrace, call: OperatorCall) -> View:
    call.pass_over("dtype") if call["dtype"] is None else None
    x, dims, keeps = call.view("self"), _over(call), bool(call["keepdim"])
    if not whole_spatial(trace, x, dims) and not (len(dims) == 1 and trace.is_channels(x, dims[0])):
        x = trace.settled(x)
    left = _without(x, dims, keeps)
    if whole_spatial(trace, x, dims):
        return View(trace.layer(GlobalAvgPool(), [x.at]), left)
    if (found := _mean_of_axis(trace, x, dims)) is not None:
        return View(found, left)
    if len(dims) == 1 and trace.is_channels(x, dims[0]):
        return View(trace.layer(ChannelMean(), [x.at]), left)
    raise Unsaid("it is neither over all positions nor over the channels")


def _largest(trace: ProgramTrace, call: OperatorCall) -> Any:
    """Read `amax`, and `max` with its indices, which nothing may read."""
    x, keeps = call.view("self"), bool(call["keepdim"])
    dims = _over(call)
    left = _without(x, dims, keeps)
    if whole_spatial(trace, x, dims):
        found = View(trace.layer(GlobalMaxPool(), [x.at]), left)
    elif len(dims) == 1 and trace.is_channels(x, dims[0]):
        found = View(trace.layer(ChannelMax(), [x.at]), left)
    else:
        raise Unsaid("it is neither over all positions nor over the channels")
    return [found, None] if call.name == "max" else found


def _sum(trace: ProgramTrace, call: OperatorCall) -> View:
    """Read a sum over parts of the channels as a sum of these parts."""
    call.pass_over("dtype") if call["dtype"] is None else None
    x, dims = call.view("self"), _over(call)
    if len(dims) != 1 or x.dims[x.dim(dims[0])] == ():
        raise Unsaid("it is over several dimensions")
    (number,) = dims
    dimension = x.dims[x.dim(number)]
    if len(dimension) != 1 or dimension[0].axis != CHANNELS or trace.is_channels(x, number):
        raise Unsaid("it is not over parts of the channels")
    parts = [part(trace, x, number, at, at + 1) for at in range(dimension[0].size)]
    left = _without(parts[0], dims, bool(call["keepdim"]))
    return View(trace.layer(Add(), [each.at for each in parts]), left)


def _glu(trace: ProgramTrace, call: OperatorCall) -> View:
    """Read one half of the channels times the sigmoid of the other (Dauphin et al. 2017)."""
    x, dim = call.view("self"), call["dim"]
    half = x.sizes[x.dim(dim)] // 2
    first, second = part(trace, x, dim, 0, half), part(trace, x, dim, half, 2 * half)
    a, b, dims = trace.pair(first, trace.each(Sigmoid(), second))
    return View(trace.layer(Mul(), [a, b]), dims)


def _statistic(name: str) -> Callable[[ProgramTrace, OperatorCall], View]:
    """Return the reader of a variance, deviation or norm that is part of a norm layer; `over` holds its dimensions."""

    def read(trace: ProgramTrace, call: OperatorCall) -> View:
        x, dims, keeps = call.view("self"), _over(call), bool(call["keepdim"])
        shape = trace.shape(x.at)
        correction = 0
        if name != "norm":
            correction = int(call["unbiased"]) if call["correction"] is None else int(call["correction"])
            if call["correction"] is None and call["unbiased"] is None:
                correction = 1
        else:
            order = call["ord"] if call["p"] is None else call["p"]
            if order != 2:
                raise Unsaid(f"a norm of order {order}")
        if whole_spatial(trace, x, dims):
            over, reduced = "positions", Shape(shape.channels, (1,) * shape.rank)
        elif len(dims) == 1 and trace.is_channels(x, dims[0]):
            over, reduced = "channels", Shape(1, shape.spatial)
        else:
            groups = _groups(trace, x, dims)
            over, reduced = f"groups {groups}", Shape(groups, (1,) * shape.rank)
            inner = shape.channels // groups
            moved = [tuple([replace(each, stride=each.stride // inner) for each in one]) for one in x.dims]
            x = View(
                x.at, tuple([one if at == 0 else new for at, (one, new) in enumerate(zip(x.dims, moved, strict=True))])
            )
        at = trace.operation(name, [x.at], reduced, over=over, correction=correction)
        return View(at, _without(x, dims, keeps))

    return read


def _groups(trace: ProgramTrace, x: View, dims: tuple[int, ...]) -> int:
    """Return the number of channel groups, if all else is reduced. Raises Unsaid for anything else."""
    shape = trace.shape(x.at)
    reduced = [each for number in dims for each in x.dims[x.dim(number)]]
    inner = [each for each in reduced if each.axis == CHANNELS]
    spatial = [each for each in reduced if each.axis != CHANNELS]
    positions = [each for at, size in enumerate(shape.spatial, 2) for each in full(at, size)]
    if len(inner) != 1 or inner[0].stride != 1 or sorted(map(repr, spatial)) != sorted(map(repr, positions)):
        raise Unsaid("it is over other dimensions than any norm")
    return shape.channels // inner[0].size


def _rms_norm(trace: ProgramTrace, call: OperatorCall) -> View:
    x, extents, weight = call.view("input"), call.numbers("normalized_shape"), call.weight("weight")
    if len(extents) != 1 or not trace.is_channels(x, -1) or call["eps"] is None:
        raise Unsaid("it is not over the channels, or without eps")
    layer = RootMeanSquareNorm(rounded(call["eps"]), weight is not None)
    return x.of(trace.layer(layer, [x.at], {"weight": weight}))


TABLE: Mapping[str, Callable[[ProgramTrace, OperatorCall], Any]] = {
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "group_norm": _group_norm,
    "instance_norm": _instance_norm,
    "rms_norm": _rms_norm,
    "linear": _linear,
    "softmax": _softmax,
    "log_softmax": _softmax,
    "mean": _mean,
    "amax": _largest,
    "max": _largest,
    "sum": _sum,
    "glu": _glu,
    "var": _statistic("variance"),
    "std": _statistic("deviation"),
    "linalg_vector_norm": _statistic("norm"),
    "norm": _statistic("norm"),
}
"""The function that reads each ATen operator, by name."""
