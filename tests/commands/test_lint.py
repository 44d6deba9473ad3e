"""`cnndsl lint` and `cnndsl check --strict`: exit codes, choice of rules, formats. Rules are tested in `analysis`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnndsl.linting.lint import RULES
from tests.commands.running import run

FINE = "INPUT 32x32x3 -> [[CONV3-16 -> RELU]*2 -> POOL2]*3 -> CONV3-16 -> GAP -> FC-10\n"
# (8 - 3)/2 leaves 1; the bias of the convolution is lost in the BN.
STRIDED = "INPUT 8x8x3 -> CONV3-8/2(pad=0) -> BN -> FC-2\n"


@pytest.fixture(autouse=True)
def _files() -> None:
    Path("fine.cnn").write_text(FINE)
    Path("strided.cnn").write_text(STRIDED)
    Path("bad.cnn").write_text("INPUT -> CNOV3-64\n")


def codes(*arguments: str) -> list[str]:
    return [each["code"] for each in json.loads(run("lint", *arguments, "--output-format", "json").stdout)]


def test_nothing_found() -> None:
    result = run("lint", "fine.cnn")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "1 file, nothing found\n")


def test_findings_are_shown_with_their_source() -> None:
    result = run("lint", "fine.cnn", "strided.cnn", "--select", "stride-remainder")
    assert result.exit_code == 1
    assert "warning[stride-remainder]: no window of CONV3-8/2(pad=0) reaches the last row and column" in result.stdout
    assert "--> strided.cnn:1:16" in result.stdout
    assert "source: CS231n" in result.stdout
    assert result.stderr == "2 files, 1 finding\n"
    assert run("lint", "strided.cnn", "--exit-zero").exit_code == 0


def test_rules_are_chosen() -> None:
    assert set(codes("strided.cnn")) >= {"stride-remainder", "bias-before-bn"}
    assert codes("strided.cnn", "--select", "bias-before-bn") == ["bias-before-bn"]
    assert "bias-before-bn" not in codes("strided.cnn", "--ignore", "bias-before-bn,first-fc")
    both = ("--select", "bias-before-bn,stride-remainder", "--ignore", "bias-before-bn")
    assert codes("strided.cnn", *both) == ["stride-remainder"]


def test_a_comment_switches_a_rule_off() -> None:
    Path("strided.cnn").write_text(f"# cnndsl: allow(stride-remainder)\n{STRIDED}")
    assert codes("strided.cnn", "--select", "stride-remainder") == []
    assert run("check", "strided.cnn", "--strict").exit_code == 0


def test_an_unknown_rule_is_a_misuse() -> None:
    result = run("lint", "fine.cnn", "--ignore", "first-fcc")
    assert result.exit_code == 2
    assert "there is no rule 'first-fcc'; did you mean `first-fc`?" in result.stderr


def test_list_names_every_rule_and_its_source() -> None:
    result = run("lint", "--list")
    assert result.exit_code == 0
    assert all(rule.name in result.stdout and rule.source in result.stdout for rule in RULES)


def test_what_is_no_network_is_a_finding() -> None:
    result = run("lint", "bad.cnn", "none.cnn", "fine.cnn", "--exit-zero")
    assert result.exit_code == 1
    assert "error[E0231]" in result.stdout
    assert "error[E0502]: cannot read none.cnn" in result.stdout


@pytest.mark.parametrize(
    ("format", "shown"),
    [
        ("concise", "strided.cnn:1:16: warning stride-remainder no window"),
        ("github", "::warning file=strided.cnn,line=1,"),
        ("sarif", '"level": "warning"'),
    ],
)
def test_formats(format: str, shown: str) -> None:
    assert shown in run("lint", "strided.cnn", "--output-format", format).stdout


def test_strict_makes_a_remainder_an_error() -> None:
    assert run("check", "strided.cnn").exit_code == 0
    result = run("check", "strided.cnn", "fine.cnn", "--strict")
    assert result.exit_code == 1
    assert "error[stride-remainder]" in result.stdout
    assert "bias-before-bn" not in result.stdout
    assert result.stderr == "2 files checked, 1 error\n"


def test_strict_makes_copies_an_error() -> None:
    Path("copies.cnn").write_text("INPUT 1x1x512 -> AVGPOOL(out=7x7) -> FC-10\n")
    assert codes("copies.cnn") == ["magnifying-pool"]
    result = run("check", "copies.cnn", "--strict")
    assert result.exit_code == 1
    assert "error[magnifying-pool]: AVGPOOL(out=7x7) makes 7x7 of 1x1: it copies each value 49 times" in result.stdout


@pytest.mark.parametrize(
    "net", ["resnet18", "resnet152", "mobilenet_v1", "mobilenet_v2", "mobilenet_v3_large", "googlenet"]
)
def test_sound_networks_are_clean(net: str) -> None:
    assert run("check", net, "--strict").exit_code == 0
    assert run("lint", net).exit_code == 0
