"""`examples/plugin`, installed as a user does and tested by its own tests; and what the compiler asks of a plug-in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import ClassVar

import pytest

import cnndsl
from cnndsl import layers
from cnndsl.analysis.inplace import inplace
from cnndsl.analysis.memory import training
from cnndsl.analysis.receptive_field import receptive_fields
from cnndsl.emit.drawing.cards.fold import model
from cnndsl.emit.torch.execution import executions
from cnndsl.layers.base import Layer, Slot, Tensor, TorchCall, Window, option
from cnndsl.layers.steps import LayerStep
from cnndsl.linting.lint import lint
from cnndsl.records import record
from cnndsl.shape import Shape
from tests.emit.drawing.cards.dump import dump

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "examples" / "plugin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process that finds the package where pip put it, away from the checkout's folder."""
    place = tmp_path_factory.mktemp("site")
    flags = ("--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
    command = (sys.executable, "-m", "pip", "install", *flags, "--target", str(place), str(PACKAGE))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {**os.environ, "PYTHONPATH": os.pathsep.join((str(place), str(ROOT)))}


def test_its_own_tests_pass(installed: dict[str, str]) -> None:
    command = (sys.executable, "-m", "pytest", "-q", "--show-capture=no", "-p", "no:cacheprovider")
    done = subprocess.run(command, cwd=PACKAGE, env=installed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]


def test_without_it_a_program_is_told_where_it_is(installed: dict[str, str]) -> None:
    text = "INPUT 12x5 -> LSTM-7 -> GAP -> FC-3"
    command = (sys.executable, "-m", "cnndsl", "check", "-")
    assert subprocess.run(command, env=installed, input=text, text=True, check=False).returncode == 0
    alone = {**installed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=alone, input=text, text=True, capture_output=True, check=False)
    assert "as `examples/plugin` adds LSTM" in done.stdout


_TWICE = '''\
class Twice(nn.Module):
    """Both halves of the output are the same convolution of the input."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, width, 1)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.conv(input))
        return torch.cat([x, x], 1)
'''


@record
class Twice(Layer):
    """A layer type with twice as many channels as its width says."""

    NAMES: ClassVar = ("TWICE",)
    WIDTH: ClassVar = "width"
    SEES_ALL: ClassVar = True
    HELPERS: ClassVar = {"Twice": _TWICE}

    width: int = option("int", 4, minimum=1)

    def output(self, *inputs: Shape) -> Shape:
        return Shape(2 * self.width, inputs[0].spatial)

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        extents = (self.width, inputs[0].channels, 1, 1)
        return Tensor("conv.weight", extents), Tensor("conv.bias", (self.width,), "bias")

    def window(self, *inputs: Shape) -> Window | None:
        return None

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """A step that reads nothing, and holds a thousand values once a batch in the backward pass."""
        values = self.output(*inputs).numel
        return LayerStep((), tensors=(0,), once=1000), LayerStep((0, 1), values, keeps=(0,), tensors=(1,))

    def torch(self, *inputs: Shape) -> TorchCall:
        return self.helper_call("Twice", (Slot(inputs[0].channels, "in_channels"), Slot(self.width, "width")))


@pytest.fixture
def _twice(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    found = [metadata.EntryPoint("TWICE", f"{__name__}:Twice", layers.GROUP)]
    monkeypatch.setattr(metadata, "entry_points", lambda group: found if group == layers.GROUP else [])
    layers._plugins.cache_clear()
    yield
    layers._plugins.cache_clear()


@pytest.mark.usefixtures("_twice")
def test_what_a_class_of_a_plugin_returns_is_not_written_over() -> None:
    """Nobody knows whether it is a view of the input, or kept inside."""
    graph = cnndsl.loads("INPUT 8x8x3 -> CONV3-8 -> RELU -> TWICE -> RELU -> GAP -> FC-3").graph
    assert [graph.nodes[at].path for at in inplace(graph)] == ["1"]
    assert cnndsl.loads("INPUT 8x8x3 -> TWICE -> RELU -> FC-3").module()


@pytest.mark.usefixtures("_twice")
def test_channels_may_be_a_multiple_of_the_width() -> None:
    text = "block Unit(w) = TWICE-w -> CONV1-w\nINPUT 8x8x3 -> Unit(8) -> Unit(16) -> Unit(8) -> GAP -> FC-3"
    assert "nn.Conv2d(2 * w, w, 1)" in cnndsl.loads(text).source()


@pytest.mark.usefixtures("_twice")
def test_a_map_that_is_made_of_all_of_the_input() -> None:
    """It is no normalisation, behind which a unit sees what it saw; and an average of it misses nothing."""
    graph = cnndsl.loads("INPUT 32x32x3 -> CONV3-8 -> TWICE-4 -> GAP -> FC-3").graph
    _, before, field, *_ = receptive_fields(graph).values()
    assert before is not None
    assert field is not None
    assert (before.local.size, field.local.size) == ((3, 3), (32, 32))
    assert "narrow-field" not in {each.code for each in lint(graph)}


@pytest.mark.usefixtures("_twice")
def test_values_that_the_backward_pass_holds_once_a_batch() -> None:
    """With 1000 values for the moment the peak of any batch is 4000 bytes higher, as long as it is there."""
    graph = cnndsl.loads("INPUT 4x4x3 -> TWICE-1 -> GAP").graph
    memory = training(graph, executions=executions(graph))
    assert memory.peak(1).phase == "backward"
    assert 4000 < memory.peak(1).bytes < memory.peak(2).bytes < 8000


@pytest.mark.usefixtures("_twice")
def test_a_drawing_calls_it_by_its_own_name() -> None:
    graph = cnndsl.loads("INPUT 8x8x3 -> CONV3-8 -> TWICE-4 -> DROPOUT(0.5) -> FC-3").graph
    assert "TWICE, 4" in dump(model(graph))
    assert "dropout" in dump(model(graph))
