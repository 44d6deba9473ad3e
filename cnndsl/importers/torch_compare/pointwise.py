"""Elementwise operators: sums, products and activations, each in a single normal form.

A difference is a sum with -1 times the second operand, a quotient a product with a power of -1. Numeric factors are
moved out of products; SiLU, the hard activations and clamps are written out. So `x * F.relu6(x + 3) / 6` is
`F.hardswish(x)`.
"""

from __future__ import annotations

from math import isinf
from typing import cast

from cnndsl.importers.torch_compare.call import AtenCall, Result, operator, rounded
from cnndsl.importers.torch_compare.parts import part
from cnndsl.importers.torch_compare.table import ValueTable
from cnndsl.importers.torch_compare.views import REPEATED, Index, TensorView, aligned, composed

MOST_FACTORS = 8
"""Products of more tensors are not flattened."""


def scaled(table: ValueTable, x: TensorView, by: float) -> TensorView:
    """Return a number times a tensor."""
    value = table.values[x.value]
    if value.operator == "times":
        by *= float(str(value.attributes[0][1]))
        x = x.of(value.operands[0].value)
    by = rounded(by)
    return x if by == 1 else table.unary("times", x, by=by)


def shifted(table: ValueTable, x: TensorView, by: float) -> TensorView:
    """Return a tensor plus a number. 1 minus a sigmoid is the sigmoid of the negated argument."""
    value = table.values[x.value]
    if by == 1 and value.operator == "times" and dict(value.attributes)["by"] == -1:
        inner = table.values[value.operands[0].value]
        if inner.operator == "sigmoid":
            return table.unary("sigmoid", scaled(table, x.of(inner.operands[0].value), -1))
    return x if by == 0 else table.unary("plus", x, by=rounded(by))


def power(table: ValueTable, x: TensorView, exponent: float) -> TensorView:
    """Return a power of a tensor."""
    value = table.values[x.value]
    if exponent == 2:
        return multiplied(table, x, x)
    if value.operator == "power":
        inner = float(str(value.attributes[0][1]))
        if inner in (0.5, -1):
            exponent, x = exponent * inner, x.of(value.operands[0].value)
    exponent = rounded(exponent)
    return x if exponent == 1 else table.unary("power", x, exponent=exponent)


def clamped(table: ValueTable, x: TensorView, low: float | None, high: float | None) -> TensorView:
    """Return a tensor clamped to two bounds."""
    bounds = [None if each is None or isinf(each) else rounded(each) for each in (low, high)]
    return x if bounds == [None, None] else table.unary("clamp", x, low=bounds[0], high=bounds[1])


def multiplied(table: ValueTable, x: TensorView, y: TensorView) -> TensorView:
    """Return a product of tensors with numeric factors moved out and products flattened; x*(1 + y) is x*y + x."""
    for one, other in ((x, y), (y, x)):
        value = table.values[one.value]
        if value.operator == "plus" and dict(value.attributes)["by"] == 1:
            return added(table, multiplied(table, one.of(value.operands[0].value), other), other)
    factor = 1.0
    parts: list[TensorView] = []
    for each in (x, y):
        value = table.values[each.value]
        if value.operator == "times":
            factor *= float(str(value.attributes[0][1]))
            parts.append(each.of(value.operands[0].value))
        else:
            parts.append(each)
    factors = [inner for each in parts for inner in _factors(table, each)]
    if len(factors) <= MOST_FACTORS and aligned(factors) is not None:
        parts = factors
    return scaled(table, table.pointwise("*", parts, commutes=True), factor)


def _factors(table: ValueTable, x: TensorView) -> list[TensorView]:
    """Return the factors of a product, each in its layout there; the tensor itself if it is not a product."""
    value = table.values[x.value]
    if value.operator != "*":
        return [x]
    return [composed(x, each.value, cast("Index", each.layout)) for each in value.operands]


def added(table: ValueTable, x: TensorView, y: TensorView, alpha: float = 1) -> TensorView:
    """Return a sum of tensors."""
    return table.pointwise("+", [x, scaled(table, y, alpha)], commutes=True)


@operator("add")
def _add(call: AtenCall) -> Result:
    x, y, alpha = call["self"], call["other"], call.get("alpha", 1)
    if not isinstance(y, TensorView):
        return shifted(call.table, x, y * alpha)
    if not isinstance(x, TensorView):
        return shifted(call.table, scaled(call.table, y, alpha), x)
    return added(call.table, x, y, alpha)


@operator("sub", "subtract")
def _sub(call: AtenCall) -> Result:
    x, y, alpha = call["self"], call["other"], call.get("alpha", 1)
    return shifted(call.table, x, -y * alpha) if not isinstance(y, TensorView) else added(call.table, x, y, -alpha)


@operator("rsub")
def _rsub(call: AtenCall) -> Result:
    x, y, alpha = call["self"], call["other"], call.get("alpha", 1)
    turned = scaled(call.table, x, -alpha)
    return shifted(call.table, turned, y) if not isinstance(y, TensorView) else added(call.table, y, turned)


@operator("mul", "multiply")
def _mul(call: AtenCall) -> Result:
    x, y = call["self"], call["other"]
    if not isinstance(y, TensorView):
        return scaled(call.table, x, y)
    if not isinstance(x, TensorView):
        return scaled(call.table, y, x)
    for one, other in ((x, y), (y, x)):
        if (noise := _noise(call, one)) is not None:
            return _dropped(call, other, one, noise)
    return multiplied(call.table, x, y)


@operator("div", "divide", "true_divide")
def _div(call: AtenCall) -> Result:
    x, y = call["self"], call["other"]
    if call.get("rounding_mode") is not None:
        return call.table.made(
            "div", [x, *([y] if isinstance(y, TensorView) else [])], call.shape, mode=str(call.arguments)
        )
    if not isinstance(y, TensorView):
        return scaled(call.table, x, 1 / y)
    return multiplied(call.table, x, power(call.table, y, -1))


@operator("neg")
def _neg(call: AtenCall) -> Result:
    return scaled(call.table, call.x, -1)


@operator("addcmul")
def _addcmul(call: AtenCall) -> Result:
    made = multiplied(call.table, call["tensor1"], call["tensor2"])
    return added(call.table, call.x, scaled(call.table, made, call.get("value", 1)))


@operator("square")
def _square(call: AtenCall) -> Result:
    return multiplied(call.table, call.x, call.x)


@operator("pow")
def _pow(call: AtenCall) -> Result:
    x, exponent = call["self"], call["exponent"]
    if isinstance(x, TensorView) and not isinstance(exponent, TensorView):
        return power(call.table, x, exponent)
    views = [each for each in (x, exponent) if isinstance(each, TensorView)]
    return call.table.pointwise("pow", views, of=str(x) if not isinstance(x, TensorView) else "")


@operator("sqrt")
def _sqrt(call: AtenCall) -> Result:
    return power(call.table, call.x, 0.5)


@operator("rsqrt")
def _rsqrt(call: AtenCall) -> Result:
    return power(call.table, call.x, -0.5)


@operator("reciprocal")
def _reciprocal(call: AtenCall) -> Result:
    return power(call.table, call.x, -1)


@operator("maximum", "minimum", "max", "min")
def _maximum(call: AtenCall) -> Result:
    name = "maximum" if call.operator.startswith("max") else "minimum"
    if "other" not in call.arguments:
        found = call.table.reduced(name, call.x, call.dims(), keep=bool(call.get("keepdim")))
        return (found, call.table.made("indices", [found], call.shape)) if "dim" in call.arguments else found
    return call.table.pointwise(name, [call["self"], call["other"]], commutes=True)


@operator("clamp", "clip", "hardtanh", "clamp_min", "clamp_max")
def _clamp(call: AtenCall) -> Result:
    low, high = call.get("min", call.get("min_val")), call.get("max", call.get("max_val"))
    if isinstance(low, TensorView) or isinstance(high, TensorView):
        views = [each for each in (low, high) if isinstance(each, TensorView)]
        return call.table.pointwise("clamp", [call.x, *views], low=low is None, high=high is None)
    return clamped(call.table, call.x, low, high)


@operator("relu")
def _relu(call: AtenCall) -> Result:
    return clamped(call.table, call.x, 0, None)


@operator("relu6")
def _relu6(call: AtenCall) -> Result:
    return clamped(call.table, call.x, 0, 6)


def _hard_sigmoid(call: AtenCall) -> TensorView:
    return scaled(call.table, clamped(call.table, shifted(call.table, call.x, 3), 0, 6), 1 / 6)


@operator("hardsigmoid")
def _hardsigmoid(call: AtenCall) -> Result:
    return _hard_sigmoid(call)


@operator("hardswish")
def _hardswish(call: AtenCall) -> Result:
    return multiplied(call.table, call.x, _hard_sigmoid(call))


@operator("silu")
def _silu(call: AtenCall) -> Result:
    return multiplied(call.table, call.x, call.table.unary("sigmoid", call.x))


@operator("mish")
def _mish(call: AtenCall) -> Result:
    soft = call.table.unary("softplus", call.x, beta=1.0, threshold=20.0)
    return multiplied(call.table, call.x, call.table.unary("tanh", soft))


@operator("leaky_relu")
def _leaky_relu(call: AtenCall) -> Result:
    return call.table.unary("leaky_relu", call.x, slope=rounded(call["negative_slope"]))


@operator("elu", "celu", "selu")
def _elu(call: AtenCall) -> Result:
    alpha, scale, inner = rounded(call.get("alpha", 1)), rounded(call.get("scale", 1)), call.get("input_scale", 1)
    if call.operator == "celu":
        inner = 1 / alpha
    if call.operator == "selu":
        alpha, scale = 1.67326324235, 1.05070098736
    return call.table.unary("elu", call.x, alpha=alpha, scale=scale, input_scale=rounded(inner))


@operator("softplus")
def _softplus(call: AtenCall) -> Result:
    return call.table.unary("softplus", call.x, beta=rounded(call["beta"]), threshold=rounded(call["threshold"]))


@operator("gelu")
def _gelu(call: AtenCall) -> Result:
    return call.table.unary("gelu", call.x, approximate=call.get("approximate", "none"))


@operator("threshold")
def _threshold(call: AtenCall) -> Result:
    return call.table.unary("threshold", call.x, at=rounded(call["threshold"]), value=rounded(call["value"]))


@operator("prelu")
def _prelu(call: AtenCall) -> Result:
    if call["weight"].shape == (1,):
        return call.table.pointwise("prelu", [call.x, TensorView(call["weight"].value, ())])
    return call.table.along("prelu", call.x, [1], [call["weight"]])


@operator("abs")
def _abs(call: AtenCall) -> Result:
    """Return the larger of a value and its negative."""
    return call.table.pointwise("maximum", [call.x, scaled(call.table, call.x, -1)], commutes=True)


@operator("glu")
def _glu(call: AtenCall) -> Result:
    """Return the first half of a dimension times the sigmoid of the second (Dauphin et al. 2017)."""
    dim: int = call["dim"] % len(call.x.dims)
    size = call.shape[dim]
    first, second = (part(call.table, call.x, dim, start, size) for start in (0, size))
    return multiplied(call.table, first, call.table.unary("sigmoid", second))


@operator("floor")
def _floor(call: AtenCall) -> Result:
    """Read a floor; that of p < 1 plus a draw from [0, 1) is 1 with probability p."""
    value = call.table.values[call.x.value]
    if value.operator == "plus":
        keep = float(str(dict(value.attributes)["by"]))
        drawn = call.table.values[value.operands[0].value]
        if drawn.operator == "rand" and 0 < keep < 1:
            return call.table.made("bernoulli", [], call.shape, p=keep, draw=call.numbered("bernoulli"))
    return call.table.unary("floor", call.x)


_PLAIN = ("sigmoid", "tanh", "exp", "log", "log_sigmoid", "erf", "sign", "sin", "cos", "log1p", "expm1")


@operator(*_PLAIN, "ceil", "round", "logical_not", "softsign")
def _plain(call: AtenCall) -> Result:
    return call.table.unary(call.operator, call.x)


@operator("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout")
def _dropout(call: AtenCall) -> Result:
    rate = rounded(call["p"])
    if not call["train"] or rate == 0:
        return call.x
    is_repeated = any(atom.axis == REPEATED for dim in call.x.dims for atom in dim)
    x = call.table.plain(call.x) if is_repeated else call.x
    key = ("dropout", call.operator, rate, x)
    # For dropout of whole channels the first two dimensions matter, for the other types none.
    if call.operator.startswith("feature"):
        return call.table.along(call.operator, x, [0, 1], [x], rate=rate, again=call.numbered(key))
    return call.table.unary(call.operator, x, rate=rate, again=call.numbered(key))


@operator("native_dropout")
def _native_dropout(call: AtenCall) -> Result:
    return call.table.unary("dropout", call.x, rate=rounded(call["p"])), call.x


@operator("bernoulli")
def _bernoulli(call: AtenCall) -> Result:
    """Return a separate draw, whatever tensor it overwrites; its later product identifies it."""
    return call.table.made("bernoulli", [], call.shape, p=rounded(call.get("p", 0.5)), draw=call.numbered("bernoulli"))


def _noise(call: AtenCall, x: TensorView) -> tuple[float, float] | None:
    """Return the probability of a 1 and the scale factor of a tensor of draws; None for any other tensor."""
    value, factor = call.table.values[x.value], 1.0
    if value.operator == "times":
        factor = float(str(value.attributes[0][1]))
        value = call.table.values[value.operands[0].value]
    if value.operator != "bernoulli":
        return None
    return float(str(dict(value.attributes)["p"])), factor


def _dropped(call: AtenCall, x: TensorView, noise: TensorView, numbers: tuple[float, float]) -> TensorView:
    """Return a tensor with parts dropped as units: those along the dimensions that the draws do not have."""
    drawn = tuple(dim != () for dim in noise.dims)
    kept = [at for at, is_drawn in enumerate(drawn, len(x.dims) - len(drawn)) if is_drawn]
    p, factor = numbers
    value = call.table.values[x.value]
    if value.operator == "times":
        factor *= float(str(value.attributes[0][1]))
        x = x.of(value.operands[0].value)
    numbers = p, rounded(factor)
    again = call.numbered(("drop", x, tuple(kept), numbers))
    # One draw shared by two tensors differs from a draw for each.
    uses = call.numbered(("use of a draw", noise.value))
    return call.table.along("drop", x, kept, survival=rounded(p), factor=rounded(factor), again=again, uses=uses)
