"""`cnndsl check`: errors, warnings, and the edits that its JSON has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.running import run


@pytest.fixture(autouse=True)
def _files() -> None:
    Path("fine.cnn").write_text("INPUT 32x32x3 -> CONV3-16 -> GAP -> FC-10\n")
    Path("unused.cnn").write_text("let k = 3\nINPUT 32x32x3 -> CONV3-16 -> GAP -> FC-10\n")
    Path("torch.cnn").write_text("INPUT 32x32x3 -> Conv2d(3, 64, 3, padding=1) -> GAP -> FC-10\n")


def test_a_warning_is_no_error() -> None:
    result = run("check", "fine.cnn", "unused.cnn")
    assert result.exit_code == 0
    assert "warning[unused]: nothing uses the value `k`" in result.stdout
    assert result.stderr == "2 files checked, no errors, 1 warning\n"


def test_a_warning_is_an_error_where_that_is_wanted() -> None:
    result = run("check", "unused.cnn", "--strict")
    assert result.exit_code == 1
    assert "error[unused]" in result.stdout


def test_a_comment_switches_a_warning_off() -> None:
    Path("unused.cnn").write_text("let k = 3 # cnndsl: allow(unused)\nINPUT 32x32x3 -> GAP -> FC-10\n")
    assert run("check", "unused.cnn", "--strict").exit_code == 0


def test_json_has_the_edits() -> None:
    (found,) = json.loads(run("check", "torch.cnn", "--output-format", "json").stdout)
    (edit,) = found["fix"]["edits"]
    assert edit["text"] == "CONV3-64"
    assert (edit["place"]["column"], edit["place"]["end_column"]) == (18, 45)


def test_sarif_has_the_edits() -> None:
    log = json.loads(run("check", "torch.cnn", "--output-format", "sarif").stdout)
    (fix,) = log["runs"][0]["results"][0]["fixes"]
    (change,) = fix["artifactChanges"]
    assert change["replacements"][0]["insertedContent"] == {"text": "CONV3-64"}


def test_a_rule_is_explained() -> None:
    assert "What is defined is used" in run("explain", "unused").stdout
    assert "did you mean `unused`?" in run("explain", "unusd").stderr
