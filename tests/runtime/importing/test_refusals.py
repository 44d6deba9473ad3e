"""Code that stops, and arguments that it does not have: one message that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from cnndsl.cli import cli

CODE = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, width, classes=10):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3)
    def forward(self, x):
        return self.conv(x)

class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
    def forward(self, left, right):
        return self.conv(left) + self.conv(right)

class Inner(nn.Module):
    def __init__(self, depth):
        super().__init__()

def made(**options):
    return Inner(**options)
"""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("Net",), "the code needs the argument `width`; add --arg width=VALUE"),
        (("Net", "--arg", "width=4", "--arg", "clases=3"), "has no argument `clases`; did you mean `classes`?"),
        (("Two", "--arg", "width=4"), "the code has no argument `width`; it has none"),
        (("made", "--arg", "deep=4"), "Inner has no argument `deep`; --arg gave it"),
        (("Two",), "`forward` takes left and right, and --input gives 1: give one for each, in this order"),
        (("Two", *["--input", "8x8x3"] * 2), "--input gives 3: give one for each, in this order"),
        (("Net", "--arg", "width=4", "--input", "3,8,8"), "write --input 8x8x3"),
    ],
)
def test_what_the_code_does_not_take(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    file = tmp_path / "refused.py"
    file.write_text(CODE)
    name, *rest = arguments
    result = CliRunner().invoke(cli, ["import", f"{file}:{name}", "--input", "8x8x3", *rest])
    assert result.exit_code in (1, 2)
    assert message in result.stderr
    assert "inspect.py" not in result.stderr or "forward" in result.stderr


def test_a_file_that_python_cannot_read(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text("class Net(:\n")
    result = CliRunner().invoke(cli, ["import", f"{file}:Net", "--input", "8x8x3"])
    assert result.exit_code == 1
    assert "Python cannot read broken.py, line 1: invalid syntax\n" in result.stderr
