"""Shapes where there is no graph to compare with: those of the layers, and what PyTorch refuses."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from cnndsl.emit.torch.verify.check import RunningText
from cnndsl.emit.torch.verify.foreign import Plugins
from cnndsl.emit.torch.verify.replay import Replay
from cnndsl.emit.torch.verify.shapes import Shapes
from cnndsl.emit.torch.verify.text import Program
from cnndsl.emit.torch.verify.trace import registers_of
from cnndsl.emit.torch.verify.values import NotUnderstood, Trouble
from cnndsl.network import load, loads
from cnndsl.shape import Shape
from tests.emit.torch.verify.support import BLOCK_TEXT, UNET_TEXT, network
from tests.emit.torch.verify.test_layers import KINDS
from tests.emit.torch.verify.test_python import ODD


def shape_of(text: str, x: Shape) -> Shape:
    """The shape of the first result in training."""
    running = RunningText(Program(text, {}), {})
    trace = running.trace(True)
    registers = Replay(Shapes()).run(trace, [x], "")
    return registers[registers_of(trace.result)[0].index]


@pytest.mark.parametrize("name", KINDS)
def test_shapes_are_the_graphs(name: str) -> None:
    net = loads(KINDS[name])
    assert shape_of(net.source(), net.graph.input) == net.graph.nodes[net.graph.output].shape


@pytest.mark.parametrize("name", ["segnet", "googlenet", "mobilenet_v3_small", "cifar_densenet", "unet"])
def test_shapes_of_the_zoo(name: str) -> None:
    net = load(name)
    assert shape_of(net.source(), net.graph.input) == net.graph.nodes[net.graph.output].shape


def test_shapes_of_written_texts() -> None:
    assert shape_of(BLOCK_TEXT, Shape(3, (16, 16))) == Shape(10)
    assert shape_of(UNET_TEXT, Shape(2, (16, 16))) == Shape(2, (12, 12))


@pytest.mark.parametrize(
    ("init", "forward"),
    [
        ("self.a = nn.Conv2d(5, 8, 3)", "self.a(x)"),
        ("self.a = nn.Conv1d(4, 8, 3)", "self.a(x)"),
        ("self.a = nn.Conv2d(4, 8, 9)", "self.a(x)"),
        ("self.a = nn.ConvTranspose2d(5, 8, 3)", "self.a(x)"),
        ("self.a = nn.Linear(192, 3)", "self.a(x)"),
        ("self.a = nn.Linear(191, 3)", "self.a(torch.flatten(x, 1))"),
        ("self.a = nn.BatchNorm2d(5)", "self.a(x)"),
        ("self.a = nn.BatchNorm1d(4)", "self.a(x)"),
        ("self.a = nn.LayerNorm([4, 8, 8])", "self.a(x)"),
        ("self.a = nn.GroupNorm(5, 5)", "self.a(x)"),
        ("self.a = nn.PReLU(3)", "self.a(x)"),
        ("self.a = nn.ChannelShuffle(3)", "self.a(x)"),
        ("self.a = nn.MaxPool2d(7)", "self.a(x)"),
        ("self.a = nn.Upsample(scale_factor=2, mode='trilinear')", "self.a(x)"),
        ("pass", "x + x[:, 0:3]"),
        ("pass", "torch.cat([x, x[:, :, 1:-1]], 1)"),
        ("pass", "F.pad(x, (-4, -4))"),
        ("self.a = nn.ReLU()", "self.a(x) + torch.flatten(x, 1)"),
    ],
)
def test_what_pytorch_refuses_is_trouble(init: str, forward: str) -> None:
    text = network(init, f"return {forward}")
    names: dict[str, Any] = {}
    exec(text, names)
    with pytest.raises((RuntimeError, ValueError, NotImplementedError)):
        names["Net"]()(torch.rand(2, 4, 8, 6))
    with pytest.raises(Trouble):
        shape_of(text, Shape(4, (8, 6)))


def test_a_plugin_is_asked_what_its_layer_is() -> None:
    program = Program(f"import torch\nfrom torch import Tensor, nn\n\n\n{ODD}", {"Odd": ODD})
    slots = (SimpleNamespace(value=3),)

    def layer(name: str, flatten: bool = False) -> Any:
        call = SimpleNamespace(name=name, arguments=slots, keywords=(), flatten=flatten)
        return SimpleNamespace(path="a", kind="ODD", layer=SimpleNamespace(torch=lambda *_: call, INIT=""))

    plugins = Plugins(program)
    assert plugins(layer("Odd", flatten=True), (Shape(4),)) == (("plugin", "Odd", ("by", 3)), True)
    assert plugins(layer("nn.ChannelShuffle"), (Shape(4),)) == (("shuffle", 3), False)
    with pytest.raises(NotUnderstood):
        plugins(layer("Missing"), (Shape(4),))
    nothing = SimpleNamespace(path="a", kind="ODD", layer=SimpleNamespace(torch=lambda *_: None))
    with pytest.raises(NotUnderstood):
        plugins(nothing, (Shape(4),))
