"""An imported ONNX model beside ONNX's own reference implementation: the same weights, the same random input."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator
from torch import Tensor

import cnndsl
from cnndsl.files import BinaryFile
from cnndsl.graph import Graph
from cnndsl.importers.compared import difference
from cnndsl.importers.flat import Imported
from cnndsl.importers.onnx_models import read
from cnndsl.importers.onnx_models.maker import OnnxMaker
from cnndsl.importers.raising import raised
from tests.importers.caffe_checked import counterparts, parameters

Taken = dict[int, list[tuple[str, bool]]]
"""For each node the tensors that its layer takes, by their names, and whether its weight is a matrix to be turned."""


@contextmanager
def recording() -> Iterator[Taken]:
    """Keep which tensors each layer takes."""
    taken: Taken = {}
    waiting: list[str] = []
    begin, weight, add = OnnxMaker.begin, OnnxMaker.weight, OnnxMaker.add

    def new_begin(self: OnnxMaker, at: int) -> None:
        waiting.clear()
        begin(self, at)

    def new_weight(self: OnnxMaker, at: int, what: str = "weight") -> Any:
        waiting.append(self.node.reads(at))
        return weight(self, at, what)

    def new_add(self: OnnxMaker, layer: Any, *inputs: int) -> int:
        number = add(self, layer, *inputs)
        if layer.tensors(*(self.shape(each) for each in inputs)):
            turned = self.node.op in ("MatMul", "linear") or (
                self.node.op == "Gemm" and not self.node.whole("transB", 0)
            )
            names = [*waiting]
            if layer.kind() == "BN":
                statistics = self.node.inputs[3:5] if self.node.op == "BatchNormalization" else self.node.inputs[3:4]
                names += statistics
            taken[number] = [(name, turned) for name in names]
            waiting.clear()
        return number

    with patch.multiple(OnnxMaker, begin=new_begin, weight=new_weight, add=new_add):
        yield taken


def checked(model: onnx.ModelProto, *, tolerance: float = 1e-4, batch: int = 2) -> Imported:
    """The network of a model; what the program made of it gives is what the reference implementation gives."""
    with recording() as taken:
        found = read(BinaryFile("net.onnx", model.SerializeToString()))
    network = cnndsl.loads(raised(found.graph))
    assert difference(network.graph, found.graph) == ""
    assert found.params == sum(each.numel for each in parameters(found.graph))
    feeds = {each.name: _drawn(each, batch, at) for at, each in enumerate(_inputs(model))}
    names = {name for several in taken.values() for name, _ in several}
    values = _run(model, feeds, names)
    # An even kernel whose padding is uneven makes PyTorch say that it copies.
    warnings.filterwarnings("ignore", message="Using padding='same' with even kernel lengths")
    module = network.module().eval()
    _load(module, found.graph, network.graph, taken, values)
    is_last = any("at the end in the file" in note for note in found.notes)
    entering = [torch.from_numpy(np.moveaxis(each, -1, 1).copy() if is_last else each) for each in feeds.values()]
    with torch.no_grad():
        given = module(*entering)
    several = [given] if isinstance(given, Tensor) else list(given)
    wanted = [torch.from_numpy(values[each.name].copy()) for each in model.graph.output]
    assert len(several) == len(wanted)
    for one, other in zip(several, wanted, strict=True):
        if is_last and one.dim() > 2:
            one = one.movedim(1, -1)
        assert one.shape == other.shape
        assert (one - other).abs().max() <= tolerance * max(1.0, float(other.abs().max()))
    return found


def _inputs(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    given = {each.name for each in model.graph.initializer}
    return [each for each in model.graph.input if each.name not in given]


def _drawn(value: onnx.ValueInfoProto, batch: int, seed: int) -> Any:
    shape = [each.dim_value or batch for each in value.type.tensor_type.shape.dim]
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def _run(model: onnx.ModelProto, feeds: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """The outputs of a model, and the values of tensors that are computed in it."""
    tensors = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    wanted = [*sorted(names - tensors.keys()), *(each.name for each in model.graph.output)]
    whole = onnx.ModelProto()
    whole.CopyFrom(model)
    for name in sorted(names - tensors.keys()):
        whole.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    run: Any = ReferenceEvaluator(whole)
    return {**tensors, **dict(zip(wanted, run.run(wanted, feeds), strict=True))}


def _load(module: Any, imported: Graph, written: Graph, taken: Taken, values: dict[str, Any]) -> None:
    places = counterparts(imported, written)
    state = module.state_dict()
    for node in imported:
        tensors = [each for each in imported.tensors(node) if each.name != "num_batches_tracked"]
        if not tensors or (node.layer.kind() == "BN" and node.index not in taken):
            continue
        given = list(taken[node.index])
        if node.layer.kind() == "BN" and len(given) < len(tensors):
            # Keras' factor has the variance in it.
            given.append(("", False))
        for tensor, (name, turned) in zip(tensors, given, strict=True):
            path = written.nodes[places[node.index]].path
            target = state[f"{path}.{tensor.name}" if tensor.name else path]
            value = torch.from_numpy(np.array(values[name])) if name else torch.full(tensor.shape, 1 - 1e-5)
            value = value.T if turned and value.dim() == 2 else value
            target.copy_(value.reshape(target.shape))
