"""Small ONNX models, made with the helpers of the `onnx` package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference

from cnndsl.files import BinaryFile
from cnndsl.importers.flat import Imported
from cnndsl.importers.onnx_models import read
from cnndsl.importers.raising import raised


def model(
    *nodes: onnx.NodeProto,
    dims: Sequence[int | str] = ("N", 4, 8, 8),
    outputs: Sequence[str] = ("y",),
    tensors: Mapping[str, Any] | None = None,
    opset: int = 20,
    others: Mapping[str, Sequence[int | str]] | None = None,
    functions: Sequence[onnx.FunctionProto] = (),
    domains: Sequence[str] = (),
    given: Sequence[int | str] | None = None,
) -> onnx.ModelProto:
    """A model that reads `x`, and `others`, and gives `outputs`, of extents that are `given` or inferred."""
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))
        for name, shape in {"x": dims, **(others or {})}.items()
    ]
    results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, given) for name in outputs]
    initial = [numpy_helper.from_array(np.asarray(value), name) for name, value in (tensors or {}).items()]
    graph = helper.make_graph(list(nodes), "net", inputs, results, initial)
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid("own", 1) for _ in functions[:1])]
    imports += [helper.make_opsetid(each, 1) for each in domains]
    made = helper.make_model(graph, opset_imports=imports, ir_version=8, functions=functions)
    return shape_inference.infer_shapes(made)


def node(op: str, inputs: str = "x", outputs: str = "y", **attributes: Any) -> onnx.NodeProto:
    """An operator, called as what it gives; names of values are separated by blanks, and `-` is none."""
    names = ["" if each == "-" else each for each in inputs.split(" ")]
    return helper.make_node(op, names, outputs.split(" "), name=f"at_{outputs.split(' ')[0]}", **attributes)


def weights(*shape: int, seed: int = 0) -> Any:
    """Random weights."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def imported(made: onnx.ModelProto) -> Imported:
    """The network of a model."""
    return read(BinaryFile("net.onnx", made.SerializeToString()))


def text(made: onnx.ModelProto | Imported) -> str:
    """What a model becomes after its `INPUT`, on one line."""
    found = made if isinstance(made, Imported) else imported(made)
    return " ".join(raised(found.graph).split()).partition(" -> ")[2]
