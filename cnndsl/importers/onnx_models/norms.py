"""ONNX's normalisations, and tensors that values are multiplied by or added to."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite

from cnndsl.importers.onnx_models.maker import OnnxMaker, is_named
from cnndsl.importers.onnx_models.model import OnnxConstant
from cnndsl.importers.onnx_models.views import OnnxView
from cnndsl.layers.arrange import Times
from cnndsl.layers.base import Layer
from cnndsl.layers.local_norm import LocalResponseNorm
from cnndsl.layers.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm
from cnndsl.layers.response import EuclideanNorm, GlobalResponse, RootMeanSquareNorm
from cnndsl.layers.scale import Scale


def batch_norm(maker: OnnxMaker) -> None:
    """Add a batch normalisation. ONNX's momentum weights the old statistics, PyTorch's the new ones."""
    node = maker.node
    if not node.whole("spatial", 1):
        raise maker.wrong("statistics for each position have no counterpart")
    view = maker.led(maker.view(), 0)
    is_affine = not (maker.is_one_of(1, 1) and maker.is_one_of(2, 0))
    if is_affine:
        _channels(maker, view, 1)
        _channels(maker, view, 2, "bias")
    momentum = round(1 - node.number("momentum", 0.9), 6)
    _over(maker, view, BatchNorm(node.number("epsilon", 1e-5), momentum, is_affine))


def centred(maker: OnnxMaker) -> None:
    """Add a batch normalisation of Keras: (x - mean)*factor + bias, along any axis."""
    axis = _axis(maker, maker.view(), maker.model.constants[maker.node.reads(1)])
    view = maker.led(maker.view(), axis)
    maker.weight(1)
    maker.weight(2, "bias")
    maker.note("batch normalisations have lost their `eps` in the file: they are (x - mean) times a factor there")
    _over(maker, view, BatchNorm())


def _over(maker: OnnxMaker, view: OnnxView, layer: Layer) -> None:
    """Set the output to a shape-preserving layer applied to the node under a view."""
    maker.give(view.over(maker.add(layer, view.node)))


def _channels(maker: OnnxMaker, view: OnnxView, at: int, what: str = "weight") -> OnnxConstant:
    """Return a tensor with a value for each channel."""
    found, channels = maker.weight(at, what), maker.shape(view.node).channels
    if found.numel != channels:
        raise maker.wrong(f"its {what} has {found.numel} values for {channels} channels")
    return found


def instance_norm(maker: OnnxMaker) -> None:
    """Add a normalisation of each channel of each image."""
    at = maker.plain()
    view = maker.plainly(at)
    is_affine = not (maker.is_one_of(1, 1) and maker.is_one_of(2, 0))
    if is_affine:
        _channels(maker, view, 1)
        _channels(maker, view, 2, "bias")
    maker.give(maker.add(InstanceNorm(maker.node.number("epsilon", 1e-5), is_affine), at))


def group_norm(maker: OnnxMaker) -> None:
    """Add a group normalisation; opset 18's weight for each group has no counterpart."""
    at, node = maker.plain(), maker.node
    groups = node.whole("num_groups", node.whole("groups", 0))
    constants = [constant for at in (1, 2) if (constant := maker.constant(at)) is not None]
    is_affine = bool(constants) and not (maker.is_one_of(1, 1) and maker.is_one_of(2, 0) and constants[0].numel == 1)
    if is_affine:
        _channels(maker, maker.plainly(at), 1)
        _channels(maker, maker.plainly(at), 2, "bias")
    maker.give(maker.add(GroupNorm(node.number("epsilon", 1e-5), is_affine, groups), at))


def layer_norm(maker: OnnxMaker) -> None:
    """Add a layer normalisation over all values of an image, or over the last axis, which becomes the channel axis."""
    node = maker.node
    rank = 1 + len(maker.view().groups)
    axes = node.several("axes") or tuple(range(node.whole("axis", -1) % rank, rank))
    if len(node.outputs) > 1 and any(node.outputs[1:]):
        raise maker.wrong("a mean or deviation as a value has no counterpart")
    if axes == tuple(range(1, rank)) and rank != 2:
        _normalised(maker, maker.plainly(maker.plain()), LayerNorm(node.number("epsilon", 1e-5)))
    elif len(axes) == 1 and axes[0]:
        view = maker.led(maker.view(), axes[0] - 1)
        over = "channels" if maker.shape(view.node).rank else "all"
        _normalised(maker, view, LayerNorm(node.number("epsilon", 1e-5), over=over))
    else:
        raise maker.wrong(f"a normalisation over the axes {axes} has no counterpart")


def _normalised(maker: OnnxMaker, view: OnnxView, layer: LayerNorm) -> None:
    """Add a normalisation with both weight and bias, or neither; a weight without a bias becomes a separate layer."""
    values = [maker.weight(at, what) for at, what in ((1, "weight"), (2, "bias")) if maker.node.reads(at)]
    shape = maker.shape(view.node)
    wanted = shape.channels if layer.over == "channels" else shape.numel
    extents = (shape.channels, *(() if layer.over == "channels" else shape.spatial))
    if any(each.numel != wanted or (shape.rank and len(extents) > 1 and each.dims != extents) for each in values):
        raise maker.wrong(f"its weight is {values[0].dims}, and not {extents}")
    if len(values) == 2:
        _over(maker, view, layer)
        return
    plain = view.over(maker.add(replace(layer, affine=False), view.node))
    if values and wanted != shape.channels:
        raise maker.wrong("a weight without a bias has no counterpart")
    _over(maker, plain, Scale(bias=False)) if values else maker.give(plain)


def root_mean_square(maker: OnnxMaker) -> None:
    """Add an RMS normalisation over the channels at each position."""
    node = maker.node
    rank = 1 + len(maker.view().groups)
    axes = node.several("axes") or tuple(range(node.whole("axis", -1) % rank, rank))
    if len(axes) != 1 or not axes[0]:
        raise maker.wrong(f"a mean square over the axes {axes} has no counterpart")
    view = maker.led(maker.view(), axes[0] - 1)
    has_weight = bool(maker.node.reads(1))
    if has_weight:
        _channels(maker, view, 1)
    _over(maker, view, RootMeanSquareNorm(node.number("epsilon", 1e-5), has_weight))


def global_response(maker: OnnxMaker) -> None:
    """Add a global response normalisation of each channel over all positions, relative to the other channels."""
    constant = maker.constant(1)
    assert constant is not None
    view = maker.led(maker.view(), _axis(maker, maker.view(), constant))
    _channels(maker, view, 1)
    _channels(maker, view, 2, "bias")
    _over(maker, view, GlobalResponse(maker.node.number("epsilon", 1e-6)))


def euclidean(maker: OnnxMaker) -> None:
    """Add an L2 normalisation of the channels at each position."""
    node = maker.node
    if node.whole("p", 2) != 2:
        raise maker.wrong("another norm than the second has no counterpart")
    view = maker.led(maker.view(), maker.axis(-1))
    has_weight = bool(node.reads(1))
    if has_weight:
        _channels(maker, view, 1)
    _over(maker, view, EuclideanNorm(max(node.number("epsilon", 1e-12), 1e-12), has_weight))


def local_response(maker: OnnxMaker) -> None:
    """Add LRN. Alpha is divided by the size, as in PyTorch. An even size selects other neighbours than in PyTorch."""
    node = maker.node
    size = node.whole("size", 0)
    if size % 2 == 0:
        raise maker.wrong(f"{size} neighbours, of which one more follows than in PyTorch, have no counterpart")
    alpha, beta, k = node.number("alpha", 1e-4), node.number("beta", 0.75), node.number("bias", 1.0)
    maker.give(maker.add(LocalResponseNorm(size, alpha, beta, k), maker.plain()))


# Tensors


def scaled(maker: OnnxMaker, at: int) -> None:
    """Multiply a value by a tensor, which is input `at`: a constant of the code, or weights."""
    constant = maker.constant(at)
    assert constant is not None
    number = constant.only() if constant.numel == 1 else None
    if number is not None and not is_named(constant.root):
        if not isfinite(number):
            raise maker.wrong(f"a product with {number} has no counterpart")
        view = maker.whole(1 - at)
        _over(maker, view, Times(number))
        return
    _parameter(maker, at, is_weight=True)


def shifted(maker: OnnxMaker, at: int) -> None:
    """Add a tensor, which is input `at`, to a value."""
    constant = maker.constant(at)
    assert constant is not None
    if constant.numel == 1 and not is_named(constant.root):
        raise maker.wrong(f"a sum with the number {constant.only()} has no counterpart")
    _parameter(maker, at, is_weight=False)


def _parameter(maker: OnnxMaker, at: int, *, is_weight: bool) -> None:
    """Add a weight or bias for each channel, or one for all."""
    view = maker.view(1 - at)
    constant = maker.constant(at)
    assert constant is not None
    axis = _axis(maker, view, constant)
    view = maker.led(view, axis) if constant.numel > 1 else maker.whole(1 - at)
    tensor = maker.weight(at, "weight" if is_weight else "bias")
    _over(maker, view, Scale(is_weight, not is_weight, shared=tensor.numel == 1))


def _axis(maker: OnnxMaker, view: OnnxView, constant: OnnxConstant) -> int:
    """Return the axis of a view that a tensor has values for. Raises CnnError if there are several."""
    dims = (1,) * (1 + len(view.groups) - len(constant.dims)) + constant.dims
    wide = [axis for axis, size in enumerate(dims) if size > 1]
    if len(dims) != 1 + len(view.groups) or len(wide) > 1 or wide == [0]:
        raise maker.wrong(f"a tensor of {constant.dims} beside a value of {view.dims} has no counterpart")
    if wide and view.dims[wide[0] - 1] != constant.numel:
        raise maker.wrong(f"a value of {view.dims} that is repeated has no counterpart")
    return wide[0] - 1 if wide else 0


def affine(maker: OnnxMaker) -> None:
    """Add a weight and a bias for each channel."""
    constant = maker.constant(1)
    assert constant is not None
    view = maker.led(maker.view(), _axis(maker, maker.view(), constant))
    _channels(maker, view, 1)
    _channels(maker, view, 2, "bias")
    _over(maker, view, Scale())
