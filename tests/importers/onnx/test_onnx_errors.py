"""What an ONNX file cannot say: bytes that are no model, operators without a counterpart, values that fit nothing."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from cnndsl.errors import CnnError
from cnndsl.files import BinaryFile, FileError
from cnndsl.importers.onnx_models import read
from cnndsl.importers.program import program
from tests.commands.running import run
from tests.importers.onnx.made import imported, model, node, text, weights

F32 = np.float32
W = {"w": weights(6, 4, 3, 3)}


def messages(made: onnx.ModelProto) -> list[str]:
    with pytest.raises(CnnError) as stop:
        imported(made)
    return [each.message for each in stop.value.diagnostics]


def message(made: onnx.ModelProto) -> str:
    (only,) = messages(made)
    return only


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"INPUT -> CONV3-64",
        b"\x00" * 100,
        bytes(range(256)),
        model(node("Conv", "x w"), tensors=W).SerializeToString()[:-300],
        model(node("Relu")).graph.SerializeToString(),
    ],
)
def test_bytes_that_are_no_model(data: bytes) -> None:
    with pytest.raises(CnnError, match=r"net\.onnx: (this is not an ONNX model|the model)"):
        read(BinaryFile("net.onnx", data))


def test_every_place_where_a_file_may_be_cut() -> None:
    data = model(node("Conv", "x w", "a"), node("Relu", "a"), tensors={"w": weights(2, 4, 1, 1)}).SerializeToString()
    for end in range(len(data)):
        with pytest.raises(CnnError):
            read(BinaryFile("net.onnx", data[:end]))


def test_a_file_on_the_command_line(tmp_path: Path) -> None:
    """One message, and 1; then the program."""
    file, written = tmp_path / "net.onnx", tmp_path / "net.cnn"
    file.write_bytes(b"no model")
    found = run("import", str(file))
    assert found.exit_code == 1
    assert found.stdout == ""
    assert found.stderr.count("error[E0505]") == 1
    file.write_bytes(model(node("Conv", "x w"), tensors=W).SerializeToString())
    assert run("import", str(file), "-o", str(written)).exit_code == 0
    assert written.read_text().startswith("# Imported from net.onnx, of ONNX.\nINPUT 8x8x4")
    assert "cannot read" in run("import", str(tmp_path / "none.onnx")).stderr


def test_the_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(FileError, match=re.escape("pip install onnx")):
        program(BinaryFile("net.onnx", b""))


def test_all_operators_without_a_counterpart_are_named_at_once() -> None:
    made = model(
        node("Sin", "x", "a"),
        node("Sin", "a", "b"),
        node("Cos", "b", "c"),
        onnx.helper.make_node("Magic", ["c"], ["d"], domain="com.example", name="at_d"),
        node("Relu", "d"),
        domains=["com.example"],
        given=("N", 4, 8, 8),
    )
    assert messages(made) == [
        "net.onnx: the operator `Sin` has no counterpart: 2 times, `at_a`, `at_b`",
        "net.onnx: the operator `Cos` has no counterpart: 1 time, `at_c`",
        "net.onnx: the operator `com.example.Magic` has no counterpart: 1 time, `at_d`",
    ]


def test_operators_that_are_parts_of_layers_alone() -> None:
    made = model(node("Erf", "x", "a"), node("Abs", "a"))
    assert messages(made) == [
        "net.onnx: the operator `Erf` has no counterpart: 1 time, `at_a`",
        "net.onnx: the operator `Abs` has no counterpart: 1 time, `at_y`",
    ]


def test_what_no_output_depends_on_is_not_looked_at() -> None:
    assert text(model(node("Relu"), node("Sin", "x", "a"))) == "RELU"


@pytest.mark.parametrize(
    ("op", "said"),
    [("Conv", {"bogus": 1}), ("Relu", {"consumed_inputs": [0]}), ("BatchNormalization", {"spatial": 0})],
)
def test_attributes_that_the_opset_does_not_have(op: str, said: dict[str, Any]) -> None:
    inputs = {"Conv": "x w", "Relu": "x", "BatchNormalization": "x a a a a"}[op]
    made = model(node("Relu"), tensors={**W, "a": weights(4)})
    made.graph.node[0].CopyFrom(node(op, inputs, **said))
    assert f"Unrecognized attribute: {next(iter(said))}" in message(made)


V = {"a": abs(weights(4)) + F32(1)}
TWO = [node("Relu", "x", "a"), node("Tanh", "x", "b")]


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (model(node("Conv", "x w"), tensors=W, opset=6), "opset 6"),
        (model(node("Conv", "x w"), tensors={"w": weights(6, 3, 3, 3)}), "do not fit|inputs do not fit"),
        (model(node("Conv", "x w"), dims=("N", 4, 2, 2), tensors=W), "window|negative|fit"),
        (
            model(node("Conv", "x w", "y"), tensors=W, dims=("N", 4, "H", "W")),
            "leaves the size of the input `x` open: N x 4 x H x W",
        ),
        (model(node("Relu"), dims=(8,)), "not a batch of vectors or maps"),
        (model(node("Relu"), dims=("N", 1, 2, 3, 4, 5)), "5 axes"),
        (model(node("Clip", "x lo hi"), tensors={"lo": F32(0), "hi": F32(1)}), "values between 0.0 and 1.0"),
        (model(node("HardSigmoid")), "a slope of 0.2"),
        (model(node("Selu", alpha=1.0)), "a SELU"),
        (model(node("MaxPool", kernel_shape=[3, 3], pads=[0, 1, 1, 0])), r"padding of \(0, 1\) before"),
        (model(node("AveragePool", kernel_shape=[3, 3], pads=[0, 1, 1, 0])), "padding"),
        (model(node("AveragePool", kernel_shape=[2, 2], dilations=[2, 2])), "positions apart"),
        (model(node("MaxPool", "x", "y i", kernel_shape=[2, 2], storage_order=1)), "switches"),
        (model(node("LRN", size=4)), "4 neighbours"),
        (model(node("LpPool", kernel_shape=[2, 2], p=3)), "odd powers"),
        (model(node("LpNormalization", axis=1, p=1)), "norm"),
        (model(node("ReduceMean", axes=[2]), opset=13), r"over the axes \(2,\)"),
        (model(node("ReduceMean", axes=[0]), opset=13), "images of a batch"),
        (model(node("Transpose", perm=[1, 0, 2, 3])), "moves the images"),
        (model(node("Reshape", "x s"), dims=(2, 4, 8, 8), tensors={"s": np.array([8, 64])}), "mixes the images"),
        (model(node("Softmax", axis=0)), "axis 0"),
        (model(node("Softmax", axis=1), opset=11), "several axes"),
        (model(*TWO, node("MatMul", "a b")), "attention"),
        (model(*TWO, node("Div", "a b")), "quotient"),
        (model(node("Gemm", "x w", alpha=2.0), dims=("N", 5), tensors={"w": weights(5, 3)}), "factors"),
        (model(node("Mul", "x w"), tensors={"w": weights(4, 8, 8)}), r"a tensor of \(4, 8, 8\)"),
        (model(node("GlobalAveragePool", "x", "g"), node("Add", "x g")), "different shapes"),
        (
            model(
                node("Resize", "x - s", mode="linear", coordinate_transformation_mode="asymmetric"),
                tensors={"s": np.array([1, 1, 2, 2], F32)},
            ),
            "mode linear asymmetric",
        ),
        (
            model(node("Resize", "x - s", mode="nearest"), tensors={"s": np.array([1, 1, 1.5, 1.5], F32)}),
            "mode nearest",
        ),
        (
            model(node("Resize", "x - s", mode="linear", antialias=1), tensors={"s": np.array([1, 1, 0.5, 0.5], F32)}),
            "smoothed",
        ),
        (
            model(node("Resize", "x - s", mode="linear"), tensors={"s": np.array([1, 1, 1.3, 1.3], F32)}),
            "a scale of 1.3",
        ),
        (model(node("Pad", "x p", mode="constant"), tensors={"p": np.array([0, 0, -1, 0, 0, 0, 0, 0])}), "below zero"),
        (model(node("Pad", "x p c"), tensors={"p": np.array([0, 0, 1, 1, 0, 0, 1, 1]), "c": F32(1)}), "another number"),
        (model(node("ConvTranspose", "x w", output_shape=[16, 16]), tensors={"w": weights(4, 6, 2, 2)}), "given size"),
        (
            model(
                node("GroupNormalization", "x s s", num_groups=2),
                tensors={"s": weights(2)},
                opset=21,
                given=("N", 4, 8, 8),
            ),
            "2 values for 4",
        ),
        (
            model(
                node("Slice", "x s e a t"),
                tensors={"s": np.array([-1]), "e": np.array([-9]), "a": np.array([3]), "t": np.array([-1])},
            ),
            "backwards",
        ),
        (model(node("Gather", "x i", axis=1), tensors={"i": np.array([[0, 1], [1, 0]])}), "index of several axes"),
        (model(node("Relu", "c", "y"), tensors={"c": weights(1, 2)}), "no network|computed of no input|depends"),
        (model(node("Identity")), "no network"),
        (model(node("Conv", "x v"), node("Mul", "w w", "v"), tensors=W), "topologically sorted|breaks a rule"),
        (model(node("Mul", "w w", "v"), node("Conv", "x v"), tensors=W), "is not a tensor of the file"),
        (
            model(
                node("Conv", "x w", "a", pads=[1] * 4),
                node("Conv", "a w", pads=[1] * 4),
                tensors={"w": weights(4, 4, 3, 3)},
            ),
            "sharing is not read yet",
        ),
        (model(node("Relu"), others={"z": (1, 4)}), "depends on the input `z`"),
        (model(*TWO, node("Concat", "x a", axis=0)), "axis 0"),
    ],
)
def test_what_has_no_counterpart(made: onnx.ModelProto, told: str) -> None:
    assert re.search(told, message(made)), message(made)


def test_the_place_is_the_operator_with_what_it_gives() -> None:
    assert message(model(node("Relu", "x", "a"), node("LRN", "a", size=4))).startswith(
        "net.onnx: LRN `at_y`, which gives `y`: "
    )


def test_weights_beside_the_file_are_not_needed() -> None:
    """Their extents say how many they are."""
    made = model(node("Conv", "x w"), tensors=W)
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")
    found = imported(made)
    assert (text(found), found.params) == ("CONV3-6(pad=valid, bias=no)", 6 * 4 * 9)


def test_what_is_not_computed_does_not_take_memory() -> None:
    """A constant of 10^12 values, which a few bytes ask for."""
    made = model(
        onnx.helper.make_node("ConstantOfShape", ["s"], ["c"]),
        node("Add", "x c"),
        tensors={"s": np.array([10**6, 10**6])},
    )
    with pytest.raises(CnnError):
        imported(made)
