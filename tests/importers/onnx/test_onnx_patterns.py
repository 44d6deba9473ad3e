"""Layers for which ONNX has no operator, or had none: as exporters write them, and nearly so.

The formulas are those of the papers that docs/language.md's layers cite, and of torch.nn's documentation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from cnndsl.errors import CnnError
from tests.importers.onnx.checked import checked
from tests.importers.onnx.made import imported, model, node, text, weights

F32 = np.float32


def consts(**values: float) -> list[onnx.NodeProto]:
    """Numbers as an exporter writes them."""
    tensor = onnx.numpy_helper.from_array
    return [onnx.helper.make_node("Constant", [], [name], value=tensor(F32(value))) for name, value in values.items()]


def erf(last: str = "y", by: float = 0.5) -> list[onnx.NodeProto]:
    return [
        *consts(root=2**0.5, one=1.0, half=by),
        node("Div", "x root", "a"),
        node("Erf", "a", "b"),
        node("Add", "b one", "c"),
        node("Mul", "x c", "d"),
        node("Mul", "d half", last),
    ]


def norm(*, order: str = "first") -> list[onnx.NodeProto]:
    """A layer norm of opset 11, over the channels: (x - mean)/sqrt(variance + eps)."""
    axes = {"axes": [1 if order == "first" else -1]}
    return [
        *consts(two=2.0, eps=1e-6),
        node("ReduceMean", "x", "m", **axes),
        node("Sub", "x m", "d"),
        node("Pow", "d two", "s"),
        node("ReduceMean", "s", "v", **axes),
        node("Add", "v eps", "w"),
        node("Sqrt", "w", "r"),
        node("Div", "d r", "n"),
    ]


CASES: dict[str, tuple[onnx.ModelProto, str]] = {
    "gelu": (model(*erf()), "GELU"),
    "gelu in another order": (
        model(
            *consts(root=0.5**0.5, one=1.0, half=0.5),
            node("Mul", "x half", "h"),
            node("Mul", "x root", "a"),
            node("Erf", "a", "b"),
            node("Add", "one b", "c"),
            node("Mul", "h c"),
        ),
        "GELU",
    ),
    "gelu by tanh": (
        model(
            *consts(three=3.0, k=0.044715, root=(2 / np.pi) ** 0.5, one=1.0, half=0.5),
            node("Pow", "x three", "a"),
            node("Mul", "a k", "b"),
            node("Add", "x b", "c"),
            node("Mul", "c root", "d"),
            node("Tanh", "d", "e"),
            node("Add", "e one", "f"),
            node("Mul", "x f", "g"),
            node("Mul", "g half"),
        ),
        "GELU(approximate=yes)",
    ),
    "swish": (model(node("Sigmoid", "x", "a"), node("Mul", "a x")), "SILU"),
    "mish": (model(node("Softplus", "x", "a"), node("Tanh", "a", "b"), node("Mul", "x b"), opset=11), "MISH"),
    "hard swish": (
        model(
            *consts(three=3.0, six=6.0, zero=0.0),
            node("Add", "x three", "a"),
            node("Clip", "a zero six", "b"),
            node("Mul", "x b", "c"),
            node("Div", "c six"),
            opset=11,
        ),
        "HSWISH",
    ),
    "hard swish of a hard sigmoid": (
        model(node("HardSigmoid", "x", "a", alpha=1 / 6), node("Mul", "x a"), opset=11),
        "HSWISH",
    ),
    "hard sigmoid": (
        model(
            *consts(three=3.0, six=6.0, zero=0.0),
            node("Add", "x three", "a"),
            node("Clip", "a zero six", "b"),
            node("Div", "b six"),
        ),
        "HSIGMOID",
    ),
    "softplus": (
        model(*consts(big=20.0), node("Softplus", "x", "a"), node("Greater", "x big", "b"), node("Where", "b x a")),
        "SOFTPLUS",
    ),
    "softplus with a beta": (
        model(*consts(two=2.0), node("Mul", "x two", "a"), node("Softplus", "a", "b"), node("Div", "b two")),
        "SOFTPLUS(beta=2)",
    ),
    "softsign": (
        model(*consts(one=1.0), node("Abs", "x", "a"), node("Add", "a one", "b"), node("Div", "x b")),
        "SOFTSIGN",
    ),
    "log sigmoid": (model(node("Sigmoid", "x", "a"), node("Log", "a")), "LOGSIGMOID"),
    "log softmax": (model(node("Softmax", "x", "a", axis=1), node("Log", "a")), "LOGSOFTMAX"),
    "scaled tanh": (
        model(
            *consts(scale=1.7159, slope=0.6667),
            node("Mul", "x slope", "a"),
            node("Tanh", "a", "b"),
            node("Mul", "b scale"),
        ),
        "TANH(scale=1.7159, slope=0.6667)",
    ),
    "a sum of windows": (
        model(
            *consts(four=4.0), node("AveragePool", "x", "a", kernel_shape=[2, 2], strides=[2, 2]), node("Mul", "a four")
        ),
        "SUMPOOL2",
    ),
    "times a number": (model(*consts(c=0.3), node("Mul", "c x")), "TIMES(0.3)"),
    "by a number": (model(*consts(c=4.0), node("Div", "x c")), "TIMES(0.25)"),
    "layer norm": (
        model(
            *norm(),
            node("Mul", "n g", "o"),
            node("Add", "o h"),
            tensors={"g": weights(4, 1, 1), "h": weights(4, 1, 1)},
            opset=11,
        ),
        "LN(eps=0.000001, over=channels)",
    ),
    "layer norm without weights": (
        model(*norm()[:-1], node("Div", "d r"), opset=11),
        "LN(eps=0.000001, affine=no, over=channels)",
    ),
    "mean squares": (
        model(
            *consts(two=2.0, eps=1e-6),
            node("Pow", "x two", "a"),
            node("ReduceMean", "a", "b", axes=[1]),
            node("Add", "b eps", "c"),
            node("Sqrt", "c", "d"),
            node("Reciprocal", "d", "e"),
            node("Mul", "x e", "f"),
            node("Mul", "f g"),
            tensors={"g": weights(4, 1, 1)},
            opset=11,
        ),
        "RMSNORM",
    ),
    "groups": (
        model(
            node("Reshape", "x to", "a"),
            node("InstanceNormalization", "a one zero", "b"),
            node("Shape", "x", "s"),
            node("Reshape", "b s", "c"),
            node("Mul", "c g", "d"),
            node("Add", "d h"),
            tensors={
                "to": np.array([0, 2, -1]),
                "one": np.ones(2, F32),
                "zero": np.zeros(2, F32),
                "g": weights(4, 1, 1),
                "h": weights(4, 1, 1),
            },
        ),
        "GN2",
    ),
    "weights and biases": (
        model(
            node("Mul", "x s.weight", "a"),
            node("Add", "a s.bias"),
            tensors={"s.weight": weights(4, 1, 1), "s.bias": weights(4, 1, 1)},
        ),
        "SCALE",
    ),
    "weights": (model(node("Mul", "g x"), tensors={"g": weights(1, 4, 1, 1)}), "SCALE(bias=no)"),
    "one weight": (model(node("Mul", "g x"), tensors={"g": weights(1)}), "SCALE(bias=no, shared=yes)"),
    "biases": (model(node("Add", "x g"), tensors={"g": weights(4, 1, 1)}), "SCALE(weight=no)"),
    "Keras' batch norm": (
        model(
            node("Sub", "x m", "a"),
            node("Mul", "a f", "b"),
            node("Add", "b c"),
            tensors={"m": weights(4, 1, 1), "f": weights(4, 1, 1, seed=1), "c": weights(4, 1, 1, seed=2)},
        ),
        "BN",
    ),
    "a convolution and its bias": (
        model(
            node("Conv", "x w", "a"), node("Add", "a b"), tensors={"w": weights(6, 4, 1, 1), "b": weights(1, 6, 1, 1)}
        ),
        "CONV1-6",
    ),
    "a norm": (
        model(
            *consts(eps=1e-12),
            node("ReduceL2", "x", "a", axes=[1]),
            node("Clip", "a eps", "b"),
            node("Shape", "x", "s"),
            node("Expand", "b s", "e"),
            node("Div", "x e"),
            opset=13,
        ),
        "L2NORM",
    ),
    "shortcut without weights": (
        model(
            node("Slice", "x s e a t", "h"),
            node("Pad", "h p"),
            tensors={
                "s": np.array([0, 0]),
                "e": np.array([8, 8]),
                "a": np.array([2, 3]),
                "t": np.array([2, 2]),
                "p": np.array([0, 2, 0, 0, 0, 2, 0, 0]),
            },
        ),
        "PADCHANNELS-8/2(where=both)",
    ),
    "sizes that are computed": (
        model(
            node("Shape", "x", "s"),
            node("Gather", "s zero", "n"),
            node("Unsqueeze", "n zero1", "n1"),
            node("Concat", "n1 rest", "to", axis=0),
            node("Reshape", "x to"),
            tensors={"zero": np.array(0), "zero1": np.array([0]), "rest": np.array([-1])},
        ),
        "FLATTEN",
    ),
    "a choice that is none": (
        model(
            node("Shape", "x", "s"),
            node("Gather", "s one", "c"),
            node("Equal", "c four", "t"),
            onnx.helper.make_node(
                "If",
                ["t"],
                ["y"],
                then_branch=onnx.helper.make_graph(
                    [node("Relu", "x", "yes")], "a", [], [onnx.helper.make_tensor_value_info("yes", 1, ["N", 4, 8, 8])]
                ),
                else_branch=onnx.helper.make_graph(
                    [node("Tanh", "x", "no")], "b", [], [onnx.helper.make_tensor_value_info("no", 1, ["N", 4, 8, 8])]
                ),
            ),
            tensors={"one": np.array(1), "four": np.array(4)},
        ),
        "RELU",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_several_operators_are_one_layer(case: str) -> None:
    made, wanted = CASES[case]
    assert text(checked(made, tolerance=1e-3)) == wanted


@pytest.mark.parametrize(
    "nodes",
    [
        erf(by=0.4),
        [*norm()[:-1], node("Div", "x r")],
        [*consts(one=2.0), node("Abs", "x", "a"), node("Add", "a one", "b"), node("Div", "x b")],
    ],
)
def test_nearly_is_not_enough(nodes: Any) -> None:
    with pytest.raises(CnnError, match=r"ha(s|ve) no counterpart"):
        imported(model(*nodes, opset=13))


def test_a_swish_whose_sigmoid_is_read_elsewhere_is_a_product() -> None:
    made = model(node("Sigmoid", "x", "s"), node("Mul", "x s", "y"), outputs=("y", "s"))
    assert {each.layer.kind() for each in imported(made).graph} == {"INPUT", "SIGMOID", "MUL"}


def test_functions_of_a_model_are_put_in_place() -> None:
    function = onnx.helper.make_function(
        "own",
        "Twice",
        ["a"],
        ["b"],
        [node("Relu", "a", "c"), node("Tanh", "c", "b")],
        [onnx.helper.make_opsetid("", 20)],
    )
    call = onnx.helper.make_node("Twice", ["x"], ["y"], domain="own")
    assert text(checked(model(call, functions=[function]))) == "RELU -> TANH"
