"""What the tests of single commands leave out."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import graphviz
import pytest
from click.testing import CliRunner, Result

from cnndsl.cli import cli
from cnndsl.emit.drawing import draw

FAMILY = "net F(n in 1..9 = 1, w in {4, 8} = 4)\nINPUT 8x8x3 -> [CONV3-w]*n -> FC-10\n"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, arguments, input=stdin)


def safetensors(entries: dict[str, list[int]]) -> bytes:
    """A file of zeros. Source of the format: huggingface.co/docs/safetensors."""
    header: dict[str, object] = {}
    end = 0
    for name, extents in entries.items():
        size = 4
        for extent in extents:
            size *= extent
        header[name] = {"dtype": "F32", "shape": extents, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(end)


def test_weights_that_fit_are_said_to() -> None:
    Path("net.cnn").write_text("INPUT 8x8x3 -> a: CONV3-2 -> b: FC-4\n")
    entries = {"a.weight": [2, 3, 3, 3], "a.bias": [2], "b.weight": [4, 128], "b.bias": [4]}
    Path("net.safetensors").write_bytes(safetensors(entries))
    result = run("compile", "net.cnn", "--weights", "net.safetensors")
    assert (result.exit_code, result.stderr) == (0, "net.safetensors fits: 4 entries\nwrote net.py\n")
    Path("other.safetensors").write_bytes(safetensors({**entries, "a.weight": [2, 3, 5, 5]}))
    result = run("compile", "net.cnn", "--weights", "other.safetensors", "-o", "other.py")
    assert result.exit_code == 1
    assert "a.weight" in result.stderr
    assert not Path("other.py").exists()


def test_the_input_is_a_layer_to_look_from() -> None:
    Path("net.cnn").write_text("INPUT 16x16x1 -> a: CONV3-1 -> b: CONV3-1\n")
    # Two convolutions of 3 see 5.
    assert "5" in run("rf", "net.cnn", "--from", "input", "--at", "b").stdout
    assert run("rf", "net.cnn", "--from", "input").stdout == run("rf", "net.cnn").stdout


def test_a_sweep_of_the_best_alone() -> None:
    """Each more layer has more weights and more multiply-adds, so the smallest is best in both."""
    Path("net.cnn").write_text(FAMILY)
    whole = json.loads(run("sweep", "net.cnn", "--format", "json").stdout)
    best = json.loads(run("sweep", "net.cnn", "--pareto", "params,macs", "--format", "json").stdout)
    assert (len(whole), len(best)) == (18, 1)


def test_a_sweep_of_too_many() -> None:
    Path("net.cnn").write_text(FAMILY.replace("1..9", "1..90000").replace("{4, 8}", "4..40"))
    result = run("sweep", "net.cnn")
    assert result.exit_code == 2
    assert "draw some of them with --sample" in result.stderr


def test_a_sweep_over_inputs_and_values_as_a_shell_passes_them() -> None:
    """CONV3-c on HxW has 9*3*c*H*W multiply-adds, 27 a value of its output."""
    Path("net.cnn").write_text("net F(c=1)\nINPUT 4x4x3 -> CONV3-c -> GAP\n")
    expected = [27 * 16, 27 * 64, 27 * 2 * 16, 27 * 2 * 64]
    for settings in (
        ("--set", "c=1,2", "--input", "4x4x3,8x8x3"),
        ("--set", "c=1", "--set", "c=2", "--input", "4x4x3", "--input", "8x8x3"),
        ("--set", "c={1, 2}", "--set", "input={4x4x3, 8x8x3}"),
    ):
        found = json.loads(run("sweep", "net.cnn", *settings, "--columns", "macs", "--format", "json").stdout)
        assert [each["figures"]["macs"] for each in found] == expected


@pytest.mark.parametrize(
    ("command", "code"), [(("stats", "a.cnn"), 1), (("sweep", "a.cnn"), 1), (("diff", "a.cnn", "a.cnn"), 2)]
)
def test_a_table_in_a_file_of_an_unknown_ending_is_an_error(command: tuple[str, ...], code: int) -> None:
    Path("a.cnn").write_text("INPUT 4 -> FC-2\n")
    result = run(*command, "-o", "a.xyz")
    assert result.exit_code == code
    assert "cannot write a.xyz: its name must end in .json, " in result.stderr
    assert not Path("a.xyz").exists()
    assert run(*command, "-o", "a.xyz", "--format", "json").exit_code == 0


def test_the_dot_program_is_taken_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def pipe(drawing: graphviz.Source, *, format: str, **_: object) -> bytes:
        asked.append(format)
        return drawing.source.encode()

    monkeypatch.setattr(draw, "which", lambda _: "/usr/bin/dot")
    monkeypatch.setattr(graphviz.Source, "pipe", pipe)
    assert draw.draw("digraph {}", "net.png").startswith(b"digraph {}")
    assert asked == ["png"]


def test_graphviz_that_fails_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def pipe(*_: object, **__: object) -> bytes:
        raise graphviz.CalledProcessError(1, ["dot"], b"", b"out of memory")

    monkeypatch.setattr(draw, "which", lambda _: "/usr/bin/dot")
    monkeypatch.setattr(graphviz.Source, "pipe", pipe)
    result = run("render", "vgg16", "-o", "net.svg", "--layout", "dot")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: Graphviz failed: ")
    assert result.stderr.count("\n") == 1
    assert list(Path().iterdir()) == []


def test_arguments_of_a_program_from_the_standard_input_are_checked() -> None:
    """It is read once: there is nothing left the second time."""
    result = run("compile", "-", "-o", "-", "--check-arguments", stdin="net N(c=4)\nINPUT 8x8x3 -> CONV3-c -> FC-2\n")
    assert result.exit_code == 0, result.output
    assert "nn.Conv2d(3, c, 3, padding=1)" in result.stdout
