"""Merge paddings into the layer after them, and combine consecutive crops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from cnndsl.importers.torch_export.steps import NumberedSteps, ReadStep, StepRule
from cnndsl.layers.along_channels import ChannelConv
from cnndsl.layers.base import Dims, each_axis
from cnndsl.layers.blur import BlurPool
from cnndsl.layers.conv import Conv
from cnndsl.layers.margin import CircularPad, Crop, ReflectPad, ReplicatePad, ZeroPad
from cnndsl.layers.pool import AvgPool, MaxPool

_BORDERS: Mapping[type, str] = {ReflectPad: "reflect", ReplicatePad: "replicate", CircularPad: "circular"}


def _before(step: ReadStep, by: NumberedSteps) -> ReadStep | None:
    """Return the padding that a step reads; None if it reads none."""
    found = by[step.inputs[0]] if step.inputs else None
    return found if found is not None and "before" in found.facts else None


def _before_by_numbers(step: ReadStep, by: NumberedSteps) -> ReadStep | None:
    """Return the padding that a step reads, unless it pads to the size of another value."""
    found = _before(step, by)
    is_like = found is not None and isinstance(found.op, ZeroPad) and found.op.like
    return None if is_like else found


def _sides(pad: ReadStep) -> tuple[Dims, Dims]:
    return cast("Dims", pad.facts["before"]), cast("Dims", pad.facts["after"])


def _is_plain(layer: Conv | MaxPool | AvgPool) -> bool:
    """Return whether a layer has no padding of its own."""
    has_none = layer.pad == "valid" or (layer.pad == "same" and all(each == 1 for each in layer.kernel))
    return has_none and not (isinstance(layer, MaxPool | AvgPool) and (layer.ceil or layer.out or layer.like))


def _same_as_tensorflow(step: ReadStep, by: NumberedSteps) -> ReadStep | None:
    """Match a padding that depends on the input size as TensorFlow's does, at both sizes that were tried."""
    pad = _before(step, by)
    if pad is None or not isinstance(step.op, Conv | MaxPool | AvgPool) or not _is_plain(step.op):
        return None
    wanted = "ignored padding" if isinstance(step.op, MaxPool) else None
    if (pad.op != wanted) if wanted else not isinstance(pad.op, ZeroPad):
        return None
    source = by[pad.inputs[0]].shape.spatial
    there, pads = pad.facts.get("there"), cast("Sequence[int] | None", pad.facts.get("elsewhere"))
    if pads is None or there is None:
        return None
    given = (tuple(pads[::-1][1::2]), tuple(pads[::-1][::2]))
    if _sides(pad) != _tensorflow(step.op, source) or given != _tensorflow(step.op, cast("Dims", there)):
        return None
    return replace(step, op=replace(step.op, pad="tfsame"), inputs=pad.inputs[:1])


def _tensorflow(layer: Conv | MaxPool | AvgPool, sizes: Dims) -> tuple[Dims, Dims]:
    rank = len(sizes)
    kernel, stride = each_axis(layer.kernel, rank, "kernel"), each_axis(layer.stride, rank, "stride")
    dilation = (1,) * rank if isinstance(layer, AvgPool) else each_axis(layer.dilation, rank, "dilation")
    totals = [
        max((-(-size // s) - 1) * s + d * (k - 1) + 1 - size, 0)
        for size, k, s, d in zip(sizes, kernel, stride, dilation, strict=True)
    ]
    return tuple([each // 2 for each in totals]), tuple([each - each // 2 for each in totals])


def _ignored(step: ReadStep, by: NumberedSteps) -> ReadStep | None:
    """Merge a padding with minus infinity into the max pooling after it, if it is smaller than a window."""
    pad = _before_by_numbers(step, by)
    if pad is None or pad.op != "ignored padding" or not isinstance(step.op, MaxPool) or not _is_plain(step.op):
        return None
    before, after = _sides(pad)
    rank = len(before)
    kernel = each_axis(step.op.kernel, rank, "kernel")
    source = by[pad.inputs[0]]
    halves = [k // 2 for k in kernel]
    for layer in (
        replace(step.op, pad=before if any(before) else "valid"),
        replace(step.op, pad=before if any(before) else "valid", ceil=True),
        replace(step.op, pad="same"),
    ):
        fits = all(b <= h for b, h in zip(before, halves, strict=True)) or layer.pad == "same"
        if fits and layer.output(source.shape) == step.shape and _covers(layer, source.shape.spatial, before, after):
            return replace(step, op=layer, inputs=pad.inputs)
    return None


def _covers(layer: MaxPool, sizes: Dims, before: Dims, after: Dims) -> bool:
    """Return whether the windows start at the same positions as before."""
    if layer.pad == "same":
        kernel = each_axis(layer.kernel, len(sizes), "kernel")
        return all(b == (k - 1) // 2 for b, k in zip(before, kernel, strict=True))
    return bool(after)


def _bordered(step: ReadStep, by: NumberedSteps) -> ReadStep | None:
    """Match a convolution that pads in its own module: with a value other than zero, or unevenly."""
    pad = _before_by_numbers(step, by)
    if pad is None or not isinstance(step.op, Conv) or not _is_plain(step.op) or pad.module != step.module:
        return None
    before, after = _sides(pad)
    kernel, dilation = (each_axis(each, len(before), "kernel") for each in (step.op.kernel, step.op.dilation))
    reach = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    half = tuple([each // 2 for each in reach])
    rest = tuple([each - each // 2 for each in reach])
    border = _BORDERS.get(type(pad.op), "zeros")
    if (before, after) == (half, rest) and (border == "zeros" or half == rest):
        return replace(step, op=replace(step.op, pad="same", border=border), inputs=pad.inputs)
    if before == after and border != "zeros":
        pads = before[:1] if len(set(before)) == 1 else before
        return replace(step, op=replace(step.op, pad=pads, border=border), inputs=pad.inputs)
    return None


def _blurred(step: ReadStep, by: NumberedSteps) -> ReadStep | None:
    """Match a fixed binomial filter after a padding."""
    pad = _before_by_numbers(step, by)
    if step.op != "fixed filter" or pad is None:
        return None
    kernel, stride = cast("int", step.facts["kernel"]), cast("int", step.facts["stride"])
    side = (stride + kernel - 2) // 2
    border = "zeros" if isinstance(pad.op, ZeroPad) else _BORDERS.get(type(pad.op), "")
    sides = {each for several in _sides(pad) for each in several}
    if sides != {side} or border not in ("zeros", "reflect"):
        return None
    return replace(step, op=BlurPool(kernel, stride, border), inputs=pad.inputs, facts={})


def _around(step: ReadStep, by: NumberedSteps) -> ReadStep | None:
    """Match a convolution along the channels with circular padding."""
    pad = by[step.inputs[0]] if step.inputs else None
    if not isinstance(step.op, ChannelConv) or pad is None or pad.op != "circular channels":
        return None
    if pad.facts["sides"] != (step.op.kernel // 2,) * 2 or step.op.border != "zeros" or not step.facts["bare"]:
        return None
    return replace(step, op=replace(step.op, border="circular"), inputs=pad.inputs)


def _cut(step: ReadStep, by: NumberedSteps) -> ReadStep | None:
    """Match a crop of one axis followed by a crop of another."""
    inner = by[step.inputs[0]] if step.inputs else None
    if not isinstance(step.op, Crop) or inner is None or not isinstance(inner.op, Crop):
        return None
    if step.op.out or step.op.like or inner.op.out or inner.op.like:
        return None
    rank = step.shape.rank
    several = [(each.op.margin, each.op.after or each.op.margin) for each in (step, inner) if isinstance(each.op, Crop)]
    before, after = (
        tuple(map(sum, zip(*[each_axis(margins[side], rank, "margin") for margins in several], strict=True)))
        for side in (0, 1)
    )
    return replace(step, op=crop(before, after), inputs=inner.inputs)


def crop(before: Sequence[int], after: Sequence[int]) -> Crop:
    """Return the layer that crops margins, with a single number if the axes agree."""
    margin, far = (tuple(each[:1]) if len(set(each)) == 1 else tuple(each) for each in (before, after))
    return Crop(margin, () if margin == far else far)


FOLDINGS: tuple[StepRule, ...] = (_same_as_tensorflow, _ignored, _bordered, _blurred, _around, _cut)
"""The rules, in the order in which they are tried."""
