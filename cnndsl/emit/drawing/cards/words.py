"""Names of layers in a drawing, and the notation of shapes, windows and strides.

Labels omit default padding, strides of 1 and the names of classes. A layer type of another package keeps its name.
"""

from __future__ import annotations

from collections.abc import Mapping

from cnndsl.emit.drawing.cards.model import GrowthBar
from cnndsl.emit.drawing.themes import role_of
from cnndsl.graph.node import Node
from cnndsl.layers import KINDS
from cnndsl.layers.base import Dims, Layer
from cnndsl.shape import Shape
from cnndsl.terminal import clean

TIMES = "×"

_WORDS: Mapping[str, str] = {
    "CONV": "conv",
    "DWCONV": "depthwise",
    "CONVT": "up-conv",
    "LOCAL": "local conv",
    "CHANNELCONV": "channel conv",
    "POOL": "max pool",
    "AVGPOOL": "avg pool",
    "SUMPOOL": "sum pool",
    "LPPOOL": "Lp pool",
    "BLURPOOL": "blur pool",
    "UNPOOL": "unpool",
    "CHANNELMAX": "channel max",
    "CHANNELMEAN": "channel mean",
    "UPSAMPLE": "upsample",
    "RELU": "ReLU",
    "RELU6": "ReLU6",
    "LEAKYRELU": "leaky ReLU",
    "PRELU": "PReLU",
    "STARRELU": "StarReLU",
    "HSIGMOID": "h-sigmoid",
    "HSWISH": "h-swish",
    "SILU": "SiLU",
    "MISH": "Mish",
    "SIGMOID": "sigmoid",
    "TANH": "tanh",
    "HARDTANH": "hard tanh",
    "SOFTMAX": "softmax",
    "LOGSOFTMAX": "log softmax",
    "LOGSIGMOID": "log sigmoid",
    "SOFTPLUS": "softplus",
    "SOFTSIGN": "softsign",
    "DROPOUT": "dropout",
    "DROPPATH": "drop path",
    "FLATTEN": "flatten",
    "RESHAPE": "reshape",
    "PERMUTE": "permute",
    "PIXELSHUFFLE": "pixel shuffle",
    "PIXELUNSHUFFLE": "pixel unshuffle",
    "PADCHANNELS": "pad channels",
    "SHUFFLE": "shuffle",
    "SLICE": "slice",
    "PICK": "pick",
    "TIMES": "times",
    "ZEROPAD": "zero pad",
    "REFLECTPAD": "reflect pad",
    "REPLICATEPAD": "replicate pad",
    "CIRCULARPAD": "circular pad",
    "CROP": "crop",
    "SCALE": "scale",
    "EVONORM": "EvoNorm",
    "RMSNORM": "RMS norm",
    "L2NORM": "L2 norm",
}
"""The names of layer types that drawings call otherwise."""

ENTERING = "c′"
"""The input channels, if they are not a multiple of a width."""
_MERGES: Mapping[str, str] = {
    "ADD": "sum",
    "CONCAT": "concatenate",
    "MUL": "product",
    "SUB": "first − second",
    "MAX": "maximum",
    "MEAN": "mean",
}

_PLAIN = frozenset({"CONV"})
"""Layer types of which an opened block shows only the window."""


def word_of(name: str) -> str:
    """Return the name of a layer type in drawings; any other name is returned unchanged.

    >>> word_of("HSWISH"), word_of("k")
    ('h-swish', 'k')
    """
    return _WORDS.get(name, name)


def shape_text(shape: Shape) -> str:
    """Return a shape as drawings write it.

    >>> shape_text(Shape(64, (56, 56)))
    '56×56×64'
    """
    return TIMES.join(map(str, shape.hwc))


def dims_text(dims: tuple[int, ...], rank: int) -> str:
    """Return the extents, one for each axis.

    >>> dims_text((3,), 2), dims_text((1, 7), 2)
    ('3×3', '1×7')
    """
    whole = dims * rank if len(dims) == 1 else dims
    return TIMES.join(map(str, whole))


def stride_of(layer: Layer) -> tuple[int, ...]:
    """Return the stride of a layer, or () if it is 1 or the layer has none."""
    found: tuple[int, ...] | int = getattr(layer, layer.STRIDE) if layer.STRIDE else ()
    extents = (found,) if isinstance(found, int) else found
    return () if all(each == 1 for each in extents) else extents


def stride_text(stride: tuple[int, ...]) -> str:
    """Return a stride as labels show it.

    >>> stride_text((2, 2)), stride_text((1, 2)), stride_text(())
    ('/2', '/1×2', '')
    """
    if not stride:
        return ""
    return f"/{stride[0]}" if len(set(stride)) == 1 else f"/{TIMES.join(map(str, stride))}"


def slide_text(layer: Layer) -> str:
    """Return the stride of a layer as labels show it: `/2`, or `×2` for a layer that enlarges; empty for one that
    restores the size before a pool, which may not be a multiple."""
    if layer.INDICES_OF:
        return ""
    text = stride_text(stride_of(layer))
    return text.replace("/", TIMES, 1) if role_of(layer) == "up" else text


def width_of(layer: Layer) -> int:
    """Return the width that a program gives a layer, or 0 if it follows from the input."""
    found: int = getattr(layer, layer.WIDTH) if layer.WIDTH else 0
    return found


def window_of(layer: Layer) -> tuple[int, ...]:
    """Return the extents of a layer's window, or () if it has none."""
    found: tuple[int, ...] | int = getattr(layer, layer.SIZE) if layer.SIZE else ()
    return (found,) if isinstance(found, int) else found


def merge_word(layer: Layer) -> str:
    """Return the name of a merge.

    >>> from cnndsl.layers.merge import Concat
    >>> merge_word(Concat())
    'concatenate'
    """
    return _MERGES.get(layer.kind(), layer.kind().lower())


def layer_text(
    node: Node, rank: int, *, is_open: bool = False, width: str = "", stride: str | None = None, size: str = ""
) -> str:
    """Return the label of a layer whose input has `rank` spatial axes.

    In an opened block a convolution is shown as its window, and a dropout without its rate, which may depend on its
    position. `width`, `stride` and `size` are letters that stand for the values.
    """
    layer = node.layer
    if not node.inputs:
        return shape_text(node.shape)
    is_plain = layer.kind() in KINDS and not layer.SIZE and layer.ROLE == "other"
    word = _WORDS.get(layer.kind(), layer.kind().lower() if is_plain else layer.kind())
    if layer.ROLE == "dense" and node.shape.rank:
        word = f"pointwise {word}"
    if is_open and layer.passes(training=False):
        return word
    if layer.ROLE == "normalisation" or (not layer.SIZE and not layer.WIDTH):
        return _with_options(node, word, rank)
    window = window_of(layer)
    size = (size or dims_text(window, rank)) if window else ""
    is_bare = bool(size) and is_open and layer.kind() in _PLAIN
    first = size if is_bare else f"{size} {word}" if size else word
    parts = [first]
    if layer.WIDTH and (width or width_of(layer)):
        parts.append(width or str(width_of(layer)))
    slide = slide_text(layer) if stride is None else stride
    if slide:
        parts.append(slide)
    parts += _further(layer)
    out: Dims = getattr(layer, "out", ())
    return f"{word} to {dims_text(out, rank)}" if out and not window else ", ".join(parts)


def _further(layer: Layer) -> list[str]:
    """Return the options of a convolution that readers look for: groups and dilation."""
    found: list[str] = []
    groups = getattr(layer, "groups", 1)
    if groups != 1:
        found.append(f"{groups} groups")
    dilation = dilation_text(layer)
    return [*found, f"dilated {dilation}"] if dilation not in ("", "1") else found


def dilation_text(layer: Layer) -> str:
    """Return the dilation of a layer, "" if it has none."""
    dilation: tuple[int, ...] = getattr(layer, "dilation", ())
    return "" if not dilation else "1" if set(dilation) == {1} else dims_text(dilation, 1)


def _margins(node: Node, rank: int) -> str:
    """Return the crop or padding of a layer: on both sides, on one or each of the two, up to a size; "" if it does
    neither."""
    layer = node.layer
    after: Dims | None = getattr(layer, "after", None)
    if after is None:
        return ""
    before: Dims = getattr(layer, layer.POSITIONAL[0])
    if getattr(layer, "out", ()) or getattr(layer, "like", False):
        return f"to {dims_text(node.shape.spatial, rank)}"
    first, last = (
        dims_text(each, 1) if len(set(each)) > 1 else str(each[0]) for each in (before or (0,), after or before)
    )
    if first == last:
        return first
    return ", ".join(f"{each} {side}" for each, side in ((first, "before"), (last, "after")) if each != "0")


def _with_options(node: Node, word: str, rank: int) -> str:
    """Return the name of a layer without window and width, with the values of its options in a few characters."""
    if margins := _margins(node, rank):
        return f"{word} {margins}"
    if node.layer.RANGE:
        start, stop = (getattr(node.layer, option) for option in node.layer.RANGE)
        return f"{word} {start}:{stop}"
    _, bracket, options = clean(node.text or node.kind).partition("(")
    values = [each.strip() for each in options.rstrip(")").split(",") if each.strip() and "=" not in each]
    if node.layer.ROLE in ("normalisation", "activation"):
        values = []
    return f"{word} {', '.join(values)}" if bracket and values and len(values) <= 3 else word


def growth_text(growth: GrowthBar) -> str:
    """Return the channels of a dense block, and how many layers it has more than that of the other network.

    >>> growth_text(GrowthBar(64, 6, 32)), growth_text(GrowthBar(64, 6, 32, added=2))
    ('64 + 6×32 = 256', '64 + 6×32 = 256, +2 layers')
    """
    total = growth.entering + growth.layers * growth.growth
    added = f", +{growth.added} layers" if 0 < growth.added < growth.layers else ""
    return f"{growth.entering} + {growth.layers}{TIMES}{growth.growth} = {total}{added}"
