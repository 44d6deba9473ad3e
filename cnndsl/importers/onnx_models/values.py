"""ONNX's activations, and merges of several values."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

from cnndsl.importers.onnx_models.maker import OnnxMaker
from cnndsl.importers.onnx_models.norms import scaled, shifted
from cnndsl.importers.onnx_models.products import bounds, is_usual, near
from cnndsl.importers.onnx_models.views import AxisRuns, OnnxView, whole
from cnndsl.layers.activation import (
    Celu,
    Elu,
    Gelu,
    HardSigmoid,
    HardTanh,
    LeakyRelu,
    PRelu,
    Relu,
    Relu6,
    Selu,
    Silu,
    Softplus,
    Tanh,
)
from cnndsl.layers.arrange import Times
from cnndsl.layers.base import Layer
from cnndsl.layers.dropout import Dropout
from cnndsl.layers.merge import Add, Concat, Max, Mean, Mul, Sub
from cnndsl.layers.softmax import Softmax


def simple(layer: Layer) -> Callable[[OnnxMaker], None]:
    """Return the function that adds a layer without options."""
    return lambda maker: maker.same(layer)


def clip(maker: OnnxMaker) -> None:
    """Add a clip between 0 and 6 or between -1 and 1, or a ReLU."""
    known: dict[tuple[float | None, float | None], Layer] = {(0, 6): Relu6(), (-1, 1): HardTanh(), (0, None): Relu()}
    found = bounds(maker.model, maker.node)
    said = [at for at in (1, 2) if maker.node.reads(at)]
    if any(maker.model.scalar(maker.node.reads(at)) is None for at in said) or found not in known:
        raise maker.wrong(f"values between {found[0]} and {found[1]} have no counterpart")
    maker.same(known[found])


def leaky(maker: OnnxMaker) -> None:
    """Add a leaky ReLU with its slope."""
    maker.same(LeakyRelu(maker.node.number("alpha", 0.01)))


def elu(maker: OnnxMaker) -> None:
    """Add an ELU with its alpha."""
    maker.same(Elu(maker.node.number("alpha", 1.0)))


def celu(maker: OnnxMaker) -> None:
    """Add a CELU with its alpha."""
    maker.same(Celu(maker.node.number("alpha", 1.0)))


def selu(maker: OnnxMaker) -> None:
    """Add a SELU; only the paper's constants are supported."""
    alpha, gamma = maker.node.number("alpha", 1.67326), maker.node.number("gamma", 1.0507)
    if not near(alpha, 1.67326) or not near(gamma, 1.0507):
        raise maker.wrong(f"a SELU of {alpha} and {gamma} has no counterpart")
    maker.same(Selu())


def gelu(maker: OnnxMaker) -> None:
    """Add a GELU, exact or with the tanh approximation."""
    maker.same(Gelu(approximate=maker.node.word("approximate", "none") == "tanh"))


def hard_sigmoid(maker: OnnxMaker) -> None:
    """Add a hard sigmoid; only a slope of 1/6 is supported."""
    if not is_usual(maker.node):
        slope = maker.node.number("alpha", 0.2)
        raise maker.wrong(f"a slope of {slope} has no counterpart: HSIGMOID has one of 1/6")
    maker.same(HardSigmoid())


def swish(maker: OnnxMaker) -> None:
    """Add a swish; a factor inside the sigmoid is not supported."""
    if maker.node.number("alpha", 1.0) != 1:
        raise maker.wrong(f"a factor of {maker.node.number('alpha', 1.0)} in the sigmoid has no counterpart")
    maker.same(Silu())


def tanh(maker: OnnxMaker) -> None:
    """Add a tanh with a scale and a slope."""
    maker.same(Tanh(maker.node.number("scale", 1.0), maker.node.number("slope", 1.0)))


def softplus(maker: OnnxMaker) -> None:
    """Add a softplus with its beta."""
    maker.same(Softplus(maker.node.number("beta", 1.0)))


def prelu(maker: OnnxMaker) -> None:
    """Add a PReLU with a slope for each channel, or one for all."""
    slope = maker.weight(1, "slope")
    if slope.numel == 1:
        maker.same(PRelu(shared=True))
        return
    view = maker.view()
    dims = (1,) * (1 + len(view.groups) - len(slope.dims)) + slope.dims
    wide = [axis for axis, size in enumerate(dims) if size > 1]
    if len(wide) != 1 or not wide[0] or view.dims[wide[0] - 1] != slope.numel:
        raise maker.wrong(f"slopes of {slope.dims} have no counterpart")
    led = maker.led(view, wide[0] - 1)
    maker.give(led.over(maker.add(PRelu(), led.node)))


def softmax(maker: OnnxMaker, layer: Layer | None = None) -> None:
    """Add a softmax over any axis, as the channels at each position. Before opset 13 it also spans all further axes."""
    default = -1 if maker.model.opset >= 13 else 1
    axis, view = maker.axis(default), maker.view()
    if maker.model.opset < 13 and any(size > 1 for size in view.dims[axis + 1 :]):
        raise maker.wrong("a softmax over several axes has no counterpart")
    if layer is None and (splits := _splits(maker, view)) is not None and axis == 0:
        given = maker.plainly(maker.add(splits, view.node)).reshaped(view.dims)
        assert given is not None
        maker.give(given)
        return
    led = maker.led(view, axis)
    maker.give(led.over(maker.add(layer or Softmax(), led.node)))


def _splits(maker: OnnxMaker, view: OnnxView) -> Softmax | None:
    """Return the softmax over the splits of split attention, if the first axis is that of the splits of each group."""
    shape = maker.shape(view.node)
    if not shape.is_vector or len(view.groups[0]) != 1 or view.is_whole:
        return None
    (splits,) = view.groups[0]
    if splits.axis != 0 or shape.channels % (splits.size * splits.stride):
        return None
    groups = shape.channels // (splits.size * splits.stride)
    apart = maker.plainly(view.node).reshaped((groups, splits.size, splits.stride))
    is_dealt = apart is not None and apart.permuted((1, 0, 2)).atoms == view.atoms
    return Softmax(splits.size, groups) if is_dealt else None


def dropout(maker: OnnxMaker) -> None:
    """Add dropout with its rate, which is an input in later opsets."""
    rate = maker.node.number("ratio", 0.5)
    if maker.node.reads(1):
        constant = maker.constant(1)
        given = constant.only() if constant is not None else None
        if given is None or not 0 <= given <= 1:
            raise maker.wrong("its rate is no constant from 0 to 1")
        rate = given
    maker.same(Dropout(rate))


def product(maker: OnnxMaker) -> None:
    """Add a product of two values, one of which may be broadcast, or of a value and a tensor."""
    constant = next((at for at in (0, 1) if maker.constant(at) is not None), None)
    if constant is not None:
        scaled(maker, constant)
        return
    one, other = maker.view(0), maker.view(1)
    if _is_beside(one, other):
        given = maker.add(Mul(), one.node, other.node)
        larger = one if _count(one) >= _count(other) else other
        maker.give(larger.over(given, _broadcast(one, other)))
        return
    maker.give(maker.add(Mul(), maker.plain(0), maker.plain(1)))


def _count(view: OnnxView) -> int:
    return sum(len(group) for group in view.groups)


def _is_beside(one: OnnxView, other: OnnxView) -> bool:
    """Return whether two views have the same whole axes in the same order, except for axes of size 1."""
    if not one.is_whole or not other.is_whole or len(one.groups) != len(other.groups):
        return False
    return all(not a or not b or a == b for a, b in zip(one.groups, other.groups, strict=True))


def _broadcast(one: OnnxView, other: OnnxView) -> list[AxisRuns]:
    return [a or b for a, b in zip(one.groups, other.groups, strict=True)]


def total(maker: OnnxMaker) -> None:
    """Add a sum of values of equal shape, or of a value and a tensor."""
    constants = [at for at in range(len(maker.node.inputs)) if maker.constant(at) is not None]
    if constants and len(maker.node.inputs) == 2:
        shifted(maker, constants[0])
        return
    merge(maker, Add())


def difference(maker: OnnxMaker) -> None:
    """Add a difference of two values."""
    merge(maker, Sub())


def largest(maker: OnnxMaker) -> None:
    """Add an elementwise maximum of values."""
    merge(maker, Max())


def average(maker: OnnxMaker) -> None:
    """Add an elementwise mean of values."""
    merge(maker, Mean())


def quotient(maker: OnnxMaker) -> None:
    """Add a quotient by a number."""
    number = maker.model.scalar(maker.node.reads(1))
    if number is None or not number or not isfinite(number):
        raise maker.wrong("a quotient of values has no counterpart")
    maker.same(Times(1 / number))


def merge(maker: OnnxMaker, layer: Layer) -> None:
    """Add a merge of values of equal shape, in any order of axes that all share."""
    views = [maker.view(at) for at in range(len(maker.node.inputs))]
    if len(views) == 1:
        maker.give(views[0])
        return
    if len({view.dims for view in views}) > 1:
        shapes = " and ".join(str(view.dims) for view in views)
        raise maker.wrong(f"values of different shapes have no counterpart here: {shapes}")
    first = views[0]
    is_same = first.is_whole and all(view.groups == first.groups for view in views)
    if is_same and len({maker.shape(view.node) for view in views}) == 1:
        maker.give(first.over(maker.add(layer, *(view.node for view in views))))
        return
    maker.give(maker.add(layer, *(maker.settled(view) for view in views)))


def concat(maker: OnnxMaker) -> None:
    """Add a concatenation along any axis, which becomes the channel axis."""
    axis = maker.axis(1)
    views = [maker.led(maker.view(at), axis) for at in range(len(maker.node.inputs))]
    if len(views) == 1:
        maker.give(views[0])
        return
    if len({(_without(view, axis), maker.shape(view.node).spatial) for view in views}) > 1:
        views = [maker.first(view, axis) for view in views]
    node = maker.add(Concat(), *(view.node for view in views))
    channels = whole(0, maker.shape(node).channels)
    maker.give(views[0].over(node, [channels if at == axis else group for at, group in enumerate(views[0].groups)]))


def _without(view: OnnxView, axis: int) -> tuple[object, ...]:
    return tuple([group for at, group in enumerate(view.groups) if at != axis])
