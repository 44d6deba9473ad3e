"""Ranges of positions and channels, as Slice and Pad express them in all their versions."""

from __future__ import annotations

from collections.abc import Mapping

from cnndsl.importers.onnx_models.model import OnnxModel, OnnxNode
from cnndsl.importers.onnx_models.products import Found
from cnndsl.records import record


@record(slots=True)
class AxisRange:
    """The positions from `start` to before `stop`, by steps, of an axis of the given size."""

    start: int
    stop: int
    step: int
    size: int

    @property
    def count(self) -> int:
        """Return the number of positions."""
        return len(range(self.start, self.stop, self.step))


def sliced(model: OnnxModel, node: OnnxNode) -> Found | None:
    """Find a slice with its axes; merge it with a preceding slice along other axes that has no other reader."""
    ranges = _ranges(model, node)
    if ranges is None:
        return None
    before = model.made_by(node.inputs[0], "slices")
    if before is not None and ranges.keys().isdisjoint(before.attributes["ranges"]):
        return Found("slices", before.inputs, {"ranges": {**before.attributes["ranges"], **ranges}})
    return Found("slices", node.inputs[:1], {"ranges": ranges})


def _ranges(model: OnnxModel, node: OnnxNode) -> Mapping[int, AxisRange] | None:
    """Return the ranges of a Slice by axis; None if they are not constant."""
    dims = model.dims.get(node.inputs[0], ())
    given: list[tuple[int, ...] | None] = []
    for at, key in enumerate(("starts", "ends", "axes", "steps"), 1):
        if node.reads(at):
            constant = model.constants.get(node.reads(at))
            given.append(constant.integers() if constant is not None else None)
            if given[-1] is None:
                return None
        else:
            given.append(node.several(key) or None)
    starts, ends, axes, steps = given
    if not dims or starts is None or ends is None:
        return None
    found: dict[int, AxisRange] = {}
    for axis, start, end, step in zip(
        axes or range(len(starts)), starts, ends, steps or (1,) * len(starts), strict=True
    ):
        size = dims[axis]
        if step < 1:
            return None
        first, last, _ = slice(start, end, step).indices(size)
        if (first, last, step) != (0, size, 1):
            found[axis % len(dims)] = AxisRange(first, last, step, size)
    return found


def pads(model: OnnxModel, node: OnnxNode) -> list[tuple[int, int]] | None:
    """Return the padding that a Pad adds before and after each axis; None if it is not constant."""
    rank = len(model.dims.get(node.inputs[0], ()))
    amounts = node.several("pads")
    axes = tuple(range(rank))
    if node.reads(1):
        constant = model.constants.get(node.reads(1))
        amounts = (constant.integers() if constant is not None else None) or ()
    if node.reads(3):
        constant = model.constants.get(node.reads(3))
        axes = (constant.integers() if constant is not None else None) or ()
    if len(amounts) != 2 * len(axes):
        return None
    found = [(0, 0)] * rank
    for at, axis in enumerate(axes):
        found[axis % rank] = amounts[at], amounts[at + len(axes)]
    return found


def is_zero(model: OnnxModel, node: OnnxNode) -> bool:
    """Return whether a Pad pads with zeros."""
    given = model.scalar(node.reads(2)) if node.reads(2) else node.number("value", 0.0)
    return node.word("mode", "constant") == "constant" and given == 0


def padded_channels(model: OnnxModel, node: OnnxNode) -> Found | None:
    """Find zero channels that are added to every second position: the parameter-free shortcut of ResNets."""
    amounts = pads(model, node)
    if amounts is None or not is_zero(model, node) or len(amounts) < 3 or any(map(any, amounts[2:])) or any(amounts[0]):
        return None
    before, after = amounts[1]
    if before not in (0, (before + after) // 2) or not after:
        return None
    slices = model.made_by(node.inputs[0], "slices")
    ranges: Mapping[int, AxisRange] = slices.attributes["ranges"] if slices is not None else {}
    is_strided = all(
        axis > 1 and each.step > 1 and (each.start, each.stop) == (0, each.size) for axis, each in ranges.items()
    )
    source = slices.inputs[0] if slices is not None and is_strided else node.inputs[0]
    steps = [ranges[axis].step if is_strided and axis in ranges else 1 for axis in range(2, len(amounts))]
    return Found("padchannels", (source,), {"added": before + after, "where": bool(before), "steps": tuple(steps)})
