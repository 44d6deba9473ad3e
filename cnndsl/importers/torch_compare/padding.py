"""Paddings: consecutive ones with the same value are merged, and negative ones become crops."""

from __future__ import annotations

from typing import TypeAlias, cast

from cnndsl.importers.torch_compare.call import AtenCall, Result, operator, rounded
from cnndsl.importers.torch_compare.parts import part
from cnndsl.importers.torch_compare.sizes import TriedExtent, plus
from cnndsl.importers.torch_compare.table import ValueTable
from cnndsl.importers.torch_compare.views import Atoms, TensorView, whole

PadPair: TypeAlias = "tuple[TriedExtent, TriedExtent]"
"""The padding of a dimension, before and after."""


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
    """Return the tensor cropped by the negative paddings, and the remaining paddings."""
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
    """Return the tensor inside an inner pad with the same value, and the sum of both pads."""
    found = table.values[x.value]
    attributes = dict(found.attributes)
    if found.operator != "pad" or (attributes["mode"], attributes["value"]) != ("constant", value):
        return x, pairs
    inner = cast("tuple[PadPair, ...]", attributes["pairs"])
    if x != whole(x.value, x.shape) or len(inner) != len(pairs):
        return x, pairs
    together = [(plus(a, c), plus(b, d)) for (a, b), (c, d) in zip(inner, pairs, strict=True)]
    return TensorView(found.operands[0].value, cast("tuple[Atoms, ...]", found.operands[0].layout)), together
