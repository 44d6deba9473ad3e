"""Naming the code that makes a network, and what is said where it makes none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnndsl.files import FileError
from cnndsl.runtime.importing.targets import arguments, built
from cnndsl.shape import Shape
from tests.oracle import torchvision

CODE = """
import torch
from torch import nn

print("a line that a module prints")


class Net(nn.Module):
    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3)


net = Net(7)
number = 3


def weights():
    return {"conv.weight": torch.zeros(1)}


def failing():
    raise ValueError("no such depth")


def leaving():
    raise SystemExit(3)
"""


@pytest.fixture
def file(tmp_path: Path) -> Iterator[str]:
    path, known = tmp_path / "nets_of_mine.py", list(sys.path)
    path.write_text(CODE, encoding="utf-8")
    yield str(path)
    sys.path[:] = known
    sys.modules.pop("nets_of_mine", None)


def test_a_class_a_function_and_a_module_of_a_file(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert built(f"{file}:Net", {"width": 5}).module.get_parameter("conv.weight").shape == (5, 3, 3, 3)
    assert built(f"{file}:net", {}).module.get_parameter("conv.weight").shape == (7, 3, 3, 3)
    assert capsys.readouterr().out == ""


def test_a_function_of_a_module_on_the_path() -> None:
    assert built("torch.nn:Conv2d", arguments(["in_channels=3", "out_channels=8", "kernel_size=(3, 5)"])).module


@pytest.mark.parametrize(
    ("target", "shape"),
    [
        ("timm:resnet18", Shape(3, (224, 224))),
        ("torchvision:inception_v3", Shape(3, (299, 299))),
        ("torchvision:r3d_18", Shape(3, (16, 112, 112))),
        ("torchvision:lraspp_mobilenet_v3_large", Shape(3, (520, 520))),
    ],
)
def test_libraries_say_what_enters_and_make_networks_without_storage(target: str, shape: Shape) -> None:
    assert torchvision.__name__ in sys.modules
    made = built(target, {"num_classes": 10})
    assert made.shape == shape
    assert all(each.is_meta for each in made.module.parameters())


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("numbr", "there is no `numbr`; did you mean `number`?"),
        ("number", "`number` is neither a class, a function nor a module"),
        ("weights", "it makes a dict, not a torch.nn.Module"),
        ("failing", "ValueError: no such depth (nets_of_mine.py, line 23)"),
        ("leaving", "SystemExit: 3 (nets_of_mine.py, line 27)"),
    ],
)
def test_code_that_makes_no_network_is_told_in_a_line(file: str, name: str, told: str) -> None:
    with pytest.raises(FileError) as stop:
        built(f"{file}:{name}", {})
    assert str(stop.value) == f"cannot import {file}:{name}: {told}"


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("timm:resnet5d", "timm has no such model; did you mean"),
        ("torchvision:vgg91", "torchvision has no such model; did you mean"),
        ("no.such.place:Net", "there is no module no"),
        ("missing.py:Net", "there is no such file"),
        ("timm:resnet18", "ResNet has no argument `colour`; --arg gave it"),
    ],
)
def test_code_that_is_not_there(target: str, told: str) -> None:
    with pytest.raises(FileError, match=told.replace("?", r"\?")):
        built(target, {"colour": 3})


def test_what_no_checkpoint_holds_has_its_values() -> None:
    """A blur's filter is a buffer that is not persistent."""
    made = built("timm:resnetblur18", {}).module
    assert not any(each.is_meta for each in made.buffers())


def test_an_argument_has_a_name() -> None:
    with pytest.raises(FileError, match="NAME=VALUE"):
        arguments(["10"])
