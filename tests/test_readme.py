"""The README tells the truth: its commands run in the order in which they stand, its Python gives what it shows."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

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


def test_an_error_is_printed_as_it_stands_there() -> None:
    block = re.search(
        r"^    \$ echo '(.*)' \| cnndsl check -\n((?:    .*\n)+)", README.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert block is not None
    program, shown = block.groups()
    command = [sys.executable, "-m", "cnndsl", "check", "-"]
    done = subprocess.run(command, input=program, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout + done.stderr in (found := textwrap.dedent(shown), found + "1 file checked, 1 error\n")


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8"))
    assert [target for target in targets if not (ROOT / target).exists()] == []
