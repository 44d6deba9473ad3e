"""Operators that only rearrange values: views, slices and concatenations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

from cnndsl.importers.torch_export.calls import OperatorCall
from cnndsl.importers.torch_export.folding import crop
from cnndsl.importers.torch_export.steps import Unsaid
from cnndsl.importers.torch_export.trace import ProgramTrace
from cnndsl.importers.torch_export.views import (
    CHANNELS,
    SPATIAL,
    SPREAD,
    Stretch,
    View,
    ViewError,
    expanded,
    full,
    joined,
    permuted,
    reshaped,
)
from cnndsl.layers.arrange import Shuffle, Slice
from cnndsl.layers.base import Dims
from cnndsl.layers.merge import Concat
from cnndsl.layers.pixel_shuffle import PixelShuffle, PixelUnshuffle
from cnndsl.layers.pool import MaxPool


def _reshape(trace: ProgramTrace, call: OperatorCall) -> View:
    """Read `view`, `reshape`, `flatten`, `(un)squeeze` and so on by the shape of the result. A shuffle is a layer."""
    call.pass_over("size", "shape", "start_dim", "end_dim", "dim", "sizes", "other")
    try:
        view = reshaped(call.view("self"), call.extents)
    except ViewError as stop:
        raise Unsaid(str(stop)) from None
    return trace.settled(view) if trace.is_shuffled(view) else view


def _permute(_: ProgramTrace, call: OperatorCall) -> View:
    return permuted(call.view("self"), call.numbers("dims"))


def _transpose(_: ProgramTrace, call: OperatorCall) -> View:
    x = call.view("self")
    order = list(range(len(x.dims)))
    a, b = x.dim(call["dim0"]), x.dim(call["dim1"])
    order[a], order[b] = b, a
    return permuted(x, order)


def _movedim(_: ProgramTrace, call: OperatorCall) -> View:
    x = call.view("self")
    (source,), (target,) = call.numbers("source"), call.numbers("destination")
    order = [at for at in range(len(x.dims)) if at != x.dim(source)]
    order.insert(x.dim(target), x.dim(source))
    return permuted(x, order)


def _expand(_: ProgramTrace, call: OperatorCall) -> View:
    call.pass_over("size", "other", "implicit")
    return expanded(call.view("self"), call.extents)


def _repeat(_: ProgramTrace, call: OperatorCall) -> View:
    """Read the repetition of whole dimensions."""
    x, times = call.view("self"), call.numbers("repeats" if call.name == "repeat" else "dims")
    times = (*(1,) * (len(x.dims) - len(times)), *times)
    dims = ((),) * (len(times) - len(x.dims)) + x.dims
    several = [joined([Stretch(SPREAD, 0, count), *dim]) for count, dim in zip(times, dims, strict=True)]
    return View(x.at, tuple([tuple([each for each in dim if each.size > 1]) for dim in several]))


def part(trace: ProgramTrace, x: View, number: int, start: int, stop: int) -> View:
    """Return a range of a dimension: of channels or positions. Raises Unsaid for other dimensions."""
    dim = x.dim(number)
    if (start, stop) == (0, x.sizes[dim]):
        return x
    if len(x.dims[dim]) != 1:
        x = trace.settled(x)
    if len(x.dims[dim]) != 1:
        raise Unsaid("it takes a part of several axes at once")
    (taken,) = x.dims[dim]
    shape = trace.shape(x.at)
    extents = (0, shape.channels, *shape.spatial)
    if taken.axis < CHANNELS or taken.stride * taken.size != extents[taken.axis]:
        raise Unsaid("it takes every so many channels, positions or images")
    first, last = start * taken.stride, stop * taken.stride
    if taken.axis == CHANNELS:
        at = trace.layer(Slice(first, last), [x.at])
    else:
        before = [0] * shape.rank
        after = [0] * shape.rank
        before[taken.axis - SPATIAL], after[taken.axis - SPATIAL] = first, extents[taken.axis] - last
        at = trace.layer(crop(before, after), [x.at])
    left = (Stretch(taken.axis, taken.stride, stop - start),) if stop - start > 1 else ()
    return View(at, (*x.dims[:dim], left, *x.dims[dim + 1 :]))


def _slice(trace: ProgramTrace, call: OperatorCall) -> View:
    x, dim = call.view("self"), call["dim"]
    size = x.sizes[x.dim(dim)]
    start, stop, step = call["start"], call["end"], call["step"]
    first = min(max(start + size if start < 0 else start, 0), size) if start is not None else 0
    last = size if stop is None else min(max(stop + size if stop < 0 else stop, 0), size)
    if step != 1:
        return _every(trace, x, x.dim(dim), (first, last, step))
    return part(trace, x, dim, first, last)


EveryPosition: TypeAlias = "tuple[int, Dims, Dims, Dims]"
"""A value, the number of positions cropped before and after it, and the step along each axis."""


def _every(trace: ProgramTrace, x: View, dim: int, of: tuple[int, int, int]) -> View:
    """Return every n-th position: a pooling of size 1, after a crop if it does not start at the first one.

    Slices of one axis and then of another become one layer.
    """
    first, last, step = of
    x = trace.settled(x)
    shape = trace.shape(x.at)
    if dim < SPATIAL or len(x.dims) != shape.rank + 2:
        raise Unsaid(f"it takes one of every {step} channels or images")
    axis = dim - SPATIAL
    begun: EveryPosition = (x.at, (0,) * shape.rank, (0,) * shape.rank, (1,) * shape.rank)
    known = cast("EveryPosition", trace.steps[x.at].facts.get("every", begun))
    base, before, after, strides = known if known[3][axis] == 1 else begun
    size = shape.spatial[axis]
    before, after, strides = (
        tuple([new if at == axis else old for at, old in enumerate(each)])
        for each, new in ((before, first), (after, size - last), (strides, step))
    )
    at = trace.layer(crop(before, after), [base]) if any((*before, *after)) else base
    pooling = MaxPool((1,), strides[:1] if len(set(strides)) == 1 else strides)
    return trace.whole(trace.layer(pooling, [at], every=(base, before, after, strides)))


def _select(trace: ProgramTrace, call: OperatorCall) -> View:
    x, index = call.view("self"), call["index"]
    dim = x.dim(call["dim"])
    at = index % x.sizes[dim]
    found = part(trace, x, dim, at, at + 1)
    return View(found.at, (*found.dims[:dim], *found.dims[dim + 1 :]))


def _chunk(trace: ProgramTrace, call: OperatorCall) -> list[View | None]:
    """Read `chunk` and `split` by the shapes of the results."""
    call.pass_over("chunks", "split_size", "split_sizes")
    x, dim = call.view("self"), call["dim"]
    sizes = [int(each.shape[x.dim(dim)]) for each in call.node.meta["val"]]
    bounds = [sum(sizes[:at]) for at in range(len(sizes) + 1)]
    used = [user.args[1] for user in call.node.users]
    return [part(trace, x, dim, bounds[at], bounds[at + 1]) if at in used else None for at in range(len(sizes))]


def _unbind(trace: ProgramTrace, call: OperatorCall) -> list[View]:
    x, dim = call.view("self"), call["dim"]
    dim = x.dim(dim)
    parts = [part(trace, x, dim, at, at + 1) for at in range(x.sizes[dim])]
    return [View(each.at, (*each.dims[:dim], *each.dims[dim + 1 :])) for each in parts]


def _cat(trace: ProgramTrace, call: OperatorCall) -> View:
    several, dim = call["tensors"], call["dim"]
    if not all(isinstance(each, View) for each in several):
        raise Unsaid("a parameter is put beside what enters")
    if len(several) == 1:
        return several[0]
    dim = several[0].dim(dim)
    first = several[0]
    others = {(*each.dims[:dim], *each.dims[dim + 1 :]) for each in several}
    if len(others) == 1 and not any(each.dims[dim] or trace.shape(each.at).channels == 1 for each in several):
        stacked = _stacked(trace, [View(each.at, (*each.dims[:dim], *each.dims[dim + 1 :])) for each in several], dim)
        if stacked is not None:
            return stacked
    alike = len({trace.shape(each.at).spatial for each in several}) == 1
    if len(others) == 1 and alike and all(trace.is_channels(each, dim) for each in several):
        return trace.rechannelled(first, dim, trace.layer(Concat(), [each.at for each in several]))
    values = [trace.value(each) for each in several]
    if dim != 1:
        raise Unsaid("it concatenates along the height or another axis, but a program concatenates channels only")
    return trace.whole(trace.layer(Concat(), values))


def _stack(trace: ProgramTrace, call: OperatorCall) -> View:
    """Read values stacked along a new dimension: they become that many parts of the channels."""
    several = call["tensors"]
    if not all(isinstance(each, View) for each in several):
        raise Unsaid("a parameter is put beside what enters")
    found = _stacked(trace, several, call["dim"] % (len(several[0].dims) + 1))
    if found is None:
        raise Unsaid("values of different kinds are stacked")
    return found


def _stacked(trace: ProgramTrace, several: list[View], dim: int) -> View | None:
    first = several[0]
    shape = trace.shape(first.at)
    along = full(CHANNELS, shape.channels)
    is_alike = len({each.dims for each in several}) == 1 and len({trace.shape(each.at) for each in several}) == 1
    if not is_alike or sum(dimension == along for dimension in first.dims) != 1:
        return None
    at = trace.layer(Concat(), [each.at for each in several])
    along_parts = joined([Stretch(CHANNELS, shape.channels, len(several))])
    return View(at, (*first.dims[:dim], along_parts, *first.dims[dim:]))


def _channel_shuffle(trace: ProgramTrace, call: OperatorCall) -> View:
    x = call.view("self")
    return trace.whole(trace.layer(Shuffle(call["groups"]), [trace.value(x)]))


def _pixel_shuffle(trace: ProgramTrace, call: OperatorCall) -> View:
    return trace.whole(trace.layer(PixelShuffle(call["upscale_factor"]), [trace.map(call.view("self"), 2)]))


def _pixel_unshuffle(trace: ProgramTrace, call: OperatorCall) -> View:
    return trace.whole(trace.layer(PixelUnshuffle(call["downscale_factor"]), [trace.map(call.view("self"), 2)]))


def _getitem(_: ProgramTrace, call: OperatorCall) -> Any:
    """Return one of several results; None for the indices of maxima."""
    return call["arg0"][call["arg1"]]


TABLE: Mapping[str, Callable[[ProgramTrace, OperatorCall], Any]] = {
    **dict.fromkeys(
        (
            "view",
            "reshape",
            "_unsafe_view",
            "flatten",
            "unflatten",
            "squeeze",
            "unsqueeze",
            "view_as",
            "reshape_as",
        ),
        _reshape,
    ),
    "permute": _permute,
    "transpose": _transpose,
    "movedim": _movedim,
    "expand": _expand,
    "expand_as": _expand,
    "repeat": _repeat,
    "tile": _repeat,
    "slice": _slice,
    "select": _select,
    "chunk": _chunk,
    "split": _chunk,
    "split_with_sizes": _chunk,
    "unbind": _unbind,
    "cat": _cat,
    "concat": _cat,
    "stack": _stack,
    "channel_shuffle": _channel_shuffle,
    "native_channel_shuffle": _channel_shuffle,
    "pixel_shuffle": _pixel_shuffle,
    "pixel_unshuffle": _pixel_unshuffle,
    "getitem": _getitem,
}
"""The function that reads each operator, by name."""
