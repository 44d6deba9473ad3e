"""What only rearranges a tensor, takes parts of it or puts parts together.

All of these but slices, pads and concatenations are views of the same value, see `views`. Splits and selections are
slices; a slice of a slice is one slice, a concatenation of one is nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, cast

from cnndsl.importers.torch_compare.call import AtenCall, Result, operator, rounded
from cnndsl.importers.torch_compare.sizes import TriedExtent, UnevenError, extent, over, plus, times, tried
from cnndsl.importers.torch_compare.table import Operand, ValueTable
from cnndsl.importers.torch_compare.views import Atom, Atoms, TensorView, expanded, permuted, product, whole

PadPair: TypeAlias = "tuple[TriedExtent, TriedExtent]"
"""What a dimension is padded with, in front and behind."""


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
    x = call.x
    if all(size == 1 or not dim for size, dim in zip(call.get("repeats", ()), x.dims, strict=False)):
        return expanded(x, call.shape)
    return call.table.made("repeat", [x], call.shape, repeats=tuple(call.get("repeats", call.get("dims"))))


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


def part(
    table: ValueTable, x: TensorView, dim: int, start: TriedExtent, length: TriedExtent, step: int = 1
) -> TensorView:
    """A range of a dimension."""
    size = product(x.dims[dim])
    if start == 0 and length == size and step == 1:
        return x
    shape = (*x.shape[:dim], length, *x.shape[dim + 1 :])
    atoms = x.dims[dim]
    if atoms and all(each.axis < 0 for each in atoms):
        return expanded(TensorView(x.value, (*x.dims[:dim], (), *x.dims[dim + 1 :])), shape)
    if step == 1 and (found := _operands_of_cat(table, x, dim, start, length)):
        return put_together(table, found, dim, shape)
    if len(atoms) == 1:
        found = _range_of_axis(table, x, (dim, atoms[0]), (start, length, step))
        if found is not None:
            return found
    return table.made("slice", [x], shape, dim=dim, start=start, step=step, length=length)


PositionRange: TypeAlias = "tuple[TriedExtent, TriedExtent, int]"
"""Where a range of an axis begins, how many positions it has, and how far they are apart."""


def _range_of_axis(table: ValueTable, x: TensorView, of: tuple[int, Atom], cut: PositionRange) -> TensorView | None:
    """A range of the slowest part of an axis; None where the dimension is something else.

    Ranges of several axes are taken in the order of the axes, and two of one axis are one.
    """
    dim, atom = of
    start, length, step = cut
    if times(atom.extent, atom.step) != table.axes(x)[atom.axis] or (step != 1 and atom.step != 1):
        return None
    base, cuts = _cuts_of(table, x.value)
    first, _, apart = cuts.pop(atom.axis, (0, 0, 1))
    if apart != 1 and atom.step != 1:
        return None
    first = plus(first, times(times(start, atom.step), apart))
    new = (first, times(length, atom.step), step * apart)
    vanishes = new[1] == 1
    whole_part = _part_of_cat(table, base, atom.axis, new)
    read = base if whole_part is None else whole_part
    for axis in sorted({*cuts, atom.axis} if not vanishes and whole_part is None else cuts):
        read = _cut(table, read, axis, cuts.get(axis, new))
    if vanishes:
        read = _cut(table, read, atom.axis, (first, 1, 1))
    dims = [
        tuple(Atom(each.axis - (vanishes and each.axis > atom.axis), each.extent, each.step) for each in each_dim)
        for each_dim in x.dims
    ]
    dims[dim] = () if length == 1 else (Atom(dims[dim][0].axis, length, atom.step),)
    return TensorView(read, tuple(dims))


def _part_of_cat(table: ValueTable, value: int, axis: int, cut: PositionRange) -> int | None:
    """The value that was put into a concatenation and is just a range of it; None where that is not so."""
    found = table.values[value]
    start, length, step = cut
    if found.operator != "cat" or dict(found.attributes)["dim"] != axis or step != 1 or length == 1:
        return None
    at: TriedExtent = 0
    for each in found.operands:
        axes = table.values[each.value].axes
        if len(axes) != len(found.axes) or each != (each.value, whole(each.value, axes).dims):
            return None
        if (at, axes[axis]) == (start, length):
            return each.value
        at = plus(at, axes[axis])
    return None


def _cuts_of(table: ValueTable, value: int) -> tuple[int, dict[int, PositionRange]]:
    """The layout before ranges of its axes were taken, and the ranges by axis; axes that are gone stay unknown."""
    cuts: dict[int, PositionRange] = {}
    while True:
        found = table.values[value]
        attributes = cast("dict[str, Any]", dict(found.attributes))
        if found.operator != "slice" or "axis" not in attributes or attributes["length"] == 1:
            return value, cuts
        cuts[attributes["axis"]] = (attributes["start"], attributes["length"], attributes["step"])
        value = found.operands[0].value


def _cut(table: ValueTable, value: int, axis: int, cut: PositionRange) -> int:
    """The number of a range of one axis of a value; the value's own where that is all of it."""
    start, length, step = cut
    axes = list(table.values[value].axes)
    if cut == (0, axes[axis], 1):
        return value
    axes[axis] = length
    left = [each for each in axes if each != 1]
    attributes: dict[str, Any] = {"axis": axis, "start": start, "length": length, "step": step}
    return table.number("slice", [Operand(value, ())], left, attributes)


def _operands_of_cat(
    table: ValueTable, x: TensorView, dim: int, start: TriedExtent, length: TriedExtent
) -> list[TensorView]:
    """What was put into a concatenation and is taken out of it as a whole; nothing where that is not so."""
    found: list[TensorView] = []
    at: TriedExtent = 0
    for each in _parts_of_cat(table, x, dim):
        if at == start and length != 0 and each != x:
            found.append(each)
            size = each.shape[dim]
            start = plus(start, size)
            length = extent(tuple(a - b for a, b in tried(length, size)))
        at = plus(at, each.shape[dim])
    return found if length == 0 else []


@operator("slice")
def _slice(call: AtenCall) -> Result:
    dim: int = call["dim"] % len(call.x.dims)
    size = call.x.shape[dim]
    start = call["start"] if call["start"] is not None else 0
    first = extent(tuple(min(a + b if a < 0 else a, b) for a, b in tried(start, size)))
    return part(call.table, call.x, dim, first, call.shape[dim], call["step"])


@operator("narrow")
def _narrow(call: AtenCall) -> Result:
    return part(call.table, call.x, call["dim"] % len(call.x.dims), call["start"], call["length"])


@operator("select")
def _select(call: AtenCall) -> Result:
    dim: int = call["dim"] % len(call.x.dims)
    index = extent(tuple(a + b if a < 0 else a for a, b in tried(call["index"], call.x.shape[dim])))
    found = part(call.table, call.x, dim, index, 1)
    return TensorView(found.value, found.dims[:dim] + found.dims[dim + 1 :])


@operator("split", "chunk", "split_with_sizes", "tensor_split", "unsafe_chunk", "unsafe_split")
def _split(call: AtenCall) -> Result:
    dim: int = call["dim"] % len(call.x.dims)
    found: list[TensorView] = []
    start: TriedExtent = 0
    for shape in call.shapes:
        found.append(part(call.table, call.x, dim, start, shape[dim]))
        start = plus(start, shape[dim])
    return tuple(found)


@operator("unbind")
def _unbind(call: AtenCall) -> Result:
    dim: int = call["dim"] % len(call.x.dims)
    parts = [part(call.table, call.x, dim, at, 1) for at in range(len(call.shapes))]
    return tuple(TensorView(each.value, each.dims[:dim] + each.dims[dim + 1 :]) for each in parts)


@operator("cat", "concat", "concatenate")
def _cat(call: AtenCall) -> Result:
    tensors: Sequence[TensorView] = call["tensors"]
    dim: int = call["dim"] % len(call.shape)
    return put_together(call.table, [each for each in tensors if each.dims], dim, call.shape)


@operator("stack")
def _stack(call: AtenCall) -> Result:
    dim: int = call["dim"] % len(call.shape)
    tensors = [TensorView(each.value, (*each.dims[:dim], (), *each.dims[dim:])) for each in call["tensors"]]
    return put_together(call.table, tensors, dim, call.shape)


def put_together(
    table: ValueTable, tensors: Sequence[TensorView], dim: int, shape: Sequence[TriedExtent]
) -> TensorView:
    """A concatenation: a single tensor stays what it is, and a concatenation among the tensors is flattened.

    Tensors whose channels follow the dimension are concatenated along their channels.
    """
    if len(shape) in (3, 5) and dim == 1 and all(each.dims[1] == () != each.dims[2] for each in tensors):
        flat = [TensorView(each.value, (each.dims[0], *each.dims[2:])) for each in tensors]
        made = put_together(table, flat, 1, (shape[0], times(shape[1], shape[2]), *shape[3:]))
        return table.reshaped(made, shape)
    kept = [at for at in range(len(shape)) if at == dim or any(each.dims[at] != () for each in tensors)]
    if len(kept) < len(shape):
        fewer = [TensorView(each.value, tuple(each.dims[at] for at in kept)) for each in tensors]
        made = put_together(table, fewer, kept.index(dim), [shape[at] for at in kept])
        rest = dict(zip(kept, made.dims, strict=True))
        return TensorView(made.value, tuple(rest.get(at, ()) for at in range(len(shape))))
    parts = [part for each in tensors for part in _parts_of_cat(table, each, dim)]
    return parts[0] if len(parts) == 1 else table.made("cat", parts, shape, dim=dim)


def _parts_of_cat(table: ValueTable, x: TensorView, dim: int) -> list[TensorView]:
    """The tensors that a concatenation along a dimension is of; the tensor itself where it is none."""
    value = table.values[x.value]
    kept = [at for at in range(len(x.dims)) if at == dim or x.dims[at] != ()]
    is_cat = value.operator == "cat" and dict(value.attributes)["dim"] == kept.index(dim)
    if not is_cat or x != whole(x.value, x.shape) or len(value.operands[0].layout) != len(kept):
        return [x]
    layouts = [dict(zip(kept, each.layout, strict=True)) for each in value.operands]
    views = [tuple(layout.get(at, ()) for at in range(len(x.dims))) for layout in layouts]
    return [
        TensorView(each.value, cast("tuple[Atoms, ...]", dims))
        for each, dims in zip(value.operands, views, strict=True)
    ]


@operator("pad", "constant_pad_nd", "reflection_pad1d", "reflection_pad2d", "replication_pad1d", "replication_pad2d")
def _pad(call: AtenCall) -> Result:
    given: list[TriedExtent] = call.get("pad", call.get("padding"))
    mode = call.get("mode") or {"c": "constant", "r": call.operator.partition("_")[0]}[call.operator[0]]
    mode = {"reflection": "reflect", "replication": "replicate"}.get(mode, mode)
    value = rounded(call.get("value") or 0) if mode == "constant" else 0.0
    pairs: list[PadPair] = [(given[at], given[at + 1]) for at in range(0, len(given), 2)][::-1]
    pairs = [(0, 0)] * (len(call.x.dims) - len(pairs)) + pairs
    if all(pair == (0, 0) for pair in pairs):
        return call.x
    x, pairs = _without_cuts(call.table, call.x, pairs) if mode == "constant" else (call.x, pairs)
    if all(pair == (0, 0) for pair in pairs):
        return x
    x, pairs = without_pads(call.table, x, pairs, value) if mode == "constant" else (x, pairs)
    return call.table.made("pad", [x], call.shape, mode=mode, value=value, pairs=tuple(pairs))


def _without_cuts(table: ValueTable, x: TensorView, pairs: list[PadPair]) -> tuple[TensorView, list[PadPair]]:
    """What is left of a tensor after paddings by negative numbers, and the other paddings."""
    for dim, (before, after) in enumerate(pairs):
        size = x.shape[dim]
        if not (isinstance(before, int) and isinstance(after, int) and isinstance(size, int)):
            continue
        if before < 0 or after < 0:
            x = part(table, x, dim, max(-before, 0), size + min(before, 0) + min(after, 0))
    left = [tuple(max(each, 0) if isinstance(each, int) else each for each in pair) for pair in pairs]
    return x, [(before, after) for before, after in left]


def without_pads(
    table: ValueTable, x: TensorView, pairs: list[PadPair], value: float
) -> tuple[TensorView, list[PadPair]]:
    """What a pad of the same number is around, and both pads together."""
    found = table.values[x.value]
    attributes = dict(found.attributes)
    if found.operator != "pad" or (attributes["mode"], attributes["value"]) != ("constant", value):
        return x, pairs
    inner = cast("tuple[PadPair, ...]", attributes["pairs"])
    if x != whole(x.value, x.shape) or len(inner) != len(pairs):
        return x, pairs
    together = [(plus(a, c), plus(b, d)) for (a, b), (c, d) in zip(inner, pairs, strict=True)]
    return TensorView(found.operands[0].value, cast("tuple[Atoms, ...]", found.operands[0].layout)), together
