"""Files whose channels come last, as those of Keras on its torch backend, which turn each map for each convolution."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from cnndsl.errors import CnnError
from cnndsl.importers.onnx_models.views import AxisRun, OnnxView, merged, plainly
from cnndsl.shape import Shape
from tests.importers.onnx.checked import checked
from tests.importers.onnx.made import imported, model, node, text, weights

FIRST, LAST = [0, 3, 1, 2], [0, 2, 3, 1]


def keras(*end: onnx.NodeProto, outputs: tuple[str, ...] = ("y",)) -> onnx.ModelProto:
    """A convolution with a bias, a batch normalisation and a gate, as Keras 3.15 exports them."""
    nodes = [
        node("Transpose", "x", "a", perm=FIRST),
        node("Conv", "a w", "b", pads=[1] * 4),
        node("Transpose", "b", "c", perm=LAST),
        node("Add", "c bias", "d"),
        node("Sub", "d mean", "e"),
        node("Mul", "e factor", "f"),
        node("Add", "f shift", "g"),
        node("Relu", "g", "h"),
        node("ReduceMean", "h axes", "i"),
        node("Transpose", "i", "j", perm=FIRST),
        node("Conv", "j v", "k"),
        node("Transpose", "k", "l", perm=LAST),
        node("Sigmoid", "l", "m"),
        node("Mul", "h m", "n"),
    ]
    tensors = {
        "w": weights(6, 3, 3, 3),
        "v": weights(6, 6, 1, 1),
        "axes": np.array([1, 2]),
        **{name: weights(1, 1, 1, 6, seed=at) for at, name in enumerate(("bias", "mean", "factor", "shift"))},
    }
    return model(*nodes, *end, dims=("N", 8, 8, 3), tensors={**tensors, "u": weights(6, 5)}, outputs=outputs)


GATED = "CONV3-6 -> BN -> RELU -> MUL(ID, GAP -> CONV1-6(bias=no) -> SIGMOID)"


def test_nothing_is_left_of_the_turning() -> None:
    found = checked(keras(node("ReduceMean", "n axes", "o", keepdims=0), node("MatMul", "o u")))
    assert text(found) == f"{GATED} -> GAP -> FC-5(bias=no)"
    # Keras counts the weights of the convolutions and of the matrix, the bias, gamma and beta.
    assert found.params == 3 * 9 * 6 + 6 + 2 * 6 + 6 * 6 + 6 * 5
    assert found.notes == (
        "`x` has its channels at the end in the file, and first in the module",
        "batch normalisations have lost their `eps` in the file: they are (x - mean) times a factor there",
    )


def test_a_map_that_leaves_is_turned_like_the_one_that_enters() -> None:
    found = checked(keras(node("Tanh", "n", "y")))
    assert text(found) == f"{GATED} -> TANH"
    assert "`y` has its channels at the end in the file, and first in the module" in found.notes


def test_parts_and_values_side_by_side_along_the_last_axis() -> None:
    made = keras(node("Split", "n", "o p", axis=-1, num_outputs=2), node("Concat", "p o n", axis=3))
    assert text(checked(made)) == f"{GATED} -> (SLICE(3, 6) | SLICE(0, 3) | ID)"


def test_a_vector_of_a_map_holds_position_after_position() -> None:
    assert text(checked(keras(node("Flatten", "n")))) == f"{GATED} -> FLATTEN(channels=last)"


def test_zeros_and_a_pooling() -> None:
    zeros = onnx.helper.make_node("Constant", [], ["p"], value_ints=[0, 0, 1, 0, 0, 1, 1, 0])
    made = keras(
        zeros,
        node("Pad", "n p", "o"),
        node("Transpose", "o", "q", perm=FIRST),
        node("MaxPool", "q", "r", kernel_shape=[3, 3], strides=[2, 2]),
        node("Transpose", "r", perm=LAST),
    )
    assert text(checked(made)) == f"{GATED} -> ZEROPAD(0x1, 1) -> POOL3/2"


def test_an_input_that_is_read_both_ways_is_as_pytorch_has_it() -> None:
    made = model(
        node("Transpose", "x", "a", perm=FIRST),
        node("GlobalAveragePool", "a", "b"),
        node("Flatten", "b", "c"),
        node("GlobalAveragePool", "x", "d"),
        node("Flatten", "d", "e"),
        node("Concat", "c e", axis=1),
        dims=("N", 8, 8, 3),
    )
    # The height is that of the channels, the width that of the height, and the channels are those of the width.
    assert text(checked(made)) == "(PERMUTE(chw) -> GAP | GAP) -> FLATTEN"


def test_images_that_are_scaled_first_have_no_counterpart() -> None:
    """Keras' Rescaling: x/127.5 - 1."""
    constants = [
        onnx.helper.make_node("Constant", [], [name], value_float=value)
        for name, value in (("s", 1 / 127.5), ("o", -1.0))
    ]
    made = model(*constants, node("Mul", "x s", "a"), node("Add", "a o"), dims=("N", 8, 8, 3))
    with pytest.raises(CnnError, match="a sum with the number"):
        imported(made)


def test_factors_of_an_axis_are_put_together_where_they_follow_each_other() -> None:
    """8 channels as 2 of 4 and back; the other way round they are dealt out."""
    view = plainly(0, Shape(8, (3, 3)))
    apart = view.reshaped((2, 4, 9))
    assert apart is not None
    assert apart.groups == ((AxisRun(0, 4, 2),), (AxisRun(0, 1, 4),), (AxisRun(1, 1, 3), AxisRun(2, 1, 3)))
    assert apart.reshaped((8, 3, 3)) == view
    assert merged((AxisRun(0, 1, 4), AxisRun(0, 4, 2))) == (AxisRun(0, 1, 4), AxisRun(0, 4, 2))


def test_extents_that_do_not_divide() -> None:
    assert OnnxView(0, ((AxisRun(0, 1, 6),), (AxisRun(1, 1, 2),))).reshaped((4, 3)) is None
    made = model(node("Reshape", "x s"), dims=("N", 6, 2), tensors={"s": np.array([0, 4, 3])})
    assert text(checked(made)) == "RESHAPE(3x4)"
