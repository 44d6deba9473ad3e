"""Layer types of another package, which say what they are, are treated like ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import ClassVar

import networkx as nx
import pytest

import cnndsl
from cnndsl import layers
from cnndsl.analysis.lifetimes import Lifetimes
from cnndsl.emit.drawing.dot import dot
from cnndsl.errors import CnnError
from cnndsl.layers.base import Dims, Layer, Slot, Tensor, TorchCall, Window, option
from cnndsl.layers.conv import INITS
from cnndsl.linting.lint import lint
from cnndsl.records import record
from cnndsl.shape import Shape
from tests.commands.running import run


@record
class Halve(Layer):
    """A pooling that drops single values too, with the module of PyTorch."""

    NAMES: ClassVar = ("HALVE",)
    ROLE: ClassVar = "pooling"
    SIZE: ClassVar = "size"

    size: int = option("int", 2, minimum=1)

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return Shape(x.channels, tuple(extent // self.size for extent in x.spatial))

    def window(self, *inputs: Shape) -> Window:
        rank = inputs[0].rank
        return Window((self.size,) * rank, (self.size,) * rank, (0,) * rank)

    def remainder(self, *inputs: Shape) -> tuple[int, ...]:
        return tuple(extent % self.size for extent in inputs[0].spatial)

    def torch(self, *inputs: Shape) -> TorchCall:
        return TorchCall(f"nn.MaxPool{inputs[0].rank}d", (Slot(self.size, "size"),))


@record
class Swoosh(Layer):
    """An activation."""

    NAMES: ClassVar = ("SWOOSH",)
    ROLE: ClassVar = "activation"

    def is_elementwise(self, *inputs: Shape) -> bool:
        return True

    def torch(self, *inputs: Shape) -> TorchCall:
        return TorchCall("nn.SiLU", inplace=True)


@record
class Border(Layer):
    """A padding of one on each side, whose argument has no option."""

    NAMES: ClassVar = ("BORDER",)
    ROLE: ClassVar = "arrangement"

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return Shape(x.channels, tuple(extent + 2 for extent in x.spatial))

    def torch(self, *inputs: Shape) -> TorchCall:
        return TorchCall(f"nn.ZeroPad{inputs[0].rank}d", (Slot(1, name="padding"),))


@record
class Norm32(Layer):
    """A normalisation that computes in fp32 and subtracts the mean over the batch."""

    NAMES: ClassVar = ("NORM32",)
    ROLE: ClassVar = "normalisation"
    WIDENS: ClassVar = True
    SUBTRACTS_MEAN: ClassVar = True

    def torch(self, *inputs: Shape) -> TorchCall:
        return TorchCall("nn.Identity")


@record
class Filter(Layer):
    """A convolution that says its window and its weights, and how they are initialised by an option of another name."""

    NAMES: ClassVar = ("FILTER",)
    ROLE: ClassVar = "convolution"
    SIZE: ClassVar = "size"
    INIT: ClassVar = "how"

    size: int = option("int", 3, minimum=1)
    how: str = option("word", "default", words=INITS)

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return Shape(x.channels, tuple(extent - self.size + 1 for extent in x.spatial))

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        (x,) = inputs
        return Tensor("weight", (x.channels, x.channels, *self._kernel(x))), Tensor("bias", (x.channels,), "bias")

    def macs(self, *inputs: Shape) -> int:
        return self.output(*inputs).pixels * self.tensors(*inputs)[0].numel

    def window(self, *inputs: Shape) -> Window:
        kernel = self._kernel(inputs[0])
        return Window(kernel, (1,) * len(kernel), (0,) * len(kernel))

    def _kernel(self, x: Shape) -> Dims:
        return (self.size,) * x.rank

    def torch(self, *inputs: Shape) -> TorchCall:
        channels = Slot(inputs[0].channels, "in_channels")
        return TorchCall(f"nn.Conv{inputs[0].rank}d", (channels, channels, Slot(self.size, "size")))


@record
class Linear(Layer):
    """A dense layer."""

    NAMES: ClassVar = ("LINEAR",)
    ROLE: ClassVar = "dense"
    WIDTH: ClassVar = "features"

    features: int = option("int", 10, minimum=1)

    def output(self, *inputs: Shape) -> Shape:
        return Shape(self.features)

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        return Tensor("weight", (self.features, inputs[0].numel)), Tensor("bias", (self.features,), "bias")

    def macs(self, *inputs: Shape) -> int:
        return inputs[0].numel * self.features

    def window(self, *inputs: Shape) -> None:
        return None

    def torch(self, *inputs: Shape) -> TorchCall:
        slots = (Slot(inputs[0].numel, "in_features"), Slot(self.features, "features"))
        return TorchCall("nn.Linear", slots, flatten=True)


@record
class Drop(Layer):
    """A dropout of single values."""

    NAMES: ClassVar = ("DROP",)

    def drops_values(self) -> bool:
        return True


@record
class First(Layer):
    """The first channel."""

    NAMES: ClassVar = ("FIRST",)

    def output(self, *inputs: Shape) -> Shape:
        return Shape(1, inputs[0].spatial)

    def channels_read(self) -> Sequence[int]:
        return (0,)


@record
class Nothing(Layer):
    """An identity of another name."""

    NAMES: ClassVar = ("NOTHING",)
    ROLE: ClassVar = "identity"


_TYPES = (Halve, Swoosh, Border, Norm32, Filter, Linear, Drop, First, Nothing)


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    found = [metadata.EntryPoint(each.NAMES[0], f"{__name__}:{each.__name__}", layers.GROUP) for each in _TYPES]
    monkeypatch.setattr(metadata, "entry_points", lambda group: found if group == layers.GROUP else [])
    layers._plugins.cache_clear()
    yield
    layers._plugins.cache_clear()


@pytest.mark.parametrize(
    ("chain", "rule"),
    [
        ("INPUT 9x9x3 -> HALVE2", "stride-remainder"),
        ("INPUT 9x9x64 -> FILTER7", "large-kernel"),
        ("INPUT 9x9x3 -> FILTER4", "even-kernel"),
        ("INPUT 9x9x3 -> FILTER3 -> NORM32", "bias-before-bn"),
        ("INPUT 9x9x3 -> FILTER3 -> DROP -> FILTER3", "dropout-between-convolutions"),
        ("INPUT 9x9x3 -> FILTER3 -> LINEAR-10", "first-fc"),
        ("INPUT 9x9x3 -> CONV3-8 -> FIRST", "dead-branch"),
    ],
)
def test_lint_looks_at_it(chain: str, rule: str) -> None:
    assert rule in {each.code for each in lint(cnndsl.loads(chain).graph)}


def test_lint_leaves_alone_a_type_that_says_nothing() -> None:
    graph = cnndsl.loads("INPUT 9x9x3 -> FILTER3 -> SWOOSH -> FILTER3").graph
    assert not {"dropout-between-convolutions", "bias-before-bn", "dead-branch"} & {each.code for each in lint(graph)}


def test_an_activation_is_drawn_upon_the_layer_before_it_and_a_pooling_is_not() -> None:
    lines = dot(cnndsl.loads("INPUT 8x8x3 -> CONV3-8 -> SWOOSH -> HALVE2").graph).splitlines()
    (box,) = (line for line in lines if "CONV3-8" in line and "label" in line)
    assert "SWOOSH" in box
    assert "HALVE2" not in box


def test_its_initialisation_is_emitted() -> None:
    text = cnndsl.loads("INPUT 9x9x3 -> FILTER3(how=kaiming) -> LINEAR-10").source()
    assert "kaiming_normal_" in text


def test_arguments_without_an_option_have_the_name_that_it_gives() -> None:
    assert "nn.ZeroPad2d(1)" in cnndsl.loads("INPUT 8x8x3 -> BORDER -> CONV3-8").source()


def test_what_widens_gives_fp32_under_autocast() -> None:
    graph = cnndsl.loads("INPUT 8x8x3 -> CONV3-8 -> SWOOSH -> NORM32 -> SWOOSH").graph
    # The convolution computes in half precision, and SWOOSH hands on what it is given.
    assert Lifetimes(graph, True, "amp").width == dict(enumerate((4, 2, 2, 4, 4)))


def test_the_lecture_writes_a_dense_layer_without_its_width(tmp_path: Path) -> None:
    path = tmp_path / "net.cnn"
    path.write_text("INPUT 8x8x3 -> LINEAR-10", encoding="utf-8")
    assert "LINEAR:" in run("stats", str(path), "--format", "lecture").stdout


def test_an_identity_is_no_node() -> None:
    assert len(cnndsl.loads("INPUT 8x8x3 -> (CONV3-3 + NOTHING)").graph) == 3


def test_an_identity_is_refused_in_a_graph_of_networkx() -> None:
    graph = nx.DiGraph([("x", "a")])
    nx.set_node_attributes(graph, {"x": "INPUT 8x8x3", "a": "NOTHING"}, "layer")
    with pytest.raises(CnnError, match="a node must compute something"):
        cnndsl.from_networkx(graph)


def test_a_skip_of_another_name_gets_the_same_help() -> None:
    with pytest.raises(CnnError) as stopped:
        cnndsl.loads("INPUT 8x8x3 -> (CONV3-8/2 + NOTHING)")
    assert "CONV1-8/2" in stopped.value.diagnostics[0].help
