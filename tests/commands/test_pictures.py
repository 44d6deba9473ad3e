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
    assert f"needs {package}: pip install {package}" in result.stderr
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
        next(text for text in words if text.startswith("use a larger input")),
    ]


def test_without_a_file_an_error_is_only_told() -> None:
    Path("bad.cnn").write_text("INPUT 8x8x3 -> CONV9-4(pad=valid)")
    result = run("render", "bad.cnn")
    assert (result.exit_code, "wrote" in result.stderr) == (1, False)
    assert not Path("bad.svg").exists()


SYNTAX, SHAPE = "INPUT 8x8x3 -> (", "INPUT 8x8x3 -> CONV9-4(pad=valid)"
ASSERTION = "INPUT 8x8x3 -> FC-2\nassert params == 5\nassert output == 3"


@pytest.mark.parametrize(
    ("text", "options", "why"),
    [
        (SYNTAX, ("-o", "x.svg"), "the program cannot be parsed"),
        (SYNTAX, ("-o", "x.mmd"), "the program cannot be parsed"),
        (SYNTAX, (), "the program cannot be parsed"),
        (SHAPE, (), "a network with errors is drawn only into the file that -o names"),
        (SHAPE, ("-o", "x.mmd"), "Mermaid cannot show errors; `-o FILE.svg` can"),
        (ASSERTION, ("-o", "x.mmd"), "Mermaid cannot show errors; `-o FILE.svg` can"),
        (SHAPE, ("-o", "x.gv"), "DOT cannot show errors; `-o FILE.svg` with `--layout cards` can"),
        (SHAPE, ("-o", "x.svg", "--layout", "dot"), "DOT cannot show errors; `-o FILE.svg` with `--layout cards` can"),
    ],
)
def test_where_there_is_no_picture_a_line_says_why(text: str, options: tuple[str, ...], why: str) -> None:
    Path("bad.cnn").write_text(text)
    result = run("render", "bad.cnn", *options)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"no picture was written: {why}\nerror[")
    assert [file.name for file in Path().iterdir()] == ["bad.cnn"]


def test_a_table_of_a_network_with_an_error_is_not_written() -> None:
    Path("bad.cnn").write_text(SHAPE)
    result = run("render", "lenet5", "bad.cnn", "--style", "table", "-o", "x.svg")
    assert (result.exit_code, Path("x.svg").exists()) == (1, False)
    assert result.stderr.startswith("no table was written: bad.cnn has an error")


@pytest.mark.parametrize("width", ["column", "page", "slide"])
def test_a_network_that_breaks_an_assertion_is_drawn_with_the_message(width: str) -> None:
    """Its 8*8*3*2 weights and 2 biases are 386 parameters."""
    Path("bad.cnn").write_text(ASSERTION)
    result = run("render", "bad.cnn", "-o", "x.svg", "--width", width)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("wrote x.svg, with the assertions that fail\n")
    drawn = Path("x.svg").read_text("utf-8")
    for text in ("FC, 2", "params is 386, but the file asserts 5", "output is 2, but the file asserts 3"):
        assert f">{text}</text>" in drawn
