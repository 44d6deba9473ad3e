"""Activations that a file writes as several operators, such as products of a value with a function of it."""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose, pi, prod, sqrt
from typing import Any

from cnndsl.importers.onnx_models.model import OnnxModel, OnnxNode
from cnndsl.records import record


@record(slots=True)
class Found:
    """The replacement for several nodes: an operator of its own, its inputs and its attributes."""

    op: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Any]


@record(slots=True)
class Factors:
    """A product: its factors and a constant multiplier."""

    values: tuple[str, ...]
    number: float


def factors(model: OnnxModel, node: OnnxNode) -> Factors:
    """Return the factors of a product, or of a quotient by a number, including products that nothing else reads."""
    values: list[str] = []
    number = 1.0
    for at, name in enumerate(node.inputs):
        value = model.scalar(name)
        if value is not None and (node.op == "Mul" or (at == 1 and value)):
            number *= value if node.op == "Mul" else 1 / value
        elif node.op == "Div" and at == 1:
            return Factors((node.outputs[0],), 1.0)
        elif (inner := model.made_by(name, "Mul", "Div")) is not None:
            below = factors(model, inner)
            values += below.values
            number *= below.number
        else:
            values.append(name)
    return Factors(tuple(values), number)


def product(model: OnnxModel, node: OnnxNode) -> Found | None:
    """Find an activation in a product."""
    found = factors(model, node)
    if len(found.values) == 1:
        return _scaled(model, found.values[0], found.number)
    if len(found.values) != 2:
        return None
    for x, gate in (found.values, found.values[::-1]):
        giver = model.made_by(gate, "Sigmoid", "HardSigmoid", "Tanh", "Clip", "Add")
        if giver is not None and (op := _gated(model, x, giver, found.number)):
            return op
    return None


def _gated(model: OnnxModel, x: str, gate: OnnxNode, number: float) -> Found | None:
    """Find an activation that is x times a function of x, times a number."""
    if gate.op == "Sigmoid" and gate.inputs[0] == x and number == 1:
        return Found("silu", (x,), {})
    if gate.op == "HardSigmoid" and gate.inputs[0] == x and number == 1 and is_usual(gate):
        return Found("HardSwish", (x,), {})
    if gate.op == "Clip" and near(number, 1 / 6) and _is_relu6_of(model, gate, x):
        return Found("HardSwish", (x,), {})
    if gate.op == "Tanh" and number == 1:
        inner = model.givers.get(gate.inputs[0])
        return (
            Found("Mish", (x,), {}) if inner is not None and inner.op == "Softplus" and inner.inputs[0] == x else None
        )
    if gate.op == "Add" and near(number, 0.5):
        inner = model.givers.get(shifted(model, gate, 1.0))
        if inner is not None and inner.op == "Erf" and times(model, inner.inputs[0], x, 1 / sqrt(2)):
            return Found("Gelu", (x,), {"approximate": "none"})
        if inner is not None and inner.op == "Tanh" and _is_cubic(model, inner.inputs[0], x):
            return Found("Gelu", (x,), {"approximate": "tanh"})
    return None


def _is_cubic(model: OnnxModel, name: str, x: str) -> bool:
    """Return whether a value is sqrt(2/pi)*(x + 0.044715*x^3) (Hendrycks and Gimpel 2016)."""
    node = model.givers.get(name)
    if node is None or node.op not in ("Mul", "Div"):
        return False
    outer = factors(model, node)
    added = model.givers.get(outer.values[0]) if len(outer.values) == 1 else None
    if added is None or added.op != "Add" or not near(outer.number, sqrt(2 / pi)) or x not in added.inputs:
        return False
    cubic = model.givers.get(next((each for each in added.inputs if each != x), ""))
    if cubic is None or cubic.op != "Mul":
        return False
    inner = factors(model, cubic)
    power = model.givers.get(inner.values[0]) if len(inner.values) == 1 else None
    is_power = power is not None and power.op == "Pow" and power.inputs[0] == x and model.scalar(power.inputs[1]) == 3
    return near(inner.number, 0.044715) and (is_power or inner.values == (x, x, x))


def _is_relu6_of(model: OnnxModel, clip: OnnxNode, x: str) -> bool:
    """Return whether a value is min(max(x + 3, 0), 6)."""
    giver = model.givers.get(clip.inputs[0])
    is_shifted = giver is not None and giver.op == "Add" and shifted(model, giver, 3.0) == x
    return is_shifted and bounds(model, clip) == (0, 6)


def _scaled(model: OnnxModel, name: str, number: float) -> Found | None:
    """Find an activation or a sum pooling that is a function of a value, times a number."""
    inner = model.made_by(name, "Clip", "Tanh", "AveragePool", "Softplus")
    if inner is None:
        return None
    if inner.op == "Clip" and near(number, 1 / 6):
        giver = model.givers.get(inner.inputs[0])
        x = shifted(model, giver, 3.0) if giver is not None and giver.op == "Add" else ""
        return Found("HardSigmoid", (x,), {"alpha": 1 / 6}) if x and _is_relu6_of(model, inner, x) else None
    if inner.op == "AveragePool":
        counts = inner.whole("count_include_pad", 0) or not any(inner.several("pads"))
        is_sum = counts and near(number, prod(inner.several("kernel_shape")))
        return Found("sumpool", inner.inputs[:1], inner.attributes) if is_sum else None
    below = model.made_by(inner.inputs[0], "Mul")
    arguments = factors(model, below) if below is not None else Factors(inner.inputs[:1], 1.0)
    if len(arguments.values) != 1:
        return None
    if inner.op == "Tanh":
        return Found("tanh", arguments.values, {"scale": number, "slope": arguments.number})
    is_inverse = near(arguments.number * number, 1) and number != 1
    return Found("softplus", arguments.values, {"beta": arguments.number}) if is_inverse else None


def quotient(model: OnnxModel, node: OnnxNode) -> Found | None:
    """Find an activation in a quotient."""
    if model.scalar(node.inputs[1]) is not None:
        return product(model, node)
    below = model.made_by(node.inputs[1], "Add")
    x = node.inputs[0]
    absolute = model.givers.get(shifted(model, below, 1.0)) if below is not None else None
    if absolute is not None and absolute.op == "Abs" and absolute.inputs[0] == x:
        return Found("Softsign", (x,), {})
    return None


def chosen(model: OnnxModel, node: OnnxNode) -> Found | None:
    """Find PyTorch's softplus, which is the identity for large values: `Where(beta*x > 20, x, softplus(x))`."""
    test = model.givers.get(node.inputs[0])
    x = node.inputs[1]
    soft = model.givers.get(node.inputs[2])
    if test is None or soft is None or test.op != "Greater" or model.scalar(test.inputs[1]) != 20:
        return None
    if soft.op == "Softplus" and soft.inputs[0] == x == test.inputs[0]:
        return Found("Softplus", (x,), {})
    if soft.op != "Div":
        return None
    inner, beta = model.givers.get(soft.inputs[0]), model.scalar(soft.inputs[1])
    if inner is None or beta is None or inner.op != "Softplus" or inner.inputs[0] != test.inputs[0]:
        return None
    return Found("softplus", (x,), {"beta": beta}) if times(model, test.inputs[0], x, beta) else None


def logarithm(model: OnnxModel, node: OnnxNode) -> Found | None:
    """Find the logarithm of a sigmoid or of a softmax."""
    inner = model.made_by(node.inputs[0], "Sigmoid", "Softmax")
    if inner is None:
        return None
    return Found("logsigmoid" if inner.op == "Sigmoid" else "LogSoftmax", inner.inputs, inner.attributes)


def shifted(model: OnnxModel, node: OnnxNode, by: float) -> str:
    """Return the value that a sum adds a given number to; empty if it adds another number."""
    for x, other in (node.inputs, node.inputs[::-1]):
        value = model.scalar(other)
        if value is not None and near(value, by):
            return x
    return ""


def times(model: OnnxModel, name: str, x: str, by: float) -> bool:
    """Return whether a value is another one times a given number."""
    node = model.givers.get(name)
    found = factors(model, node) if node is not None and node.op in ("Mul", "Div") else None
    return found is not None and found.values == (x,) and near(found.number, by)


def bounds(model: OnnxModel, clip: OnnxNode) -> tuple[float | None, float | None]:
    """Return the bounds of a Clip; None for no bound."""
    found: list[float | None] = []
    for at, key in ((1, "min"), (2, "max")):
        if clip.reads(at):
            found.append(model.scalar(clip.reads(at)))
        else:
            found.append(clip.number(key, 0.0) if key in clip.attributes else None)
    least, most = found
    is_open = (least is not None and least < -3e38, most is not None and most > 3e38)
    return None if is_open[0] else least, None if is_open[1] else most


def is_usual(node: OnnxNode) -> bool:
    """Return whether a HardSigmoid is relu6(x + 3)/6, and not ONNX's own default of a slope of 0.2."""
    return near(node.number("alpha", 0.2), 1 / 6) and node.number("beta", 0.5) == 0.5


def near(one: float, other: float) -> bool:
    """Return whether two numbers are equal in float32 precision."""
    return isclose(one, other, rel_tol=1e-5)
