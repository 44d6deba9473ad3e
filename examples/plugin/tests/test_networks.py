"""The networks of this folder, through the commands that a user runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import cnndsl

NETWORKS = Path(__file__).parents[1] / "networks"
FILES = sorted(NETWORKS.glob("*.cnn"))


def run(*command: str) -> str:
    """What a command prints, which must succeed."""
    done = subprocess.run([sys.executable, "-m", "cnndsl", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_every_command_takes_it(file: Path, tmp_path: Path) -> None:
    run("check", str(file), "--strict")
    run("fmt", str(file), "--check")
    assert "multiply-adds" in run("stats", str(file))
    assert "=" in run("stats", str(file), "--format", "derivation")
    run("compile", str(file), "--check-arguments", "-o", str(tmp_path / "net.py"))
    run("render", str(file), "-o", str(tmp_path / "net.svg"))
    assert (tmp_path / "net.svg").read_text(encoding="utf-8").startswith("<svg")


class BidirectionalLSTM(nn.Module):
    """github.com/meijieru/crnn.pytorch, models/crnn.py, for a batch that comes first."""

    def __init__(self, entering: int, hidden: int, leaving: int) -> None:
        super().__init__()
        self.rnn = nn.LSTM(entering, hidden, bidirectional=True, batch_first=True)
        self.embedding = nn.Linear(2 * hidden, leaving)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.embedding(self.rnn(x)[0])


def test_the_recurrent_half_of_crnn_has_its_names_and_values() -> None:
    ours = cnndsl.load(str(NETWORKS / "crnn.cnn")).module().eval()
    theirs = nn.Sequential(BidirectionalLSTM(512, 256, 256), BidirectionalLSTM(256, 256, 37)).eval()
    state = ours.rnn.state_dict()
    theirs.load_state_dict(
        {name: value.flatten(1) if name.endswith("embedding.weight") else value for name, value in state.items()},
        strict=True,
    )
    x = torch.randn(2, 1, 32, 100)
    features = ours.cnn(x).squeeze(2).transpose(1, 2)
    torch.testing.assert_close(ours(x).squeeze(2).transpose(1, 2), theirs(features))
