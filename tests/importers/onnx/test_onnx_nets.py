"""Bundled networks by way of PyTorch's exporters, and back: the same graph, the same parameters, the same numbers.

What an exporter leaves out or folds is named where it is expected: dropout in use, and batch normalisations that are
folded into convolutions. The reference implementation of the `onnx` package computes the numbers.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from typing import Any

import onnx
import pytest
import torch

import cnndsl
from cnndsl import Network
from cnndsl.files import BinaryFile
from cnndsl.graph import Graph
from cnndsl.importers.compared import difference
from cnndsl.importers.onnx_models import read
from cnndsl.importers.program import program
from tests.importers.caffe_checked import parameters
from tests.importers.onnx.checked import checked
from tests.importers.onnx.plain import plain

TRAINING = ("DROPOUT", "DROPPATH")
NETS = {
    "alexnet": 224,
    "convnext_tiny": 64,
    "densenet121": 64,
    "efficientnet": 64,
    "googlenet": 64,
    "mobilenet_v2": 64,
    "mobilenet_v3_large": 64,
    "resnest50": 64,
    "resnet50": 64,
    "shufflenet_v2_x1_0": 64,
    "squeezenet1_1": 64,
    "unet": 188,
    "vgg11_bn": 224,
    "yolov5": 64,
}


def exported(network: Network, *, by: str) -> onnx.ModelProto:
    """A network as PyTorch writes it, with random statistics: by the older exporter, or by that of `torch.export`."""
    torch.manual_seed(0)
    module = network.module().eval()
    for name, buffer in module.named_buffers():
        if name.endswith(("running_mean", "running_var")):
            buffer.copy_(torch.rand_like(buffer) + 0.5)
    images = tuple([torch.randn(1, each.shape.channels, *each.shape.spatial) for each in network.graph.inputs])
    stream = io.BytesIO()
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        # Both warn of what comes in later versions.
        warnings.simplefilter("ignore")
        if by == "trace":
            mode = torch.onnx.TrainingMode.PRESERVE
            torch.onnx.export(module, images, stream, dynamo=False, training=mode, do_constant_folding=False)
            return onnx.load_model_from_string(stream.getvalue())
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        made: Any = torch.onnx.export(module, images, dynamo=True, verbose=False, optimize=by == "folded")
        return made.model_proto


def small(name: str) -> Network:
    """A network that takes small images, without what it gives in training alone."""
    network = cnndsl.load(name)
    size = NETS[name]
    return cnndsl.load(name, input=(size, size, network.graph.input.channels))


def count(graph: Graph) -> int:
    """The parameters of a graph."""
    return sum(each.numel for each in parameters(graph))


def test_a_traced_network_comes_back() -> None:
    comes_back("squeezenet1_1", "trace")


def test_a_traced_network_keeps_its_normalisations() -> None:
    network = cnndsl.load("mobilenet_v2", input=(32, 32, 3))
    found = read(BinaryFile("net.onnx", exported(network, by="trace").SerializeToString()))
    assert difference(plain(found.graph), plain(network.graph, without=TRAINING)) == ""
    # torchvision's documentation.
    assert found.params == 3_504_872


@pytest.mark.slow
@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("by", ["trace", "export"])
def test_a_network_comes_back(name: str, by: str) -> None:
    if (name, by) == ("shufflenet_v2_x1_0", "trace"):
        pytest.skip("the older exporter does not know channel_shuffle")
    comes_back(name, by)


def comes_back(name: str, by: str) -> None:
    network = small(name)
    found = checked(exported(network, by=by), batch=1)
    wanted = plain(network.graph, without=TRAINING)
    assert difference(plain(found.graph), wanted) == ""
    assert found.params == count(wanted)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETS)
def test_a_network_comes_back_with_its_normalisations_folded(name: str) -> None:
    """All is left but batch normalisations that follow convolutions; their shifts are the biases of these."""
    network = small(name)
    model = exported(network, by="folded")
    found = checked(model, batch=1)
    is_folded = any("folded" in note for note in found.notes)
    assert is_folded == any(node.layer.kind() == "BN" for node in network.graph)
    without = (*TRAINING, "BN")
    without_biases = [plain(graph, without=without, biases=False) for graph in (found.graph, network.graph)]
    assert difference(*without_biases) == ""


def test_a_file_becomes_a_program() -> None:
    """Its head says where it is from; the count is that of the file's tensors."""
    model = exported(small("squeezenet1_1"), by="trace")
    text = program(BinaryFile("squeezenet.onnx", model.SerializeToString()))
    assert text.startswith("# Imported from squeezenet.onnx, of ONNX.\n")
    # torchvision's documentation: 1,235,496 parameters.
    assert text.endswith("\nassert params == 1_235_496\nassert output == 1000\n")
    assert len(text.splitlines()) <= 12


def test_layers_are_called_as_in_the_file() -> None:
    """What has tensors as these, what has none as its module."""
    model = exported(small("squeezenet1_1"), by="trace")
    found = read(BinaryFile("net.onnx", model.SerializeToString())).graph
    state = {name.rpartition(".")[0] for name in small("squeezenet1_1").module().state_dict()}
    assert {node.path for node in found if found.tensors(node)} == state


def test_an_open_batch() -> None:
    """Sizes that are computed from the batch are no matter of it."""
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(144, 5))
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        images = (torch.randn(2, 3, 8, 8),)
        torch.onnx.export(module, images, stream, dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "batch"}})
    assert checked(onnx.load_model_from_string(stream.getvalue()), batch=3).params == 4 * 27 + 4 + 144 * 5 + 5
