"""Normalisations that a file writes as several operators."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from cnndsl.importers.onnx_models.model import OnnxModel, OnnxNode
from cnndsl.importers.onnx_models.products import Found, factors, near

WITH_WEIGHT = ("groupnorm", "layernorm", "rms", "l2norm")
"""Normalisations that absorb a following product with a weight for each channel."""
WITH_BIAS = ("groupnorm", "layernorm")
"""Normalisations that have a bias as well."""


def group_norm(model: OnnxModel, node: OnnxNode) -> Found | None:
    """Find group normalisation: a reshape, InstanceNormalization over the groups, and the reshape back."""
    inner = model.made_by(node.inputs[0], "InstanceNormalization")
    before = model.made_by(inner.inputs[0], "Reshape") if inner is not None else None
    if inner is None or before is None:
        return None
    x = before.inputs[0]
    dims, apart = model.dims.get(x, ()), model.dims.get(before.outputs[0], ())
    weights = [model.constants.get(name) for name in inner.inputs[1:]]
    is_plain = [each is not None and each.only() for each in weights] == [1, 0]
    if len(apart) != 3 or dims[:1] != apart[:1] or dims != model.dims.get(node.outputs[0]) or not is_plain:
        return None
    return Found("groupnorm", (x,), {"groups": apart[1], "epsilon": inner.number("epsilon", 1e-5)})


def local_response(model: OnnxModel, node: OnnxNode) -> Found | None:
    """Find PyTorch's LocalResponseNorm: a quotient by a power of the mean square of neighbouring channels."""
    power = model.made_by(node.inputs[1], "Pow")
    added = model.made_by(power.inputs[0], "Add") if power is not None else None
    scaled = _first(model, added, "Mul") if added is not None else None
    if power is None or added is None or scaled is None:
        return None
    inner = factors(model, scaled)
    k = next((value for name in added.inputs if (value := model.scalar(name)) is not None), None)
    beta = model.scalar(power.inputs[1])
    means = _through(model, inner.values[0], "Reshape", "Squeeze") if len(inner.values) == 1 else None
    if k is None or beta is None or means is None or means.op != "AveragePool":
        return None
    size, *others = means.several("kernel_shape")
    squares = _through(model, means.inputs[0], "Pad", "Reshape", "Unsqueeze")
    if set(others) != {1} or size % 2 == 0 or squares is None or squares.inputs != (node.inputs[0],) * 2:
        return None
    if squares.op != "Mul" or model.dims.get(means.inputs[0], ())[1:3] != _padded(model, node.inputs[0], size):
        return None
    return Found("LRN", node.inputs[:1], {"size": size, "alpha": inner.number, "beta": beta, "bias": k})


def _padded(model: OnnxModel, name: str, size: int) -> tuple[int, ...]:
    return (1, model.dims.get(name, (0, 0))[1] + size - 1)


def _through(model: OnnxModel, name: str, *ops: str) -> OnnxNode | None:
    """Return the node that produces a value, skipping the given operators."""
    node = model.givers.get(name)
    while node is not None and node.op in ops:
        node = model.givers.get(node.inputs[0])
    return node


def _first(model: OnnxModel, node: OnnxNode, op: str) -> OnnxNode | None:
    return next((found for name in node.inputs if (found := model.made_by(name, op)) is not None), None)


def by_deviation(model: OnnxModel, node: OnnxNode) -> Found | None:
    """Find a quotient by a standard deviation or by a norm."""
    x, below = node.inputs
    giver = model.made_by(below, "Sqrt", "Expand", "Clip", "Max")
    if giver is None:
        return None
    return _normalised(model, x, giver.inputs[0]) if giver.op == "Sqrt" else _by_norm(model, x, giver)


def times_inverse(model: OnnxModel, node: OnnxNode) -> Found | None:
    """Find a product with the inverse of a standard deviation."""
    for x, inverse in (node.inputs, node.inputs[::-1]):
        giver = model.made_by(inverse, "Reciprocal", "Div")
        if giver is None or (giver.op == "Div" and model.scalar(giver.inputs[0]) != 1):
            continue
        root = model.made_by(giver.inputs[-1], "Sqrt")
        if root is not None and (found := _normalised(model, x, root.inputs[0])):
            return found
    return None


def _normalised(model: OnnxModel, x: str, variance: str) -> Found | None:
    """Find x divided by the root of its mean square plus a number; a layer norm if its mean is subtracted first."""
    added = model.made_by(variance, "Add")
    if added is None:
        return None
    mean = _first(model, added, "ReduceMean")
    eps = next((value for name in added.inputs if (value := model.scalar(name)) is not None), None)
    square = model.givers.get(mean.inputs[0]) if mean is not None else None
    if mean is None or eps is None or square is None or not _is_square(model, square, x):
        return None
    axes = reduced(model, mean)
    centred = model.givers.get(x)
    if centred is not None and centred.op == "Sub":
        average = model.givers.get(centred.inputs[1])
        if average is not None and average.op == "ReduceMean" and average.inputs[0] == centred.inputs[0]:
            is_same = reduced(model, average) == axes
            return Found("layernorm", centred.inputs[:1], {"axes": axes, "epsilon": eps}) if is_same else None
    return Found("rms", (x,), {"axes": axes, "epsilon": eps})


def _is_square(model: OnnxModel, node: OnnxNode, x: str) -> bool:
    if node.op == "Pow":
        return node.inputs[0] == x and model.scalar(node.inputs[1]) == 2
    return node.op == "Mul" and node.inputs == (x, x)


def _by_norm(model: OnnxModel, x: str, giver: OnnxNode) -> Found | None:
    """Find a value divided by its L2 norm, with a small lower bound on the norm."""
    least = model.made_by(giver.inputs[0], "Clip", "Max") if giver.op == "Expand" else giver
    norm = model.made_by(least.inputs[0], "ReduceL2") if least is not None else None
    if least is None or norm is None or norm.inputs[0] != x or not norm.whole("keepdims", 1):
        return None
    eps = model.scalar(least.reads(1))
    axes = reduced(model, norm)
    if eps is None or len(axes) != 1 or (least.op == "Clip" and model.scalar(least.reads(2)) is not None):
        return None
    return Found("l2norm", (x,), {"axis": axes[0], "epsilon": eps})


def reduced(model: OnnxModel, node: OnnxNode) -> tuple[int, ...]:
    """Return the axes of a reduction (mean, maximum etc.), counted from 0, in order."""
    rank = len(model.dims.get(node.inputs[0], ()))
    given = node.several("axes")
    if node.reads(1):
        given = model.constants[node.reads(1)].integers() or () if node.reads(1) in model.constants else ()
    if not given and not node.whole("noop_with_empty_axes", 0):
        return tuple(range(rank))
    return tuple(sorted(axis % rank for axis in given)) if rank else ()


def weighted(model: OnnxModel, node: OnnxNode) -> Found | None:
    """Find the weight for each channel that a normalisation's result is multiplied by."""
    for name, weight in (node.inputs, node.inputs[::-1]):
        giver = model.made_by(name, *WITH_WEIGHT)
        if giver is not None and len(giver.inputs) == 1 and is_weight(model, weight):
            return Found(giver.op, (*giver.inputs, weight), giver.attributes)
    return None


def biased(model: OnnxModel, node: OnnxNode) -> Found | None:
    """Find the bias of a normalisation; or a batch normalisation of Keras: x - mean, times a factor, plus a bias."""
    for name, bias in (node.inputs, node.inputs[::-1]):
        if not is_weight(model, bias):
            continue
        giver = model.made_by(name, *WITH_BIAS)
        if giver is not None and len(giver.inputs) == 2:
            return Found(giver.op, (*giver.inputs, bias), giver.attributes)
        scaled = model.made_by(name, "Mul")
        if scaled is None:
            continue
        factor = next((each for each in scaled.inputs if is_weight(model, each)), "")
        centred = _first(model, scaled, "Sub")
        if factor and centred is not None and is_weight(model, centred.inputs[1]):
            return Found("batchnorm", (centred.inputs[0], factor, bias, centred.inputs[1]), {})
        if factor and _belong(factor, bias):
            x = next(each for each in scaled.inputs if each != factor)
            return Found("affine", (x, factor, bias), {})
    return None


def _belong(weight: str, bias: str) -> bool:
    """Return whether two tensors belong to one module, or have lost their names."""
    one, other = (name.rpartition(".") for name in (weight, bias))
    return one[0] == other[0] and (one[2], other[2]) == ("weight", "bias")


def is_weight(model: OnnxModel, name: str) -> bool:
    """Return whether a value is a tensor of the file with more than one number, all along one axis."""
    constant = model.constants.get(name)
    return constant is not None and bool(constant.root) and max((*constant.dims, 1)) == constant.numel > 1


def global_response(model: OnnxModel, node: OnnxNode) -> Found | None:
    """Find `GRN`: x + w*x*n + b, n being the norm of a channel divided by the mean norm (Woo et al. 2023)."""
    for inner, bias in (node.inputs, node.inputs[::-1]):
        giver = model.made_by(inner, "Add")
        if giver is None or not is_weight(model, bias):
            continue
        for x, scaled in (giver.inputs, giver.inputs[::-1]):
            found = _response(model, x, scaled)
            if found:
                return Found("grn", (x, found[0], bias), {"epsilon": found[1]})
    return None


def _response(model: OnnxModel, x: str, scaled: str) -> tuple[str, float] | None:
    """Return the weight and eps of `w * (x * (norm / (mean(norm) + eps)))`, with factors in any order."""
    product = model.made_by(scaled, "Mul")
    if product is None:
        return None
    values = list(factors(model, product).values)
    weights = [name for name in values if is_weight(model, name)]
    ratios = [found for name in values if (found := model.made_by(name, "Div")) is not None]
    if len(values) != 3 or len(weights) != 1 or len(ratios) != 1 or x not in values:
        return None
    norm, added = model.givers.get(ratios[0].inputs[0]), model.made_by(ratios[0].inputs[1], "Add")
    mean = _first(model, added, "ReduceMean") if added is not None else None
    if norm is None or added is None or mean is None or norm.op != "ReduceL2" or mean.inputs[0] != norm.outputs[0]:
        return None
    eps = next((value for name in added.inputs if (value := model.scalar(name)) is not None), None)
    positions, rank = reduced(model, norm), len(model.dims.get(x, ()))
    is_first = positions == tuple(range(2, rank)) and reduced(model, mean) == (1,)
    is_last = positions == tuple(range(1, rank - 1)) and reduced(model, mean) == (rank - 1,)
    is_right = norm.inputs[0] == x and bool(norm.whole("keepdims", 1)) and (is_first or is_last)
    return (weights[0], eps) if is_right and eps is not None else None


def pooled_powers(model: OnnxModel, node: OnnxNode) -> Found | None:
    """Find PyTorch's LPPool: the root of a mean of powers, with its sign kept, times the size of the window."""
    sign = model.made_by(node.inputs[0], "Mul")
    root = model.scalar(node.inputs[1])
    if sign is None or not root:
        return None
    found = factors(model, sign)
    givers = [model.givers.get(name) for name in found.values]
    kinds: Sequence[str] = sorted(each.op for each in givers if each is not None)
    if kinds != ["Relu", "Sign"]:
        return None
    pool = _through(model, found.values[0], "Relu", "Abs", "Sign")
    power = model.made_by(pool.inputs[0], "Pow") if pool is not None else None
    if pool is None or power is None or pool.op != "AveragePool":
        return None
    if _through(model, found.values[1], "Relu", "Abs", "Sign") is not pool:
        return None
    p = model.scalar(power.inputs[1])
    if not p or not near(p * root, 1) or not near(found.number, prod(pool.several("kernel_shape"))):
        return None
    return Found("lppool", power.inputs[:1], {**pool.attributes, "p": p})
