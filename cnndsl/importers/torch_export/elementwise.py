"""Elementwise operators: activations, sums and products."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cnndsl.importers.torch_export.calls import OperatorCall
from cnndsl.importers.torch_export.steps import FixedValue, Unsaid
from cnndsl.importers.torch_export.trace import ProgramTrace
from cnndsl.importers.torch_export.views import CHANNELS, SPATIAL, SPREAD, Stretch, View, full, narrow
from cnndsl.layers.activation import (
    Celu,
    Elu,
    Gelu,
    HardSigmoid,
    HardSwish,
    HardTanh,
    LeakyRelu,
    LogSigmoid,
    Mish,
    PRelu,
    Relu,
    Relu6,
    Selu,
    Sigmoid,
    Silu,
    Softplus,
    Softsign,
    Tanh,
)
from cnndsl.layers.arrange import Times
from cnndsl.layers.base import Layer
from cnndsl.layers.dropout import Dropout, DropPath
from cnndsl.layers.merge import Add, Max, MergeLayer, Mul, Sub
from cnndsl.layers.scale import Scale


def rounded(number: float) -> float:
    """Return a number rounded to 12 digits: `1 - 0.9997` is 0.0003.

    >>> rounded(1 - 0.9997)
    0.0003
    """
    return float(f"{number:.12g}")


def _plain(layer: Layer) -> Callable[[ProgramTrace, OperatorCall], View]:
    """Return the reader of an activation with one argument and no options."""

    def read(trace: ProgramTrace, call: OperatorCall) -> View:
        return trace.each(layer, call.view("self"))

    return read


def _hardtanh(trace: ProgramTrace, call: OperatorCall) -> View:
    x = call.view("self")
    return _between(trace, x, float(call["min_val"]), float(call["max_val"]))


def _clamp(trace: ProgramTrace, call: OperatorCall) -> View:
    x = call.view("self")
    low = call["min"]
    high = call["max"] if call.name == "clamp" else None
    return _between(trace, x, low, high)


def _between(trace: ProgramTrace, x: View, low: Any, high: Any) -> View:
    """Read the clipping of RELU, RELU6 and HARDTANH; another lower bound becomes an operation for `patterns`."""
    known: Mapping[tuple[Any, Any], Layer] = {(0, None): Relu(), (0, 6): Relu6(), (-1, 1): HardTanh()}
    if (low, high) in known:
        return trace.each(known[low, high], x)
    if isinstance(low, int | float) and high is None:
        return x.of(trace.operation("at least", [x.at], trace.shape(x.at), by=float(low)))
    raise Unsaid(f"it clips to {low} and {high}")


def _gelu(trace: ProgramTrace, call: OperatorCall) -> View:
    return trace.each(Gelu(approximate=call["approximate"] == "tanh"), call.view("self"))


def _leaky_relu(trace: ProgramTrace, call: OperatorCall) -> View:
    return trace.each(LeakyRelu(rounded(call["negative_slope"])), call.view("self"))


def _elu(trace: ProgramTrace, call: OperatorCall) -> View:
    return trace.each(Elu(rounded(call["alpha"])), call.view("self"))


def _celu(trace: ProgramTrace, call: OperatorCall) -> View:
    return trace.each(Celu(rounded(call["alpha"])), call.view("self"))


def _softplus(trace: ProgramTrace, call: OperatorCall) -> View:
    call.pass_over("threshold") if call["threshold"] == 20 else None
    return trace.each(Softplus(rounded(call["beta"])), call.view("self"))


def _prelu(trace: ProgramTrace, call: OperatorCall) -> View:
    x, slope = call.view("self"), call.weight("weight")
    if slope is None or len(x.dims) < 2 or not trace.is_channels(x, 1):
        raise Unsaid("its slopes are not along the channels")
    is_shared = slope.extents == (1,) and trace.shape(x.at).channels > 1
    return x.of(trace.layer(PRelu(shared=is_shared), [x.at], {"weight": slope}))


def _dropout(trace: ProgramTrace, call: OperatorCall) -> View:
    """Read a dropout, keeping its rate in evaluation too, where it does nothing."""
    x = call.view("self" if call["input"] is None else "input")
    call.pass_over("train")
    is_of_channels = call.name == "feature_dropout"
    if is_of_channels and (len(x.dims) < 3 or not trace.is_channels(x, 1)):
        raise Unsaid("it drops something other than channels")
    p = rounded(call["p"])
    return x if p == 0 else trace.each(Dropout(p, is_of_channels), x)


def _arithmetic(
    merge: type[MergeLayer], by_number: Callable[[ProgramTrace, View, float], View], name: str
) -> Callable[[ProgramTrace, OperatorCall], View]:
    """Return the reader of an operator on two tensors, or on a tensor and a number or parameter."""

    def read(trace: ProgramTrace, call: OperatorCall) -> View:
        first, second = call["self"], call["other"]
        if call["alpha"] not in (None, 1):
            raise Unsaid(f"alpha={call['alpha']}")
        if isinstance(first, View) and isinstance(second, View):
            a, b, dims = trace.pair(first, second)
            if merge is Sub and trace.shape(a) != trace.shape(b):
                return View(_operation_of_two(trace, "centred", a, b), dims)
            if merge is Add:
                a, b = trace.spread(a, b), trace.spread(b, a)
            return View(trace.layer(merge(), [a, b]), dims)
        swapped = not isinstance(first, View)
        view, other = (second, first) if swapped else (first, second)
        if swapped and name == "sub":
            raise Unsaid("something is subtracted from a constant")
        if isinstance(other, int | float):
            return by_number(trace, view, float(other))
        return with_weight(trace, view, other, name)

    return read


def _plus(trace: ProgramTrace, x: View, by: float) -> View:
    return x if by == 0 else x.of(trace.operation("plus", [x.at], trace.shape(x.at), by=by))


def _minus(trace: ProgramTrace, x: View, by: float) -> View:
    return _plus(trace, x, -by)


def times(trace: ProgramTrace, x: View, by: float) -> View:
    """Multiply a tensor by a number."""
    return x if by == 1 else trace.each(Times(rounded(by)), x)


def with_weight(trace: ProgramTrace, x: View, weight: FixedValue, name: str) -> View:
    """Multiply a tensor by a value that is independent of it, or add that: a SCALE, or stochastic depth."""
    if weight.form[0] in ("bernoulli", "div", "floor"):
        return _kept(trace, x, weight, name)
    if not weight.name or name not in ("mul", "add"):
        raise Unsaid(_told_of(weight, name))
    x = _over(trace, x, weight)
    extents = trace.tensors[weight.name]
    shape = trace.shape(x.at)
    forms: dict[tuple[int, ...], str] = {(shape.channels, *(1,) * shape.rank): "map", (shape.channels,): "vector"}
    forms |= {(1, shape.channels, *(1,) * shape.rank): "batch", (): "number", (1,): "singleton"}
    if extents not in forms:
        raise Unsaid(f"a parameter of extents {'x'.join(map(str, extents))} enters it")
    layer = Scale(name == "mul", name == "add", parameter=forms[extents])
    return x.of(trace.layer(layer, [x.at], {"": weight}))


def _told_of(weight: FixedValue, name: str) -> str:
    """Return the message for a parameter or buffer that is used in a way that no layer supports."""
    if not weight.name:
        return "something computed from parameters enters it"
    does = {"sub": "subtracted", "div": "divided by"}.get(name, "entered")
    return (
        f"`{weight.name}` is {does}, and no layer does this; where it normalises the image, do that before the network"
    )


def _over(trace: ProgramTrace, x: View, weight: FixedValue) -> View:
    """Return the tensor if the parameter lies along its channels or is a single value. Raises Unsaid otherwise."""
    along = [at - len(weight.extents) for at, size in enumerate(weight.extents) if size > 1]
    if len(weight.extents) > len(x.dims) or (along and (len(along) > 1 or not trace.is_channels(x, along[0]))):
        raise Unsaid("a parameter lies along something else than the channels")
    return x


def _kept(trace: ProgramTrace, x: View, noise: FixedValue, name: str) -> View:
    """Read stochastic depth: keep whole images with a probability, and divide by it before or after."""
    at = x.at
    match noise.form:
        case ("div", ("bernoulli", float(keep)), float(by)) if by == keep:
            pass
        case ("bernoulli", float(keep)) | (
            "floor",
            ("add", float(keep), ("rand", object())) | ("add", ("rand", object()), float(keep)),
        ):
            at = _undivided(trace, at, keep)
        case _:
            raise Unsaid("something is drawn at random")
    is_by_image = noise.extents[:1] == (trace.batch,) and not any(size != 1 for size in noise.extents[1:])
    if name != "mul" or not is_by_image or x.dims[0] == () or len(noise.extents) != len(x.dims):
        raise Unsaid("what is drawn at random is not one number for each image")
    return x.of(trace.layer(DropPath(rounded(1 - keep)), [at]))


def _undivided(trace: ProgramTrace, at: int, keep: float) -> int:
    """Return the value before its division by the keep probability. Raises Unsaid if it isn't divided by that."""
    step = trace.steps[at]
    if keep == 1:
        return at
    if not isinstance(step.op, Times) or step.op.by != rounded(1 / keep):
        raise Unsaid("what is kept is not divided by the probability of that")
    return step.inputs[0]


def _div(trace: ProgramTrace, call: OperatorCall) -> View:
    x, by = call["self"], call["other"]
    if call["rounding_mode"] is not None:
        raise Unsaid("it rounds")
    if isinstance(x, View) and isinstance(by, int | float):
        return times(trace, x, 1 / by)
    if isinstance(x, View) and isinstance(by, View):
        if _is_by_group(trace, x, by):
            return x.of(_operation_of_two(trace, "quotient", x.at, by.at))
        a, b, dims = trace.pair(x, by)
        return View(_operation_of_two(trace, "quotient", a, b), dims)
    if isinstance(by, View) and isinstance(x, FixedValue) and x.name:
        return by.of(trace.operation("weight over", [by.at], trace.shape(by.at), {"": x.name}))
    raise Unsaid(_told_of(by, "div") if isinstance(by, FixedValue) else "it divides a parameter")


def _is_by_group(trace: ProgramTrace, x: View, by: View) -> bool:
    """Return whether each channel is divided by the value of its channel group."""
    groups, channels = trace.shape(by.at).channels, trace.shape(x.at).channels
    if trace.shape(by.at).pixels > 1 or channels % groups or len(x.dims) != len(by.dims) or not trace.is_channels(x, 1):
        return False
    repeated = (*full(CHANNELS, groups), *((Stretch(SPREAD, 0, channels // groups),) if groups < channels else ()))
    return by.dims[1] == repeated and all(narrow(by).dims[at] == () for at in range(2, len(by.dims)))


def _operation_of_two(trace: ProgramTrace, name: str, a: int, b: int) -> int:
    shape = max(trace.shape(a), trace.shape(b), key=lambda each: each.numel)
    return trace.operation(name, [a, b], shape)


def _operation(name: str) -> Callable[[ProgramTrace, OperatorCall], View]:
    def read(trace: ProgramTrace, call: OperatorCall) -> View:
        x = call.view("self")
        return x.of(trace.operation(name, [x.at], trace.shape(x.at)))

    return read


def _pow(trace: ProgramTrace, call: OperatorCall) -> View:
    x, power = call.view("self"), call["exponent"]
    names = {2: "square", 0.5: "root", -0.5: "inverse root"}
    if power not in names:
        raise Unsaid(f"a power of {power}")
    return x.of(trace.operation(names[power], [x.at], trace.shape(x.at)))


def _neg(trace: ProgramTrace, call: OperatorCall) -> View:
    return trace.each(Times(-1.0), call.view("self"))


def _rsub(trace: ProgramTrace, call: OperatorCall) -> View:
    """Read a number minus a tensor: 1 - sigmoid(x) is sigmoid(-x)."""
    x, number = call.view("self"), call["other"]
    if call["alpha"] != 1 or not isinstance(number, int | float):
        raise Unsaid("something is subtracted from it")
    step = trace.steps[x.at]
    if number == 1 and isinstance(step.op, Sigmoid):
        return trace.each(Sigmoid(), x.of(trace.layer(Times(-1.0), step.inputs)))
    return _plus(trace, trace.each(Times(-1.0), x), float(number))


def _maximum(trace: ProgramTrace, call: OperatorCall) -> View:
    first, second = call["self"], call["other"]
    if isinstance(first, View) and isinstance(second, View):
        a, b, dims = trace.pair(first, second)
        return View(trace.layer(Max(), [a, b]), dims)
    view, weight = (first, second) if isinstance(first, View) else (second, first)
    if not isinstance(weight, FixedValue) or not weight.name:
        raise Unsaid("the larger of it and something computed")
    _over(trace, view, weight)
    return view.of(trace.operation("at least weight", [view.at], trace.shape(view.at), {"": weight.name}))


def _abs(trace: ProgramTrace, call: OperatorCall) -> View:
    """Read the absolute value as the larger of a value and its negative."""
    x = call.view("self")
    return trace.each(Max(), x, trace.each(Times(-1.0), x))


def _addcmul(trace: ProgramTrace, call: OperatorCall) -> View:
    """Read a parameter plus a parameter times a tensor."""
    shift, factor, x = call["self"], call["tensor1"], call["tensor2"]
    if isinstance(factor, View):
        factor, x = x, factor
    if call["value"] != 1 or not (
        isinstance(shift, FixedValue) and isinstance(factor, FixedValue) and isinstance(x, View)
    ):
        raise Unsaid("")
    return with_weight(trace, with_weight(trace, x, factor, "mul"), shift, "add")


def _same(_: ProgramTrace, call: OperatorCall) -> Any:
    """Read a copy or a no-op: return the operand."""
    call.pass_over("memory_format", "non_blocking", "copy", "device")
    x = call["self"]
    if "dtype" in call.node.kwargs or call.name == "to":
        call.pass_over("dtype", "other")
        source: Any = call.node.args[0]
        if source.meta["val"].dtype != call.node.meta["val"].dtype:
            raise Unsaid("it changes the type of numbers")
    return x


def _nothing(_: ProgramTrace, call: OperatorCall) -> None:
    """Read an operator that only checks something and has no result."""
    call.pass_over_all()


def whole_spatial(trace: ProgramTrace, x: View, dims: tuple[int, ...]) -> bool:
    """Return whether dimensions are all the axes of a map, each of them whole; dimensions of size 1 are ignored."""
    shape = trace.shape(x.at)
    found = [each for number in dims for each in x.dims[x.dim(number)]]
    axes = [each for at, size in enumerate(shape.spatial, SPATIAL) for each in full(at, size)]
    return shape.rank > 0 and sorted(map(repr, found)) == sorted(map(repr, axes))


TABLE: Mapping[str, Callable[[ProgramTrace, OperatorCall], Any]] = {
    "relu": _plain(Relu()),
    "relu6": _plain(Relu6()),
    "selu": _plain(Selu()),
    "silu": _plain(Silu()),
    "mish": _plain(Mish()),
    "hardswish": _plain(HardSwish()),
    "sigmoid": _plain(Sigmoid()),
    "hardsigmoid": _plain(HardSigmoid()),
    "log_sigmoid": _plain(LogSigmoid()),
    "tanh": _plain(Tanh()),
    "softsign": _plain(Softsign()),
    "hardtanh": _hardtanh,
    "clamp": _clamp,
    "clamp_min": _clamp,
    "gelu": _gelu,
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "celu": _celu,
    "softplus": _softplus,
    "prelu": _prelu,
    "dropout": _dropout,
    "feature_dropout": _dropout,
    "add": _arithmetic(Add, _plus, "add"),
    "sub": _arithmetic(Sub, _minus, "sub"),
    "mul": _arithmetic(Mul, times, "mul"),
    "div": _div,
    "neg": _neg,
    "rsub": _rsub,
    "maximum": _maximum,
    "addcmul": _addcmul,
    "pow": _pow,
    "abs": _abs,
    "square": _operation("square"),
    "sqrt": _operation("root"),
    "rsqrt": _operation("inverse root"),
    "clone": _same,
    "contiguous": _same,
    "detach": _same,
    "alias": _same,
    "to": _same,
    "_to_copy": _same,
    "_assert_tensor_metadata": _nothing,
}
"""The function that reads each ATen operator, by name."""

__all__ = ["CHANNELS", "TABLE", "rounded", "times", "whole_spatial", "with_weight"]
