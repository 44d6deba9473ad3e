"""Operators that only rearrange a tensor: they return a view of the same value, see `views`."""

from __future__ import annotations

from typing import Any, cast

from cnndsl.importers.torch_compare.call import AtenCall, Result, operator, rounded
from cnndsl.importers.torch_compare.sizes import TriedExtent, UnevenError, over
from cnndsl.importers.torch_compare.views import REPEATED, Atom, TensorView, expanded, merged, permuted


@operator("alias", "clone", "contiguous", "detach", "lift_fresh_copy", "lift_fresh", "lift", "detach_copy")
def _same(call: AtenCall) -> Result:
    return call.x


@operator("to", "_to_copy", "type_as", "float", "double")
def _to(call: AtenCall) -> Result:
    return call.x if call.keeps_type else call.table.unary("to", call.x, type=call.type)


@operator("view", "reshape", "_unsafe_view", "flatten", "unflatten", "view_as", "reshape_as", "_reshape_alias")
def _view(call: AtenCall) -> Result:
    return call.table.reshaped(call.x, call.shape)


@operator("squeeze", "unsqueeze")
def _squeeze(call: AtenCall) -> Result:
    return call.table.reshaped(call.x, call.shape)


@operator("expand", "expand_as", "broadcast_to")
def _expand(call: AtenCall) -> Result:
    return expanded(call.x, call.shape)


@operator("repeat", "tile")
def _repeat(call: AtenCall) -> Result:
    x, repeats = call.x, list(call.get("repeats", call.get("dims")))
    repeats = [1] * (len(x.dims) - len(repeats)) + repeats
    dims = ((),) * (len(repeats) - len(x.dims)) + x.dims
    several = [merged((Atom(REPEATED, count, 0), *dim)) for count, dim in zip(repeats, dims, strict=True)]
    return TensorView(x.value, tuple(several))


@operator("repeat_interleave")
def _repeat_interleave(call: AtenCall) -> Result:
    """Repeat each element of a dimension several times in a row."""
    x, repeats = call.x, call.get("repeats")
    if not isinstance(repeats, int) or call.get("dim") is None:
        views = [x, *([repeats] if isinstance(repeats, TensorView) else [])]
        return call.table.made("repeat_interleave", views, call.shape, dim=call.get("dim"), repeats=str(repeats))
    dim: int = call["dim"] % len(x.dims)
    repeated = Atom(REPEATED, repeats, 0)
    return TensorView(x.value, (*x.dims[:dim], merged((*x.dims[dim], repeated)), *x.dims[dim + 1 :]))


@operator("permute")
def _permute(call: AtenCall) -> Result:
    rank = len(call.x.dims)
    return permuted(call.x, [at % rank for at in call["dims"]])


@operator("transpose", "swapaxes", "swapdims")
def _transpose(call: AtenCall) -> Result:
    order = list(range(len(call.x.dims)))
    one, other = (call.get(f"dim{at}", call.get(f"axis{at}")) for at in (0, 1))
    order[one], order[other] = order[other], order[one]
    return permuted(call.x, order)


@operator("t", "numpy_T", "mT")
def _turned(call: AtenCall) -> Result:
    rank = len(call.x.dims)
    return permuted(call.x, [*range(rank - 2), *[rank - 1, rank - 2][: min(rank, 2)]]) if rank > 1 else call.x


@operator("movedim", "moveaxis")
def _movedim(call: AtenCall) -> Result:
    rank = len(call.x.dims)
    source, target = (_several(call[name], rank) for name in ("source", "destination"))
    order = [at for at in range(rank) if at not in source]
    for to, at in sorted(zip(target, source, strict=True)):
        order.insert(to, at)
    return permuted(call.x, order)


@operator("channel_shuffle", "native_channel_shuffle")
def _channel_shuffle(call: AtenCall) -> Result:
    x, groups = call.x, call["groups"]
    n, c, *rest = x.shape
    found = call.table.reshaped(x, (n, groups, _quotient(c, groups), *rest))
    return call.table.reshaped(permuted(found, [0, 2, 1, *range(3, len(x.dims) + 1)]), x.shape)


@operator("pixel_shuffle")
def _pixel_shuffle(call: AtenCall) -> Result:
    x, r = call.x, call["upscale_factor"]
    n, c, h, w = x.shape
    found = call.table.reshaped(x, (n, _quotient(c, r * r), r, r, h, w))
    return call.table.reshaped(permuted(found, [0, 1, 4, 2, 5, 3]), call.shape)


@operator("pixel_unshuffle")
def _pixel_unshuffle(call: AtenCall) -> Result:
    x, r = call.x, call["downscale_factor"]
    n, c, h, w = x.shape
    found = call.table.reshaped(x, (n, c, _quotient(h, r), r, _quotient(w, r), r))
    return call.table.reshaped(permuted(found, [0, 1, 3, 5, 2, 4]), call.shape)


def _quotient(size: TriedExtent, by: int) -> TriedExtent:
    found = over(size, by)
    if found is None:
        raise UnevenError
    return found


@operator("full", "zeros", "ones", "scalar_tensor", "new_zeros", "new_ones", "new_full", "zeros_like", "ones_like")
def _full(call: AtenCall) -> Result:
    value = 0.0 if "zeros" in call.operator else 1.0
    if "full" in call.operator or call.operator == "scalar_tensor":
        value = rounded(call.get("fill_value", call.get("s")))
    return expanded(call.table.made("constant", [], (), value=value), call.shape)


def _several(given: Any, rank: int) -> list[int]:
    numbers = cast("list[int]", given if isinstance(given, list) else [given])
    return [at % rank for at in numbers]
