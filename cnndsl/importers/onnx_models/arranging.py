"""ONNX's operators that move, slice, pad or enlarge values."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from cnndsl.importers.onnx_models.maker import OnnxMaker
from cnndsl.importers.onnx_models.ranges import AxisRange, is_zero, pads
from cnndsl.importers.onnx_models.views import REPEATED, AxisRun, AxisRuns, OnnxView, resized
from cnndsl.importers.onnx_models.windows import brief
from cnndsl.layers.arrange import PadChannels, Pick, Slice
from cnndsl.layers.base import Dims, Layer
from cnndsl.layers.margin import CircularPad, Crop, ReflectPad, ReplicatePad, ZeroPad
from cnndsl.layers.pixel_shuffle import PixelShuffle, PixelUnshuffle
from cnndsl.layers.pool import MaxPool
from cnndsl.layers.reshape import Reshape
from cnndsl.layers.resize import Upsample


def same(maker: OnnxMaker) -> None:
    """Return the input unchanged."""
    maker.give(maker.view())


def transpose(maker: OnnxMaker) -> None:
    """Permute the axes other than the batch."""
    view = maker.view()
    rank = 1 + len(view.groups)
    order = [axis % rank for axis in maker.node.several("perm")] or list(reversed(range(rank)))
    if order[0] != 0:
        raise maker.wrong(f"the order {tuple(order)} moves the images of a batch, and has no counterpart")
    maker.give(view.permuted([axis - 1 for axis in order[1:]]))


def reshape(maker: OnnxMaker) -> None:
    """Change the shape: Reshape, Flatten, Squeeze and Unsqueeze."""
    node, view = maker.node, maker.view()
    before, after = maker.model.dims.get(node.inputs[0]), maker.model.dims.get(node.outputs[0])
    if before is None or after is None:
        raise maker.wrong("its shape is not known")
    if not after or before[0] != after[0]:
        raise maker.wrong(f"a shape of {after} made of {before} mixes the images of a batch, and has no counterpart")
    found = view.reshaped(after[1:])
    is_in_order = view.atoms == maker.plainly(view.node).atoms
    if found is None and is_in_order and 2 < len(after) < 6:
        maker.give(maker.add(Reshape((*after[2:], after[1])), view.node))
        return
    if found is None:
        flat = view.reshaped((prod(view.dims),))
        assert flat is not None
        found = maker.plainly(maker.settled(flat)).reshaped(after[1:])
    if found is None:
        raise maker.wrong(f"{before} as {after} has no counterpart")
    maker.give(found)


def expand(maker: OnnxMaker) -> None:
    """Repeat an axis of size 1."""
    node, view = maker.node, maker.view()
    before, after = maker.model.dims.get(node.inputs[0], ()), maker.model.dims.get(node.outputs[0], ())
    if len(before) != len(after) or before[:1] != after[:1]:
        raise maker.wrong(f"{before} as {after} has no counterpart")
    groups: list[AxisRuns] = []
    for group, size, wanted in zip(view.groups, before[1:], after[1:], strict=True):
        groups.append(group if size == wanted else (AxisRun(REPEATED, maker.repeat(), wanted),))
    maker.give(view.over(view.node, groups))


def split(maker: OnnxMaker) -> None:
    """Split an axis into ranges; only ranges that are read are built."""
    axis = maker.axis(0)
    view, at = maker.view(), 0
    for number, name in enumerate(maker.node.outputs):
        size = maker.model.dims[name][1 + axis]
        if name in maker.model.readers or name in maker.model.outputs:
            maker.give(_cut(maker, view, {axis: AxisRange(at, at + size, 1, view.dims[axis])}), number)
        at += size


def slices(maker: OnnxMaker) -> None:
    """Slice ranges of channels and of positions."""
    ranges: Mapping[int, AxisRange] = maker.node.attributes["ranges"]
    if 0 in ranges:
        raise maker.wrong("some of a batch's images have no counterpart")
    maker.give(_cut(maker, maker.view(), {axis - 1: each for axis, each in ranges.items()}))


def unknown_slice(maker: OnnxMaker) -> None:
    """Raise CnnError for a slice that matches no pattern."""
    raise maker.wrong("a slice that depends on values, or runs backwards, has no counterpart")


def _cut(maker: OnnxMaker, view: OnnxView, ranges: Mapping[int, AxisRange]) -> OnnxView:
    """Slice a view's axes: the channels, then the positions, then the positions with a step."""
    if any(each.count < 1 for each in ranges.values()):
        raise maker.wrong("a range without positions has no counterpart")
    if not view.is_whole or any(maker.axis_of(view, at) is None for at in ranges):
        view = maker.plainly(maker.settled(view))
    found = {axis: each for at, each in ranges.items() if (axis := maker.axis_of(view, at)) is not None}
    channels = found.pop(0, None)
    if channels is not None and channels.step > 1:
        view = _over(maker, view, Pick(tuple(range(channels.start, channels.stop, channels.step))))
    elif channels is not None and channels.count < channels.size:
        view = _over(maker, view, Slice(channels.start, channels.stop))
    if not found:
        return view
    rank = maker.shape(view.node).rank
    margin, after, steps = [0] * rank, [0] * rank, [1] * rank
    for axis, each in found.items():
        is_strided = each.step > 1
        margin[axis - 1] = each.start
        after[axis - 1] = 0 if is_strided else each.size - each.stop
        steps[axis - 1] = each.step
        if is_strided and each.count != -(-(each.size - each.start) // each.step):
            raise maker.wrong("every so many positions of a range have no counterpart")
    if any(margin) or any(after):
        same = margin == after
        view = _over(maker, view, Crop(margin=brief(margin), after=() if same else brief(after)))
    if set(steps) != {1}:
        view = _over(maker, view, MaxPool((1,), brief(steps)))
    return view


def _over(maker: OnnxMaker, view: OnnxView, layer: Layer) -> OnnxView:
    """Apply a layer to the node under a view of whole axes, and return the view of its output."""
    node = maker.add(layer, view.node)
    if view == maker.plainly(view.node):
        return maker.plainly(node)
    return resized(view, node, maker.shape(node))


def gather(maker: OnnxMaker) -> None:
    """Select channels by their indices."""
    axis = maker.axis(0)
    numbers, constant = maker.integers(1, "index"), maker.constant(1)
    view = maker.led(maker.view(), axis)
    channels = maker.shape(view.node).channels
    chosen = [each + channels if each < 0 else each for each in numbers]
    if constant is None or (len(constant.dims) > 1 and maker.node.op != "pick"):
        raise maker.wrong("an index of several axes has no counterpart")
    start, stop = chosen[0], chosen[-1] + 1
    layer = Slice(start, stop) if chosen == list(range(start, stop)) else Pick(tuple(chosen))
    found = _over(maker, view, layer)
    groups = [group for at, group in enumerate(found.groups) if at != axis] if not constant.dims else found.groups
    maker.give(found.over(found.node, groups))


def pad(maker: OnnxMaker) -> None:
    """Pad a map with zeros or by reflecting, replicating or wrapping around its values."""
    node, view = maker.node, maker.view()
    amounts = pads(maker.model, node)
    if amounts is None or min(map(min, amounts)) < 0:
        raise maker.wrong("a padding below zero, or that is no constant, has no counterpart")
    padded = {at - 1: each for at, each in enumerate(amounts) if any(each)}
    if not padded:
        maker.give(view)
        return
    if not view.is_whole or any(maker.axis_of(view, at) is None for at in padded):
        view = maker.plainly(maker.settled(view))
    axes = {maker.axis_of(view, at): each for at, each in padded.items()}
    if -1 in padded or 0 in axes:
        raise maker.wrong("images or channels that are padded like this have no counterpart")
    rank = maker.shape(view.node).rank
    before, after = (brief([axes.get(axis, (0, 0))[side] for axis in range(1, 1 + rank)]) for side in (0, 1))
    maker.give(_over(maker, view, _padding(maker, before, after)))


def _padding(maker: OnnxMaker, before: Dims, after: Dims) -> Layer:
    far = () if before == after else after
    if is_zero(maker.model, maker.node):
        return ZeroPad(before, far)
    modes = {"reflect": ReflectPad, "edge": ReplicatePad, "wrap": CircularPad}
    mode = maker.node.word("mode", "constant")
    if mode not in modes:
        raise maker.wrong("a padding with another number than 0 has no counterpart")
    return modes[mode](before, far)


def padded_channels(maker: OnnxMaker) -> None:
    """Pad with channels of zeros."""
    at, node = maker.plain(), maker.node
    channels = maker.shape(at).channels + node.whole("added", 0)
    where = "both" if node.attributes["where"] else "after"
    maker.give(maker.add(PadChannels(channels, brief(node.several("steps")), where), at))


def resize(maker: OnnxMaker) -> None:
    """Resize a map by a factor or to a size, in the modes that PyTorch has."""
    node, view = maker.node, maker.whole()
    before, after = maker.model.dims.get(node.inputs[0]), maker.model.dims.get(node.outputs[0])
    if before is None or after is None or before[0] != after[0]:
        raise maker.wrong("its size is not known")
    changed = [at for at, (size, wanted) in enumerate(zip(before, after, strict=True)) if size != wanted]
    if any(maker.axis_of(view, at - 1) is None for at in changed):
        view = maker.plainly(maker.settled(view))
    axes = {maker.axis_of(view, at - 1): after[at] for at in changed}
    shape = maker.shape(view.node)
    if 0 in axes or not shape.rank:
        raise maker.wrong("a change of the number of channels has no counterpart")
    wanted = tuple([axes.get(axis, size) for axis, size in enumerate(shape.spatial, 1)])
    is_multiple = all(size and new % size == 0 for size, new in zip(shape.spatial, wanted, strict=True))
    factors = tuple([new // size for size, new in zip(shape.spatial, wanted, strict=True)])
    _check_scales(maker, before, after)
    mode, align = _mode(maker, shape.spatial, wanted, is_multiple=is_multiple)
    scale, out = (brief(factors), ()) if is_multiple else ((), brief(wanted))
    layer = Upsample(scale=scale, mode=mode, align=align, out=out)
    maker.give(_over(maker, view, layer))


def _check_scales(maker: OnnxMaker, before: Dims, after: Dims) -> None:
    """Raise CnnError if positions are computed from a scale that is not the quotient of the sizes."""
    at = 1 if maker.node.op == "Upsample" or maker.model.opset < 11 else 2
    constant = maker.constant(at)
    scales = maker.node.attributes.get("scales", () if constant is None else constant.values)
    if scales is None or not len(scales):
        return
    for scale, size, wanted in zip(scales, before, after, strict=False):
        if abs(float(scale) * size - wanted) > 1e-4 * wanted:
            raise maker.wrong(
                f"a scale of {float(scale):.6g}, which {size} and {wanted} do not have, has no counterpart"
            )


def _mode(maker: OnnxMaker, before: Dims, after: Dims, *, is_multiple: bool) -> tuple[str, bool]:
    """Return UPSAMPLE's mode, and whether corners are aligned. Raises CnnError for an unsupported mode."""
    node = maker.node
    mode = node.word("mode", "nearest")
    is_old = node.op == "Upsample" or maker.model.opset < 11
    positions = node.word("coordinate_transformation_mode", "asymmetric" if is_old else "half_pixel")
    if node.whole("antialias", 0) or node.whole("exclude_outside", 0):
        raise maker.wrong("a resampling that is smoothed, or leaves out what is outside, has no counterpart")
    if mode == "nearest":
        rounding = node.word("nearest_mode", "floor" if is_old else "round_prefer_floor")
        is_floor = (positions, rounding) == ("asymmetric", "floor")
        is_round = positions in ("half_pixel", "pytorch_half_pixel") and rounding.startswith("round")
        if is_floor or (is_multiple and is_round and 1 not in after):
            return "nearest", False
    elif mode in ("linear", "cubic") and positions in ("half_pixel", "pytorch_half_pixel", "align_corners"):
        is_one = any(new == 1 and size > 1 for size, new in zip(before, after, strict=True))
        is_usual = mode == "linear" or node.number("cubic_coeff_a", -0.75) == -0.75
        if is_usual and not is_one and not (mode == "cubic" and len(before) != 2):
            return "bicubic" if mode == "cubic" else "linear", positions == "align_corners"
    rounding = node.word("nearest_mode", "") if mode == "nearest" else ""
    raise maker.wrong(f"the mode {' '.join(filter(None, (mode, positions, rounding)))} has no counterpart")


def depth_to_space(maker: OnnxMaker) -> None:
    """Turn channels into blocks of positions: in PyTorch's order (`CRD`) or TensorFlow's (`DCR`)."""
    mode = maker.node.word("mode", "DCR")
    order = {"CRD": "channels", "DCR": "blocks"}.get(mode)
    if order is None:
        raise maker.wrong(f"the mode `{mode}` is not known")
    maker.give(maker.add(PixelShuffle(maker.node.whole("blocksize", 1), order), maker.plain()))


def space_to_depth(maker: OnnxMaker) -> None:
    """Turn blocks of positions into channels, in TensorFlow's order."""
    maker.give(maker.add(PixelUnshuffle(maker.node.whole("blocksize", 1), "blocks"), maker.plain()))
