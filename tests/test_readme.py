"""The README tells the truth: its commands run in the order in which they stand, its Python gives what it shows."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.playing import play

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"


def commands() -> str:
    return "\n".join(re.findall(r"```sh\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL))


def test_commands_run_in_order(tmp_path: Path) -> None:
    programs = Path(sys.executable).parent
    environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    script = ["bash", "-euxc", commands()]
    done = subprocess.run(script, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} >= {"card.cnn", "card.py", "card.svg", "mine.cnn"}
    # Weights: 3*3*3*64 once, 3*3*64*64 nine times, 7*7*64*4096; biases: ten times 64, and 4096.
    params = 1_728 + 9 * 36_864 + 12_845_056 + 10 * 64 + 4_096
    assert f"{params:,}" in done.stdout


def test_python_gives_what_it_shows() -> None:
    outcome = doctest.testfile(str(README), module_relative=False)
    assert outcome.attempted >= 6
    assert outcome.failed == 0


def program() -> str:
    """The program beside the picture."""
    return README.read_text(encoding="utf-8").partition("```cnn\n")[2].partition("```")[0]


def shown(command: str) -> str:
    (lines,) = re.findall(rf"^    \$ {command}.*\n(?:    .+\n)+", README.read_text(encoding="utf-8"), re.MULTILINE)
    return lines


def test_the_picture_is_of_the_program_beside_it() -> None:
    assert (ROOT / "docs" / "readme" / "net.cnn").read_text(encoding="utf-8") == program()


@pytest.mark.parametrize(("command", "lost"), [("cnndsl stats", ""), ("cnndsl check", " or CONV1-c/s")])
def test_the_first_screen_shows_what_is_printed(command: str, lost: str, tmp_path: Path) -> None:
    """The table is that of the program, the error that of the program without the projection."""
    assert lost in program()
    page = tmp_path / "page.md"
    page.write_text(shown(command), encoding="utf-8")
    assert play(page, tmp_path, {"net.cnn": program().replace(lost, "")}) == 1


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8"))
    assert [target for target in targets if not (ROOT / target).exists()] == []
