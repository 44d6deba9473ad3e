"""Slices and concatenations of tensors.

Splits and selections are slices. A slice of a slice is one slice; a concatenation of a single tensor is that tensor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, cast

from cnndsl.importers.torch_compare.call import AtenCall, Result, operator
from cnndsl.importers.torch_compare.sizes import TriedExtent, extent, over, plus, sized, times, tried
from cnndsl.importers.torch_compare.table import Operand, ValueTable
from cnndsl.importers.torch_compare.views import (
    REPEATED,
    Atom,
    Atoms,
    TensorView,
    expanded,
    merged,
    permuted,
    product,
    whole,
)


def part(
    table: ValueTable, x: TensorView, dim: int, start: TriedExtent, length: TriedExtent, step: int = 1
) -> TensorView:
    """Return a range of a dimension."""
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
    if len(atoms) > 1 and step == 1 and (found := _range_of_slowest(table, x, dim, (start, length))) is not None:
        return found
    return table.made("slice", [x], shape, dim=dim, start=start, step=step, length=length)


PositionRange: TypeAlias = "tuple[TriedExtent, TriedExtent, int]"
"""The start of a range of an axis, its number of positions, and its step."""


def _range_of_axis(table: ValueTable, x: TensorView, of: tuple[int, Atom], cut: PositionRange) -> TensorView | None:
    """Return a range of the slowest part of an axis; None if the dimension is something else.

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


def _range_of_slowest(
    table: ValueTable, x: TensorView, dim: int, of: tuple[TriedExtent, TriedExtent]
) -> TensorView | None:
    """Return a range of a dimension in whole steps of its slowest part; None if the range cuts through one."""
    first, *faster = x.dims[dim]
    start, length = (over(each, product(faster)) for each in of)
    if start is None or length is None:
        return None
    apart = TensorView(x.value, (*x.dims[:dim], (first,), tuple(faster), *x.dims[dim + 1 :]))
    found = _range_of_axis(table, apart, (dim, first), (start, length, 1))
    if found is None:
        return None
    together = merged((*found.dims[dim], *found.dims[dim + 1]))
    return TensorView(found.value, (*found.dims[:dim], together, *found.dims[dim + 2 :]))


def _part_of_cat(table: ValueTable, value: int, axis: int, cut: PositionRange) -> int | None:
    """Return the operand of a concatenation that is exactly this range of it; None if there is none."""
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
    """Return the layout before its axes were sliced, and the ranges by axis; removed axes remain unknown."""
    cuts: dict[int, PositionRange] = {}
    while True:
        found = table.values[value]
        attributes = cast("dict[str, Any]", dict(found.attributes))
        if found.operator != "slice" or "axis" not in attributes or attributes["length"] == 1:
            return value, cuts
        cuts[attributes["axis"]] = (attributes["start"], attributes["length"], attributes["step"])
        value = found.operands[0].value


def _cut(table: ValueTable, value: int, axis: int, cut: PositionRange) -> int:
    """Return the number of a range of one axis of a value; the value's own if the range is all of it."""
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
    """Return the operands of a concatenation that a range covers exactly; an empty list if it doesn't."""
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
    """Concatenate tensors: a single tensor is returned as it is, and a concatenation among them is flattened.

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
    order = sorted(range(len(shape)), key=lambda at: [_in_order(each.dims[at]) for each in tensors])
    if order != list(range(len(shape))):
        turned = [permuted(each, order) for each in tensors]
        made = put_together(table, turned, order.index(dim), [shape[at] for at in order])
        return permuted(made, [order.index(at) for at in range(len(shape))])
    parts = [part for each in tensors for part in _parts_of_cat(table, each, dim)]
    if len(set(parts)) == 1:
        (first, *_), count = parts, len(parts)
        together = merged((Atom(REPEATED, count, 0), *first.dims[dim]))
        return TensorView(first.value, (*first.dims[:dim], together, *first.dims[dim + 1 :]))
    return table.made("cat", parts, shape, dim=dim)


def _in_order(dim: Atoms) -> list[tuple[int, int, int]]:
    """Return a sort key for dimensions that is independent of their position in a tensor."""
    return [(each.axis, -sized(each.step, 0), sized(each.extent, 0)) for each in dim]


def _parts_of_cat(table: ValueTable, x: TensorView, dim: int) -> list[TensorView]:
    """Return the operands of a concatenation along a dimension; the tensor itself if it isn't one."""
    first = x.dims[dim][0] if x.dims[dim] else None
    if first is not None and first.axis == REPEATED and isinstance(first.extent, int):
        return [TensorView(x.value, (*x.dims[:dim], x.dims[dim][1:], *x.dims[dim + 1 :]))] * first.extent
    value = table.values[x.value]
    wholes = [at for each in x.dims for at, size in enumerate(value.axes) if each == (Atom(at, size, 1),)]
    kept = [at for at, each in enumerate(x.dims) if each != ()]
    is_cat = value.operator == "cat" and len(wholes) == len(kept) == len(value.axes)
    if not is_cat or x.dims[dim] == () or wholes[kept.index(dim)] != dict(value.attributes)["dim"]:
        return [x]
    places = dict(zip(kept, wholes, strict=True))
    layouts = [cast("tuple[Atoms, ...]", each.layout) for each in value.operands]
    views = [tuple(each[places[at]] if at in places else () for at in range(len(x.dims))) for each in layouts]
    return [TensorView(each.value, dims) for each, dims in zip(value.operands, views, strict=True)]
