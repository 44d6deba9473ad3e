"""`cnndsl explain`: the list, and what an unknown code may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnndsl.codes import CODES
from cnndsl.linting.lint import RULES
from tests.commands.running import run


def test_without_a_code_all_are_listed() -> None:
    lines = run("explain").stdout.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("E")] == sorted(CODES)
    assert {line.split()[0] for line in lines if line} >= {rule.name for rule in RULES}
    assert max(map(len, lines)) < 160
    assert run("explain", "E0312", "-o", "e.txt").stderr == "wrote e.txt\n"
    assert Path("e.txt").read_text() == run("explain", "E0312").stdout


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("e312", "did you mean `E0312`?"),
        ("312", "did you mean `E0312`?"),
        ("E0312:", "did you mean `E0312`?"),
        ("even_kernel", "did you mean `even-kernel`?"),
        ("CONV", "CONV is a layer type, which docs/language.md describes"),
        ("conv3-64", "CONV is a layer type"),
        ("params", "params is a metric, which docs/figures.md defines"),
        ("nothing", "`cnndsl explain` lists the codes and rules"),
    ],
)
def test_an_unknown_code(code: str, hint: str) -> None:
    result = run("explain", code)
    assert (result.exit_code, result.stdout) == (1, "")
    assert hint in result.stderr


@pytest.mark.parametrize("command", ["check", "lint"])
def test_findings_go_into_a_file_whose_ending_chooses_the_format(command: str) -> None:
    Path("bad.cnn").write_text("INPUT -> CNOV3-64\n")
    for file, start in (("x.json", "["), ("x.sarif", "{"), ("x.txt", "error[E0231]")):
        result = run(command, "bad.cnn", "-o", file)
        assert result.exit_code == 1
        assert result.stdout == ""
        assert f"wrote {file}\n" in result.stderr
        assert Path(file).read_text().startswith(start)
    assert "--force overwrites it" in run(command, "bad.cnn", "-o", "x.json").stderr
    assert run(command, "bad.cnn", "-o", "x.json", "--format", "concise", "-f").exit_code == 1
    assert Path("x.json").read_text().startswith("bad.cnn:1:10")
