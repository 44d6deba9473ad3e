"""Each operator of ONNX beside the reference implementation of the `onnx` package, at the same weights.

What is expected of the text follows from the operator's specification, onnx.ai/onnx/operators.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from tests.importers.onnx.checked import checked
from tests.importers.onnx.made import imported, model, node, text, weights

W = {"w": weights(6, 4, 3, 3)}
F32 = np.float32


def one(
    op: str, inputs: str = "x", dims: Any = ("N", 4, 8, 8), tensors: Any = None, opset: int = 20, **said: Any
) -> Any:
    return model(node(op, inputs, **said), dims=dims, tensors=tensors, opset=opset)


def floats(*values: float) -> Any:
    return np.array(values, F32)


CASES: dict[str, tuple[onnx.ModelProto, str]] = {
    "conv": (one("Conv", "x w", tensors=W), "CONV3-6(pad=valid, bias=no)"),
    "conv with a bias": (
        one("Conv", "x w b", tensors={**W, "b": weights(6)}, pads=[1, 1, 1, 1], strides=[2, 2]),
        "CONV3-6/2",
    ),
    "conv in groups": (
        one("Conv", "x w", tensors={"w": weights(6, 2, 3, 3)}, group=2, pads=[0, 2, 0, 2]),
        "CONV3-6(pad=0x2, groups=2, bias=no)",
    ),
    "depthwise": (
        one("Conv", "x w", tensors={"w": weights(4, 1, 3, 3)}, group=4, dilations=[2, 2], pads=[2] * 4),
        "DWCONV3(dilation=2, bias=no)",
    ),
    "conv of a far padding": (
        one("Conv", "x w", tensors=W, pads=[0, 0, 1, 1], strides=[2, 2]),
        "ZEROPAD(0, 1) -> CONV3-6/2(pad=valid, bias=no)",
    ),
    "conv of an even kernel": (
        one("Conv", "x w", tensors={"w": weights(6, 4, 4, 4)}, pads=[1, 1, 2, 2]),
        "CONV4-6(bias=no)",
    ),
    "conv as TensorFlow's": (
        one("Conv", "x w", tensors=W, auto_pad="SAME_UPPER", strides=[2, 2]),
        "CONV3-6/2(pad=tfsame, bias=no)",
    ),
    "conv as TensorFlow's without a stride": (one("Conv", "x w", tensors=W, auto_pad="SAME_UPPER"), "CONV3-6(bias=no)"),
    "conv as Theano's": (
        one("Conv", "x w", tensors=W, auto_pad="SAME_LOWER", strides=[2, 2]),
        "ZEROPAD(1, 0) -> CONV3-6/2(pad=valid, bias=no)",
    ),
    "conv of one axis": (
        one("Conv", "x w", dims=("N", 4, 20), tensors={"w": weights(6, 4, 5)}),
        "CONV5-6(pad=valid, bias=no)",
    ),
    "conv of three axes": (
        one("Conv", "x w", dims=("N", 2, 4, 6, 6), tensors={"w": weights(3, 2, 1, 3, 3)}),
        "CONV1x3x3-3(pad=valid, bias=no)",
    ),
    "transposed": (
        one(
            "ConvTranspose",
            "x w",
            tensors={"w": weights(4, 6, 3, 3)},
            strides=[2, 2],
            pads=[1] * 4,
            output_padding=[1, 1],
        ),
        "CONVT3-6/2(pad=1, out_pad=1, bias=no)",
    ),
    "transposed, less at the end": (
        one("ConvTranspose", "x w", tensors={"w": weights(4, 6, 3, 3)}, strides=[2, 2], pads=[1, 1, 0, 0]),
        "CONVT3-6/2(pad=1, out_pad=1, bias=no)",
    ),
    "gemm": (one("Gemm", "x w b", dims=("N", 5), tensors={"w": weights(3, 5), "b": weights(3)}, transB=1), "FC-3"),
    "gemm, turned": (one("Gemm", "x w", dims=("N", 5), tensors={"w": weights(5, 3)}), "FC-3(bias=no)"),
    "matmul and a bias": (
        model(
            node("MatMul", "x w", "a"), node("Add", "b a"), dims=("N", 5), tensors={"w": weights(5, 3), "b": weights(3)}
        ),
        "FC-3",
    ),
    "matmul of a map": (
        model(node("Flatten", "x", "a"), node("MatMul", "a w"), tensors={"w": weights(256, 3)}),
        "FC-3(bias=no)",
    ),
    "matmul along channels that come last": (
        model(
            node("Transpose", "x", "a", perm=[0, 2, 3, 1]),
            node("MatMul", "a w", "b"),
            node("Transpose", "b", perm=[0, 3, 1, 2]),
            tensors={"w": weights(4, 3)},
        ),
        "FC-3(bias=no, over=channels)",
    ),
    "max pooling": (one("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4), "POOL3/2(pad=1)"),
    "max pooling, rounded up": (one("MaxPool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1), "POOL3/2(ceil=yes)"),
    "max pooling as TensorFlow's": (
        one("MaxPool", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER"),
        "POOL3/2(pad=tfsame)",
    ),
    "max pooling apart": (one("MaxPool", kernel_shape=[2, 2], strides=[1, 1], dilations=[2, 2]), "POOL2/1(dilation=2)"),
    "mean pooling": (
        one("AveragePool", kernel_shape=[3, 3], pads=[1] * 4, strides=[1, 1]),
        "AVGPOOL3/1(pad=1, countpad=no)",
    ),
    "mean pooling that counts zeros": (
        one("AveragePool", kernel_shape=[2, 2], pads=[1, 1, 0, 0], strides=[2, 2], count_include_pad=1),
        "ZEROPAD(1, 0) -> AVGPOOL2",
    ),
    "mean of everything": (one("GlobalAveragePool"), "GAP"),
    "largest of everything": (one("GlobalMaxPool"), "GMP"),
    "mean over axes": (one("ReduceMean", axes=[2, 3], keepdims=0, opset=13), "GAP -> FLATTEN"),
    "mean over axes that are read": (one("ReduceMean", "x a", tensors={"a": np.array([-1, -2])}), "GAP"),
    "largest over channels": (one("ReduceMax", "x a", tensors={"a": np.array([1])}), "CHANNELMAX"),
    "batch normalisation": (
        one(
            "BatchNormalization",
            "x s b m v",
            tensors={"s": weights(4), "b": weights(4), "m": weights(4), "v": abs(weights(4)) + F32(1)},
            momentum=0.99,
            epsilon=1e-3,
        ),
        "BN(eps=0.001, momentum=0.01)",
    ),
    "instance normalisation": (
        one("InstanceNormalization", "x s b", tensors={"s": weights(4), "b": weights(4)}),
        "IN(affine=yes)",
    ),
    "group normalisation": (
        model(
            node("GroupNormalization", "x s b", "a", num_groups=2),
            node("Relu", "a"),
            tensors={"s": weights(4), "b": weights(4)},
            opset=21,
            given=("N", 4, 8, 8),
        ),
        "GN2 -> RELU",
    ),
    "layer normalisation": (
        one("LayerNormalization", "x s b", tensors={"s": weights(4, 8, 8), "b": weights(4, 8, 8)}, axis=1),
        "LN",
    ),
    "local response": (one("LRN", dims=(4, 4, 8, 8), size=3, alpha=0.001, bias=2.0), "LRN3(alpha=0.001, k=2)"),
    "relu6": (one("Clip", "x lo hi", tensors={"lo": F32(0), "hi": F32(6)}), "RELU6"),
    "relu6 of an old opset": (one("Clip", min=0.0, max=6.0, opset=9), "RELU6"),
    "hard sigmoid": (one("HardSigmoid", alpha=1 / 6), "HSIGMOID"),
    "prelu": (one("PRelu", "x s", tensors={"s": weights(4, 1, 1)}), "PRELU"),
    "prelu with one slope": (one("PRelu", "x s", tensors={"s": weights(1)}), "PRELU(shared=yes)"),
    "softmax": (one("Softmax", axis=1), "SOFTMAX"),
    "softmax of an old opset": (one("Softmax", dims=("N", 5), opset=11), "SOFTMAX"),
    "softmax along the last axis": (
        model(
            node("Transpose", "x", "a", perm=[0, 2, 3, 1]),
            node("Softmax", "a", "b"),
            node("Transpose", "b", perm=[0, 3, 1, 2]),
        ),
        "SOFTMAX",
    ),
    "dropout": (one("Dropout", ratio=0.3, opset=11), "DROPOUT(0.3)"),
    "dropout that reads its rate": (one("Dropout", "x r", tensors={"r": F32(0.25)}), "DROPOUT(0.25)"),
    "gate": (
        model(node("GlobalAveragePool", "x", "g"), node("Sigmoid", "g", "s"), node("Mul", "x s")),
        "MUL(ID, GAP -> SIGMOID)",
    ),
    "gate of a vector": (
        model(
            node("ReduceMean", "x a", "g", keepdims=0),
            node("MatMul", "g w", "f"),
            node("Sigmoid", "f", "s"),
            node("Unsqueeze", "s a", "u"),
            node("Mul", "u x"),
            tensors={"a": np.array([2, 3]), "w": weights(4, 4)},
        ),
        "MUL(GAP -> FC-4(bias=no) -> SIGMOID, ID)",
    ),
    "times a number": (one("Mul", "x c", tensors={"val_0": F32(0.5)} | {"c": F32(0.5)}), "SCALE(bias=no, shared=yes)"),
    "a sum of three": (
        model(node("Relu", "x", "a"), node("Tanh", "x", "b"), node("Sum", "x a b")),
        "(ID + RELU + TANH)",
    ),
    "a mean of two": (model(node("Relu", "x", "a"), node("Mean", "x a")), "MEAN(ID, RELU)"),
    "the larger": (model(node("Tanh", "x", "a"), node("Max", "x a")), "MAX(ID, TANH)"),
    "a difference": (model(node("Relu", "x", "a"), node("Sub", "x a")), "SUB(ID, RELU)"),
    "side by side": (model(node("Relu", "x", "a"), node("Concat", "x a", axis=-3)), "(ID | RELU)"),
    "parts": (
        model(node("Split", "x", "a b", axis=1, num_outputs=2), node("Concat", "b a", axis=1)),
        "(SLICE(2, 4) | SLICE(0, 2))",
    ),
    "parts of an old opset": (
        model(node("Split", "x", "a b", axis=1, split=[1, 3]), node("Relu", "b"), opset=11),
        "SLICE(1, 4) -> RELU",
    ),
    "a slice of an old opset": (one("Slice", starts=[1], ends=[3], axes=[1], opset=9), "SLICE(1, 3)"),
    "a crop": (
        one("Slice", "x s e a", tensors={"s": np.array([1, 2]), "e": np.array([-1, 8]), "a": np.array([2, 3])}),
        "CROP(1x2, 1x0)",
    ),
    "every second position": (
        one(
            "Slice",
            "x s e a t",
            tensors={"s": np.array([0, 0]), "e": np.array([99, 99]), "a": np.array([2, 3]), "t": np.array([2, 2])},
        ),
        "POOL1/2",
    ),
    "picked": (one("Gather", "x i", tensors={"i": np.array([3, 0])}, axis=1), "PICK(3, 0)"),
    "zeros around": (one("Pad", "x p", tensors={"p": np.array([0, 0, 1, 2, 0, 0, 1, 2])}), "ZEROPAD(1x2)"),
    "zeros of an old opset": (one("Pad", pads=[0, 0, 0, 0, 0, 0, 1, 1], opset=10), "ZEROPAD(0, 1)"),
    "mirrored": (one("Pad", "x p", tensors={"p": np.array([0, 0, 2, 2, 0, 0, 2, 2])}, mode="reflect"), "REFLECTPAD(2)"),
    "more channels": (
        one("Pad", "x p", tensors={"p": np.array([0, 1, 0, 0, 0, 2, 0, 0])}),
        "PADCHANNELS-7(where=both)",
    ),
    "nearest": (one("Resize", "x - s", tensors={"s": floats(1, 1, 3, 3)}, mode="nearest"), "UPSAMPLE3"),
    "nearest by floor": (
        one(
            "Resize",
            "x - s",
            tensors={"s": floats(1, 1, 2, 2)},
            mode="nearest",
            nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        ),
        "UPSAMPLE2",
    ),
    "nearest of an old opset": (one("Upsample", "x s", tensors={"s": floats(1, 1, 2, 2)}, opset=9), "UPSAMPLE2"),
    "linear to a size": (
        one("Resize", "x - - s", tensors={"s": np.array([2, 4, 12, 20])}, dims=(2, 4, 8, 8), mode="linear"),
        "UPSAMPLE(mode=linear, out=12x20)",
    ),
    "linear, aligned": (
        one(
            "Resize",
            "x - s",
            tensors={"s": floats(1, 1, 2, 2)},
            mode="linear",
            coordinate_transformation_mode="align_corners",
        ),
        "UPSAMPLE2(mode=linear, align=yes)",
    ),
    "channels to blocks": (one("DepthToSpace", dims=("N", 8, 4, 4), blocksize=2), "PIXELSHUFFLE2(order=blocks)"),
    "channels to blocks as PyTorch's": (
        one("DepthToSpace", dims=("N", 8, 4, 4), blocksize=2, mode="CRD"),
        "PIXELSHUFFLE2",
    ),
    "blocks to channels": (one("SpaceToDepth", blocksize=2), "PIXELUNSHUFFLE2(order=blocks)"),
    "a shuffle": (
        model(
            node("Reshape", "x a", "r"),
            node("Transpose", "r", "t", perm=[0, 2, 1, 3, 4]),
            node("Reshape", "t b"),
            tensors={"a": np.array([0, 2, 2, 8, 8]), "b": np.array([0, 4, 8, 8])},
        ),
        "SHUFFLE2",
    ),
    "another order": (one("Transpose", perm=[0, 1, 3, 2]), "PERMUTE(whc)"),
    "a vector": (one("Flatten"), "FLATTEN"),
    "a vector, channels last": (
        model(node("Transpose", "x", "t", perm=[0, 2, 3, 1]), node("Flatten", "t")),
        "FLATTEN(channels=last)",
    ),
    "another shape": (one("Reshape", "x s", tensors={"s": np.array([0, 16, 4, 4])}), "RESHAPE(4x4x16)"),
    "a repeated map": (
        model(
            node("Unsqueeze", "x a", "u"),
            node("Expand", "u e", "r"),
            node("Reshape", "r s"),
            tensors={"a": np.array([3]), "e": np.array([1, 1, 1, 3, 1]), "s": np.array([0, 4, 24, 8])},
        ),
        "UPSAMPLE3x1",
    ),
    "a norm": (one("LpNormalization", axis=1, p=2), "L2NORM"),
    "powers": (one("LpPool", kernel_shape=[2, 2], strides=[2, 2], p=4), "LPPOOL2(p=4)"),
}


@pytest.mark.parametrize("case", CASES)
def test_an_operator_computes_what_the_reference_does(case: str) -> None:
    made, wanted = CASES[case]
    assert text(checked(made)) == wanted


@pytest.mark.parametrize(
    ("op", "wanted"),
    [
        ("Relu", "RELU"),
        ("LeakyRelu", "LEAKYRELU"),
        ("Elu", "ELU"),
        ("Celu", "CELU"),
        ("Selu", "SELU"),
        ("Gelu", "GELU"),
        ("Mish", "MISH"),
        ("HardSwish", "HSWISH"),
        ("Sigmoid", "SIGMOID"),
        ("Tanh", "TANH"),
        ("Softplus", "SOFTPLUS"),
        ("Softsign", "SOFTSIGN"),
        ("LogSoftmax", "LOGSOFTMAX"),
    ],
)
def test_an_activation(op: str, wanted: str) -> None:
    said = {"axis": 1} if op == "LogSoftmax" else {}
    assert text(checked(one(op, **said))) == wanted


def test_a_transposed_convolution_in_groups() -> None:
    """The reference implementation computes none."""
    tensors = {"w": weights(4, 3, 2, 2), "b": weights(6)}
    made = one("ConvTranspose", "x w b", tensors=tensors, group=2, strides=[2, 2])
    assert text(made) == "CONVT2-6/2(groups=2)"
    assert imported(made).params == 4 * 3 * 2 * 2 + 6


def test_switches_of_a_pooling() -> None:
    """The indices of `MaxPool` count over the batch, those of PyTorch over a map; the places are the same."""
    made = model(
        node("MaxPool", "x", "a i", kernel_shape=[2, 2], strides=[2, 2]),
        node("Relu", "a", "b"),
        node("MaxUnpool", "b i", kernel_shape=[2, 2], strides=[2, 2]),
    )
    assert text(made) == "x1: POOL2 -> RELU -> UNPOOL2(@x1)"
