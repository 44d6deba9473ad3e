"""`cnndsl diff`: what it says of two nets, and its exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.running import data, run

BEFORE = "net Before INPUT 8x8x3 -> a: CONV3-4 -> RELU -> b: FC-10"
AFTER = "net After INPUT 8x8x3 -> a: CONV5-4 -> c: BN -> RELU -> b: FC-10"
# CONV3-4 on 3 channels: 108 + 4 parameters, 64*108 multiply-adds; CONV5-4: 300 + 4 and 64*300. BN: 8.


@pytest.fixture(autouse=True)
def _files() -> None:
    Path("a.cnn").write_text(BEFORE)
    Path("b.cnn").write_text(AFTER)


def test_the_same() -> None:
    result = run("diff", "a.cnn", "a.cnn")
    assert result.exit_code == 0
    assert "layers: 4 same" in result.stdout


def test_different() -> None:
    result = run("diff", "a.cnn", "b.cnn")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == "Before -> After"
    assert lines[2].split() == "~ a CONV3-4 -> CONV5-4 kernel 3 -> 5, params +192, macs +12.3K".split()
    assert lines[3].split() == "+ c BN output 8x8x4, params +8".split()
    assert "layers: 3 same, 1 changed, 1 added" in lines


def test_figures() -> None:
    figures = data("diff", "a.cnn", "b.cnn", code=1)["figures"]
    assert figures["params"]["change"] == 192 + 8
    assert figures["macs"]["change"] == 64 * 192
    assert figures["receptive_field"] == {"before": [3, 3], "after": [5, 5], "change": None}
    assert figures["output"] == {"before": [10], "after": [10], "change": None}


def test_layers_as_data() -> None:
    layers = data("diff", "a.cnn", "b.cnn", code=1)["layers"]
    assert [layer["verdict"] for layer in layers] == ["changed", "added"]
    assert layers[0]["changes"][0] == {"what": "kernel", "before": "3", "after": "5"}
    assert layers[1]["path"] == {"before": None, "after": "c"}
    assert len(data("diff", "a.cnn", "b.cnn", "--all", code=1)["layers"]) == 5


def test_markdown_is_two_tables() -> None:
    lines = run("diff", "a.cnn", "b.cnn", "--format", "markdown").stdout.splitlines()
    assert lines[0] == "## Before -\\> After"
    tables = [line for line in lines if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in tables} == {5}


def test_all_formats_tell_the_same_of_the_layers() -> None:
    """ResNet-34 has 8 units more than ResNet-18 (He et al. 2015, table 1), of 7 layers each: a line each."""
    text = run("diff", "resnet18", "resnet34").stdout
    told = [line.split() for line in text.splitlines() if line.startswith(("~ ", "- ", "+ "))]
    assert len(told) == 8
    table = run("diff", "resnet18", "resnet34", "--format", "markdown").stdout.replace("\\", "")
    assert [line.replace("|", "").split() for line in table.splitlines() if line.startswith(("| + ", "| - "))] == told
    latex = run("diff", "resnet18", "resnet34", "--format", "latex").stdout
    assert sum(line.startswith(("+ &", "- &")) for line in latex.splitlines()) == 8
    found = data("diff", "resnet18", "resnet34", code=1)
    assert f"layers: {found['counts']['same']} same, {found['counts']['added']} added" in text
    assert list(dict.fromkeys(layer["block"] for layer in found["layers"])) == [words[1] for words in told]
    assert [layer["output"]["before"] for layer in found["layers"]] == [None] * 56
    assert found["layers"][0]["output"]["after"] == [56, 56, 64]


def test_parameters_of_one_net_or_of_both() -> None:
    result = run("diff", "vgg16", "vgg16", "--set-b", "classes=10")
    assert result.exit_code == 1
    # 990 classes fewer, on 4096 values and a bias.
    assert f"-{990 * 4097:,}" in result.stdout
    assert run("diff", "vgg16", "vgg16", "--set", "classes=10").exit_code == 0


def test_names_alone_are_no_difference() -> None:
    Path("b.cnn").write_text(BEFORE.replace("a:", "z:"))
    result = run("diff", "a.cnn", "b.cnn")
    assert result.exit_code == 0
    assert "1 layer with weights or buffers under another name" in result.stdout


def test_a_tap_is_a_difference() -> None:
    Path("b.cnn").write_text(BEFORE.replace("-> RELU", "-> RELU -> tap side: GAP"))
    assert run("diff", "a.cnn", "b.cnn").exit_code == 1
    Path("a.cnn").write_text("INPUT 8x8x3 -> a: CONV3-4 -> tap side: GAP -> b: FC-10")
    Path("b.cnn").write_text("INPUT 8x8x3 -> a: CONV3-4 -> tap side(train): GAP -> b: FC-10")
    result = run("diff", "a.cnn", "b.cnn")
    assert result.exit_code == 1
    assert "in training only no -> yes" in result.stdout


@pytest.mark.parametrize(
    "arguments", [("a.cnn", "none.cnn"), ("none.cnn", "a.cnn"), ("a.cnn", "bad.cnn"), ("a.cnn",), ("-", "-")]
)
def test_trouble(arguments: tuple[str, ...]) -> None:
    Path("bad.cnn").write_text("INPUT -> CNOV3-4")
    result = run("diff", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr


def test_colours_follow_the_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    text = run("diff", "a.cnn", "b.cnn").stdout
    assert "\x1b[33m~" in text
    assert "\x1b[32m+" in text


@pytest.mark.parametrize(
    ("ending", "begins"), [("svg", b"<svg "), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("tikz", b"% ")]
)
def test_a_picture(ending: str, begins: bytes) -> None:
    if package := {"png": "resvg_py", "pdf": "reportlab"}.get(ending):
        pytest.importorskip(package)
    result = run("diff", "vgg16", "vgg19", "-o", f"x.{ending}", "--width", "page")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"wrote x.{ending}\n")
    assert Path(f"x.{ending}").read_bytes().startswith(begins)
    assert run("diff", "vgg16", "vgg16", "-o", f"x.{ending}", "--force").exit_code == 0
    assert run("diff", "vgg16", "vgg19", "-o", f"x.{ending}").exit_code == 2
