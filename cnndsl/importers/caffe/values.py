"""Caffe's activations and merges."""

from __future__ import annotations

from cnndsl.importers.caffe.maker import Blob, LayerMaker
from cnndsl.importers.caffe.norms import constant
from cnndsl.layers.activation import Elu, LeakyRelu, PRelu, Relu
from cnndsl.layers.arrange import Times
from cnndsl.layers.base import Layer
from cnndsl.layers.dropout import Dropout
from cnndsl.layers.merge import Add, Concat, Max, Mul, Sub
from cnndsl.layers.softmax import Softmax


def relu(maker: LayerMaker) -> Blob:
    """Add a ReLU, a leaky one if it has a slope."""
    (at,) = maker.nodes(1)
    slope = maker.param("relu").decimal("negative_slope", 0.0)
    return maker.add(LeakyRelu(slope) if slope else Relu(), at)


def prelu(maker: LayerMaker) -> Blob:
    """Add a PReLU with a slope for each channel, or one for all."""
    (at,) = maker.nodes(1)
    said = maker.param("prelu")
    shared = said.truth("channel_shared")
    maker.params += 1 if shared else maker.made.shape(at).channels
    return maker.add(PRelu(shared, constant(said, 0.25)), at)


def elu(maker: LayerMaker) -> Blob:
    """Add an ELU with its alpha."""
    (at,) = maker.nodes(1)
    return maker.add(Elu(maker.param("elu").decimal("alpha", 1.0)), at)


def simple(maker: LayerMaker, name: str, layer: Layer) -> Blob:
    """Add an elementwise function without options."""
    (at,) = maker.nodes(1)
    maker.param(name)
    return maker.add(layer, at)


def dropout(maker: LayerMaker) -> Blob:
    """Add dropout with its rate."""
    (at,) = maker.nodes(1)
    said = maker.param("dropout")
    if not said.truth("scale_train", True):
        raise said.error("dropout that scales what is in use has no counterpart", "scale_train")
    return maker.add(Dropout(said.decimal("dropout_ratio", 0.5)), at)


def power(maker: LayerMaker) -> Blob:
    """Add a Power layer, (shift + scale*x)^power; only a scale has a counterpart."""
    (at,) = maker.nodes(1)
    said = maker.param("power")
    scale = said.decimal("scale", 1.0)
    for key, usual in (("power", 1.0), ("shift", 0.0)):
        if said.decimal(key, usual) != usual:
            raise said.error(f"a `{key}` has no counterpart", key)
    return Blob(at) if scale == 1 else maker.add(Times(scale), at)


def softmax(maker: LayerMaker) -> Blob:
    """Add a softmax over the channel axis."""
    said = maker.param("softmax")
    maker.need(1)
    (blob,) = maker.entering
    if maker.axis(said) != (len(maker.dims(blob)) if blob.last else 1):
        raise said.error("a softmax over another axis than the channels has no counterpart", "axis")
    return Blob(maker.add(Softmax(), blob.node).node, blob.last)


def concat(maker: LayerMaker) -> Blob:
    """Concatenate along the channels."""
    axis = maker.axis(maker.param("concat"), "concat_dim")
    is_last = all(each.last for each in maker.entering) and axis == len(maker.dims(maker.entering[0]))
    if axis != 1 and not is_last:
        raise maker.wrong(f"values side by side along axis {axis} have no counterpart", "concat_param")
    nodes = [each.node if is_last else maker.plain(each) for each in maker.entering]
    return Blob(nodes[0] if len(nodes) == 1 else maker.add(Concat(), *nodes).node, is_last)


def eltwise(maker: LayerMaker) -> Blob:
    """Add a sum (with coefficients), a product or a maximum of the inputs."""
    said = maker.param("eltwise")
    said.known("stable_prod_grad")
    operation, factors = said.word("operation", "SUM"), said.decimals("coeff")
    if operation not in ("SUM", "PROD", "MAX") or (factors and operation != "SUM"):
        raise said.error(f"`{operation}` with {len(factors)} coefficients has no counterpart", "operation")
    if (factors and len(factors) != len(maker.entering)) or len(maker.entering) < 2:
        raise said.error("there is a coefficient for each of two bottoms or more", "coeff")
    nodes = [maker.plain(each) for each in maker.entering]
    if len({maker.made.shape(each) for each in nodes}) > 1:
        raise maker.wrong("the values have different shapes", "bottom")
    if factors == [1.0, -1.0]:
        return maker.add(Sub(), *nodes)
    for at, factor in enumerate(factors):
        if factor != 1:
            nodes[at] = maker.add(Times(factor), nodes[at]).node
    return maker.add({"SUM": Add(), "PROD": Mul(), "MAX": Max()}[operation], *nodes)
