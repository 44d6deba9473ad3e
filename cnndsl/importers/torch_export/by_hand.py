"""Layers that are often written out by hand: activations, LayerNorm over channels, means by axis, ResNet shortcut A."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.importers.torch_export.steps import NumberedSteps, ReadStep, StepRule, match_pair
from cnndsl.layers.activation import HardSigmoid, HardSwish, Mish, Relu6, Sigmoid, Silu, Softplus, Tanh
from cnndsl.layers.arrange import PadChannels, Times
from cnndsl.layers.base import Layer
from cnndsl.layers.channel_pool import ChannelMean
from cnndsl.layers.merge import Mul
from cnndsl.layers.norm import LayerNorm
from cnndsl.layers.pool import GlobalAvgPool, MaxPool
from cnndsl.layers.scale import Scale


def _made(step: ReadStep, layer: Layer, x: int) -> ReadStep:
    return replace(step, op=layer, inputs=(x,), tensors={}, facts={})


def _of(step: ReadStep, by: NumberedSteps, kind: type[Layer]) -> ReadStep | None:
    """Return the step that a layer of this type reads; None if the step is not such a layer."""
    return by[step.inputs[0]] if isinstance(step.op, kind) else None


def _swish(step: ReadStep, by: NumberedSteps) -> ReadStep | None:
    """Match x * sigmoid(x), x * tanh(softplus(x)) and x * hardsigmoid(x)."""
    for x in step.inputs:
        gate = match_pair(step, Mul, by, x)
        if gate is None or not isinstance(gate.op, Layer):
            continue
        if gate.inputs == (x,) and type(gate.op) in _SWISHES:
            return _made(step, _SWISHES[type(gate.op)], x)
        soft = _of(gate, by, Tanh)
        if soft is not None and gate.op == Tanh() and soft.op == Softplus() and soft.inputs == (x,):
            return _made(step, Mish(), x)
    return None


_SWISHES: dict[type[Layer], Layer] = {Sigmoid: Silu(), HardSigmoid: HardSwish()}


def _hard_swish(step: ReadStep, by: NumberedSteps) -> ReadStep | None:
    """Match (x * relu6(x + 3)) / 6."""
    product = _of(step, by, Times)
    if product is None or not isinstance(step.op, Times) or abs(step.op.by * 6 - 1) > 1e-9:
        return None
    for x in product.inputs:
        gate = match_pair(product, Mul, by, x)
        plus = _of(gate, by, Relu6) if gate is not None else None
        if plus is not None and plus.op == "plus" and plus.facts["by"] == 3 and plus.inputs == (x,):
            return _made(step, HardSwish(), x)
    return None


def _mean_of_means(step: ReadStep, by: NumberedSteps) -> ReadStep | None:
    """Match a mean over one axis followed by a mean over the others: GAP."""
    is_last = isinstance(step.op, GlobalAvgPool) or step.op == "mean over axes"
    inner = by[step.inputs[0]] if is_last else step
    if inner is step or inner.op != "mean over axes" or any(size != 1 for size in step.shape.spatial):
        return None
    return _made(step, GlobalAvgPool(), inner.inputs[0])


def _layer_norm(step: ReadStep, by: NumberedSteps) -> ReadStep | None:
    """Match (x - mean) / sqrt(mean of (x - mean)^2 + eps) over the channels, as in ConvNeXt's norm for maps."""
    match step.op:
        case "quotient":
            centred, root = (by[at] for at in step.inputs)
            wanted = "root"
        case Mul() if len(step.inputs) == 2:
            ordered = sorted((by[at] for at in step.inputs), key=lambda each: each.op != "centred")
            (centred, root), wanted = ordered, "inverse root"
        case _:
            return None
    plus = by[root.inputs[0]] if root.op == wanted else None
    if centred.op != "centred" or plus is None or plus.op != "plus":
        return None
    variance, x = by[plus.inputs[0]], centred.inputs[0]
    mean = by[centred.inputs[1]]
    if not isinstance(mean.op, ChannelMean) or mean.inputs != (x,) or not _is_variance(variance, by, x, mean.number):
        return None
    over = "channels" if step.shape.rank else "all"
    return _made(step, LayerNorm(float(str(plus.facts["by"])), affine=False, over=over), x)


def _is_variance(step: ReadStep, by: NumberedSteps, x: int, mean: int) -> bool:
    """Return whether a step is the variance of x over the channels, divided by their number."""
    if step.op == "variance":
        return step.inputs == (x,) and step.facts["over"] == "channels" and step.facts["correction"] == 0
    square = _of(step, by, ChannelMean)
    if square is None or square.op != "square":
        return False
    inner = by[square.inputs[0]]
    return inner.op == "centred" and inner.inputs == (x, mean)


def _affine_layer_norm(step: ReadStep, by: NumberedSteps) -> ReadStep | None:
    """Match a norm without parameters, followed by a weight and a bias of the same module that are named as in LN."""
    if not isinstance(step.op, Scale) or step.op.weight:
        return None
    scaled = by[step.inputs[0]]
    if not isinstance(scaled.op, Scale) or not scaled.op.weight:
        return None
    norm = by[scaled.inputs[0]]
    if not isinstance(norm.op, LayerNorm) or norm.op.affine or not norm.module == scaled.module == step.module:
        return None
    tensors = {"weight": scaled.tensors[""], "bias": step.tensors[""]}
    if any(name.rpartition(".")[2] != key for key, name in tensors.items()):
        return None
    return replace(step, op=replace(norm.op, affine=True), inputs=norm.inputs, tensors=tensors, facts={})


def _padded_channels(step: ReadStep, by: NumberedSteps) -> ReadStep | None:
    """Match a stride of 2 followed by zero-padded channels: shortcut A of residual networks."""
    if not isinstance(step.op, PadChannels) or step.op.stride != (1,):
        return None
    every = by[step.inputs[0]]
    if not isinstance(every.op, MaxPool) or replace(every.op, stride=(2,)) != MaxPool((1,), (2,)):
        return None
    return replace(step, op=replace(step.op, stride=every.op.stride), inputs=every.inputs)


BY_HAND: tuple[StepRule, ...] = (
    _swish,
    _hard_swish,
    _mean_of_means,
    _layer_norm,
    _affine_layer_norm,
    _padded_channels,
)
"""The rules, in the order in which they are tried."""
