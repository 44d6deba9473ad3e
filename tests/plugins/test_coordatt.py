"""A layer type in a package of its own, `examples/coordatt`: every figure, text and picture is right for it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import cnndsl
from cnndsl import layers
from cnndsl.analysis.cost import costs, network_total
from cnndsl.analysis.lecture import lecture_bytes
from cnndsl.analysis.memory import inference, training
from cnndsl.analysis.receptive_field import receptive_fields
from cnndsl.emit.drawing.dot import dot
from cnndsl.emit.torch.execution import executions
from cnndsl.shape import Shape
from cnndsl.testing.oracle import differences
from examples.coordatt.coordatt import CoordinateAttention
from tests.analysis.measuring import live, peak_bytes, saved_bytes
from tests.commands.running import data, run, table

PACKAGE = Path(__file__).parents[2] / "examples" / "coordatt"
SMALL = "INPUT 12x10x3 -> CONV3-16 -> COORDATT(reduction=2) -> POOL2 -> COORDATT(4) -> GAP -> FC-5"
MOBILE = """
net Mobile(c in 16..128=64, r in 2..64=8)
default CONV(bias=no)
block Unit(c, r) = ( CONV1-{2*c} -> BN -> RELU6 -> DWCONV3(bias=no) -> BN -> RELU6 -> att: COORDATT(r) -> CONV1-c -> BN
    + ID or CONV1-c )
INPUT 28x28x3 -> CONV3-32/2 -> BN -> Unit(c, r) -> Unit(c, r)*2 -> GAP -> FC-10
"""


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What pip does: the entry point of the package's own pyproject.toml, with the module where it lies here."""
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = project["entry-points"][layers.GROUP]
    found = [metadata.EntryPoint(name, f"examples.coordatt.{value}", layers.GROUP) for name, value in listed.items()]
    monkeypatch.setattr(metadata, "entry_points", lambda group: found if group == layers.GROUP else [])
    layers._plugins.cache_clear()
    yield
    layers._plugins.cache_clear()


class Published(nn.Module):
    """The module of the paper: github.com/houqb/CoordAttention, coordatt.py."""

    def __init__(self, channels: int, reduction: int = 32) -> None:
        super().__init__()
        self.pool_h = nn.AdaptiveAvgPool2d((None, 1))
        self.pool_w = nn.AdaptiveAvgPool2d((1, None))
        inner = max(8, channels // reduction)
        self.conv1 = nn.Conv2d(channels, inner, kernel_size=1, stride=1, padding=0)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv_h = nn.Conv2d(inner, channels, kernel_size=1, stride=1, padding=0)
        self.conv_w = nn.Conv2d(inner, channels, kernel_size=1, stride=1, padding=0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        _, _, h, w = x.size()
        y = torch.cat([self.pool_h(x), self.pool_w(x).permute(0, 1, 3, 2)], dim=2)
        y = self.bn1(self.conv1(y))
        y = y * (nn.functional.relu6(y + 3) / 6)
        x_h, x_w = torch.split(y, [h, w], dim=2)
        return x * self.conv_w(x_w.permute(0, 1, 3, 2)).sigmoid() * self.conv_h(x_h).sigmoid()


@pytest.mark.parametrize("train", [False, True])
def test_it_computes_what_the_paper_does(train: bool) -> None:
    module = cnndsl.loads("INPUT 9x8x48 -> att: COORDATT(4)").module().train(train)
    published = Published(48, 4).train(train)
    published.load_state_dict({name.removeprefix("att."): value for name, value in module.state_dict().items()})
    x = torch.randn(3, 48, 9, 8)
    torch.testing.assert_close(module(x), published(x))


@pytest.mark.parametrize("text", [SMALL, MOBILE], ids=["small", "mobile"])
def test_the_emitted_module_is_the_graph(text: str) -> None:
    assert differences(text) == []


def test_a_shared_class_follows_its_arguments(tmp_path: Path) -> None:
    file = tmp_path / "net.cnn"
    file.write_text(MOBILE, encoding="utf-8")
    source = cnndsl.loads(MOBILE).source()
    assert source.count("class CoordinateAttention(nn.Module):") == 1
    assert "self.att = CoordinateAttention(2 * c, reduction=r)" in source
    assert run("compile", str(file), "--check-arguments", "-o", "-").exit_code == 0


@pytest.mark.parametrize("text", [SMALL, MOBILE], ids=["small", "mobile"])
def test_figures_are_those_of_torch(text: str) -> None:
    graph = cnndsl.loads(text).graph
    network, x = live(graph, 3)
    total = network_total(graph, costs(graph))
    assert total.params == sum(each.numel() for each in network.parameters())
    assert total.buffers == sum(each.numel() for each in network.buffers())
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.eval()(x)
    assert 3 * total.flops == counter.get_total_flops()
    assert (
        training(graph, executions=executions(graph)).saved(3)
        == saved_bytes(*live(graph, 3))
        == saved_bytes(*live(graph, 3, "cpu"))
    )


@pytest.mark.parametrize("text", [SMALL, MOBILE], ids=["small", "mobile"])
@pytest.mark.parametrize("train", [False, True], ids=["inference", "training"])
def test_the_peak_is_within_two_percent(text: str, train: bool) -> None:
    graph = cnndsl.loads(text).graph
    runs = executions(graph)
    memory = training(graph, executions=runs) if train else inference(graph, executions=runs)
    fixed = memory.parameters + memory.buffers
    measured = peak_bytes(*live(graph, 3), training=train) - fixed
    assert memory.peak(3).bytes - fixed == pytest.approx(measured, rel=0.02)


def test_parameters_by_hand() -> None:
    """64 channels, 8 in between: 64*8 + 8 of the first convolution, 2*8 of BN, twice 8*64 + 64 of the others."""
    x = Shape(64, (7, 7))
    assert sum(each.numel for each in CoordinateAttention().tensors(x) if each.role != "buffer") == 520 + 16 + 2 * 576
    weights = sum(each.numel for each in CoordinateAttention().tensors(x) if each.role == "weight")
    assert eval(CoordinateAttention().formula(x)) == weights


def test_a_unit_sees_its_row_and_its_column() -> None:
    """What is perturbed elsewhere changes nothing, in use; the box around row and column is the whole map, and without
    the gates a unit sees what it saw."""
    graph = cnndsl.loads("INPUT 9x8x4 -> CONV3-8 -> COORDATT").graph
    _, before, field = receptive_fields(graph).values()
    assert field is not None
    assert field.whole
    assert field.box((4, 4)) == ((0, 8), (0, 7))
    assert field.local == before
    module = cnndsl.loads("INPUT 9x8x4 -> COORDATT").module().double().eval()
    x = torch.randn(1, 4, 9, 8, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(module(x)[0, :, 4, 3].sum(), x)
    seen = gradient[0].abs().sum(0) > 0
    expected = torch.zeros(9, 8, dtype=torch.bool)
    expected[4], expected[:, 3] = True, True
    assert torch.equal(seen, expected)


def test_every_command_takes_it(tmp_path: Path) -> None:
    """`lint`, `check` and `fmt` have nothing to say; the others give it a row of its own."""
    file = tmp_path / "net.cnn"
    assert run("fmt", "-", stdin=SMALL).exit_code == 0
    file.write_text(run("fmt", "-", stdin=SMALL).stdout, encoding="utf-8")
    path = str(file)
    for command in (["check", "--strict"], ["lint", "--ignore", "narrow-field"], ["fmt", "--diff"]):
        assert run(command[0], path, *command[1:]).exit_code == 0, command
    graph = cnndsl.load(path).graph
    first, second = (row for row in data("stats", path)["layers"] if row["kind"] == "COORDATT")
    # 12x10x16, 8 in between: 22 rows and columns, of 16 channels and of 8.
    assert (first["macs"], second["macs"]) == (2 * 22 * 16 * 8, 2 * 11 * 16 * 8)
    assert costs(graph)[2].operations == 4 * 1920 + 22 * (3 * 8 + 16)
    lecture = run("stats", path, "--format", "lecture").stdout
    assert lecture.count("COORDATT") == 2
    assert lecture_bytes(graph) == 4 * (12 * 10 * (3 + 16 + 16) + 6 * 5 * (16 + 16) + 16 + 5)
    assert [row["kind"] for row in data("rf", path)["layers"]].count("COORDATT") == 2
    assert data("fit", path, "--memory", "2GiB", "--training")["batch"] > 0
    assert dot(graph).count("<b>COORDATT</b>") == 2
    assert run("render", path, "-o", str(tmp_path / "net.dot")).exit_code == 0


def test_it_has_a_box_of_its_own() -> None:
    """Nothing is known of it but that it keeps the shape: it is drawn for itself, in grey."""
    text = dot(cnndsl.loads("INPUT 8x8x3 -> CONV3-8 -> COORDATT -> RELU").graph)
    (box,) = (line for line in text.splitlines() if "<b>COORDATT</b>" in line)
    assert "CONV3" not in box
    assert "#eef0f3" in box


def test_two_networks_are_compared(tmp_path: Path) -> None:
    before, after = tmp_path / "a.cnn", tmp_path / "b.cnn"
    before.write_text(SMALL, encoding="utf-8")
    after.write_text(SMALL.replace("COORDATT(4)", "COORDATT(16)"), encoding="utf-8")
    found = json.loads(run("diff", str(before), str(after), "--format", "json").stdout)
    assert "reduction" in json.dumps(found)
    assert run("diff", str(before), str(before)).exit_code == 0


def test_a_family_is_swept(tmp_path: Path) -> None:
    file = tmp_path / "family.cnn"
    file.write_text(MOBILE, encoding="utf-8")
    result = run("sweep", str(file), "--sample", "6", "--format", "json")
    assert result.exit_code == 0, result.output
    figures = [each["figures"]["params"] for each in json.loads(result.stdout)]
    assert len(set(figures)) == len(figures) == 6


def test_a_mistake_is_told() -> None:
    assert "E0303" in run("check", "-", stdin="INPUT 16x4 -> COORDATT").output
    assert "E0302" in run("check", "-", stdin="INPUT 4 -> COORDATT").output
    assert table("explain", "E0303")
