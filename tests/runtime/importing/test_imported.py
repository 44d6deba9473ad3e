"""Modules of PyTorch as programs, from the code to the text: modules that are in no library."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

import cnndsl
from cnndsl.errors import CnnError
from tests.commands.running import data, run

CODE = """
import torch
from torch import nn
from torch.nn import functional as F


class Functional(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, padding=1)
        self.one = nn.Conv2d(width, width, 3, padding=1)
        self.two = nn.Conv2d(width, width, 3, padding=1)
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        x = F.relu(self.stem(x))
        skip = x
        x = F.relu(self.one(x))
        x = F.relu(self.two(x) + skip)
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Looped(nn.Module):
    def __init__(self, depth=3):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.convs = nn.ModuleList(nn.Conv2d(8, 8, 3, padding=1, bias=False) for _ in range(depth))
        self.norms = nn.ModuleList(nn.BatchNorm2d(8) for _ in range(depth))

    def forward(self, x):
        x = self.stem(x)
        for conv, norm in zip(self.convs, self.norms):
            x = torch.relu(norm(conv(x)) + x)
        return x


class Sorted(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, x):
        return torch.sort(self.conv(x), dim=1).values


class Failing(nn.Module):
    def forward(self, x):
        raise ValueError("the image is too small")


class Unpooled(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.pool = nn.MaxPool2d(3, 2, 1, return_indices=True)
        self.unpool = nn.MaxUnpool2d(3, 2, 1)

    def forward(self, x):
        x = F.relu(self.conv(x))
        y, places = self.pool(x)
        return self.unpool(y, places, output_size=x.shape)
"""


@pytest.fixture
def file(tmp_path: Path) -> Iterator[str]:
    path, known = tmp_path / "nets_to_import.py", list(sys.path)
    path.write_text(CODE, encoding="utf-8")
    yield str(path)
    sys.path[:] = known
    sys.modules.pop("nets_to_import", None)


def test_unpooling_by_the_places_of_a_pooling(file: str) -> None:
    done = run("import", f"{file}:Unpooled", "--input", "16x14x3")
    assert done.exit_code == 0, done.output
    assert "y1: POOL3/2(pad=1) -> UNPOOL3/2(@y1)" in done.stdout
    assert "assert output == 16x14x8" in done.stdout


def test_functions_and_a_skip_by_hand(file: str) -> None:
    done = run("import", f"{file}:Functional", "--input", "16x16x3", "--arg", "width=8")
    assert done.exit_code == 0, done.output
    net = cnndsl.loads(done.stdout)
    # 3*9*8 + 8, then twice 8*9*8 + 8, then 8*10 + 10.
    assert net.stats().totals.params == 224 + 2 * 584 + 90
    assert list(net.module().state_dict()) == [
        f"{name}.{each}" for name in ("stem", "one", "two", "head") for each in ("weight", "bias")
    ]
    assert "@" not in done.stdout


def test_a_loop_over_lists_of_modules(file: str, tmp_path: Path) -> None:
    net, weights = tmp_path / "net.cnn", tmp_path / "net.safetensors"
    done = run("import", f"{file}:Looped", "--input", "12x12x3", "-o", str(net), "--save-weights", str(weights))
    assert done.exit_code == 0, done.output
    assert "[" in net.read_text(encoding="utf-8")
    assert run("compile", str(net), "--weights", str(weights), "-o", str(tmp_path / "net.py")).exit_code == 0


def test_no_weights_are_written_without_their_program(file: str, tmp_path: Path) -> None:
    net, weights = tmp_path / "net.cnn", tmp_path / "net.safetensors"
    net.write_text("mine", encoding="utf-8")
    done = run("import", f"{file}:Looped", "--input", "12x12x3", "-o", str(net), "--save-weights", str(weights))
    assert done.exit_code == 1
    assert "exists already" in done.stderr
    assert not weights.exists()
    assert net.read_text(encoding="utf-8") == "mine"
    assert "safetensors file" in run("import", f"{file}:Looped", "--save-weights", str(tmp_path / "w.pth")).stderr


def test_what_no_program_can_say_has_its_module_its_line_and_its_count(file: str) -> None:
    done = run("import", f"{file}:Sorted", "--input", "12x12x3")
    assert done.exit_code == 1
    assert "E0505" in done.stderr
    assert "return torch.sort(self.conv(x), dim=1).values" in done.stderr
    assert done.stdout == ""


def test_code_that_stops_is_told_in_a_line(file: str) -> None:
    done = run("import", f"{file}:Failing", "--input", "12x12x3")
    assert done.exit_code == 1
    assert "ValueError: the image is too small (nets_to_import.py, line 48)" in done.stderr


def test_code_that_does_not_say_what_enters(file: str) -> None:
    done = run("import", f"{file}:Functional")
    assert done.exit_code == 2
    assert "--input 224x224x3" in done.stderr


def test_a_checkpoint_without_its_class(tmp_path: Path) -> None:
    path = tmp_path / "lost.pth"
    torch.save(nn.Sequential(nn.Conv2d(3, 8, 3), nn.Linear(8, 10)).state_dict(), path)
    done = run("import", str(path))
    assert done.exit_code == 1
    # 3*9*8 + 8 + 8*10 + 10
    assert "4 tensors of 314 numbers, from 0.weight [8x3x3x3] to 1.bias [10]" in done.stderr
    assert "cnndsl import package.module:function" in done.stderr


def test_a_module_in_python_is_left_as_it_is() -> None:
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.2)).eval()
    before = {name: each.clone() for name, each in module.state_dict().items()}
    net = cnndsl.from_module(module, (3, 12, 12))
    assert not module.training
    assert all(torch.equal(each, before[name]) for name, each in module.state_dict().items())
    made = net.module().eval()
    made.load_state_dict(module.state_dict())
    image = torch.randn(1, 3, 12, 12)
    assert torch.equal(made(image), module(image))


def test_a_module_that_cannot_be_said_is_an_error_in_python() -> None:
    with pytest.raises(CnnError, match="cannot be written as a program"):
        cnndsl.from_module(nn.Sequential(nn.Conv2d(3, 8, 3), nn.Unfold(2)), (3, 6, 6))


def test_a_report_lists_what_cannot_be_said(file: str) -> None:
    done = run("import", "--report", f"{file}:Sorted", "--input", "12x12x3")
    assert done.exit_code == 1
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[0] == ["network", "result", "layers", "words"]
    assert rows[1][1:] == ["refused"]
    line = "return torch.sort(self.conv(x), dim=1).values"
    number = CODE.splitlines().index(f"        {line}") + 1
    assert " ".join(rows[-1][1:]) == f"sort 1 the network itself nets_to_import.py:{number}: {line}"


def test_a_report_as_json(file: str) -> None:
    (found,) = data("import", "--report", f"{file}:Functional", "--input", "12x12x3")
    # four layers with weights, three ReLUs, a sum, a pooling to one position
    assert (found["result"], found["layers"], found["faults"]) == ("imported", 9, [])


def test_a_pattern_that_fits_nothing_and_options_that_do_not_fit(file: str) -> None:
    assert run("import", "--report", "timm:nosuchnet*").exit_code == 1
    assert "--format is for --report" in run("import", f"{file}:Sorted", "--format", "json").stderr
    assert "writes no weights" in run("import", f"{file}:Sorted", "--report", "--save-weights", "a.safetensors").stderr


def test_each_module_is_exported_once_for_each_mode(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = torch.export.export
    exported: list[str] = []

    def counting(module: nn.Module, *given: object, **named: object) -> object:
        exported.append(f"{type(module).__name__} {module.training}")
        return plain(module, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("torch.export.export", counting)
    assert run("import", f"{file}:Looped", "--input", "8x8x3").exit_code == 0
    assert [each for each in exported if each.startswith("Looped")] == ["Looped False", "Looped True"]
    assert len(exported) == 4
