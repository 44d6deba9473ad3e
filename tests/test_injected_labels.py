"""Labels that are hostile by what they are: refused where PyTorch has them, and harmless in every command."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from cnndsl import CnnError, loads
from cnndsl.cli import cli
from cnndsl.graph.labels import why_not
from tests.test_injection import COMMANDS, CONTROL, QUOTED, emitted, labelled


def test_labels_that_would_shadow_pytorch_are_refused() -> None:
    nn = pytest.importorskip("torch.nn")
    for module in (nn.Module(), nn.Sequential(), nn.ModuleDict(), nn.ModuleList()):
        assert [name for name in dir(module) if not why_not(name)] == []
    assert emitted("INPUT 8x8x3 -> forward: RELU") is None


@pytest.mark.parametrize("label", ["__class__", "__init__", "__dict__", "__getattr__", "__del__", "__reduce__"])
def test_dunder_labels_are_refused(label: str) -> None:
    with pytest.raises(CnnError):
        loads(f"INPUT 8x8x3 -> {label}: RELU").source()


@pytest.mark.parametrize("label", QUOTED)
def test_labels_in_every_command(label: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.cnn").write_text(labelled(label), encoding="utf-8")
    for name, *options in COMMANDS:
        if (
            "FILE" not in options
            or name not in ("stats", "rf", "fit", "compile", "render", "fmt")
            or "vgg16" in options
        ):
            continue
        arguments = [{"FILE": "net.cnn", "fc": f"{label}fc"}.get(each, each) for each in (name, *options)]
        result = CliRunner().invoke(cli, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), (arguments, result.exception)
        assert result.exit_code == 0 or {"--check", "--diff"} & set(options), (arguments, result.output)
        assert not CONTROL.search(result.output), arguments
