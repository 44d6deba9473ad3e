"""The options of commands that draw, and what they say where a format is not to be had."""

from __future__ import annotations

import re
import sys
from html import unescape
from pathlib import Path

import pytest

from cnndsl.commands.pictures import DEFAULT_DPI, ENDINGS, LETTERINGS, THEME_NAMES
from cnndsl.emit.drawing.formats import FORMATS, PictureOptions
from cnndsl.emit.drawing.themes import THEMES
from tests.commands.running import run

FIT = ("fit", "lenet5", "--memory", "8GB")
RF = ("rf", "lenet5", "--at", "conv1")


@pytest.mark.parametrize("command", [FIT, RF])
@pytest.mark.parametrize(
    ("ending", "begins"), [("svg", b"<svg "), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("TEX", b"% ")]
)
def test_the_ending_chooses_the_format(command: tuple[str, ...], ending: str, begins: bytes) -> None:
    if package := {"png": "resvg_py", "pdf": "reportlab"}.get(ending):
        pytest.importorskip(package)
    result = run(*command, "-o", f"x.{ending}")
    assert (result.exit_code, result.stderr) == (0, f"wrote x.{ending}\n")
    assert Path(f"x.{ending}").read_bytes().startswith(begins)


def test_options_reach_the_picture() -> None:
    run(*FIT, "-o", "dark.svg", "--theme", "dark")
    run(*FIT, "-o", "paths.svg", "--text", "paths")
    assert "#10161D" in Path("dark.svg").read_text("utf-8")
    assert "<text" in Path("dark.svg").read_text("utf-8")
    assert "<text" not in Path("paths.svg").read_text("utf-8")


@pytest.mark.parametrize(
    ("option", "value"), [("--theme", "blue"), ("--text", "letters"), ("--dpi", "0"), ("--dpi", "9999")]
)
def test_other_values_are_refused(option: str, value: str) -> None:
    result = run(*FIT, "-o", "x.svg", option, value)
    assert (result.exit_code, result.stdout) == (2, "")
    assert not Path("x.svg").exists()


@pytest.mark.parametrize(
    ("ending", "module", "package"), [("png", "resvg_py", "resvg_py"), ("pdf", "reportlab.pdfgen.canvas", "reportlab")]
)
def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, ending: str, module: str, package: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    result = run(*FIT, "-o", f"x.{ending}")
    assert result.exit_code == 1
    assert f"needs {package}: pip install 'cnndsl[render]'" in result.stderr
    assert not Path(f"x.{ending}").exists()


def test_nothing_is_overwritten_unasked() -> None:
    Path("x.svg").write_text("mine")
    assert run(*FIT, "-o", "x.svg").exit_code == 1
    assert Path("x.svg").read_text() == "mine"
    assert run(*FIT, "-o", "x.svg", "--force").exit_code == 0


def test_the_options_offer_what_there_is() -> None:
    """They are written twice, since `--help` loads nothing that draws."""
    assert THEME_NAMES == THEMES
    assert ENDINGS == ".svg, .png, .pdf or .tex"
    assert len(FORMATS) == 4
    assert PictureOptions() == PictureOptions(THEME_NAMES[0], LETTERINGS[0] == "paths", DEFAULT_DPI)


def test_a_network_with_an_error_is_drawn_up_to_it() -> None:
    Path("bad.cnn").write_text("INPUT 8x8x3 -> CONV3-8 -> CONV9-4(pad=valid) -> FC-2")
    message = run("check", "bad.cnn")
    result = run("render", "bad.cnn", "-o", "x.svg")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "wrote x.svg, drawn up to the error\n" in result.stderr
    assert "error[E0301]: the window of CONV spans 9" in result.stderr
    drawn = unescape(Path("x.svg").read_text("utf-8"))
    printed = " ".join(message.output.split())
    shown = [" ".join(text.split()) for text in re.findall(">([^<>]+)</text>", drawn.replace("->", "→"))]
    words = [text.replace("→", "->") for text in shown]
    assert [text for text in words if text in printed and text != "error"][-6:] == [
        "bad.cnn:1:27",
        "1 | INPUT 8x8x3 -> CONV3-8 -> CONV9-4(pad=valid) -> FC-2",
        "|",
        "^^^^^^^^^^^^^^^^^^ the input is 8x8x8",
        "help:",
        next(text for text in words if text.startswith("remove a pooling")),
    ]


def test_without_a_file_an_error_is_only_told() -> None:
    Path("bad.cnn").write_text("INPUT 8x8x3 -> CONV9-4(pad=valid)")
    result = run("render", "bad.cnn")
    assert (result.exit_code, "wrote" in result.stderr) == (1, False)
    assert not Path("bad.svg").exists()


def test_a_file_that_cannot_be_parsed_has_no_picture() -> None:
    Path("bad.cnn").write_text("INPUT 8x8x3 -> (")
    assert run("render", "bad.cnn", "-o", "x.svg").exit_code == 1
    assert not Path("x.svg").exists()
