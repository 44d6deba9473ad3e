"""Run what a page shows: its programs become files, its commands print what stands below them.

A block of `cnn` whose first line is a comment with a file's name, `# net.cnn`, is written to that file. A block that is
indented by four spaces and begins with `$ cnndsl …` is a command. Its output must contain the lines below it, one after
the other; a line `…` stands for any number of lines. `echo '…' | cnndsl …` works too, and so do commands over several
lines with a backslash. `cnndsl` runs in this process, so that a page takes no start-up.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import chdir
from itertools import groupby
from pathlib import Path

from tests.commands.running import run

_STEP = re.compile(
    r"^```cnn\n# (?P<file>[\w.-]+\.cnn)\n(?P<text>.*?)^```$"
    r"|^    \$ (?P<shown>[^\n]+\n(?:    [^\n]*\n|\n(?=    (?!\$)))*)",
    re.MULTILINE | re.DOTALL,
)


def _pieces(shown: str) -> Iterator[list[str]]:
    """The output that a page shows, cut at the lines that stand for others."""
    lines = [line.removeprefix("    ").rstrip() for line in shown.splitlines()]
    for gap, group in groupby(lines, lambda line: line == "…"):
        if not gap:
            yield list(group)


def _missing(printed: list[str], shown: str) -> list[str]:
    """The first lines of a page that a command does not print in this order."""
    at = 0
    for piece in _pieces(shown):
        found = next((start for start in range(at, len(printed)) if printed[start : start + len(piece)] == piece), None)
        if found is None:
            return piece
        at = found + len(piece)
    return []


def _words(command: str) -> tuple[str | None, list[str]]:
    """What is piped into `cnndsl` by an `echo` before it, and its arguments."""
    words = shlex.split(command)
    piped = f"{words[1]}\n" if words[:1] == ["echo"] and words[2] == "|" else None
    program, *arguments = words if piped is None else words[3:]
    assert program == "cnndsl", command
    return piped, arguments


def play(page: Path, folder: Path, programs: dict[str, str] | None = None) -> int:
    """Run the commands of a page in a folder with these programs and return their number.

    Raises AssertionError for the first that prints something else."""
    text, count = re.sub(r" \\\n +", " ", page.read_text(encoding="utf-8")), 0
    with chdir(folder):
        for name, program in (programs or {}).items():
            Path(name).write_text(program, encoding="utf-8")
        for step in _STEP.finditer(text):
            if step["file"]:
                Path(step["file"]).write_text(f"# {step['file']}\n{step['text']}", encoding="utf-8")
                continue
            count += 1
            command, _, shown = step["shown"].partition("\n")
            piped, arguments = _words(command)
            result = run(*arguments, stdin=piped)
            fails = command.startswith("cnndsl diff ") or re.search(r"error\[|E0401|does not fit| fails at ", shown)
            assert result.exit_code in ((0, 1) if fails else (0,)), (command, result.output)
            printed = [line.rstrip() for line in result.output.splitlines()]
            assert _missing(printed, shown) == [], (command, result.output)
    return count
