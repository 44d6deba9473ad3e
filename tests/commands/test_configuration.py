"""`cnndsl render --style table`: networks, values of parameters, formats, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.running import DOCS, data, run


def heads(*arguments: str) -> list[str]:
    return [each["name"] for each in data("render", *arguments, "--style", "table")["networks"]]


def test_a_column_for_each_network() -> None:
    assert heads("resnet18", "resnet34") == ["ResNet18", "ResNet34"]


@pytest.mark.parametrize(
    "settings", [["layers=20,32"], ["layers={20, 32}"], ["layers=20", "layers=32"]], ids=lambda each: " ".join(each)
)
def test_a_column_for_each_value(settings: list[str]) -> None:
    given = [argument for text in settings for argument in ("--set", text)]
    assert heads("cifar_resnet", *given) == ["layers=20", "layers=32"]


def test_inputs_and_several_files() -> None:
    assert heads("vgg11", "--set", "input=64x64x3,32x32x3") == ["input=64x64x3", "input=32x32x3"]
    assert heads("vgg11", "vgg13", "--set", "classes=10,20")[:2] == ["VGG11 (classes=10)", "VGG11 (classes=20)"]


@pytest.mark.parametrize(
    ("ending", "begin"),
    [("svg", "<svg"), ("tex", "% ResNet18"), ("md", "## ResNet18"), ("html", "<!doctype html>"), ("json", "{")],
)
def test_the_ending_chooses(ending: str, begin: str) -> None:
    assert run("render", "resnet18", "--style", "table", "-o", f"net.{ending}").exit_code == 0
    assert Path(f"net.{ending}").read_text("utf-8").startswith(begin)


def test_an_unknown_ending_is_refused() -> None:
    result = run("render", "resnet18", "--style", "table", "-o", "net.xyz")
    assert result.exit_code == 1
    assert "its name must end in .svg, .png, .pdf, .html, .json, .tex or .md" in result.stderr


def test_a_picture_without_a_name() -> None:
    result = run("render", "resnet18", "--style", "table")
    assert result.stderr == "wrote resnet18_table.svg\n"
    assert run("render", "resnet18", "--style", "table").exit_code == 1, "it is there already"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["vgg11", "vgg13"], "a diagram is of one network"),
        (["vgg11", "--style", "table", "--fold"], "a table always folds"),
        (["vgg11", "--style", "table", "--format", "latex", "--width", "slide"], "not for a slide"),
        (["vgg11", "--style", "table", "--format", "png", "-o", "-"], "a picture goes into a file"),
        (["-", "-", "--style", "table"], "only one of the networks"),
        (["vgg11", "--style", "table", "--set", "classes"], "is not of the form NAME=VALUES"),
    ],
)
def test_invalid_use(arguments: list[str], message: str) -> None:
    result = run("render", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_the_example_of_the_page_is_what_is_printed() -> None:
    page = (DOCS / "latex.md").read_text("utf-8")
    example = page.partition("```\n")[2].partition("```")[0]
    assert example in run("render", "cifar_resnet", "--set", "layers=20,32", "--style", "table", "-o", "-").stdout


@pytest.mark.parametrize(
    ("arguments", "begin"),
    [
        (["diff", "vgg11", "vgg13"], "% VGG11 (classes=1000) -> VGG13 (classes=1000)"),
        (["sweep", "cifar_resnet", "--set", "layers=20,32"], "% needs"),
        (["stats", "lenet5"], "% LeNet5"),
    ],
)
def test_tables_of_other_commands_go_into_files(arguments: list[str], begin: str) -> None:
    result = run(*arguments, "-o", "table.tex", "--width", "column")
    assert result.exit_code == (1 if arguments[0] == "diff" else 0), result.output
    assert Path("table.tex").read_text("utf-8").startswith(begin)
    assert r"\begin{table}" in Path("table.tex").read_text("utf-8")


def test_a_width_is_for_latex() -> None:
    for command in (["stats", "vgg11"], ["diff", "vgg11", "vgg13"], ["sweep", "cifar_resnet"]):
        result = run(*command, "--width", "column")
        assert result.exit_code == 2
        assert "--width applies to --format latex only" in result.stderr
