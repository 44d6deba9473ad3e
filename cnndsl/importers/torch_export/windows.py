"""Sliding-window operators: convolutions and poolings; also paddings and resizing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cnndsl.importers.torch_export.calls import OperatorCall
from cnndsl.importers.torch_export.folding import crop
from cnndsl.importers.torch_export.steps import FixedValue, Unsaid
from cnndsl.importers.torch_export.trace import ProgramTrace
from cnndsl.importers.torch_export.unpooling import with_switches
from cnndsl.importers.torch_export.views import BATCH, View, full
from cnndsl.importers.torch_export.weights import Standardised, standardised
from cnndsl.layers.along_channels import ChannelConv
from cnndsl.layers.arrange import PadChannels
from cnndsl.layers.base import Dims, Layer, Padding
from cnndsl.layers.conv import Conv, DepthwiseConv
from cnndsl.layers.margin import CircularPad, ReflectPad, ReplicatePad, ZeroPad
from cnndsl.layers.pool import AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool
from cnndsl.layers.resize import Upsample
from cnndsl.layers.transposed import ConvTranspose
from cnndsl.shape import Shape


def short(extents: Sequence[int]) -> Dims:
    """Return sizes in the form of options: a single number if they are equal for all axes."""
    return (extents[0],) if len(set(extents)) == 1 else tuple(extents)


def _repeated(extents: Sequence[int], rank: int) -> Dims:
    return tuple(extents) * rank if len(extents) == 1 else tuple(extents)


def _convolution(rank: int) -> Callable[[ProgramTrace, OperatorCall], View]:
    def read(trace: ProgramTrace, call: OperatorCall) -> View:
        x, weight, bias = call.view("input"), call.weight("weight"), call.weight("bias")
        assert weight is not None
        stride, dilation = (_repeated(call.numbers(name), rank) for name in ("stride", "dilation"))
        groups = int(call["groups"])
        kernel = weight.extents[2:]
        reach = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        pad = _padding(call, reach, rank)
        if rank == 1 and _is_along_channels(trace, x):
            return _along_channels(trace, x, weight, bias, call)
        at = trace.map(x, rank)
        if weight.name in trace.fixed:
            return _fixed(trace, at, call, (weight, bias), (stride, dilation))
        made, tensors = standardised(weight, trace.tensors)
        tensors = {**tensors, "bias": bias}
        layer = _layer(
            trace.shape(at), weight.extents[0], groups, kernel, stride, pad, dilation, bias is not None, made
        )
        return trace.whole(trace.layer(layer, [at], tensors))

    return read


def _fixed(
    trace: ProgramTrace,
    at: int,
    call: OperatorCall,
    weights: tuple[FixedValue, FixedValue | None],
    steps: tuple[Dims, Dims],
) -> View:
    """Read a depthwise convolution with a binomial filter, which becomes a BLURPOOL together with its padding."""
    weight, bias = weights
    stride, dilation = steps
    shape = trace.shape(at)
    is_plain = bias is None and set(dilation) == {1} and not any(call.numbers("padding"))
    if not is_plain or call["groups"] != shape.channels or len(set(stride)) > 1 or len(set(weight.extents[2:])) > 1:
        raise Unsaid("it has a fixed filter, but is not a BLURPOOL")
    extents = tuple(call.extents[2:])
    made = trace.operation(
        "fixed filter", [at], Shape(shape.channels, extents), kernel=weight.extents[2], stride=stride[0]
    )
    return trace.whole(made)


def _layer(
    x: Shape,
    filters: int,
    groups: int,
    kernel: Dims,
    stride: Dims,
    pad: Padding,
    dilation: Dims,
    bias: bool,
    weights: Standardised,
) -> Layer:
    kind, gamma, eps = weights
    if groups == x.channels and groups > 1:
        width = 0 if filters == x.channels else filters
        return DepthwiseConv(
            short(kernel), width, short(stride), pad, short(dilation), 1, bias, standardise=kind, gamma=gamma, eps=eps
        )
    return Conv(
        short(kernel),
        filters,
        short(stride),
        pad,
        short(dilation),
        groups,
        bias,
        standardise=kind,
        gamma=gamma,
        eps=eps,
    )


def _padding(call: OperatorCall, reach: Sequence[int], rank: int) -> Padding:
    """Return the padding: `same` for half of the window's overlap, `valid` for none, or explicit numbers."""
    given: Any = call["padding"]
    if isinstance(given, str):
        return "same" if given == "same" else ("valid" if any(reach) else "same")
    pads = _repeated(call.numbers("padding"), rank)
    if [2 * each for each in pads] == list(reach):
        return "same"
    return "valid" if not any(pads) else short(pads)


def _is_along_channels(trace: ProgramTrace, x: View) -> bool:
    """Return whether the convolution runs over the channels of a single position."""
    return trace.shape(x.at).pixels == 1 and x.dims[:2] == (full(BATCH, trace.batch), ()) and trace.is_channels(x, -1)


def _along_channels(
    trace: ProgramTrace, x: View, weight: FixedValue, bias: FixedValue | None, call: OperatorCall
) -> View:
    plain = call.numbers("stride") == (1,) and call.numbers("dilation") == (1,) and call["groups"] == 1
    (kernel,) = weight.extents[2:]
    around = trace.steps[x.at].op == "circular channels"
    pads = call.numbers("padding")
    if weight.extents[:2] != (1, 1) or not plain or pads != ((0,) if around else (kernel // 2,)):
        raise Unsaid("it is along the channels, but is not a CHANNELCONV")
    layer = ChannelConv(kernel, bias is not None)
    return x.of(trace.layer(layer, [x.at], {"weight": weight, "bias": bias}, bare=around))


def _transposed(rank: int) -> Callable[[ProgramTrace, OperatorCall], View]:
    def read(trace: ProgramTrace, call: OperatorCall) -> View:
        x, weight, bias = call.view("input"), call.weight("weight"), call.weight("bias")
        assert weight is not None
        names = ("stride", "padding", "output_padding", "dilation")
        stride, pads, extra, dilation = (_repeated(call.numbers(name), rank) for name in names)
        kernel, groups = weight.extents[2:], int(call["groups"])
        spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
        is_same = all(e - s == 2 * p for e, s, p in zip(spans, stride, pads, strict=True))
        pad: Padding = "same" if is_same else short(pads) if any(pads) else "valid"
        layer = ConvTranspose(
            short(kernel),
            weight.extents[1] * groups,
            short(stride),
            pad,
            short(extra),
            short(dilation),
            groups,
            bias is not None,
        )
        return trace.whole(trace.layer(layer, [trace.map(x, rank)], {"weight": weight, "bias": bias}))

    return read


def _pooling(rank: int, kind: type[MaxPool | AvgPool]) -> Callable[[ProgramTrace, OperatorCall], Any]:
    def read(trace: ProgramTrace, call: OperatorCall) -> Any:
        at = trace.map(call.view("self"), rank)
        shape = trace.shape(at)
        kernel = _repeated(call.numbers("kernel_size"), rank)
        given: Any = call["stride"]
        stride = _repeated(call.numbers("stride"), rank) if given else kernel
        pads = _repeated(call.numbers("padding"), rank)
        has_ceil = bool(call["ceil_mode"])
        if kernel == shape.spatial and not any(pads) and call.varies("kernel_size"):
            call.pass_over("count_include_pad", "dilation")
            whole = GlobalAvgPool() if kind is AvgPool else GlobalMaxPool()
            return trace.whole(trace.layer(whole, [at]))
        if all(k == 1 for k in kernel) and all(s == 1 for s in stride):
            call.pass_over("count_include_pad")
            return trace.whole(at)
        pad: Padding = short(pads) if any(pads) else "valid"
        options: dict[str, Any] = {"kernel": short(kernel), "stride": short(stride), "pad": pad, "ceil": has_ceil}
        if kind is AvgPool:
            options["countpad"] = bool(call["count_include_pad"]) or not (any(pads) or has_ceil)
            if call["divisor_override"] is not None:
                raise Unsaid("it divides by a number of its own")
        else:
            options["dilation"] = short(_repeated(call.numbers("dilation"), rank))
        found = trace.whole(trace.layer(kind(**options), [at]))
        return with_switches(trace, found) if call.name.endswith("_with_indices") else found

    return read


def _adaptive(rank: int, kind: type[MaxPool | AvgPool]) -> Callable[[ProgramTrace, OperatorCall], Any]:
    def read(trace: ProgramTrace, call: OperatorCall) -> Any:
        at = trace.map(call.view("self"), rank)
        out = _repeated(call.numbers("output_size"), rank)
        if all(size == 1 for size in out):
            layer: Layer = GlobalAvgPool() if kind is AvgPool else GlobalMaxPool()
            found = trace.whole(trace.layer(layer, [at]))
        elif call.varies("output_size"):
            likes = _sized(trace, call, "output_size")
            found = trace.whole(trace.layer(kind(like=True), [at, likes[0]], likes=likes))
        else:
            found = trace.whole(trace.layer(kind(out=short(out)), [at]))
        return found if kind is AvgPool else [found, None]

    return read


def _sized(trace: ProgramTrace, call: OperatorCall, name: str) -> tuple[int, ...]:
    """Return the values whose size an argument has for every input size, in order. Raises Unsaid if there are none."""
    found = _of_size(trace, call.numbers(name), tuple(call.elsewhere(name)))
    if not found:
        raise Unsaid("its size follows from that of the input, and no value has it")
    return found


def _of_size(trace: ProgramTrace, here: Dims, there: Dims) -> tuple[int, ...]:
    numbers = [step.number for step in trace.steps if step.is_layer and step.shape.spatial == here]
    return tuple([at for at in numbers if trace.elsewhere(at) == there])


def _upsample(rank: int, mode: str) -> Callable[[ProgramTrace, OperatorCall], View]:
    def read(trace: ProgramTrace, call: OperatorCall) -> View:
        at = trace.map(call.view("input" if call["self"] is None else "self"), rank)
        align = bool(call["align_corners"])
        factors: Any = call["scale_factors"]
        if factors is not None:
            if any(each != int(each) or each < 1 for each in factors):
                raise Unsaid(f"it enlarges by {factors}")
            scale = tuple(int(each) for each in factors)
            if all(each == 1 for each in scale):
                return trace.whole(at)
            return trace.whole(trace.layer(Upsample(scale=short(scale), mode=mode, align=align), [at]))
        out = call.numbers("output_size")
        if out == trace.shape(at).spatial and (
            not call.varies("output_size") or trace.elsewhere(at) == tuple(call.elsewhere("output_size"))
        ):
            return trace.whole(at)
        if call.varies("output_size"):
            likes = _sized(trace, call, "output_size")
            layer = Upsample(mode=mode, align=align, like=True)
            return trace.whole(trace.layer(layer, [at, likes[0]], likes=likes))
        return trace.whole(trace.layer(Upsample(mode=mode, align=align, out=short(out)), [at]))

    return read


_FILLED = {"reflect": ReflectPad, "replicate": ReplicatePad, "circular": CircularPad}


def _pad(trace: ProgramTrace, call: OperatorCall) -> View:
    """Read a padding of a map with zeros or another value; minus infinity is ignored by a pooling."""
    x, numbers = call.view("self"), call.numbers("pad")
    mode, value = call["mode"] or "constant", call["value"] or 0
    if call.node.target is not None and call.name != "pad" and call.name != "constant_pad_nd":
        mode = {"reflection": "reflect", "replication": "replicate"}[call.name.split("_")[0]]
    axes = list(zip(numbers[::2], numbers[1::2], strict=True))[::-1]
    if not any(numbers) and not call.varies("pad"):
        return x
    if mode == "circular" and _is_along_channels(trace, x) and len(axes) == 1:
        shape = trace.shape(x.at)
        at = trace.operation("circular channels", [x.at], Shape(shape.channels, shape.spatial), sides=axes[0])
        return x.of(at)
    at = trace.value(x)
    shape = trace.shape(at)
    if len(axes) == shape.rank + 1 and not any(each for sides in axes[1:] for each in sides):
        return _more_channels(trace, at, axes[0], (mode, value))
    if len(axes) > shape.rank:
        raise Unsaid("it pads channels and positions at once, or the batch")
    if min(numbers) < 0:
        return _cut_and_padded(trace, at, [(0, 0)] * (shape.rank - len(axes)) + axes, mode, value)
    axes = [(0, 0)] * (shape.rank - len(axes)) + axes
    before, after = ([side[at] for side in axes] for at in (0, 1))
    other: Any = call.elsewhere("pad") if call.varies("pad") else None
    facts: dict[str, Any] = {
        "before": tuple(before),
        "after": tuple(after),
        "elsewhere": other,
        "there": trace.elsewhere(at),
    }
    if mode == "constant" and value == -float("inf"):
        grown = tuple(size + sum(sides) for size, sides in zip(shape.spatial, axes, strict=True))
        return trace.whole(trace.operation("ignored padding", [at], Shape(shape.channels, grown), **facts))
    if mode == "constant" and value != 0:
        raise Unsaid(f"it pads with {value:g}")
    if mode == "constant" and other is not None and (likes := _middle(trace, at, axes, other)):
        return trace.whole(trace.layer(ZeroPad(like=True), [at, likes[0]], likes=likes, **facts))
    kind = ZeroPad if mode == "constant" else _FILLED[mode]
    layer = kind(short(before), () if before == after else short(after))
    return trace.whole(trace.layer(layer, [at], **facts))


def _middle(trace: ProgramTrace, at: int, axes: Sequence[tuple[int, int]], other: Sequence[int]) -> tuple[int, ...]:
    """Return the values in whose centre a padding puts a map at both sizes that were tried; an odd zero comes last."""
    there, sizes = trace.elsewhere(at), trace.shape(at).spatial
    pairs = list(zip(other[::2], other[1::2], strict=True))[::-1]
    if there is None or len(pairs) != len(sizes):
        return ()
    if any(sides[0] != sum(sides) // 2 or sum(sides) < 0 for sides in (*axes, *pairs)):
        return ()
    targets = [
        tuple([size + sum(sides) for size, sides in zip(extents, given, strict=True)])
        for extents, given in ((sizes, axes), (there, pairs))
    ]
    return _of_size(trace, *targets)


def _more_channels(trace: ProgramTrace, at: int, sides: tuple[int, int], filling: tuple[str, float]) -> View:
    """Pad with channels of zeros after the others, or half of them before."""
    before, after = sides
    if filling != ("constant", 0) or before < 0 or after < 0:
        raise Unsaid("it pads channels with something other than zeros, or drops some")
    if before not in (0, (before + after) // 2):
        raise Unsaid(f"it puts {before} channels of zeros before the others and {after} after them")
    where = "both" if before else "after"
    return trace.whole(trace.layer(PadChannels(trace.shape(at).channels + before + after, where=where), [at]))


def _cut_and_padded(trace: ProgramTrace, at: int, axes: Sequence[tuple[int, int]], mode: str, value: float) -> View:
    """Read a padding with some negative numbers: these crop, the others pad with zeros."""
    if mode != "constant" or value != 0:
        raise Unsaid("it crops and pads with something other than zeros")
    less, more = ([tuple([max(sign * sides[at], 0) for sides in axes]) for at in (0, 1)] for sign in (-1, 1))
    cut = trace.layer(crop(*less), [at])
    if not any(more[0]) and not any(more[1]):
        return trace.whole(cut)
    return trace.whole(trace.layer(ZeroPad(short(more[0]), () if more[0] == more[1] else short(more[1])), [cut]))


def _by_rank(name: str, make: Callable[[int], Any]) -> Mapping[str, Callable[[ProgramTrace, OperatorCall], Any]]:
    return {f"{name}{rank}d": make(rank) for rank in (1, 2, 3)}


TABLE: Mapping[str, Callable[[ProgramTrace, OperatorCall], Any]] = {
    **_by_rank("conv", _convolution),
    **_by_rank("conv_transpose", _transposed),
    **_by_rank("max_pool", lambda rank: _pooling(rank, MaxPool)),
    **{f"max_pool{rank}d_with_indices": _pooling(rank, MaxPool) for rank in (1, 2, 3)},
    **_by_rank("avg_pool", lambda rank: _pooling(rank, AvgPool)),
    **_by_rank("adaptive_avg_pool", lambda rank: _adaptive(rank, AvgPool)),
    **_by_rank("adaptive_max_pool", lambda rank: _adaptive(rank, MaxPool)),
    **_by_rank("upsample_nearest", lambda rank: _upsample(rank, "nearest")),
    "upsample_linear1d": _upsample(1, "linear"),
    "upsample_bilinear2d": _upsample(2, "bilinear"),
    "upsample_trilinear3d": _upsample(3, "trilinear"),
    "upsample_bicubic2d": _upsample(2, "bicubic"),
    "pad": _pad,
    "constant_pad_nd": _pad,
    **_by_rank("reflection_pad", lambda _: _pad),
    **_by_rank("replication_pad", lambda _: _pad),
}
"""The function that reads each ATen operator, by name."""
