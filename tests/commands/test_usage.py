"""Invalid command lines: the message names the value and what to type, and the exit code is 2."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click
import pytest

from cnndsl import __version__
from cnndsl.cli import COMMANDS, module
from cnndsl.commands.synonyms import COMMAND_SYNONYMS, OPTION_SYNONYMS, SPELLED_OUT
from tests.commands.running import run

NET = "net N(classes=10, n=1)\nINPUT 32x32x3 -> [CONV3-8]*n -> FC-classes\n"

LINES = {
    "stat": "there is no command 'stat'; did you mean `stats`?",
    "summary net.cnn": "did you mean `stats`?",
    "export net.cnn": "did you mean `compile`?",
    "cmp net.cnn net.cnn": "did you mean `diff`?",
    "net.cnn": "there is no command 'net.cnn': a command comes before the network, as in: cnndsl stats net.cnn",
    "net.cnn stats": "the command comes first; write: cnndsl stats net.cnn",
    "help stats": "write: cnndsl stats --help",
    "version": "write: cnndsl --version",
    "train net.cnn": "cnndsl trains nothing; `cnndsl compile` writes the PyTorch module",
    "-v": "did you mean --version?",
    "stats": "stats needs a .cnn file, the name of a bundled network, or - for standard input, as in: cnndsl stats",
    "diff net.cnn": "diff needs two networks to compare, as in: cnndsl diff old.cnn new.cnn",
    "diff net.cnn net.cnn other.cnn": "diff has no use for 'other.cnn'; it compares two networks",
    "compile net.cnn --overwrite": "compile has no option --overwrite; did you mean --force?",
    "compile net.cnn -y": "did you mean --force?",
    "compile net.cnn --out net.py": "did you mean --output FILE?",
    "compile net.cnn --dir out": "name the folder with the file: -o FOLDER/FILE",
    "compile net.cnn --framework tensorflow": "compile writes PyTorch and nothing else; leave it out",
    "compile net.cnn net.py": "compile has no use for 'net.py'; to write that file: -o net.py",
    "fmt net.cnn --write": "fmt changes files in place; leave it out",
    "rf net.cnn --layer conv3": "rf has no option --layer; did you mean --at LAYER?",
    "rf net.cnn conv3": "a layer is named by --at conv3",
    "stats net.cnn --metric params": "stats has no option --metric; did you mean --columns NAMES?",
    "stats net.cnn --json": "write --format json",
    "stats net.cnn --batch-size 8": "did you mean --batch N?",
    "stats net.cnn --classes 10": "a parameter of the network is set by --set classes=10",
    "stats net.cnn --num-classes=10": "a parameter of the network is set by --set classes=10",
    "stats net.cnn classes=10": "a parameter is set by --set classes=10",
    "stats net.cnn --set classes 10": "write --set classes=10",
    "stats net.cnn --input 224 224 3": "write --input 224x224x3",
    "stats net.cnn --set classes=10 n=2": "each parameter has its own option: --set classes=10 --set n=2",
    "sweep net.cnn --set n=1,2, 3": "if it is a value of --set, write --set n=1,2,3",
    "fit net.cnn --memory 8GB --batch 32 64": "if it is a value of --batch, write --batch 32,64",
    "stats net.cnn other.cnn": "stats reads one network; `cnndsl diff net.cnn other.cnn` compares two",
    "stats net.cnn --batch 32,64": "--batch must be a whole number, 1 or more, not '32,64'",
    "stats net.cnn --levels all": "--levels must be a whole number, 1 or more, not 'all'",
    "render net.cnn --dpi 10": "--dpi must be a whole number from 36 to 2400, not '10'",
    "stats net.cnn --format tex": "or latex, not 'tex'; write --format latex",
    "stats net.cnn --format JSON": "write --format json",
    "stats net.cnn --by type": "--by must be block, stage or kind, not 'type'; write --by kind",
    "stats net.cnn --device gpu": "--device must be cpu or cuda, not 'gpu'; write --device cuda",
    "fit net.cnn --memory 8GB --amp": "write --dtype amp",
    "fit net.cnn --gpu": "--gpu needs a value, CARD, as in --gpu h100",
    "fit net.cnn --gpu none": "--gpu: there is no card 'none'",
    "fit net.cnn --training=yes --memory 8GB": "--training takes no value",
    "lint net.cnn --select": "--select needs a value, RULES, as in --select even-kernel",
    "lint net.cnn --fix": "lint reports and changes nothing",
    "check net.cnn --quiet": "results go to standard output and notes to standard error",
    "zoo --family ResNet": "write --where 'family == ResNet'",
    "zoo --list": "zoo has no option --list",
    "render net.cnn --format png": "--format is for --style table; the name of a diagram's file chooses: -o net.png",
    "render net.cnn other.cnn": "`cnndsl render net.cnn other.cnn --style table` has a column for each",
    "fit net.cnn --memory 8GB --dtype float16": "there is no type 'float16'; did you mean `fp16`?",
    "new NAME mine.cnn": "to write that file: -o mine.cnn",
}


@pytest.fixture(autouse=True)
def _files(_in_a_folder_of_its_own: None) -> None:
    for name in ("net.cnn", "other.cnn"):
        Path(name).write_text(NET)


@pytest.mark.parametrize("line", LINES)
def test_what_to_type_is_said(line: str) -> None:
    result = run(*line.split())
    error, usage, *rest = result.stderr.splitlines()
    assert (result.exit_code, result.stdout, rest) == (2, "", [])
    assert error.startswith("error: ")
    assert LINES[line] in error
    assert usage.startswith("usage: ")
    assert "--help` explains it)" in usage
    for words in ("No such option", "Invalid value", "Missing", "Got unexpected", "Error:"):
        assert words not in result.stderr


def test_a_synonym_is_no_name_and_stands_for_one() -> None:
    words = [word for several in COMMAND_SYNONYMS.values() for word in several]
    assert not set(words) & set(COMMANDS)
    assert len(words) == len(set(words))
    assert set(COMMAND_SYNONYMS) <= set(COMMANDS)
    names = {name for command in COMMANDS for name in _options(command)} | {"--version", "--help"}
    assert set(OPTION_SYNONYMS) <= names
    assert {text.split()[0] for text in SPELLED_OUT.values()} <= names


def _options(command: str) -> set[str]:
    found: object = import_module(f"cnndsl.commands.{module(command)}").command
    assert isinstance(found, click.Command)
    return {name for each in found.params if isinstance(each, click.Option) for name in each.opts}


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_prints_the_version(command: str) -> None:
    for option in ("-V", "--version"):
        assert run(*filter(None, (command, option))).output == f"cnndsl {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_has_an_example_and_texts_for_all_options(command: str) -> None:
    result = run(command, "--help")
    assert f"\n  cnndsl {command}" in result.stdout
    found: object = import_module(f"cnndsl.commands.{module(command)}").command
    assert isinstance(found, click.Command)
    assert [each.name for each in found.params if isinstance(each, click.Option) and not each.help] == []


def test_every_command_that_prints_writes_files_too() -> None:
    assert {command for command in COMMANDS if "--output" not in _options(command)} == {"fmt"}
    for command in set(COMMANDS) - {"fmt"}:
        assert {"-o", "-f", "--force"} <= _options(command)
