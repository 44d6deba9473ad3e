"""Caffe's poolings, normalisations and scales."""

from __future__ import annotations

from cnndsl.importers.caffe.maker import Blob, LayerMaker
from cnndsl.importers.caffe.net import CaffeLayer, brief, extents
from cnndsl.importers.prototxt import Message
from cnndsl.layers.base import Padding
from cnndsl.layers.local_norm import LocalResponseNorm
from cnndsl.layers.merge import Mul
from cnndsl.layers.norm import BatchNorm
from cnndsl.layers.pool import AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool
from cnndsl.layers.scale import Scale


def pooling(maker: LayerMaker) -> Blob:
    """Add pooling. The number of windows is rounded up; with padding, a last window that begins in it is omitted.

    Raises CnnError if a last window covers no part of the map, which Caffe allows without padding.
    """
    (at,) = maker.nodes(1)
    said, spatial = maker.param("pooling"), maker.made.shape(at).spatial
    method = said.word("pool", "MAX")
    if method not in ("MAX", "AVE") or len(spatial) != 2:
        raise said.error(f"a pooling `{method}` over {len(spatial)} axes has no counterpart", "pool")
    stride, pad = extents(said, "stride", 2, 1, most=1), extents(said, "pad", 2, 0, most=1)
    if said.truth("global_pooling"):
        if any(pad) or set(stride) != {1} or "kernel_size" in said or "kernel_h" in said:
            raise said.error("a pooling of everything has no size, stride or padding", "global_pooling")
        return maker.add(GlobalMaxPool() if method == "MAX" else GlobalAvgPool(), at)
    kernel = extents(said, "kernel_size", 2, most=1)
    sizes = list(zip(spatial, kernel, stride, pad, strict=True))
    down = [(size + 2 * p - k) // s + 1 for size, k, s, p in sizes]
    up = [-((k - size - 2 * p) // s) + 1 for size, k, s, p in sizes]
    if any(pad):
        up = [n - ((n - 1) * s >= size + p) for n, (size, _, s, p) in zip(up, sizes, strict=True)]
    elif any((n - 1) * s >= size for n, (size, _, s, _) in zip(up, sizes, strict=True)):
        raise said.error(f"the last windows have nothing of a map of {spatial[0]}x{spatial[1]}", "stride")
    words: Padding = brief(pad) if any(pad) else "valid"
    if method == "MAX":
        return maker.add(MaxPool(brief(kernel), brief(stride), words, up != down), at)
    return maker.add(AvgPool(brief(kernel), brief(stride), words, up != down), at)


def response(maker: LayerMaker) -> Blob:
    """Add LRN. Alpha is divided by the size; within a channel by the number of values in the window, and `k` is 1."""
    (at,) = maker.nodes(1)
    said = maker.param("lrn")
    size, alpha, beta = said.number("local_size", 5), said.decimal("alpha", 1.0), said.decimal("beta", 0.75)
    k = said.decimal("k", 1.0)
    if size < 1 or size % 2 == 0:
        raise said.error("the size is odd", "local_size")
    region = said.word("norm_region", "ACROSS_CHANNELS")
    if region == "ACROSS_CHANNELS":
        return maker.add(LocalResponseNorm(size, alpha, beta, k), at)
    if region != "WITHIN_CHANNEL":
        raise said.error(f"the region `{region}` has no counterpart", "norm_region")
    return maker.add(LocalResponseNorm(size, alpha, beta, 1.0, "positions"), at)


def normalisation(maker: LayerMaker) -> Blob:
    """Add a batch normalisation: one layer with the `Scale` after it if nothing else reads it, else without parameters.

    A given `moving_average_fraction` f becomes the momentum 1 - f; the default of 0.999 is left to PyTorch.
    """
    (at,) = maker.nodes(1)
    said = maker.param("batch_norm")
    said.known("use_global_stats")
    momentum = round(1 - said.decimal("moving_average_fraction", 0.9), 9)
    readers = maker.net.readers[maker.layer.tops[0]]
    is_affine = len(readers) == 1 and readers[0].type == "Scale" and _is_affine(readers[0])
    if is_affine:
        maker.scaled.add(readers[0].tops[0])
    return maker.add(BatchNorm(said.decimal("eps", 1e-5), momentum, is_affine), at)


def scale(maker: LayerMaker) -> Blob:
    """Add a weight for each channel, and a bias; with two bottoms, multiply them."""
    said = maker.param("scale")
    if len(maker.entering) == 2:
        return _product(maker, said)
    (at,) = maker.nodes(1)
    said.known("bias_filler")
    has_bias, count = said.truth("bias_term"), said.number("num_axes", 1)
    if count not in (0, 1) or (count and maker.axis(said) != 1):
        raise said.error("weights along other axes than the channels have no counterpart", "axis")
    maker.axis(said)
    init = constant(said, 1.0)
    maker.params += (1 + has_bias) * (maker.made.shape(at).channels if count else 1)
    if maker.is_frozen(1 + has_bias):
        maker.note("normalisations and scales that are not trained in the file are here")
    if maker.layer.tops[0] in maker.scaled:
        return Blob(at)
    return maker.add(Scale(bias=has_bias, init=init, shared=not count), at)


def _product(maker: LayerMaker, said: Message) -> Blob:
    """Multiply by the second bottom, broadcast over the axes that it lacks."""
    first, second = (maker.dims(each) for each in maker.entering)
    if said.truth("bias_term") or maker.axis(said) != 0 or second != first[: len(second)]:
        raise maker.wrong("a product along these axes has no counterpart", "scale_param")
    if len(second) not in (1, len(first)):
        raise maker.wrong(f"a product with a value of {len(second)} axes has no counterpart", "bottom")
    return maker.add(Mul(), *maker.nodes(2))


def bias(maker: LayerMaker) -> Blob:
    """Add a bias for each channel, or one for all."""
    (at,) = maker.nodes(1)
    said = maker.param("bias")
    said.known("filler")
    count = said.number("num_axes", 1)
    if count not in (0, 1) or (count and maker.axis(said) != 1):
        raise said.error("biases along other axes than the channels have no counterpart", "axis")
    maker.params += maker.made.shape(at).channels if count else 1
    return maker.add(Scale(weight=False, shared=not count), at)


def constant(said: Message, default: float) -> float:
    """Return the value that a filler initialises all weights with."""
    if "filler" not in said:
        return default
    filler = said.message("filler")
    filler.known("min", "max", "mean", "std", "sparse", "variance_norm")
    value = filler.decimal("value", 0.0)
    return value if filler.word("type", "constant") == "constant" else default


def _is_affine(layer: CaffeLayer) -> bool:
    """Return whether a `Scale` has a weight, initially 1, and a bias for each channel."""
    said = layer.message.message("scale_param")
    is_usual = said.number("axis", 1) == 1 and said.number("num_axes", 1) == 1 and constant(said, 1.0) == 1
    return is_usual and len(layer.bottoms) == 1 and said.truth("bias_term")
